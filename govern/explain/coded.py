"""Columns of a sample as codes: what is learned from a few thousand rows needs no finer values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from govern.inputs.arrays import floats, indices
from govern.inputs.levels import level_text

BINS = 16
CODES = BINS + 1  # the bins of a number, and missing
MOST_LEVELS = 16
RARE = 10

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Coded:
    """A column of a sample: `code` (n_rows,) from 0. Of numbers the codes are ordered and 0 is missing, of texts they
    are levels, a missing value being one of them."""

    code: IntArray
    number: bool

    @property
    def levels(self) -> int:
        """Codes in use or below one in use."""
        return int(self.code.max()) + 1


def coded(column: Any, bins: int = BINS) -> Coded | None:
    """A pyarrow column without chunks as codes: numbers and dates by their own values up to `bins` different ones, else
    in `bins` of about equally many rows; texts and truth values by level. None for other types."""
    import pyarrow as pa

    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_temporal(kind) or pa.types.is_decimal(kind):
        column = column.cast(kind) if pa.types.is_dictionary(column.type) else column
        wide = pa.types.is_time32(kind) or pa.types.is_date32(kind)
        column = column.cast(pa.float64()) if pa.types.is_decimal(kind) else \
            column.cast(pa.int32()) if wide else column.cast(pa.int64())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_boolean(kind)):
            return None
        return _levels(column if pa.types.is_dictionary(column.type) else column.dictionary_encode())
    elif pa.types.is_dictionary(column.type):
        column = column.cast(kind)
    return Coded(_binned(floats(column), bins), True)


def cuttable(column: Coded) -> Iterator[IntArray]:
    """The column as what trees cut, each (n_rows,) below `CODES`: numbers as they are coded, texts as 0 or 1 for each
    level of at least 10 rows, the 16 most frequent ones at most."""
    if column.number:
        yield column.code
        return
    rows = np.bincount(column.code)
    for level in np.argsort(-rows, kind="stable")[:MOST_LEVELS]:
        if rows[level] >= RARE:
            yield (column.code == level).astype(np.int64)


def _levels(column: Any) -> Coded:
    values = column.dictionary.to_pylist()
    texts = ["" if v is None else level_text(v) for v in values]
    order = {text: i + 1 for i, text in enumerate(sorted(set(texts)))}
    table = np.array([*(0 if v is None else order[t] for v, t in zip(values, texts, strict=True)), 0], np.int64)
    # Only levels that the sample holds: a file's dictionary may have many more.
    return Coded(np.unique(table[indices(column, len(values))], return_inverse=True)[1].astype(np.int64), False)


def _binned(x: NDArray[np.float64], bins: int) -> IntArray:
    """1 … bins by rising value, 0 where it is missing."""
    known = ~np.isnan(x)
    found = np.zeros(len(x), np.int64)
    values, place, rows = np.unique(x[known], return_inverse=True, return_counts=True)
    if len(values) > bins:
        # The middle rank of equal values decides, so that no bin parts them.
        middle = 2 * np.cumsum(rows) - rows
        cut = middle * bins // (2 * int(rows.sum()))
        place = np.unique(cut, return_inverse=True)[1][place]
    found[known] = place + 1
    return found
