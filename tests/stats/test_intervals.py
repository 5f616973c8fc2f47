from __future__ import annotations

import math
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats as oracle

from govern.stats.intervals import (
    chi2_sf,
    clopper_pearson,
    compare_difference,
    compare_rate,
    compare_ratio,
    jeffreys,
    mover_difference,
    newcombe,
    rate,
    ratio,
    small_cell,
    transformed,
    wilson,
)

FOUR_FIFTHS = Decimal("0.80")
Pair = tuple[float, float]
Count = tuple[int, int]
ALPHAS = st.sampled_from([0.05, 0.025, 0.01, 0.05 / 400])


@st.composite
def counts(draw: st.DrawFn, most: int = 400) -> Count:
    n = draw(st.integers(1, most))
    return draw(st.integers(0, n)), n


@given(counts(5000), ALPHAS)
@settings(max_examples=150, deadline=None)
def test_rate_bounds_equal_scipy(c: Count, alpha: float) -> None:
    test = oracle.binomtest(*c)
    for ours, method in ((wilson, "wilson"), (clopper_pearson, "exact")):
        theirs = test.proportion_ci(1 - 2 * alpha, method=method)
        assert ours(*c, alpha) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def grid(points: int = 2000) -> list[tuple[int, int, int, int, float]]:
    """(x1, n1, x2, n2, alpha) over sizes of 1 to 5,000, with both ends of the rates among them."""
    rng = np.random.default_rng(7)
    n = np.exp(rng.uniform(0, np.log(5000), (points, 2))).astype(int).clip(1)
    share = np.where(rng.random((points, 2)) < 0.15, rng.integers(0, 2, (points, 2)), rng.random((points, 2)))
    x = np.rint(share * n).astype(int)
    alpha = rng.choice([0.05, 0.025, 0.005, 0.05 / 190], points)
    return [(int(a), int(b), int(c), int(d), float(e)) for a, b, c, d, e in
            zip(x[:, 0], n[:, 0], x[:, 1], n[:, 1], alpha, strict=True)]


GRID = grid()


def wilson_roots(x: int, n: int, alpha: float) -> Pair:
    """The two rates whose score test just rejects: roots of (x/n − p)² n = z² p (1 − p)."""
    zz = oracle.norm.isf(alpha) ** 2
    low, high = sorted(np.roots([n + zz, -(2 * x + zz), x * x / n]).real.tolist())
    return low, high


def test_scores_and_their_differences_on_a_grid() -> None:
    for x1, n1, x2, n2, alpha in GRID:
        (l1, u1), (l2, u2) = wilson_roots(x1, n1, alpha), wilson_roots(x2, n2, alpha)
        assert wilson(x1, n1, alpha) == pytest.approx((l1, u1), abs=1e-9)
        p1, p2 = x1 / n1, x2 / n2
        low = p1 - p2 - math.sqrt((p1 - l1) ** 2 + (u2 - p2) ** 2)
        high = p1 - p2 + math.sqrt((u1 - p1) ** 2 + (p2 - l2) ** 2)
        assert newcombe(x1, n1, x2, n2, alpha) == pytest.approx((low, high), abs=1e-9)


def test_beta_quantiles_on_a_grid() -> None:
    x, n, _, _, alpha = (np.array(c) for c in zip(*GRID, strict=True))
    some, others = np.maximum(x, 0.1), np.maximum(n - x, 0.1)
    exact = (oracle.beta.ppf(alpha, some, n - x + 1), oracle.beta.isf(alpha, x + 1, others))
    half = (oracle.beta.ppf(alpha, x + 0.5, n - x + 0.5), oracle.beta.isf(alpha, x + 0.5, n - x + 0.5))
    # Exact where 0 or 1 is counted, or not counted: 0 of n above, 1 of n below.
    ends = (np.where((x == 1) | (x == n), exact[0], half[0]), np.where((x == 0) | (x == n - 1), exact[1], half[1]))
    for ours, (low, high) in ((clopper_pearson, exact), (jeffreys, ends)):
        low, high = np.where(x == 0, 0.0, low), np.where(x == n, 1.0, high)
        found = np.array([ours(a, b, c) for a, b, c in zip(x.tolist(), n.tolist(), alpha.tolist(), strict=True)])
        np.testing.assert_allclose(found, np.stack([low, high], axis=1), rtol=0, atol=1e-9)


