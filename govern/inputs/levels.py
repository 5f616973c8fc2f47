"""Columns of labels and of sensitive features as small whole numbers, batch by batch.

A coder's table only ever grows, so codes of earlier batches stay valid; `ordered` then gives the levels in
their final order, which depends on the values alone and not on the order of rows or batches.
"""

from __future__ import annotations

import itertools
import math
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from govern.errors import InputError, printable
from govern.inputs.arrays import floats, indices
from govern.inputs.config import SensitiveFeature
from govern.inputs.datasets import DataSource
from govern.inputs.schema import label_text

MAX_LEVELS = 1_000
LEVELS_WITHOUT_BANDS = 20
Codes = NDArray[np.int32]


class LevelCoder:
    """Codes the distinct values of a column by their text; −1 is missing.

    `rename` maps a value's text to the level it belongs to, `unknown` lists texts that mean missing. More
    than `limit` levels raise InputError. With `empty`, levels that a dictionary-coded column declares but no
    row holds are levels too: a group nobody is in is worth showing, a label nobody has is not.
    """

    def __init__(self, column: str, *, rename: Mapping[str, str] | None = None, unknown: Sequence[str] = (),
                 limit: int = MAX_LEVELS, fix: str = "choose another column, or --band",
                 empty: bool = True) -> None:
        self.column, self.limit, self.fix, self.empty = column, limit, fix, empty
        self.rename, self.unknown = dict(rename or {}), frozenset(unknown)
        self.levels: list[str] = []
        self._code_of: dict[str, int] = {}

    def codes(self, array: pa.Array) -> Codes:
        """Codes of a column's values, shape (n_rows,). Raises InputError."""
        encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
        values = encoded.dictionary.to_pylist()
        places = indices(encoded, len(values))
        held = range(len(values)) if self.empty else np.unique(places[places < len(values)])
        table = np.full(len(values) + 1, -1, dtype=np.int32)
        for i in held:
            table[i] = self._code(values[i])
        coded: Codes = table[places]
        return coded

    def _code(self, value: Any) -> int:
        if value is None or value != value:
            return -1
        text = level_text(value)
        if text in self.unknown:
            return -1
        text = self.rename.get(text, text)
        code = self._code_of.setdefault(text, len(self.levels))
        if code == len(self.levels):
            if code == self.limit:
                what = f'column "{printable(self.column)}" has more than {self.limit:,} different values'
                raise InputError(what, fix=self.fix)
            self.levels.append(text)
        return code

    def ordered(self) -> tuple[tuple[str, ...], Codes]:
        """Levels in code-point order, and for each code its place in them."""
        levels = tuple(sorted(self.levels))
        place = {level: i for i, level in enumerate(levels)}
        return levels, np.array([place[level] for level in self.levels], dtype=np.int32)

    def notes(self) -> list[str]:
        """A sentence for each pair of levels that differ only in case, spaces or width."""
        seen: dict[str, str] = {}
        found = []
        for level in sorted(self.levels):
            folded = "".join(unicodedata.normalize("NFKC", level).casefold().split())
            if folded in seen:
                found.append(f'"{printable(seen[folded])}" and "{printable(level)}" in column '
                             f'"{printable(self.column)}" look alike and are counted apart.')
            seen.setdefault(folded, level)
        return found


class BandCoder:
    """Codes numbers by rising cut points: band 0 is up to and including the first, −1 is missing."""

    def __init__(self, column: str, cuts: Sequence[float], *, unknown: Sequence[str] = (),
                 chosen: bool = True) -> None:
        self.column, self.cuts, self.chosen = column, tuple(cuts), chosen
        self.unknown = [float(u) for u in unknown if _is_number(u)]
        self.whole = True

    def codes(self, array: pa.Array) -> Codes:
        """Codes of a numeric column's values, shape (n_rows,). Raises InputError for other columns."""
        values = numbers(array, self.column)
        missing = np.isnan(values) | np.isin(values, self.unknown)
        self.whole = self.whole and bool(np.all(missing | (np.floor(values) == values)))
        bands = np.searchsorted(np.array(self.cuts), values, side="left").astype(np.int32)
        return np.where(missing, np.int32(-1), bands)

    def ordered(self) -> tuple[tuple[str, ...], Codes]:
        """Names of the bands in numeric order, and each code's place: its own."""
        edges = (-math.inf, *self.cuts, math.inf)
        names = tuple(_band_name(a, b, self.whole) for a, b in itertools.pairwise(edges))
        return names, np.arange(len(names), dtype=np.int32)

    def notes(self) -> list[str]:
        """A sentence when the cut points were chosen by us."""
        if self.chosen:
            return []
        cuts = ", ".join(number_text(c) for c in self.cuts)
        return [f'"{printable(self.column)}" is banded at its quartiles ({cuts}); choose cut points with '
                f"--band {printable(self.column)}=…"]


Coder = LevelCoder | BandCoder


def sensitive_coder(feature: SensitiveFeature, bands: Mapping[str, Sequence[float]],
                    source: DataSource) -> Coder:
    """The coder of a sensitive feature: its bands, else its levels; quartiles for numbers of many values.

    Reads the column once when it is numeric and has no bands. Raises InputError.
    """
    cuts = bands.get(feature.role)
    kind = source.type_of(feature.column)
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    if cuts is not None:
        if not numeric:
            raise InputError(f'column "{printable(feature.column)}" holds {kind} values, bands need numbers',
                             where=str(source.path), fix=f"leave out --band {printable(feature.role)}")
        return BandCoder(feature.column, cuts, unknown=feature.unknown)
    if numeric and not feature.levels:
        quartiles = _quartiles(feature, source)
        if quartiles:
            return BandCoder(feature.column, quartiles, unknown=feature.unknown, chosen=False)
    return LevelCoder(feature.column, rename=feature.levels, unknown=feature.unknown)


def _quartiles(feature: SensitiveFeature, source: DataSource) -> tuple[float, ...]:
    """Observed values at a quarter, half and three quarters of the rows; empty up to 20 distinct values."""
    unknown = [float(u) for u in feature.unknown if _is_number(u)]
    values, counts = np.empty(0), np.empty(0, dtype=np.int64)
    for batch in source.batches([feature.column]):
        found = numbers(batch.column(0), feature.column)
        found = found[~np.isnan(found) & ~np.isin(found, unknown)]
        values, inverse = np.unique(np.concatenate([values, found]), return_inverse=True)
        weights = np.concatenate([counts, np.ones(len(found), dtype=np.int64)])
        counts = np.bincount(inverse, weights=weights, minlength=len(values)).astype(np.int64)
    if len(values) <= LEVELS_WITHOUT_BANDS:
        return ()
    cumulated = np.cumsum(counts)
    at = [int(np.searchsorted(cumulated * 4, cumulated[-1] * q)) for q in (1, 2, 3)]
    return tuple(sorted({float(values[i]) for i in at if i < len(values) - 1}))


def numbers(array: pa.Array, column: str) -> NDArray[np.float64]:
    """A numeric or boolean column as float64 with NaN for missing, shape (n_rows,). Raises InputError."""
    kind = array.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        raise InputError(f'column "{printable(column)}" holds {kind} values, not numbers',
                         fix="give a column of numbers")
    return floats(array)


def level_text(value: Any) -> str:
    """A value as level text: 1 and 1.0 are "1", booleans "true" and "false", dates ISO."""
    text = label_text(value)
    return text if isinstance(text, str) else str(text)


def number_text(value: float) -> str:
    """A number without a needless decimal point."""
    return level_text(float(value)) if math.isfinite(value) else str(value)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


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
