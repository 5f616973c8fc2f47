"""Exact one-sided errors at the limit, by enumerating every outcome of two groups."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats as oracle

from govern.policy.decide import small_sample
from govern.policy.quantities import Difference, Rate
from govern.stats.exact import calibrated_level, worst_error
from govern.stats.intervals import agresti_caffo, clopper_pearson, jeffreys, newcombe, ratio, wilson

RATES = [round(r, 2) for r in np.linspace(0.02, 0.98, 25).tolist()]
Interval = Callable[[float, float, float, float, float], tuple[float, float]]


def _bounds(interval: Interval, n1: int, n2: int, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    table = np.array([[interval(a, n1, b, n2, alpha) for b in range(n2 + 1)] for a in range(n1 + 1)])
    return table[..., 0], table[..., 1]


def _worst(interval: Interval, n1: int, n2: int, cases: list[tuple[float, float, float]]) -> float:
    """The largest probability that a bound at 5 % lies beyond the truth, where every expected cell is ≥ 5."""
    low, high = _bounds(interval, n1, n2, 0.05)
    worst = 0.0
    for p1, p2, truth in cases:
        if min(n1 * p1, n1 * (1 - p1), n2 * p2, n2 * (1 - p2)) < 5:
            continue
        weight = np.outer(oracle.binom.pmf(range(n1 + 1), n1, p1), oracle.binom.pmf(range(n2 + 1), n2, p2))
        worst = max(worst, weight[low > truth + 1e-12].sum(), weight[high < truth - 1e-12].sum())
    assert worst > 0
    return worst


SIZES = [(20, 60), (30, 30), (50, 200), (100, 60), (120, 120)]
DIFFERENCES = (-0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2)


@pytest.mark.parametrize(("n1", "n2"), SIZES)
def test_difference_errs_at_most_six_and_a_half_percent(n1: int, n2: int) -> None:
    cases = [(p + d, p, d) for p in RATES for d in DIFFERENCES if 0 < p + d < 1]
    assert _worst(newcombe, n1, n2, cases) <= 0.065
    assert _worst(agresti_caffo, n1, n2, cases) <= 0.065


@pytest.mark.parametrize(("n1", "n2"), SIZES)
def test_ratio_errs_at_most_six_and_a_half_percent(n1: int, n2: int) -> None:
    cases = [(p * r, p, r) for p in RATES for r in (0.8, 0.9, 1.0)]
    assert _worst(ratio, n1, n2, cases) <= 0.065


@pytest.mark.parametrize(("n1", "n2", "compare", "limit"), [
    (20, 22, "difference", -0.2), (22, 26, "difference", -0.2), (16, 16, "difference", -0.1), (14, 14, "ratio", 0.8),
    (20, 18, "ratio", 0.8), (12, 14, "difference", -0.1), (58, 147, "difference", -0.2), (182, 147, "ratio", 0.8)])
def test_small_samples_need_the_smaller_level_of_the_gate(n1: int, n2: int, compare: str, limit: float) -> None:
    """Sizes at which the closed forms err most where expected counts are 5 or more."""
    factor = small_sample(Difference(Rate(0, n1), Rate(0, n2)))
    assert worst_error(n1, n2, compare, limit, 0.05 * factor, cells=5) <= 0.065
    if min(n1, n2) < 30:
        assert worst_error(n1, n2, compare, limit, 0.05, cells=5) > 0.065


def test_few_events_need_the_calibrated_level() -> None:
    """5 rows against 200: no closed form keeps 5 %, the calibrated level does."""
    case = (5, 200, "difference", -0.05)
    assert worst_error(*case, 0.05) > 0.1
    level = calibrated_level(*case, 0.05).level
    assert level is not None
    assert worst_error(*case, level) <= 0.05


def test_single_rates() -> None:
    """The exact bounds never err more than declared; the score bounds and Jeffreys' less than 9 % even so."""
    for n in (10, 35, 120):
        for interval, most in ((clopper_pearson, 0.05), (wilson, 0.09), (jeffreys, 0.09)):
            bounds = [interval(x, n, 0.05) for x in range(n + 1)]
            for p in RATES:
                if interval is not clopper_pearson and min(n * p, n * (1 - p)) < 5:
                    continue
                weight = oracle.binom.pmf(range(n + 1), n, p)
                assert sum(w for w, b in zip(weight, bounds, strict=True) if b[0] > p) <= most + 1e-12
                assert sum(w for w, b in zip(weight, bounds, strict=True) if b[1] < p) <= most + 1e-12
