"""Differences from the version in service, and from always giving the same answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from policy_evidence import SHA, evidence, score
from task_evidence import multiclass, regression

from govern.errors import InputError
from govern.evidence import TRIVIAL, Evidence, Measurement, Subject
from govern.stats.intervals import mover_difference, newcombe, transformed
from govern.verdict import Finding, Verdict

Judge = Callable[..., Verdict]


def rule(**fields: str) -> str:
    given = {"id": "C", "kind": "compare", "title": "t", "basis": "house", "severity": "review", "metric": "accuracy",
             "against": "baseline"} | fields
    return "- {" + ", ".join(f"{k}: {v}" for k, v in given.items()) + "}\n"


def only(result: Verdict) -> Finding:
    assert len(result.findings) == 1
    return result.findings[0]


def right(correct: int, n: int) -> tuple[int, int, int, int]:
    """n rows, half of them positive, `correct` of them predicted correctly."""
    tp = correct // 2
    return tp, n - n // 2 - (correct - tp), n // 2 - tp, correct - tp


def both(men: tuple[int, int], women: tuple[int, int], **changes: Any) -> Evidence:
    return evidence({"sex": {"men": right(*men), "women": right(*women)}}, **changes)


OLD = both((800, 1000), (780, 1000))


@pytest.mark.parametrize(("men", "women", "fields", "outcome"), [
    ((850, 1000), (840, 1000), {"min": "0"}, "pass"), ((800, 1000), (790, 1000), {"min": "0"}, "insufficient"),
    ((800, 1000), (790, 1000), {"min": "-0.02"}, "pass"), ((700, 1000), (740, 1000), {"min": "0"}, "fail"),
    ((800, 1000), (790, 1000), {"min": "0", "decide": "point"}, "pass"),
    ((850, 1000), (840, 1000), {"max": "0.02"}, "fail")])
def test_rates_against_the_version_in_service(verdict: Judge, men: tuple[int, int], women: tuple[int, int],
                                              fields: dict[str, str], outcome: str) -> None:
    finding = only(verdict(both(men, women), rule(**fields), baseline=OLD))
    seen, correct = finding.seen, men[0] + women[0]
    assert seen and (finding.outcome, seen.group, seen.reference, seen.compare) == (
        outcome, "overall", "baseline", "difference")
    assert (seen.numerator, seen.n, seen.reference_numerator, seen.reference_n) == (correct, 2000, 1580, 2000)
    assert seen.value == pytest.approx((correct - 1580) / 2000) and finding.compare == "difference"


def test_the_interval_is_newcombes_of_independent_samples(verdict: Judge) -> None:
    seen = only(verdict(both((850, 1000), (840, 1000)), rule(min="0"), baseline=OLD)).seen
    assert seen and seen.level_pass == 0.05
    assert (seen.low, seen.high) == pytest.approx(newcombe(1690, 2000, 1580, 2000, 0.05))


def test_scores_go_by_the_two_standard_errors(verdict: Judge) -> None:
    new, old = (both((500, 1000), (500, 1000), scores=(score("roc_auc", v, s, transform="logit"),))
                for v, s in ((0.80, 0.05), (0.75, 0.06)))
    finding = only(verdict(new, rule(metric="roc_auc", min="0"), baseline=old))
    one, two = transformed(0.80, 0.05, "logit", 0.05), transformed(0.75, 0.06, "logit", 0.05)
    expected = mover_difference(0.80, one, 0.75, two)
    assert finding.outcome == "pass" and finding.seen
    assert (finding.seen.low, finding.seen.high) == pytest.approx(expected)
    assert (finding.seen.n, finding.seen.reference_n, finding.seen.numerator) == (2000, 2000, None)
    worse = only(verdict(old, rule(metric="roc_auc", min="0"), baseline=new))
    assert worse.outcome == "fail" and worse.settle and worse.settle.gap == pytest.approx(0.05)


@pytest.mark.parametrize(("value", "outcome"), [(0.40, "pass"), (0.60, "fail"), (0.49, "insufficient")])
def test_positive_is_better_whatever_the_metric(verdict: Judge, value: float, outcome: str) -> None:
    new, old = (both((5, 9), (5, 9), scores=(score("log_loss", v, 0.02),)) for v in (value, 0.50))
    finding = only(verdict(new, rule(metric="log_loss", min="0"), baseline=old))
    # The difference is shown as it is, and the limit turned: at most 0.
    assert (finding.outcome, finding.bound_min, finding.bound_max) == (outcome, None, "0")
    assert finding.seen and finding.seen.value == pytest.approx(value - 0.50)


def test_each_group_against_the_same_group_there(verdict: Judge) -> None:
    # Groups are numbered anew in each evidence: they are matched by their values.
    turned = evidence({"sex": {"women": right(780, 1000), "men": right(800, 1000), "other": right(6, 10)}})
    new = both((800, 1000), (700, 1000))
    finding = only(verdict(new, rule(by="[sex]", min="-0.02"), baseline=turned))
    assert [(c.group, c.value, c.outcome) for c in finding.comparisons] == [
        ("g1", pytest.approx(0.0), "insufficient"), ("g2", pytest.approx(-0.08), "fail")]
    assert finding.outcome == "fail" and finding.seen and finding.seen.level_fail == pytest.approx(0.025)


def test_a_group_that_is_new_or_small(verdict: Judge) -> None:
    three = evidence({"sex": {"men": right(800, 1000), "women": right(780, 1000), "x": right(600, 1000)}})
    new = only(verdict(three, rule(by="[sex]", min="-0.05"), baseline=OLD))
    assert (new.outcome, new.reason) == ("insufficient", "the baseline has no such group")
    assert not new.comparisons[2].exempt and new.comparisons[2].reference_n == 0
    small = evidence({"sex": {"men": right(800, 1000), "women": right(780, 1000), "x": right(3, 10)}})
    finding = only(verdict(three, rule(by="[sex]", min="-0.05"), baseline=small))
    assert [c.exempt for c in finding.comparisons] == [False, False, True]
    assert finding.outcome == "pass"


def test_what_would_settle_it_are_rows_of_the_new_version(verdict: Judge) -> None:
    finding = only(verdict(both((32, 40), (32, 40)), rule(min="-0.05"), baseline=OLD))
    assert finding.outcome == "insufficient" and finding.settle
    assert (finding.settle.group, finding.settle.selections) == ("overall", None) and finding.settle.rows
    n = -(-(80 + finding.settle.rows) // 10) * 10
    assert only(verdict(both((8 * n // 20, n // 2), (8 * n // 20, n // 2)), rule(min="-0.05"),
                        baseline=OLD)).outcome == "pass"
    few = only(verdict(both((800, 1000), (780, 1000)), rule(min="-0.05"), baseline=both((32, 40), (31, 40))))
    assert few.outcome == "insufficient" and few.settle and few.settle.rows is None and few.settle.times is None


@pytest.mark.parametrize(("old", "metric", "outcome", "reason"), [
    (None, "accuracy", "n/a", "no --baseline was given"),
    (OLD, "roc_auc", "not_run", "ROC AUC was not measured in the baseline")])
def test_a_baseline_that_cannot_be_compared(verdict: Judge, old: Evidence | None, metric: str, outcome: str,
                                            reason: str) -> None:
    new = both((800, 1000), (700, 1000), scores=(score("roc_auc", 0.8, 0.05, transform="logit"),))
    finding = only(verdict(new, rule(metric=metric, min="0"), baseline=old))
    assert (finding.outcome, finding.reason) == (outcome, reason)


def test_a_baseline_of_another_task_is_refused(verdict: Judge) -> None:
    with pytest.raises(InputError, match="baseline"):
        verdict(OLD, rule(min="0"), baseline=regression({"a": (10, 5, 0.0)}))


def test_what_these_rows_lack(verdict: Judge) -> None:
    assert only(verdict(OLD, rule(metric="roc_auc", min="0"), baseline=OLD)).reason == (
        "there are no scores, only predicted labels")
    assert only(verdict(OLD, rule(metric="r2_score", min="0"), baseline=OLD)).outcome == "n/a"
    assert only(verdict(OLD, rule(metric="primary", min="0"), baseline=OLD)).reason == "no primary metric is declared"
    assert only(verdict(OLD, rule(by="[race_ethnicity]", min="0"), baseline=OLD)).outcome == "n/a"


def test_the_same_data_for_both_is_said(verdict: Judge) -> None:
    data = (Subject("data", "eval.csv", SHA, 10, "csv"),)
    finding = only(verdict(replace(OLD, subjects=data), rule(min="-0.05"), baseline=replace(OLD, subjects=data)))
    assert finding.outcome == "pass" and (finding.reason or "").startswith("the same data were measured for both")
    other = replace(OLD, subjects=(replace(data[0], sha256="cd" * 32),))
    assert only(verdict(replace(OLD, subjects=data), rule(min="-0.05"), baseline=other)).reason is None


def test_classes_one_by_one(verdict: Judge) -> None:
    old = multiclass({"a": [[90, 10], [10, 90]]}, ("cat", "dog"))
    new = multiclass({"a": [[50, 50], [10, 90]]}, ("cat", "dog"))
    found = verdict(new, rule(metric="true_positive_rate", min="-0.2"), baseline=old).findings
    assert [(f.label, f.outcome) for f in found] == [("cat", "fail"), ("dog", "pass")]


def trivial(value: float | None, se: float | None, metric: str = "accuracy", **more: Any) -> Evidence:
    made = Measurement(metric, value, reference=TRIVIAL, compare="difference", se=se, transform="identity", **more)
    return both((800, 1000), (780, 1000), scores=(Measurement(metric, 0.5, reference=TRIVIAL), made))


@pytest.mark.parametrize(("value", "se", "outcome", "effect"), [
    (0.20, 0.01, "pass", "PASS"), (0.01, 0.02, "insufficient", "PASS"), (-0.05, 0.01, "fail", "REVIEW"),
    (-0.01, 0.02, "insufficient", "PASS"), (0.0, 0.0, "insufficient", "REVIEW")])
def test_against_always_the_same_answer(verdict: Judge, value: float, se: float, outcome: str, effect: str) -> None:
    finding = only(verdict(trivial(value, se), rule(against="trivial", min="0")))
    assert (finding.outcome, finding.counts_as) == (outcome, effect)
    if se:
        assert finding.seen and (finding.seen.reference, finding.seen.value) == ("trivial", value)
        assert finding.seen.n == 2000
    else:
        assert finding.reason == "the model answers as the trivial one does on every row"


def test_the_trivial_error_of_a_loss_is_larger(verdict: Judge) -> None:
    better = only(verdict(trivial(-0.20, 0.01, "log_loss"), rule(against="trivial", metric="log_loss", min="0")))
    assert (better.outcome, better.bound_max) == ("pass", "0")


def test_what_was_not_measured_beside_the_model(verdict: Judge) -> None:
    plain = rule(against="trivial", min="0")
    assert only(verdict(OLD, plain)).reason == "the trivial answer was not measured"
    assert only(verdict(OLD, plain)).outcome == "not_run"
    other = only(verdict(trivial(0.2, 0.01), rule(against="trivial", metric="f1_score", min="0")))
    assert (other.outcome, other.reason) == ("n/a", "always the same answer has no F1 score")
    undefined = trivial(None, None, status="undefined", reason="no rows")
    assert only(verdict(undefined, plain)).counts_as == "REVIEW"
    assert only(verdict(OLD, rule(against="trivial", metric="r2_score", min="0"))).outcome == "n/a"


def test_comparisons_count_in_the_family(verdict: Judge) -> None:
    found = verdict(both((850, 1000), (840, 1000)), rule(min="0") + rule(id="D", metric="precision", min="0"),
                    baseline=OLD).findings
    assert {f.seen.level_fail for f in found if f.seen} == {0.025}


def test_a_limit_of_the_primary_metric_beyond_its_range(verdict: Judge) -> None:
    declared = replace(OLD, declared={"primary": {"metric": "accuracy"}})
    with pytest.raises(InputError, match=r'"min": limit 2 lies outside the range of accuracy, -1 to 1'):
        verdict(declared, rule(metric="primary", min="2"), baseline=OLD)
    assert only(verdict(declared, rule(metric="primary", min="-0.05"), baseline=OLD)).outcome == "pass"


@pytest.mark.parametrize(("fields", "said"), [
    ({}, "needs min or max"), ({"min": "5"}, "outside the range from -1 to 1"),
    ({"min": "declared"}, "must be a number"),
    ({"min": "{baseline: 0}"}, '"min" must be'), ({"min": "0", "against": "best"}, "baseline, trivial"),
    ({"min": "0", "by": "[sex]", "against": "trivial"}, "by needs against: baseline"),
    ({"min": "0", "metric": "smoke_loads"}, "kind compare does not judge the smoke metric")])
def test_refused(verdict: Judge, fields: dict[str, str], said: str) -> None:
    with pytest.raises(InputError) as refused:
        verdict(OLD, rule(**fields))
    assert said in refused.value.one_line()
