"""Rules in multiclass and regression tasks, groups that are not like the others, and evidence that was edited."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from policy_evidence import CARD, RECORDED, evidence, rate, score
from task_evidence import multiclass, regression

from govern.errors import InputError
from govern.evidence import REST, UNKNOWN_NAME, Counts, Evidence, Measurement
from govern.policy.measured import against_rest, of_group
from govern.policy.packs import load_policy
from govern.policy.quantities import Difference, Rate
from govern.verdict import Finding, Verdict

Judge = Callable[..., Verdict]
CLASSES = ("cat", "dog", "eel")
EVEN = [[300, 40, 20], [30, 250, 30], [20, 30, 280]]
# Cats of the other group are mostly taken for dogs.
SLANTED = [[120, 220, 20], [30, 250, 30], [20, 30, 280]]
FOUND = multiclass({"a": EVEN, "b": SLANTED}, CLASSES)
EQUAL = multiclass({"a": EVEN, "b": EVEN}, CLASSES)
NUMBERS = regression({"a": (1000, 500, 0.1), "b": (1000, 500, 0.1)})


def rule(kind: str = "disparity", **fields: str) -> str:
    given = {"id": "R", "kind": kind, "title": "t", "basis": "house", "severity": "review", **fields}
    return "- {" + ", ".join(f"{k}: {v}" for k, v in given.items()) + "}\n"


def gap(metric: str, **fields: str) -> str:
    return rule(metric=metric, **({"compare": "difference", "against": "any", "max": "0.10"} | fields))


def least(metric: str, **fields: str) -> str:
    return rule("bound", metric=metric, **({"min": "0.7"} | fields))


def labels(result: Verdict) -> list[tuple[str | None, str]]:
    return [(f.label, f.outcome) for f in result.findings]


def only(result: Verdict) -> Finding:
    assert len(result.findings) == 1
    return result.findings[0]


def test_each_class_is_held_against_all_others(verdict: Judge) -> None:
    result = verdict(FOUND, gap("true_positive_rate"))
    assert labels(result) == [("cat", "fail"), ("dog", "pass"), ("eel", "pass")]
    seen = result.findings[0].seen
    assert seen and (seen.group, seen.numerator, seen.n, seen.reference_numerator, seen.reference_n) == (
        "g1", 300, 360, 120, 360)
    # Three questions are three rules' worth of chances to fail.
    alone = only(verdict(FOUND, gap("true_positive_rate", label="cat"))).seen
    assert alone and alone.level_fail and seen.level_fail == pytest.approx(alone.level_fail / 3, rel=0.05)
    rates = verdict(FOUND, gap("selection_rate", compare="ratio", min="0.8", max="null").replace(", max: null", ""))
    assert labels(rates) == [("cat", "fail"), ("dog", "fail"), ("eel", "pass")]


def test_the_favourable_class_or_the_named_one_is_judged_alone(verdict: Judge) -> None:
    wished = multiclass({"a": EVEN, "b": SLANTED}, CLASSES, favourable="dog")
    assert labels(verdict(wished, gap("true_positive_rate"))) == [("dog", "pass")]
    assert labels(verdict(wished, gap("true_positive_rate", label="cat"))) == [("cat", "fail")]
    with pytest.raises(InputError, match='R: label: no class is named "cta"; did you mean "cat"'):
        verdict(FOUND, gap("true_positive_rate", label="cta"))
    with pytest.raises(InputError, match="classes: cat, dog, eel"):
        verdict(FOUND, least("accuracy", label="zebra"))


def test_a_label_in_a_binary_task_is_the_positive_one_or_does_not_apply(verdict: Judge) -> None:
    found = evidence({"x": {"a": (50, 10, 10, 50), "b": (50, 10, 10, 50)}},
                     settings={"model": {"name": "m"}, "data": {"positive": "yes", "favourable": "yes"}})
    assert only(verdict(found, least("accuracy", label="yes"))).outcome == "pass"
    other = only(verdict(found, least("accuracy", label="maybe")))
    assert other.outcome == "n/a" and other.reason and "positive label yes" in other.reason


def test_metrics_over_all_classes_need_no_label(verdict: Judge) -> None:
    with_f1 = replace(FOUND, measurements=(*FOUND.measurements, score("macro_f1", 0.7, 0.05, transform="logit")))
    finding = only(verdict(with_f1, least("macro_f1", min="0.5")))
    assert (finding.label, finding.outcome) == (None, "pass")
    share = only(verdict(FOUND, gap("multiclass_accuracy", compare="ratio", min="0.85").replace(", max: 0.10", "")))
    assert share.seen and (share.seen.numerator, share.seen.n, share.seen.reference_numerator) == (650, 1000, 830)
    assert share.outcome == "fail"
    assert only(verdict(EQUAL, gap("multiclass_accuracy", against="overall", min="-0.05", max="1"))).outcome == "pass"


def test_metrics_of_the_score_are_found_by_class(verdict: Judge) -> None:
    auc = tuple(Measurement("roc_auc", v, label=c, se=0.05, transform="logit")
                for c, v in zip(CLASSES, (0.9, 0.6, 0.9), strict=True))
    found = replace(FOUND, measurements=(*FOUND.measurements, *auc))
    assert labels(verdict(found, least("roc_auc"))) == [("cat", "pass"), ("dog", "fail"), ("eel", "pass")]
    assert labels(verdict(FOUND, least("roc_auc"))) == [(c, "n/a") for c in CLASSES]
    part = replace(found, measurements=found.measurements[:-1])
    assert labels(verdict(part, least("roc_auc")))[-1] == ("eel", "not_run")


@pytest.mark.parametrize(("found", "metric", "said"), [
    (NUMBERS, "selection_rate", "a regression task has no selection rate"),
    (NUMBERS, "macro_f1", "a regression task has no macro F1"),
    (FOUND, "mean_residual", "a multiclass task has no bias"),
    (FOUND, "share_above_median", "a multiclass task has no share above the median"),
    (evidence({"x": {"a": rate(5, 10)}}), "multiclass_accuracy", "a binary task has no accuracy over all classes")])
def test_metrics_of_another_task_do_not_apply(verdict: Judge, found: Evidence, metric: str, said: str) -> None:
    for rules in (least(metric), gap(metric)):
        finding = only(verdict(found, rules))
        assert (finding.outcome, finding.reason) == ("n/a", said)
        assert only(verdict(found, rules.replace("}\n", ", absent: fail}\n"))).outcome == "fail"
        assert only(verdict(found, rules.replace("}\n", ", absent: review}\n"))).counts_as == "REVIEW"


def test_one_rule_serves_several_tasks(verdict: Judge) -> None:
    rules = gap("[accuracy, share_above_median, multiclass_accuracy]")
    binary = evidence({"x": {"a": (50, 10, 10, 50), "b": (50, 10, 10, 50)}})
    assert [f.metric for f in verdict(binary, rules).findings] == ["accuracy"]
    assert [f.metric for f in verdict(NUMBERS, rules).findings] == ["share_above_median"]
    assert [f.metric for f in verdict(FOUND, rules).findings] == ["accuracy"] * 3 + ["multiclass_accuracy"]


def test_a_promised_metric_that_the_task_does_not_have_is_for_a_person(verdict: Judge) -> None:
    promised = replace(NUMBERS, declared={"primary": {"metric": "roc_auc", "min": 0.75}})
    for rules in (least("primary", min="declared"), gap("primary", against="overall", min="-0.05", max="1")):
        result = verdict(promised, rules)
        assert (only(result).outcome, result.outcome) == ("not_run", "REVIEW")
    kept = replace(NUMBERS, declared={"primary": {"metric": "share_above_median", "max": 0.9}})
    assert only(verdict(kept, least("primary", min="0.2", max="declared"))).outcome == "pass"


def test_a_limit_of_shares_is_not_held_against_the_unit_of_the_outcome(verdict: Judge) -> None:
    rules = gap("primary", against="overall", min="-0.05", max="1")
    salaries = replace(NUMBERS, declared={"primary": {"metric": "mean_absolute_error", "max": 900}})
    found = only(verdict(salaries, rules))
    assert found.outcome == "n/a" and found.reason and "in the unit of the outcome" in found.reason
    declared = replace(salaries, measurements=(
        *(score("mean_absolute_error", v, 9.0, group=g) for g, v in (("overall", 800), ("g1", 790), ("g2", 810))),
        *(score("mean_absolute_error", v, 9.0, group=g, rest=True) for g, v in (("g1", 810), ("g2", 790)))))
    own = rule(metric="primary", compare="difference", against="overall", max="declared")
    assert only(verdict(declared, own)).outcome == "pass"


def test_regression_is_judged_from_measurements(verdict: Judge) -> None:
    far = regression({"a": (1000, 500, 0.1), "b": (1000, 300, 0.5)})
    shares = only(verdict(far, gap("share_above_median")))
    assert shares.outcome == "fail" and shares.seen and (shares.seen.numerator, shares.seen.n) == (500, 1000)
    residuals = only(verdict(far, gap("mean_residual", max="0.2")))
    assert residuals.outcome == "fail" and residuals.seen and residuals.seen.value == pytest.approx(0.4)
    assert only(verdict(NUMBERS, gap("mean_residual", max="0.2"))).outcome == "pass"
    by = only(verdict(far, least("mean_residual", min="-1", max="0.3", by="[x]")))
    assert by.outcome == "fail" and by.seen and by.seen.group == "g2"
    assert only(verdict(replace(far, measurements=()), gap("mean_residual"))).outcome == "not_run"


def test_the_rest_of_a_share_follows_from_its_counts_or_is_measured() -> None:
    rest = against_rest(NUMBERS, "share_above_median", "g1", "difference")
    assert isinstance(rest, Difference) and rest.b == Rate(500, 1000, rest.b.empty)
    heavy = tuple(replace(m, effective=500.0) for m in NUMBERS.measurements)
    assert against_rest(replace(NUMBERS, measurements=heavy), "share_above_median", "g1", "difference") is None
    given = Measurement("share_above_median", 0.25, group="g1", reference=REST, numerator=2.5, denominator=10.0,
                        effective=8.0)
    found = against_rest(replace(NUMBERS, measurements=(*heavy, given)), "share_above_median", "g1", "difference")
    assert isinstance(found, Difference) and found.b.sample == (2.0, 8.0) and found.b.size == 1000
    undefined = replace(NUMBERS, measurements=(Measurement("share_above_median", None, "undefined", "no rows"),))
    nothing = of_group(undefined, "share_above_median")
    assert isinstance(nothing, Rate) and (nothing.value, nothing.why) == (None, "no rows")


@pytest.mark.parametrize(("equal", "gap_found"), [
    (EQUAL, FOUND), (NUMBERS, regression({"a": (1000, 600, 0.1), "b": (1000, 300, 0.1)}))])
def test_the_baseline_judges_every_task(verdict: Judge, equal: Evidence, gap_found: Evidence) -> None:
    baseline = load_policy("baseline")
    equal, gap_found = (replace(found, subjects=RECORDED) for found in (equal, gap_found))
    passed = verdict(replace(equal, card=CARD), policies=[baseline])
    assert passed.outcome == "PASS" and any(f.rule == "BASE-08" and f.outcome == "pass" for f in passed.findings)
    open_rules = {f.rule for f in verdict(gap_found, policies=[baseline]).findings if f.counts_as == "REVIEW"}
    assert "BASE-08" in open_rules
    assert verdict(gap_found, policies=[baseline]).outcome == "REVIEW"
    unmeasured = verdict(replace(equal, measurements=(), counts=equal.counts[:3]), policies=[baseline])
    assert unmeasured.outcome == "REVIEW" and any(f.outcome == "not_run" for f in unmeasured.findings)
    one_group = replace(equal, groups=equal.groups[:2], counts=equal.counts[:6], confusions=equal.confusions[:2])
    assert verdict(one_group, policies=[baseline]).outcome == "REVIEW"


def test_edited_evidence_of_other_tasks_is_refused(verdict: Judge) -> None:
    def refused(found: Evidence, said: str) -> None:
        with pytest.raises(InputError, match=said):
            verdict(found, gap("accuracy"))

    first = FOUND.counts[0]
    refused(replace(FOUND, counts=(replace(first, tp=first.tp + 1), *FOUND.counts[1:])), "counts of group overall")
    refused(replace(FOUND, counts=(replace(first, selected=0), *FOUND.counts[1:])), "counts of group overall")
    refused(replace(FOUND, counts=()), "no counts over all rows")
    torn = replace(FOUND.confusions[1], n=FOUND.confusions[0].n)
    refused(replace(FOUND, confusions=(torn,)), "confusion matrix of group g1")
    refused(replace(FOUND, confusions=(replace(torn, n=((360, 310, 330),)),)), "confusion matrix of group g1")
    without = replace(NUMBERS, groups=NUMBERS.groups[1:])
    refused(without, "no counts over all rows")
    strange = replace(NUMBERS, counts=(Counts("g1", 1, 1, 1, 1, 1),))
    refused(strange, "counts of group g1")


def of_status(found: Evidence, **status: Any) -> Evidence:
    groups = tuple(replace(g, status=status.get(g.name.strip("()"), "ok")) for g in found.groups)
    return replace(found, groups=groups)


def test_groups_that_are_not_like_the_others_are_named(verdict: Judge) -> None:
    members = {"a": (250, 250, 250, 250), "b": (250, 250, 250, 250), "c": (2, 3, 4, 3), "d": (0, 0, 0, 0),
               "e": (0, 40, 0, 40), "f": (20, 20, 20, 20), None: (5, 0, 5, 0), UNKNOWN_NAME: (1, 0, 0, 0)}
    found = of_status(evidence({"x": members}), c="tiny", d="empty", e="one_class", f="unseen", missing="missing",
                      unknown="unknown")
    reason = ("10 rows with a missing value and 1 row with an unknown value not compared; not among the declared "
              "levels: f; without rows: d; fewer than 30 rows: c; all rows with one label: e")
    finding = only(verdict(found, gap("selection_rate", max="0.5")))
    assert (finding.outcome, finding.reason) == ("pass", reason)
    undefined = only(verdict(found, least("true_positive_rate", by="[x]", min="0.3")))
    assert {c.reason for c in undefined.comparisons if c.group == "g5"} == {
        "no row of the group is in its denominator: all its rows have one label"}
    support = only(verdict(found, rule("support", min_n="1900")))
    assert support.outcome == "fail" and support.reason == (
        f"no sensitive feature has two groups of at least 1900 rows; x: {reason}")
    small = only(verdict(found, gap("selection_rate", max="0.5", min_n="5000")))
    assert small.outcome == "insufficient" and small.reason == f"every group is too small to be a reference; {reason}"
    one = of_status(evidence({"x": {"a": (250, 250, 250, 250), "d": (0, 0, 0, 0)}}), d="empty")
    assert only(verdict(one, gap("selection_rate"))).reason == (
        "x has fewer than two groups to compare; without rows: d")
    many = {f"v{i}": (9, 9, 9, 9) for i in range(9)}
    crowd = of_status(evidence({"x": many}), **dict.fromkeys(many, "unseen"))
    said = only(verdict(crowd, gap("selection_rate", max="0.9"))).reason
    assert said == "not among the declared levels: v0, v1, v2, v3, v4 and 4 more"


def test_groups_within_a_control_level_are_not_compared(verdict: Judge) -> None:
    found = evidence({"x": {"a": (250, 250, 250, 250), "b": (250, 250, 250, 250)}})
    inner = replace(found.groups[1], id="w1", within=(("region", "north"),), n=3, n_positive=2, n_favourable=2)
    more = replace(found, groups=(*found.groups, inner), counts=(*found.counts, Counts("w1", 2, 0, 0, 1, 2)))
    assert verdict(more, gap("selection_rate")).findings == verdict(found, gap("selection_rate")).findings
