"""How much of a gap runs through one feature."""

from __future__ import annotations

from dataclasses import replace

import pytest

from govern.explain.gapshare import measurements
from govern.explanations import Gap, GapPart

PARTS = (GapPart("a", 0.1, None, None), GapPart("b", -0.3, None, None), GapPart("c", 0.5, None, None))
GAP = Gap("output", "m", "g1", "g2", 100, 200, 0.3, 0.1, 0.5, 0.95, PARTS)


def test_the_largest_part_of_a_gap_beyond_chance() -> None:
    lower = replace(GAP, value=-0.3, low=-0.5, high=-0.1, label="b",
                    parts=tuple(replace(p, value=-2 * p.value) for p in PARTS[:2]))
    one, two = measurements([GAP, lower])
    assert (one.value, one.group, one.reference, one.slice) == (pytest.approx(5 / 9), "g1", "g2", "column: c")
    assert (two.value, two.slice, two.label) == (pytest.approx(0.75), "column: b", "b")


@pytest.mark.parametrize("changed", [
    {"low": -0.1}, {"low": 0.0}, {"low": None}, {"high": None}, {"of": "selection"}, {"parts": ()},
    {"parts": (GapPart("a", 0.0, None, None),)}])
def test_gaps_of_which_nothing_is_said(changed: dict[str, object]) -> None:
    assert list(measurements([replace(GAP, **changed)])) == []
