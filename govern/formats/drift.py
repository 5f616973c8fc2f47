"""The training data beside these data: the columns that moved most, numbers as pictures, levels as rows."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

from govern.dataset import Column
from govern.errors import printable
from govern.evidence import Evidence
from govern.formats.axes import Axes, figure, fitted, line, ticks, upper
from govern.formats.beams import dumbbell
from govern.formats.cells import Part, Picture, Table, heads
from govern.formats.charts import Scale
from govern.formats.numbers import decimal, percent
from govern.formats.points import SEPARATOR
from govern.formats.strings import Strings

COLUMN, OUTPUT = "column: ", "output"
PICTURES, LEVELLED, LEVELS = 6, 2, 5
WIDTH, HEIGHT, CELLS = 118, 66, 14
OUTER = 0.01  # of the rows that lie beyond each end of an axis at most


def drift(evidence: Evidence, t: Strings) -> list[Part]:
    """The columns with the largest stability indices; nothing without training data."""
    if evidence.train is None:
        return []
    pairs = [p for p in _moved(evidence) if p[1].kind == p[2].kind]
    numeric = [p for p in pairs if p[1].bins and p[2].bins][:PICTURES]
    levelled = [p for p in pairs if p[1].levels and p[2].levels and not p[1].bins][:LEVELLED]
    tables = tuple(_levels(*p, t) for p in levelled)
    if not numeric:
        return [Part(t("charts.drift"), t("charts.drift_note"), tables)] if tables else []
    names = {label: t("datachecks.output") if label == OUTPUT else printable(label) for label, *_ in numeric}
    spread = [(names[label], index, _spread(train, here)) for label, train, here, index in numeric]
    plots = [_plot(name, index, found, t) for name, index, found in spread]
    picture = figure(plots, (t("charts.drift_here"), t("charts.drift_train")), t("charts.drift_share"),
                     t("charts.drift_alt", columns=t.list(names.values())))
    rows = tuple((name, _ends(ends), _texts(here), _texts(train)) for name, _, (ends, train, here) in spread)
    titles = (t("charts.drift_column"), t("charts.drift_ends"), t("charts.drift_here"), t("charts.drift_train"))
    return [Part(t("charts.drift"), t("charts.drift_note"), tables, pictures=(picture,),
                 numbers=(Table(heads(titles, ("w14", "w20")), rows, left=4, fine=True),))]


def _moved(evidence: Evidence) -> list[tuple[str, Column, Column, float]]:
    """(column, in training, here, stability index), the largest index first; the output is a column too."""
    train = _columns(evidence.train.columns, evidence.train.output) if evidence.train else {}
    here = _columns(evidence.data.columns, evidence.data.output)
    found = [(label, train[label], here[label], m.value) for m in evidence.measurements
             if m.metric == "population_stability" and m.value is not None and m.slice is not None
             and (label := m.slice.removeprefix(COLUMN)) in train and label in here]
    return sorted(found, key=lambda x: (-x[3], x[0]))


def _columns(columns: Iterable[Column], output: Column | None) -> Mapping[str, Column]:
    found = {c.name: c for c in columns}
    return found if output is None else found | {OUTPUT: output}


def _spread(train: Column, here: Column) -> tuple[list[float], list[float], list[float]]:
    """The lower ends of equally wide cells, and the shares of the rows with a value in each, in training and here.

    The cells span what all but 1 % of the rows at each end have; rows beyond are in the outer cells. A bin is
    counted where its lower end lies.
    """
    lows, highs = zip(_span(train), _span(here), strict=True)
    low, high = min(lows), max(highs)
    step = (high - low) / CELLS if high > low else 1.0
    ends = [low + i * step for i in range(CELLS)]
    shares = []
    for column in (train, here):
        n = [0] * CELLS
        for b in column.bins:
            n[max(0, bisect_right(ends, b.low) - 1)] += b.n
        shares.append([x / (sum(n) or 1) for x in n])
    return ends, shares[0], shares[1]


def _span(column: Column) -> tuple[float, float]:
    total, seen, low = sum(b.n for b in column.bins), 0, column.bins[0].low
    for b in column.bins:
        if seen <= OUTER * total:
            low = b.low
        seen += b.n
        if seen >= (1 - OUTER) * total:
            return low, b.low
    return low, column.bins[-1].low


def _plot(name: str, index: float, spread: tuple[list[float], list[float], list[float]], t: Strings) -> Axes:
    ends, train, here = spread
    step = ends[1] - ends[0]
    on = Scale(ends[0], ends[-1] + step, WIDTH)
    up = upper([*train, *here], HEIGHT)
    lines = [line([*zip(ends, shares, strict=True), (on.high, shares[-1])], i, on, up, steps=True)
             for i, shares in enumerate((here, train))]
    return Axes(fitted(name, 26), WIDTH, HEIGHT, t("charts.index", value=decimal(index)), "", ticks(on, 3),
                ticks(up, 2, upwards=True), tuple(lines))


def _ends(ends: Sequence[float]) -> str:
    return SEPARATOR.join(f"{x:.4g}".replace("-", "−") for x in ends)


def _texts(shares: Sequence[float]) -> str:
    return SEPARATOR.join(percent(x) for x in shares)


def _levels(label: str, train: Column, here: Column, index: float, t: Strings) -> Table:
    """The levels of one column whose shares moved most."""
    n = [{v.value: v.n for v in c.levels} for c in (train, here)]
    total = [sum(by.values()) + c.others for by, c in zip(n, (train, here), strict=True)]
    shares = {v: (n[0].get(v, 0) / (total[0] or 1), n[1].get(v, 0) / (total[1] or 1))
              for v in sorted(n[0].keys() | n[1].keys())}
    moved = sorted(shares, key=lambda v: (-abs(shares[v][1] - shares[v][0]), v))[:LEVELS]
    on = Scale(0.0, max(x for v in moved for x in shares[v]) or 1.0, 190)
    rows: list[tuple[str | Picture, ...]] = []
    for v in moved:
        (old, new), (before, now) = shares[v], (percent(x) for x in shares[v])
        title = t("charts.drift_title", level=printable(v), train=before, here=now)
        rows.append((printable(v, 80), before, now, dumbbell(old, new, on, title)))
    titles = (printable(label, 60), t("charts.drift_train"), t("charts.drift_here"),
              t("charts.index", value=decimal(index)))
    return Table(heads(titles, ("", "w14", "w14", "w30")), tuple(rows))
