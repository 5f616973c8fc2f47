"""Exact one-sided errors of the closed forms at the limit, by enumeration, and the level that holds them.

A comparison errs when its bound lies on the wrong side of the limit although the truth sits on it. For two
binomial counts that probability is a finite sum; it depends on one unknown, the nuisance rate along the limit,
and the worst rate is searched for. The bounds grow with x1 and fall with x2, so no truth beyond the limit errs
more often than one on it, and for each count of the smaller group one threshold of the other count says it all.
Needs numpy; imported only for rules with `calibrate: true`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, lgamma, pi, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_SMALLER = 200
MOST_LARGER = 1_000_000
# The error is a polynomial in the nuisance rate, whose features are as wide as a standard deviation of the counts:
# STEP is the distance of the first grid in that unit, REFINED divides it around the maxima. On this scale the
# second derivative of the error P is at most about ½ + √(2P) (Cauchy–Schwarz on the second score), so that
# between two points STEP / REFINED apart the curve rises at most (STEP / REFINED)² / 8 × 0.8 = 3e-5 above them;
# MARGIN, a share of the declared error, is kept free for that.
STEP, REFINED, MARGIN = 0.2, 12, 0.005
CLOSE = 1.02
LEAST_LEVEL = 1e-12
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A level, and the error that it was proved to keep; `level` None: none keeps it at these sizes."""

    level: float | None
    proved: float | None


def can_enumerate(n1: int, n2: int | None = None) -> bool:
    """Whether the sizes are within reach: the smaller of two at most 200, the larger (or one alone) at most 10⁶."""
    if n2 is None:
        return 0 < n1 <= MOST_LARGER
    return 0 < min(n1, n2) <= MOST_SMALLER and max(n1, n2) <= MOST_LARGER


def worst_error(n1: int, n2: int | None, compare: str | None, limit: float, alpha: float, *,
                cells: float = 0.0) -> float:
    """The largest probability (0 to 1), over all true rates on the limit, that the lower bound reaches the limit.

    `compare`: "difference" (p1 − p2, Newcombe), "ratio" (p1 / p2, square-and-add) or None (p1 alone, Wilson;
    n2 is not read). The lower bound at one-sided `alpha` reaches the limit where a comparison passes a minimum
    or fails a maximum; for an upper bound exchange the groups and negate or invert the limit.
    `cells`: only rates at which each of the expected events and non-events is at least that. 0 where no pair of
    rates lies on the limit.

    Raises: ValueError for sizes out of reach or a ratio's limit that is not above 0.
    """
    _check(n1, n2, compare, limit)
    if n2 is None or compare is None:
        return _tail(n1, limit, alpha) if n1 * min(limit, 1 - limit) >= cells else 0.0
    curve = _curve(n1, n2, compare, limit)
    if curve is None:
        return 0.0
    p1 = curve.rates + limit if compare == "difference" else curve.rates * limit
    expected = np.minimum(n1 * np.minimum(p1, 1 - p1), n2 * np.minimum(curve.rates, 1 - curve.rates))
    if cells > 0:
        values = curve.errors(alpha)[expected >= cells]
        return float(values.max(initial=0.0))
    values = curve.errors(alpha)
    return max(float(values.max()), float(curve.near_maxima(values).errors(alpha).max()))


@lru_cache(maxsize=4096)
def calibrated_level(n1: int, n2: int | None, compare: str | None, limit: float, declared: float) -> Calibrated:
    """The largest level up to `declared` (within 2 %) whose `worst_error` is at most `declared`, and that error.

    Arguments and errors as in `worst_error`; `proved` is the error found plus what the search may have missed.
    """
    _check(n1, n2, compare, limit)
    target, missed = declared * (1 - MARGIN), declared * MARGIN
    if n2 is None or compare is None:
        level, worst = _largest(lambda a: _tail(n1, limit, a), declared, declared)
        return Calibrated(level, worst)
    curve = _curve(n1, n2, compare, limit)
    if curve is None:
        return Calibrated(declared, 0.0)
    level, worst = _search(curve, declared, target)
    while level is not None:
        # A smaller level moves the maxima, so they are looked for again until the level stands.
        near = curve.near_maxima(curve.errors(level))
        refined, found = _search(near, level, target)
        if refined == level:
            return Calibrated(level, max(worst, found) + missed)
        level = refined
        worst = 0.0 if level is None else float(curve.errors(level).max())
    return Calibrated(None, None)


