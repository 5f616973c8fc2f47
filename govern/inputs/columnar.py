"""Parquet files and folders, and Arrow IPC (Feather) files and streams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from govern.errors import InputError, printable
from govern.inputs.table import Table, parquet_files, unique_names


def open_parquet(path: Path) -> Table:
    """A Parquet file, or those of a folder in the order of their names, which must agree on columns."""
    import pyarrow.parquet as pq

    files = parquet_files(path) if path.is_dir() else [path]
    if not files:
        raise InputError("holds no .parquet files", where=str(path),
                         fix="name a data file, or a folder of Parquet files")
    columns: dict[str, pa.DataType] = {}
    rows = 0
    for file in files:
        for part in file.relative_to(path).parts[:-1] if path.is_dir() else ():
            if "=" in part:
                raise InputError(f'is partitioned by folders such as "{printable(part)}"', where=str(path),
                                 fix="name one of them, or write the column into the files")
        with pq.ParquetFile(file) as opened:
            schema = opened.schema_arrow
            unique_names(schema.names, file)
            found = dict(zip(schema.names, schema.types, strict=True))
            rows += opened.metadata.num_rows
        columns = columns or found
        for name in (n for n in (*columns, *found) if columns.get(n) != found.get(n)):
            raise InputError(f'column "{printable(name)}" is {found.get(name, "missing")} here, but '
                             f'{columns.get(name, "missing")} in {files[0].name}', where=str(file),
                             fix="write all files with the same columns")

    def read(names: Sequence[str], size: int, coded: Sequence[str] = ()) -> Iterator[pa.RecordBatch]:
        for file in files:
            with pq.ParquetFile(file, read_dictionary=list(coded)) as opened:
                yield from opened.iter_batches(batch_size=size, columns=list(names))

    return Table(columns, rows, read, read_coded=read)


def open_arrow(path: Path) -> Table:
    """An Arrow IPC file or stream, memory-mapped."""
    import pyarrow.ipc as ipc

    with path.open("rb") as file:
        head = file.read(6)
    if head[:4] == b"FEA1":
        raise InputError("is a Feather file of version 1", where=str(path),
                         fix="write it again as Feather 2 or Parquet")
    opener = ipc.open_file if head == b"ARROW1" else ipc.open_stream

    def batches(names: Sequence[str] | None) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        source = pa.memory_map(str(path))
        opened = opener(source)
        schema = opened.schema
        if names is not None:
            fields = [schema.get_field_index(n) for n in names]
            source.seek(0)
            opened = opener(source, options=ipc.IpcReadOptions(included_fields=fields))
        if opener is ipc.open_stream:
            return schema, iter(opened)
        return schema, (opened.get_batch(i) for i in range(opened.num_record_batches))

    schema, found = batches(None)
    unique_names(schema.names, path)
    rows = sum(b.num_rows for b in found)

    def read(names: Sequence[str], size: int) -> Iterator[pa.RecordBatch]:
        yield from batches(names)[1]

    return Table(dict(zip(schema.names, schema.types, strict=True)), rows, read)
