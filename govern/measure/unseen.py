"""Values of the evaluation data that the training data do not have: texts that do not occur, numbers out of range."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from govern.inputs.arrays import floats, indices
from govern.inputs.levels import level_text
from govern.measure.columnfacts import COUNTED_LEVELS, ColumnFacts

TOO_MANY = f"more than {COUNTED_LEVELS:,} different values"


class Unseen:
    """What the training data lack of the columns `own` of the evaluation data, in the making."""

    def __init__(self, own: Mapping[str, ColumnFacts]) -> None:
        self._own = dict(own)
        self._left = {name: set(c.levels) for name, c in own.items() if c.levels is not None}

    def mark(self, batch: Any) -> None:
        """Take a pyarrow RecordBatch of the training data: its texts have been seen."""
        for name, left in self._left.items():
            if not left:
                continue
            column = batch.column(name)
            coded = column if hasattr(column, "dictionary") else column.dictionary_encode()
            texts = coded.dictionary.to_pylist()
            held = np.flatnonzero(np.bincount(indices(coded, len(texts)), minlength=len(texts) + 1)[:-1]).tolist()
            left.difference_update(level_text(texts[i]) for i in held if texts[i] is not None)

    def counts(self, trained: Mapping[str, ColumnFacts], again: Callable[[Sequence[str]], Iterator[Any]]
               ) -> dict[str, int | str]:
        """Rows of the evaluation data by column whose value the training data, by column in `trained`, lack; a text
        says why it is not known.

        A number is unseen outside the least and the largest one there. Where some are, the columns concerned are read
        once more, by `again`.
        """
        found: dict[str, int | str] = {}
        outside = []
        for name, own in self._own.items():
            there = trained[name]
            levels = own.levels
            if own.kind != "number":
                found[name] = TOO_MANY if levels is None else sum(levels[text] for text in self._left[name])
            elif own.low is None or own.high is None:
                found[name] = 0
            elif there.low is None or there.high is None:
                found[name] = int(own.numbers.counts.sum())
            else:
                found[name] = 0
                if own.low < there.low or own.high > there.high:
                    outside.append((name, there.low, there.high))
        for batch in again([name for name, _, _ in outside]) if outside else ():
            for name, low, high in outside:
                values = floats(batch.column(name))
                found[name] = int(found[name]) + int(np.count_nonzero((values < low) | (values > high)))
        return found
