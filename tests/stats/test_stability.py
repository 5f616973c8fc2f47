"""The population stability index: common cells of two columns, the index by hand, its size when nothing moved."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from govern.dataset import Bin, Column, Level
from govern.measure.columnfacts import ColumnFacts
from govern.stats.stability import expected, shared, stability, stability_of_shares


def column(values: object) -> Column:
    facts = ColumnFacts("c", "feature")
    facts.add(values if isinstance(values, pa.Array) else pa.array(values))
    return facts.result()


def test_the_index_by_hand() -> None:
    p, q = (50.5 / 101, 50.5 / 101), (20.5 / 101, 80.5 / 101)
    by_hand = (q[0] - p[0]) * math.log(q[0] / p[0]) + (q[1] - p[1]) * math.log(q[1] / p[1])
    assert stability([50, 50], [20, 80]) == pytest.approx(by_hand, abs=1e-15)
    assert stability([7, 3], [7, 3]) == 0.0
    assert math.isfinite(stability([10, 0], [0, 10])) and stability([10, 0], [0, 10]) > 2


def test_against_known_shares() -> None:
    q = (600.5 / 1001, 400.5 / 1001)
    by_hand = (q[0] - 0.5) * math.log(q[0] / 0.5) + (q[1] - 0.5) * math.log(q[1] / 0.5)
    assert stability_of_shares([0.5, 0.5], [600, 400]) == pytest.approx(by_hand, abs=1e-15)
    assert stability_of_shares([0.51, 0.5], [600, 400]) == pytest.approx(
        stability_of_shares([0.51 / 1.01, 0.5 / 1.01], [600, 400]), abs=1e-15)


def test_numbers_are_cut_into_tenths_of_the_reference() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=5000), rng.normal(0.5, 1, 5000)
    found = shared(column(a), column(b))
    assert found is not None
    one, two = found
    assert 9 <= len(one) <= 11 and sum(one) == sum(two) == 5000 and all(450 < n < 650 for n in one[:-1])
    # The symmetric divergence of normal distributions half a standard deviation apart is a quarter.
    assert stability(one, two) == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("swap", [False, True])
def test_the_cells_count_what_the_values_say(swap: bool) -> None:
    """Columns of different fineness, zeros and negative numbers among them: the cells are intervals of both."""
    rng = np.random.default_rng(4)
    fine = rng.integers(-5, 6, 900).astype(float)
    coarse = np.concatenate([rng.normal(0, 3, 3000), [0.0, -4.0, 5.0]])
    a, b = (coarse, fine) if swap else (fine, coarse)
    found = shared(column(a), column(b))
    assert found is not None
    one, two = found
    order_a = np.sort(a)
    for x, y in zip(np.cumsum(one)[:-1], np.cumsum(two)[:-1], strict=True):
        low, high = order_a[x - 1], order_a[x]  # the cut lies above the one and at or below the other
        assert (b < low).sum() <= y <= (b <= high).sum()


def test_levels_that_one_side_lacks_are_cells() -> None:
    assert shared(column(["a", "a", "b"]), column(["a", "c", "c", None])) == ([2, 1, 0, 0], [1, 0, 2, 1])
    assert shared(column(["x"] * 3), column(["y"] * 4)) == ([3, 0], [0, 4])


def test_levels_that_are_not_listed_are_one_cell() -> None:
    a = Column("c", "feature", "text", 0, 30, levels=(Level("p", 50), Level("q", 40)), others=10)
    b = Column("c", "feature", "text", 2, 3, levels=(Level("p", 7), Level("r", 5), Level("q", 1)))
    # r may be among the others of a, so that its rows are others too.
    assert shared(a, b) == ([50, 40, 10, 0], [7, 1, 5, 2])


def test_a_constant_that_moved_is_seen() -> None:
    for reference, now in (([0.0] * 50, [5.0] * 50), ([0.0] * 50, [-5.0] * 50), ([3.0] * 50, [3.0] * 20 + [4.0] * 30)):
        found = shared(column(reference), column(now))
        assert found is not None and stability(*found) > 0.5


def test_missing_values_are_a_cell() -> None:
    assert shared(column([1.0, None, None]), column([1.0, 1.0, 1.0])) == ([1, 2], [3, 0])
    assert shared(column(pa.array([None, None], pa.float64())), column(["a", "b"])) == ([0, 0, 2], [1, 1, 0])


def test_what_has_no_common_cells() -> None:
    assert shared(column(["1", "2"]), column([1, 2])) is None
    many = column([f"v{i}" for i in range(1500)])
    assert many.distinct is None and shared(many, column(["v1"])) is None
    assert shared(column(pa.array([], pa.float64())), column([1.0])) is None


def test_infinite_values_have_a_place() -> None:
    found = shared(column([1.0, 2.0, math.inf]), column([-math.inf, 1.0, 2.0]))
    assert found == ([0, 1, 1, 1], [1, 1, 1, 0])


def test_what_nothing_moved_looks_like() -> None:
    assert expected([50, 50, 0], [20, 30, 0]) == pytest.approx(1 / 100 + 1 / 50)
    rng = np.random.default_rng(6)
    for draw in (lambda n: rng.normal(size=n), lambda n: rng.integers(0, 8, n), lambda n: rng.choice(list("abcde"), n)):
        seen, mean = [], []
        for _ in range(150):
            found = shared(column(draw(3000)), column(draw(1000)))
            assert found is not None
            seen.append(stability(*found))
            mean.append(expected(*found))
        assert np.mean(seen) == pytest.approx(np.mean(mean), rel=0.2)


def test_the_bins_of_a_document_are_enough() -> None:
    a = Column("c", "feature", "number", 0, None, bins=(Bin(0.5, 10), Bin(0.75, 10), Bin(1.0, 10)))
    b = Column("c", "feature", "number", 0, 3, bins=(Bin(0.6, 1), Bin(0.9, 2), Bin(1.7, 3)))
    assert shared(a, b) == ([10, 10, 10], [1, 2, 3])


def test_only_the_standard_library_is_imported() -> None:
    code = "import sys, govern.stats.stability; assert not {'numpy', 'pyarrow', 'pandas'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
