"""Exact sums by cell against math.fsum, in any order and in any parts."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govern.stats.exact_sum import BLOCK, ExactSums

FINITE = st.floats(allow_nan=False, allow_infinity=False, min_value=-2.0**1000, max_value=2.0**1000)
ROWS = st.lists(st.tuples(st.integers(0, 3), FINITE), max_size=60)


def by_fsum(k, cells, values):
    rows = list(zip(np.asarray(cells).tolist(), np.asarray(values).tolist(), strict=True))
    return [math.fsum(v for c, v in rows if c == cell) for cell in range(k)]


def sums_of(k, cells, values):
    sums = ExactSums(k)
    sums.add(np.asarray(cells, np.int32), np.asarray(values, np.float64))
    return sums


@settings(max_examples=300, deadline=None)
@given(ROWS)
def test_any_finite_values_give_what_fsum_gives(rows):
    cells, values = [c for c, _ in rows], [v for _, v in rows]
    assert sums_of(4, cells, values).totals().tolist() == by_fsum(4, cells, values)


@pytest.mark.parametrize("seed", range(3))
def test_all_exponents_and_both_signs(seed):
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, 7, 20_000)
    values = np.ldexp(rng.normal(size=20_000), rng.integers(-1080, 1000, 20_000))
    assert sums_of(7, cells, values).totals().tolist() == by_fsum(7, cells, values)


def test_more_rows_than_a_block_of_the_widest_halves():
    # Every bit set and one sign: the sums inside a block come as near to 2⁵³ units as they can.
    values = np.full(2 * BLOCK + 5, np.nextafter(2.0**8, 0))
    values[::3] = np.nextafter(1.0 + 2.0**-20, 0)
    cells = np.arange(len(values)) % 2
    assert sums_of(2, cells, values).totals().tolist() == by_fsum(2, cells, values)


def test_order_batches_and_merging_change_no_bit():
    rng = np.random.default_rng(5)
    n = 30_000
    cells, values = rng.integers(0, 5, n), rng.standard_cauchy(n)
    expected = sums_of(5, cells, values).totals().tobytes()
    naive = np.bincount(cells, values)
    for seed in range(4):
        order = np.random.default_rng(seed).permutation(n)
        c, v = cells[order], values[order]
        cut = np.sort(np.random.default_rng(seed).integers(0, n, 3))
        whole = ExactSums(0)
        for a, b in zip([0, *cut], [*cut, n], strict=True):
            part = ExactSums(1)
            part.grow(5)
            part.add(c[a:b].astype(np.int32), v[a:b])
            whole.merge(part)
        assert whole.totals().tobytes() == expected
    # The plain sums do depend on the order, so the test above can fail.
    assert np.bincount(cells[::-1], values[::-1]).tobytes() != naive.tobytes()


def test_cancelling_and_subnormal_values():
    tiny = 5e-324
    values = [1e308, 1e308, -1e308, -1e308, tiny, 1.0, 2.0**-53, 2.0**-53, -0.0]
    cells = [0, 0, 0, 0, 0, 1, 1, 1, 2]
    assert sums_of(3, cells, values).totals().tolist() == [tiny, 1.0 + 2.0**-52, 0.0]


def test_growing_keeps_sums_and_never_shrinks():
    sums = sums_of(2, [0, 1, 1], [0.1, 0.2, 0.3])
    sums.grow(4)
    sums.grow(1)
    sums.add(np.array([3]), np.array([7.5]))
    assert len(sums) == 4
    assert sums.totals().tolist() == [0.1, 0.5, 0.0, 7.5]


def test_views_float32_and_nothing_are_taken():
    sums = ExactSums(1)
    sums.add(np.array([], np.int64), np.array([]))
    sums.add(np.zeros(3, np.uint8), np.array([0.1, 9, 0.2, 9, 0.3, 9])[::2])
    sums.add(np.zeros(1, np.int64), np.array([0.1], np.float32))
    assert sums.totals().tolist() == [math.fsum([0.1, 0.2, 0.3, float(np.float32(0.1))])]


@pytest.mark.parametrize(("cells", "values", "words"), [
    ([0, 1], [1.0, math.nan], "finite"),
    ([0, 1], [1.0, math.inf], "finite"),
    ([0, 1], [-math.inf, 1.0], "finite"),
    ([0, 2], [1.0, 1.0], "0 to 1"),
    ([-1, 0], [1.0, 1.0], "0 to 1"),
    ([0], [1.0, 1.0], "equal length"),
    ([[0], [1]], [[1.0], [1.0]], "equal length"),
])
def test_bad_batches_are_refused_and_leave_the_sums_as_they_were(cells, values, words):
    sums = sums_of(2, [0, 1], [0.5, 0.25])
    with pytest.raises(ValueError, match=words):
        sums.add(np.array(cells), np.array(values))
    assert sums.totals().tolist() == [0.5, 0.25]


def test_a_total_beyond_the_largest_float_is_an_error():
    with pytest.raises(OverflowError):
        sums_of(1, [0, 0], [1.7e308, 1.7e308]).totals()
