"""Tests of equal rates against exact fractions and scipy, and the worked numbers of the four-fifths convention."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from govern.stats.fisher import fisher_p, holm, least_expected, pooled_z, score_p

RNG = np.random.default_rng(7)
TABLES = [(0, 1, 0, 1), (1, 1, 0, 1), (0, 30, 0, 50), (30, 30, 50, 50), (3, 30, 900, 3000), (0, 40, 12, 60)]
TABLES += [(int(RNG.integers(0, a + 1)), int(a), int(RNG.integers(0, b + 1)), int(b))
           for a, b in RNG.integers(1, 400, (300, 2))]
SIZES = (1, 2, 5, 10, 17, 30, 100)
GRID = [(x1, n1, x2, n2) for n1 in SIZES for n2 in SIZES
        for x1 in sorted({0, n1 // 5, n1 // 2, n1}) for x2 in sorted({0, n2 // 3, n2 // 2, n2})]


def exact(x1: int, n1: int, x2: int, n2: int) -> Fraction:
    """The p-value by its definition."""
    k = x1 + x2
    low = max(0, k - n2)
    ways = [math.comb(n1, x) * math.comb(n2, k - x) for x in range(low, min(k, n1) + 1)]
    return Fraction(sum(w for w in ways if w <= ways[x1 - low]), sum(ways))


def scipys(x1: int, n1: int, x2: int, n2: int) -> float:
    return stats.fisher_exact([[x1, n1 - x1], [x2, n2 - x2]]).pvalue


def test_fisher_is_its_definition_on_a_grid_and_on_draws():
    assert len(GRID) > 500
    # Equal sizes have tables of equal chance on both sides of the likeliest.
    tied = [(x1, n, x2, n) for n in (4, 7, 12, 50) for x1 in range(n + 1) for x2 in range(0, n + 1, 3)]
    for table in (*GRID, *TABLES, *tied):
        assert fisher_p(*table) == pytest.approx(float(exact(*table)), rel=1e-14), table


def test_fisher_is_scipys_on_a_grid():
    for table in (*GRID, *TABLES):
        assert abs(fisher_p(*table) - scipys(*table)) <= 1e-12, table


def test_exchanging_the_groups_or_the_outcomes_changes_nothing():
    for x1, n1, x2, n2 in TABLES:
        p = fisher_p(x1, n1, x2, n2)
        assert fisher_p(x2, n2, x1, n1) == pytest.approx(p, rel=1e-13)
        assert fisher_p(n1 - x1, n1, n2 - x2, n2) == pytest.approx(p, rel=1e-13)


@pytest.mark.parametrize("table", [(700, 1_000, 650_000, 999_000), (60, 200, 300_000, 1_000_000),
                                   (5, 3_000, 9_000, 800_000), (250_000, 500_000, 251_000, 500_000)])
def test_fisher_of_a_million_rows(table):
    # scipy goes by logarithms of factorials there, which keep about nine digits.
    assert fisher_p(*table) == pytest.approx(scipys(*table), rel=1e-7)


def test_fisher_of_a_million_rows_to_the_last_digits():
    for x1, n1, x2, n2 in [(250_000, 500_000, 251_000, 500_000), (250_000, 500_000, 255_000, 500_000),
                           (5_000, 100_000, 5_600, 110_000)]:
        k = x1 + x2
        with localcontext() as context:
            context.prec = 40
            chances, x = {x1: Decimal(1)}, x1
            while x < k and chances[x] > Decimal("1e-60"):
                chances[x + 1] = chances[x] * ((n1 - x) * (k - x)) / ((x + 1) * (n2 - k + x + 1))
                x += 1
            x = x1
            while x > 0 and chances[x] > Decimal("1e-60"):
                chances[x - 1] = chances[x] * (x * (n2 - k + x)) / ((n1 - x + 1) * (k - x + 1))
                x -= 1
            no_likelier = [c for c in chances.values() if c <= 1 + Decimal("1e-30")]
            expected = float(sum(no_likelier) / sum(chances.values()))
        assert fisher_p(x1, n1, x2, n2) == pytest.approx(expected, rel=1e-14)


def test_fisher_of_counts_of_a_few_thousand_is_its_definition():
    for table in [(700, 1500, 900, 1700), (30, 4000, 70, 3900), (1000, 2000, 1100, 2000), (400, 900, 1800, 3000)]:
        assert fisher_p(*table) == pytest.approx(float(exact(*table)), rel=1e-13)


def test_next_to_impossible_is_nought():
    assert fisher_p(0, 5000, 5000, 5000) == 0.0
    assert 0 < fisher_p(0, 400, 400, 400) < 1e-200


def test_the_score_test_is_the_chi_square_without_correction():
    for x1, n1, x2, n2 in TABLES:
        if 0 < x1 + x2 < n1 + n2:
            table = [[x1, n1 - x1], [x2, n2 - x2]]
            expected = stats.chi2_contingency(table, correction=False)
            assert score_p(x1, n1, x2, n2) == pytest.approx(expected.pvalue, rel=1e-9, abs=1e-300)
            z = pooled_z(x1, n1, x2, n2)
            assert z * z == pytest.approx(expected.statistic, rel=1e-12)
            assert least_expected(x1, n1, x2, n2) == pytest.approx(expected.expected_freq.min())
        else:
            assert score_p(x1, n1, x2, n2) == 1.0
            assert pooled_z(x1, n1, x2, n2) is None


def test_the_order_of_the_groups_changes_no_bit_of_the_score_test():
    assert all(score_p(a, b, c, d) == score_p(c, d, a, b) for a, b, c, d in TABLES)
    known = [t for t in TABLES if pooled_z(*t) is not None]
    assert all(pooled_z(a, b, c, d) == -pooled_z(c, d, a, b) for a, b, c, d in known)


@pytest.mark.parametrize(("table", "z", "p"), [
    ((1, 10, 3, 20), -0.380, 1.000), ((12, 40, 48, 80), -3.098, 0.00341), ((26, 48, 206, 259), -3.757, 0.000404)])
def test_worked_numbers(table, z, p):
    assert pooled_z(*table) == pytest.approx(z, abs=5e-4)
    assert fisher_p(*table) == pytest.approx(p, rel=2e-3)


def test_holm_on_a_worked_example():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.4, 0.6]) == pytest.approx([0.8, 0.8])
    assert holm([]) == [] and holm([0.2]) == [0.2] and holm([0.9, 0.9, 0.8]) == [1.0] * 3
