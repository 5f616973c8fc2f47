"""Counts of numbers by bin and class in bounded memory, the ends of the bins fixed beforehand whatever the data.

A bin holds the floats that share their leading bits: sign, exponent and the upper part of the mantissa. While few
values differ each is a bin of its own; when there are more than `limit`, the last bit is dropped everywhere, as often
as needed. How often depends on the values alone, never on their order, and a bin of one histogram lies within a bin of
any coarser one.
"""

from __future__ import annotations

import sys
from typing import Final

import numpy as np
from numpy.typing import NDArray

from govern.stats.floatbins import key_of, value_of

FINE: Final = 1024
TABLE: Final = 1 << 20  # cells of a table that a batch is counted in; beyond it is sorted
HEAD: Final = 4096

Floats = NDArray[np.float64]
IntArray = NDArray[np.int64]


class Histogram:
    """Rows of each bin and class, in the making: at most `limit` bins with rows, `classes` codes from 0."""

    def __init__(self, classes: int = 1, limit: int = FINE) -> None:
        self.classes, self.limit = classes, limit
        self.dropped = 0
        self._keys = np.empty(0, np.int64)
        self._n = np.empty((classes, 0), np.int64)

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, values: Floats, codes: NDArray[np.integer] | None = None) -> None:
        """Count `values` (n,), none NaN, of the classes `codes` (n,); infinite ones are the last of their side."""
        if not len(values):
            return
        keys = key_of(values)
        if not len(self._keys):
            # What the first values need, all need: dropping bits only puts values together.
            head = np.sort(keys[:HEAD])
            while len(_starts(head >> self.dropped)) > self.limit:
                self.dropped += 1
        self._add_keys(keys >> self.dropped, codes)

    def _add_keys(self, keys: IntArray, codes: NDArray[np.integer] | None) -> None:
        low = int(keys.min())
        span = int(keys.max()) - low + 1
        if span * self.classes > TABLE and low <= 0 <= low + span - 1 and (apart := keys == 0).any():
            # Zeros among numbers of another size: apart from them the others may fit a table.
            own = np.zeros(int(apart.sum()), np.int64) if codes is None else codes[apart]
            self._merge(np.zeros(1, np.int64), np.bincount(own, minlength=self.classes)[:, None])
            if not apart.all():
                self._add_keys(keys[~apart], None if codes is None else codes[~apart])
            return
        if span * self.classes <= TABLE:
            place = keys - low
            if codes is not None:
                place += codes.astype(np.int64) * span
            n = np.bincount(place, minlength=span * self.classes).reshape(self.classes, span)
            held = np.flatnonzero(n[0] if self.classes == 1 else n.any(axis=0))
            self._merge(low + held, n[:, held])
            return
        found, place = np.unique(keys, return_inverse=True)
        if codes is not None:
            place = place + codes.astype(np.int64) * len(found)
        self._merge(found, np.bincount(place, minlength=len(found) * self.classes).reshape(self.classes, len(found)))

    def add_counts(self, values: Floats, n: IntArray) -> None:
        """Count different `values` (k,), rising, with the rows of each class, (n_classes, k)."""
        if len(values):
            keys = key_of(values) >> self.dropped
            starts = _starts(keys)
            self._merge(keys[starts], np.add.reduceat(n, starts, axis=1))

    def _merge(self, keys: IntArray, n: IntArray) -> None:
        """Take in rising keys with their rows; drop bits until few enough bins are left."""
        place = np.searchsorted(self._keys, keys)
        old = self._keys[np.minimum(place, len(self._keys) - 1)] == keys if len(self._keys) \
            else np.zeros(len(keys), np.bool_)
        self._n[:, place[old]] += n[:, old]
        if not old.all():
            at = place[~old]
            self._keys = np.insert(self._keys, at, keys[~old])
            self._n = np.insert(self._n, at, n[:, ~old], axis=1)
        self._keys, self._n, self.dropped = _coarser(self._keys, self._n, self.dropped, self.limit)

    @property
    def counts(self) -> IntArray:
        """Rows of each bin by class, bins by rising value, (n_bins, n_classes)."""
        return self._n.T

    def exact(self) -> Floats | None:
        """The value of each bin, (n_bins,), where each holds one value; else None."""
        return None if self.dropped else value_of(self._keys)

    def bins(self, limit: int) -> tuple[list[float], list[int]]:
        """Least value and rows of at most `limit` bins; for infinite ends stand finite ones that end such bins too."""
        keys, n, dropped = _coarser(self._keys, self._n, self.dropped, limit)
        least, most = -sys.float_info.max, 2.0**1023
        lows = np.nan_to_num(value_of(keys << dropped), nan=least, posinf=most, neginf=least)
        return lows.tolist(), n.sum(axis=0).tolist()


def _coarser(keys: IntArray, n: IntArray, dropped: int, limit: int) -> tuple[IntArray, IntArray, int]:
    """Keys and rows with as many bits dropped as leave at most `limit` bins, and how many those are in all."""
    more = 0
    while len(_starts(keys >> more)) > limit:
        more += 1
    if not more:
        return keys, n, dropped
    starts = _starts(keys >> more)
    return keys[starts] >> more, np.add.reduceat(n, starts, axis=1), dropped + more


def _starts(keys: IntArray) -> NDArray[np.intp]:
    """Where a new key starts among rising ones."""
    new = np.ones(len(keys), np.bool_)
    new[1:] = keys[1:] != keys[:-1]
    return np.flatnonzero(new)
