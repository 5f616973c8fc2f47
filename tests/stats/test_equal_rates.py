"""p-values of equal rates against scipy, and their exact errors by enumeration."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from govern.stats.equal_rates import EXACT_BELOW, SCREEN, equal_rates_p, fisher_p, score_p

RNG = np.random.default_rng(7)
TABLES = [(0, 1, 0, 1), (1, 1, 0, 1), (0, 30, 0, 50), (30, 30, 50, 50), (3, 30, 900, 3000), (0, 40, 12, 60)]
TABLES += [(int(RNG.integers(0, a + 1)), int(a), int(RNG.integers(0, b + 1)), int(b))
           for a, b in RNG.integers(1, 400, (300, 2))]


@pytest.mark.parametrize("swap", [False, True])
def test_fisher_is_scipys(swap):
    for x1, n1, x2, n2 in TABLES:
        if swap:
            x1, n1, x2, n2 = x2, n2, x1, n1
        expected = stats.fisher_exact([[x1, n1 - x1], [x2, n2 - x2]]).pvalue
        assert fisher_p(x1, n1, x2, n2) == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_fisher_of_many_rows_is_scipys():
    for x1, n1, x2, n2 in [(700, 1_000, 650_000, 999_000), (60, 200, 300_000, 1_000_000), (5, 3_000, 9_000, 800_000)]:
        expected = stats.fisher_exact([[x1, n1 - x1], [x2, n2 - x2]]).pvalue
        assert fisher_p(x1, n1, x2, n2) == pytest.approx(expected, rel=1e-6)


def test_the_score_test_is_the_chi_square_without_correction():
    for x1, n1, x2, n2 in TABLES:
        if 0 < x1 + x2 < n1 + n2:
            table = [[x1, n1 - x1], [x2, n2 - x2]]
            expected = stats.chi2_contingency(table, correction=False).pvalue
            assert score_p(x1, n1, x2, n2) == pytest.approx(expected, rel=1e-9, abs=1e-300)
        else:
            assert score_p(x1, n1, x2, n2) == 1.0


def test_the_order_of_the_groups_changes_no_bit_of_the_score_test():
    assert all(score_p(a, b, c, d) == score_p(c, d, a, b) for a, b, c, d in TABLES)


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
