"""Independent units of a sample whose rows repeat persons: which cells the rows of each unit are in."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Units:
    """Rows of units, in the making: cell, unit key and weight of each row."""

    def __init__(self) -> None:
        self._cells: list[NDArray[np.int32]] = []
        self._keys: list[NDArray[np.uint64]] = []
        self._weights: list[Floats] = []

    def add(self, cells: NDArray[np.int32], keys: NDArray[np.uint64], weight: Floats | None) -> None:
        """Take a batch; all arrays are (n_rows,)."""
        self._cells.append(cells)
        self._keys.append(keys)
        self._weights.append(np.ones(len(cells)) if weight is None else weight)

    @cached_property
    def _held(self) -> tuple[NDArray[np.int32], NDArray[np.int64], Floats, int]:
        """Cell, number of the unit and weight of each row; and how many units there are."""
        keys, unit = np.unique(np.concatenate(self._keys), return_inverse=True)
        return np.concatenate(self._cells), unit.astype(np.int64), np.concatenate(self._weights), len(keys)

    @property
    def n(self) -> int:
        """Units."""
        return self._held[3]

    @property
    def repeated(self) -> bool:
        """Whether a unit has more than one row."""
        return self.n < len(self._held[0])

    def variance(self, gradient: Floats, *, weighted: bool) -> float:
        """Σ over units of (Σ over their rows of gradient[cell] · weight)²; `gradient` is (n_cells,)."""
        cells, unit, weights, n = self._held
        of_row = gradient[cells] * weights if weighted else gradient[cells]
        # Within a unit by rising value, so that the order of the rows changes no bit.
        order = np.lexsort((of_row, unit))
        each = np.bincount(unit[order], of_row[order], n)
        return math.fsum((each * each).tolist())

    def moments(self, kind: NDArray[np.int64], group: NDArray[np.int64], k: int, *, weighted: bool) -> Floats:
        """(k, 4, 4): for each group Σ over units of the products of the unit's sums by kind; see `Cube.moments`."""
        cells, unit, weights, _ = self._held
        g = group[cells]
        inside = g >= 0
        code, of_row = (unit[inside] * k + g[inside]) * 4 + kind[cells[inside]], weights[inside]
        order = np.lexsort((of_row, code))
        code, of_row = code[order], of_row[order]
        pairs, place = np.unique(code // 4, return_inverse=True)
        sums = np.bincount(place * 4 + code % 4, of_row if weighted else None, 4 * len(pairs)).reshape(-1, 4)
        found = np.zeros((k, 4, 4))
        by_group = np.argsort(pairs % k, kind="stable")
        ends = np.searchsorted((pairs % k)[by_group], np.arange(k + 1))
        for which in range(k):
            own = sums[by_group[ends[which]:ends[which + 1]]]
            for a in range(4):
                for b in range(a, 4):
                    found[which, a, b] = found[which, b, a] = math.fsum((own[:, a] * own[:, b]).tolist())
        return found


def by_unit(values: Floats, unit: NDArray[np.integer]) -> Floats:
    """Sums of `values` (n_rows, n_columns) over the rows of each unit, (n_units, n_columns), units by rising key.

    Rows of a unit are added in their order.
    """
    order = np.argsort(unit, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], np.diff(unit[order]) != 0]))
    found: Floats = np.add.reduceat(values[order], starts, axis=0)
    return found
