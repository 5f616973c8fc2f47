"""Contributions to a decision at a threshold: against all orders, and what they add up to."""

from __future__ import annotations

from itertools import permutations
from math import factorial

import numpy as np
import pytest

from govern.explain.decided import Cut, cut_of, decided


def shapley(values: np.ndarray, base: float, cut: Cut) -> np.ndarray:
    """The Shapley value of the decision of one row, over all orders."""
    found = np.zeros(len(values))
    for order in permutations(range(len(values))):
        total, before = base, (base >= cut.at) == cut.above
        for j in order:
            total += values[j]
            after = (total >= cut.at) == cut.above
            found[j] += int(after) - int(before)
            before = after
    return found / factorial(len(values))


def test_two_features_are_exact() -> None:
    """Base −1, threshold 0: 1.5 alone decides, −0.2 takes nothing away; 0.6 and 0.6 need each other: a half each."""
    values = np.array([[1.5, -0.2], [0.6, 0.6], [0.4, 0.1], [2.0, -1.5]])
    selected = values.sum(axis=1) - 1 >= 0
    found, orders = decided(values, -1.0, selected, Cut(0.0, True), 0)
    assert orders == 32
    # The last row: +1 when first and taken back by the second, or never reached.
    assert found == pytest.approx(np.array([[1, 0], [0.5, 0.5], [0, 0], [0.5, -0.5]]))


@pytest.mark.parametrize("above", [True, False])
def test_many_orders_come_near_all_orders(above: bool) -> None:
    rng = np.random.default_rng(0)
    row, cut = rng.normal(size=5), Cut(0.3, above)
    values = np.tile(row, (2000, 1))
    selected = (values.sum(axis=1) - 0.2 >= 0.3) == above
    found, _ = decided(values, -0.2, selected, cut, 1)
    assert found.mean(axis=0) == pytest.approx(shapley(row, -0.2, cut), abs=0.02)


def test_rows_sum_to_their_decision_less_that_of_the_base() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=(501, 7))
    for base, above in ((-0.5, True), (0.5, True), (0.5, False)):
        selected = (base + values.sum(axis=1) >= 0.0) == above
        found, _ = decided(values, base, selected, Cut(0.0, above), 3)
        assert found.sum(axis=1) == pytest.approx(selected.astype(float) - ((base >= 0) == above), abs=1e-12)
        assert np.abs(found).max() <= 1


def test_a_sum_rounded_to_the_other_side_follows_the_decision() -> None:
    values = np.array([[0.1, 0.2]])
    for selected in (True, False):
        found, _ = decided(values, 0.0, np.array([selected]), Cut(0.3, True), 0)
        assert found.sum() == selected


def test_fewer_orders_where_rows_times_features_are_many() -> None:
    values = np.zeros((20_000, 100))
    _, orders = decided(values, 0.0, np.ones(20_000, bool), Cut(0.0, True), 0)
    assert orders == 2


def test_the_cut_is_the_threshold_or_where_the_sides_part() -> None:
    outputs = np.array([-1.0, 0.2, 0.5, 2.0])
    high = outputs >= 0.4
    assert cut_of(outputs, high, 0.4) == Cut(0.4, True)
    assert cut_of(outputs, ~high, 0.4) == Cut(0.4, False)
    assert cut_of(outputs, high, None) == Cut(0.5, True)
    assert cut_of(outputs, ~high, None) == Cut(0.5, False)
    assert cut_of(outputs, np.array([True, False, True, False]), None) is None  # no threshold decides
    assert cut_of(outputs, np.array([True, False, True, False]), 0.4) is None
    assert cut_of(outputs, np.ones(4, bool), 0.4) is None  # nothing to split
    many = np.arange(200) / 100
    rounded = many >= 1
    rounded[99] = True  # one row in 200 on the other side
    assert cut_of(many, rounded, 1.0) == Cut(1.0, True)
