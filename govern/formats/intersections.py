"""The intersections that nobody asked a rule for, one row each: where in them to look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from govern.errors import printable
from govern.evidence import Comparing, Evidence, Group, Measurement
from govern.formats.affected import FEW_ROWS, largest
from govern.formats.cells import Cell, Part, Table, cell, heads, look
from govern.formats.counted import decision_label, selects
from govern.formats.naming import metric_name, name_of, reading_level
from govern.formats.numbers import count, with_interval
from govern.formats.strings import Strings

ERROR = "mean_absolute_error"
Features = Mapping[tuple[str, ...], Sequence[Group]]
Found = list[tuple[float, Group, Measurement]]


def unasked(evidence: Evidence) -> Features:
    """The groups of each intersection (or band) that nobody asked a rule for, in the order of the evidence."""
    return {k: g for k, g in evidence.feature_groups.items() if not g[0].asked}


def intersections(evidence: Evidence, t: Strings) -> Part | None:
    """The lowest and the highest group of each of them, and the one farthest below the largest; None without any.

    Compared is what page one compares: who is selected, else the mean prediction or the accuracy. Groups of fewer than
    30 rows or without a known value are counted and not read.
    """
    others = unasked(evidence)
    if not others:
        return None
    metric = "selection_rate" if selects(evidence) else \
        "mean_prediction" if evidence.task == "regression" else "multiclass_accuracy"
    errors = [ERROR] if evidence.task == "regression" and evidence.find(ERROR) is not None else []
    rows = tuple(_row(evidence, k, groups, metric, errors, t) for k, groups in others.items())
    name = _title(metric, t)
    titles = [t("intersections.features"), t("intersections.sizes"), t("intersections.lowest", metric=name),
              t("intersections.highest", metric=name),
              t("intersections.ratio" if selects(evidence) else "intersections.difference"),
              *(t("intersections.highest", metric=_title(m, t)) for m in errors)]
    after = t.text((t("intersections.chance"), t("intersections.searched") if evidence.subgroups else ""))
    widths = ("w14", "w14") if errors else ("w17", "w20")
    return Part(t("intersections.title"), t("intersections.note", level=reading_level(evidence)),
                (Table(heads(titles, widths), rows, left=len(titles), after=after),))


def _title(metric: str, t: Strings) -> str:
    name = t(f"metric.{metric}") if t.has(f"metric.{metric}") else metric_name(metric, t)
    return t("unit.percent_of", metric=name) if look(metric) == "percent" else name


def _row(evidence: Evidence, features: tuple[str, ...], groups: Sequence[Group], metric: str, errors: Sequence[str],
         t: Strings) -> tuple[Cell, ...]:
    known = [g for g in groups if not g.missing and g.n]
    read = [g for g in known if g.n >= FEW_ROWS]
    reference, lost = largest(groups), sum(g.n for g in groups if g.missing)
    counted = [t("intersections.groups", n=len(known)),
               t("intersections.few", n=len(known) - len(read)) if len(known) > len(read) else "",
               t("intersections.unknown", n=count(lost)) if lost else ""]
    ends = sorted({min(g.n for g in known), max(g.n for g in known)}) if known else [0]
    sizes = t("data.range", low=count(ends[0]), high=count(ends[1])) if len(ends) > 1 else count(ends[0])
    rates = _measured(evidence, metric, read)
    gaps = [] if reference is None else _measured(evidence, metric, [g for g in read if g.id != reference.id],
                                                  reference.id)
    return (Cell(printable(":".join(features)), t.list(counted)),
            Cell(sizes, name_of(reference, t) if reference else ""),
            _named(rates[:1], t), _named(rates[-1:], t),
            _named(gaps[:1] if selects(evidence) else sorted(gaps, key=lambda x: -abs(x[0]))[:1], t),
            *(_named(_measured(evidence, m, read)[-1:], t) for m in errors))


def _measured(evidence: Evidence, metric: str, groups: Sequence[Group], reference: str | None = None) -> Found:
    """The groups in which the metric, or its comparison with `reference`, has a value: the lowest first."""
    label = decision_label(evidence) if metric == "selection_rate" else None
    compare: Comparing | None = None if reference is None else "ratio" if selects(evidence) else "difference"
    found = [(m.value, g, m) for g in groups
             if (m := evidence.find(metric, g.id, reference, compare, label=label)) is not None and m.value is not None]
    return sorted(found, key=lambda x: (x[0], x[1].id))


def _named(found: Found, t: Strings) -> Cell:
    """A measurement with its interval and the group under it; of a ratio with the digits that keep it off 1."""
    if not found:
        return Cell("–")
    _, group, m = found[0]
    ends = m.interval
    number = cell(m) if m.compare != "ratio" or m.value is None else \
        with_interval(m.value, ends.low if ends else None, ends.high if ends else None, [1.0])
    return Cell(number, name_of(group, t))
