"""The BCa interval of a statistic from its bootstrap replicates and its values without parts of the sample."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from govern.stats.intervals import Pair

Floats = NDArray[np.float64]
# Replicates without a value, as a share: more than lie beyond an end of a 95 % interval leave its end open.
MOST_UNDEFINED = 0.025
NOT_DEFINED = "gave a number for {n} of {of} resampled data sets only"
ALL_EQUAL = "all resampled data sets give the same value"
ONE_SIDE = "all resampled data sets lie on one side of the value: their spread is not that of the value"


def bca(value: float, replicates: Floats, without: Floats, alpha: float) -> tuple[Pair | None, str]:
    """Bounds of a statistic, each missed in about a share `alpha` of samples, or None and why there are none.

    `replicates` (R,) are its values in resampled data sets, `without` (m,) those of the sample without one of m parts
    of about equal size; NaN where it has none. Replicates equal to the value count half as below it.
    Source: Efron 1987, JASA 82:171–185; the acceleration from parts left out as from single rows: Efron & Tibshirani
    1993, An Introduction to the Bootstrap, sections 14.3 and 11.5.
    """
    defined = np.sort(replicates[np.isfinite(replicates)])
    if len(replicates) - len(defined) > MOST_UNDEFINED * len(replicates) or not len(defined):
        return None, NOT_DEFINED.format(n=len(defined), of=len(replicates))
    if defined[0] == defined[-1]:
        return None, ALL_EQUAL
    below = float((defined < value).sum() + (defined <= value).sum()) / 2 / len(defined)
    if not 0 < below < 1:
        return None, ONE_SIDE
    normal, a = NormalDist(), _acceleration(without)
    bias, ends = normal.inv_cdf(below), []
    for tail in (alpha, 1 - alpha):
        # |a| is at most 1/6 and |reach| below 6, so that nothing is divided by 0.
        reach = bias + normal.inv_cdf(tail)
        ends.append(_quantile(defined, normal.cdf(bias + reach / (1 - a * reach))))
    return (min(ends[0], value), max(ends[1], value)), ""


def _acceleration(without: Floats) -> float:
    """Σ cubes / (6 · Σ squares^1.5) of the influences of the parts."""
    known = without[np.isfinite(without)]
    if len(known) < 2:
        return 0.0
    influence = math.fsum(known.tolist()) / len(known) - known
    squares, cubes = (math.fsum((influence**k).tolist()) for k in (2, 3))
    return cubes / (6 * squares**1.5) if squares > 0 else 0.0


def _quantile(ordered: Floats, share: float) -> float:
    """The value at a share of ordered values, linear between two of them."""
    at = share * (len(ordered) - 1)
    low, high = ordered[math.floor(at)], ordered[math.ceil(at)]
    return float(low + (high - low) * (at - math.floor(at)))