@dataclass(frozen=True)
class _Curve:
    """The error along the limit at some nuisance rates.

    `rates` (g,) are those of group 2; `weights` (g, n + 1) are the probabilities of the counts of the group with
    fewer rows; `below` (g, w) is the distribution function of the other group's count from `start` (g,) on.
    """

    n1: int
    n2: int
    compare: str
    limit: float
    rates: Floats
    weights: Floats
    start: Ints
    below: Floats

    def errors(self, alpha: float) -> Floats:
        """The error at each rate, shape (g,)."""
        first = self.n1 <= self.n2
        count = _thresholds(self.n1, self.n2, self.compare, self.limit, alpha)
        at = count[None, :] - 1 - self.start[:, None]
        rows = np.arange(len(self.rates))[:, None]
        chance = np.where(at < 0, 0.0, self.below[rows, np.clip(at, 0, self.below.shape[1] - 1)])
        return np.asarray((self.weights * (chance if first else 1 - chance)).sum(axis=1))

    def only(self, keep: NDArray[np.bool_]) -> _Curve:
        """The curve at some of its rates."""
        return _Curve(self.n1, self.n2, self.compare, self.limit, self.rates[keep], self.weights[keep],
                      self.start[keep], self.below[keep])

    def near_maxima(self, values: Floats) -> _Curve:
        """The curve at finer steps around the maxima of `values` that come near the largest."""
        padded = np.concatenate([[-1.0], values, [-1.0]])
        peaks = np.flatnonzero((values >= padded[:-2]) & (values >= padded[2:]) & (values >= 0.93 * values.max()))
        peaks = peaks[np.argsort(-values[peaks], kind="stable")][:12]
        last = len(self.rates) - 1
        found = [np.linspace(self.rates[max(0, i - 1)], self.rates[min(last, i + 1)], 2 * REFINED + 1)
                 for i in peaks.tolist()]
        return _at(self.n1, self.n2, self.compare, self.limit, np.unique(np.concatenate(found)))


def _check(n1: int, n2: int | None, compare: str | None, limit: float) -> None:
    if not can_enumerate(n1, n2 if compare else None) or compare not in ("difference", "ratio", None):
        raise ValueError(f"no enumeration of a {compare} for {n1} and {n2} rows")
    if compare == "ratio" and not limit > 0:
        raise ValueError(f"a ratio has no limit {limit}")


def _search(curve: _Curve, declared: float, target: float) -> tuple[float | None, float]:
    """The largest level at which the curve stays within `target`, and the largest error there.

    Regions shrink with the level, so that a rate that is within at one level is within at every smaller one.
    """
    live = curve

    def worst(alpha: float) -> float:
        nonlocal live
        values = live.errors(alpha)
        if values.max() > target:
            live = live.only(values > target)
        return float(values.max())

    level, _ = _largest(worst, declared, target)
    return (None, 1.0) if level is None else (level, float(curve.errors(level).max()))


def _largest(worst: Callable[[float], float], declared: float, target: float) -> tuple[float | None, float]:
    """The largest level up to `declared` (within CLOSE) with `worst(level)` at most `target`, and that error."""
    high, error = declared, worst(declared)
    if error <= target:
        return declared, error
    low = low_error = None
    while low is None or high / low > CLOSE:
        guess = high * min(0.95, max(0.1, target / error)) if low is None else sqrt(low * high)
        if guess < LEAST_LEVEL:
            return None, 1.0
        error = worst(guess)
        if error <= target:
            low, low_error = guess, error
        else:
            high = guess
    return low, low_error if low_error is not None else 1.0


def _tail(n: int, limit: float, alpha: float) -> float:
    """P(Wilson's lower bound reaches `limit`) for n rows at the rate `limit`."""
    if not 0 < limit < 1:
        return 0.0
    x = np.arange(n + 1)
    reached = np.flatnonzero(_wilson(x, n, _z(alpha))[0] >= limit - _ROUNDING)
    if not reached.size:
        return 0.0
    start, below = _distribution(n, np.array([limit]))
    k = int(reached[0]) - 1 - int(start[0])
    return float(1 - (below[0, min(k, below.shape[1] - 1)] if k >= 0 else 0.0))


@lru_cache(maxsize=64)
def _curve(n1: int, n2: int, compare: str, limit: float) -> _Curve | None:
    """The curve on the first grid; None where no pair of rates inside 0 to 1 lies on the limit."""
    low, high = (max(0.0, -limit), min(1.0, 1 - limit)) if compare == "difference" else (0.0, min(1.0, 1 / limit))
    if high - low <= 1e-9:
        return None
    fine = low + (high - low) * np.sin(np.linspace(0, pi / 2, 4001)) ** 2
    middle = (fine[1:] + fine[:-1]) / 2
    p1, slope = (middle + limit, 1.0) if compare == "difference" else (middle * limit, limit)
    # Distance in standard deviations of both counts; what the larger has beyond four times the smaller adds no
    # feature, because it only sharpens the threshold.
    most = 4 * min(n1, n2)
    speed = np.sqrt(slope * slope * min(n1, most) / np.clip(p1 * (1 - p1), 1e-12, 1)
                    + min(n2, most) / np.clip(middle * (1 - middle), 1e-12, 1))
    walked = np.concatenate([[0.0], np.cumsum(speed * np.diff(fine))])
    even = np.linspace(0, walked[-1], max(24, ceil(walked[-1] / STEP)) + 1)
    return _at(n1, n2, compare, limit, np.interp(even, walked, fine))


