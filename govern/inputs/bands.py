"""Numbers as bands: by cut points people chose, or at the quartiles of the data."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from govern.errors import printable
from govern.evidence import UNKNOWN_NAME, GroupStatus
from govern.inputs.arrays import small_range, valid
from govern.inputs.levels import SMALL_TABLE, Codes, finite, number_text, numbers

LEVELS_WITHOUT_BANDS = 20
KEPT_VALUES = 1 << 16
_FEW_CUTS = 16
_SIGN = np.int64(0x7FFF_FFFF_FFFF_FFFF)


class BandCoder:
    """Codes numbers by rising cut points: band 0 is up to and including the first, −1 is missing.

    `unknown` lists numbers that mean unknown, a level of its own. `chosen` says that people chose the cut
    points, `asked` that the bands are to be judged and not only shown.
    """

    def __init__(self, column: str, cuts: Sequence[float], *, unknown: Sequence[str] = (),
                 chosen: bool = True, asked: bool = True) -> None:
        self.column, self.cuts, self.chosen, self.asked = column, tuple(cuts), chosen, asked
        self.unknown = np.array([u for text in unknown if (u := finite(text)) is not None], dtype=np.float64)
        self.whole = True
        self._held = np.zeros(len(self.cuts) + 2, dtype=bool)

    def anew(self) -> BandCoder:
        """A coder of the same bands that has seen nothing yet."""
        found = BandCoder(self.column, self.cuts, chosen=self.chosen, asked=self.asked)
        found.unknown = self.unknown
        return found

    def codes(self, array: pa.Array) -> Codes:
        """Codes of a numeric column's values, shape (n_rows,). Raises InputError for other columns."""
        found = None if pa.types.is_boolean(array.type) else small_range(array, SMALL_TABLE)
        if found is not None:
            low, places, size = found
            codes = self._bands(np.arange(low, low + size, dtype=np.float64))[places]
            missing = ~valid(array) if array.null_count else None
        else:
            values = numbers(array, self.column)
            codes = self._bands(values)
            lost = np.isnan(values)
            missing = lost if lost.any() else None
            if self.whole:
                self.whole = bool(np.all(lost | np.isin(values, self.unknown) | (np.floor(values) == values)))
        if missing is not None:
            codes[missing] = -1
        for code in np.flatnonzero(~self._held[: len(self.cuts) + 1 + bool(len(self.unknown))]):
            self._held[code] = (codes == code).any()
        return codes

    def _bands(self, values: NDArray[np.float64]) -> Codes:
        """The band of each value, the code after the last band for unknown; anything for NaN."""
        if len(self.cuts) <= _FEW_CUTS:
            # adding up comparisons is several times faster than a search in a short list
            count = np.zeros(len(values), dtype=np.int8)
            for cut in self.cuts:
                count += values > cut
            codes = count.astype(np.int32)
        else:
            codes = np.searchsorted(np.array(self.cuts), values, side="left").astype(np.int32)
        if len(self.unknown):
            codes[np.isin(values, self.unknown)] = len(self.cuts) + 1
        return codes

    def ordered(self) -> tuple[tuple[str, ...], Codes]:
        """Names of the bands in numeric order, then unknown where it is held; each code's place is its own."""
        edges = (-math.inf, *self._shown(), math.inf)
        names = tuple(_band_name(a, b, self.whole) for a, b in itertools.pairwise(edges))
        names += (UNKNOWN_NAME,) if self._held[-1] else ()
        return names, np.arange(len(names), dtype=np.int32)

    def _shown(self) -> tuple[float, ...]:
        """The cut points as names of bands write them: what people chose as it is, quartiles in as few digits (4 or
        more) as keep them apart."""
        if self.chosen and self.asked:
            return self.cuts
        for digits in range(4, 17):
            short = tuple(float(f"{c:.{digits}g}") for c in self.cuts)
            if len(set(short)) == len(self.cuts):
                return short
        return self.cuts

    def statuses(self) -> dict[str, GroupStatus]:
        """For each band whether its rows are declared unknown, or it has none."""
        names, _ = self.ordered()
        return {name: "unknown" if name == UNKNOWN_NAME else "ok" if held else "empty"
                for name, held in zip(names, self._held, strict=False)}

    def notes(self) -> list[str]:
        """A sentence when the cut points were chosen by us."""
        if self.chosen:
            return []
        cuts = ", ".join(number_text(c) for c in self.cuts)
        return [f'"{printable(self.column)}" is banded at its quartiles ({cuts}); choose cut points with '
                f"--band {printable(self.column)}=…"]


