"""JSON Lines: one object of plain values a line.

Read with the standard library, because types must be those of the whole file and text must stay text
(Arrow's own reader takes types from the first block and turns some text into dates).
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from govern.errors import InputError, printable
from govern.inputs.table import Table

Kind = Literal["bool", "int", "float", "text"]
_TYPES: dict[Kind, pa.DataType] = {
    "bool": pa.bool_(), "int": pa.int64(), "float": pa.float64(), "text": pa.string(),
}
COMPARED_TEXTS = 10_000
ONE_OBJECT = "write one JSON object a line"


def open_json_lines(path: Path) -> Table:
    """A JSON Lines file, plain or gzipped; a key that a line leaves out is a missing value there."""
    kinds: dict[str, set[Kind]] = {}
    rows = 0
    for number, row in _rows(path):
        rows += 1
        for name, value in row.items():
            found = kinds.setdefault(name, set())
            if value is not None:
                found.add(_kind(path, number, name, value))
    types = {name: _TYPES[_common(found)] for name, found in kinds.items()}

    def read(names: Sequence[str], size: int) -> Iterator[pa.RecordBatch]:
        schema = pa.schema([(n, types[n]) for n in names])
        columns: list[list[Any]] = [[] for _ in names]
        for _, row in _rows(path):
            for name, values in zip(names, columns, strict=True):
                values.append(_value(row.get(name), types[name]))
            if len(columns[0]) == size:
                yield _batch(columns, schema)
                columns = [[] for _ in names]
        if columns[0]:
            yield _batch(columns, schema)

    mixed = [name for name, found in kinds.items() if len(found) > 1 and types[name] == pa.string()]
    return Table(types, rows, read, _alike(path, mixed) if mixed else {})


def _alike(path: Path, names: Sequence[str]) -> dict[str, list[str]]:
    """For each of the columns of mixed types the texts under which values of different types fall."""
    kinds: dict[str, dict[str, set[Kind]]] = {name: {} for name in names}
    for number, row in _rows(path):
        for name in names:
            value = row.get(name)
            text = _value(value, pa.string())
            if text is not None and (text in kinds[name] or len(kinds[name]) < COMPARED_TEXTS):
                kinds[name].setdefault(text, set()).add(_kind(path, number, name, value))
    return {name: sorted(t for t, found in texts.items() if len(found) > 1) for name, texts in kinds.items()}


def _batch(columns: list[list[Any]], schema: pa.Schema) -> pa.RecordBatch:
    arrays = [pa.array(values, kind) for values, kind in zip(columns, schema.types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line numbers from 1 and objects; blank lines are skipped."""
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    with (gzip.open if zipped else open)(path, "rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line.decode("utf-8-sig"), object_pairs_hook=_unique)
            except (ValueError, RecursionError) as err:
                raise _error(path, number, f"is not JSON Lines: {err}", ONE_OBJECT) from None
            if not isinstance(row, dict):
                raise _error(path, number, "is not JSON Lines: a line is not an object", ONE_OBJECT)
            yield number, row


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return row


def _kind(path: Path, number: int, name: str, value: Any) -> Kind:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        if abs(value) > sys.float_info.max:
            raise _error(path, number, f'column "{printable(name)}" holds too large a number', "write text")
        return "int" if -(2**63) <= value < 2**63 else "float"
    if isinstance(value, float):
        return "float"
    if isinstance(value, str):
        return "text"
    raise _error(path, number, f'column "{printable(name)}" holds a nested value',
                 "keep one plain value in a key")


def _common(kinds: set[Kind]) -> Kind:
    if len(kinds) > 1:
        return "float" if kinds == {"int", "float"} else "text"
    return next(iter(kinds), "float")


def _value(value: Any, kind: pa.DataType) -> Any:
    """`value` as its column holds it: NaN is missing; in a column of mixed types everything is text."""
    if value is None or value != value:
        return None
    if kind == pa.string() and not isinstance(value, str):
        return json.dumps(value)
    return float(value) if kind == pa.float64() else value


def _error(path: Path, line: int, what: str, fix: str) -> InputError:
    return InputError(what, where=str(path), line=line, fix=fix)
