"""CSV and TSV, plain or gzipped, as pandas users expect them, with types of the whole file.

One pass at the start fixes each column's type: what the first block suggests, widened wherever a later value
does not fit (whole numbers → numbers → text; booleans → text). Dates stay text. Missing values are the empty
text, NA, N/A, NaN, null, None and their usual variants: a group called "NA" needs another spelling.
Digits are numbers even with leading zeros ("007" is 7), as in pandas.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import csv as arrow_csv

from govern.errors import InputError, printable
from govern.inputs.table import Table, unique_names

BLOCK = 1 << 22
MISSING = ("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>",
           "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null")
_NARROW = (pa.null(), pa.int64(), pa.float64(), pa.bool_())
_CONVERSION = re.compile(r"In CSV column #(\d+): .*?(?:invalid value '(.*)')?$", re.DOTALL)
_INT = re.compile(r"[-+]?\d+")


def open_csv(path: Path) -> Table:
    """A text file with a header line, delimited by comma, or by what the header has instead."""
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    delimiter = _delimiter(path, zipped)
    types: dict[str, pa.DataType] = {}
    rows = -1
    while rows < 0:
        try:
            reader = _reader(path, zipped, delimiter, types, None)
            names = reader.schema.names
            unique_names(names, path)
            if not types:
                types = {n: t if t in _NARROW or pa.types.is_binary(t) else pa.string()
                         for n, t in zip(names, reader.schema.types, strict=True)}
                for name in (n for n, t in types.items() if pa.types.is_binary(t)):
                    raise _not_utf8(path, name)
                reader = _reader(path, zipped, delimiter, types, None)
            rows = sum(batch.num_rows for batch in reader)
            _check_quotes(path, zipped, delimiter)
        except pa.ArrowInvalid as err:
            conversion = _CONVERSION.match(str(err))
            if conversion is None or not types:
                raise _unreadable(path, zipped, delimiter, str(err)) from None
            name = list(types)[int(conversion[1])]
            if types[name] not in _NARROW:
                raise _not_utf8(path, name) from None
            types[name] = _wider(types[name], conversion[2] or "")
        except UnicodeDecodeError:
            raise InputError("is not UTF-8 text", where=str(path), fix="save it as CSV in UTF-8") from None

    def read(names: Sequence[str], size: int) -> Iterator[pa.RecordBatch]:
        yield from _reader(path, zipped, delimiter, types, list(names))

    return Table(types, rows, read)


def _wider(kind: pa.DataType, value: str) -> pa.DataType:
    """The next type to try for a column of type `kind` in which `value` was found."""
    if kind == pa.null() and _INT.fullmatch(value):
        return pa.int64()
    if kind == pa.null() and value.lower() in ("true", "false"):
        return pa.bool_()
    return pa.float64() if kind in (pa.null(), pa.int64()) else pa.string()


def _reader(path: Path, zipped: bool, delimiter: str, types: dict[str, pa.DataType],
            names: list[str] | None) -> Any:
    source = pa.OSFile(str(path))
    return arrow_csv.open_csv(
        pa.CompressedInputStream(source, "gzip") if zipped else source,
        read_options=arrow_csv.ReadOptions(block_size=BLOCK),
        parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            column_types=types, include_columns=names, null_values=list(MISSING), strings_can_be_null=True,
            true_values=["true", "True", "TRUE"], false_values=["false", "False", "FALSE"]),
    )


def _bytes(path: Path, zipped: bool) -> Any:
    return gzip.open(path) if zipped else path.open("rb")


def _text(path: Path, zipped: bool) -> Any:
    return io.TextIOWrapper(_bytes(path, zipped), encoding="utf-8-sig", errors="replace", newline="")


def _delimiter(path: Path, zipped: bool) -> str:
    with _text(path, zipped) as file:
        header = file.readline(BLOCK)
    return max(",\t;|", key=header.count) if "," not in header else ","


def _check_quotes(path: Path, zipped: bool, delimiter: str) -> None:
    """Raises InputError for a quote that never closes: Arrow would take the rest of the file for one value."""
    with _bytes(path, zipped) as file:
        quotes = sum(block.count(b'"') for block in iter(lambda: file.read(BLOCK), b""))
    if quotes % 2 == 0:
        return
    with _text(path, zipped) as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        line = 1
        try:
            for _ in reader:
                line = reader.line_num + 1
        except csv.Error:
            raise InputError("is not readable as CSV: a quote is not closed or not doubled inside a value",
                             where=str(path), line=line, fix="mend the line") from None


def _not_utf8(path: Path, name: str) -> InputError:
    return InputError(f'column "{printable(name)}" is not UTF-8 text', where=str(path),
                      fix="save it as CSV in UTF-8")


def _unreadable(path: Path, zipped: bool, delimiter: str, reason: str) -> InputError:
    """The error of a file that does not parse, with the line where the number of values changes."""
    what, line = reason.splitlines()[0].removeprefix("CSV parse error: "), None
    with _text(path, zipped) as file:
        reader = csv.reader(file, delimiter=delimiter)
        try:
            header = len(next(reader, []))
            for row in reader:
                if row and len(row) != header:
                    line, what = reader.line_num, f"{len(row)} values where the header has {header} columns"
                    break
        except (csv.Error, EOFError, OSError):
            line = None
    return InputError(f"is not readable as CSV: {what}", where=str(path), line=line,
                      fix="mend the line or its quotes")
