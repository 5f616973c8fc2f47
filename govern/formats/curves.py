"""Curves of several groups or classes in one picture, and the same as points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from govern.errors import printable
from govern.evidence import OVERALL, Curve, Evidence
from govern.formats.affected import FEW_ROWS
from govern.formats.axes import Figure, figure, unit_square
from govern.formats.cells import Part, Table, heads
from govern.formats.counted import decision_label
from govern.formats.naming import group_label, name_of
from govern.formats.points import points
from govern.formats.strings import Strings

FEATURES = 3
LINES = 6
SIZE = 118
# Kind, names of the plot and its axes, whether the diagonal says something.
KINDS = (("roc", "performance.roc", "performance.roc_x", "performance.roc_y", True),
         ("precision_recall", "performance.precision_recall", "performance.roc_y", "performance.precision_y", False),
         ("calibration", "performance.calibration", "performance.calibration_x", "performance.calibration_y", True))


def by_group(evidence: Evidence, asked: Sequence[tuple[str, ...]], t: Strings) -> Part | None:
    """The curves of the groups of 30 rows or more, of at most three single features; None without."""
    label = decision_label(evidence)
    curves = {(c.kind, c.group): c for c in evidence.curves if c.label == label}
    pictures, rows, cut = [], [], False
    for features in [f for f in asked if len(f) == 1][:FEATURES]:
        groups = [g for g in evidence.feature_groups[features] if ("roc", g.id) in curves and g.n >= FEW_ROWS]
        most = sorted(groups, key=lambda g: (-g.n, g.id))[:LINES]
        cut = cut or len(groups) > LINES
        chosen = {g.id: name_of(g, t) for g in groups if g in most}
        title = printable(features[0], 60)
        if picture := _picture(curves, chosen, title, t):
            pictures.append(picture)
            rows += _points(curves, {id: group_label(evidence, id, t) for id in chosen})
    if not pictures:
        return None
    note = [t("curves.groups"), t("curves.diagonals"), *([t("curves.cut", n=LINES)] if cut else [])]
    return Part(t("curves.by_group"), t.text(note), pictures=tuple(pictures),
                numbers=(_numbers(t("fairness.group"), rows, t),))


def by_class(evidence: Evidence, labels: Sequence[str], t: Strings) -> Part | None:
    """The curves of each class against all others; None without such curves."""
    curves = {(c.kind, c.label or ""): c for c in evidence.curves if c.group == OVERALL and c.label is not None}
    with_curve = [x for x in labels if ("roc", x) in curves]
    chosen = {x: printable(x) for x in with_curve[:LINES]}
    title = printable(evidence.settings.get("data", {}).get("target", ""), 60)
    picture = _picture(curves, chosen, title, t)
    note = [t("curves.diagonals"), *([t("curves.cut_classes", n=LINES)] if len(with_curve) > LINES else [])]
    return Part(t("curves.by_class"), t.text(note), pictures=(picture,),
                numbers=(_numbers(title, _points(curves, chosen), t),)) if picture else None


def overall(evidence: Evidence, t: Strings) -> tuple[Table, ...]:
    """The points of the curves of everyone, as the pictures of the performance section show them."""
    curves = {(c.kind, c.group): c for c in evidence.curves if c.group == OVERALL and c.label is None and c.x}
    rows = tuple((t(name), _axes(x, y, t), points(list(zip(c.x, c.y, strict=True)), 15))
                 for kind, name, x, y, _ in KINDS if (c := curves.get((kind, OVERALL))) is not None)
    titles = [t("charts.curve_name"), t("charts.curve_axes"), t("charts.curve_points")]
    return (Table(heads(titles, ("w16", "w24")), rows, left=3, fine=True),) if rows else ()


def _picture(curves: Mapping[tuple[str, str], Curve], names: Mapping[str, str], title: str, t: Strings
             ) -> Figure | None:
    plots = []
    for kind, name, x, y, guide in KINDS:
        lines = [list(zip(c.x, c.y, strict=True)) if (c := curves.get((kind, id))) is not None else None
                 for id in names]
        if any(lines):
            plots.append(unit_square(t(name), t(x), t(y), lines, SIZE, guide=guide))
    if not plots:
        return None
    return figure(plots, tuple(names.values()), title, t("curves.alt", what=title, names=t.list(names.values())))


def _points(curves: Mapping[tuple[str, str], Curve], names: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Rows of a name and points of each kind of curve, `–` for a kind without."""
    return [(name, *(points(list(zip(c.x, c.y, strict=True))) if (c := curves.get((kind, id))) is not None else "–"
                     for kind, *_ in KINDS)) for id, name in names.items()]


def _numbers(title: str, rows: Sequence[tuple[str, ...]], t: Strings) -> Table:
    """The points as a table, without the kinds of which there are none."""
    there = [i for i in range(len(KINDS)) if any(row[i + 1] != "–" for row in rows)]
    titles = [title, *(f"{t(KINDS[i][1])}: {_axes(*KINDS[i][2:4], t)}" for i in there)]
    return Table(heads(titles, ("w10",)), tuple((row[0], *(row[i + 1] for i in there)) for row in rows),
                 left=len(titles), fine=True)


def _axes(x: str, y: str, t: Strings) -> str:
    return t("unit.percent_of", metric=t("charts.points", x=t(x), y=t(y)))
