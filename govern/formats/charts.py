"""Geometry of the pictures: numbers in, coordinates out. `templates/charts.html.j2` draws them.

One picture recurs: the interval glyph, with the allowed side as a band, the bound as a tick, the
interval as a line and the estimate as a mark whose shape tells the outcome. Coordinates are SVG units
rounded to a tenth, so that the files stay small and equal everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

MarkName = Literal["outside", "within", "unsettled", "none"]
PADDING = 0.12


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear scale from `low` … `high` onto 0 … `width`; values outside are held at the edges."""

    low: float
    high: float
    width: float

    def __call__(self, value: float) -> float:
        """The coordinate of a value, 0 to `width`."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.width * min(1.0, max(0.0, share)), 1)


def scale(values: Iterable[float | None], width: float, *, floor: float | None = None,
          ceiling: float | None = None) -> Scale:
    """A scale that shows all `values` with some room, not beyond `floor` and `ceiling` where given."""
    given = [v for v in values if v is not None]
    low, high = (min(given), max(given)) if given else (0.0, 1.0)
    room = PADDING * (high - low) if high > low else max(abs(high) * 0.1, 0.05)
    low, high = low - room, high + room
    if floor is not None:
        low = max(low, floor)
    if ceiling is not None:
        high = min(high, ceiling)
    return Scale(low, high, width) if high > low else Scale(low, low + 1.0, width)


@dataclass(frozen=True, slots=True)
class Glyph:
    """An interval glyph: the band from `band_from` to `band_to`, ticks at bounds, line, mark at `at`."""

    width: float
    band_from: float | None
    band_to: float | None
    ticks: tuple[tuple[float, str], ...]
    line_from: float | None
    line_to: float | None
    at: float | None
    mark: MarkName
    title: str


def glyph(value: float | None, low: float | None, high: float | None, *, minimum: str | None = None,
          maximum: str | None = None, mark: MarkName = "none", title: str = "", width: float = 150,
          on: Scale | None = None) -> Glyph:
    """The glyph of an estimate with its interval against bounds given as decimal text.

    A side of the interval that is not known runs to the edge.
    """
    bounds = [b for b in (minimum, maximum) if b is not None]
    on = on or scale([value, low, high, *map(float, bounds)], width)
    band = None
    if bounds:
        band = (on(float(minimum)) if minimum is not None else 0.0,
                on(float(maximum)) if maximum is not None else on.width)
    has_line = low is not None or high is not None
    return Glyph(
        on.width, band[0] if band else None, band[1] if band else None,
        tuple((on(float(b)), b) for b in bounds),
        (on(low) if low is not None else 0.0) if has_line else None,
        (on(high) if high is not None else on.width) if has_line else None,
        on(value) if value is not None else None, mark, title)


@dataclass(frozen=True, slots=True)
class Plot:
    """A square plot of points in 0 … 1 on both axes, `size` wide: a line through `points`, ticks at the ends, and
    the diagonal as a `guide`."""

    size: float
    points: tuple[tuple[float, float], ...]
    title: str
    dots: bool
    bars: tuple[tuple[float, float], ...] = ()
    guide: bool = True

    @property
    def path(self) -> str:
        """The points as the text of an SVG polyline."""
        return " ".join(f"{x:g},{y:g}" for x, y in self.points)


def plot(x: Sequence[float], y: Sequence[float], title: str, *, size: float = 150, dots: bool = False,
         n: Sequence[int] = (), guide: bool = True) -> Plot:
    """A plot of points in the unit square; with `n`, a bar under each point as high as its share of rows."""
    points = tuple((round(size * a, 1), round(size * (1 - b), 1)) for a, b in zip(x, y, strict=True))
    most = max(n, default=0)
    bars = tuple((p[0], round(0.16 * size * k / most, 1)) for p, k in zip(points, n, strict=False)) if most else ()
    return Plot(size, points, title, dots, bars, guide)


TEXT_MARKS = {"outside": "✕", "within": "●", "unsettled": "○", "none": "•"}
ASCII_MARKS = {"outside": "x", "within": "*", "unsettled": "o", "none": "*"}


def text_glyph(glyph: Glyph, cells: int = 15, *, unicode: bool = True) -> str:
    """The glyph in `cells` characters: `──━✕━┃──────`, in ASCII `--=x=|------`."""
    axis, line, tick = ("─", "━", "┃") if unicode else ("-", "=", "|")
    marks = TEXT_MARKS if unicode else ASCII_MARKS
    row = [axis] * cells

    def cell(at: float) -> int:
        return min(cells - 1, int(cells * at / glyph.width))

    if glyph.line_from is not None and glyph.line_to is not None:
        for i in range(cell(glyph.line_from), cell(glyph.line_to) + 1):
            row[i] = line
    ticks = [cell(at) for at, _ in glyph.ticks]
    for i in ticks:
        row[i] = tick
    if glyph.at is not None:
        row[_beside(cell(glyph.at), glyph, ticks, cells)] = marks[glyph.mark]
    return "".join(row)


def _beside(at: int, glyph: Glyph, ticks: Sequence[int], cells: int) -> int:
    """The mark's cell; one that falls on a bound's cell moves to the side on which the estimate lies."""
    if at in ticks and glyph.at is not None:
        tick = glyph.ticks[ticks.index(at)][0]
        at += 1 if glyph.at >= tick else -1
    return min(cells - 1, max(0, at))
