"""Curves of several groups or classes in one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from govern.errors import printable
from govern.evidence import OVERALL, Curve, Evidence
from govern.formats.affected import FEW_ROWS
from govern.formats.cells import Part
from govern.formats.charts import Line, Panel, line
from govern.formats.counted import decision_label
from govern.formats.naming import name_of
from govern.formats.strings import Strings

FEATURES = 3
LINES = 6
SIZE = 118
KINDS = (("roc", "performance.roc", "performance.roc_x", "performance.roc_y"),
         ("calibration", "performance.calibration", "performance.calibration_x", "performance.calibration_y"))


def by_group(evidence: Evidence, asked: Sequence[tuple[str, ...]], t: Strings) -> Part | None:
    """ROC and calibration of the groups of 30 rows or more, of at most three single features; None without."""
    label = decision_label(evidence)
    curves = {(c.kind, c.group): c for c in evidence.curves if c.label == label}
    pictures, cut = [], False
    for features in [f for f in asked if len(f) == 1][:FEATURES]:
        groups = [g for g in evidence.feature_groups[features] if ("roc", g.id) in curves and g.n >= FEW_ROWS]
        most = sorted(groups, key=lambda g: (-g.n, g.id))[:LINES]
        cut = cut or len(groups) > LINES
        chosen = {g.id: name_of(evidence, g, t, 34) for g in groups if g in most}
        if picture := _panel(curves, chosen, printable(features[0], 60), t):
            pictures.append(picture)
    if not pictures:
        return None
    note = [t("curves.groups"), t("curves.diagonals"), *([t("curves.cut", n=LINES)] if cut else [])]
    return Part(t("curves.by_group"), t.text(note), pictures=tuple(pictures))


def by_class(evidence: Evidence, labels: Sequence[str], t: Strings) -> Part | None:
    """ROC and calibration of each class against all others; None without such curves."""
    curves = {(c.kind, c.label or ""): c for c in evidence.curves if c.group == OVERALL and c.label is not None}
    with_curve = [x for x in labels if ("roc", x) in curves]
    picture = _panel(curves, {x: printable(x, 34) for x in with_curve[:LINES]},
                     printable(evidence.settings.get("data", {}).get("target", ""), 60), t)
    note = [t("curves.diagonals"), *([t("curves.cut_classes", n=LINES)] if len(with_curve) > LINES else [])]
    return Part(t("curves.by_class"), t.text(note), pictures=(picture,)) if picture else None


def _panel(curves: Mapping[tuple[str, str], Curve], names: Mapping[str, str], title: str, t: Strings) -> Panel | None:
    plots: list[tuple[str, str, str, tuple[Line, ...]]] = []
    for kind, name, x, y in KINDS:
        lines = tuple(line(c.x, c.y, i, size=SIZE) for i, id in enumerate(names)
                      if (c := curves.get((kind, id))) is not None and c.x)
        if lines:
            plots.append((t(name), t(x), t(y), lines))
    if not plots:
        return None
    return Panel(SIZE, title, tuple(plots), tuple(names.values()),
                 t("curves.alt", what=title, names=t.list(names.values())))
