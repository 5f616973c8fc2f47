"""Worked numbers of published sources, through the command line: data in, documents out.

The sources: a published model card (A1), the questions and answers on the Uniform Guidelines (A2 to A4), Connecticut
v. Teal (A5), the example of the rules on Local Law 144 (A7) and others, named where they are used. What the sources
print is asserted as printed, everything else was computed apart from this package.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from govern.stats.fisher import fisher_p

Govern = Callable[..., Any]
Selected = Mapping[str, tuple[int, int]]
TODAY = "2026-11-22"
SETTINGS = """\
data:
  path: data.csv
  target: y
  positive: 1
"""


@dataclass(frozen=True)
class Judged:
    """What `measure` and `check` wrote, and the code `check` left."""

    code: int
    verdict: Any
    evidence: Any

    def findings(self, rule: str, **fields: Any) -> list[Any]:
        """The findings of a rule whose fields are as given."""
        return [f for f in self.verdict["findings"]
                if f["rule"] == rule and all(f.get(k) == v for k, v in fields.items())]

    def finding(self, rule: str, **fields: Any) -> Any:
        """The one finding of a rule whose fields are as given."""
        (found,) = self.findings(rule, **fields)
        return found

    def named(self, finding: Any) -> dict[str, Any]:
        """The comparisons of a finding by the name of the group."""
        return {self.name(c["group"]): c for c in finding["comparisons"]}

    def name(self, group: str) -> str:
        """The name of a group, its values joined."""
        found = next(g for g in self.evidence["groups"] if g["id"] == group)
        return " · ".join("(missing)" if v is None else v for v in found["values"]) or "everyone"


@pytest.fixture
def judge(govern: Govern, tmp_path: Path) -> Callable[..., Judged]:
    """Measures the rows with the settings and judges them by a policy, both through the command line."""

    def run(header: str, rows: Sequence[str], settings: str = "", policy: str = "eeoc-four-fifths", *,
            head: str = SETTINGS, phase: str = "team", today: str = TODAY) -> Judged:
        (tmp_path / "data.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        (tmp_path / "govern.yaml").write_text(head + settings, encoding="utf-8")
        ran = govern("measure", "--compute", "skip", "--quiet", "--timestamp", f"{TODAY}T00:00:00Z")
        assert (ran.code, ran.err) == (0, "")
        ran = govern("check", "govern-report/evidence.json", "--policy", policy, "--phase", phase, "--today", today,
                     "--out", "judged", "--quiet")
        assert ran.code in (0, 1, 3), ran.err
        return Judged(ran.code, ran.document("verdict.json", "judged"), ran.document("evidence.json"))

    return run


def selection(groups: Selected) -> list[str]:
    """A row for each person: group, label (both occur in every group), whether selected."""
    return [f"{group},{i % 2},{int(i < k)}" for group, (k, n) in groups.items() for i in range(n)]


BY_RACE = "  prediction: p\n  sensitive: [race_ethnicity]\n"
BY_SEX = "  prediction: p\n  sensitive: [sex]\n"


def test_a1_interval_of_a_published_card(judge: Callable[..., Judged]) -> None:
    """Sensitivity 96.15 % and specificity 94.83 % of 220 cases, from which 100 of 104 and 110 of 116 follow. The card
    prints exact intervals, which `selftest` recomputes; the evidence holds Wilson's, Jeffreys' where fewer than 5 are
    counted, and says which."""
    rows = [f"{'ab'[i % 2]},{y},{p}" for y, p, n in ((1, 1, 100), (1, 0, 4), (0, 0, 110), (0, 1, 6)) for i in range(n)]
    found = judge("sex,y,p", rows, BY_SEX).evidence["measurements"]
    for metric, counts, value, method, low, high in (
            ("true_positive_rate", (100, 104), 0.961538, "jeffreys", 0.91116, 0.98688),
            ("true_negative_rate", (110, 116), 0.948276, "wilson", 0.89173, 0.97608)):
        (m,) = [m for m in found if m["metric"] == metric and "group" not in m and "reference" not in m]
        assert (m["numerator"], m["denominator"]) == counts
        assert m["value"] == pytest.approx(value, abs=5e-7)
        assert m["interval"]["method"] == method and m["interval"]["level"] == 0.95
        assert (m["interval"]["low"], m["interval"]["high"]) == pytest.approx((low, high), abs=5e-6)


def test_a1_a6_what_selftest_recomputes(govern: Govern) -> None:
    """The exact intervals that the card prints, and the standard deviations of Castaneda v. Partida, note 17."""
    ran = govern("selftest")
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert ran.code == 0
    for line in ("true positive rate, lower bound 90.44% 90.44449%", "true positive rate, upper bound 98.94% 98.94227%",
                 "true negative rate, lower bound 89.08% 89.08152%", "true negative rate, upper bound 98.08% 98.07842%",
                 "method that gives these digits Clopper–Pearson", "expected number 688 688.170",
                 "standard deviation 12 11.993", "standard deviations apart 29 29.115"):
        assert f"= {line}" in lines, line


def test_a2_exactly_four_fifths_is_not_below(judge: Callable[..., Judged]) -> None:
    """Hiring rates of 60, 45, 48 and 51 %: indicated for the second group only; exactly 80 % is not indicated."""
    found = judge("race_ethnicity,y,p", selection({"White": (60, 100), "American Indian": (45, 100),
                                                   "Hispanic": (48, 100), "Black": (51, 100)}), BY_RACE)
    finding = found.finding("EEOC-1", features=["race_ethnicity"])
    named = found.named(finding)
    assert {name: round(c["value"], 2) for name, c in named.items()} == {
        "American Indian": 0.75, "Hispanic": 0.80, "Black": 0.85}
    assert {name for name, c in named.items() if c["outcome"] != "pass"} == {"American Indian"}
    assert found.name(finding["seen"]["group"]) == "American Indian"


@pytest.mark.parametrize(("low", "high"), [((48, 80), (60, 80)), ((44, 100), (55, 100))])
def test_a2_where_floating_point_says_otherwise(judge: Callable[..., Judged], low: tuple[int, int],
                                                high: tuple[int, int]) -> None:
    """(48/80)/(60/80) and 0.44/0.55 come out below 0.8 in floats; four-fifths and interval rules count in integers."""
    assert low[0] / low[1] / (high[0] / high[1]) < 0.8
    found = judge("race_ethnicity,y,p", selection({"White": high, "Hispanic": low}), BY_RACE)
    finding = found.finding("EEOC-1", features=["race_ethnicity"])
    assert finding["outcome"] == "pass" and found.named(finding)["Hispanic"]["outcome"] == "pass"


def test_a3_small_numbers_are_not_enough_data(judge: Callable[..., Judged]) -> None:
    """3 of 20 men, 1 of 10 women: the ratio is below 4/5, and one selection turns it over."""
    found = judge("sex,y,p", selection({"men": (3, 20), "women": (1, 10)}), BY_SEX)
    finding = found.finding("EEOC-1", features=["sex"])
    women = found.named(finding)["women"]
    assert (finding["outcome"], women["outcome"], women["test"], women["flips"]) == (
        "insufficient", "insufficient", "fisher", True)
    assert women["value"] == pytest.approx(0.6667, abs=5e-5)
    assert women["p_value"] == pytest.approx(1.0, abs=5e-4)
    assert women["z"] == pytest.approx(-0.380, abs=5e-4)
    assert women["shortfall"] == pytest.approx(0.33, abs=5e-3)
    assert "counts_as" not in finding  # PASS, the default


def test_a4_a_clear_gap(judge: Callable[..., Judged]) -> None:
    found = judge("sex,y,p", selection({"men": (48, 80), "women": (12, 40)}), BY_SEX)
    finding = found.finding("EEOC-1", features=["sex"])
    women = found.named(finding)["women"]
    assert (finding["outcome"], women["value"], women["flips"]) == ("fail", pytest.approx(0.5), False)
    assert women["z"] == pytest.approx(-3.098, abs=5e-4)
    assert women["shortfall"] == pytest.approx(8.0)
    assert (found.code, found.verdict["outcome"]) == (3, "REVIEW")


def test_a5_each_step_and_the_bottom_line(judge: Callable[..., Judged]) -> None:
    """Connecticut v. Teal, 457 U.S. 440 (1982): the test 26 of 48 against 206 of 259, promoted 11 against 35."""
    steps = {"Black": (48, 26, 11), "White": (259, 206, 35)}
    rows = [f"{group},{i % 2},{int(i < test)},{int(i < promoted)}"
            for group, (n, test, promoted) in steps.items() for i in range(n)]
    found = judge("race_ethnicity,y,test,p", rows, BY_RACE + '  decisions: {test: {column: test, selected: "1"}}\n')
    step = found.finding("EEOC-1", features=["race_ethnicity"], decision="test")
    black = found.named(step)["Black"]
    assert (step["outcome"], black["value"]) == ("fail", pytest.approx(0.681, abs=5e-4))
    assert (black["numerator"], black["n"], black["reference_numerator"], black["reference_n"]) == (26, 48, 206, 259)
    assert black["z"] == pytest.approx(-3.757, abs=5e-4)
    (bottom,) = [f for f in found.findings("EEOC-1", features=["race_ethnicity"]) if "decision" not in f]
    white = found.named(bottom)["White"]
    assert (bottom["outcome"], 1 / white["value"]) == ("insufficient", pytest.approx(1.696, abs=5e-4))
    assert found.verdict["outcome"] == "REVIEW"
    published = found.findings("EEOC-5", features=["race_ethnicity"])
    assert [f["outcome"] for f in published] == ["pass"] * len(published) and published


# 6 RCNY § 5-301, example 1: selected, applicants and the impact ratio that is printed.
SEX = {"Male": (667, 1390, 1.000), "Female": (555, 1181, 0.979)}
RACE = {"White": (412, 797, 1.000), "Hispanic or Latino": (204, 408, 0.967),
        "Black or African American": (170, 390, 0.843), "Native Hawaiian or Pacific Islander": (52, 119, 0.845),
        "Asian": (302, 616, 0.948), "Native American or Alaska Native": (18, 41, 0.849),
        "Two or More Races": (96, 213, 0.872)}
BOTH = {"Male · White": (215, 412, 1.000), "Male · Hispanic or Latino": (90, 205, 0.841),
        "Female · Hispanic or Latino": (82, 190, 0.827), "Male · Black or African American": (95, 226, 0.806),
        "Male · Native Hawaiian or Pacific Islander": (37, 87, 0.815), "Male · Asian": (167, 321, 0.997),
        "Male · Native American or Alaska Native": (11, 24, 0.878), "Female · White": (197, 385, 0.981),
        "Female · Black or African American": (75, 164, 0.876),
        "Female · Native Hawaiian or Pacific Islander": (15, 32, 0.898), "Female · Asian": (135, 295, 0.877),
        "Female · Native American or Alaska Native": (7, 17, 0.789), "Male · Two or More Races": (52, 115, 0.866),
        "Female · Two or More Races": (44, 98, 0.860)}
CARD = "card: {tool_output: selects}\n"
BY_BOTH = "  prediction: p\n  sensitive: [sex, race_ethnicity]\n"


def both() -> list[str]:
    """A row for each person of the table of both: sex, race or ethnicity, label, whether selected."""
    return [f"{name.replace(' · ', ',')},{i % 2},{int(i < k)}" for name, (k, n, _) in BOTH.items() for i in range(n)]


def test_a7_sex(judge: Callable[..., Judged]) -> None:
    found = judge("sex,y,p", selection({k: v[:2] for k, v in SEX.items()}), BY_SEX + CARD, "nyc-ll144")
    finding = found.finding("LL144-1")
    assert finding["outcome"] == "pass"
    rows = found.named(finding)
    assert {k: (c["numerator"], c["n"], round(c["value"], 3)) for k, c in rows.items()} == SEX
    assert {k: round(100 * c["numerator"] / c["n"], 1) for k, c in rows.items()} == {"Male": 48.0, "Female": 47.0}


def test_a7_race_or_ethnicity_and_250_people_unknown(judge: Callable[..., Judged]) -> None:
    """Here with 250 people of an unknown category, which the table of the source leaves out and gives as a number."""
    people = selection({**{k: v[:2] for k, v in RACE.items()}, "Unknown": (100, 250)})
    settings = "  prediction: p\n  sensitive: {race_ethnicity: {column: race, unknown: [Unknown]}}\n"
    found = judge("race,y,p", people, settings + CARD, "nyc-ll144")
    finding = found.finding("LL144-2")
    assert finding["outcome"] == "pass"
    assert {k: (c["numerator"], c["n"], round(c["value"], 3)) for k, c in found.named(finding).items()} == RACE
    unknown = found.finding("LL144-6", features=["race_ethnicity"])
    assert unknown["outcome"] == "pass" and [(c["numerator"], c["n"]) for c in unknown["comparisons"]] == [(250, 2834)]


def test_a7_sex_with_race_or_ethnicity(judge: Callable[..., Judged]) -> None:
    """Its own reference within this table. The smallest group lies below 4/5 and is far too small to tell: a row, and
    not enough data, never outside."""
    found = judge("sex,race_ethnicity,y,p", both(), BY_BOTH + CARD, "nyc-ll144")
    rows = found.named(found.finding("LL144-3"))
    assert {k: (c["numerator"], c["n"], round(c["value"], 3)) for k, c in rows.items()} == BOTH
    assert {found.name(c["reference"]) for c in rows.values() if c.get("reference")} == {"Male · White"}
    (line,) = [f for f in found.findings("LL144-12", metric="selection_rate") if len(f["features"]) == 2]
    smallest = found.named(line)["Female · Native American or Alaska Native"]
    assert smallest["outcome"] == "insufficient" and smallest["p_adjusted"] > 0.05
    assert fisher_p(7, 17, 215, 412) == pytest.approx(0.46, abs=5e-3)
    assert line["outcome"] == "insufficient"


def test_a7_the_source_disagrees_with_itself() -> None:
    """Two of its tables hold 2,571 people, of whom 1,222 selected, the third 13 and 32 more."""
    totals = [(sum(k for k, _, _ in t.values()), sum(n for _, n, _ in t.values())) for t in (SEX, BOTH, RACE)]
    assert totals == [(1222, 2571), (1222, 2571), (1254, 2584)]


def scored(people: Sequence[tuple[str, int]]) -> list[str]:
    return [f"{group},{i % 2},{score}" for i, (group, score) in enumerate(people)]


SCORES = ("  score: s\n  threshold: 3\n  sensitive: {sex: {column: group, unknown: [unknown]}}\n"
          "card: {tool_output: scores}\n")


def test_a8_the_median_is_that_of_everyone(judge: Callable[..., Judged]) -> None:
    """The median of all six is 3.5, so B has nobody above it. Over the four known rows it would be 2.5, and both
    groups would have one of two."""
    people = [("A", 1), ("A", 4), ("B", 2), ("B", 3), ("unknown", 10), ("unknown", 10)]
    found = judge("group,y,s", scored(people), SCORES, "nyc-ll144")
    finding = found.finding("LL144-4", features=["sex"])
    assert {k: (c["numerator"], c["n"], c["value"]) for k, c in found.named(finding).items()} == {
        "A": (1, 2, 1.0), "B": (0, 2, 0.0)}
    unknown = found.finding("LL144-6", features=["sex"])
    assert [(c["numerator"], c["n"]) for c in unknown["comparisons"]] == [(2, 6)]


def test_a8_above_is_strictly_above_and_ties_are_counted(judge: Callable[..., Judged]) -> None:
    people = [("A", 1), ("A", 2), ("B", 2), ("B", 2), ("B", 3)]
    found = judge("group,y,s", scored(people), SCORES, "nyc-ll144")
    rates = {found.name(m.get("group", "overall")): (m["numerator"], m["denominator"])
             for m in found.evidence["measurements"] if m["metric"] == "scoring_rate" and "reference" not in m}
    assert rates == {"everyone": (1, 5), "A": (0, 2), "B": (1, 3)}
    ties = found.finding("LL144-13")
    assert (ties["outcome"], ties["severity"], ties["seen"]["value"]) == ("fail", "review", pytest.approx(0.6))


@pytest.mark.parametrize(("group", "reference", "ratio", "p", "outcome"), [
    ((142, 565), (245, 682), 0.700, 4.8e-5, "fail"),
    ((105, 298), (156, 412), 0.931, 0.479, "pass"),
    ((86, 312), (156, 412), 0.728, 0.00415, "fail"),
    ((52, 395), (48, 255), 0.699, 0.058, "insufficient"),
    ((9000, 20000), (10000, 20000), 0.900, 0.0, "pass"),
])
def test_a11_ratio_and_significance_together(judge: Callable[..., Judged], group: tuple[int, int],
                                             reference: tuple[int, int], ratio: float, p: float, outcome: str) -> None:
    """The values of p are Fisher's, as published or computed; the counts are large enough for z, which agrees."""
    found = judge("sex,y,p", selection({"one": group, "two": reference}), BY_SEX)
    finding = found.finding("EEOC-1", features=["sex"])
    c = found.named(finding)["one"]
    assert (finding["outcome"], round(c["value"], 3)) == (outcome, ratio)
    k, n = group
    k0, n0 = reference
    assert fisher_p(k, n, k0, n0) == pytest.approx(p, rel=0.02, abs=1e-12)
    assert (c["p_value"] < 0.05) == (p < 0.05)
    if n == 20000:
        assert "significant" in finding["reason"]