class Quartiles:
    """The quartiles of a column, batch by batch, in bounded memory.

    Values are kept with their counts while at most 65,536 are different. Beyond that values that share their
    leading bits are kept as one, the smallest number with these bits, with as few bits given up as will do:
    the result does not depend on the order of rows or batches.
    """

    def __init__(self, unknown: Sequence[str] = ()) -> None:
        self._unknown = np.array([u for text in unknown if (u := finite(text)) is not None], dtype=np.float64)
        self._keys = np.empty(0, dtype=np.int64)
        self._counts = np.empty(0, dtype=np.int64)
        self._dropped = 0

    def add(self, array: pa.Array, column: str) -> None:
        """Count a column's values. Raises InputError when they are not numbers."""
        found = small_range(array, SMALL_TABLE) if not array.null_count else None
        if found is not None:
            low, places, size = found
            n = np.bincount(places, minlength=size)
            held = np.flatnonzero(n)
            values, counts = (low + held).astype(np.float64), n[held]
        else:
            values = numbers(array, column)
            values = np.sort(values[~np.isnan(values)])
            counts = np.ones(len(values), dtype=np.int64)
        if len(self._unknown):
            known = ~np.isin(values, self._unknown)
            values, counts = values[known], counts[known]
        keys, counts = _run_lengths(_sortable(values) >> self._dropped, counts)
        place = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        old = self._keys[place] == keys if len(self._keys) else np.zeros(len(keys), dtype=bool)
        self._counts[place[old]] += counts[old]
        if not old.all():
            self._insert(keys[~old], counts[~old])

    def _insert(self, keys: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
        """Take in keys not kept yet; give up bits until few enough are kept."""
        at = np.searchsorted(self._keys, keys)
        self._keys, self._counts = np.insert(self._keys, at, keys), np.insert(self._counts, at, counts)
        while len(self._keys) > KEPT_VALUES:
            self._dropped += 1
            self._keys, self._counts = _run_lengths(self._keys >> 1, self._counts)

    def cuts(self) -> tuple[float, ...]:
        """Values that a quarter, half and three quarters of the rows do not exceed; () up to 20 different values."""
        if len(self._keys) <= LEVELS_WITHOUT_BANDS:
            return ()
        cumulated = np.cumsum(self._counts)
        at = [int(np.searchsorted(cumulated * 4, cumulated[-1] * q)) for q in (1, 2, 3)]
        kept = np.array(sorted({i for i in at if i < len(self._keys) - 1}), dtype=np.intp)
        return tuple(_unsortable(self._keys[kept] << self._dropped).tolist())


def _run_lengths(keys: NDArray[np.int64], counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sorted keys without repetitions, and the sum of the counts of each."""
    if not len(keys):
        return keys, counts
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    return keys[first], np.add.reduceat(counts, first)


def _sortable(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Whole numbers in the order of the floats; −0.0 is 0.0."""
    bits = (values + 0.0).view(np.int64)
    return bits ^ ((bits >> 63) & _SIGN)


def _unsortable(keys: NDArray[np.int64]) -> NDArray[np.float64]:
    return (keys ^ ((keys >> 63) & _SIGN)).view(np.float64)


def _band_name(low: float, high: float, whole: bool) -> str:
    """Name of the band above `low` up to and including `high`."""
    if whole:
        first = math.floor(low) + 1 if math.isfinite(low) else None
        last = math.floor(high) if math.isfinite(high) else None
        if first is None:
            return f"{last} or less"
        if last is None:
            return f"{first} or more"
        if first <= last:
            return f"{first}" if first == last else f"{first}–{last}"
    if not math.isfinite(low):
        return f"{number_text(high)} or less"
    return f"over {number_text(low)}" + (f" to {number_text(high)}" if math.isfinite(high) else "")