def test_bounds_for_reading_are_jeffreys_in_small_cells_and_wilsons_elsewhere() -> None:
    assert rate(4, 100, 0.025) == jeffreys(4, 100, 0.025) and rate(96, 100, 0.025) == jeffreys(96, 100, 0.025)
    assert rate(5, 100, 0.025) == wilson(5, 100, 0.025) and small_cell(4.9, 100) and not small_cell(95, 100)


@given(st.floats(0.4, 60), st.floats(0, 1), st.floats(0, 1), ALPHAS)
@settings(max_examples=300, deadline=None)
def test_bounds_for_reading_hold_the_rate_and_rise_with_it(n: float, one: float, other: float, alpha: float) -> None:
    """Effective counts are no whole numbers."""
    a, b = (rate(s * n, n, alpha) for s in sorted((one, other)))
    for (low, high), s in zip((a, b), sorted((one, other)), strict=True):
        assert 0 <= low <= s * n / n <= high <= 1
    if n >= 1:
        assert a[0] <= b[0] + 1e-12 and a[1] <= b[1] + 1e-12


@pytest.mark.parametrize(("x", "n", "exact", "score"), [
    (100, 104, (0.904445, 0.989423), (0.9053, 0.9849)),
    (110, 116, (0.890815, 0.980784), (0.8917, 0.9761)),
])
def test_published_device_card(x: int, n: int, exact: Pair, score: Pair) -> None:
    """Sensitivity and specificity on a published CHAI card (Aidoc): its interval is the exact one."""
    assert clopper_pearson(x, n, 0.025) == pytest.approx(exact, abs=1e-6)
    assert wilson(x, n, 0.025) == pytest.approx(score, abs=5e-5)


@pytest.mark.parametrize(("cells", "interval"), [
    ((56, 70, 48, 80), (0.0524, 0.3339)),
    ((9, 10, 3, 10), (0.1705, 0.8090)),
    ((10, 10, 0, 20), (0.6791, 1.0)),
    ((5, 56, 0, 29), (-0.0381, 0.1926)),
    ((10, 10, 0, 10), (0.6075, 1.0)),
])
def test_newcombe_1998(cells: tuple[int, int, int, int], interval: Pair) -> None:
    """Method 10 in table II of Newcombe 1998."""
    assert newcombe(*cells, 0.025) == pytest.approx(interval, abs=5e-5)


def test_bounds_keep_a_width_at_the_ends() -> None:
    assert wilson(0, 3, 0.05)[0] == 0.0
    assert wilson(0, 3, 0.05)[1] > 0.4
    assert wilson(3, 3, 0.05)[1] == 1.0
    assert clopper_pearson(0, 10, 0.05) == pytest.approx((0.0, 1 - 0.05**0.1))
    assert newcombe(3, 3, 3, 3, 0.05)[0] < -0.4
    low, high = ratio(3, 3, 3, 3, 0.05)
    assert low < 0.6 < 1.6 < high


def test_ratio_with_nothing_on_one_side() -> None:
    assert ratio(0, 10, 5, 10, 0.05)[0] == 0.0
    low, high = ratio(5, 10, 0, 10, 0.05)
    assert low > 1
    assert math.isinf(high)
    assert ratio(0, 10, 0, 10, 0.05) == (0.0, math.inf)


