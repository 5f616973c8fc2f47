"""Arrow columns as NumPy arrays straight from their buffers.

`Array.to_numpy` does the same and imports pandas for it, a third of a second that a run without pandas in
this process need not spend.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def valid(array: pa.Array) -> NDArray[np.bool_]:
    """Which values are not missing, shape (n_rows,)."""
    bits = array.buffers()[0] if array.null_count else None
    return np.ones(len(array), dtype=bool) if bits is None else _bits(bits, array)


def raw(array: pa.Array) -> NDArray[Any]:
    """The values of a column of numbers or booleans, shape (n_rows,); anything may stand where one is missing."""
    data = array.buffers()[1]
    if pa.types.is_boolean(array.type):
        return _bits(data, array)
    width = np.dtype(array.type.to_pandas_dtype())
    if data is None:
        return np.zeros(len(array), dtype=width)
    return np.frombuffer(data, dtype=width)[array.offset : array.offset + len(array)]


def floats(array: pa.Array) -> NDArray[np.float64]:
    """The values of a column of numbers or booleans as float64 with NaN for missing, shape (n_rows,)."""
    values = raw(array).astype(np.float64)
    if array.null_count:
        values[~valid(array)] = np.nan
    return values


def small_range(array: pa.Array, most: int) -> tuple[int, NDArray[np.intp], int] | None:
    """Whole numbers or booleans as places in a table: lowest value, each value's distance from it (n_rows,), and
    the table's size; None when the table would be larger than `most`, a value is beyond ±2⁵³ or not of these types.

    Anything may stand where a value is missing, so it takes part in the range.
    """
    if not (pa.types.is_integer(array.type) or pa.types.is_boolean(array.type)) or not len(array):
        return None
    values = raw(array)
    low, high = int(values.min()), int(values.max())
    if high - low >= most or low < -(2**53) or high > 2**53:
        return None
    places = values.astype(np.intp)
    if low:
        places -= low
    return low, places, high - low + 1


def numbers_of(array: pa.Array) -> NDArray[Any]:
    """The values of a column of numbers in their own type, float64 for whole numbers of which some are missing;
    NaN for missing, shape (n_rows,)."""
    if not array.null_count:
        return raw(array)
    if not pa.types.is_floating(array.type):
        return floats(array)
    values = raw(array).copy()
    values[~valid(array)] = np.nan
    return values


def whole(values: NDArray[np.integer]) -> pa.Array:
    """Whole numbers as an Arrow column, (n_rows,); `pyarrow.array` would import pandas to look at them."""
    data = np.ascontiguousarray(values, np.int64)
    return pa.Array.from_buffers(pa.int64(), len(data), [None, pa.py_buffer(data)])


def indices(array: pa.DictionaryArray, missing: int) -> NDArray[np.int64]:
    """Places in the dictionary of a dictionary-coded column, `missing` where there is none, shape (n_rows,)."""
    places = raw(array.indices).astype(np.int64)
    if array.indices.null_count:
        places[~valid(array.indices)] = missing
    return places


def _bits(buffer: pa.Buffer, array: pa.Array) -> NDArray[np.bool_]:
    bits = np.unpackbits(np.frombuffer(buffer, dtype=np.uint8), bitorder="little")
    return bits[array.offset : array.offset + len(array)].astype(bool)
