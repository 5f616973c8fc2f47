"""Evaluation data as Arrow batches, whatever file it comes from.

The format follows from the content where it has a signature (Parquet, Arrow, gzip) and from the name
otherwise. Only the columns asked for are decoded. Column types are those of the whole file, never of its
first block, so that neither batching nor the order of rows changes a value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from govern.errors import InputError, nearest, printable
from govern.inputs.table import Read, ReadCoded, Table, parquet_files

BATCH_ROWS = 65_536


@dataclass(frozen=True)
class DataSource:
    """A data file or folder: `columns` maps names to types in file order, `size` is in bytes.

    `alike` are, by column, the texts under which values of different types fall.
    """

    path: Path
    format: str
    size: int
    rows: int
    columns: Mapping[str, pa.DataType]
    _read: Read = field(repr=False)
    alike: Mapping[str, Sequence[str]] = field(default_factory=dict)
    _read_coded: ReadCoded | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The file's name without folders."""
        return self.path.resolve().name

    @cached_property
    def sha256(self) -> str:
        """Digest of the file's bytes; of a folder, the digest over its files' names and digests, sorted."""
        if not self.path.is_dir():
            return _file_digest(self.path)
        total = hashlib.sha256()
        for file in parquet_files(self.path):
            total.update(f"{file.relative_to(self.path).as_posix()}\0{_file_digest(file)}\n".encode())
        return total.hexdigest()

    def batches(self, columns: Sequence[str], rows: int = BATCH_ROWS, *, coded: Sequence[str] = ()
                ) -> Iterator[pa.RecordBatch]:
        """Batches of 1 to `rows` rows with exactly `columns`, in file order.

        Types are plain: numbers, booleans, text, dictionaries of text, dates. Columns of text in `coded`, of few
        different values each, come dictionary-coded where that is faster. Raises InputError for a column that
        does not exist or holds nested or binary values.
        """
        wanted = {name: self.type_of(name) for name in columns}
        coded = [n for n in coded if wanted.get(n) == pa.string() == self.columns[n]] if self._read_coded else []
        wanted |= dict.fromkeys(coded, pa.dictionary(pa.int32(), pa.string()))
        schema = pa.schema(list(wanted.items()))
        with reading(self.path, self.format):
            found = self._read_coded(list(wanted), rows, coded) if self._read_coded and coded \
                else self._read(list(wanted), rows)
            for batch in found:
                arrays = [_cast(self.path, n, batch.column(batch.schema.get_field_index(n)), t)
                          for n, t in wanted.items()]
                plain = pa.RecordBatch.from_arrays(arrays, schema=schema)
                for start in range(0, plain.num_rows, rows):
                    yield plain.slice(start, rows)

    def type_of(self, name: str) -> pa.DataType:
        """The plain type in which a column is read. Raises InputError."""
        if name not in self.columns:
            raise missing_column(name, tuple(self.columns), str(self.path))
        kind = plain_type(self.columns[name])
        if kind is None:
            raise InputError(f'column "{printable(name)}" holds {self.columns[name]} values',
                             where=str(self.path), fix="keep one number, boolean, text or date in a cell")
        return kind


def missing_column(name: str, known: Sequence[str], where: str) -> InputError:
    """The error for a column that the data does not have."""
    some = f"columns: {', '.join(printable(k, 24) for k in known[:6])}{' …' if len(known) > 6 else ''}"
    fix = nearest(name, tuple(known)) or some
    return InputError(f'has no column "{printable(name)}"', where=where, fix=fix)


def open_data(path: Path, flag: str = "--data") -> DataSource:
    """The data at `path`, its columns and types known, nothing kept in memory; `flag` names it. Raises InputError."""
    if not path.exists():
        raise InputError("no such file", where=str(path), fix=f"check {flag}")
    kind, opener = _opener(path)
    with reading(path, kind):
        table = opener(path)
    if table.rows == 0:
        raise InputError("has no rows", where=str(path), fix="give data with at least one row")
    files = parquet_files(path) if path.is_dir() else [path]
    size = sum(f.stat().st_size for f in files)
    return DataSource(path, kind, size, table.rows, table.columns, table.read, table.alike,
                      table.read_coded)


def _opener(path: Path) -> tuple[str, Callable[[Path], Table]]:
    """The format's name and its reader, by signature, then by name."""
    if path.is_dir():
        from govern.inputs.columnar import open_parquet

        return "parquet", open_parquet
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as err:
        raise InputError(f"cannot be read ({err.strerror})", where=str(path),
                         fix="check its permissions") from None
    if not head.strip():
        raise InputError("is empty", where=str(path), fix="give data with a header and rows")
    suffixes = [s.lower() for s in path.suffixes]
    zipped = head[:2] == b"\x1f\x8b"
    suffix = next((s for s in reversed(suffixes) if s != ".gz"), "")
    if head[:4] == b"PAR1" or suffix in (".parquet", ".pq"):
        from govern.inputs.columnar import open_parquet

        return "parquet", open_parquet
    if head[:6] == b"ARROW1" or head[:4] == b"\xff\xff\xff\xff" or suffix in (".arrow", ".feather", ".ipc"):
        from govern.inputs.columnar import open_arrow

        return "arrow", open_arrow
    if not zipped and (b"\0" in head or head[:4] == b"PK\x03\x04"):
        raise InputError("is not a text file, nor Parquet or Arrow", where=str(path),
                         fix="save it as CSV in UTF-8, or as Parquet")
    if suffix in (".jsonl", ".ndjson", ".json") or (not zipped and head.lstrip()[:1] == b"{"):
        from govern.inputs.jsonlines import open_json_lines

        return "json lines", open_json_lines
    from govern.inputs.delimited import open_csv

    return "csv", open_csv


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Turns Arrow's errors into one InputError that names the file and its format."""
    try:
        yield
    except (pa.ArrowException, OSError, EOFError, UnicodeError) as err:
        reason = str(err).strip().splitlines()[0] if str(err).strip() else type(err).__name__
        raise InputError(f"is not readable as {kind}: {reason}", where=str(path),
                         fix="check that the file is whole and of the format its name says") from None


def plain_type(kind: pa.DataType) -> pa.DataType | None:
    """The type a column of type `kind` is read as; None when it cannot be used."""
    types = pa.types
    if types.is_dictionary(kind):
        value = plain_type(kind.value_type)
        return kind if kind.value_type == pa.string() else pa.dictionary(pa.int32(), value) \
            if value == pa.string() else value
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return pa.string()
    if types.is_float16(kind):
        return pa.float32()
    if types.is_decimal(kind) or types.is_null(kind):
        return pa.float64()
    if types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(kind):
        return kind
    return kind if types.is_date(kind) or types.is_timestamp(kind) else None


def _cast(path: Path, name: str, array: pa.Array, kind: pa.DataType) -> pa.Array:
    if array.type == kind:
        return array
    if pa.types.is_dictionary(array.type) and not pa.types.is_dictionary(kind):
        array = array.dictionary_decode()
    try:
        return array.cast(kind)
    except pa.ArrowException:
        raise InputError(f'column "{printable(name)}" cannot be read as {kind}', where=str(path),
                         fix="keep one type in the column") from None


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
