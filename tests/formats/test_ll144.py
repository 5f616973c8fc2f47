"""The LL144 fragment on the worked example of the rule itself, and the ways in which it can be incomplete.

Counts: 6 RCNY § 5-301, example 1 (a tool that selects). The example disagrees with itself: its tables of sex and of
both total 2,571 people, that of race/ethnicity 2,584.
"""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import sample
import task_sample

from govern.evidence import OVERALL, Counts, Evidence, Group, Measurement
from govern.formats.ll144 import ll144
from govern.verdict import Comparison, Verdict

GOLDEN = Path(__file__).parent / "golden" / "ll144-summary.html"
WHITE, HISPANIC, BLACK = "White", "Hispanic or Latino", "Black or African American"
PACIFIC, ASIAN = "Native Hawaiian or Pacific Islander", "Asian"
NATIVE, TWO = "Native American or Alaska Native", "Two or More Races"
# (selected, applicants, impact ratio as published)
EXAMPLE = {
    ("sex",): {("Male",): (667, 1390, "1.000"), ("Female",): (555, 1181, "0.979")},
    ("race_ethnicity",): {
        (HISPANIC,): (204, 408, "0.967"), (WHITE,): (412, 797, "1.000"), (BLACK,): (170, 390, "0.843"),
        (PACIFIC,): (52, 119, "0.845"), (ASIAN,): (302, 616, "0.948"), (NATIVE,): (18, 41, "0.849"),
        (TWO,): (96, 213, "0.872")},
    ("sex", "race_ethnicity"): {
        ("Male", HISPANIC): (90, 205, "0.841"), ("Male", WHITE): (215, 412, "1.000"),
        ("Male", BLACK): (95, 226, "0.806"), ("Male", PACIFIC): (37, 87, "0.815"), ("Male", ASIAN): (167, 321, "0.997"),
        ("Male", NATIVE): (11, 24, "0.878"), ("Female", HISPANIC): (82, 190, "0.827"),
        ("Female", WHITE): (197, 385, "0.981"), ("Female", BLACK): (75, 164, "0.876"),
        ("Female", PACIFIC): (15, 32, "0.898"), ("Female", ASIAN): (135, 295, "0.877"),
        ("Female", NATIVE): (7, 17, "0.789"), ("Female", TWO): (44, 98, "0.860")},
}
UNKNOWN = 250
CARD = {"audit_date": "2026-10-30", "distribution_date": "2026-01-15",
        "data_source": "Applications of 2025 to three employers",
        "data_explanation": "Historical data: every application that the tool assessed", "owner": "Vendor Ltd"}


def example(metric: str = "selection_rate", **change: object) -> Evidence:
    """Evidence with the counts of the example and 250 people of whom a category is not known."""
    groups, found = [Group(OVERALL, (), (), 2821, 0, 0)], []
    for features, rows in EXAMPLE.items():
        for values, (x, n, _) in [*rows.items(), ((*[None] * len(features),), (100, UNKNOWN, ""))]:
            groups.append(Group(f"g{len(groups)}", features, values, n, 0, 0, asked=len(features) == 1))
            found.append(task_sample.share(metric, x, n, group=groups[-1].id))
    e = task_sample.bare(sample.evidence(100), "binary")
    return replace(e, groups=tuple(groups), measurements=tuple(found), card=CARD, **change)  # type: ignore[arg-type]


def judged(e: Evidence, **change: object) -> Verdict:
    return sample.verdict(e, "PASS", (), waivers=(), **change)