HOUSE = """\
schema: govern.policy/1
name: house
version: "1"
title: House rules
status: in_force
as_of: 2026-11-03
extends: [baseline]
rules:
  - {id: H-1, kind: bound, title: Accuracy, metric: accuracy, min: 0.60, severity: block, basis: house}
"""
EQUAL = selection({"men": (400, 800), "women": (400, 800)})


def test_a13_a_policy_edited_after_the_lock(govern: Govern, judge: Callable[..., Judged], tmp_path: Path) -> None:
    house = tmp_path / "house.yaml"
    house.write_text(HOUSE.replace("min: 0.60", "min: 0.30"))
    settings = BY_SEX + "policies: [house.yaml]\n"
    found = judge("sex,y,p", EQUAL, settings, "house.yaml").finding("BASE-02")
    assert found["outcome"] == "n/a" and "not proven" in found["reason"]
    assert govern("policy", "lock", "--timestamp", "2026-11-21T09:00:00Z", "--quiet").code == 0
    assert judge("sex,y,p", EQUAL, settings, "house.yaml").finding("BASE-02")["outcome"] == "pass"
    house.write_text(HOUSE.replace("min: 0.60", "min: 0.20"))
    edited = judge("sex,y,p", EQUAL, settings, "house.yaml", phase="poc")
    finding = edited.finding("BASE-02")
    assert (finding["outcome"], finding["severity"], finding.get("counts_as")) == ("fail", "warn", None)
    assert "house" in finding["reason"]
    team = judge("sex,y,p", EQUAL, settings, "house.yaml").finding("BASE-02")
    assert (team["outcome"], team["counts_as"]) == ("fail", "REVIEW")


