"""The rows split into groups: by sensitive feature, by intersection, and within levels of control features."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from govern.evidence import OVERALL, UNKNOWN_NAME, Counts, Group, GroupStatus, Sampling
from govern.inputs.labels import Target
from govern.stats.cube import Cube, Levels, Partition

TINY = 30
KINDS = ("tp", "fp", "fn", "tn")


@dataclass(frozen=True)
class Roles:
    """Features by role: `singles` asked for, `shown` never gated, `asked` intersections, `controls`; `statuses`
    says of a level by feature why it is not like the others."""

    singles: tuple[str, ...]
    shown: tuple[str, ...] = ()
    asked: tuple[tuple[str, ...], ...] = ()
    controls: tuple[str, ...] = ()
    statuses: Mapping[str, Mapping[str, GroupStatus]] | None = None


@dataclass(frozen=True)
class Split:
    """A partition of the rows and its groups, in one order."""

    partition: Partition
    groups: list[Group]


def splits(cube: Cube, levels: Levels, roles: Roles, target: Target) -> tuple[Split, list[Split]]:
    """Everyone, and the splits by features and controls; groups are numbered through as g1, g2, …"""
    everyone = Partition((), ((),), np.zeros(len(cube.n), np.int64))
    found = [Split(everyone, _groups(cube, everyone, [((), (), ())], True, roles, target, [OVERALL]))]
    start = 1
    for within, features, asked in _feature_sets(roles):
        partition = cube.partition((*within, *features), levels)
        keys = [(features, key[len(within):], tuple(zip(within, key, strict=False))) for key in partition.keys]
        ids = [f"g{start + i}" for i in range(len(keys))]
        found.append(Split(partition, _groups(cube, partition, keys, asked, roles, target, ids)))
        start += len(keys)
    return found[0], found[1:]


def _feature_sets(roles: Roles) -> Iterator[tuple[tuple[str, ...], tuple[str, ...], bool]]:
    """(controls, features, asked) in the order of groups: single features, asked intersections, the other
    pairs, features that are only shown, and single features within each control feature."""
    known = {frozenset(a) for a in roles.asked}
    yield from (((), (f,), True) for f in roles.singles)
    yield from (((), a, True) for a in roles.asked)
    yield from (((), pair, False) for pair in combinations(roles.singles, 2) if frozenset(pair) not in known)
    yield from (((), (f,), False) for f in roles.shown)
    yield from (((c,), (f,), False) for c in roles.controls for f in roles.singles if c != f)


Key = tuple[tuple[str, ...], tuple[str | None, ...], tuple[tuple[str, str | None], ...]]


def _groups(cube: Cube, partition: Partition, keys: Sequence[Key], asked: bool, roles: Roles, target: Target,
            ids: Sequence[str]) -> list[Group]:
    classes = len(target.classes)
    rows = np.zeros((len(partition), max(1, classes)), np.int64)
    np.add.at(rows, (partition.of_cell, cube.table[:, -2]), cube.n)
    groups = []
    for id, (features, values, within), of_class in zip(ids, keys, rows.tolist(), strict=True):
        n = sum(of_class)
        positive = of_class[1] if target.task == "binary" else 0
        wished = of_class[target.classes.index(target.favourable)] if target.favourable is not None else 0
        one_class = classes > 1 and n > 0 and max(of_class) == n
        groups.append(Group(id, features, values, n, positive, wished, asked, within,
                            _status(features, values, n, one_class, roles)))
    return groups


def _status(features: Sequence[str], values: Sequence[str | None], n: int, one_class: bool, roles: Roles
            ) -> GroupStatus:
    if any(v is None for v in values):
        return "missing"
    if UNKNOWN_NAME in values:
        return "unknown"
    if n == 0:
        return "empty"
    declared = [(roles.statuses or {}).get(f, {}).get(v or "") for f, v in zip(features, values, strict=True)]
    if "unseen" in declared:
        return "unseen"
    return "tiny" if n < TINY else "one_class" if one_class else "ok"


def counts(cube: Cube, split: Split, target: Target) -> list[Counts]:
    """Confusion counts of every group: of the positive label of a binary task, of each class of a multiclass
    task against all others; with `sampling` where rows have weights or repeat persons."""
    if target.task == "regression":
        return []
    labels = [None] if target.task == "binary" else list(target.classes)
    found: list[Counts] = []
    true, predicted = cube.table[:, -2], cube.table[:, -1]
    for i, label in enumerate(labels):
        of = 1 if label is None else i
        kind = np.where(true == of, np.where(predicted == of, 0, 2), np.where(predicted == of, 1, 3))
        rows = np.zeros((len(split.partition), 4), np.int64)
        np.add.at(rows, (split.partition.of_cell, kind), cube.n)
        samples = _sampling(cube, split.partition, kind)
        favourable = label is not None or target.favourable == target.positive
        for group, (tp, fp, fn, tn), sampling in zip(split.groups, rows.tolist(), samples, strict=True):
            selected = tp + fp if favourable else fn + tn
            found.append(Counts(group.id, tp, fp, fn, tn, selected, label, sampling))
    return found


def _sampling(cube: Cube, partition: Partition, kind: NDArray[np.int64]) -> list[Sampling | None]:
    if not cube.weighted and not cube.clustered:
        return [None] * len(partition)
    sums = cube.sums_at(partition.of_cell * 4 + kind, 4 * len(partition)).reshape(-1, 4)
    upper = np.triu_indices(4)
    moments = cube.moments(kind, partition.of_cell, len(partition))
    return [Sampling(tp, fp, fn, tn, tuple(m[upper].tolist()))
            for (tp, fp, fn, tn), m in zip(sums.tolist(), moments, strict=True)]


def by_features(found: Sequence[Split]) -> dict[tuple[str, ...], list[Group]]:
    """Groups of each feature or intersection, those within controls left out."""
    return {s.groups[0].features: s.groups for s in found if s.groups and not s.groups[0].within}


def membership(values: Mapping[str, Sequence[str | None]], groups: Sequence[Group]) -> dict[str, NDArray[np.bool_]]:
    """Which sampled rows belong to each group, (n_rows,) by group id, from the rows' sensitive values."""
    columns = {name: np.array(v, object) for name, v in values.items()}
    found = {}
    for group in groups:
        if group.features:
            parts = [columns[f] == v for f, v in zip(group.features, group.values, strict=True)]
            found[group.id] = np.logical_and.reduce(parts)
    return found
