"""What the documents of facts do by themselves."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govern.evidence import Interval


@pytest.mark.parametrize(("ends", "kept"), [
    ((0.1, 0.25), (0.1, 0.25)), ((0.0, 1.0), (0.0, 1.0)), ((None, None), (None, None)),
    ((1 / 3, 2 / 3), (0.333333333, 0.666666667)),  # both are nearest, and outside
    ((2 / 3, 1 / 3 + 1), (0.666666666, 1.33333334)),  # the nearest would be inside
    ((-1 / 3, -2 / 3), (-0.333333334, -0.666666666)), ((-0.0, 12345678901.0), (0.0, 12345679000.0)),
    ((0.9999999999, 0.9999999999), (0.999999999, 1.0)), ((3, 4), (3, 4)),
])
def test_the_ends_of_an_interval_are_rounded_outwards(ends: tuple[float, float], kept: tuple[float, float]) -> None:
    found = Interval.reading(*ends, 0.95, "Wilson")
    assert (found.low, found.high) == kept


def test_whole_numbers_stay_whole() -> None:
    found = Interval.reading(3, 4, 0.95, "order statistics")
    assert type(found.low) is type(found.high) is int


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_an_interval_holds_what_it_held_and_is_read_as_it_was_written(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    found = Interval.reading(low, high, 0.95, "Wilson")
    assert found.low is not None and found.high is not None
    assert found.low <= low and high <= found.high
    for kept, end in ((found.low, low), (found.high, high)):
        assert math.isinf(kept) or abs(kept - end) <= 1.001e-8 * abs(end) + 5e-324
    assert Interval.reading(found.low, found.high, 0.95, "Wilson") == found


def test_what_is_not_finite_is_left_to_the_reader_of_documents() -> None:
    found = Interval.reading(-math.inf, math.nan, 0.95, "Wilson")
    assert found.low == -math.inf and struct.pack("d", found.high) == struct.pack("d", math.nan)
