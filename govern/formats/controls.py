"""Groups within the levels of a control feature, and their difference and ratio adjusted for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from govern.errors import printable
from govern.evidence import Evidence, Group
from govern.formats.affected import largest
from govern.formats.cells import Cell, Part, Table, heads, shown
from govern.formats.counted import decision_label, selects
from govern.formats.naming import group_name, name_of, reading_level, value_name
from govern.formats.numbers import count
from govern.formats.strings import Strings

LEVELS = 5


def controls(evidence: Evidence, t: Strings) -> Iterator[Part]:
    """A part for each sensitive feature and control feature."""
    pairs: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Group]] = {}
    for g in evidence.groups:
        if g.within:
            pairs.setdefault((g.features, tuple(c for c, _ in g.within)), []).append(g)
    for (features, control), groups in pairs.items():
        yield _part(evidence, features, control, groups, t)


def _part(evidence: Evidence, features: tuple[str, ...], control: tuple[str, ...], within: Sequence[Group],
          t: Strings) -> Part:
    metric = "selection_rate" if selects(evidence) else \
        "mean_prediction" if evidence.task == "regression" else "multiclass_accuracy"
    label = decision_label(evidence) if metric == "selection_rate" else None
    sizes: dict[tuple[str | None, ...], int] = {}
    for g in within:
        level = tuple(v for _, v in g.within)
        sizes[level] = sizes.get(level, 0) + g.n
    levels = sorted(sizes, key=lambda x: (-sizes[x], tuple((v is None, v or "") for v in x)))[:LEVELS]
    at = {(g.values, tuple(v for _, v in g.within)): g for g in within}
    groups = evidence.feature_groups.get(features, ())
    reference = largest(groups)
    name = ":".join(control)
    of = {(m.group, m.reference, str(m.compare)): m for m in evidence.measurements
          if m.slice == f"adjusted: {name}" and m.metric == metric and m.label == label}
    kinds = [k for k in ("difference", "ratio") if any(compare == k for _, _, compare in of)]
    rows = []
    for g in groups:
        cells: list[str | Cell] = []
        for level in levels:
            inner = at.get((g.values, level))
            value = shown(evidence.find(metric, inner.id, label=label))[0] if inner else "–"
            cells.append(Cell(value, t("page1.rows", n=count(inner.n if inner else 0))))
        for kind in kinds:
            m = of.get((g.id, reference.id if reference else None, kind))
            cells.append(t("fairness.reference") if reference is not None and g.id == reference.id
                         else Cell(*shown(m)))
        rows.append((name_of(g, t), *cells))
    shown_levels = [t.list(value_name(v, t) for v in level) for level in levels]
    adjusted = [t(f"controls.{kind}", reference=group_name(evidence, reference.id if reference else None, t))
                for kind in kinds]
    more = len(sizes) - len(levels)
    called = t(f"metric.{metric}")
    called = t("unit.percent_of", metric=called) if metric != "mean_prediction" else called
    return Part(
        t("controls.title", feature=printable(":".join(features)), control=printable(name)),
        t.text([t("controls.note", metric=called, control=printable(name)),
                *([t("controls.adjusted", level=reading_level(evidence))] if kinds else [])]),
        (Table(heads([printable(":".join(features)), *shown_levels, *adjusted], ("w14",)), tuple(rows), fine=True,
               after=t("controls.more", n=more) if more > 0 else ""),))
