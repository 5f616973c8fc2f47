"""Small evidence documents of the other tasks, of weighted rows, and with counts at every threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations_with_replacement
from typing import Any

from policy_evidence import evidence, rate

from govern.evidence import OVERALL, Confusion, Counts, Evidence, Group, Measurement, Sampling, ThresholdCounts

Matrix = Sequence[Sequence[int]]
Weighed = Sequence[tuple[str, float, int]]  # cell, weight, person
Scored = Sequence[tuple[bool, float]]  # has the positive label, score


def multiclass(feature: Mapping[str, Matrix], classes: Sequence[str], **data: Any) -> Evidence:
    """A multiclass task: rows by true and predicted class for each group of the feature x."""
    k = range(len(classes))
    total = [[sum(m[i][j] for m in feature.values()) for j in k] for i in k]
    groups, counts, measured = [], [], []
    for id, (name, m) in zip([OVERALL, *(f"g{i + 1}" for i in range(len(feature)))],
                             [("", total), *feature.items()], strict=True):
        n = sum(map(sum, m))
        groups.append(Group(id, ("x",) if name else (), (name,) if name else (), n, 0, 0))
        right = sum(m[i][i] for i in k)
        measured.append(Measurement("multiclass_accuracy", right / n, group=id, numerator=right, denominator=n))
        for i, label in enumerate(classes):
            tp, actual, chosen = m[i][i], sum(m[i]), sum(row[i] for row in m)
            counts.append(Counts(id, tp, chosen - tp, actual - tp, n - chosen - actual + tp, chosen, label))
    plain = evidence({"x": {name: rate(0, g.n) for name, g in zip(feature, groups[1:], strict=True)}})
    confusions = tuple(Confusion(g.id, tuple(map(tuple, m)))
                       for g, m in zip(groups, [total, *feature.values()], strict=True))
    return replace(plain, task="multiclass", groups=tuple(groups), counts=tuple(counts), confusions=confusions,
                   measurements=tuple(measured), settings={"model": {"name": "m"}, "data": dict(data)})


def regression(feature: Mapping[str, tuple[int, int, float]]) -> Evidence:
    """A regression: rows, rows with a prediction above the median, and mean residual of each group of x."""
    plain = evidence({"x": {name: rate(0, n) for name, (n, _, _) in feature.items()}})
    everyone = (sum(n for n, _, _ in feature.values()), sum(above for _, above, _ in feature.values()), 0.0)
    measured = []
    for g, (n, above, mean) in zip(plain.groups, [everyone, *feature.values()], strict=True):
        measured += [Measurement("share_above_median", above / n, group=g.id, numerator=above, denominator=n),
                     Measurement("mean_residual", mean, group=g.id, se=n ** -0.5, transform="identity")]
    groups = tuple(replace(g, n_positive=0, n_favourable=0) for g in plain.groups)
    return replace(plain, task="regression", groups=groups, counts=(), measurements=tuple(measured))


def sampling(rows: Weighed) -> Sampling:
    """Sums of weights and products of the persons' sums, by definition."""
    cells = ("tp", "fp", "fn", "tn")
    persons: dict[int, list[float]] = {}
    for cell, weight, person in rows:
        persons.setdefault(person, [0.0] * 4)[cells.index(cell)] += weight
    products = [sum(p[a] * p[b] for p in persons.values()) for a, b in combinations_with_replacement(range(4), 2)]
    return Sampling(*(sum(p[a] for p in persons.values()) for a in range(4)), moments=tuple(products))


def weighted(feature: Mapping[str, Weighed], **data: Any) -> Evidence:
    """Binary evidence of weighted rows, or rows that share persons, for each group of x."""
    def cells(rows: Weighed) -> Any:
        return tuple(sum(cell == c for cell, _, _ in rows) for c in ("tp", "fp", "fn", "tn"))

    plain = evidence({"x": {name: cells(rows) for name, rows in feature.items()}})
    of = [[row for rows in feature.values() for row in rows], *feature.values()]
    counts = tuple(replace(c, sampling=sampling(rows)) for c, rows in zip(plain.counts, of, strict=True))
    return replace(plain, counts=counts, settings={"model": {"name": "m"}, "data": dict(data)})


def swept_weighted(feature: Mapping[str, Sequence[tuple[bool, float, float, int]]], grid: Sequence[float],
                   threshold: float) -> Evidence:
    """As `swept`, of rows (has the positive label, score, weight, person)."""
    def cells(rows: Any, t: float) -> list[tuple[str, float, int]]:
        return [(("tp" if y else "fp") if s >= t else ("fn" if y else "tn"), w, p) for y, s, w, p in rows]

    plain = swept({name: [(y, s) for y, s, _, _ in rows] for name, rows in feature.items()}, grid, threshold)
    of = {g.id: [r for i, rows in enumerate(feature.values()) if g.id in (OVERALL, f"g{i + 1}") for r in rows]
          for g in plain.groups}
    counts = tuple(replace(c, sampling=sampling(cells(of[c.group], threshold))) for c in plain.counts)
    at = []
    for c in plain.threshold_counts:
        each = [sampling(cells(of[c.group], t)) for t in grid]
        moments = tuple(zip(*(s.moments for s in each), strict=True))
        at.append(replace(c, sums=tuple(zip(*((s.tp, s.fp, s.fn, s.tn) for s in each), strict=True)),
                          moments=tuple(m if any(m) else () for m in moments)))
    return replace(plain, counts=counts, threshold_counts=tuple(at))


def swept(feature: Mapping[str, Scored], grid: Sequence[float], threshold: float, *, favourable: str = "1") -> Evidence:
    """Binary evidence of scored rows with their counts at every threshold of the grid."""
    def at(rows: Scored, t: float) -> Any:
        tp, fp = (sum(s >= t for y, s in rows if y is want) for want in (True, False))
        positive = sum(y for y, _ in rows)
        return tp, fp, positive - tp, len(rows) - positive - fp

    plain = evidence({"x": {name: at(rows, threshold) for name, rows in feature.items()}},
                     favourable_is_positive=favourable == "1")
    of = [[row for rows in feature.values() for row in rows], *feature.values()]
    counts = tuple(ThresholdCounts(g.id, *zip(*(at(rows, t) for t in grid), strict=True))
                   for g, rows in zip(plain.groups, of, strict=True))
    return replace(plain, thresholds=tuple(grid), threshold_counts=counts,
                   settings={"model": {"name": "m"}, "data": {"threshold": threshold, "positive": "1",
                                                              "favourable": favourable}})
