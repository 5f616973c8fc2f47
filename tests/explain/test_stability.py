"""Whether the first features stay first: halves, backgrounds, turned directions."""

from __future__ import annotations

import numpy as np
import pytest

from govern.explain.explained import Output
from govern.explain.stability import halves, over_backgrounds, overlap


def output(values: np.ndarray) -> Output:
    return Output(values, 0.0, values.sum(axis=1))


def test_features_far_apart_stay_and_equal_ones_do_not() -> None:
    rng = np.random.default_rng(0)
    apart = rng.normal(size=(400, 8)) * 2.0 ** -np.arange(8)
    assert halves([output(apart)], {}, 0) == 1.0
    equal = halves([output(rng.normal(size=(400, 20)))], {}, 0)
    assert equal is not None and equal < 0.8
    assert halves([output(apart[:3])], {}, 0) is None


def test_the_same_rows_are_compared_over_backgrounds() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(100, 6)) * np.arange(6, 0, -1)
    other = values[:20].copy()
    other[:, [0, 5]] = other[:, [5, 0]]  # the last feature leads, the first falls behind
    assert over_backgrounds([output(values)], [[output(values[:20])]], {}) == 1.0
    assert over_backgrounds([output(values)], [[output(values[:20])], [output(other)]], {}) == pytest.approx(0.9)
    assert over_backgrounds([output(values)], [], {}) is None


def test_a_direction_that_turns_does_not_stay() -> None:
    x = np.arange(20.0)
    values, turned = np.column_stack([x, 0.1 * x]), np.column_stack([-x, 0.1 * x])
    numbers = {0: x, 1: x}
    assert overlap([([values], numbers, [values], numbers)]) == 1.0
    assert overlap([([values], numbers, [turned], numbers)]) == 0.5
    vague = np.column_stack([np.tile([5.0, -5.0], 10), 0.1 * x])  # no clear direction is no turn
    assert overlap([([values], numbers, [vague], numbers)]) == 1.0
    assert overlap([([values] * 2, numbers, [turned] * 2, numbers)]) == 1.0  # each class has its own direction
