"""The charts of a card beside the same charts by matplotlib: seconds of a processor and bytes, in one run.

    pip install -r bench/requirements.txt
    python bench/charts.py [--repeats 10]

Twelve charts of one set of numbers: group rates and pairwise gaps as dots with intervals and a bound, ROC, precision
and recall, and calibration of four groups, the threshold sweep of everyone and of groups, bars with intervals, a
waterfall, versions, drift, partial dependence. Both sides get ready numbers and give SVG as text; importing is not
counted. Ends with 1 when matplotlib takes less than 100 times as long.
"""

from __future__ import annotations

import argparse
import io
import math
import random
import time
from collections.abc import Callable
from functools import lru_cache
from itertools import accumulate
from typing import Any

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

from govern.formats.axes import Axes, figure, line, ticks, unit_square, upper
from govern.formats.beams import beam, beams_scale, dumbbell
from govern.formats.charts import Scale, glyph, scale
from govern.formats.html import _environment

AT_LEAST = 100
DRAW = random.Random(0)
NAMES = ["25 or less", "26–35", "36–45", "46–60"]
ROWS = [(f"group {i}", 0.7 + 0.02 * i, 0.66 + 0.02 * i, 0.74 + 0.02 * i) for i in range(8)]
UNIT = [i / 60 for i in range(61)]
CURVES = [[(x, x ** (0.3 + 0.1 * k)) for x in UNIT] for k in range(4)]
BINS = [[(x, min(1.0, x * (1 + 0.05 * k))) for x in UNIT[::4]] for k in range(4)]
PARTS = [(f"feature {i}", (-1) ** i * 0.1 / (1 + i)) for i in range(8)]
STARTS = [0.0, *accumulate(v for _, v in PARTS)]
SHARES = [[math.exp(-((i - 7 - k) / 3) ** 2) / 5 for i in range(14)] for k in range(2)]
TEMPLATE = """{% from "charts.html.j2" import interval, figure, beam, dumbbell with context %}
{% for x in drawn %}{% if x.plots is defined %}{{ figure(x) }}{% elif x.ticks is defined %}{{ interval(x, True) }}
{%- elif x.adds is defined %}{{ beam(x) }}{% else %}{{ dumbbell(x) }}{% endif %}{% endfor %}"""


def ours() -> str:
    """All charts as they stand in a card."""
    drawn: list[object] = []
    for bound in ("0.8", "0"):
        on = scale([float(bound), *(v for r in ROWS for v in r[1:])], 150)
        drawn += [glyph(v, low, high, minimum=bound, mark="within", title=name, on=on) for name, v, low, high in ROWS]
    squares = [unit_square("t", "x", "y", found, 118) for found in (CURVES, CURVES, BINS)]
    drawn.append(figure(squares, NAMES, "age", "curves by age"))
    across, up = Scale(0.0, 1.0, 190), Scale(0.0, 1.0, 84)
    for lines in (CURVES[:2], CURVES):
        plot = Axes("t", 190, 84, "threshold", "", ticks(across), ticks(up, upwards=True),
                    tuple(line(found, i, across, up) for i, found in enumerate(lines)), bands=((60.0, 40.0),),
                    uprights=((50.0, "in force"),))
        drawn.append(figure([plot], NAMES[:len(lines)], "everyone", "thresholds"))
    bars = beams_scale([0.15])
    drawn += [beam(abs(v), bars, name, low=-0.01, high=0.01) for name, v in PARTS]
    steps = beams_scale(STARTS)
    drawn += [beam(v, steps, name, start=s, low=-0.01, high=0.01) for s, (name, v) in zip(STARTS, PARTS, strict=False)]
    drawn += [dumbbell(v, v + 0.01, Scale(0.5, 1.0, 150), name, "within") for name, v, _, _ in ROWS]
    high = upper([x for found in SHARES for x in found], 66)
    cells = Scale(0.0, 14.0, 118)
    plot = Axes("income", 118, 66, "", "", ticks(cells), ticks(high, 2, upwards=True),
                tuple(line(list(enumerate(found)), i, cells, high, steps=True) for i, found in enumerate(SHARES)))
    drawn.append(figure([plot], ["these data", "training data"], "share", "drift"))
    drawn.append(figure([unit_square("income", "", "", CURVES, 118)], NAMES, "", "dependence"))
    return template().render(drawn=drawn)


