"""The different rows of data that hold few of them, each counted, so that a sample can be drawn evenly from all rows.

Rows of equal content share a key: of data whose columns have few levels the smallest keys alone would be thousands of
copies of one row.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from govern.inputs.arrays import whole
from govern.inputs.rows import Keys, mixed

MOST: Final = 16_384  # different rows that are counted; beyond, their keys are sample enough
KEPT: Final = 16  # rows kept of equal content that differ in weight or person

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class Contents:
    """Rows counted by their keys, in the making; at most 16,384 keys."""

    def __init__(self) -> None:
        self._many = False
        self._keys, self._n = np.empty(0, np.uint64), np.empty(0, np.int64)
        self._row_keys = self._row_ties = np.empty(0, np.uint64)
        self._table: Any = None

    def add(self, keys: Keys, batch: Any, ties: Keys | None) -> None:
        """Count the rows of a pyarrow RecordBatch, with the keys of their content and, where rows of equal content
        differ in weight or person, what tells these apart, (n_rows,) each."""
        if self._many or not len(keys):
            return
        found, first, n = np.unique(keys, return_index=True, return_counts=True)
        known = np.union1d(self._keys, found)
        if len(known) > MOST:
            self._many, self._table = True, None
            return
        counts = np.zeros(len(known), np.int64)
        counts[np.searchsorted(known, self._keys)] += self._n
        counts[np.searchsorted(known, found)] += n
        fresh = first[~np.isin(found, self._keys, assume_unique=True)] if ties is None else self._near(keys, ties)
        self._keys, self._n = known, counts
        if len(fresh):
            self._keep(keys, batch, keys if ties is None else ties, fresh)

    def _near(self, keys: Keys, ties: Keys) -> NDArray[np.intp]:
        """The rows that may be among the 16 of their content with the smallest ties."""
        last = np.full(len(self._keys) + 1, np.iinfo(np.uint64).max)
        starts = np.searchsorted(self._row_keys, self._keys)
        ends = np.searchsorted(self._row_keys, self._keys, side="right")
        full = ends - starts == KEPT
        last[:-1][full] = self._row_ties[ends[full] - 1]
        place = np.searchsorted(self._keys, keys)
        there = np.zeros(len(keys), np.bool_)
        inside = place < len(self._keys)
        there[inside] = self._keys[place[inside]] == keys[inside]
        return np.flatnonzero(ties < last[np.where(there, place, len(self._keys))])

    def _keep(self, keys: Keys, batch: Any, ties: Keys, rows: NDArray[np.intp]) -> None:
        import pyarrow as pa

        part = pa.Table.from_batches([batch]).take(whole(rows))
        table = part if self._table is None else pa.concat_tables([self._table, part], promote_options="permissive")
        row_keys = np.concatenate([self._row_keys, keys[rows]])
        row_ties = np.concatenate([self._row_ties, ties[rows]])
        order = np.lexsort((row_ties, row_keys))
        row_keys, row_ties = row_keys[order], row_ties[order]
        new = np.ones(len(order), np.bool_)
        new[1:] = (row_keys[1:] != row_keys[:-1]) | (row_ties[1:] != row_ties[:-1])
        order, row_keys, row_ties = order[new], row_keys[new], row_ties[new]
        kept = np.arange(len(order)) - np.searchsorted(row_keys, row_keys) < KEPT
        self._row_keys, self._row_ties = row_keys[kept], row_ties[kept]
        self._table = table.take(whole(order[kept]))

    def draw(self, size: int) -> tuple[Any, Keys] | None:
        """`size` rows spread evenly over all rows in the order of their content's keys, as a pyarrow Table with their
        ties; None where there are too many different rows, where none of them is so frequent that it should be in the
        sample more than once, and where all rows are."""
        total = int(self._n.sum())
        if self._many or total <= size or int(self._n.max()) <= total / size:
            return None
        place = np.searchsorted(np.cumsum(self._n), (2 * np.arange(size) + 1) * total // (2 * size), side="right")
        copy = np.arange(size) - np.searchsorted(place, place)
        starts = np.searchsorted(self._row_keys, self._keys)
        held = np.diff(np.append(starts, len(self._row_keys)))
        rows = starts[place] + copy % held[place]
        order = np.argsort(mixed(self._keys[place] ^ ((copy + 1).astype(np.uint64) * _GOLDEN)), kind="stable")
        return self._table.take(whole(rows[order])), self._row_ties[rows[order]]
