"""Everything that follows from the cube: groups, counts, rates, score metrics, disparities, curves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from govern.evidence import OVERALL, Confusion, Counts, Curve, Group, Interval, Measurement, ThresholdCounts
from govern.inputs.labels import Target
from govern.measure import controls, multiclass, rates, regression, score_metrics, trivial
from govern.measure.disparities import disparities
from govern.measure.group_extremes import extremes, shortfalls
from govern.measure.rates import ALPHA, LEVEL
from govern.measure.scoring import scoring_rates
from govern.measure.splits import Roles, Split, by_features, counts, splits
from govern.stats.cube import Cube, Levels
from govern.stats.curves import threshold_counts, threshold_grid, threshold_sums
from govern.stats.entries import Column
from govern.stats.estimate import Estimate
from govern.stats.means import Share, effective_rows
from govern.stats.ranked import RankedRows, rank_rows
from govern.stats.regression import Residuals
from govern.stats.score_means import Losses
from govern.stats.scores import GroupScores, by_groups, scores


@dataclass
class Numbers:
    """Parts of the evidence that come from counts and scores."""

    groups: list[Group] = field(default_factory=list)
    counts: list[Counts] = field(default_factory=list)
    confusions: list[Confusion] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    thresholds: tuple[float, ...] = ()
    threshold_counts: list[ThresholdCounts] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def numbers(cube: Cube, levels: Levels, roles: Roles, target: Target, threshold: float | None) -> Numbers:
    """All numbers of everyone and of every group of a classification."""
    everyone, rest = splits(cube, levels, roles, target)
    out = Numbers([g for s in (everyone, *rest) for g in s.groups])
    out.counts = [c for s in (everyone, *rest) for c in counts(cube, s, target)]
    wished = target.favourable == target.positive
    of = {(c.group, c.label): c for c in out.counts}
    out.measurements += rates.rates(out.counts, favourable_is_positive=wished)
    for label in dict.fromkeys(label for _, label in of):
        of_label = {group: c for (group, which), c in of.items() if which == label}
        for split in rest:
            out.measurements += rates.comparisons(split.groups, of_label, favourable_is_positive=wished)
    out.measurements += controls.adjusted(out.groups, of, favourable_is_positive=wished)
    out.measurements.append(_trivial(cube, target))
    if target.task == "binary":
        if cube.entries is not None:
            column = cube.entries.column(0, len(cube.faces), repeated=cube.clustered)
            _score_numbers(cube, column, 1, None, everyone, rest, threshold, out)
    else:
        _all_classes(cube, target, everyone, rest, out)
    _disparities(out, rest, of, target, favourable_is_positive=wished)
    out.measurements += list(trivial.of_classes(cube, target, out.measurements))
    return out


def regression_numbers(cube: Cube, residuals: Residuals, levels: Levels, roles: Roles, target: Target) -> Numbers:
    """All numbers of everyone and of every group of a regression."""
    everyone, rest = splits(cube, levels, roles, target)
    out = Numbers([g for s in (everyone, *rest) for g in s.groups])
    overall = residuals.by_group(everyone.partition.of_cell, 1)[0]
    out.measurements += regression.of_group(overall)
    for split in rest:
        fits = residuals.by_group(split.partition.of_cell, len(split.partition))
        for group, fit in zip(split.groups, fits, strict=True):
            out.measurements += regression.of_group(fit, group.id)
        out.measurements += regression.comparisons(split.groups, fits, overall)
        out.measurements += regression.disparities(split.groups, fits)
    out.measurements += extremes(by_features(rest), out.measurements)
    out.measurements += list(trivial.of_numbers(residuals, out.measurements))
    return out


def _all_classes(cube: Cube, target: Target, everyone: Split, rest: Sequence[Split], out: Numbers) -> None:
    """Confusion matrices, the metrics of each class against all others, and the metrics over all classes."""
    columns = [cube.entries.column(i, len(cube.faces), repeated=cube.clustered)
               for i in range(len(target.classes))] if cube.entries else []
    aucs: dict[str, list[Estimate]] = {}
    rest_aucs: dict[str, list[Estimate]] = {}
    for i, (label, column) in enumerate(zip(target.classes, columns, strict=False)):
        found = _score_numbers(cube, column, i, label, everyone, rest, None, out)
        for id, one in found.items():
            aucs.setdefault(id, []).append(one.own.roc_auc)
            rest_aucs.setdefault(id, []).append(one.rest.roc_auc)
    for split in (everyone, *rest):
        fits = multiclass.fits(cube, split.partition, target.classes, columns)
        fits = [multiclass.with_macro_auc(f, aucs[g.id], rest_aucs[g.id], target.classes) if columns else f
                for f, g in zip(fits, split.groups, strict=True)]
        for group, matrix in zip(split.groups, cube.confusion(split.partition, len(target.classes)).tolist(),
                                 strict=True):
            out.confusions.append(Confusion(group.id, tuple(tuple(row) for row in matrix)))
        for group, fit in zip(split.groups, fits, strict=True):
            out.measurements += multiclass.of_group(fit.own, group.id)
        if split is not everyone:
            out.measurements += multiclass.comparisons(split.groups, fits)
            out.measurements += multiclass.disparities(split.groups, fits)


def _disparities(out: Numbers, rest: Sequence[Split], of: Mapping[tuple[str, str | None], Counts], target: Target, *,
                 favourable_is_positive: bool) -> None:
    groups = by_features(rest)
    out.measurements += disparities(groups, of, favourable_is_positive=favourable_is_positive)
    out.measurements += extremes(groups, out.measurements)
    if target.favourable is not None:
        label = target.favourable if target.task == "multiclass" else None
        out.measurements += shortfalls(groups, of, favourable_is_positive=favourable_is_positive, label=label)


def _trivial(cube: Cube, target: Target) -> Measurement:
    """The accuracy of always guessing the most frequent class.

    Its upper end is the largest of any class's, its lower one that with the error divided by the classes.
    """
    true, k = cube.table[:, -2], len(target.classes)
    sums = cube.sums_at(true, k).tolist()
    n = math.fsum(sums)
    shares = [_share_of(cube, true == c, x, n) for c, x in enumerate(sums)]
    most = max(shares, key=lambda s: s.x)
    interval = Interval.reading(max(s.bounds(ALPHA / k)[0] for s in shares), max(s.bounds(ALPHA)[1] for s in shares),
                                LEVEL, "over all classes")
    return Measurement("trivial_accuracy", most.value, numerator=most.x, denominator=most.n, effective=most.effective,
                       interval=interval)


def _share_of(cube: Cube, which: NDArray[np.bool_], x: float, n: float) -> Share:
    """The share of some cells, whose weights add up to x, in all rows."""
    if not cube.weighted and not cube.clustered:
        return Share(int(x), int(n))
    p = min(1.0, x / n)
    variance = cube.variance(which.astype(np.float64) - p) / (n * n)
    return Share(x, n, effective_rows(p, variance, n, cube.variance(np.ones(len(which)))))


def _score_numbers(cube: Cube, column: Column, positive: int, label: str | None, everyone: Split,
                   rest: Sequence[Split], threshold: float | None, out: Numbers) -> dict[str, GroupScores]:
    """Metrics and curves of one column of scores: of the positive label, or of one class against all others."""
    ranked = _ranked(cube, column, positive)
    losses = _losses(cube, column, everyone)
    overall = scores(ranked, losses[0] if losses else None)
    of_group = {OVERALL: GroupScores(overall, overall)}
    out.measurements += score_metrics.of_group(overall, OVERALL, label)
    out.curves += score_metrics.curves(overall, OVERALL, label)
    if overall.binned and label is None:
        out.notes.append(f"Scores were counted in {column.bins:,} bins: the ROC AUC of all rows lies within "
                         f"{overall.auc_error:.1e} of that of the scores themselves.")
    for split in rest:
        found = _by_groups(cube, column, ranked, split, losses)
        for group, one in zip(split.groups, found, strict=True):
            of_group[group.id] = one
            out.measurements += score_metrics.of_group(one.own, group.id, label)
            if group.asked and not group.within and len(group.features) == 1:
                out.curves += score_metrics.curves(one.own, group.id, label)
        out.measurements += score_metrics.comparisons(split.groups, found, label)
    if label is None:
        out.measurements += scoring_rates(cube, column, ranked, rest)
    if label is None and threshold is not None:
        _sweep(cube, column, ranked, everyone, rest, threshold, out)
    return of_group


def _ranked(cube: Cube, column: Column, positive: int) -> RankedRows:
    weighted = cube.weighted
    return rank_rows(cube.faces[column.face, -1] == positive, column.score, column.n,
                     column.w if weighted else None, column.w2 if weighted else None,
                     column.cluster if cube.clustered else None, binned=column.bins is not None)


def _losses(cube: Cube, column: Column, split: Split) -> list[Losses] | None:
    """Sums of losses of each group of a split, where scores are binned."""
    if column.losses is None or cube.weighted:
        return None
    sums = np.zeros((len(split.partition), 4))
    np.add.at(sums, cube.of_face(split.partition), column.losses)
    return [Losses(*row) for row in sums.tolist()]


def _by_groups(cube: Cube, column: Column, ranked: RankedRows, split: Split, everyone: list[Losses] | None
               ) -> list[GroupScores]:
    codes = cube.of_face(split.partition)[column.face]
    return by_groups(ranked, codes, len(split.partition), _losses(cube, column, split),
                     everyone[0] if everyone else None)


def _sweep(cube: Cube, column: Column, ranked: RankedRows, everyone: Split, rest: Sequence[Split], threshold: float,
           out: Numbers) -> None:
    """Confusion counts of everyone and of every group asked for, at a grid of thresholds.

    Of binned scores those at the threshold in force may be some rows off: a bin may lie across it.
    """
    out.thresholds = threshold_grid(ranked, threshold)
    for split in (everyone, *(s for s in rest if s.groups and s.groups[0].asked and not s.groups[0].within)):
        codes, k = cube.of_face(split.partition)[column.face], len(split.partition)
        found = threshold_counts(ranked, codes, k, out.thresholds)
        rows = [ThresholdCounts(g.id, *_arrays(table)) for g, table in zip(split.groups, found, strict=False)]
        if cube.weighted or cube.clustered:
            sums, moments = threshold_sums(ranked, codes, k, out.thresholds)
            rows = [replace(r, sums=_arrays(s), moments=tuple(m if any(m) else () for m in _arrays(p)))
                    for r, s, p in zip(rows, sums, moments, strict=True)]
        out.threshold_counts += rows


def _arrays(table: NDArray[Any]) -> tuple[tuple[Any, ...], ...]:
    """The columns of a table."""
    return tuple(tuple(column) for column in table.T.tolist())