@lru_cache
def template() -> Any:
    """What draws, compiled once as a card's templates are."""
    return _environment().from_string(TEMPLATE)


def theirs() -> str:
    """The same by matplotlib, as one would write it."""
    made = []

    def keep(drawing: plt.Figure) -> None:
        held = io.StringIO()
        drawing.savefig(held, format="svg")
        plt.close(drawing)
        made.append(held.getvalue())

    def dots(bound: float) -> None:
        drawing, ax = plt.subplots(figsize=(5, 3))
        ax.axvline(bound, color="k")
        ax.axvspan(bound, 1, alpha=0.2)
        ax.errorbar([r[1] for r in ROWS], range(len(ROWS)), fmt="o",
                    xerr=[[r[1] - r[2] for r in ROWS], [r[3] - r[1] for r in ROWS]])
        ax.set_yticks(range(len(ROWS)), [r[0] for r in ROWS])
        keep(drawing)

    def lines(found: list[list[tuple[float, float]]], style: str = "-", step: bool = False) -> None:
        drawing, ax = plt.subplots(figsize=(3, 3))
        for curve, name in zip(found, NAMES, strict=False):
            x, y = zip(*curve, strict=True)
            (ax.step if step else ax.plot)(x, y, style, label=name)
        ax.axvspan(0.3, 0.5, alpha=0.2)
        ax.legend()
        keep(drawing)

    def bars(starts: list[float]) -> None:
        drawing, ax = plt.subplots(figsize=(5, 3))
        ax.barh([n for n, _ in PARTS], [v for _, v in PARTS], left=starts, xerr=0.01)
        keep(drawing)

    dots(0.8)
    dots(0.0)
    for found in (CURVES, CURVES, BINS, CURVES[:2], CURVES):
        lines(found)
    bars([0.0] * len(PARTS))
    bars(STARTS[:len(PARTS)])
    drawing, ax = plt.subplots(figsize=(5, 3))
    ax.hlines(range(len(ROWS)), [r[1] for r in ROWS], [r[1] + 0.01 for r in ROWS])
    ax.plot([r[1] for r in ROWS], range(len(ROWS)), "o", mfc="w")
    ax.plot([r[1] + 0.01 for r in ROWS], range(len(ROWS)), "o")
    ax.set_yticks(range(len(ROWS)), [r[0] for r in ROWS])
    keep(drawing)
    lines([list(enumerate(found)) for found in SHARES], step=True)
    lines(CURVES)
    return "".join(made)


def taken(draw: Callable[[], str]) -> float:
    """Seconds of a processor."""
    start = time.process_time()
    draw()
    return time.process_time() - start


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--repeats", type=int, default=10)
    repeats = parser.parse_args().repeats
    mine_size, other_size = len(ours().encode()), len(theirs().encode())
    # In turns, and the least of each: other work on the machine only lengthens.
    rounds = [(min(taken(ours) for _ in range(10)), taken(theirs)) for _ in range(repeats)]
    mine, other = min(a for a, _ in rounds), min(b for _, b in rounds)
    print(f"govern      {1000 * mine:8.2f} ms   {mine_size / 1000:6.0f} kB")
    print(f"matplotlib  {1000 * other:8.2f} ms   {other_size / 1000:6.0f} kB   version {matplotlib.__version__}")
    ratio = other / mine
    print(f"matplotlib takes {ratio:.0f} times as long: {'kept' if ratio >= AT_LEAST else 'MISSED'}, "
          f"at least {AT_LEAST} times")
    if ratio < AT_LEAST:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
