"""Mantel–Haenszel summaries against published figures and formulas written out a second time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from govern.stats.stratified import ALL_ALIKE, NO_STRATUM, risk_difference, risk_ratio

# Tuberculosis in 13 trials of the BCG vaccine: cases and others, vaccinated and not.
# Source: Colditz et al. 1994, JAMA 271:698–702, as in the data set dat.bcg of R's metafor.
BCG = [(4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761),
       (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232),
       (17, 1699, 65, 1600), (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825)]
TRIALS = [(a, a + b, c, c + d) for a, b, c, d in BCG]


def test_published_risk_difference() -> None:
    """metafor's rma.mh(measure = "RD"), which has Sato's variance: −0.003288181832613, 2.866567485e-04."""
    e = risk_difference(TRIALS)
    assert (e.value, e.transform, e.status) == (pytest.approx(-3.288181832613e-03, abs=1e-14), "identity", "ok")
    assert e.se == pytest.approx(2.866567485273736e-04, rel=1e-12)
    small = risk_difference([(21, 41, 2, 12), (14, 31, 12, 34), (11, 23, 9, 16)])
    assert (small.value, small.se) == (pytest.approx(0.114863, abs=5e-7), pytest.approx(0.082751, abs=5e-7))


def test_published_risk_ratio() -> None:
    """Stata's metan, fixed, rr: 0.635 (0.588 to 0.686)."""
    e = risk_ratio(TRIALS)
    assert e.value is not None and e.se is not None
    ends = [e.value * math.exp(z * e.se) for z in (-1.959964, 1.959964)]
    assert [round(v, 3) for v in (e.value, *ends)] == [0.635, 0.588, 0.686]


def second_way(strata: np.ndarray) -> tuple[float, float, float, float]:
    """Weighted means of the strata's own differences and ratios, and the variances in the papers' letters."""
    a, n1, c, n0 = strata.T
    n = n1 + n0
    w = n1 * n0 / n
    difference = np.average(a / n1 - c / n0, weights=w)
    ratio = np.average((a / n1) / (c / n0), weights=c * n1 / n)
    b, d = n1 - a, n0 - c
    p = (n1**2 * c - n0**2 * a + n1 * n0 * (n0 - n1) / 2) / n**2
    q = (a * d + c * b) / (2 * n)
    m1 = a + c
    log_variance = np.sum((m1 * n1 * n0 - a * c * n) / n**2) / (np.sum(a * n0 / n) * np.sum(c * n1 / n))
    return difference, math.sqrt((difference * p.sum() + q.sum()) / w.sum() ** 2), ratio, math.sqrt(log_variance)


@pytest.mark.parametrize("seed", range(5))
def test_second_way_agrees(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(5, 300, (int(rng.integers(1, 8)), 2))
    x = rng.integers(1, sizes)
    strata = np.column_stack([x[:, 0], sizes[:, 0], x[:, 1], sizes[:, 1]]).astype(float)
    one, two = risk_difference(strata.tolist()), risk_ratio(strata.tolist())
    assert [one.value, one.se, two.value, two.se] == pytest.approx(second_way(strata), rel=1e-12)
    back = risk_difference(strata[::-1].tolist())
    assert (back.value, back.se) == (one.value, one.se)  # the order of levels changes no bit
    turned = risk_difference(strata[:, [2, 3, 0, 1]].tolist())
    assert (turned.value, turned.se) == (pytest.approx(-one.value), pytest.approx(one.se))


def test_simpsons_example_is_seen_through() -> None:
    """Equal rates in both levels, very different shares of the levels: no difference is left."""
    strata = [(80, 100, 8, 10), (1, 10, 10, 100)]
    e, r = risk_difference(strata), risk_ratio(strata)
    assert e.value == pytest.approx(0, abs=1e-15) and r.value == pytest.approx(1)
    assert 81 / 110 - 18 / 110 > 0.5


def test_empty_sides_drop_out_and_nothing_left_is_undefined() -> None:
    with_empty = [(3, 10, 2, 10), (0, 0, 5, 9), (4, 7, 0, 0)]
    assert risk_difference(with_empty) == risk_difference(with_empty[:1])
    assert risk_ratio(with_empty) == risk_ratio(with_empty[:1])
    for e in (risk_difference(with_empty[1:]), risk_ratio([])):
        assert (e.value, e.status, e.reason) == (None, "undefined", NO_STRATUM)


def test_no_interval_where_no_spread_was_seen() -> None:
    nobody, all_of_one = [(0, 10, 0, 12), (0, 5, 0, 4)], [(10, 10, 0, 12)]
    assert (risk_difference(nobody).value, risk_difference(nobody).reason) == (0.0, ALL_ALIKE)
    assert (risk_difference(all_of_one).value, risk_difference(all_of_one).status) == (1.0, "too_few")
    assert risk_ratio(nobody).reason == "the rate of the reference is 0 in every level"
    zero = risk_ratio([(0, 10, 3, 12)])
    assert (zero.value, zero.se, zero.status) == (0.0, None, "too_few")
    assert risk_ratio([(9, 9, 4, 4)]).reason == ALL_ALIKE


def test_coverage() -> None:
    """Nominal 95 % intervals over 4,000 samples of five levels of unequal size with a common difference."""
    rng = np.random.default_rng(4)
    n1, n0, base = np.array([10, 30, 40, 60, 100]), np.array([80, 20, 60, 40, 90]), np.array([.1, .2, .3, .4, .5])
    hit = 0
    for _ in range(4000):
        x1, x0 = rng.binomial(n1, base + 0.1), rng.binomial(n0, base)
        e = risk_difference([(float(a), int(m), float(c), int(k)) for a, m, c, k in zip(x1, n1, x0, n0, strict=True)])
        assert e.value is not None and e.se is not None
        hit += abs(e.value - 0.1) <= 1.959964 * e.se
    assert 0.94 <= hit / 4000 <= 0.96
