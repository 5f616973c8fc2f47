"""The cube: one pass turns batches into counts, from which every group's numbers follow.

A cell is one combination of (a level of each sensitive feature, true label, predicted label); the cube
holds how many rows fall into each cell and, for metrics of the score, which cell and score each row
has (12 bytes a row, exact). Cubes of batches add up: the order of rows and of batches changes nothing
that is read from it after `partition` has put levels into canonical order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Partition:
    """The rows split by one or more sensitive features.

    `keys` (k tuples of level texts, None for missing) are in canonical order; `tp` … `tn` are (k,)
    counts; `of_cell` (n_cells,) gives the group of each cell.
    """

    features: tuple[str, ...]
    keys: tuple[tuple[str | None, ...], ...]
    tp: IntArray
    fp: IntArray
    fn: IntArray
    tn: IntArray
    of_cell: IntArray


class Cube:
    """Mergeable counts over (levels of `features`, true label, predicted label), labels as booleans."""

    def __init__(self, features: Sequence[str], *, scored: bool) -> None:
        self.features = tuple(features)
        self.scored = scored
        self._cells: dict[tuple[int, ...], int] = {}
        self._n: list[int] = []
        self._row_cells: list[NDArray[np.int32]] = []
        self._row_scores: list[NDArray[np.float64]] = []

    def add(self, codes: Sequence[NDArray[np.int32]], y: NDArray[np.bool_], pred: NDArray[np.bool_],
            score: NDArray[np.float64] | None) -> None:
        """Count a batch: `codes` has one (n_rows,) array of level codes per feature, −1 for missing."""
        columns = [*(c.astype(np.int64) + 1 for c in codes), y.astype(np.int64), pred.astype(np.int64)]
        if not len(y):
            return
        sizes = [int(c.max()) + 1 for c in columns]
        flat = np.zeros(len(y), np.int64)
        for column, size in zip(columns, sizes, strict=True):
            flat = flat * size + column
        found, inverse, n = np.unique(flat, return_inverse=True, return_counts=True)
        parts: list[IntArray] = []
        rest = found
        for size in reversed(sizes):
            parts.append(rest % size)
            rest = rest // size
        parts.reverse()
        index = np.empty(len(found), np.int32)
        for i, key in enumerate(zip(*(p.tolist() for p in parts), strict=True)):
            cell = self._cells.setdefault(key, len(self._n))
            if cell == len(self._n):
                self._n.append(0)
            self._n[cell] += int(n[i])
            index[i] = cell
        if self.scored:
            if score is None:
                raise ValueError("this cube counts scores and the batch has none")
            self._row_cells.append(index[inverse])
            self._row_scores.append(np.asarray(score, np.float64))

    @property
    def n(self) -> IntArray:
        """Rows of each cell, (n_cells,)."""
        return np.asarray(self._n, np.int64)

    def _table(self) -> IntArray:
        return np.asarray(list(self._cells), np.int64).reshape(len(self._n), len(self.features) + 2)

    def row_cells(self) -> NDArray[np.int32]:
        """The cell of each row, (n_rows,)."""
        return np.concatenate(self._row_cells) if self._row_cells else np.empty(0, np.int32)

    def row_scores(self) -> NDArray[np.float64]:
        """The score of each row, (n_rows,), in the order of `row_cells`."""
        return np.concatenate(self._row_scores) if self._row_scores else np.empty(0)

    def y_of_cell(self) -> NDArray[np.bool_]:
        """Whether a cell's true label is the positive one, (n_cells,)."""
        return self._table()[:, -2].astype(bool)

    def partition(self, features: Sequence[str], levels: dict[str, Sequence[str]],
                  order: dict[str, Sequence[int]]) -> Partition:
        """The rows split by `features`.

        `levels` gives the text of each code, `order` the codes in canonical order; the missing group
        comes last. A declared level without rows is a group of 0 rows for a single feature; of an
        intersection only the combinations that occur are groups.
        """
        table = self._table()
        where = [self.features.index(f) for f in features]
        ranks: list[NDArray[np.int64]] = []
        texts: list[list[str | None]] = []
        for f, column in zip(features, where, strict=True):
            rank = np.full(len(levels[f]) + 1, len(levels[f]), np.int64)
            rank[np.asarray(order[f], np.int64) + 1] = np.arange(len(order[f]))
            ranks.append(rank[table[:, column]])
            texts.append([*(levels[f][c] for c in order[f]), None])
        sizes = [len(t) for t in texts]
        flat = np.zeros(len(table), np.int64)
        for rank, size in zip(ranks, sizes, strict=True):
            flat = flat * size + rank
        n = self.n
        y, pred = table[:, -2].astype(bool), table[:, -1].astype(bool)
        total = int(np.prod(sizes))

        def count(mask: NDArray[np.bool_]) -> IntArray:
            out = np.zeros(total, np.int64)
            np.add.at(out, flat[mask], n[mask])
            return out

        counts = [count(y & pred), count(~y & pred), count(y & ~pred), count(~y & ~pred)]
        rows = counts[0] + counts[1] + counts[2] + counts[3]
        keys = list(product(*texts))
        kept = [i for i in range(total) if rows[i] or (len(features) == 1 and keys[i] != (None,))]
        place = np.full(total, -1, np.int64)
        place[kept] = np.arange(len(kept))
        tp, fp, fn, tn = (c[kept] for c in counts)
        return Partition(tuple(features), tuple(keys[i] for i in kept), tp, fp, fn, tn, place[flat])
