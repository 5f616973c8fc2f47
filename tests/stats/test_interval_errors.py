"""Exact one-sided errors at the limit, by enumerating every outcome of two groups."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats as oracle

from govern.stats.intervals import clopper_pearson, newcombe, ratio, wilson

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


@pytest.mark.parametrize(("n1", "n2"), SIZES)
def test_difference_errs_at_most_six_and_a_half_percent(n1: int, n2: int) -> None:
    cases = [(p + d, p, d) for p in RATES for d in (-0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2) if 0 < p + d < 1]
    assert _worst(newcombe, n1, n2, cases) <= 0.065


@pytest.mark.parametrize(("n1", "n2"), SIZES)
def test_ratio_errs_at_most_six_and_a_half_percent(n1: int, n2: int) -> None:
    cases = [(p * r, p, r) for p in RATES for r in (0.8, 0.9, 1.0)]
    assert _worst(ratio, n1, n2, cases) <= 0.065


def test_single_rates() -> None:
    """The exact bounds never err more than declared; the score bounds err less than 9 % even so."""
    for n in (10, 35, 120):
        for interval, most in ((clopper_pearson, 0.05), (wilson, 0.09)):
            bounds = [interval(x, n, 0.05) for x in range(n + 1)]
            for p in RATES:
                if interval is wilson and min(n * p, n * (1 - p)) < 5:
                    continue
                weight = oracle.binom.pmf(range(n + 1), n, p)
                assert sum(w for w, b in zip(weight, bounds, strict=True) if b[0] > p) <= most + 1e-12
                assert sum(w for w, b in zip(weight, bounds, strict=True) if b[1] < p) <= most + 1e-12
