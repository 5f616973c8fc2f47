"""Thresholds as pictures: what everyone and each group would receive at others, and which would meet the rules."""

from __future__ import annotations

from collections.abc import Sequence

from govern.errors import printable
from govern.evidence import Evidence, ThresholdCounts
from govern.formats.affected import FEW_ROWS
from govern.formats.axes import Axes, Figure, figure, line, ticks, upper
from govern.formats.cells import Table, heads
from govern.formats.charts import MarkName, Scale
from govern.formats.curves import FEATURES, LINES
from govern.formats.naming import group_label, metric_name, name_of
from govern.formats.numbers import decimal
from govern.formats.points import evenly, places, shares
from govern.formats.strings import Strings
from govern.verdict import Sweep, SweepPoint

WIDTH, HEIGHT = 190, 84
SHOWN = 9
RATES = ("exploring.selected", "performance.roc_y")  # of groups at each threshold
Points = list[tuple[float, float]]


def point_mark(swept: Sweep, p: SweepPoint) -> MarkName:
    """What the rules make of a threshold together."""
    return "outside" if "fail" in p.outcomes else "within" if p.threshold in swept.meets else "unsettled"


def sweep_pictures(evidence: Evidence, swept: Sweep, t: Strings) -> tuple[tuple[Figure, ...], tuple[Table, ...]]:
    """A figure of everyone and one of each single feature (at most three), and the numbers of all groups as a table;
    those of everyone are in the table of thresholds."""
    figures, rows = [_everyone(swept, t)], []
    groups = {k: g for k, g in evidence.feature_groups.items() if len(k) == 1 and g[0].asked}
    for features in list(groups)[:FEATURES]:
        if (picture := _feature(evidence, swept, features, t)) is not None:
            figures.append(picture[0])
            rows += picture[1]
    at = places(_shown(evidence))
    titles = [t("fairness.group"), *(t("charts.at", what=t("unit.percent_of", metric=t(k)), thresholds=at)
                                     for k in RATES)]
    return tuple(figures), (Table(heads(titles, ("w20",)), tuple(rows), left=3, fine=True),) if rows else ()


def _shown(evidence: Evidence) -> list[float]:
    return [evidence.thresholds[i] for i in evenly(len(evidence.thresholds), SHOWN)]


def _across(thresholds: Sequence[float]) -> Scale:
    low, high = min(thresholds), max(thresholds)
    return Scale(low, high if high > low else low + 1.0, WIDTH)


def _everyone(swept: Sweep, t: Strings) -> Figure:
    at = [p.threshold for p in swept.points]
    on = _across(at)
    metric = metric_name(swept.metric, t)
    rates = [(p.threshold, p.selection_rate) for p in swept.points if p.selection_rate is not None]
    primary = [(p.threshold, p.primary) for p in swept.points if p.primary is not None]
    marks = tuple((on(p.threshold), point_mark(swept, p)) for p in swept.points)
    names = [t("exploring.selected"), metric]
    plots = [_plot(name, [line_points if i == j else None for j in range(2)], on, swept, t, marks)
             for i, (name, line_points) in enumerate(zip(names, (rates, primary), strict=True)) if line_points]
    alt = t("charts.sweep_alt", metric=metric, n=len(at), low=threshold(min(at)), high=threshold(max(at)))
    return figure(plots, names, t("charts.sweep_everyone"), alt)


def _feature(evidence: Evidence, swept: Sweep, features: tuple[str, ...], t: Strings
             ) -> tuple[Figure, list[tuple[str, ...]]] | None:
    counts = {c.group: c for c in evidence.threshold_counts}
    groups = [g for g in evidence.feature_groups[features] if g.id in counts and g.n >= FEW_ROWS and not g.missing]
    most = sorted(groups, key=lambda g: (-g.n, g.id))[:LINES]
    chosen = {g.id: name_of(g, t) for g in groups if g in most}
    if not chosen:
        return None
    on = _across(evidence.thresholds)
    positive = evidence.settings.get("data", {}).get("favourable") == evidence.settings.get("data", {}).get("positive")
    lines = [[selected(evidence.thresholds, counts[id], positive) for id in chosen],
             [found_positives(evidence.thresholds, counts[id]) for id in chosen]]
    plots = [_plot(t(key), found, on, swept, t) for key, found in zip(RATES, lines, strict=True)]
    feature = printable(features[0], 60)
    alt = t("charts.sweep_group_alt", feature=feature, n=len(evidence.thresholds),
            low=threshold(evidence.thresholds[0]), high=threshold(evidence.thresholds[-1]))
    at = _shown(evidence)
    rows = [(group_label(evidence, id, t), *(shares(found[i], at) if found[i] else "–" for found in lines))
            for i, id in enumerate(chosen)]
    return figure(plots, tuple(chosen.values()), feature, alt), rows


def selected(at: Sequence[float], c: ThresholdCounts, positive: bool) -> Points:
    """The share of a group's rows that get the favourable label at each threshold, of the positive label where that is
    the favourable one; by weight where rows have one."""
    tp, fp, fn, tn = c.sums or (c.tp, c.fp, c.fn, c.tn)
    found = []
    for x, cells in zip(at, zip(tp, fp, fn, tn, strict=True), strict=True):
        if total := sum(cells):
            found.append((x, (cells[0] + cells[1] if positive else cells[2] + cells[3]) / total))
    return found


def found_positives(at: Sequence[float], c: ThresholdCounts) -> Points:
    """The true positive rate of a group at each threshold."""
    tp, _, fn, _ = c.sums or (c.tp, c.fp, c.fn, c.tn)
    return [(x, a / (a + b)) for x, a, b in zip(at, tp, fn, strict=True) if a + b]


def _plot(title: str, lines: Sequence[Points | None], on: Scale, swept: Sweep, t: Strings,
          marks: tuple[tuple[float, MarkName], ...] = ()) -> Axes:
    given = [y for found in lines for _, y in found or ()]
    rates = all(0.0 <= y <= 1.0 for y in given)
    up = Scale(0.0, 1.0, HEIGHT) if rates else upper(given, HEIGHT, floor_at=min([0.0, *given]))
    uprights = ((on(swept.in_force), t("charts.in_force")),) if swept.in_force is not None \
        and on.low <= swept.in_force <= on.high else ()
    return Axes(title, WIDTH, HEIGHT, t("charts.threshold"), "", ticks(on), ticks(up, upwards=True),
                tuple(line(found, i, on, up) for i, found in enumerate(lines) if found), bands=_bands(swept, on),
                uprights=uprights, marks=marks)


def _bands(swept: Sweep, on: Scale) -> tuple[tuple[float, float], ...]:
    """Runs of neighbouring thresholds that meet the rules, as spans of the axis; one alone is a narrow span."""
    spans: list[list[float]] = []
    before = False
    for p in swept.points:
        meets = p.threshold in swept.meets
        if meets and before:
            spans[-1][1] = p.threshold
        elif meets:
            spans.append([p.threshold, p.threshold])
        before = meets
    return tuple((round(on(a) - (1.5 if a == b else 0), 1), round(max(3.0, on(b) - on(a)), 1)) for a, b in spans)


def threshold(value: float) -> str:
    """A threshold as the card writes it."""
    return decimal(value, 4).rstrip("0").rstrip(".")
