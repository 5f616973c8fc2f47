"""Geometry of plots on axes: lines, bands and marks, side by side in one picture with one legend.

`templates/charts.html.j2` draws them. Lines differ by dashes as well as by colour, marks by shape, so that a picture
can be read in black and white. Every coordinate is rounded to a tenth of an SVG unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor, log10
from unicodedata import east_asian_width

from govern.formats.charts import MarkName, Scale
from govern.formats.numbers import MINUS, MOST_DIGITS

DASHES = ("", "5 2", "1.5 1.8", "7 2 1.5 2", "3 1.2", "9 3")
COLOURS = ("#16202b", "#1d5b94", "#a3231a", "#0f6b4f", "#8a5a00", "#6b3fa0")
APART = 2.0
LEFT, ABOVE, BETWEEN, BELOW = 30, 14, 10, 26
LEGEND, KEY_HEIGHT = 176, 12
LETTERS = 34  # of the shipped font that fit beside a key; those of East Asia are twice as wide
STEPS = (1, 2, 2.5, 5, 10)

Points = Sequence[tuple[float, float]]
Tick = tuple[float, str]


@dataclass(frozen=True, slots=True)
class Line:
    """A line: the text of its SVG polyline, its number (which gives dash and colour), and its points where dotted."""

    path: str
    number: int
    dots: tuple[tuple[float, float], ...] = ()

    @property
    def dash(self) -> str:
        """Its dashes, empty for a solid line."""
        return DASHES[self.number % len(DASHES)]

    @property
    def colour(self) -> str:
        """Its colour."""
        return COLOURS[self.number % len(COLOURS)]


@dataclass(frozen=True, slots=True)
class Axes:
    """A plot `width` × `height` with its lower left corner at (0, height).

    `bands` are spans of x (from, width) that are allowed; `uprights` values of x (at, text); `marks` outcomes along
    the upper edge; `guide` the diagonal of the unit square. (`at_x`, `at_y`) is its place in the figure.
    """

    title: str
    width: float
    height: float
    x_name: str
    y_name: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[Line, ...]
    bands: tuple[tuple[float, float], ...] = ()
    uprights: tuple[Tick, ...] = ()
    marks: tuple[tuple[float, MarkName], ...] = ()
    guide: bool = False
    at_x: float = 0
    at_y: float = 0


@dataclass(frozen=True, slots=True)
class Figure:
    """Plots in rows, a legend of (line, name) at `legend`, and what a reader who does not see the picture is told."""

    width: float
    height: float
    plots: tuple[Axes, ...]
    heading: str
    keys: tuple[tuple[Line, str], ...]
    legend: tuple[float, float]
    title: str


def figure(plots: Sequence[Axes], names: Sequence[str], heading: str, title: str, *, abreast: int = 3) -> Figure:
    """The plots `abreast` in each row, all as large as the first; the legend of the lines' `names` on the right."""
    abreast = min(abreast, len(plots))
    across, down = plots[0].width + LEFT + BETWEEN, plots[0].height + ABOVE + BELOW
    rows = ceil(len(plots) / abreast)
    placed = tuple(replace(p, at_x=LEFT + (i % abreast) * across, at_y=ABOVE + (i // abreast) * down)
                   for i, p in enumerate(plots))
    legend = (abreast * across + BETWEEN, ABOVE)
    high = max(rows * down, ABOVE + KEY_HEIGHT * (len(names) + 1))
    return Figure(abreast * across + BETWEEN + LEGEND, high, placed, heading,
                  tuple((Line("", i), fitted(name)) for i, name in enumerate(names)), legend, title)


def fitted(name: str, letters: int = LETTERS) -> str:
    """A name cut to the width of `letters` narrow ones."""
    width = 0
    for i, letter in enumerate(name):
        width += 2 if east_asian_width(letter) in "WF" else 1
        if width > letters:
            return name[:max(0, i - 1)] + "…"
    return name


def unit_square(title: str, x_name: str, y_name: str, lines: Iterable[Points | None], size: float, *,
                guide: bool = True) -> Axes:
    """A plot of lines in 0 … 1 on both axes; a line that is None keeps its number and is not drawn."""
    on = Scale(0.0, 1.0, size)
    return Axes(title, size, size, x_name, y_name, ((0.0, "0"), (on.width, "1")), ((size, "0"), (0.0, "1")),
                tuple(line(points, i, on, on) for i, points in enumerate(lines) if points), guide=guide)


def line(points: Points, number: int, on_x: Scale, on_y: Scale, *, steps: bool = False, dots: bool = False) -> Line:
    """Line `number` through points, `on_y` being its scale from below; points too close to be told apart are left
    out. With `steps`, each value holds up to the next x."""
    kept: list[tuple[float, float]] = []
    width, left, by_x = on_x.width, on_x.low, on_x.width / (on_x.high - on_x.low)
    height, top, by_y = on_y.width, on_y.high, on_y.width / (on_y.high - on_y.low)
    last_x = last_y = 0.0
    for i, (a, b) in enumerate(points, 1):
        x, y = (a - left) * by_x, (top - b) * by_y
        if steps and kept:
            kept.append((x, last_y))
        if not kept or steps or abs(x - last_x) + abs(y - last_y) >= APART or i == len(points):
            kept.append((x, y))
            last_x, last_y = x, y
    held = [(round(min(width, max(0.0, x)), 1), round(min(height, max(0.0, y)), 1)) for x, y in kept]
    return Line(" ".join([f"{x:g},{y:g}" for x, y in held]), number, tuple(held) if dots else ())


def ticks(on: Scale, most: int = 4, *, upwards: bool = False) -> tuple[Tick, ...]:
    """At most `most` + 1 round numbers on a scale, with their texts; `upwards` counts coordinates from above."""
    raw = (on.high - on.low) / most
    size = 10.0 ** floor(log10(raw))
    step = next(s * size for s in STEPS if s * size >= raw * (1 - 1e-9))
    digits = next((d for d in range(MOST_DIGITS) if abs(round(step, d) - step) < 1e-9 * step), MOST_DIGITS)
    first, last = ceil(on.low / step - 1e-9), floor(on.high / step + 1e-9)
    values = [i * step for i in range(first, last + 1)]
    return tuple((round(on.width - on(v), 1) if upwards else on(v), tick_text(v, digits)) for v in values)


def tick_text(value: float, digits: int) -> str:
    """A number beside an axis: `0.25`, `−1`, `20k`, `1.5M`."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            unit_size = 1e3 if unit == "k" else size
            return f"{value / unit_size:.4g}{unit}".replace("-", MINUS)
    return f"{value + 0.0:.{digits}f}".replace("-", MINUS)


def upper(heights: Iterable[float], height: float, *, floor_at: float = 0.0) -> Scale:
    """A vertical scale from `floor_at` to the first round number at or above every height."""
    most = max(heights, default=1.0)
    span = most - floor_at
    if span <= 0:
        return Scale(floor_at, floor_at + 1.0, height)
    size = 10.0 ** floor(log10(span))
    return Scale(floor_at, floor_at + next(s * size for s in STEPS if s * size >= span * (1 - 1e-9)), height)
