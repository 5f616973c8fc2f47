"""Quantiles with distribution-free intervals: two values of the sample hold the true one, whatever its distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from govern.stats.estimate import Estimate, undefined
from govern.stats.means import NO_ROWS

Floats = NDArray[np.float64]
ALPHA = 0.025


@dataclass(frozen=True, slots=True)
class Quantile:
    """A quantile, and the bounds that hold the true one with 95 %, None where the rows do not reach that far.

    `estimate.se` is the half width of the interval divided by 1.96.
    """

    estimate: Estimate
    low: float | None = None
    high: float | None = None


@lru_cache(maxsize=4096)
def ranks(n: int, share: Fraction, alpha: float) -> tuple[int, int]:
    """Ranks (from 1) of the sample values that bound the quantile at `share` (0 to 1), each missed with at most alpha.

    0 and n + 1 where no value of the sample is far enough out. The number of rows below a quantile is binomial: the
    lower rank is the largest r with P(X < r) ≤ alpha, the upper the smallest s with P(X ≥ s) ≤ alpha.
    Source: Conover 1999, Practical Nonparametric Statistics, 3rd ed., section 3.2.
    """
    p = float(share)
    reach = 9 * math.sqrt(n * p * (1 - p)) + 9
    first, last = max(0, math.floor(n * p - reach)), min(n, math.ceil(n * p + reach))
    k = np.arange(first, last + 1)
    middle = min(max(round(n * p), first), last)
    up = np.cumprod((n - k[k >= middle][:-1]) / (k[k >= middle][1:]) * (p / (1 - p)))
    down = np.cumprod((k[k <= middle][::-1][:-1] / (n - k[k <= middle][::-1][1:])) * ((1 - p) / p))
    weights = np.concatenate([down[::-1], [1.0], up])
    weights /= weights.sum()
    below, above = np.cumsum(weights), np.cumsum(weights[::-1])[::-1]
    low = first + int((below <= alpha).sum())
    high = last + 1 - int((above <= alpha).sum())
    return low, high


def quantile(x: Floats, w: Floats, share: Fraction, *, variance: float | None = None) -> Quantile:
    """The smallest value that at least `share` of the rows stay at or below (numpy's "inverted_cdf").

    `x` (n,) ascending, `w` (n,) the weight of each, whole numbers of rows where `variance` is None. Else `variance`
    is that of the share of rows at or below the quantile, and the ranks are those of share · (1 − share) / variance
    independent rows, brought back to shares of the weight.
    Source: Woodruff 1952, JASA 47:635–646 (bounds of quantiles from bounds of shares).
    """
    if not len(x):
        return Quantile(undefined(NO_ROWS))
    upto = np.cumsum(w)
    total = float(upto[-1])
    if variance is None:
        n = round(total)
        each = 1.0
        wanted = float(math.ceil(share * n))
    else:
        n = math.floor(float(share * (1 - share)) / variance * (1 + 1e-9)) if variance > 0 else 1
        each = total / max(n, 1)
        wanted = float(share) * total

    def at(weight: float) -> float:
        # A hair less, so that rounding of added weights does not move to the next value.
        place = int(np.searchsorted(upto, weight * (1 - 1e-12)))
        return float(x[min(place, len(x) - 1)])

    value = at(wanted)
    low, high = ranks(n, share, ALPHA) if n else (0, 1)
    if low < 1 or high > n:
        few = f"too few rows to bound the value that {float(share):.0%} stay at or below"
        return Quantile(Estimate(value, None, "identity", "too_few", few))
    ends = (min(value, at(low * each)), max(value, at(high * each)))
    return Quantile(Estimate(value, (ends[1] - ends[0]) / 2 / NormalDist().inv_cdf(1 - ALPHA)), *ends)
