"""A sample of rows that does not depend on their order: the rows with the smallest keyed hashes, or of data that hold
few different rows as many of each as it has of all."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from govern.inputs.arrays import whole
from govern.measure.contents import Contents


class Sample:
    """Keeps the `size` rows with the smallest keys of all batches added; memory is that of the sample, and of 16,384
    rows until it is known that more of them differ."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._keys = self._ties = np.empty(0, np.uint64)
        self._table: Any = None
        self._contents = Contents()
        self._even: tuple[Any, NDArray[np.uint64]] | None = None
        self._drawn = False

    def add(self, keys: NDArray[np.uint64], batch: Any, ties: NDArray[np.uint64] | None = None) -> None:
        """Offer a pyarrow RecordBatch and its row keys, (n_rows,); `ties` (n_rows,) orders rows of equal keys."""
        import pyarrow as pa

        self._contents.add(keys, batch, None if ties is keys else ties)
        self._drawn = False
        if len(self._keys) == self.size and len(keys):
            near = np.flatnonzero(keys <= self._keys[-1])
        elif len(keys) > self.size:
            near = np.flatnonzero(keys <= np.partition(keys, self.size - 1)[self.size - 1])
        else:
            near = np.arange(len(keys))
        if not len(near):
            return
        part = pa.Table.from_batches([batch]).take(whole(near))
        table = part if self._table is None else pa.concat_tables([self._table, part], promote_options="permissive")
        both = np.concatenate([self._keys, keys[near]])
        apart = np.concatenate([self._ties, (keys if ties is None else ties)[near]])
        best = np.lexsort((apart, both))[: self.size]
        self._keys, self._ties, self._table = both[best], apart[best], table.take(whole(best))

    def _rows(self) -> tuple[Any, NDArray[np.uint64]]:
        """The sampled rows and their ties."""
        if not self._drawn:
            self._even, self._drawn = self._contents.draw(self.size), True
        return (self._table, self._ties) if self._even is None else self._even

    @property
    def ties(self) -> NDArray[np.uint64]:
        """What orders sampled rows of equal keys, (n_rows,)."""
        return self._rows()[1]

    @property
    def table(self) -> Any:
        """The sampled rows as a pyarrow Table, in the order of their hashes; None before the first row."""
        return self._rows()[0]

    def first(self, n: int, columns: tuple[str, ...]) -> Any:
        """The first `n` sampled rows as one RecordBatch of `columns`."""
        table = self.table.slice(0, n).select(list(columns)).unify_dictionaries().combine_chunks()
        return table.to_batches()[0] if table.num_rows else None
