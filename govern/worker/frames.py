"""Columns as raw buffers: Arrow batch → wire (parent), wire → what the model is given (child).

A column on the wire is a small description and its buffers:

- number    dtype, values; integers with missing values became float64 with NaN
- bool      one byte a value, one byte a value for "known"
- text      int32 codes (-1 missing) into levels; the levels are one text buffer and int64 offsets
- category  the same, kept as a pandas Categorical; levels are text or numbers
- time      int64 counts of `unit` since 1970 (smallest int64: missing), with the time zone if any

pyarrow is imported by `encode` alone, pandas by `decode` only where a data frame is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from govern.errors import InputError
from govern.worker.protocol import Buffer, Header

if TYPE_CHECKING:
    import pyarrow as pa


def encode(batch: pa.RecordBatch) -> tuple[Header, list[Buffer]]:
    """The batch for the wire: {"rows", "columns"} and the buffers.

    Raises InputError for a column whose type no model of ours is fed with (lists, structs, bytes …).
    """
    columns: list[Header] = []
    buffers: list[Buffer] = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        described, parts = _encode_column(name, column)
        columns.append({"name": name, "parts": len(parts), **described})
        buffers += [np.ascontiguousarray(p).view(np.uint8).data for p in parts]
    return {"rows": batch.num_rows, "columns": columns}, buffers


def _encode_column(name: str, column: pa.Array) -> tuple[Header, list[np.ndarray[Any, Any]]]:
    import pyarrow as pa

    from govern.inputs.arrays import indices, numbers_of, raw, valid

    kind = column.type
    if pa.types.is_dictionary(kind):
        codes = indices(column, -1).astype(np.int32)
        described: Header = {"kind": "category", "ordered": kind.ordered}
        if _is_text(kind.value_type):
            return {**described, "levels": "text"}, [codes, *_text_levels(column.dictionary)]
        if pa.types.is_integer(kind.value_type) or pa.types.is_floating(kind.value_type):
            levels = numbers_of(column.dictionary)
            return {**described, "levels": levels.dtype.str}, [codes, levels]
        what = f'column "{name}" has categories of type {kind.value_type}'
        raise InputError(what, fix="use text categories")
    if pa.types.is_boolean(kind):
        known = valid(column).astype(np.uint8)
        values = (raw(column) & valid(column)).astype(np.uint8)
        return {"kind": "bool"}, [values, known]
    if _is_text(kind):
        coded = column.cast(pa.large_string()).dictionary_encode()
        codes = indices(coded, -1).astype(np.int32)
        return {"kind": "text"}, [codes, *_text_levels(coded.dictionary)]
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        unit = "s" if pa.types.is_date(kind) else kind.unit
        zone = None if pa.types.is_date(kind) else kind.tz
        ticks = column.cast(pa.timestamp(unit, tz=zone)).cast(pa.int64())
        missing = int(np.iinfo(np.int64).min)
        return {"kind": "time", "unit": unit, "zone": zone}, [np.where(valid(ticks), raw(ticks), missing)]
    if pa.types.is_null(kind) or pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise InputError(
            f'column "{name}" has type {kind}, which a model cannot be given',
            fix="use numbers, text, booleans, categories or dates",
        )
    values = numbers_of(column)
    return {"kind": "number", "dtype": values.dtype.str}, [values]


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return any(is_(kind) for is_ in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view))


def _text_levels(levels: pa.Array) -> list[np.ndarray[Any, Any]]:
    texts = [(v or "").encode() for v in levels.to_pylist()]
    offsets = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    return [offsets, np.frombuffer(b"".join(texts), dtype=np.uint8)]


def decode(header: Header, buffers: Sequence[Buffer], frame: bool) -> Any:
    """The batch as the model is given it: a pandas DataFrame if `frame` or if some column is not numeric,
    else an array (n_rows, n_columns) of the columns' common type.
    """
    left = iter(buffers)
    taken = [(c, [next(left) for _ in range(c["parts"])]) for c in header["columns"]]
    numeric = all(c["kind"] == "number" or (c["kind"] == "bool" and _all_known(b)) for c, b in taken)
    if frame or not numeric:
        import pandas as pd

        columns = {c["name"]: _decode_column(c, b) for c, b in taken}
        return pd.DataFrame(columns, index=pd.RangeIndex(header["rows"]))
    arrays = [_decode_column(c, b) for c, b in taken]
    if not arrays:
        return np.empty((header["rows"], 0))
    return np.column_stack(arrays)


def _all_known(parts: Sequence[Buffer]) -> bool:
    return bool(np.frombuffer(parts[1], dtype=np.uint8).all())


def _decode_column(column: Header, parts: Sequence[Buffer]) -> Any:
    kind = column["kind"]
    if kind == "number":
        return np.frombuffer(parts[0], dtype=np.dtype(column["dtype"]))
    if kind == "bool":
        values = np.frombuffer(parts[0], dtype=np.bool_)
        if _all_known(parts):
            return values
        known = np.frombuffer(parts[1], dtype=np.bool_)
        # As pandas reads a CSV column of true, false and nothing: objects, NaN where missing.
        return np.where(known, values.astype(object), np.nan)
    import pandas as pd

    if kind == "time":
        stamps = pd.Series(np.frombuffer(parts[0], dtype=np.int64).view(f"M8[{column['unit']}]"))
        zone = column["zone"]
        return stamps.dt.tz_localize("UTC").dt.tz_convert(zone) if zone else stamps
    codes = np.frombuffer(parts[0], dtype=np.int32)
    if kind == "category" and column["levels"] != "text":
        levels: Any = np.frombuffer(parts[1], dtype=np.dtype(column["levels"]))
    else:
        levels = _decode_texts(parts[1], parts[2])
    if kind == "category":
        return pd.Categorical.from_codes(codes, categories=levels, ordered=column["ordered"])
    return _text_values(codes, levels)


def _decode_texts(offsets: Buffer, data: Buffer) -> Any:
    ends = np.frombuffer(offsets, dtype=np.int64).tolist()
    raw = bytes(data)
    levels = np.empty(len(ends) - 1, dtype=object)
    levels[:] = [raw[a:b].decode() for a, b in pairwise(ends)]
    return levels


def _text_values(codes: Any, levels: Any) -> Any:
    import pandas as pd

    if int(pd.__version__.split(".")[0]) >= 3:
        # Taking from the few distinct texts is much faster than building one array element by element.
        return pd.array(levels, dtype="str").take(codes, allow_fill=True)
    return np.append(levels, np.array([np.nan], dtype=object))[codes]
