"""Geometry of the pictures in a row of a table that are no interval glyph: bars that add up, and old beside new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from govern.formats.charts import MarkName, Scale

WIDTH = 150


@dataclass(frozen=True, slots=True)
class Beam:
    """A bar from `start` to `end`, with its interval as a line; `adds` says whether the value is above 0, `sum` that it
    is the whole and not a part."""

    width: float
    zero: float
    start: float
    end: float
    adds: bool
    sum: bool
    line_from: float | None
    line_to: float | None
    title: str


def beam(value: float, on: Scale, title: str, *, start: float = 0.0, low: float | None = None,
         high: float | None = None, sum: bool = False, adds: bool | None = None) -> Beam:
    """The bar of `value` from `start` on a scale that shows 0; `low` and `high` are the interval of `value`.

    `adds` says which way a size without a sign goes.
    """
    ends = (on(start + low), on(start + high)) if low is not None and high is not None else (None, None)
    return Beam(on.width, on(0.0), on(start), on(start + value), value >= 0 if adds is None else adds, sum, ends[0],
                ends[1], title)


def beams_scale(reaches: Sequence[float], width: float = WIDTH) -> Scale:
    """The scale of bars that reach to these values; 0 is on it."""
    low, high = min([0.0, *reaches]), max([0.0, *reaches])
    return Scale(low, high if high > low else low + 1.0, width)


@dataclass(frozen=True, slots=True)
class Step:
    """A row of a waterfall: its name as drawn, its bar and its number."""

    name: str
    bar: Beam
    number: str


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The steps of a gap under each other, each `row` high; `title` is what a reader who does not see it is told."""

    width: float
    height: float
    row: float
    steps: tuple[Step, ...]
    title: str


@dataclass(frozen=True, slots=True)
class Dumbbell:
    """An old and a new value on one scale; `mark` says whether the new one is worse (outside), better (within), or
    neither (none)."""

    width: float
    old: float | None
    new: float | None
    mark: MarkName
    title: str


def dumbbell(old: float | None, new: float | None, on: Scale, title: str, mark: MarkName = "none") -> Dumbbell:
    """The two values on a scale; one that is not known is not drawn."""
    return Dumbbell(on.width, None if old is None else on(old), None if new is None else on(new), mark, title)
