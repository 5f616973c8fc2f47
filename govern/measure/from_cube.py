"""Everything that follows from the cube: groups, counts, rates, score metrics, disparities, curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from govern.evidence import OVERALL, Counts, Curve, Group, Measurement
from govern.inputs.labels import Labels
from govern.measure import rates, score_metrics
from govern.measure.disparities import disparities
from govern.stats.cube import Cube, Partition
from govern.stats.ranked import rank_rows
from govern.stats.scores import Scores, by_groups, roc_curve_points, scores


@dataclass(frozen=True)
class Levels:
    """Level texts of each sensitive feature by code, and the codes in canonical order."""

    texts: dict[str, Sequence[str]]
    order: dict[str, Sequence[int]]


@dataclass
class Numbers:
    """Parts of the evidence that come from counts and scores."""

    groups: list[Group] = field(default_factory=list)
    counts: list[Counts] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)


def feature_sets(singles: Sequence[str], asked: Sequence[tuple[str, ...]]) -> list[tuple[tuple[str, ...], bool]]:
    """(features, asked) in the order of groups: single features, asked intersections, the other pairs."""
    known = {frozenset(a) for a in asked}
    others = [pair for pair in combinations(singles, 2) if frozenset(pair) not in known]
    return [*(((s,), True) for s in singles), *((tuple(a), True) for a in asked), *((p, False) for p in others)]


def numbers(cube: Cube, levels: Levels, asked: Sequence[tuple[str, ...]], labels: Labels) -> Numbers:
    """Groups, counts, measurements and curves of everyone and of every feature and intersection."""
    favourable = labels.favourable_is_positive
    everyone = cube.partition((), levels.texts, levels.order)
    total = rates.counts_of(OVERALL, *(int(c.sum()) for c in (everyone.tp, everyone.fp, everyone.fn, everyone.tn)),
                            favourable_is_positive=favourable)
    out = Numbers([rates.overall_group(total, favourable_is_positive=favourable)], [total])
    splits: list[tuple[Partition, list[Group]]] = []
    for features, gated in feature_sets(cube.features, asked):
        partition = cube.partition(features, levels.texts, levels.order)
        groups, counts = rates.groups_of(partition, len(out.groups), asked=gated, favourable_is_positive=favourable)
        out.groups += groups
        out.counts += counts
        splits.append((partition, groups))
    of = {c.group: c for c in out.counts}
    out.measurements += rates.rates(out.counts)
    for _, groups in splits:
        out.measurements += rates.comparisons(groups, of)
    n, most = out.groups[0].n, max(out.groups[0].n_positive, out.groups[0].n - out.groups[0].n_positive)
    out.measurements.append(Measurement("trivial_accuracy", most / n, numerator=most, denominator=n))
    if cube.scored:
        _score_numbers(cube, splits, out)
    return out


def add_disparities(out: Numbers, labels: Labels) -> None:
    """fairlearn's disparities of every feature and intersection; apart because importing fairlearn is slow
    and has time while the model's process is busy."""
    of = {c.group: c for c in out.counts}
    by_feature: dict[tuple[str, ...], list[Group]] = {}
    for group in out.groups:
        if group.features:
            by_feature.setdefault(group.features, []).append(group)
    out.measurements += disparities(by_feature, of, favourable_is_positive=labels.favourable_is_positive)


def _score_numbers(cube: Cube, splits: Sequence[tuple[Partition, list[Group]]], out: Numbers) -> None:
    cells, score = cube.row_cells(), cube.row_scores()
    y = cube.y_of_cell()[cells]
    ranked = rank_rows(y, score)
    overall = scores(ranked)
    out.measurements += score_metrics.of_group(overall)
    out.curves += _curves(overall, OVERALL)
    x, rate = roc_curve_points(y, score)
    out.curves.append(Curve("roc", OVERALL, tuple(x), tuple(rate)))
    for partition, groups in splits:
        codes = partition.of_cell[cells]
        found = by_groups(ranked, codes, len(groups))
        for group, one in zip(groups, found, strict=True):
            out.measurements += score_metrics.of_group(one.own, group.id)
            if group.asked:
                out.curves += _curves(one.own, group.id)
        out.measurements += score_metrics.comparisons(groups, found)


def _curves(found: Scores, group: str) -> list[Curve]:
    curve = score_metrics.calibration_curve(found, group)
    return [curve] if curve else []


def membership(values: Mapping[str, Sequence[str | None]], groups: Sequence[Group]) -> dict[str, NDArray[np.bool_]]:
    """Which sampled rows belong to each group, (n_rows,) by group id, from the rows' sensitive values."""
    columns = {name: np.array(v, object) for name, v in values.items()}
    found = {}
    for group in groups:
        if group.features:
            parts = [columns[f] == v for f, v in zip(group.features, group.values, strict=True)]
            found[group.id] = np.logical_and.reduce(parts)
    return found
