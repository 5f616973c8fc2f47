"""Metrics of the score as measurements: everyone, each group, each group against the rest, and pairs.

`label` is the class of a multiclass task whose score is held against all other classes, None in a binary task.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from govern.evidence import OVERALL, REST, Curve, Group, Interval, Measurement
from govern.measure.rates import ALPHA, LEVEL, pairs_of
from govern.metrics import METRICS
from govern.stats.estimate import Estimate
from govern.stats.intervals import mover_difference, transformed
from govern.stats.scores import COMPARED, GroupScores, More, Scores

MORE = ("gini", "ks_statistic", "lift_top_decile", "mean_score", "calibration_error", "expected_calibration_error",
        "calibration_slope", "calibration_intercept")
PARTS = {"reliability": "debiased, normal", "resolution": "debiased, normal", "uncertainty": "of the rate"}
METHODS = {"roc_auc": "DeLong, logit", "average_precision": "infinitesimal jackknife, logit", "log_loss": "mean",
           "brier_score": "mean", "gini": "DeLong, Fisher", "ks_statistic": "uniform band",
           "lift_top_decile": "influence, log", "mean_score": "mean", "calibration_error": "debiased, normal",
           "calibration_slope": "sandwich", "calibration_intercept": "sandwich"}


def _bounds(metric: str, e: Estimate) -> tuple[float, float] | None:
    """Two-sided bounds, cut off where the metric cannot go; None without a standard error."""
    if e.value is None or e.se is None or e.status != "ok":
        return None
    low, high = transformed(e.value, e.se, e.transform, ALPHA)
    row = METRICS[metric]
    return low if row.low is None else max(low, row.low), high if row.high is None else min(high, row.high)


def _interval(metric: str, e: Estimate) -> Interval | None:
    bounds = _bounds(metric, e)
    return bounds and Interval.reading(*bounds, LEVEL, METHODS[metric])


def _one(metric: str, e: Estimate, group: str, label: str | None, reference: str | None = None) -> Measurement:
    return Measurement(metric, e.value, e.status, e.reason, group, reference, se=e.se,
                       transform=None if e.se is None else e.transform, interval=_interval(metric, e), label=label)


def of_group(scores: Scores, group: str = OVERALL, label: str | None = None) -> Iterator[Measurement]:
    """Every metric of the score of one group, with interval where there is an honest one."""
    for metric in COMPARED:
        yield _one(metric, getattr(scores, metric), group, label)
    more = scores.more
    if more is None:
        return
    for metric in MORE:
        found = _one(metric, getattr(more, metric), group, label)
        banded = metric == "expected_calibration_error" and more.expected_bounds
        yield replace(found, interval=Interval.reading(*banded, LEVEL, "band over the bins")) if banded else found
    for part in PARTS:
        yield _part(part, more, group, label)
    yield Measurement("calibration_p_value", more.p_value, "ok" if more.p_reason is None else "undefined",
                      more.p_reason, group, label=label)


def _part(part: str, more: More, group: str, label: str | None) -> Measurement:
    metric, parts, error = f"brier_{part}", more.brier, more.calibration_error
    if parts is None:
        return Measurement(metric, None, "undefined", error.reason, group, label=label)
    bounds = parts.bounds.get(part)
    return Measurement(metric, getattr(parts, part), error.status, error.reason, group, label=label,
                       interval=Interval.reading(*bounds, LEVEL, PARTS[part]) if bounds else None)


def comparisons(groups: Sequence[Group], found: Sequence[GroupScores], label: str | None = None
                ) -> Iterator[Measurement]:
    """Differences between groups and of each group from the rest, as square-and-add (MOVER) intervals.

    `groups` are those of one feature, or of one feature within one level of a control feature. Groups of an
    intersection that nobody asked a rule for have the value of their rest alone, which is all that a rule needs.
    """
    own = {g.id: s.own for g, s in zip(groups, found, strict=True)}
    for metric in COMPARED:
        for g, s in zip(groups, found, strict=True):
            rest = getattr(s.rest, metric)
            yield _one(metric, rest, g.id, label, REST)
            if g.asked:
                yield _difference(metric, g.id, getattr(s.own, metric), REST, rest, label)
        for group, reference in pairs_of(groups) if all(g.asked for g in groups) else ():
            yield _difference(metric, group.id, getattr(own[group.id], metric),
                              reference.id, getattr(own[reference.id], metric), label)


def _difference(metric: str, group: str, a: Estimate, reference: str, b: Estimate, label: str | None) -> Measurement:
    if a.value is None or b.value is None:
        reason = a.reason if a.value is None else b.reason
        return Measurement(metric, None, "undefined", reason, group, reference, "difference", label=label)
    value = a.value - b.value
    first, second = _bounds(metric, a), _bounds(metric, b)
    if first is None or second is None:
        reason = a.reason if first is None else b.reason
        return Measurement(metric, value, "too_few", reason, group, reference, "difference", label=label)
    low, high = mover_difference(a.value, first, b.value, second)
    return Measurement(metric, value, group=group, reference=reference, compare="difference",
                       interval=Interval.reading(low, high, LEVEL, "MOVER"), label=label)


def curves(scores: Scores, group: str = OVERALL, label: str | None = None) -> Iterator[Curve]:
    """ROC, precision-recall and calibration of one group, those that have points.

    roc: false (x) and true positive rate (y); precision_recall: recall (x) and precision (y); calibration: mean
    score (x), observed rate (y) and rows (n) of each bin.
    """
    more = scores.more
    if more is None:
        return
    for kind, (x, y) in (("roc", more.roc), ("precision_recall", more.precision_recall)):
        if x:
            yield Curve(kind, group, x, y, label=label)
    if more.bins:
        yield Curve("calibration", group, tuple(b.mean_score for b in more.bins),
                    tuple(b.observed for b in more.bins), tuple(b.n for b in more.bins), label)