@pytest.mark.parametrize(("expires", "outcome", "code"), [("2026-11-22", "waived", 0), ("2026-11-21", "fail", 1)])
def test_a13_a_waiver_that_ended_yesterday_blocks_again(judge: Callable[..., Judged], tmp_path: Path, expires: str,
                                                        outcome: str, code: int) -> None:
    """Half of the labels are met, so accuracy lies below the house's limit."""
    (tmp_path / "house.yaml").write_text(HOUSE)
    waiver = ("waivers: [{rule: H-1, subject: data.csv, owner: A. Owner, approver: B. Approver, "
              f"reason: measured again in spring, expires: {expires}}}]\n")
    found = judge("sex,y,p", EQUAL, BY_SEX + waiver, "house.yaml")
    assert (found.finding("H-1")["outcome"], found.code) == (outcome, code)
    assert (found.verdict["outcome"] == "BLOCK") == (code == 1)
    assert found.verdict["waivers"][0]["days_left"] == (0 if code == 0 else -1)


@pytest.mark.parametrize("words", ["TODO", "[More Information Needed]", "N/A", "None", "なし", "未定", "-"])
def test_a15_words_that_say_nothing_are_missing(judge: Callable[..., Judged], words: str) -> None:
    found = judge("sex,y,p", EQUAL, BY_SEX + f"card: {{owner: A. Owner, limitations: {json.dumps(words)}}}\n",
                  "baseline").finding("BASE-14")
    assert found["outcome"] == "fail" and "limitations" in found["missing"] and "owner" not in found["missing"]


