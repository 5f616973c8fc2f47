"""Partial dependence: the mean output with one feature set to each of its values, by group."""

from __future__ import annotations

from collections.abc import Sequence

from govern.errors import printable
from govern.evidence import OVERALL, Evidence
from govern.explanations import Shape
from govern.formats.axes import Axes, figure, fitted, line, tick_text, ticks, upper
from govern.formats.cells import Part, Table, heads
from govern.formats.charts import Scale
from govern.formats.naming import group_name
from govern.formats.numbers import decimal, percent
from govern.formats.points import SEPARATOR, evenly
from govern.formats.strings import Strings

WIDTH, HEIGHT = 118, 84
LINES, LEVELS = 6, 4


def dependence(found: Sequence[Shape], evidence: Evidence, t: Strings) -> Part | None:
    """A plot for each shape, all with the same groups as lines; None without shapes."""
    shapes = [s for s in found if s.at and s.lines]
    if not shapes:
        return None
    ids = list(dict.fromkeys(x.group for s in shapes for x in s.lines))[:LINES]
    names = [t("reason.everyone") if id == OVERALL else group_name(evidence, id, t) for id in ids]
    plots = [_plot(s, ids, t) for s in shapes]
    alt = t("charts.shapes_alt", features=t.list(printable(s.feature, 60) for s in shapes), groups=t.list(names))
    rows = tuple((f"{printable(s.feature, 60)} · {name}", _points(s, id)) for s in shapes
                 for id, name in zip(ids, names, strict=True) if any(x.group == id for x in s.lines))
    return Part(t("charts.shapes"), t("charts.shapes_note", output=printable(shapes[0].output)),
                pictures=(figure(plots, names, "", alt),),
                numbers=(Table(heads((t("charts.gap_feature"), ""), ("w30",)), rows, left=2, fine=True),))


def _plot(shape: Shape, ids: Sequence[str], t: Strings) -> Axes:
    at = [float(x) for x in shape.at] if shape.numeric else [float(i) for i in range(len(shape.at))]
    on = Scale(at[0], at[-1] if at[-1] > at[0] else at[0] + 1.0, WIDTH)
    by = {x.group: x.y for x in shape.lines}
    heights = [y for id in ids for y in by.get(id, ())]
    up = upper(heights, HEIGHT, floor_at=min([0.0, *heights]))
    lines = tuple(line(list(zip(at, by[id], strict=True)), i, on, up, dots=not shape.numeric)
                  for i, id in enumerate(ids) if id in by)
    below = ticks(on, 3) if shape.numeric else tuple(
        (on(float(i)), fitted(printable(shape.at[i]), 9)) for i in evenly(len(at), LEVELS))
    return Axes(fitted(printable(shape.feature), 26), WIDTH, HEIGHT, _direction(shape, t), "", below,
                ticks(up, 3, upwards=True), lines)


def _direction(shape: Shape, t: Strings) -> str:
    if shape.against is not None and shape.expected is not None:
        return t("charts.shape_against", share=percent(shape.against), direction=t(f"charts.{shape.expected}"))
    return t("charts.shape_expected", direction=t(f"charts.{shape.expected}")) if shape.expected else ""


def _points(shape: Shape, id: str) -> str:
    y = next(x.y for x in shape.lines if x.group == id)
    texts = [tick_text(float(x), 2) if shape.numeric else printable(x, 40) for x in shape.at]
    return SEPARATOR.join(f"{texts[i]} {decimal(y[i])}" for i in evenly(len(y), 9))
