"""What every reader of a data format finds, and what they share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from govern.errors import InputError, printable

Read = Callable[[Sequence[str], int], Iterator[pa.RecordBatch]]
# the last argument: columns of text to give dictionary-coded
ReadCoded = Callable[[Sequence[str], int, Sequence[str]], Iterator[pa.RecordBatch]]


@dataclass(frozen=True)
class Table:
    """What a format's reader finds: column types in file order, number of rows, and how to read columns.

    `alike` are, by column, the texts under which values of different types fall. `read_coded` is there where the
    format keeps texts dictionary-coded, so that they are several times faster to read so.
    """

    columns: Mapping[str, pa.DataType]
    rows: int
    read: Read = field(repr=False)
    alike: Mapping[str, Sequence[str]] = field(default_factory=dict)
    read_coded: ReadCoded | None = field(default=None, repr=False)


def parquet_files(folder: Path) -> list[Path]:
    """The Parquet files of a folder in the order of their names, without hidden and side files."""
    return sorted(f for f in folder.rglob("*.parquet")
                  if f.is_file() and not any(p.startswith((".", "_")) for p in f.relative_to(folder).parts))


def unique_names(names: Sequence[str], path: Path) -> None:
    """Raises InputError when two columns have the same name."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(f'has two columns called "{printable(name)}"', where=str(path),
                             fix="rename one of them")
        seen.add(name)