@given(counts(), counts(), ALPHAS)
@settings(max_examples=200, deadline=None)
def test_difference_and_ratio_agree_about_no_gap(c1: Count, c2: Count, alpha: float) -> None:
    low, high = newcombe(*c1, *c2, alpha)
    low_ratio, high_ratio = ratio(*c1, *c2, alpha)
    assert -1 <= low <= c1[0] / c1[1] - c2[0] / c2[1] <= high <= 1
    assume(min(abs(low), abs(high)) > 1e-12)
    assert (low > 0) == (low_ratio > 1)
    assert (high < 0) == (high_ratio < 1)


@given(counts(), counts(), ALPHAS, st.sampled_from([0.5, 0.8, 1.25]))
@settings(max_examples=200, deadline=None)
def test_ratio_bounds_solve_their_equation(c1: Count, c2: Count, alpha: float, at: float) -> None:
    """r is below the lower bound exactly when the squared-and-added bounds of p1 − r·p2 lie above 0."""
    p1, p2 = c1[0] / c1[1], c2[0] / c2[1]
    scaled = tuple(at * v for v in wilson(*c2, alpha))
    low, high = mover_difference(p1, wilson(*c1, alpha), at * p2, (scaled[0], scaled[1]))
    assume(min(abs(low), abs(high)) > 1e-12)
    assert (ratio(*c1, *c2, alpha)[0] > at) == (low > 0)
    assert (ratio(*c1, *c2, alpha)[1] < at) == (high < 0)


@given(counts(), counts(), ALPHAS)
@settings(max_examples=100, deadline=None)
def test_swapping_groups_turns_the_ratio_round(c1: Count, c2: Count, alpha: float) -> None:
    assume(c1[0] > 0 and c2[0] > 0)
    low, high = ratio(*c1, *c2, alpha)
    back = ratio(*c2, *c1, alpha)
    assert back == pytest.approx((1 / high, 1 / low), rel=1e-9)


def test_transforms() -> None:
    z = 1.6448536269514722
    assert transformed(0.3, 0.1, "identity", 0.05) == pytest.approx((0.3 - 0.1 * z, 0.3 + 0.1 * z))
    low, high = transformed(0.9, 0.5, "logit", 0.05)
    assert math.log(low / (1 - low)) == pytest.approx(math.log(9) - 0.5 * z)
    assert math.log(high / (1 - high)) == pytest.approx(math.log(9) + 0.5 * z)
    low, high = transformed(2.0, 0.1, "log", 0.05)
    assert (low, high) == pytest.approx((2 * math.exp(-0.1 * z), 2 * math.exp(0.1 * z)))
    assert transformed(0.0, 0.01, "square", 0.05) == pytest.approx((0.0, math.sqrt(0.01 * z)))
    assert transformed(0.2, 0.01, "square", 0.05) == pytest.approx(
        (math.sqrt(0.04 - 0.01 * z), math.sqrt(0.04 + 0.01 * z)))


@given(st.floats(1e-9, 1 - 1e-9), st.sampled_from([0.0, 1e-17, 1e-9, 0.3, 40.0]),
       st.sampled_from(["identity", "logit", "log", "square"]))
@settings(max_examples=300, deadline=None)
def test_bounds_hold_the_value_however_small_the_error(value: float, se: float, transform: str) -> None:
    low, high = transformed(value, se, transform, 0.05)
    assert low <= value <= high
    assert mover_difference(value, (low, high), value, (low, high))[0] <= 0


def test_a_perfect_score_gets_the_bound_of_a_count_without_a_miss() -> None:
    assert transformed(1.0, 1 / math.sqrt(20), "logit", 0.025) == pytest.approx(wilson(20, 20, 0.025))
    assert transformed(0.0, 1 / math.sqrt(20), "logit", 0.025) == pytest.approx(wilson(0, 20, 0.025))


@pytest.mark.parametrize(("value", "se", "transform"), [
    (0.5, -0.1, "identity"), (math.nan, 0.1, "identity"), (0.5, math.inf, "logit"), (1.2, 0.1, "logit"),
    (0.0, 0.1, "log"), (-0.1, 0.1, "square"), (0.5, 0.1, "probit"),
])
def test_no_interval_is_made_up(value: float, se: float, transform: str) -> None:
    with pytest.raises(ValueError):
        transformed(value, se, transform, 0.05)


