"""Counts of floats by cell in memory that does not grow with rows: as fine as a set number of bins allows.

A bin holds the floats that share their leading bits (sign, exponent and the upper part of the mantissa); floats
of one sign then lie in it side by side. As long as there are few distinct values every value is a bin of its own.
When there are more than `limit` pairs of cell and bin, the last bit is dropped everywhere, as often as needed: how
often depends on the values alone, never on their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from govern.stats.fixed_point import UNITS, from_units, in_units

Floats = NDArray[np.float64]
IntArray = NDArray[np.int64]
LIMIT: Final = 1 << 17
MOST_DROPPED: Final = 50  # sign, exponent and two bits of the mantissa stay
FLIP: Final = np.int64(0x7FFF_FFFF_FFFF_FFFF)


@dataclass(frozen=True)
class Bins:
    """Bins with rows, sorted by cell and value; all arrays are (n_bins,). `x` is the middle, or the value itself;
    `n` rows, `w` Σ weight, `w2` Σ weight²."""

    cell: IntArray
    x: Floats
    n: IntArray
    w: Floats
    w2: Floats


class FloatBins:
    """Bins in the making."""

    def __init__(self, *, weighted: bool, limit: int = LIMIT) -> None:
        self.weighted, self.limit = weighted, limit
        self.dropped = 0
        self._cells = np.empty(0, np.int64)
        self._keys = np.empty(0, np.int64)
        self._sums = np.empty((0, 1 + 2 * len(UNITS) if weighted else 1), np.int64)

    def add(self, cells: NDArray[np.integer], values: Floats, weight: Floats | None = None) -> None:
        """Count finite `values` (n,) of `cells` (n,)."""
        sums = np.ones((len(values), 1), np.int64)
        if self.weighted and weight is not None:
            sums = np.column_stack([sums, *in_units(weight), *in_units(weight * weight)]).astype(np.int64)
        self._cells = np.concatenate([self._cells, cells.astype(np.int64)])
        self._keys = np.concatenate([self._keys, key_of(values) >> self.dropped])
        self._sums = np.concatenate([self._sums, sums])
        order = np.lexsort((self._keys, self._cells))
        self._cells, self._keys, self._sums = self._cells[order], self._keys[order], self._sums[order]
        more = 0
        while len(self._starts(more)) > self.limit and self.dropped + more < MOST_DROPPED:
            more += 1
        self.dropped += more
        starts = self._starts(more)
        self._cells, self._keys = self._cells[starts], self._keys[starts] >> more
        self._sums = np.add.reduceat(self._sums, starts, axis=0) if len(starts) else self._sums[:0]

    def _starts(self, more: int) -> NDArray[np.intp]:
        """Where a new bin starts when `more` bits are dropped from the sorted keys."""
        keys = self._keys >> more
        new = (keys[1:] != keys[:-1]) | (self._cells[1:] != self._cells[:-1])
        return np.flatnonzero(np.concatenate([np.ones(min(1, len(keys)), bool), new]))

    def bins(self) -> Bins:
        """What was counted."""
        first = self._keys << self.dropped
        last = first | ((1 << self.dropped) - 1)
        x = value_of(first) if not self.dropped else value_of(first) / 2 + value_of(last) / 2
        n = self._sums[:, 0]
        if not self.weighted:
            return Bins(self._cells, x, n, n.astype(np.float64), n.astype(np.float64))
        w, w2 = (from_units(list(self._sums[:, i:i + len(UNITS)].T)) for i in (1, 1 + len(UNITS)))
        return Bins(self._cells, x, n, w, w2)


def key_of(values: Floats) -> IntArray:
    """Whole numbers in the order of the values; 0 and −0 have one."""
    bits = np.ascontiguousarray(values + 0.0, np.float64).view(np.int64)
    return np.where(bits < 0, bits ^ FLIP, bits)


def value_of(keys: IntArray) -> Floats:
    """The float of each key."""
    bits = np.where(keys < 0, keys ^ FLIP, keys)
    return np.ascontiguousarray(bits, np.int64).view(np.float64)