class Reader(HTMLParser):
    """Terms with their descriptions, and tables as caption → rows of cells; everything else is text apart."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.items: dict[str, str] = {}
        self.tables: dict[str, list[list[str]]] = {}
        self.rest: list[str] = []
        self._tag = self._term = self._caption = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag = tag
        if tag == "tr":
            self.tables[self._caption].append([])

    def handle_endtag(self, tag: str) -> None:
        self._tag = ""

    def handle_data(self, data: str) -> None:
        if self._tag == "dt":
            self._term = data
        elif self._tag == "dd":
            self.items[self._term] = data
        elif self._tag == "caption":
            self._caption = data
            self.tables[data] = []
        elif self._tag in ("th", "td"):
            self.tables[self._caption][-1].append(data)
        elif data.strip():
            self.rest.append(data)


def test_the_example_of_the_rule() -> None:
    e = example()
    text = ll144(e, judged(e), {})
    assert text == GOLDEN.read_text(encoding="utf-8")
    read = Reader(text)
    rows = {tuple(r[0].split(" · ")): r[1:] for table in read.tables.values() for r in table[1:]}
    assert len(rows) == sum(map(len, EXAMPLE.values()))
    for table in EXAMPLE.values():
        for values, (x, n, ratio) in table.items():
            assert rows[values] == [f"{n:,}", f"{100 * x / n:.1f}%", ratio]


def test_exactly_the_items_that_the_rule_lists() -> None:
    """6 RCNY § 5-303(a): nothing is missing, and nothing else is said: no interval, test, bound, verdict or name."""
    e = example()
    read = Reader(ll144(e, judged(e), {}))
    assert read.items == {
        "Date of the most recent bias audit": "2026-10-30",
        "Source of the data": "Applications of 2025 to three employers",
        "Explanation of the data": "Historical data: every application that the tool assessed",
        "Individuals in an unknown category, not in the calculations":
            "Sex categories: 250; Race/ethnicity categories: 250; Intersectional categories: 250",
        "Distribution date of the tool": "2026-01-15"}
    assert list(read.tables) == ["Sex categories", "Race/ethnicity categories", "Intersectional categories"]
    assert {tuple(t[0]) for t in read.tables.values()} == {
        ("category", "number of applicants", "selection rate", "impact ratio")}
    assert read.rest == ["Summary of results of the bias audit"]


def test_what_the_card_lacks_is_printed_as_missing() -> None:
    e = replace(example(), card={"audit_date": "", "data_source": "TODO"})
    refusing = sample.finding(kind="document", metric=None, missing=("data_source",))
    read = Reader(ll144(e, replace(judged(e), findings=(refusing,)), {}))
    assert [v for k, v in read.items.items() if "unknown" not in k] == ["missing"] * 4


def test_a_table_without_its_feature_is_missing() -> None:
    e = example()
    e = replace(e, groups=tuple(g for g in e.groups if "race_ethnicity" not in g.features))
    read = Reader(ll144(e, judged(e), {}))
    assert list(read.tables) == ["Sex categories"]
    assert read.rest[1:] == ["Race/ethnicity categories", "missing: the evidence holds no groups of “race_ethnicity”",
                             "Intersectional categories", "missing: the evidence holds no groups of “race_ethnicity”"]


def test_an_excluded_category_keeps_number_and_rate_and_says_why() -> None:
    """6 RCNY § 5-301(d); the highest rate is taken among the others."""
    e = example()
    white = next(g.id for g in e.groups if g.values == (WHITE,))
    table = sample.finding(kind="table", metric="selection_rate", features=("race_ethnicity",), outcome="pass",
                           counts_as="PASS", comparisons=(Comparison(white, "pass", None, exempt=True),))
    named = [{"category": "white", "justification": "below 2% of the data"},
             {"category": "Male, Native American or Alaska Native", "justification": "24 people"}]
    for v, card, says in (
            (replace(judged(e), findings=(table,)), {}, "excluded: missing"),
            (judged(e), {"excluded_categories": named}, "excluded: below 2% of the data")):
        read = Reader(ll144(replace(e, card=card), v, {}))
        rows = {r[0]: r[1:] for r in read.tables["Race/ethnicity categories"]}
        assert rows[WHITE] == ["797", "51.7%", says]
        assert rows[HISPANIC] == ["408", "50.0%", "1.000"]
    both = {r[0]: r[1:] for r in read.tables["Intersectional categories"]}
    assert both[f"Male · {NATIVE}"] == ["24", "45.8%", "excluded: 24 people"]


def test_scoring_rates_stand_beside_selection_rates() -> None:
    """The median of everyone, unknown included, is 3.5: of A one of two is above it, of B none."""
    groups = (Group(OVERALL, (), (), 6, 0, 0), Group("a", ("sex",), ("A",), 2, 0, 0),
              Group("b", ("sex",), ("B",), 2, 0, 0), Group("u", ("sex",), (None,), 2, 0, 0))
    scored = [task_sample.share("scoring_rate", x, 2, group=g) for g, x in (("a", 1), ("b", 0), ("u", 2))]
    selected = [task_sample.share("selection_rate", x, 2, group=g) for g, x in (("a", 0), ("b", 0), ("u", 2))]
    e = replace(example(), groups=groups, measurements=(*selected, *scored))
    read = Reader(ll144(e, judged(e), {}))
    head, a, b = read.tables["Sex categories"]
    assert head[2:] == ["selection rate", "impact ratio", "scoring rate", "impact ratio"]
    assert a == ["A", "2", "0.0%", "–", "50.0%", "1.000"]
    assert b == ["B", "2", "0.0%", "–", "0.0%", "0.000"]
    assert read.items["Individuals in an unknown category, not in the calculations"] == "Sex categories: 2"


@pytest.mark.parametrize(("says", "heads"), [
    ("selects", ["selection rate"]), ("scores", ["scoring rate"]),
    ("selects and scores", ["selection rate", "scoring rate"])])
def test_the_rates_are_those_of_the_tool(says: str, heads: list[str]) -> None:
    """6 RCNY § 5-303(a): selection or scoring rates, as applicable."""
    e = example()
    scored = tuple(replace(m, metric="scoring_rate") for m in e.measurements)
    e = replace(e, measurements=(*e.measurements, *scored), card={"tool_output": says})
    assert Reader(ll144(e, judged(e), {})).tables["Sex categories"][0][2::2] == heads
    # Scores that were not measured are missing, not left out.
    bare = Reader(ll144(replace(example(), card={"tool_output": "scores"}), judged(e), {}))
    assert bare.tables["Sex categories"][1][1:] == ["1,390", "missing", "missing"]


def test_test_data_are_explained() -> None:
    """6 RCNY § 5-302(b)."""
    e = replace(example(), card={**CARD, "audit_data": "test", "test_data": {"reason": "a new tool"}})
    items = Reader(ll144(e, judged(e), {})).items
    assert items["Why historical data were not used"] == "a new tool"
    assert items["How the test data were generated and obtained"] == "missing"


def test_decision_columns_have_tables_of_their_own() -> None:
    """6 RCNY § 5-301(b)(4); who did not reach a step is no applicant there."""
    e = example()
    step = [task_sample.share("selection_rate", x, n, group=g.id, decision="interviewed")
            for g in e.groups if g.features == ("sex",) for x, n in ((100, 200),)]
    e = replace(e, measurements=(*e.measurements, *step))
    tables = Reader(ll144(e, judged(e), {})).tables
    assert tables["Sex categories"][1] == ["Male", "1,390", "48.0%", "1.000"]
    assert tables["Sex categories: classified as “interviewed”"][1] == ["Male", "200", "50.0%", "1.000"]
    assert "Sex categories: classified as “interviewed”" not in Reader(
        ll144(replace(e, card={"tool_output": "scores"}), judged(e), {})).tables


def test_a_tool_that_classifies_has_the_tables_for_each_class() -> None:
    """6 RCNY § 5-301(b)(4)."""
    e = replace(example(), task="multiclass", measurements=tuple(
        Measurement(m.metric, m.value, group=m.group, numerator=m.numerator, denominator=m.denominator, label=label)
        for label in ("manager", "clerk") for m in example().measurements),
        counts=tuple(Counts(OVERALL, 1, 1, 1, 1, 2, label) for label in ("manager", "clerk")))
    captions = re.findall("<caption>(.*?)</caption>", ll144(e, judged(e), {}))
    assert captions[0] == "Sex categories: classified as “manager”" and len(captions) == 6


def test_a_category_in_which_nobody_applied_is_listed() -> None:
    e = example()
    female = next(g for g in e.groups if g.values == ("Female",))
    e = replace(e, groups=tuple(replace(g, n=0, status="empty") if g is female else g for g in e.groups),
                measurements=tuple(m for m in e.measurements if m.group != female.id))
    rows = {r[0]: r[1:] for r in Reader(ll144(e, judged(e), {})).tables["Sex categories"]}
    assert rows["Female"] == ["0", "–", "–"] and rows["Male"] == ["1,390", "48.0%", "1.000"]


if __name__ == "__main__":
    GOLDEN.write_text(ll144(example(), judged(example()), {}), encoding="utf-8")
