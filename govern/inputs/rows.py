"""A 64-bit key for each row's content: equal rows have equal keys wherever they come from.

Used to find duplicates and to draw samples that do not depend on the order of rows: take the rows with the
smallest keys. Not cryptographic: two different rows share a key by chance once in about 2⁶⁴ pairs.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from govern.inputs.arrays import floats, indices, raw, valid
from govern.inputs.levels import level_text

Keys = NDArray[np.uint64]
_MISSING = np.uint64(0x9AE16A3B2F90404F)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def row_keys(batch: pa.RecordBatch, seed: int) -> Keys:
    """Keys of a batch's rows, shape (n_rows,).

    The same for whole numbers and floats of equal value, for −0.0 and 0.0, for text plain or
    dictionary-coded; a missing value and NaN are the same. The order of columns matters, their names do not.
    """
    keys = np.full(batch.num_rows, _mix(np.array([seed], dtype=np.uint64))[0], dtype=np.uint64)
    for column in batch.columns:
        keys = _mix(keys + _GOLDEN ^ _column_keys(column))
    return keys


def _mix(values: Keys) -> Keys:
    """SplitMix64's output function. Source: Steele, Lea and Flood, OOPSLA 2014, section 5."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _column_keys(array: pa.Array) -> Keys:
    kind = array.type
    if pa.types.is_integer(kind):
        whole = raw(array)
        keys = _float_keys(whole.astype(np.float64))
        if kind.bit_width == 64:
            # beyond 2**53 neighbours share a float: what the float leaves over tells them apart
            with np.errstate(invalid="ignore"):
                rest = whole - whole.astype(np.float64).astype(whole.dtype)
            keys = np.where(rest == 0, keys, _mix(keys ^ rest.astype(np.uint64)))
    elif pa.types.is_floating(kind):
        values = floats(array)
        keys = np.where(np.isnan(values), _MISSING, _float_keys(values))
    else:
        encoded = array if pa.types.is_dictionary(kind) else array.dictionary_encode()
        table = np.array([_text_key(v) for v in encoded.dictionary.to_pylist()] + [_MISSING], dtype=np.uint64)
        keys = table[indices(encoded, len(table) - 1)]
    if array.null_count:
        keys = np.where(valid(array), keys, _MISSING)
    return keys


def _float_keys(values: NDArray[np.float64]) -> Keys:
    return _mix((values + 0.0).view(np.uint64))


def _text_key(value: Any) -> np.uint64:
    if value is None:
        return _MISSING
    digest = hashlib.blake2b(level_text(value).encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))
