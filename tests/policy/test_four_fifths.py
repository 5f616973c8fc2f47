"""The four-fifths convention: ratio and significance together, on published and worked numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_evidence import counted, evidence, rate
from task_evidence import multiclass, regression, weighted

from govern.errors import InputError
from govern.evidence import Evidence, Group
from govern.policy.fifths import Member, combine, highest, hold
from govern.policy.quantities import Rate
from govern.stats.fisher import fisher_p
from govern.verdict import Comparison, Finding, Verdict

Judge = Callable[..., Verdict]
Counts = Mapping[str | None, tuple[int, int]]
# DCWP's example for selection tools, 6 RCNY § 5-301, example 1.
SEX: Counts = {"Male": (667, 1390), "Female": (555, 1181)}
RACE: Counts = {"Hispanic": (204, 408), "White": (412, 797), "Black": (170, 390), "NHPI": (52, 119),
                "Asian": (302, 616), "Native American": (18, 41), "Two or more": (96, 213)}
CROSSED: Counts = {
    "Male:Hispanic": (90, 205), "Female:Hispanic": (82, 190), "Male:White": (215, 412), "Female:White": (197, 385),
    "Male:Black": (95, 226), "Female:Black": (75, 164), "Male:NHPI": (37, 87), "Female:NHPI": (15, 32),
    "Male:Asian": (167, 321), "Female:Asian": (135, 295), "Male:Native American": (11, 24),
    "Female:Native American": (7, 17), "Male:Two or more": (52, 115), "Female:Two or more": (44, 98)}


def rule(**fields: str) -> str:
    given = {"id": "F", "kind": "four-fifths", "title": "t", "basis": "convention", "severity": "review"} | fields
    return "- {" + ", ".join(f"{k}: {v}" for k, v in given.items()) + "}\n"


def only(result: Verdict) -> Finding:
    assert len(result.findings) == 1
    return result.findings[0]


def selected(groups: Counts, feature: str = "x") -> Evidence:
    return evidence({feature: {name: rate(x, n) for name, (x, n) in groups.items()}})


def by_name(finding: Finding, found: Evidence) -> dict[str, Comparison]:
    return {found.groups_by_id[c.group].name: c for c in finding.comparisons}


def test_a2_exactly_four_fifths_is_not_below(verdict: Judge) -> None:
    found = selected({"White": (60, 100), "American Indian": (45, 100), "Hispanic": (48, 100), "Black": (51, 100)})
    finding = only(verdict(found, rule()))
    seen = by_name(finding, found)
    assert {name: c.value for name, c in seen.items()} == pytest.approx(
        {"American Indian": 0.75, "Hispanic": 0.80, "Black": 0.85})
    assert {name: c.outcome for name, c in seen.items()} == {
        "American Indian": "insufficient", "Hispanic": "pass", "Black": "pass"}
    assert finding.seen == seen["American Indian"] and (finding.outcome, finding.bound_min) == ("insufficient", "0.80")
    # 45 of 100 against 60 of 100 is significant alone, and not after Holm over six pairs.
    assert only(verdict(found, rule(correction="none"))).outcome == "fail"
    assert finding.seen.p_value == pytest.approx(0.03367, abs=1e-5)
    assert finding.seen.p_adjusted == pytest.approx(6 * finding.seen.p_value)


@pytest.mark.parametrize("groups", [{"a": (60, 80), "b": (48, 80)}, {"a": (55, 100), "b": (44, 100)},
                                    {"a": (60, 100), "b": (48, 100)}])
def test_a2_floats_do_not_decide(verdict: Judge, groups: Counts) -> None:
    (_, (x2, n2)), (_, (x1, n1)) = groups.items()
    assert Fraction(x1 * n2, n1 * x2) == Fraction(4, 5)
    assert only(verdict(selected(groups), rule())).outcome == "pass"
    assert only(verdict(selected({**groups, "b": (x1 - 1, n1)}), rule())).outcome != "pass"


def test_a3_small_numbers_do_not_decide_and_the_flip_is_shown(verdict: Judge) -> None:
    finding = only(verdict(selected({"men": (3, 20), "women": (1, 10)}), rule()))
    seen = finding.seen
    assert seen and (finding.outcome, seen.test, seen.p_value, seen.flips) == ("insufficient", "fisher", 1.0, True)
    assert seen.value == pytest.approx(0.6667, abs=1e-4)
    assert (seen.z, seen.shortfall) == (pytest.approx(-0.380, abs=5e-4), pytest.approx(0.33, abs=5e-3))
    assert (seen.numerator, seen.n, seen.reference_numerator, seen.reference_n) == (1, 10, 3, 20)
    assert finding.reason == ("below 0.80, but not statistically significant: women; moving one selection between the "
                              "two groups would change the side; the reference men has only 20 rows")
    # Not significant: neutral up to team, for a person at company by default.
    assert finding.counts_as == "PASS"
    assert only(verdict(selected({"men": (3, 20), "women": (1, 10)}), rule(), phase="company")).counts_as == "REVIEW"


def test_a4_below_and_significant_fails(verdict: Judge) -> None:
    finding = only(verdict(selected({"a": (12, 40), "b": (48, 80)}), rule()))
    seen = finding.seen
    assert seen and (finding.outcome, finding.counts_as, seen.test) == ("fail", "REVIEW", "z")
    assert (seen.value, seen.z, seen.shortfall, seen.flips) == (
        0.5, pytest.approx(-3.098, abs=5e-4), pytest.approx(8.0), False)
    assert finding.reason is not None and finding.reason.startswith("below 0.80 and statistically significant: a")
    # 0.8 · 48 / 80 · 40 = 19.2: 8 more than 12.
    assert finding.settle and (finding.settle.group, finding.settle.selections) == ("g1", 8)
    assert finding.settle.gap == pytest.approx(0.3)
    assert only(verdict(selected({"a": (20, 40), "b": (48, 80)}), rule())).outcome == "pass"
    assert only(verdict(selected({"a": (19, 40), "b": (48, 80)}), rule())).outcome == "insufficient"


def test_a5_each_step_is_judged_and_a_good_end_does_not_make_up_for_one(verdict: Judge) -> None:
    found = selected({"Black": (11, 48), "White": (35, 259)}, "race")
    found = counted(found, "selection_rate", {"race": {"Black": (26, 48), "White": (206, 259)}}, decision="test")
    test, end = verdict(found, rule(decisions="all")).findings
    assert [(f.decision, f.outcome) for f in (test, end)] == [("test", "fail"), (None, "insufficient")]
    assert test.seen and end.seen
    assert (test.seen.group, test.seen.value) == ("g1", pytest.approx(0.681, abs=5e-4))
    assert (test.seen.z, test.seen.test) == (pytest.approx(-3.757, abs=5e-4), "z")
    assert test.seen.numerator == 26 and end.seen.reference_numerator == 11
    # At the end the rate of Black applicants is the higher one: 1 / 1.696.
    assert (end.seen.group, end.seen.value) == ("g2", pytest.approx(1 / 1.696, abs=5e-4))
    assert fisher_p(11, 48, 35, 259) == pytest.approx(0.121, abs=5e-4)
    one = only(verdict(found, rule(decisions="[test]")))
    assert replace(one, rule="") == replace(test, rule="")
    assert only(verdict(found, rule())).decision is None


def test_those_who_did_not_reach_a_step_are_outside_its_denominators(verdict: Judge) -> None:
    found = selected({"a": (11, 48), "b": (35, 259), "c": (0, 30)})
    found = counted(found, "selection_rate", {"x": {"a": (11, 26), "b": (35, 206), "c": (0, 0)}}, decision="interview")
    finding = only(verdict(found, rule(decisions="[interview]")))
    assert [(c.numerator, c.n, c.outcome, c.exempt) for c in finding.comparisons] == [
        (35, 206, "fail", False), (0, 0, "insufficient", True)]
    assert finding.comparisons[1].reason == "nobody got there" and finding.comparisons[1].value is None


def test_a7_all_ratios_of_the_published_example(verdict: Judge) -> None:
    def ratios(groups: Counts, feature: str, total: int) -> tuple[dict[str, float], Finding]:
        known = sum(n for _, n in groups.values())
        unknown = {"(unknown)" if ":" not in feature else "(unknown):Asian": rate(0, total - known)}
        found = evidence({feature: {**{k: rate(x, n) for k, (x, n) in groups.items()}, **unknown}})
        finding = only(verdict(found, rule(by=f'["{feature}"]')))
        assert all(not found.groups_by_id[c.group].missing for c in finding.comparisons)
        return {n: round(c.value or 0, 3) for n, c in by_name(finding, found).items()}, finding

    sex, one = ratios(SEX, "sex", 2821)
    assert (sex, one.outcome) == ({"Female": 0.979}, "pass")
    race, two = ratios(RACE, "race", 2834)
    assert race == {"Hispanic": 0.967, "Black": 0.843, "NHPI": 0.845, "Asian": 0.948, "Native American": 0.849,
                    "Two or more": 0.872}
    assert two.outcome == "pass"
    crossed, three = ratios(CROSSED, "sex:race", 2821)
    assert crossed == {
        "Male · Hispanic": 0.841, "Female · Hispanic": 0.827, "Female · White": 0.981, "Male · Black": 0.806,
        "Female · Black": 0.876, "Male · NHPI": 0.815, "Female · NHPI": 0.898, "Male · Asian": 0.997,
        "Female · Asian": 0.877, "Male · Native American": 0.878, "Female · Native American": 0.789,
        "Male · Two or more": 0.866, "Female · Two or more": 0.860}
    # 17 people: below four fifths by chance. They are under 2 % of the rows, so that they hold up nothing.
    (last,) = [c for c in three.comparisons if c.value is not None and c.value < 0.8]
    assert (last.outcome, last.n, last.numerator, last.exempt, last.test) == ("insufficient", 17, 7, True, "z")
    assert fisher_p(7, 17, 215, 412) == pytest.approx(0.46, abs=5e-3)
    assert three.outcome == "pass" and all(c.outcome != "fail" for c in three.comparisons)


def test_a7_without_the_share_the_small_group_holds_up_the_pass_and_never_fails(verdict: Judge) -> None:
    found = evidence({"sex:race": {k: rate(x, n) for k, (x, n) in CROSSED.items()}})
    finding = only(verdict(found, rule(by='["sex:race"]', min_share="0")))
    assert finding.outcome == "insufficient" and finding.seen and finding.seen.n == 17 and not finding.seen.exempt
    assert only(verdict(found, rule(by='["sex:race"]', min_share="0", correction="none"))).outcome == "insufficient"


def test_a_group_below_the_share_is_listed_and_never_the_reference(verdict: Judge) -> None:
    groups: Counts = {"a": (500, 1000), "b": (450, 1000), "c": (20, 20)}
    finding = only(verdict(selected(groups), rule()))
    assert {c.reference for c in finding.comparisons} == {"g1"}
    assert [(c.group, c.exempt, c.numerator, c.n) for c in finding.comparisons] == [
        ("g2", False, 450, 1000), ("g3", True, 20, 20)]
    all_in = only(verdict(selected(groups), rule(min_share="0")))
    assert {c.reference for c in all_in.comparisons} == {"g3"} and all_in.outcome == "fail"
    assert "the reference c has only 20 rows; against a, with most rows, b has a ratio of 0.900" in (
        all_in.reason or "")
    few = only(verdict(selected({"a": (9, 20), "b": (4, 20)}), rule(min_n="30")))
    assert (few.outcome, few.comparisons, few.counts_as) == ("insufficient", (), "PASS")
    alone = only(verdict(selected({"a": (500, 1000), "b": (9, 15)}), rule()))
    assert alone.outcome == "insufficient"
    assert only(verdict(selected({"a": (500, 1000), "b": (1, 19)}), rule())).outcome == "fail"


def test_a8_the_scoring_rate_counts_what_lies_above_the_median_of_all_rows(verdict: Judge) -> None:
    # Scores 1, 4 (A), 2, 3 (B), 10, 10 (unknown): the median of all six is 3.5.
    found = evidence({"x": {"A": rate(0, 2), "B": rate(0, 2), "(unknown)": rate(0, 2)}})
    found = counted(found, "scoring_rate", {"x": {"A": (1, 2), "B": (0, 2), "(unknown)": (2, 2)}})
    found = replace(found, groups=tuple(replace(g, status="unknown") if g.missing else g for g in found.groups))
    finding = only(verdict(found, rule(metric="scoring_rate")))
    (seen,) = finding.comparisons
    assert (seen.value, seen.numerator, seen.n, seen.reference_numerator) == (0.0, 0, 2, 1)
    assert finding.reason is not None and finding.reason.endswith("2 rows with an unknown value not compared")


@pytest.mark.parametrize(("groups", "outcome", "ratio", "p"), [
    ({"Female": (142, 565), "Male": (245, 682)}, "fail", 0.700, 4.8e-5),
    ({"Asian": (105, 298), "White": (156, 412)}, "pass", 0.931, 0.479),
    ({"Black": (86, 312), "White": (156, 412)}, "fail", 0.728, 0.00415),
    ({"a": (52, 395), "b": (48, 255)}, "insufficient", 0.699, 0.058),
    ({"a": (9000, 20000), "b": (10000, 20000)}, "pass", 0.90, 0.0)])
def test_a11_the_four_fields_of_ratio_and_significance(verdict: Judge, groups: Counts, outcome: str, ratio: float,
                                                       p: float) -> None:
    finding = only(verdict(selected(groups), rule()))
    (x1, n1), (x2, n2) = groups.values()
    assert finding.outcome == outcome and finding.seen
    assert finding.seen.value == pytest.approx(ratio, abs=5e-4)
    assert fisher_p(x1, n1, x2, n2) == pytest.approx(p, rel=0.011, abs=1e-20)
    small = outcome == "pass" and p < 0.05
    assert (finding.reason == "small but statistically significant: judge practical significance: a") is small


def test_a11_over_three_groups_with_holm(verdict: Judge) -> None:
    found = selected({"Asian": (105, 298), "Black": (86, 312), "White": (156, 412)}, "race")
    seen = by_name(only(verdict(found, rule())), found)
    assert {n: c.outcome for n, c in seen.items()} == {"Asian": "pass", "Black": "fail"}
    assert seen["Black"].p_adjusted == pytest.approx(3 * (seen["Black"].p_value or 0))


@pytest.mark.parametrize(("groups", "flips"), [
    ({"a": (10, 20), "b": (12, 20)}, True), ({"a": (12, 20), "b": (12, 20)}, False), ({"a": (0, 5), "b": (1, 5)}, True),
    ({"a": (9, 20), "b": (12, 20)}, True), ({"a": (7, 20), "b": (12, 20)}, False), ({"a": (5, 5), "b": (5, 5)}, False)])
def test_the_flip_moves_one_selection_between_the_two(verdict: Judge, groups: Counts, flips: bool) -> None:
    seen = only(verdict(selected(groups), rule())).seen
    (x1, n1), (x2, n2) = groups.values()
    below = 10 * x1 * n2 < 8 * x2 * n1
    moved = (x1 + 1, x2 - 1) if below else (x1 - 1, x2 + 1)
    possible = min(moved) >= 0 and moved[0] <= n1 and moved[1] <= n2
    assert flips is (possible and (10 * moved[0] * n2 < 8 * moved[1] * n1) != below)
    assert seen and seen.flips is flips


def test_what_would_settle_it_is_rows_of_the_smaller_group_or_of_both(verdict: Judge) -> None:
    finding = only(verdict(selected({"a": (300, 1000), "b": (9, 50)}), rule()))
    assert finding.outcome == "insufficient" and finding.settle
    rows, group = finding.settle.rows, finding.settle.group
    assert rows and (group, finding.settle.selections, finding.settle.times) == ("g2", 3, None)
    x = 9 * (50 + rows) // 50
    assert only(verdict(selected({"a": (300, 1000), "b": (x, 50 + rows)}), rule())).outcome == "fail"
    both = only(verdict(selected({"a": (30, 100), "b": (23, 100)}), rule()))
    assert both.outcome == "insufficient" and both.settle and both.settle.rows is None
    k = both.settle.times or 0
    assert k > 1
    assert only(verdict(selected({"a": (30 * k, 100 * k), "b": (23 * k, 100 * k)}), rule())).outcome == "fail"
    fewer = only(verdict(selected({"a": (30 * (k - 1), 100 * (k - 1)), "b": (23 * (k - 1), 100 * (k - 1))}), rule()))
    assert fewer.outcome == "insufficient"


def test_missing_values_one_group_and_nobody(verdict: Judge) -> None:
    with_missing = selected({"a": (50, 100), "b": (45, 100), None: (1, 60)})
    shown = only(verdict(with_missing, rule()))
    assert (shown.outcome, shown.reason) == ("pass", "60 rows with a missing value not compared")
    assert only(verdict(with_missing, rule(missing="include"))).outcome == "fail"
    assert only(verdict(selected({"a": (50, 100), None: (1, 60)}), rule())).outcome == "n/a"
    nobody = only(verdict(selected({"a": (0, 100), "b": (0, 100)}), rule()))
    assert (nobody.outcome, nobody.counts_as) == ("insufficient", "REVIEW")
    none = evidence({"x": {"a": rate(5, 9)}})
    none = replace(none, groups=none.groups[:1], counts=none.counts[:1])
    assert only(verdict(none, rule())).reason == "no sensitive feature was given"


def test_tasks_and_classes(verdict: Judge) -> None:
    numbers = regression({"a": (1000, 600, 0.0), "b": (1000, 300, 0.0)})
    both = rule(metric="[selection_rate, share_above_median]")
    assert [(f.metric, f.outcome) for f in verdict(numbers, both).findings] == [("share_above_median", "fail")]
    assert only(verdict(numbers, rule())).outcome == "n/a"
    assert only(verdict(numbers, rule(metric="scoring_rate"))).reason == "a regression task has no scoring rate"
    classes = multiclass({"a": [[90, 10], [10, 90]], "b": [[40, 60], [10, 90]]}, ("cat", "dog"))
    assert [(f.label, f.outcome) for f in verdict(classes, rule()).findings] == [("cat", "fail"), ("dog", "fail")]
    assert only(verdict(classes, rule(label="cat"))).label == "cat"
    binary = selected({"a": (5, 9), "b": (4, 9)})
    assert only(verdict(binary, rule(metric="scoring_rate"))).reason == "there are no scores, only predicted labels"


def test_weighted_rows_are_tested_with_their_effective_number(verdict: Judge) -> None:
    def rows(selected_rows: int, n: int, weight: float) -> list[tuple[str, float, int]]:
        return [("fp" if i < selected_rows else "tn", weight, 1000 * n + i) for i in range(n)]

    alike = weighted({"a": rows(60, 100, 2.0), "b": rows(30, 100, 2.0)})
    finding = only(verdict(alike, rule()))
    plain = only(verdict(selected({"a": (60, 100), "b": (30, 100)}), rule()))
    assert finding.seen and plain.seen and finding.outcome == plain.outcome == "fail"
    assert finding.seen.z == pytest.approx(plain.seen.z, rel=1e-9)
    assert (finding.seen.numerator, finding.seen.flips) == (None, None)
    assert finding.seen.shortfall == pytest.approx(2 * (plain.seen.shortfall or 0))
    few = only(verdict(weighted({"a": rows(6, 10, 2.0), "b": rows(1, 10, 2.0)}), rule()))
    assert few.outcome == "insufficient" and few.seen and few.seen.p_value is None and few.seen.p_adjusted is None
    assert (few.reason or "").startswith("below 0.80, but no test is valid for so few rows with weights: b")


@pytest.mark.parametrize(("fields", "said"), [
    ({"min": "80"}, "min of a ratio lies above 0 and is at most 1; write 0.8 for 80 %"), ({"min": "0"}, "lies above 0"),
    ({"min": "declared"}, '"min" must be a number'), ({"min": '"80%"'}, '"min" must be a number'),
    ({"min": "{baseline: -0.1}"}, '"min" must be a number'),
    ({"metric": "accuracy"}, "kind four-fifths does not judge the count metric"),
    ({"metric": "[]"}, "is an empty list"), ({"metric": "[scoring_rate, scoring_rate]"}, "names a metric twice"),
    ({"metric": "scoring_rat"}, 'did you mean "scoring_rate"'),
    ({"decisions": "[]"}, "names none"), ({"decisions": "al"}, '"decisions" must be'),
    ({"decisions": "all", "metric": "scoring_rate"}, "decisions are selections"), ({"alpha": "0"}, '"alpha"'),
    ({"correction": "bonferroni"}, '"correction"'), ({"max": "0.9"}, 'unknown key "max"')])
def test_refused(verdict: Judge, fields: dict[str, str], said: str) -> None:
    with pytest.raises(InputError) as refused:
        verdict(selected({"a": (5, 9), "b": (4, 9)}), rule(**fields))
    assert said in refused.value.one_line() and refused.value.line == 8


def test_decisions_that_are_not_there(verdict: Judge) -> None:
    found = counted(selected({"a": (5, 9), "b": (4, 9)}), "selection_rate", {"x": {"a": (5, 9), "b": (4, 9)}},
                    decision="screening")
    with pytest.raises(InputError, match=r'decisions: "screning" is not a decision .*did you mean "screening"'):
        verdict(found, rule(decisions="[screning]"))
    other = only(verdict(found, rule(decisions="[interview]")))
    assert (other.outcome, other.decision) == ("n/a", "interview")
    assert other.reason == "decision interview was not measured (measured: screening)"
    lost = replace(found, measurements=found.measurements[:-1])
    assert only(verdict(lost, rule(decisions="[screening]"))).outcome == "not_run"
    none = only(verdict(selected({"a": (5, 9), "b": (4, 9)}), rule(decisions="all")))
    assert none.decision is None


def test_edited_counts_are_refused(verdict: Judge) -> None:
    found = counted(selected({"a": (5, 9), "b": (4, 9)}), "selection_rate", {"x": {"a": (12, 9), "b": (4, 9)}},
                    decision="screening")
    with pytest.raises(InputError, match=r"the counts of selection_rate \(screening\) are no ratio: 12 of 9"):
        verdict(found, rule(decisions="all"))


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 40)).map(lambda t: (min(t), max(t))), min_size=2,
                max_size=6), st.sampled_from(["0.80", "0.5", "1"]), st.booleans())
def test_properties(counts: list[tuple[int, int]], limit: str, corrected: bool) -> None:
    members = [Member(Group(f"g{i}", ("x",), (str(i),), n, 0, 0), Rate(x, n), n < 3) for i, (x, n) in enumerate(counts)]
    best = highest(members)
    if best is None or not best.rate.x:
        return
    held = hold(members, best, Decimal(limit), 0.05, corrected)
    outcome, worst = combine(held)
    assert len(held) == len(members) - 1 and worst in held
    for h in held:
        c = h.comparison
        exact = Fraction(*h.member.rate.exact) / Fraction(*best.rate.exact)
        assert (c.outcome == "pass") is (exact >= Fraction(limit))
        assert c.outcome != "fail" or (c.p_adjusted is not None and c.p_adjusted < 0.05)
        assert c.p_value is not None and c.p_adjusted is not None and 0 <= c.p_value <= c.p_adjusted <= 1
        assert not h.member.exempt or outcome != "insufficient" or worst is h or any(
            not o.member.exempt for o in held) or c.outcome != "fail"
    # Never passes with a group that counts below the limit, never fails without a significant one.
    assert outcome != "pass" or all(h.comparison.outcome == "pass" for h in held if not h.member.exempt)
    assert (outcome == "fail") is any(h.comparison.outcome == "fail" for h in held)
