"""Bins of numbers by class: exact counts, ends fixed beforehand, any order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from govern.stats import histogram
from govern.stats.histogram import Histogram


def filled(values: np.ndarray, codes: np.ndarray | None = None, size: int = 1 << 20, limit: int = 1024) -> Histogram:
    found = Histogram(1 if codes is None else int(codes.max()) + 1, limit)
    for i in range(0, len(values), size):
        found.add(values[i:i + size], None if codes is None else codes[i:i + size])
    return found


def test_few_values_are_bins_of_their_own() -> None:
    found = filled(np.array([2.0, -1, 0, 2, -0.0, 1e300]), np.array([0, 1, 1, 1, 0, 0]))
    exact = found.exact()
    assert exact is not None and exact.tolist() == [-1, 0, 2, 1e300]
    assert found.counts.tolist() == [[0, 1], [1, 1], [1, 1], [1, 0]]
    assert found.bins(10) == ([-1.0, 0.0, 2.0, 1e300], [1, 2, 2, 1])


def test_coarser_bins_keep_whole_ends() -> None:
    """Of 0 to 255, four bits of the mantissa leave ends at 16, 17, … 32, 34, … 64, 68, …: at most 128 bins."""
    lows, n = filled(np.arange(256.0)).bins(128)
    assert len(lows) <= 128 and sum(n) == 256
    assert lows[-1] == 252.0 and n[-1] == 4 and lows[:3] == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("table", [1 << 20, 0])
def test_counts_by_class_equal_a_loop(monkeypatch: pytest.MonkeyPatch, table: int) -> None:
    monkeypatch.setattr(histogram, "TABLE", table)
    rng = np.random.default_rng(1)
    values = np.where(rng.random(20_000) < 0.3, 0, rng.normal(size=20_000) * 10.0 ** rng.integers(-3, 6, 20_000))
    codes = rng.integers(0, 3, 20_000)
    found = filled(values, codes, 777)
    assert len(found) <= 1024 and found.dropped > 0
    lows, _ = found.bins(1024)
    place = np.searchsorted(lows, values, side="right") - 1
    expected = np.zeros((len(lows), 3), int)
    np.add.at(expected, (place, codes), 1)
    assert (found.counts == expected).all()


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=60), st.integers(2, 12), st.randoms())
def test_order_and_batches_change_nothing(values: list[float], limit: int, random: object) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = filled(np.array(values), limit=limit), filled(np.array(shuffled), size=7, limit=limit)
    assert one.dropped == other.dropped and len(one) <= limit
    assert one.bins(limit) == other.bins(limit) and sum(one.bins(2)[1]) == len(values)
    assert all(np.isfinite(low) for low in one.bins(limit)[0])


def test_counted_values_are_added_alike() -> None:
    values = np.array([3.0, 3, 5, 900, 7])
    one, other = filled(values, limit=3), Histogram(limit=3)
    other.add_counts(np.array([3.0, 5, 900]), np.array([[2, 1, 1]]))
    other.add_counts(np.array([7.0]), np.array([[1]]))
    assert one.bins(3) == other.bins(3)


def test_nothing_counted() -> None:
    found = Histogram()
    found.add(np.empty(0))
    assert found.bins(5) == ([], []) and len(found) == 0
