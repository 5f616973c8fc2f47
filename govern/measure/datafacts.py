"""What the evaluation data holds, column by column, gathered batch by batch."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from govern.dataset import Column, DataFacts, Level
from govern.inputs.arrays import indices, raw
from govern.inputs.levels import level_text

COUNTED_LEVELS = 1000
SHOWN_LEVELS = 20
MOST_KEYS = 1 << 20  # rows up to which duplicates are counted: 8 bytes each are kept


class ColumnFacts:
    """Missing values, distinct values (counted to 1,000), range and most frequent levels of one column."""

    def __init__(self, name: str, role: str) -> None:
        self.name, self.role = name, role
        self.kind = "number"
        self.missing = 0
        self.low: float | None = None
        self.high: float | None = None
        self.levels: Counter[str] | None = Counter()

    def add(self, column: Any) -> None:
        """Count a pyarrow array."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if pa.types.is_dictionary(column.type) and not pa.types.is_string(column.type.value_type):
            column = column.cast(column.type.value_type)
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if pa.types.is_floating(kind):
            column = pc.if_else(pc.is_nan(column), None, column) if pc.any(pc.is_nan(column)).as_py() else column
        self.missing += column.null_count
        numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
        self.kind = ("number" if numeric else "boolean" if pa.types.is_boolean(kind)
                     else "date" if pa.types.is_temporal(kind) else "text")
        if numeric and column.null_count < len(column):
            ends = pc.min_max(column).as_py()
            low, high = float(ends["min"]), float(ends["max"])
            self.low = low if self.low is None else min(self.low, low)
            self.high = high if self.high is None else max(self.high, high)
        if self.levels is not None:
            self.levels = self._counted(column, self.levels)

    @staticmethod
    def _counted(column: Any, levels: Counter[str]) -> Counter[str] | None:
        """`levels` with the column's values added; None when there are too many to count."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if pa.types.is_dictionary(column.type):
            # Texts come coded: counting the codes is a tenth of the cost.
            texts = column.dictionary.to_pylist()
            n = np.bincount(indices(column, len(texts)), minlength=len(texts) + 1)[:-1].tolist()
            for text, rows in zip(texts, n, strict=True):
                if rows and text is not None:
                    levels[text] += rows
            return levels if len(levels) <= COUNTED_LEVELS else None
        column = column.drop_null()
        small = pa.types.is_integer(column.type) and not pa.types.is_uint64(column.type) and len(column)
        ends = pc.min_max(column) if small else None
        if ends is not None and ends["max"].as_py() - ends["min"].as_py() < COUNTED_LEVELS:
            low = ends["min"].as_py()
            n = np.bincount(raw(column).astype(np.int64) - low).tolist()
            levels.update({str(low + i): rows for i, rows in enumerate(n) if rows})
            return levels if len(levels) <= COUNTED_LEVELS else None
        # A sample first: most continuous columns show more than the limit in their first rows.
        head = column.slice(0, 4 * COUNTED_LEVELS)
        if len(pc.unique(head)) > COUNTED_LEVELS:
            return None
        found = pc.value_counts(column)
        if len(found) > COUNTED_LEVELS:
            return None
        for item in found.to_pylist():
            levels[level_text(item["values"])] += item["counts"]
        return levels if len(levels) <= COUNTED_LEVELS else None

    def result(self) -> Column:
        """The column's facts."""
        few = self.levels is not None and (self.kind != "number" or len(self.levels) <= SHOWN_LEVELS)
        ranked = sorted((self.levels or {}).items(), key=lambda item: (-item[1], item[0]))[:SHOWN_LEVELS]
        return Column(
            self.name, self.role, self.kind, self.missing,
            distinct=None if self.levels is None else len(self.levels),
            low=_finite(self.low), high=_finite(self.high),
            levels=tuple(Level(v, n) for v, n in ranked) if few else (),
        )


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None


class Facts:
    """DataFacts in the making: columns by role, and duplicate rows by their keys."""

    def __init__(self, roles: dict[str, str]) -> None:
        self._columns = {name: ColumnFacts(name, role) for name, role in roles.items()}
        self._keys: list[NDArray[np.uint64]] = []
        self._rows = 0

    def add(self, batch: Any, keys: NDArray[np.uint64]) -> None:
        """Count a pyarrow RecordBatch and its row keys."""
        for name, facts in self._columns.items():
            facts.add(batch.column(name))
        self._rows += len(keys)
        self._keys = [*self._keys, keys] if self._rows <= MOST_KEYS else []

    def result(self) -> DataFacts:
        """Column facts in the order of roles, and the number of rows equal to an earlier one; that is None above
        about a million rows, so that memory does not grow with them."""
        columns = tuple(c.result() for c in self._columns.values())
        if self._rows > MOST_KEYS:
            return DataFacts(columns, None)
        keys = np.concatenate(self._keys) if self._keys else np.empty(0, np.uint64)
        keys.sort()
        return DataFacts(columns, int((keys[1:] == keys[:-1]).sum()))
