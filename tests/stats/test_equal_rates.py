"""Which test of equal rates a search takes, and its exact errors by enumeration."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from govern.stats.equal_rates import EXACT_BELOW, SCREEN, equal_rates_p
from govern.stats.fisher import fisher_p, score_p


def test_which_test_is_taken():
    assert equal_rates_p(10, 30, 40, 100) == score_p(10, 30, 40, 100) > SCREEN
    assert equal_rates_p(2, 30, 40, 100) == fisher_p(2, 30, 40, 100) != score_p(2, 30, 40, 100)
    many = (60 * EXACT_BELOW, 100 * EXACT_BELOW, 61 * EXACT_BELOW, 100 * EXACT_BELOW)
    assert equal_rates_p(*many) == score_p(*many) < SCREEN


def _chance_of_rejecting(p_value, n1: int, n2: int, rate: float, level: float) -> float:
    """P(p-value ≤ level) for two binomial counts of the same rate, by enumeration over the larger masses."""
    a, b = (stats.binom.pmf(np.arange(n + 1), n, rate) for n in (n1, n2))
    where = np.argwhere(np.outer(a, b) > 1e-12)
    return math.fsum(a[x1] * b[x2] for x1, x2 in where.tolist() if p_value(x1, n1, x2, n2) <= level)


@pytest.mark.parametrize("n1, n2, rate", [(30, 300, 0.2), (30, 300, 0.5), (60, 200, 0.1), (40, 40, 0.3)])
@pytest.mark.parametrize("level", [0.05, 0.001, 0.0001])
def test_the_level_is_held(n1, n2, rate, level):
    assert _chance_of_rejecting(equal_rates_p, n1, n2, rate, level) <= level


def test_the_score_test_alone_would_not_hold_the_level_of_a_search():
    assert _chance_of_rejecting(score_p, 50, 3000, 0.1, 0.0001) > 0.0002
    assert _chance_of_rejecting(equal_rates_p, 50, 3000, 0.1, 0.0001) <= 0.0001
