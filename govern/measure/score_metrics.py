"""Metrics of the score as measurements: everyone, each group, each group against the rest, and pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from govern.evidence import OVERALL, REST, Curve, Group, Interval, Measurement
from govern.measure.rates import ALPHA, LEVEL, pairs_of
from govern.metrics import METRICS
from govern.stats.intervals import mover_difference, transformed
from govern.stats.ranked import Estimate
from govern.stats.scores import GroupScores, Scores

COMPARED = ("roc_auc", "average_precision", "log_loss", "brier_score")
METHODS = {"roc_auc": "DeLong, logit", "average_precision": "infinitesimal jackknife, logit",
           "log_loss": "mean", "brier_score": "mean", "calibration_error": "debiased, normal"}


def _bounds(metric: str, e: Estimate) -> tuple[float, float] | None:
    """Two-sided bounds, cut off where the metric cannot go; None without a standard error."""
    if e.value is None or e.se is None or e.status != "ok":
        return None
    low, high = transformed(e.value, e.se, e.transform, ALPHA)
    row = METRICS[metric]
    return low if row.low is None else max(low, row.low), high if row.high is None else min(high, row.high)


def _interval(metric: str, e: Estimate) -> Interval | None:
    bounds = _bounds(metric, e)
    return bounds and Interval(*bounds, LEVEL, METHODS[metric])


def _one(metric: str, e: Estimate, group: str, reference: str | None = None) -> Measurement:
    return Measurement(metric, e.value, e.status, e.reason, group, reference, se=e.se,
                       transform=None if e.se is None else e.transform, interval=_interval(metric, e))


def of_group(scores: Scores, group: str = OVERALL) -> Iterator[Measurement]:
    """Every metric of the score of one group, with interval."""
    for metric in COMPARED:
        yield _one(metric, getattr(scores, metric), group)
    if scores.calibration_error is not None:
        yield _one("calibration_error", scores.calibration_error, group)
        p = scores.calibration_p_value
        if p is None:
            yield Measurement("calibration_p_value", None, "undefined", "too few expected events for a test", group)
        else:
            yield Measurement("calibration_p_value", p, group=group)


def comparisons(groups: Sequence[Group], found: Sequence[GroupScores]) -> Iterator[Measurement]:
    """Differences between groups and of each group from the rest, as square-and-add (MOVER) intervals."""
    own = {g.id: s.own for g, s in zip(groups, found, strict=True)}
    for metric in COMPARED:
        for g, s in zip(groups, found, strict=True):
            rest = getattr(s.rest, metric)
            yield _one(metric, rest, g.id, REST)
            yield _difference(metric, g.id, getattr(s.own, metric), REST, rest)
        for group, reference in pairs_of(groups):
            yield _difference(metric, group.id, getattr(own[group.id], metric),
                              reference.id, getattr(own[reference.id], metric))


def _difference(metric: str, group: str, a: Estimate, reference: str, b: Estimate) -> Measurement:
    if a.value is None or b.value is None:
        reason = a.reason if a.value is None else b.reason
        return Measurement(metric, None, "undefined", reason, group, reference, "difference")
    value = a.value - b.value
    first, second = _bounds(metric, a), _bounds(metric, b)
    if first is None or second is None:
        reason = a.reason if first is None else b.reason
        return Measurement(metric, value, "too_few", reason, group, reference, "difference")
    low, high = mover_difference(a.value, first, b.value, second)
    return Measurement(metric, value, group=group, reference=reference, compare="difference",
                       interval=Interval(low, high, LEVEL, "MOVER"))


def calibration_curve(scores: Scores, group: str) -> Curve | None:
    """Mean score (x), observed rate (y) and rows (n) of the calibration bins; None without bins."""
    if not scores.bins:
        return None
    return Curve("calibration", group, tuple(b.mean_score for b in scores.bins),
                 tuple(b.observed for b in scores.bins), tuple(b.n for b in scores.bins))
