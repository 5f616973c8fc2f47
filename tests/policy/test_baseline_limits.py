"""Limits relative to the evidence of the version in service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from policy_evidence import evidence, rate, score
from task_evidence import swept

from govern.errors import InputError
from govern.evidence import Evidence, Group
from govern.policy.baseline import exactly, same_group, value_in
from govern.policy.quantities import Difference, Rate, Ratio
from govern.verdict import Finding, Verdict

Judge = Callable[..., Verdict]
BOUND = "- {{id: R, kind: bound, title: t, basis: house, severity: {1}, decide: point, {0}}}\n"
GAP = ("- {{id: R, kind: disparity, title: t, basis: house, severity: review, decide: point, metric: selection_rate, "
       "{0}}}\n")


def only(result: Verdict) -> Finding:
    (found,) = result.findings
    return found


def sexes(men: tuple[int, int], women: tuple[int, int], **more: Any) -> Evidence:
    return evidence({"sex": {"men": rate(*men), "women": rate(*women)}}, **more)


def test_the_limit_is_the_baselines_value_and_the_number(verdict: Judge) -> None:
    """Selected 800 of 2,000 before: at least 0.40 − 0.02."""
    before = sexes((500, 1000), (300, 1000))
    rules = BOUND.format("metric: selection_rate, min: {baseline: -0.02}", "review")
    for women, outcome in ((260, "pass"), (259, "fail")):  # 760 and 759 of 2,000
        found = only(verdict(sexes((500, 1000), (women, 1000)), rules, baseline=before))
        assert (found.outcome, found.bound_min, found.bound_max) == (outcome, "0.38", None)
        assert found.reason == "min: that of the baseline -0.02"


def test_limits_of_ratios_of_counts_are_exact(verdict: Judge) -> None:
    """1/3 in floats is not 1/3: at exactly the baseline's rate the limit is met."""
    before, now = sexes((1, 3), (1, 3)), sexes((1000, 3000), (1000, 3000))
    rules = BOUND.format("metric: selection_rate, min: {baseline: 0}, max: {baseline: 0}", "review")
    assert only(verdict(now, rules, baseline=before)).outcome == "pass"
    for more in (-1, 1):
        assert only(verdict(sexes((1000 + more, 3000), (1000, 3000)), rules, baseline=before)).outcome == "fail"
    # 0.44 / 0.55 is below 0.8 in floats, and the baseline's ratio is exactly 0.8.
    ratio = GAP.format("compare: ratio, against: any, min: {baseline: 0}")
    assert only(verdict(sexes((55, 100), (44, 100)), ratio, baseline=sexes((60, 80), (48, 80)))).outcome == "pass"


def test_each_group_is_held_against_itself(verdict: Judge) -> None:
    """By names: ids differ between documents. A group that is new is not decided."""
    before = evidence({"age": {"old": rate(0, 50), "x": rate(1, 50)}, "sex": {"women": rate(300, 1000),
                                                                              "men": rate(500, 1000)}},
                      everyone=rate(800, 2000))
    now = evidence({"sex": {"men": rate(490, 1000), "women": rate(250, 1000), "other": rate(400, 1000)}})
    rules = BOUND.format("metric: selection_rate, by: [sex], min: {baseline: -0.02}", "review")
    found = only(verdict(now, rules, baseline=before))
    assert {(c.group, c.outcome, c.bound_min) for c in found.comparisons} == {
        ("g1", "pass", "0.48"), ("g2", "fail", "0.28"), ("g3", "insufficient", None)}
    assert found.seen == found.comparisons[1] and (found.outcome, found.bound_min) == ("fail", "0.28")
    new = next(c for c in found.comparisons if c.group == "g3")
    assert new.value == 0.4 and new.reason == "the baseline has no such group, or no number for it"
    better = evidence({"sex": {"men": rate(490, 1000), "women": rate(300, 1000), "other": rate(400, 1000)}})
    waits = verdict(better, rules, baseline=before)
    assert (only(waits).outcome, waits.outcome) == ("insufficient", "PASS")
    assert verdict(better, rules, baseline=before, phase="company").outcome == "REVIEW"


