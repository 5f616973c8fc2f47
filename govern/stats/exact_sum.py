"""Exact sums of floats by cell: the order of rows and batches cannot change a bit, and parts can be merged.

Each value is split into an upper and a lower half of its 53 bits. Halves of values whose exponents share a
window of 8 span at most 34 bits, so that a float64 adds 2¹⁸ of them without rounding: numpy does the bulk,
and whole numbers of any length hold the sums of cells from block to block.
Source of adding by exponent: Demmel & Hida 2003, SIAM J. Sci. Comput. 25:1214–1248.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BLOCK = 1 << 18  # rows: 34 bits and a factor of 2¹⁸ stay within the 53 bits of a float64
LOWER_BITS = 26
WINDOW_BITS = 3
UNIT_EXPONENT = 1074  # every float64 is a multiple of 2⁻¹⁰⁷⁴
HUGE = 2.0**960  # sums of a block of smaller values stay finite


class ExactSums:
    """Sums of finite floats in `k` cells, as exact as `math.fsum` and mergeable."""

    def __init__(self, k: int) -> None:
        self._units = [0] * k

    def __len__(self) -> int:
        return len(self._units)

    def grow(self, k: int) -> None:
        """Make room for `k` cells in all, new ones at 0; fewer than there are changes nothing."""
        self._units.extend([0] * (k - len(self._units)))

    def add(self, cells: NDArray[np.integer], values: Floats) -> None:
        """Add `values` (n_rows,) to the cells `cells` (n_rows,), each from 0 to k − 1.

        Raises: ValueError, with nothing added, for values that are not finite, cells that do not exist or
        arrays of unequal length.
        """
        values = np.ascontiguousarray(values, np.float64)
        if np.ndim(values) != 1 or np.shape(cells) != values.shape:
            raise ValueError(f"cells {np.shape(cells)} and values {values.shape} must be lists of equal length")
        if not len(values):
            return
        if cells.min() < 0 or cells.max() >= len(self._units):
            raise ValueError(f"cells must lie within 0 to {len(self._units) - 1}")
        largest = max(-float(values.min()), float(values.max()))
        if not np.isfinite(largest):
            raise ValueError("only finite values can be added up")
        if largest >= HUGE:
            huge = np.abs(values) >= HUGE
            self._add_floats(cells[huge].tolist(), values[huge].tolist())
            cells, values = cells[~huge], values[~huge]
        for start in range(0, len(values), BLOCK):
            self._add_block(cells[start:start + BLOCK], values[start:start + BLOCK])

    def merge(self, other: ExactSums) -> None:
        """Add the sums of `other`, cell by cell; cells that only it has are made."""
        self.grow(len(other))
        for cell, units in enumerate(other._units):
            self._units[cell] += units

    def totals(self) -> Floats:
        """The sum of each cell, (k,), rounded once to the nearest float (as math.fsum); 0 where nothing was added.

        Raises: OverflowError when a sum exceeds the largest float.
        """
        one = 1 << UNIT_EXPONENT
        return np.array([units / one for units in self._units], np.float64)

    def _add_block(self, cells: NDArray[np.integer], values: Floats) -> None:
        bits = values.view(np.int64)
        window = (bits >> (52 + WINDOW_BITS)) & (0x7FF >> WINDOW_BITS)
        present = np.flatnonzero(np.bincount(window))
        place = np.zeros(present[-1] + 1, np.int64)
        place[present] = np.arange(len(present))
        code = place[window]
        code += cells.astype(np.int64) * len(present)
        upper = (bits & -(1 << LOWER_BITS)).view(np.float64)
        for half in (upper, values - upper):
            sums = np.bincount(code, half)
            found = np.flatnonzero(sums)
            self._add_floats((found // len(present)).tolist(), sums[found].tolist())

    def _add_floats(self, cells: list[int], values: list[float]) -> None:
        for cell, value in zip(cells, values, strict=True):
            number, denominator = value.as_integer_ratio()
            self._units[cell] += number << (UNIT_EXPONENT + 1 - denominator.bit_length())