def test_squaring_and_adding() -> None:
    assert mover_difference(0.9, (0.8, 0.93), 0.7, (0.6, 0.8)) == pytest.approx(
        (0.2 - math.hypot(0.1, 0.1), 0.2 + math.hypot(0.03, 0.1)))
    with pytest.raises(ValueError, match="outside its own bounds"):
        mover_difference(0.9, (0.91, 0.95), 0.7, (0.6, 0.8))


def test_exactly_four_fifths_is_not_below() -> None:
    """Rates of the UGESP Q&A (45, 48 and 51 % against 60 %), and counts that floats put below 4/5."""
    assert 0.44 / 0.55 < 0.8
    for cells in ((48, 100, 60, 100), (48, 80, 60, 80), (44, 100, 55, 100)):
        assert compare_ratio(*cells, FOUR_FIFTHS) == 0
    assert compare_ratio(45, 100, 60, 100, FOUR_FIFTHS) == -1
    assert compare_ratio(51, 100, 60, 100, FOUR_FIFTHS) == 1


def test_exact_comparisons() -> None:
    assert 1 - 0.9 < 0.1
    assert compare_difference(10, 10, 9, 10, Decimal("0.1")) == 0
    assert compare_difference(3, 10, 1, 5, Decimal("0.1")) == 0
    assert compare_difference(3, 10, 1, 4, Decimal("0.1")) == -1
    assert compare_rate(1, 3, Fraction(1, 3)) == 0
    assert compare_rate(1, 3, Decimal("0.3333")) == 1
    assert compare_ratio(1, 10, 0, 10, Decimal("1000")) == 1
    assert compare_ratio(0, 10, 1, 10, FOUR_FIFTHS) == -1
    with pytest.raises(ValueError, match="undefined"):
        compare_ratio(0, 10, 0, 10, FOUR_FIFTHS)
    with pytest.raises(TypeError, match="exact"):
        compare_rate(1, 3, 0.8)  # type: ignore[arg-type]


@given(st.floats(0, 400), st.integers(1, 60))
@settings(max_examples=200, deadline=None)
def test_chi_square_tail(x: float, df: int) -> None:
    assert chi2_sf(x, df) == pytest.approx(oracle.chi2.sf(x, df), rel=1e-9, abs=1e-300)


def test_chi_square_tail_at_its_ends() -> None:
    assert chi2_sf(0, 3) == 1.0
    assert chi2_sf(math.inf, 3) == 0.0
    assert chi2_sf(1e6, 15) == 0.0
    for x, df in ((1.0, 0), (-1.0, 2), (math.nan, 2)):
        with pytest.raises(ValueError):
            chi2_sf(x, df)


@pytest.mark.parametrize("c", [(0, 0), (-1, 5), (6, 5), (1, math.inf)])
def test_counts_that_are_no_rate(c: tuple[float, float]) -> None:
    for f in (wilson, clopper_pearson, jeffreys):
        with pytest.raises(ValueError, match="not a rate"):
            f(*c, 0.05)
    for g in (newcombe, ratio):
        with pytest.raises(ValueError, match="not a rate"):
            g(*c, 1, 2, 0.05)
        with pytest.raises(ValueError, match="not a rate"):
            g(1, 2, *c, 0.05)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0, -0.1, math.nan])
def test_levels_that_are_none(alpha: float) -> None:
    for f in (wilson, clopper_pearson, jeffreys):
        with pytest.raises(ValueError, match="one-sided error"):
            f(1, 2, alpha)


def test_the_gate_needs_no_numpy() -> None:
    code = ("import sys, govern.stats.intervals, govern.stats.sizes\n"
            "print([m for m in ('numpy', 'scipy', 'pandas', 'sklearn') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