def test_a_gap_is_held_against_the_same_gap_before(verdict: Judge) -> None:
    before = sexes((500, 1000), (400, 1000))  # ratio 0.80, difference 0.10
    cases = [("compare: ratio, against: any, min: {baseline: -0.02}", (390, "pass"), (389, "fail"), "0.78"),
             ("compare: difference, against: any, max: {baseline: 0.02}", (380, "pass"), (379, "fail"), "0.12"),
             ("compare: difference, against: {group: men}, min: {baseline: -0.02}", (380, "pass"), (379, "fail"),
              "-0.12"),
             ("compare: ratio, against: largest, min: {baseline: 0.1}", (450, "pass"), (449, "fail"), "0.9")]
    for fields, good, bad, bound in cases:
        for women, outcome in (good, bad):
            found = only(verdict(sexes((500, 1000), (women, 1000)), GAP.format(fields), baseline=before))
            assert (found.outcome, found.bound_min or found.bound_max) == (outcome, bound), fields


def test_the_baselines_worst_gap_counts_and_small_groups_do_not(verdict: Judge) -> None:
    before = evidence({"sex": {"men": rate(500, 1000), "women": rate(400, 1000), "other": rate(1, 20)}})
    rules = GAP.format("compare: ratio, against: any, min: {baseline: 0}")
    found = only(verdict(sexes((500, 1000), (400, 1000)), rules, baseline=before))
    assert (found.outcome, found.bound_min) == ("pass", "0.8")


def test_a_primary_metric_whose_better_side_is_lower_is_counted_the_other_way(verdict: Judge) -> None:
    """Brier score of women against the rest: 0.20 − 0.18 before, counted −0.02; 0.25 − 0.18 now, counted −0.07."""
    rules = ("- {id: R, kind: disparity, title: t, basis: house, severity: review, decide: point, metric: primary, "
             "compare: difference, against: {group: men}, min: {baseline: -0.04}}\n")

    def scored(women: float) -> Evidence:
        scores = [score("brier_score", v, 0.01, group=g) for g, v in (("g1", 0.18), ("g2", women))]
        return sexes((500, 1000), (400, 1000), scores=(score("brier_score", 0.19, 0.01), *scores),
                     declared={"primary": {"metric": "brier_score", "max": 0.3}})

    # The finding's bounds are those of the difference itself, as for every primary metric: at most 0.06.
    for women, outcome in ((0.25, "fail"), (0.24, "pass"), (0.15, "pass")):
        found = only(verdict(scored(women), rules, baseline=scored(0.20)))
        assert (found.outcome, found.bound_min, found.bound_max) == (outcome, None, "0.06")


def test_intervals_decide_against_the_baselines_estimate(verdict: Judge) -> None:
    rules = BOUND.format("metric: selection_rate, min: {baseline: -0.02}", "review").replace("decide: point, ", "")
    before = sexes((500, 1000), (300, 1000))
    assert only(verdict(sexes((500, 1000), (300, 1000)), rules, baseline=before)).outcome == "pass"
    assert only(verdict(sexes((50, 100), (30, 100)), rules, baseline=before)).outcome == "insufficient"
    assert only(verdict(sexes((400, 1000), (200, 1000)), rules, baseline=before)).outcome == "fail"


def test_calibration_may_be_relative_too(verdict: Judge) -> None:
    rules = ("- {id: R, kind: calibration, title: t, basis: house, severity: review, decide: point, "
             "max: {baseline: 0.01}}\n")

    def scored(value: float) -> Evidence:
        return sexes((50, 100), (50, 100), scores=(score("calibration_error", value, 1e-6, transform="square"),
                                                   score("calibration_p_value", 0.5)))

    for value, outcome in ((0.03, "pass"), (0.0300001, "fail")):
        assert only(verdict(scored(value), rules, baseline=scored(0.02))).outcome == outcome


@pytest.mark.parametrize("rules", [
    BOUND.format("metric: selection_rate, min: {baseline: -0.02}ABSENT", "review"),
    GAP.format("compare: ratio, against: any, min: {baseline: -0.02}ABSENT")])
