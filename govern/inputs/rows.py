"""A 64-bit key for each row's content: equal rows have equal keys wherever they come from.

Used to find duplicates and to draw samples that do not depend on the order of rows: take the rows with the
smallest keys. Not cryptographic: two different rows share a key by chance once in about 2⁶⁴ pairs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from govern.inputs.arrays import floats, indices, raw, small_range, valid
from govern.inputs.levels import SMALL_TABLE, level_text

Keys = NDArray[np.uint64]
_MISSING = np.uint64(0x9AE16A3B2F90404F)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_EXACT = 2**53


def row_keys(batch: pa.RecordBatch, seed: int) -> Keys:
    """Keys of a batch's rows, shape (n_rows,).

    The same for whole numbers and floats of equal value, for −0.0 and 0.0, for text plain or
    dictionary-coded; a missing value and NaN are the same. The order of columns matters, their names do not.
    """
    return prefix_keys(batch, seed, (batch.num_columns,))[0]


def prefix_keys(batch: pa.RecordBatch, seed: int, ends: Sequence[int]) -> list[Keys]:
    """Keys of the rows of a batch's first columns, as many as each of `ends` says, rising: as `row_keys` of these."""
    keys = np.full(batch.num_rows, mixed(np.array([seed], dtype=np.uint64))[0], dtype=np.uint64)
    found = [keys.copy() for end in ends if not end]
    for number, column in enumerate(batch.columns[: ends[-1]], 1):
        keys += _GOLDEN
        keys ^= column_keys(column)
        mixed(keys)
        found += [keys.copy() for end in ends if end == number]
    return found


class Apart:
    """Tells equal rows apart by how many like them came before, whichever of them comes first."""

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}

    def keys(self, keys: Keys) -> Keys:
        """A key of its own for each row with these keys, (n_rows,)."""
        found = np.empty(len(keys), np.uint64)
        for i, key in enumerate(keys.tolist()):
            found[i] = self._seen.get(key, 0)
            self._seen[key] = int(found[i]) + 1
        return mixed(found * _GOLDEN ^ keys)


def mixed(values: Keys) -> Keys:
    """`values` itself after SplitMix64's output function, in place: no array is made but one.

    Source: Steele, Lea and Flood, OOPSLA 2014, section 5.
    """
    shifted = values >> np.uint64(30)
    values ^= shifted
    values *= np.uint64(0xBF58476D1CE4E5B9)
    np.right_shift(values, np.uint64(27), out=shifted)
    values ^= shifted
    values *= np.uint64(0x94D049BB133111EB)
    np.right_shift(values, np.uint64(31), out=shifted)
    values ^= shifted
    return values


def column_keys(array: pa.Array) -> Keys:
    """A key for each value of a column, shape (n_rows,): equal values have equal keys, missing ones share one."""
    kind = array.type
    small = small_range(array, SMALL_TABLE)
    if small is not None:
        low, places, size = small
        table = _float_keys(np.arange(low, low + size, dtype=np.float64)) if pa.types.is_integer(kind) else \
            np.array([_text_key(bool(low + i)) for i in range(size)], dtype=np.uint64)
        keys: Keys = table[places]
    elif pa.types.is_integer(kind):
        keys = _whole_keys(raw(array))
    elif pa.types.is_floating(kind):
        values = floats(array)
        lost = np.isnan(values)
        keys = _float_keys(values)
        if lost.any():
            keys[lost] = _MISSING
    else:
        encoded = array if pa.types.is_dictionary(kind) else array.dictionary_encode()
        table = np.array([_text_key(v) for v in encoded.dictionary.to_pylist()] + [_MISSING], dtype=np.uint64)
        keys = table[indices(encoded, len(table) - 1)]
    if array.null_count:
        keys[~valid(array)] = _MISSING
    return keys


def _whole_keys(values: NDArray[Any]) -> Keys:
    keys = _float_keys(values.astype(np.float64))
    if len(values) and (int(values.max()) > _EXACT or int(values.min()) < -_EXACT):
        # beyond 2**53 neighbours share a float: what the float leaves over tells them apart
        with np.errstate(invalid="ignore"):
            rest = values - values.astype(np.float64).astype(values.dtype)
        return np.where(rest == 0, keys, mixed(keys ^ rest.astype(np.uint64)))
    return keys


def _float_keys(values: NDArray[np.float64]) -> Keys:
    return mixed((values + 0.0).view(np.uint64))


def _text_key(value: Any) -> np.uint64:
    if value is None:
        return _MISSING
    digest = hashlib.blake2b(level_text(value).encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))
