"""Rows with one feature set to other values, and what the model answers to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from govern.explain.explained import ExplainedRows, Floats
from govern.inputs.arrays import indices, whole
from govern.inputs.levels import level_text, number_text
from govern.worker.client import Worker
from govern.worker.replies import Described, Prediction

CALL_CELLS: Final = 1_000_000
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Answers:
    """How the model answers a RecordBatch of its features: numbers (n_rows, n_outputs) in the order of
    `ExplainedRows.outputs`; `unit` says what they are: probability, label (1 where it is predicted) or number."""

    unit: str
    of: Callable[[Any], Floats]


def answers(worker: Worker, described: Described, positive: str | None, labels: Sequence[str | None]) -> Answers:
    """The answers of the model in its process. `positive` is the class asked for, None for all classes or numbers;
    `labels` are those of the explained outputs."""
    unit = "number" if described.task == "regressor" else "probability" if described.has_score else "label"
    wanted = [described.classes.index(label) for label in (labels if positive is None else [positive])
              if label is not None]

    def read(found: Prediction) -> Floats:
        if found.values is not None:
            return found.values[:, None]
        if found.score is not None:
            return found.score[:, None] if found.score.ndim == 1 else found.score[:, wanted]
        predicted = np.asarray(found.labels)[:, None]
        one: Floats = (predicted == np.array(wanted)).astype(np.float64)
        return one

    return Answers(unit, lambda batch: read(worker.predict(batch, positive)))


@dataclass(frozen=True)
class Points:
    """Values that stand for a column: the rows `at` (n_points,) whose value they are, the `share` (n_points,) of the
    rows that each stands for, adding up to 1, and their texts; a missing value is empty. Numbers rise, levels come
    by falling share."""

    at: Places
    share: Floats
    texts: tuple[str, ...]
    numeric: bool


def points(rows: ExplainedRows, feature: str, within: Places, most: int, *, missing: bool) -> Points:
    """At most `most` values that stand for a feature in the rows `within` (at least one), with its missing values
    where asked for.

    Values are those of rows, so that whatever type they have the model knows it: of numbers every one, else the middle
    ones of parts of equally many rows; of levels the most frequent.
    """
    numbers = rows.numbers.get(feature)
    if numbers is not None:
        return _of_numbers(numbers, within, most, missing)
    column = rows.table.column(feature).combine_chunks()
    encoded = column if hasattr(column, "dictionary") else column.dictionary_encode()
    codes = indices(encoded, -1)[within]
    held, first, n = np.unique(codes, return_index=True, return_counts=True)
    texts = ["" if c < 0 else level_text(encoded.dictionary[int(c)].as_py()) for c in held]
    order = sorted((i for i in range(len(held)) if missing or held[i] >= 0), key=lambda i: (-n[i], texts[i]))[:most]
    total = n[order].sum()
    return Points(within[first[order]], n[order] / max(1, total), tuple(texts[i] for i in order), False)


def _of_numbers(numbers: Floats, within: Places, most: int, missing: bool) -> Points:
    order = within[np.argsort(numbers[within], kind="stable")]
    known = order[: len(order) - int(np.isnan(numbers[within]).sum())]
    _, first, n = np.unique(numbers[known], return_index=True, return_counts=True)
    if len(n) > most:
        ends = np.arange(most + 1) * len(known) // most
        # Parts whose middle is one value count as one.
        _, first, n = np.unique(numbers[known[(ends[:-1] + ends[1:]) // 2]], return_index=True, return_counts=True)
        n = np.add.reduceat(np.diff(ends), first)
        first = ((ends[:-1] + ends[1:]) // 2)[first]
    at, held = known[first], n.astype(np.float64)
    if missing and len(known) < len(order):
        at, held = np.append(at, order[len(known)]), np.append(held, len(order) - len(known))
    texts = tuple("" if np.isnan(v) else number_text(float(v)) for v in numbers[at])
    return Points(at, held / max(1.0, held.sum()), texts, True)


def features_of(rows: ExplainedRows) -> Any:
    """The features of the explained rows as one RecordBatch, in the model's order."""
    return rows.table.select(list(rows.features)).unify_dictionaries().combine_chunks().to_batches()[0]


def varied(batch: Any, base: Places, changes: Sequence[tuple[str, Places]], ask: Answers) -> Iterator[Floats]:
    """For each change, a feature and the rows whose values it is set to, the answers (n_points, n_rows, n_outputs)
    to the rows `base` of `batch` with that feature set to each value. Several changes go in one call."""
    room = max(1, CALL_CELLS // max(1, batch.num_columns * len(base)))
    waiting: list[tuple[str, Places]] = []
    for change in changes:
        if waiting and sum(len(at) for _, at in waiting) + len(change[1]) > room:
            yield from _asked(batch, base, waiting, ask)
            waiting = []
        waiting.append(change)
    if waiting:
        yield from _asked(batch, base, waiting, ask)


def _asked(batch: Any, base: Places, changes: Sequence[tuple[str, Places]], ask: Answers) -> Iterator[Floats]:
    import pyarrow as pa

    sizes = [len(at) for _, at in changes]
    rows = np.tile(base, sum(sizes))
    columns = []
    for name in batch.schema.names:
        taken = rows
        for (feature, at), start in zip(changes, np.cumsum([0, *sizes]).tolist(), strict=False):
            if feature == name:
                taken = taken.copy() if taken is rows else taken
                taken[start * len(base) : (start + len(at)) * len(base)] = np.repeat(at, len(base))
        columns.append(batch.column(name).take(whole(taken)))
    found = ask.of(pa.RecordBatch.from_arrays(columns, names=batch.schema.names))
    shaped = found.reshape(sum(sizes), len(base), -1)
    for start, size in zip(np.cumsum([0, *sizes]).tolist(), sizes, strict=False):
        yield shaped[start : start + size]