def test_without_a_baseline_the_rule_is_absent(verdict: Judge, rules: str) -> None:
    now = sexes((500, 1000), (400, 1000))
    found = only(verdict(now, rules.replace("ABSENT", "")))
    assert (found.outcome, found.reason) == ("n/a", "no --baseline was given")
    assert only(verdict(now, rules.replace("ABSENT", ", absent: fail"))).outcome == "fail"
    assert only(verdict(now, rules.replace("ABSENT", ", absent: review"))).outcome == "not_run"


def test_a_baseline_without_the_number_was_not_run(verdict: Judge) -> None:
    auc = BOUND.format("metric: roc_auc, min: {baseline: -0.02}", "review")
    now = sexes((500, 1000), (400, 1000), scores=(score("roc_auc", 0.8, 0.01),))
    found = only(verdict(now, auc, baseline=sexes((1, 2), (1, 2))))
    assert (found.outcome, found.counts_as) == ("not_run", "REVIEW")
    assert found.reason == "the baseline has no ROC AUC of the same rows"
    other = evidence({"age": {"a": rate(5, 10), "b": rate(5, 10)}})
    gap = only(verdict(now, GAP.format("compare: ratio, against: any, min: {baseline: 0}"), baseline=other))
    assert (gap.outcome, gap.reason) == ("not_run", "the baseline has no comparison of selection rate for sex")


def test_a_fixed_limit_beside_a_relative_one(verdict: Judge) -> None:
    rules = BOUND.format("metric: selection_rate, min: {baseline: -0.02}, max: 0.45", "review")
    found = only(verdict(sexes((500, 1000), (500, 1000)), rules, baseline=sexes((500, 1000), (300, 1000))))
    assert (found.outcome, found.bound_min, found.bound_max) == ("fail", "0.38", "0.45")


def test_a_baseline_must_be_sound_and_answer_the_same_question(verdict: Judge) -> None:
    now, rules = sexes((500, 1000), (400, 1000)), GAP.format("compare: ratio, against: any, min: 0.5")
    torn = replace(now, counts=(replace(now.counts[0], tp=7), *now.counts[1:]))
    cases = [(torn, "baseline: the counts of group overall contradict its rows; it was edited; measure again"),
             (replace(now, task="regression"), "baseline: is of a regression task, the evidence of a binary one"),
             (replace(now, settings={"data": {"positive": "no"}}), "baseline: has positive label no, the evidence yes"),
             (replace(now, settings={"data": {"favourable": "no"}}), "baseline: has favourable label no, the evidence")]
    found = replace(now, settings={"data": {"positive": "yes", "favourable": "yes"}})
    for baseline, said in cases:
        with pytest.raises(InputError) as refused:
            verdict(found, rules, baseline=baseline)
        assert said in str(refused.value)
    assert verdict(found, rules, baseline=found).outcome == "PASS"


def test_the_sweep_heeds_the_baseline(verdict: Judge) -> None:
    rows = {"men": [(i % 2 == 0, (i % 100) / 100) for i in range(2000)],
            "women": [(i % 2 == 0, (i % 90) / 100) for i in range(2000)]}
    now, before = swept(rows, (0.2, 0.5, 0.8), 0.5), swept(rows, (0.5,), 0.5)
    result = verdict(now, GAP.format("compare: ratio, against: any, min: {baseline: -0.05}"), baseline=before)
    assert result.sweep is not None and only(result).outcome == "pass"
    assert [p.outcomes for p in result.sweep.points] == [("pass",), ("pass",), ("fail",)]


def test_groups_and_numbers_by_name() -> None:
    found = sexes((1, 3), (0, 5), scores=(score("roc_auc", 0.1, 0.01, group="g1"),))
    men = Group("q", ("sex",), ("men",), 3, 0, 0)
    assert same_group(found, men) == found.groups[1] and same_group(found, replace(men, features=("age",))) is None
    assert value_in(found, "selection_rate", men) == Fraction(1, 3) and str(value_in(found, "roc_auc", men)) == "0.1"
    assert value_in(found, "true_positive_rate", men) is None  # no row in its denominator
    assert exactly(Ratio(Rate(44, 100), Rate(55, 100))) == Fraction(4, 5)
    assert exactly(Difference(Rate(1, 3), Rate(1, 3))) == 0 and exactly(Rate(1, 0)) is None
