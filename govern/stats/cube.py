"""The cube: one pass turns batches into counts, from which every group's numbers follow.

A cell is one combination of (a level of each feature, true class, predicted class); the cube holds how many
rows fall into each, with weights also their exact sums. Scores go into entries (`stats/entries.py`). Cubes
do not depend on the order of rows or batches once `partition` has put levels into canonical order: counts
are whole numbers, sums are exact. The function that adds a batch knows arrays only, no engine and no file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from govern.stats.entries import Entries
from govern.stats.exact_sum import ExactSums
from govern.stats.units import Units

IntArray = NDArray[np.int64]
Floats = NDArray[np.float64]
Codes = NDArray[np.integer]
DENSE = 1 << 22  # combinations of levels that a batch counts in a plain table


@dataclass(frozen=True)
class Levels:
    """Level texts of each feature by code, and the codes in canonical order."""

    texts: Mapping[str, Sequence[str]]
    order: Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class Partition:
    """The rows split by one or more features.

    `keys` (k tuples of level texts, None for missing) are in canonical order; `of_cell` (n_cells,) gives the
    group of each cell.
    """

    features: tuple[str, ...]
    keys: tuple[tuple[str | None, ...], ...]
    of_cell: IntArray

    def __len__(self) -> int:
        return len(self.keys)


class Cube:
    """Counts over (levels of `features`, true class, predicted class), batch by batch; classes as codes from 0.

    In a regression, which has no classes, both codes are 0. `columns` is the number of score columns: 0, 1
    (the score of class 1) or one for each class.
    """

    def __init__(self, features: Sequence[str], *, columns: int = 0, weighted: bool = False,
                 clustered: bool = False) -> None:
        self.features = tuple(features)
        self.entries = Entries(columns, weighted=weighted, clustered=clustered) if columns else None
        self.units = Units() if clustered else None
        self._cells: dict[tuple[int, ...], int] = {}
        self._n = np.zeros(0, np.int64)
        # Flat codes to cells, for the sizes seen so far.
        self._sizes = [0] * (len(self.features) + 2)
        self._place = np.zeros(0, np.int32)
        # Entries are apart by features and true class only: which class a score leads to follows from it.
        self._faces: dict[tuple[int, ...], int] = {}
        self._face_of_cell: list[int] = []
        self._sums = (ExactSums(0), ExactSums(0)) if weighted else None
        self._weights: tuple[float, float] | None = None

    def add(self, codes: Sequence[Codes], y: Codes, pred: Codes, *, score: Floats | None = None,
            weight: Floats | None = None, cluster: NDArray[np.uint64] | None = None, cells: bool = False
            ) -> NDArray[np.int32] | None:
        """Count a batch; gives the cell of each row (n_rows,) with `cells`, or where rows have scores, weights or
        clusters.

        `codes` has one (n_rows,) array of level codes per feature, −1 for missing; `score` is (n_rows, columns).
        """
        if not len(y):
            return None
        columns = [*codes, y, pred]
        sizes = [max(held, int(c.max()) + 2) for held, c in zip(self._sizes, columns, strict=True)]
        flat = _flat(columns, sizes)
        if int(np.prod(sizes, dtype=np.float64)) <= DENSE:
            if sizes != self._sizes:
                self._sizes, self._place = sizes, np.full(int(np.prod(sizes)), -1, np.int32)
            table = np.bincount(flat)
            found = np.flatnonzero(table)
            index = self._place[found]
            new = index < 0
            if new.any():
                index[new] = self._place[found[new]] = self._register(found[new], sizes)
            self._n[index] += table[found]
            if weight is None and cluster is None and self.entries is None and not cells:
                return None
            of_row = self._place[flat]
        else:
            found, inverse, n = np.unique(flat, return_inverse=True, return_counts=True)
            index = self._register(found, sizes)
            self._n[index] += n
            of_row = index[inverse]
        if self._sums is not None and weight is not None:
            self._weigh(of_row, weight)
        if self.units is not None and cluster is not None:
            self.units.add(of_row, cluster, weight)
        if self.entries is not None:
            if score is None:
                raise ValueError("this cube counts scores and the batch has none")
            faces = np.asarray(self._face_of_cell, np.int32)[of_row]
            self.entries.add(faces, self.faces[:, -1].astype(np.int32)[faces], score, weight, cluster)
        return of_row

    def _register(self, found: IntArray, sizes: Sequence[int]) -> NDArray[np.int32]:
        """The cells of flat codes, made where they are new."""
        parts: list[IntArray] = []
        rest = found
        for size in reversed(sizes):
            parts.append(rest % size - 1)
            rest = rest // size
        index = np.empty(len(found), np.int32)
        for i, key in enumerate(zip(*(p.tolist() for p in reversed(parts)), strict=True)):
            index[i] = self._cells.setdefault(key, len(self._cells))
            if index[i] == len(self._face_of_cell):
                self._face_of_cell.append(self._faces.setdefault(key[:-1], len(self._faces)))
        self._n = np.pad(self._n, (0, len(self._cells) - len(self._n)))
        return index

    def _weigh(self, cells: NDArray[np.int32], weight: Floats) -> None:
        low, high = float(weight.min()), float(weight.max())
        self._weights = (low, high) if self._weights is None else (min(low, self._weights[0]),
                                                                   max(high, self._weights[1]))
        for sums, values in zip(self._sums or (), (weight, weight * weight), strict=True):
            sums.grow(len(self._n))
            sums.add(cells, values)

    @property
    def weighted(self) -> bool:
        """Whether rows differ in weight: constant weights say nothing and are left aside."""
        return self._weights is not None and self._weights[0] != self._weights[1]

    @property
    def clustered(self) -> bool:
        """Whether some unit has more than one row."""
        return self.units is not None and self.units.repeated

    @property
    def n(self) -> IntArray:
        """Rows of each cell, (n_cells,)."""
        return self._n

    @cached_property
    def sums(self) -> Floats:
        """Σ weight of each cell, (n_cells,); rows where there are no weights."""
        return self._total(0) if self.weighted else self.n.astype(np.float64)

    @cached_property
    def squares(self) -> Floats:
        """Σ weight² of each cell, (n_cells,)."""
        return self._total(1) if self.weighted else self.n.astype(np.float64)

    def _total(self, which: int) -> Floats:
        if self._sums is None:
            raise ValueError("this cube has no weights")
        self._sums[which].grow(len(self._n))
        return self._sums[which].totals()

    @cached_property
    def table(self) -> IntArray:
        """Level codes, true class and predicted class of each cell, (n_cells, n_features + 2)."""
        return np.asarray(list(self._cells), np.int64).reshape(len(self._n), len(self.features) + 2)

    @property
    def faces(self) -> IntArray:
        """Level codes and true class of the cells that entries of scores are apart by, (n_faces, n_features + 1)."""
        return np.asarray(list(self._faces), np.int64).reshape(len(self._faces), len(self.features) + 1)

    def of_face(self, partition: Partition) -> IntArray:
        """The group of each face, (n_faces,)."""
        found = np.zeros(len(self._faces), np.int64)
        found[np.asarray(self._face_of_cell, np.int64)] = partition.of_cell
        return found

    def variance(self, gradient: Floats) -> float:
        """Σ over independent units of (Σ gradient · weight)², for `gradient` (n_cells,).

        The linearised variance of Σ gradient · sums: units are rows, or clusters where some repeat.
        Source: Binder 1983, Int. Stat. Rev. 51:279–292.
        """
        if self.clustered and self.units is not None:
            return self.units.variance(gradient, weighted=self.weighted)
        return math.fsum((gradient * gradient * self.squares).tolist())

    def moments(self, kind: NDArray[np.int64], group: IntArray, k: int) -> NDArray[np.float64]:
        """Sums over units of products of their sums of four kinds of cells, (k, 4, 4) for groups 0 … k − 1.

        `kind` (n_cells,) is 0 … 3 (tp, fp, fn, tn), `group` (n_cells,) the group or −1.
        """
        if self.clustered and self.units is not None:
            return self.units.moments(kind, group, k, weighted=self.weighted)
        found = np.zeros((k, 4, 4))
        inside = group >= 0
        sums = _sums_at(group[inside] * 4 + kind[inside], self.squares[inside], 4 * k).reshape(k, 4)
        found[:, range(4), range(4)] = sums
        return found

    def partition(self, features: Sequence[str], levels: Levels) -> Partition:
        """The rows split by `features`; the missing group comes last.

        A declared level without rows is a group of 0 rows for a single feature; of an intersection only the
        combinations that occur are groups.
        """
        ranks: list[IntArray] = []
        texts: list[list[str | None]] = []
        for f in features:
            column, order = self.table[:, self.features.index(f)], levels.order[f]
            rank = np.full(len(levels.texts[f]) + 1, len(levels.texts[f]), np.int64)
            rank[np.asarray(order, np.int64) + 1] = np.arange(len(order))
            ranks.append(rank[column + 1])
            texts.append([*(levels.texts[f][c] for c in order), None])
        sizes = [len(t) for t in texts]
        flat = np.zeros(len(self._n), np.int64)
        for rank, size in zip(ranks, sizes, strict=True):
            flat = flat * size + rank
        if len(features) == 1:
            held = set(flat.tolist())
            keys = [(t,) for i, t in enumerate(texts[0]) if t is not None or i in held]
            return Partition(tuple(features), tuple(keys), flat)
        found, of_cell = np.unique(flat, return_inverse=True)
        keys_found: list[tuple[str | None, ...]] = []
        for code in found.tolist():
            parts: list[str | None] = []
            for text, size in zip(reversed(texts), reversed(sizes), strict=True):
                parts.append(text[code % size])
                code //= size
            keys_found.append(tuple(reversed(parts)))
        return Partition(tuple(features), tuple(keys_found), of_cell)

    def confusion(self, partition: Partition, classes: int) -> IntArray:
        """Rows by true and predicted class, (k, classes, classes)."""
        found = np.zeros((len(partition), classes, classes), np.int64)
        np.add.at(found, (partition.of_cell, self.table[:, -2], self.table[:, -1]), self.n)
        return found

    def sums_at(self, place: IntArray, size: int) -> Floats:
        """Σ weight of the cells at each place 0 … size − 1, (size,), for `place` (n_cells,)."""
        return _sums_at(place, self.sums, size)


def _sums_at(place: IntArray, values: Floats, size: int) -> Floats:
    """Σ values at each place, (size,); by rising value, so that the order of cells changes no bit."""
    order = np.lexsort((values, place))
    return np.asarray(np.bincount(place[order], values[order], size), np.float64)


def _flat(columns: Sequence[Codes], sizes: Sequence[int]) -> NDArray[np.intp]:
    """One whole number for each row, (n_rows,), from codes that start at −1."""
    kind = np.int32 if float(np.prod(sizes, dtype=np.float64)) < 2**31 else np.int64
    flat: NDArray[Any] = columns[0].astype(kind)
    ones = 1
    for column, size in zip(columns[1:], sizes[1:], strict=True):
        flat *= size
        flat += column
        ones = ones * size + 1
    flat += ones
    return flat.astype(np.intp, copy=False)
