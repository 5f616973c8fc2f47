"""What policies add to the card: who signs, what was changed, what is covered, which tables are published."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import policy_sample
import sample
from test_html import Reader

from govern.formats.html import render_html
from govern.formats.published import published
from govern.formats.strings import strings
from govern.formats.text import summary
from govern.formats.words import p_text
from govern.verdict import Comparison

E = policy_sample.evidence()
V = policy_sample.verdict(E)


@pytest.fixture(scope="module")
def text() -> str:
    return Reader(render_html(E, V, None, digests=sample.DIGESTS)).text


def test_changed_rules_show_old_new_and_reason(text: str) -> None:
    assert "HC-02 max 0.10 0.08 agreed <b>by</b> us (house-credit)" in text
    assert "HC-02 by not given sex, age narrowed (house-credit)" in text


def test_waivers_stand_before_the_verdict(text: str) -> None:
    places = [text.index(x) for x in ("1 waiver is in force: HC-07 until 2026-12-31.", "Not to be released",
                                      "Who is affected", "batch latency until the new cluster", "To be signed")]
    assert places == sorted(places)
    assert "39 days left" in text and "expired 20 days ago, no effect" in text


def test_the_state_of_a_policy_is_said_on_page_one(text: str) -> None:
    assert text.index("eeoc-four-fifths: its state was last looked at 320 days ago") < text.index("Who is affected")
    assert "status in flux, as of 2026-01-05" in text
    assert "applies from 1978-09-25 to 2027-01-01" in text


def test_the_lock_is_said(text: str) -> None:
    assert "The rules were fixed before the run: locked 2026-11-20 14:02:00 UTC, measured" in text
    broken = [replace(f, outcome="fail", reason="baseline differs") if f.rule == "BASE-02" else f for f in V.findings]
    said = Reader(render_html(E, replace(V, findings=tuple(broken)), None, digests=sample.DIGESTS)).text
    assert "The rules are not those that were fixed before the run: baseline differs." in said
    alone = replace(V, findings=tuple(f for f in V.findings if f.kind != "integrity"))
    assert "A policy lock was recorded (5ac1 5ac1); no rule judged it." in Reader(
        render_html(E, alone, None, digests=sample.DIGESTS)).text
    without = replace(E, lock={}, subjects=tuple(s for s in E.subjects if s.role != "policy-lock"))
    assert "not proven" in Reader(render_html(without, V, None, digests=sample.DIGESTS)).text


def test_the_version_in_service_is_named_where_it_was_compared(text: str) -> None:
    assert "No earlier version was given: this card compares with none." in text
    judged = replace(V, judged={**V.judged, "baseline": "beef" * 16})
    said = Reader(render_html(E, judged, None, digests=sample.DIGESTS)).text
    assert "used its evidence beef beef;" in said and "No earlier version" not in said


def test_who_signs_is_what_the_policies_ask_for(text: str) -> None:
    assert "Independent reviewer asked for by BASE-16 of baseline I have read the findings." in text
    assert "Each by another person, bound to evidence" in text and "Validator" not in text
    plain = Reader(render_html(E, replace(V, to_sign=()), None, digests=sample.DIGESTS)).text
    assert "Validator" in plain and "Each by another person" not in plain and "Bound to evidence" in plain


def test_the_grid_has_a_row_a_category(text: str) -> None:
    assert "category rules bind at desk bind at poc bind at team bind at company decided open" in text
    assert "technology 9 0 0 8 9 7 2" in text and "process 3 0 0 2 3 1 2" in text
    assert "culture no rule" in text


def test_published_tables_hold_every_group_with_counts_and_tests(text: str) -> None:
    table = text.partition("EEOC-1 Selection rates by age")[2]
    assert "decision step interview" in table[:200]
    for g in E.feature_groups["age",]:
        if not g.missing:
            assert f"{g.name} {g.n:,} {E.counts_by_group[g.id].selected:,}".replace(f"{g.name} ", "") in table
    assert "Fisher, exact" in table and "0.0312" in table and "4.2" in table
    assert "p 0.0312 (Fisher’s exact test), 0.12 over all pairs." in text.replace("P 0.", "p 0.")
    assert "Moving one selection would put the ratio on the other side of the limit." in text


def test_tables_of_people_have_shares_and_no_ratios() -> None:
    sex = [g for g in E.feature_groups["sex",] if not g.missing]
    rows = tuple(Comparison(g.id, "pass", g.n / 2400, n=2400, numerator=g.n) for g in sex)
    shares = sample.finding(rule="JB-3a", kind="table", features=("sex",), outcome="pass", counts_as="PASS",
                            metric="group_share", compare=None, bound_min=None, title={"en": "People in every group"},
                            seen=rows[0], comparisons=rows)
    ages = [g for g in E.feature_groups["age",] if not g.missing]
    more = tuple(Comparison(g.id, "pass", g.n / 2400, n=2400, numerator=g.n) for g in ages)
    both = (shares, replace(shares, features=("age",), seen=more[0], comparisons=more))
    part, = published(E, sample.verdict(E, found=both), strings())
    assert [(t.heads[0][0], len(t.rows)) for t in part.tables] == [("sex", 1), ("age", 2)]  # one part a rule, abreast
    assert [row[0::2] for row in part.tables[1].rows] == [(ages[0].name, ages[2].name, ages[4].name),
                                                          (ages[1].name, ages[3].name, "")]
    nobody = replace(shares, rule="JB-3b", metric=None, comparisons=(), seen=None)
    said = Reader(render_html(E, sample.verdict(E, found=(shares, nobody)), None, digests=sample.DIGESTS)).text
    part = said.partition("JB-3a People in every group")[2]
    first, second = (f"{g.name} {g.n:,} ({100 * g.n / 2400:.1f}%)" for g in sex)
    assert f"{'sex people (of the rows) ' * 3}{first} {second}" in part and "ratio" not in part[:160]
    assert "Sex: 2 groups with their number of people." in said
    assert "Sex: nobody is in an unknown group." in said


def test_rules_that_were_not_applied_stand_in_the_checklist_with_the_reason() -> None:
    left = sample.finding(rule="BASE-06", policy="baseline", kind="bound", title={"en": "Overlap"}, outcome="n/a",
                          counts_as="PASS", reason="no --train was given", metric="train_overlap_share", compare=None,
                          says={"en": "Rows of training tell nothing."}, ours={"en": "One percent."}, cite=None)
    v = replace(V, findings=(*V.findings, left))
    said = Reader(render_html(E, v, None, digests=sample.DIGESTS)).text
    assert ("BASE-06 Overlap (house rule: Rows of training tell nothing. Added here: One percent.) "
            "no --train was given. not applied") in said


def test_the_data_are_checked(text: str) -> None:
    columns = text.rpartition("Annex D. Columns and checks of the data")[2]
    assert "distinct alone: AUC content" in columns and "pay_0 feature number 0 11 0.710" in columns
    part = text.partition("Checks of the data")[2]
    assert "1.0% 240 of 24,000" in part
    assert "another label; not computed: only counted up to 1,048,576 rows –" in part
    assert "(pairs: sex, age)" in part and "75.0% 9 of 12" in part
    assert "Against 9,000 rows of training data." in part
    assert "pay_0 0.0% 0.310" in part and "(output) – 0.020" in part
    assert "population stability index of sex against the declared shares 0.040" in part
    assert "sex=women, age=26–35 41 12" in part


def test_a_card_without_any_of_it_has_none_of_it() -> None:
    e = sample.evidence(600)
    said = Reader(render_html(e, sample.verdict(e), None, digests=sample.DIGESTS)).text
    for words in ("Checks of the data", "Single columns", "Who is in the data", "Declared cases", "Changed rules",
                  "What the rules cover"):
        assert words not in said


@pytest.mark.parametrize(("p", "said"), [(None, "–"), (0.0004, "<0.001"), (0.001, "0.001"), (0.03118, "0.0312"),
                                         (0.9999, "1"), (1.0, "1"), (0.4789, "0.479")])
def test_p_values_as_text(p: float | None, said: str) -> None:
    assert p_text(p) == said


def test_the_terminal_stays_in_its_columns() -> None:
    lines = summary(E, V, {}, out="x", width=80).plain.splitlines()
    assert max(map(len, lines)) <= 80
    assert "decision step interview" in " ".join(" ".join(lines).split())