def test_a15_a_reason_makes_none_an_answer(judge: Callable[..., Judged]) -> None:
    words = "なし(理由: 全数データで標本抽出を行わない)"
    found = judge("sex,y,p", EQUAL, BY_SEX + f"card: {{limitations: {json.dumps(words)}}}\n", "baseline")
    assert "limitations" not in found.finding("BASE-14")["missing"]


AUDIT = """\
card:
  tool_output: selects
  audit_data: historical
  audit_date: "2026-09-15"
  distribution_date: "2026-10-01"
  data_source: Applications to one employer
  data_explanation: Everyone the tool assessed in 2026
"""
# 6 RCNY § 5-303(a): what a summary of results holds, and nothing else.
ITEMS = ["Date of the most recent bias audit", "Source of the data", "Explanation of the data",
         "Individuals in an unknown category, not in the calculations", "Distribution date of the tool"]
HEADS = ["category", "number of applicants", "selection rate", "impact ratio"]


def texts(fragment: str, tag: str) -> list[str]:
    """The texts of all elements of a name."""
    return [unescape(t) for t in re.findall(rf"<{tag}(?: [^>]*)?>([^<]*)</{tag}>", fragment)]


def test_the_public_summary_holds_what_the_rule_lists_and_nothing_else(govern: Govern, judge: Callable[..., Judged],
                                                                       tmp_path: Path) -> None:
    """The example of the rules by sex with race or ethnicity, and 250 people of unknown race or ethnicity."""
    unknown = [f"{'Male' if i < 125 else 'Female'},,{i % 2},{int(i % 2)}" for i in range(250)]
    judge("sex,race_ethnicity,y,p", [*both(), *unknown], BY_BOTH + AUDIT, "nyc-ll144")
    ran = govern("check", "govern-report/evidence.json", "--policy", "nyc-ll144", "--out", "judged",
                 "--format", "ll144", "--quiet")
    assert ran.code == 0, ran.err
    fragment = (tmp_path / "judged" / "ll144-summary.html").read_text(encoding="utf-8")
    assert fragment.startswith("<section") and fragment.endswith("</section>\n")
    assert texts(fragment, "h2") == ["Summary of results of the bias audit"] and texts(fragment, "dt") == ITEMS
    assert texts(fragment, "dd") == [
        "2026-09-15", "Applications to one employer", "Everyone the tool assessed in 2026",
        "Sex categories: 0; Race/ethnicity categories: 250; Intersectional categories: 250", "2026-10-01"]
    assert texts(fragment, "caption") == ["Sex categories", "Race/ethnicity categories", "Intersectional categories"]
    assert [h for h in texts(fragment, "th") if h in HEADS] == HEADS * 3
    assert set(re.findall(r"<(\w+)", fragment)) == {
        "section", "h2", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tr", "th", "td"}
    rows = dict(re.findall(r'<th scope="row">([^<]*)</th>((?:<td>[^<]*</td>)+)', fragment))
    cells = {name: texts(row, "td") for name, row in rows.items()}
    assert set(cells) == {"Male", "Female", *RACE, *BOTH}
    for name, (k, n, ratio) in BOTH.items():
        assert cells[name] == [f"{n}", f"{100 * k / n:.1f}%", f"{ratio:.3f}"], name
