"""Metrics of numeric predictions as measurements: everyone, each group, pairs, the rest of each group, features."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from govern.evidence import OVERALL, REST, Group, Interval, Measurement
from govern.measure.compared import Found, difference, largest_difference, measured, ratio
from govern.measure.rates import LEVEL, pairs_of
from govern.stats.means import Share
from govern.stats.regression_fit import MEANS, RegressionFit

COMPARED = ("mean_prediction", "mean_residual", "mean_absolute_error")
SHARES = ("share_above_median", "share_above_threshold")
DISPARITIES = ("mean_prediction", "mean_absolute_error", "share_above_median", "share_above_threshold")
BINNED = ", from bins of near values"


def of_group(fit: RegressionFit, group: str = OVERALL) -> Iterator[Measurement]:
    """Every metric of one group with its interval."""
    for metric in MEANS:
        yield measured(metric, fit.mean(metric), group, method="mean")
    yield measured("root_mean_squared_error", fit.root_mean_squared_error, group, method="mean of squares")
    yield measured("r2_score", fit.r2, group, method="linearised")
    bins = BINNED if fit.binned else ""
    for metric, q in fit.quantiles.items():
        found = measured(metric, q.estimate, group, method="order statistics")
        held = None if q.low is None else Interval.reading(q.low, q.high, LEVEL, f"order statistics{bins}")
        yield replace(found, interval=held)
    for metric in _shares(fit):
        yield measured(metric, fit.share(metric), group,
                       method=bins if metric == "share_above_median" else "")


def comparisons(groups: Sequence[Group], fits: Sequence[RegressionFit], everyone: RegressionFit
                ) -> Iterator[Measurement]:
    """Differences of the compared means and shares, of shares also ratios, between the groups of one feature (or of
    one within each level of a control feature), and of each group from all rows outside it; these too.

    Groups within levels of a control feature are held against each other only.
    """
    of = {g.id: f for g, f in zip(groups, fits, strict=True)}
    for metric in (*COMPARED, *_shares(everyone)):
        for g in groups:
            if g.within:
                continue
            rest = _rest(metric, of[g.id], everyone)
            yield measured(metric, rest, g.id, reference=REST, method="mean" if metric in COMPARED else "")
            if g.asked:
                yield from _compared(metric, g.id, _one(metric, of[g.id]), REST, rest)
        for group, reference in pairs_of(groups):
            yield from _compared(metric, group.id, _one(metric, of[group.id]), reference.id,
                                 _one(metric, of[reference.id]))


def disparities(groups: Sequence[Group], fits: Sequence[RegressionFit]) -> Iterator[Measurement]:
    """The largest difference of DISPARITIES over the groups of one feature; nothing for groups within controls."""
    if not groups or groups[0].within:
        return
    for metric in DISPARITIES:
        if metric in fits[0].sums:
            yield largest_difference(metric, groups[0].features, groups, [_one(metric, f) for f in fits])


def _shares(fit: RegressionFit) -> tuple[str, ...]:
    return tuple(s for s in SHARES if s in fit.sums)


def _one(metric: str, fit: RegressionFit) -> Found:
    return fit.share(metric) if metric in SHARES else fit.mean(metric)


def _rest(metric: str, fit: RegressionFit, everyone: RegressionFit) -> Found:
    left = everyone.sums[metric].without(fit.sums[metric])
    return left.share(plain=fit.plain) if metric in SHARES else left.mean()


def _compared(metric: str, group: str, a: Found, reference: str, b: Found) -> Iterator[Measurement]:
    yield difference(metric, group, a, reference, b)
    if isinstance(a, Share) and isinstance(b, Share):
        yield ratio(metric, group, a, reference, b)
