"""Rows of groups kept in the pass for metrics that need rows and not counts: a sample where a group has many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govern.inputs.rows import Keys, mixed
from govern.measure.predictions import Predicted
from govern.stats.cube import Codes

CAP = 20_000
_LEVELS = 1 << 12  # more than a coder has levels: codes of several features fit side by side in 64 bits
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Kept:
    """Rows of a group in an order that is theirs alone: `numbers` (n, k) truth, prediction, weight and scores; `unit`
    (n,) the cluster of each, numbered from 0, None without clusters."""

    numbers: Floats
    unit: NDArray[np.int64] | None

    def __len__(self) -> int:
        return len(self.numbers)


class GroupRows:
    """Keeps up to `cap` rows of each group of some sets of features, the empty set being everyone.

    Which are kept depends on the rows' content only: those with the smallest keys, equal rows apart. Of clusters,
    the rows of whole ones are kept.
    """

    def __init__(self, sets: Sequence[tuple[str, ...]], *, clustered: bool, cap: int = CAP) -> None:
        self._stores = {features: _Store(clustered, cap) for features in sets}

    def add(self, codes: Mapping[str, Codes], keys: Keys, truth: NDArray[np.number], predicted: Predicted, *,
            weight: Floats | None = None, cluster: Keys | None = None) -> None:
        """Offer a batch: level codes by feature, row keys, true and predicted classes or numbers, all (n_rows,)."""
        own = predicted.label if predicted.value is None else predicted.value
        weight = np.ones(len(keys)) if weight is None else weight
        columns = [c for c in (truth, own, weight, predicted.score) if c is not None]
        numbers = np.column_stack([np.asarray(c, np.float64) for c in columns])
        for features, store in self._stores.items():
            group = np.zeros(len(keys), np.int64)
            for feature in features:
                group = group * _LEVELS + codes[feature] + 1
            store.add(group, keys if cluster is None else cluster, keys, numbers)

    def of(self, features: tuple[str, ...], codes: Sequence[int], *, repeated: bool = True) -> Kept:
        """The rows kept of the group of `features` with these level codes, −1 for missing; `repeated`: some cluster
        has two rows, else they are as without clusters."""
        group = 0
        for code in codes:
            group = group * _LEVELS + code + 1
        return self._stores[features].of(group, repeated=repeated)


class _Store:
    """The groups of one set of features: (group, drawing key, row key) with how many rows are alike."""

    def __init__(self, clustered: bool, cap: int) -> None:
        self.clustered, self.cap = clustered, cap
        self._parts: list[tuple[NDArray[np.int64], Keys, Keys, NDArray[np.int64], Floats]] = []
        self._waiting = 0
        self._held = 0
        # The largest drawing key worth keeping in each group, by rising group.
        self._groups, self._limits = np.empty(0, np.int64), np.empty(0, np.uint64)

    def add(self, group: NDArray[np.int64], draw: Keys, key: Keys, numbers: Floats) -> None:
        if len(self._groups):
            place = np.minimum(np.searchsorted(self._groups, group), len(self._groups) - 1)
            near = (self._groups[place] != group) | (draw <= self._limits[place])
            group, draw, key, numbers = group[near], draw[near], key[near], numbers[near]
        self._parts.append((group, draw, key, np.ones(len(key), np.int64), numbers))
        self._waiting += len(key)
        if self._waiting > max(10 * self.cap, 2 * self._held):
            self._prune()

    def _prune(self) -> None:
        """Put equal rows together, and leave out all but the `cap` smallest drawing keys of each group."""
        group, draw, key, n = (np.concatenate([p[i] for p in self._parts]) for i in range(4))
        numbers = np.concatenate([p[4] for p in self._parts])
        # By content as well: rows with one key and several predictions would be told apart by their order.
        order = np.lexsort((*numbers.T, key, draw, group))
        group, draw, key, n, numbers = group[order], draw[order], key[order], n[order], numbers[order]
        new_group = changes(group)
        new_draw = new_group | changes(draw)
        new = np.logical_or.reduce([new_draw, changes(key), *(changes(c) for c in numbers.T)])
        rank = np.cumsum(new_draw)
        first = np.maximum.accumulate(np.where(new_group, rank, 0))
        start = np.flatnonzero(new)
        n = np.add.reduceat(n, start)
        few = rank[start] - first[start] < self.cap
        start, n = start[few], n[few]
        self._parts = [(group[start], draw[start], key[start], n, numbers[start])]
        self._held, self._waiting = len(start), 0
        last = np.flatnonzero(new_draw & (rank - first == self.cap - 1))
        self._groups, self._limits = group[last], draw[last]

    def of(self, wanted: int, *, repeated: bool) -> Kept:
        """The rows kept of a group that has some."""
        if len(self._parts) != 1 or self._waiting:
            self._prune()
        inside = self._parts[0][0] == wanted
        draw, key, n, numbers = (p[inside] for p in self._parts[0][1:])
        if self.clustered and repeated:
            # Whole clusters, by their keys, as many as have `cap` rows together and at least one.
            of_cluster = np.cumsum(changes(draw)) - 1
            rows = np.cumsum(np.bincount(of_cluster, n).astype(np.int64))[of_cluster]
            some = (rows <= self.cap) | (of_cluster == 0)
            return Kept(np.repeat(numbers[some], n[some], axis=0), np.repeat(of_cluster[some], n[some]))
        numbers, key = np.repeat(numbers, n, axis=0), np.repeat(key, n)
        order = np.lexsort((*numbers.T, key))
        numbers, key = numbers[order], key[order]
        new = np.logical_or.reduce([changes(key), *(changes(c) for c in numbers.T)])
        alike = np.arange(len(key)) - np.maximum.accumulate(np.where(new, np.arange(len(key)), 0))
        order = np.argsort(mixed(key + alike.astype(np.uint64) * _GOLDEN), kind="stable")[: self.cap]
        return Kept(numbers[order], None)


def changes(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Whether each value differs from the one before it; the first does."""
    found = np.ones(len(values), bool)
    found[1:] = values[1:] != values[:-1]
    return found
