"""Rows that repeat each other, by the keys of their content: in every used column, in the features, with the target."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from govern.inputs.rows import Keys
from govern.measure.group_rows import changes

MOST_KEYS = 1 << 20  # rows up to which their keys are kept, 8 bytes each


@dataclass(frozen=True)
class Kept:
    """The keys of all rows of a data set, each (n_rows,): of every used column, of the features, None where there are
    none, and of features and target."""

    whole: Keys
    features: Keys | None
    labelled: Keys

    @cached_property
    def _repeated(self) -> NDArray[np.intp] | slice:
        """Rows whose features equal those of another, and perhaps more: none but these repeat each other. Mostly there
        are few, and a single search finds them."""
        if self.features is None:
            return slice(None)
        ordered = np.sort(self.features)
        several = ordered[1:][ordered[1:] == ordered[:-1]]
        if 8 * len(several) > len(ordered):
            return slice(None)
        place = np.minimum(np.searchsorted(several, self.features), max(len(several) - 1, 0))
        return np.flatnonzero(several[place] == self.features) if len(several) else np.empty(0, np.intp)

    @cached_property
    def duplicates(self) -> int:
        """Rows equal to an earlier one in every used column."""
        keys = np.sort(self.whole[self._repeated])
        return int((keys[1:] == keys[:-1]).sum())

    @cached_property
    def conflicts(self) -> int | None:
        """Rows whose features equal those of a row with another label; None without features."""
        if self.features is None:
            return None
        features, labelled = self.features[self._repeated], self.labelled[self._repeated]
        order = np.argsort(features)
        features, labelled = features[order], labelled[order]
        starts = np.flatnonzero(changes(features))
        if not len(starts):
            return 0
        several = np.minimum.reduceat(labelled, starts) != np.maximum.reduceat(labelled, starts)
        sizes: NDArray[np.int64] = np.diff(np.append(starts, len(features)))
        return int(sizes[several].sum())


class RowKeys:
    """Keys in the making, up to a million rows: then none are kept."""

    def __init__(self) -> None:
        self.rows = 0
        self._parts: list[tuple[Keys, Keys | None, Keys]] = []

    def add(self, whole: Keys, features: Keys | None, labelled: Keys) -> None:
        """Take the keys of a batch, each (n_rows,)."""
        self.rows += len(whole)
        self._parts = [*self._parts, (whole, features, labelled)] if self.rows <= MOST_KEYS else []

    def kept(self) -> Kept | None:
        """The keys of all rows; None where there are more than are kept."""
        if self.rows > MOST_KEYS:
            return None
        parts, self._parts = self._parts, []
        whole, features, labelled = zip(*parts, strict=True)
        known = [k for k in features if k is not None]
        return Kept(np.concatenate(whole), np.concatenate(known) if known else None, np.concatenate(labelled))


class Overlap:
    """Which rows of a data set, by their keys (n_rows,), stand in another, whose rows are met batch by batch.

    Exact but for keys that agree by chance, once in 2⁶⁴ pairs, and of any number of rows of the other.
    """

    def __init__(self, keys: Keys) -> None:
        ordered = np.sort(keys)
        starts = np.flatnonzero(changes(ordered))
        self._keys = ordered[starts]
        self._n = np.diff(np.append(starts, len(ordered)))
        self._met = np.zeros(len(starts), np.bool_)

    def mark(self, keys: Keys) -> None:
        """Take the keys of a batch of the other data set, (n_rows,)."""
        keys = np.sort(keys)  # a search in one direction is several times as fast
        place = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        self._met[place[self._keys[place] == keys]] = True

    @property
    def rows(self) -> int:
        """Rows of the first data set that the other has too."""
        return int(self._n[self._met].sum())
