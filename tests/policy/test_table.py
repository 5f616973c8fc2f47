"""Tables that must be published."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from policy_evidence import counted, evidence, rate
from task_evidence import multiclass, regression, weighted
from test_four_fifths import CROSSED, RACE, SEX

from govern.errors import InputError
from govern.evidence import Counts, Evidence, Group
from govern.verdict import Finding, Verdict

Judge = Callable[..., Verdict]
FOUND = evidence({"sex": {**{k: rate(x, n) for k, (x, n) in SEX.items()}, "(unknown)": rate(30, 250)},
                  "race": {k: rate(x, n) for k, (x, n) in RACE.items()},
                  "sex:race": {k: rate(x, n) for k, (x, n) in CROSSED.items()}})
FOUND = replace(FOUND, groups=tuple(replace(g, status="unknown") if g.missing else g for g in FOUND.groups))


def rule(**fields: str) -> str:
    given = {"id": "T", "kind": "table", "title": "t", "basis": "law", "severity": "block", "of": "groups"} | fields
    return "- {" + ", ".join(f"{k}: {v}" for k, v in given.items()) + "}\n"


def only(result: Verdict) -> Finding:
    assert len(result.findings) == 1
    return result.findings[0]


def rows(finding: Finding, found: Evidence) -> dict[str, tuple[int | None, int | None, float | None]]:
    return {found.groups_by_id[c.group].name: (c.numerator, c.n, None if c.value is None else round(c.value, 3))
            for c in finding.comparisons}


def test_rows_rates_and_ratios_of_every_group(verdict: Judge) -> None:
    finding = only(verdict(FOUND, rule(by="[sex]")))
    assert rows(finding, FOUND) == {"Male": (667, 1390, 1.0), "Female": (555, 1181, 0.979)}
    assert (finding.outcome, finding.metric, finding.compare, finding.bound_min) == (
        "pass", "selection_rate", "ratio", None)
    assert finding.reason == "250 rows with an unknown value not compared"
    assert finding.seen and finding.seen.group == "g2"


def test_each_table_has_its_own_reference(verdict: Judge) -> None:
    found = verdict(FOUND, rule(by='[sex, race, "sex:race"]')).findings
    names = [{FOUND.groups_by_id[c.reference or ""].name for c in f.comparisons} for f in found]
    assert names == [{"Male"}, {"White"}, {"Male · White"}]
    assert len(found[2].comparisons) == 14
    assert rows(found[2], FOUND)["Female · Native American"] == (7, 17, 0.789)


def test_small_groups_may_be_left_out_of_the_ratios_with_a_reason(verdict: Judge) -> None:
    rules = rule(by='["sex:race"]', exclude_below="0.02", reason_in="audit.left_out")
    for card in ({}, {"audit": {"left_out": "TBD"}}, {"audit": {"left_out": [{"category": "Female · NHPI"}]}}):
        kept = only(verdict(replace(FOUND, card=card), rules))
        assert kept.outcome == "pass" and not any(c.exempt for c in kept.comparisons)
    said = replace(FOUND, card={"audit": {"left_out": "fewer than 2 % of the applicants each"}})
    passing = only(verdict(said, rules))
    assert passing.outcome == "pass" and passing.missing == ()
    # They stay in the table with rows and rate.
    out = {name: row for name, row in rows(passing, FOUND).items() if row[2] is None}
    assert out == {"Male · Native American": (11, 24, None), "Female · Native American": (7, 17, None),
                   "Female · NHPI": (15, 32, None)}
    exempt = [c for c in passing.comparisons if c.exempt]
    assert [c.reason for c in exempt] == ["fewer than 2 % of the applicants each"] * 3
    assert only(verdict(said, rule(by="[sex]", exclude_below="0.02", reason_in="audit.left_out"))).outcome == "pass"


def test_the_card_may_name_the_groups_that_are_left_out(verdict: Judge) -> None:
    rules = rule(by='["sex:race"]', exclude_below="0.02", reason_in="left_out")
    named = [{"category": "Female · Native American", "justification": "17 people"}]
    finding = only(verdict(replace(FOUND, card={"left_out": named}), rules))
    assert (finding.outcome, [c.reason for c in finding.comparisons if c.exempt]) == ("pass", ["17 people"])
    assert (finding.reason or "").startswith("left out of the ratios: Female · Native American")
    large = [*named, {"category": "Male · White", "justification": "too high"}]
    finding = only(verdict(replace(FOUND, card={"left_out": large}), rules))
    assert finding.outcome == "fail" and not next(c for c in finding.comparisons if c.numerator == 215).exempt
    assert (finding.reason or "").startswith("not below 0.02 of the rows, so not to be left out: Male · White")


def test_a_group_that_is_left_out_is_never_the_reference(verdict: Judge) -> None:
    found = evidence({"x": {"a": rate(500, 1000), "b": rate(450, 1000), "c": rate(15, 15)}}, card={"why": "too few"})
    finding = only(verdict(found, rule(exclude_below="0.02", reason_in="why")))
    assert {c.reference for c in finding.comparisons} == {"g1"}
    assert rows(finding, found)["c"] == (15, 15, None)
    assert {c.reference for c in only(verdict(found, rule())).comparisons} == {"g3"}


def test_levels_that_must_be_there(verdict: Judge) -> None:
    finding = only(verdict(FOUND, rule(by="[race]", levels="[White, Black, Asian, Other]")))
    assert (finding.outcome, finding.missing, finding.counts_as) == ("fail", ("Other",), "BLOCK")
    assert finding.reason == "the table lacks Other"
    assert finding.settle and "Declare the levels in data.sensitive" in (finding.settle.text or "")
    crossed = rule(by='["sex:race"]', levels="[White, Male, Female]")
    assert only(verdict(FOUND, crossed)).outcome == "pass"
    # A declared level that nobody has is there, with 0 rows.
    empty = Group("g99", ("race",), ("Other",), 0, 0, 0, status="empty")
    declared = replace(FOUND, groups=(*FOUND.groups, empty), counts=(*FOUND.counts, Counts("g99", 0, 0, 0, 0, 0)))
    listed = only(verdict(declared, rule(by="[race]", levels="[White, Other]")))
    assert listed.outcome == "pass" and rows(listed, declared)["Other"] == (0, 0, None)


def test_scores_above_the_median_of_all_rows(verdict: Judge) -> None:
    by_score = counted(FOUND, "scoring_rate", {"sex": {"Male": (700, 1390), "Female": (560, 1181)}})
    finding = only(verdict(by_score, rule(of="scores", by="[sex]")))
    assert (finding.outcome, finding.metric) == ("pass", "scoring_rate")
    assert rows(finding, FOUND) == {"Male": (700, 1390, 1.0), "Female": (560, 1181, 0.942)}
    assert only(verdict(FOUND, rule(of="scores", by="[sex]"))).outcome == "fail"
    numbers = regression({"a": (1000, 600, 0.0), "b": (1000, 300, 0.0)})
    assert only(verdict(numbers, rule(of="scores"))).metric == "share_above_median"


def test_each_decision_is_a_table(verdict: Judge) -> None:
    found = counted(FOUND, "selection_rate", {"sex": {"Male": (900, 1390), "Female": (800, 1181)}}, decision="screen")
    found = counted(found, "selection_rate", {"sex": {"Male": (600, 900), "Female": (500, 800)}}, decision="interview")
    tables = verdict(found, rule(of="decisions", by="[sex]")).findings
    assert [(f.decision, f.outcome) for f in tables] == [("screen", "pass"), ("interview", "pass")]
    assert rows(tables[1], FOUND) == {"Male": (600, 900, 1.0), "Female": (500, 800, 0.938)}
    lost = verdict(found, rule(of="decisions", by="[race]")).findings
    assert [(f.outcome, f.counts_as) for f in lost] == [("not_run", "REVIEW")] * 2
    none = only(verdict(FOUND, rule(of="decisions", by="[sex]")))
    assert (none.outcome, none.reason) == ("fail", "no decision column was given")


def test_within_levels_of_a_control_feature(verdict: Judge) -> None:
    cells = {"north": {"Male": (90, 100), "Female": (80, 100)}, "south": {"Male": (10, 100), "Female": (20, 100)}}
    within = [(site, sex, x, n) for site, of in cells.items() for sex, (x, n) in of.items()]
    groups = tuple(Group(f"w{i}", ("sex",), (sex,), n, 0, 0, within=(("site", site),))
                   for i, (site, sex, _, n) in enumerate(within))
    counts = tuple(Counts(f"w{i}", 0, x, 0, n - x, x) for i, (_, _, x, n) in enumerate(within))
    found = replace(FOUND, groups=(*FOUND.groups, *groups), counts=(*FOUND.counts, *counts))
    finding, race = verdict(found, rule(of="controls", by="[sex, race]")).findings
    assert (finding.outcome, finding.each, finding.metric) == ("pass", "site", "selection_rate")
    # Each level has its own highest rate.
    assert [(c.group, c.reference, round(c.value or 0, 3)) for c in finding.comparisons] == [
        ("w0", "w0", 1.0), ("w1", "w0", 0.889), ("w2", "w3", 0.5), ("w3", "w3", 1.0)]
    assert (race.outcome, race.reason) == ("fail", "race was not counted within site")
    assert only(verdict(FOUND, rule(of="controls", by="[sex]"))).reason == "no control feature was given"


def test_unknown_rows_are_counted(verdict: Judge) -> None:
    finding = only(verdict(FOUND, rule(of="unknown", by="[sex]")))
    assert (finding.outcome, finding.reason) == ("pass", "250 rows with a missing or unknown value")
    assert [(c.numerator, c.n) for c in finding.comparisons] == [(250, 2821)]
    none = only(verdict(FOUND, rule(of="unknown", by="[race]")))
    assert (none.outcome, none.reason) == ("pass", "0 rows with a missing or unknown value")


def test_shares_of_the_rows(verdict: Judge) -> None:
    finding = only(verdict(FOUND, rule(of="shares", by="[sex]", levels="[Male, Female]")))
    assert rows(finding, FOUND) == {"Male": (1390, 2821, 0.493), "Female": (1181, 2821, 0.419),
                                    "(unknown)": (250, 2821, 0.089)}
    assert (finding.outcome, finding.metric) == ("pass", "group_share")
    assert only(verdict(FOUND, rule(of="shares", by="[sex]", levels="[Male, Diverse]"))).missing == ("Diverse",)


def test_what_is_not_there_fails_unless_the_rule_says_otherwise(verdict: Judge) -> None:
    lacking = only(verdict(FOUND, rule(by="[religion]")))
    assert (lacking.outcome, lacking.counts_as) == ("fail", "BLOCK") and "religion is not measured" in (
        lacking.reason or "")
    assert only(verdict(FOUND, rule(by="[religion]", absent="n/a"))).outcome == "n/a"
    assert only(verdict(FOUND, rule(by="[religion]", absent="review"))).outcome == "not_run"
    by_phase = "{desk: n/a, poc: n/a, team: review, company: fail}"
    assert only(verdict(FOUND, rule(by="[religion]", absent=by_phase), phase="company")).outcome == "fail"
    bare = replace(FOUND, groups=FOUND.groups[:1], counts=FOUND.counts[:1])
    assert only(verdict(bare, rule())).reason == "no sensitive feature was given"
    # The default of a file does not reach the kind's own.
    assert only(verdict(FOUND, rule(by="[religion]"), head="defaults: {absent: n/a}\n")).outcome == "fail"
    numbers = regression({"a": (1000, 600, 0.0), "b": (1000, 300, 0.0)})
    assert only(verdict(numbers, rule())).reason == "a regression task has no selection rate"


def test_weights_nobody_and_classes(verdict: Judge) -> None:
    heavy = weighted({"a": [("tp", 2.0, 1), ("tn", 1.0, 2)], "b": [("tp", 1.0, 3), ("tn", 1.0, 4)]})
    assert only(verdict(heavy, rule())).outcome == "not_run"
    nobody = evidence({"x": {"a": rate(0, 10), "b": rate(0, 10)}})
    finding = only(verdict(nobody, rule()))
    assert finding.outcome == "pass"
    assert [c.reason for c in finding.comparisons] == ["the rate of the reference is 0"] * 2
    classes = multiclass({"a": [[90, 10], [10, 90]], "b": [[40, 60], [10, 90]]}, ("cat", "dog"))
    assert [f.label for f in verdict(classes, rule()).findings] == ["cat", "dog"]
    assert only(verdict(classes, rule(label="dog"))).label == "dog"


@pytest.mark.parametrize(("fields", "said"), [
    ({"of": "rates"}, "groups, scores, decisions"), ({"exclude_below": "0.02"}, "belong together"),
    ({"reason_in": "why"}, "belong together"), ({"exclude_below": "2", "reason_in": "why"}, '"exclude_below"'),
    ({"of": "shares", "exclude_below": "0.02", "reason_in": "why"}, "tables with ratios"),
    ({"of": "unknown", "levels": "[a]"}, "remove levels"), ({"min": "0.8"}, 'unknown key "min"')])
def test_refused(verdict: Judge, fields: dict[str, str], said: str) -> None:
    with pytest.raises(InputError) as refused:
        verdict(FOUND, rule(**fields))
    assert said in refused.value.one_line()
