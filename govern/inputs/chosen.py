"""What settings ask of the explanation, held against the model and the data: features named, rows to explain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from govern.errors import InputError, nearest, printable
from govern.inputs.arrays import raw, whole
from govern.inputs.datasets import DataSource
from govern.inputs.expected import case_name
from govern.inputs.rows import row_keys
from govern.inputs.settings import ExplainSettings


@dataclass(frozen=True)
class Cases:
    """The rows to explain one by one: their names, and their features in the model's order, a row for each name."""

    names: tuple[str, ...]
    batch: pa.RecordBatch
    notes: tuple[str, ...] = ()


def check_named(explain: ExplainSettings, features: Sequence[str], columns: Sequence[str], where: str) -> None:
    """Raises InputError for a direction or a sentence of what is no feature of the model, and for a prohibited feature
    that is no column either: a misspelt one would be given as a reason."""
    for key, names, known in (("directions", explain.directions, features), ("reasons", explain.reasons, features),
                              ("prohibited", explain.prohibited, (*features, *columns))):
        for name in names:
            if name not in known:
                what = "is neither a feature of the model nor a column" if key == "prohibited" else \
                    "is not a feature of the model"
                some = ", ".join(printable(f, 24) for f in features[:6]) + (" …" if len(features) > 6 else "")
                raise InputError(f'explain.{key}: "{printable(name)}" {what}', where=where,
                                 fix=nearest(name, list(known)) or f"its features: {some}")


def cases_in(source: DataSource, features: Sequence[str], cases: Sequence[Mapping[str, str]], seed: int
             ) -> Cases | None:
    """The rows of the data that the cases name by the values of columns, None without any case.

    Reads the data once, in bounded memory. Of several rows with these values the one with the smallest key is taken,
    whatever their order, with a note. Raises InputError for a case that no row is.
    """
    if not cases:
        return None
    asked = list(dict.fromkeys(column for case in cases for column in case))
    found: list[tuple[int, pa.RecordBatch] | None] = [None] * len(cases)
    rows = [0] * len(cases)
    for batch in source.batches(list(dict.fromkeys((*asked, *features)))):
        for i, case in enumerate(cases):
            there = _rows(batch, case)
            if there.num_rows:
                rows[i] += there.num_rows
                keys = row_keys(there, seed)
                first = int(keys.argmin())
                best = found[i]
                if best is None or int(keys[first]) < best[0]:
                    found[i] = int(keys[first]), there.slice(first, 1)
    names = tuple(case_name(case) for case in cases)
    taken = []
    for name, one in zip(names, found, strict=True):
        if one is None:
            raise InputError(f"explain.cases: no row has {printable(name)}", where=str(source.path),
                             fix="name a row by the values that the file holds")
        taken.append(one[1].select(list(features)))
    table = pa.Table.from_batches(taken).unify_dictionaries().combine_chunks()
    notes = tuple(f"{n:,} rows have {printable(name)}: one of them is explained." for name, n in
                  zip(names, rows, strict=True) if n > 1)
    return Cases(names, table.to_batches()[0], notes)


def _rows(batch: pa.RecordBatch, case: Mapping[str, str]) -> pa.RecordBatch:
    """The rows of a batch that have the values of a case."""
    for column, text in case.items():
        batch = batch.take(whole(_having(batch.column(column), text).nonzero()[0]))
    return batch


def _having(array: pa.Array, text: str) -> NDArray[np.bool_]:
    """Whether each value of a column is the one that a text writes, (n_rows,)."""
    plain = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
    value = _written(text, plain.type)
    if value is None:
        return np.zeros(len(plain), bool)
    return raw(pc.fill_null(pc.equal(plain, value), False))


def _written(text: str, kind: pa.DataType) -> pa.Scalar | None:
    """A text as a value of a column's type, None where it is none."""
    if pa.types.is_boolean(kind):
        return pa.scalar(text == "true") if text in ("true", "false") else None
    try:
        if pa.types.is_integer(kind):
            # Never through a float: beyond 2**53 it would name the neighbours too.
            return pa.scalar(int(text.removesuffix(".0")), kind)
        if pa.types.is_floating(kind):
            return pa.scalar(float(text), kind)
        return pa.scalar(text).cast(kind)
    except (pa.ArrowException, ValueError, OverflowError):
        return None
