"""The expected calibration error, as others give it, with a band that holds whatever the true gaps are."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from govern.stats.estimate import Estimate
from govern.stats.intervals import Pair
from govern.stats.ranked import NOTHING, FloatArray, IntArray, Ranked
from govern.stats.score_means import too_few_rows

BINS = 15
ALPHA = 0.025


def expected_calibration_error(r: Ranked, bins: int = BINS) -> tuple[Estimate, Pair | None]:
    """Σ share · |observed rate − mean score| over `bins` bins of equal width, 0 to 1, and 95 % bounds.

    The usual plug-in value, for comparison with other tools: it is too high in small samples, since chance gaps count
    in full, and has no standard error around which it would be normal. But it lies no farther from the true one than
    Σ share · |chance gap|, which is about normal with mean Σ share √(2v/π) and variance Σ share² v (1 − 2/π), v being
    the variance of a bin's gap: the larger of the estimated one and that which the scores imply. Where rows repeat
    persons, bins may go together: the root of the variance is then at most Σ share √(v (1 − 2/π)). For probabilities
    that have rows; a score of 1 belongs to the last bin. Too few (a value, no bounds) below 30 rows.
    Source: Naeini, Cooper & Hauskrecht 2015, AAAI 29; Guo et al. 2017, ICML 34; the band is the triangle inequality
    with the moments of a half-normal variable.
    """
    at = np.minimum((r.score * bins).astype(np.int64), bins - 1)
    total = r.positive + r.negative
    off = np.asarray(np.bincount(at, r.pos * (1 - r.score) - r.neg * r.score, bins), np.float64)
    value = float(np.abs(off).sum()) / total
    few = too_few_rows(r)
    if few:
        return Estimate(value, None, "identity", "too_few", few), None
    mass = np.asarray(np.bincount(at, r.pos + r.neg, bins), np.float64)
    some = mass > 0
    share, v = mass[some] / total, _variance(r, at, off, mass, bins)[some]
    mean = float((share * np.sqrt(2 * v / math.pi)).sum())
    deviations = share * np.sqrt(v * (1 - 2 / math.pi))
    deviation = float(deviations.sum()) if r.repeats else math.sqrt(float((deviations**2).sum()))
    reach = mean + NormalDist().inv_cdf(1 - ALPHA) * deviation
    return Estimate(value), (max(0.0, value - reach), min(1.0, value + reach))


def _variance(r: Ranked, at: IntArray, off: FloatArray, mass: FloatArray, bins: int) -> FloatArray:
    """The variance of the gap of each bin, (bins,); `off` Σ weight · (label − score), `mass` Σ weight of each."""
    held = np.where(mass > 0, mass, 1.0)
    gap = off / held
    squared = r.pos2 + r.neg2
    if r.repeats is None:
        units = np.bincount(at, squared, bins)
        squares = np.bincount(at, r.pos2 * (1 - r.score - gap[at]) ** 2 + r.neg2 * (r.score + gap[at]) ** 2, bins)
    else:
        rows = r.repeats
        own = at[rows.place]
        code, influence = rows.unit * bins + own, rows.w * (rows.y - r.score[rows.place] - gap[own])
        pairs, place = np.unique(code, return_inverse=True)
        each, weight = (np.bincount(place, x) ** 2 for x in (influence, rows.w))
        squares, units = (np.bincount(pairs % bins, x, bins) for x in (each, weight))
    free = held - units / held
    seen = np.where(free > NOTHING * held, squares / np.where(free > NOTHING * held, free, 1.0) / held, 0.0)
    # What the scores imply of one row, times the rows that the weights and persons of the bin are worth.
    one = np.bincount(at, (r.pos + r.neg) * r.score * (1 - r.score), bins) / held
    found: FloatArray = np.maximum(seen, one * units / held**2)
    return found
