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
from govern.formats.numbers import count, decimal, digits_of, percent
from govern.formats.points import SEPARATOR, evenly
from govern.formats.strings import Strings

WIDTH, HEIGHT = 118, 84
PLOTS, LINES, LEVELS, NUMBERS = 6, 6, 4, 6


def dependence(found: Sequence[Shape], evidence: Evidence, t: Strings) -> Part | None:
    """A plot for each of the first shapes, all with everyone and the same groups as lines: those of the sensitive
    feature whose groups lie furthest apart; None without shapes."""
    every = [s for s in found if s.at and s.lines]
    if not every:
        return None
    shapes = every[:PLOTS]
    ids = _groups(shapes, evidence)
    names = [t("reason.everyone") if id == OVERALL else group_name(evidence, id, t) for id in ids]
    plots = [_plot(s, ids, t) for s in shapes]
    titles = [_title(s, t) for s in shapes]
    alt = t("charts.shapes_alt", features=t.list(titles), groups=t.list(names))
    rows = tuple((title, t.clauses(t("charts.shape_line", group=name, points=_points(s, id))
                                   for id, name in zip(ids, names, strict=True) if any(x.group == id for x in s.lines)))
                 for s, title in zip(shapes, titles, strict=True))
    of = evidence.groups_by_id[ids[-1]].features if ids[-1] in evidence.groups_by_id else ()
    note = [t("charts.shapes_note", output=t.phrase(printable(shapes[0].output)), n=count(shapes[0].lines[0].n))]
    if of:
        note.append(t("charts.shapes_groups", feature=printable(":".join(of))))
    if len(every) > PLOTS:
        note.append(t("explanation.more"))
    return Part(t("charts.shapes"), t.text(note), pictures=(figure(plots, names, printable(":".join(of)), alt),),
                numbers=(Table(heads((t("explanation.feature"), t("charts.shape_points")), ("w15",)), rows, left=2,
                               fine=True),))


def _groups(shapes: Sequence[Shape], evidence: Evidence) -> list[str]:
    """Everyone, and the groups of one feature: of that whose lines are furthest apart somewhere."""
    by: dict[tuple[str, ...], list[str]] = {}
    for id in dict.fromkeys(x.group for s in shapes for x in s.lines):
        if id != OVERALL:
            group = evidence.groups_by_id.get(id)
            by.setdefault(group.features if group else (id,), []).append(id)
    several = {k: ids for k, ids in by.items() if len(ids) > 1} or by
    chosen = max(several, key=lambda k: (len(k) == 1, _apart(shapes, several[k])), default=None)
    return [OVERALL, *(several[chosen][:LINES - 1] if chosen else ())]


def _apart(shapes: Sequence[Shape], ids: Sequence[str]) -> float:
    """The largest distance of two of the groups at one point, as a share of the range of that shape."""
    found = [0.0]
    for s in shapes:
        lines = [x.y for x in s.lines if x.group in ids]
        height = max((max(y) for y in lines), default=0.0) - min((min(y) for y in lines), default=0.0)
        if height > 0:
            found.append(max(max(at) - min(at) for at in zip(*lines, strict=True)) / height)
    return max(found)


def _title(shape: Shape, t: Strings) -> str:
    name = printable(shape.feature, 60)
    return name if shape.label is None else t("charts.shape_class", feature=name, label=printable(shape.label, 40))


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
    return Axes(fitted(_title(shape, t), 26), WIDTH, HEIGHT, _direction(shape, t), "", below,
                ticks(up, 3, upwards=True), lines)


def _direction(shape: Shape, t: Strings) -> str:
    if shape.against is not None and shape.expected is not None:
        return t("charts.shape_against", share=percent(shape.against), direction=t(f"charts.{shape.expected}"))
    return t("charts.shape_expected", direction=t(f"charts.{shape.expected}")) if shape.expected else ""


def _points(shape: Shape, id: str) -> str:
    y = next(x.y for x in shape.lines if x.group == id)
    texts = [_number(float(x)) if shape.numeric else printable(x, 40) for x in shape.at]
    digits = digits_of(max(abs(v) for v in y))
    return SEPARATOR.join(f"{texts[i]} {decimal(y[i], digits)}" for i in evenly(len(y), NUMBERS))


def _number(x: float) -> str:
    return tick_text(x, 0 if x.is_integer() else 2)