def _at(n1: int, n2: int, compare: str, limit: float, rates: Floats) -> _Curve:
    """The curve at the nuisance rates p2 in `rates`."""
    p2 = np.clip(rates, 1e-12, 1 - 1e-12)
    p1 = np.clip(rates + limit if compare == "difference" else rates * limit, 1e-12, 1 - 1e-12)
    small, large = ((n1, p1), (n2, p2)) if n1 <= n2 else ((n2, p2), (n1, p1))
    start, below = _distribution(*large)
    return _Curve(n1, n2, compare, limit, rates, _probabilities(*small), start, below)


def _probabilities(n: int, p: Floats) -> Floats:
    """Binomial probabilities of 0 to n, shape (len(p), n + 1)."""
    x = np.arange(n + 1)
    ways = np.array([lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) for k in range(n + 1)])
    return np.asarray(np.exp(ways + x * np.log(p)[:, None] + (n - x) * np.log1p(-p)[:, None]))


def _distribution(n: int, p: Floats) -> tuple[Ints, Floats]:
    """P(X ≤ start + j) of a binomial X, shape (len(p), width); what lies outside is below 1e-15."""
    half = ceil(8 * sqrt(n * float((p * (1 - p)).max()))) + 25
    width = min(n, 2 * half) + 1
    start = np.clip(np.floor(n * p).astype(np.int64) - half, 0, n + 1 - width)
    x = start[:, None] + np.arange(width - 1)
    steps = np.log((n - x) / (x + 1)) + (np.log(p) - np.log1p(-p))[:, None]
    logs = np.concatenate([np.zeros((len(p), 1)), np.cumsum(steps, axis=1)], axis=1)
    below = np.cumsum(np.exp(logs - logs.max(axis=1, keepdims=True)), axis=1)
    return start, below / below[:, -1:]


def _thresholds(n1: int, n2: int, compare: str, limit: float, alpha: float) -> Ints:
    """For each count of the smaller group: how many counts of group 2 let the bound reach the limit when group 1
    is the smaller, else how many counts of group 1 do not; both are the lowest ones."""
    first, z = n1 <= n2, _z(alpha)
    small, large = (n1, n2) if first else (n2, n1)
    x = np.arange(small + 1)
    low, high = np.zeros(small + 1, dtype=np.int64), np.full(small + 1, large + 1, dtype=np.int64)
    while (low < high).any():
        middle = np.minimum((low + high) // 2, large)
        bound = _lower(x, n1, middle, n2, compare, z) if first else _lower(middle, n1, x, n2, compare, z)
        counted = (bound >= limit - _ROUNDING) == first
        open_ = low < high
        low, high = np.where(open_ & counted, middle + 1, low), np.where(open_ & ~counted, middle, high)
    return low


def _lower(x1: Ints, n1: int, x2: Ints, n2: int, compare: str, z: float) -> Floats:
    """`intervals.newcombe` or `intervals.ratio`, the lower bound of many counts at once."""
    p1, p2 = x1 / n1, x2 / n2
    l1, u2 = _wilson(x1, n1, z)[0], _wilson(x2, n2, z)[1]
    if compare == "difference":
        return np.asarray(p1 - p2 - np.hypot(p1 - l1, u2 - p2))
    both, a, c = p1 * p2, u2 * (2 * p2 - u2), l1 * (2 * p1 - l1)
    root = both + np.sqrt(np.maximum(0.0, both * both - a * c))
    return np.where(x1 == 0, 0.0, c / np.where(root > 0, root, 1.0))


def _wilson(x: Ints, n: int, z: float) -> tuple[Floats, Floats]:
    p, zz = x / n, z * z
    centre, scale = p + zz / (2 * n), 1 + zz / n
    half = z * np.sqrt(p * (1 - p) / n + zz / (4 * n * n))
    return (np.where(x == 0, 0.0, np.maximum(0.0, (centre - half) / scale)),
            np.where(x == n, 1.0, np.minimum(1.0, (centre + half) / scale)))


def _z(alpha: float) -> float:
    return -NormalDist().inv_cdf(alpha)
