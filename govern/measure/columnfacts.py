"""What one column of a data set holds, gathered batch by batch, and how well it alone tells the target."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from govern.dataset import Bin, Column, Level
from govern.inputs.arrays import indices, numbers_of, raw, small_range, valid
from govern.inputs.levels import SMALL_TABLE, level_text
from govern.stats.histogram import Histogram
from govern.stats.single_feature import Alone, better, of_levels, of_numbers

COUNTED_LEVELS = 1000
SHOWN_LEVELS = 20
SHOWN_BINS = 128

IntArray = NDArray[np.int64]


class ColumnFacts:
    """Missing values, distinct values (counted to 1,000), range, bins and most frequent levels of one column.

    With `classes` more than 1 its rows are counted by class too.
    """

    def __init__(self, name: str, role: str, classes: int = 1) -> None:
        self.name, self.role, self.classes = name, role, classes
        self.kind = "number"
        self.missing = 0
        self.low: float | None = None
        self.high: float | None = None
        self.numbers = Histogram(classes)
        self._levels: dict[str, int] | None = {}
        self._n = np.zeros((0, classes), np.int64)

    def add(self, column: Any, label: IntArray | None = None) -> None:
        """Count a pyarrow array, of the classes `label` (n_rows,) where rows are counted by class."""
        import pyarrow as pa

        if pa.types.is_dictionary(column.type) and not pa.types.is_string(column.type.value_type):
            column = column.cast(column.type.value_type)
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
        self.kind = ("number" if numeric else "boolean" if pa.types.is_boolean(kind)
                     else "date" if pa.types.is_temporal(kind) else "text")
        if pa.types.is_decimal(kind):
            column = column.cast(pa.float64())
        if not numeric:
            self._add_levels(column, label)
        elif (found := small_range(column, SMALL_TABLE)) is not None:
            self._add_small(column, *found, label)
        else:
            values = numbers_of(column)
            lost = np.isnan(values) if values.dtype.kind == "f" else None
            if lost is not None and lost.any():
                self.missing += int(lost.sum())
                values, label = values[~lost], None if label is None else label[~lost]
            self.add_numbers(values.astype(np.float64), label)

    def add_numbers(self, values: NDArray[np.float64], label: IntArray | None = None) -> None:
        """Count numbers (n,), none NaN, of the classes `label` (n,)."""
        if len(values):
            self._reach(float(values.min()), float(values.max()))
            self.numbers.add(values, label)

    def _reach(self, low: float, high: float) -> None:
        self.low = low if self.low is None else min(self.low, low)
        self.high = high if self.high is None else max(self.high, high)

    def _add_small(self, column: Any, low: int, places: NDArray[np.intp], size: int, label: IntArray | None
                   ) -> None:
        """Whole numbers of a small range: each is counted by itself."""
        if column.null_count:
            known = valid(column)
            self.missing += column.null_count
            places, label = places[known], None if label is None else label[known]
        if label is not None:
            places = places + label * size
        n = np.bincount(places, minlength=size * self.classes).reshape(self.classes, size)
        held = np.flatnonzero(n[0] if self.classes == 1 else n.any(axis=0))
        if len(held):
            values = (low + held).astype(np.float64)
            self._reach(float(values[0]), float(values[-1]))
            self.numbers.add_counts(values, n[:, held])

    def _add_levels(self, column: Any, label: IntArray | None) -> None:
        import pyarrow as pa

        if pa.types.is_boolean(column.type):
            self.missing += column.null_count
            places = np.where(valid(column), raw(column).astype(np.int64), 2) if column.null_count else \
                raw(column).astype(np.int64)
            self._count(["false", "true"], places, label)
            return
        coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        if coded.dictionary.null_count:  # a dictionary may hold the missing value itself
            coded = coded.dictionary_decode().dictionary_encode()
        self.missing += coded.null_count
        if self._levels is not None:
            texts = [level_text(t) for t in coded.dictionary.to_pylist()]
            self._count(texts, indices(coded, len(texts)), label)

    def _count(self, texts: list[str], places: IntArray, label: IntArray | None) -> None:
        """Count rows of the texts at `places`, len(texts) for a missing one."""
        if self._levels is None:
            return
        width = self.classes
        if label is not None:
            places = places * width + label
        n = np.bincount(places, minlength=(len(texts) + 1) * width).reshape(-1, width)[: len(texts)]
        held = np.flatnonzero(n.any(axis=1)).tolist()
        if len(held) > COUNTED_LEVELS:
            self._levels = None
            return
        rows = [self._levels.setdefault(texts[i], len(self._levels)) for i in held]
        if len(self._levels) > COUNTED_LEVELS:
            self._levels = None
            return
        self._n = np.pad(self._n, ((0, len(self._levels) - len(self._n)), (0, 0)))
        np.add.at(self._n, rows, n[held])

    @property
    def empty(self) -> bool:
        """Whether no row has a value."""
        return not len(self.numbers) if self.kind == "number" else self._levels == {}

    @property
    def levels(self) -> dict[str, int] | None:
        """Rows of each level; None above 1,000 of them, and for numbers."""
        if self._levels is None or self.kind == "number":
            return None
        return dict(zip(self._levels, self._n.sum(axis=1).tolist(), strict=True))

    def alone(self, rows: NDArray[np.int64]) -> Alone | str:
        """How well the column alone tells the class; `rows` (n_classes,) are those of the data set. A text says why it
        is not measured."""
        n = self.numbers.counts if self.kind == "number" else self._n
        missing = rows - n.sum(axis=0)
        if self.kind != "number":
            too_many = f"more than {COUNTED_LEVELS:,} different values"
            return too_many if self._levels is None else of_levels(n, missing)
        found = of_numbers(n, missing)
        # Numbers of few different values may be codes, whose order says nothing.
        return found if self.numbers.exact() is None else better(found, of_levels(n, missing))

    def result(self) -> Column:
        """The column's facts."""
        exact = self.numbers.exact() if self.kind == "number" else None
        if exact is not None and len(exact) <= COUNTED_LEVELS:
            rows = self.numbers.counts.sum(axis=1).tolist()
            levels: dict[str, int] | None = dict(zip(map(level_text, exact.tolist()), rows, strict=True))
        else:
            levels = self.levels
        few = levels is not None and (self.kind != "number" or len(levels) <= SHOWN_LEVELS)
        ranked = sorted((levels or {}).items(), key=lambda item: (-item[1], item[0]))
        shown, others = (ranked[:SHOWN_LEVELS], ranked[SHOWN_LEVELS:]) if few else ([], [])
        bins = zip(*self.numbers.bins(SHOWN_BINS), strict=True) if self.kind == "number" else ()
        return Column(
            self.name, self.role, self.kind, self.missing, distinct=None if levels is None else len(levels),
            low=_finite(self.low), high=_finite(self.high), levels=tuple(Level(v, n) for v, n in shown),
            bins=tuple(Bin(low, n) for low, n in bins), others=sum(n for _, n in others))


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None
