"""Row weights, and the keys of clusters: rows that repeat one person."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from govern.errors import InputError, printable
from govern.inputs.arrays import valid
from govern.inputs.levels import numbers
from govern.inputs.rows import Apart, Keys, column_keys


def weights(array: pa.Array, column: str) -> NDArray[np.float64]:
    """A column's weights, NaN where missing, shape (n_rows,).

    Raises InputError for text and for negative or infinite weights.
    """
    found = numbers(array, column)
    for wrong, what in ((found < 0, "negative"), (np.isinf(found), "infinite")):
        if wrong.any():
            raise InputError(f'column "{printable(column)}" holds {what} weights', where="--weight",
                             fix="give weights of 0 or more, or name another column")
    return found


def cluster_keys(array: pa.Array, rows: Keys, apart: Apart) -> Keys:
    """A key for each row's cluster, shape (n_rows,): equal where the column's values are.

    A row whose value is missing is a cluster of its own; its key comes from the row's key in `rows` and `apart`, which
    has seen the rows before, so that the keys of all rows do not depend on their order.
    """
    keys = column_keys(array)
    missing = ~valid(array) if array.null_count else np.zeros(len(keys), dtype=bool)
    if pa.types.is_floating(array.type):
        missing = missing | np.isnan(numbers(array, ""))
    if missing.any():
        keys = keys.copy()
        keys[missing] = apart.keys(rows[missing])
    return keys
