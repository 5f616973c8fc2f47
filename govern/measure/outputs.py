"""The distribution of what a model gives: scores, else predicted numbers, else predicted labels."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from govern.dataset import Column, Level
from govern.errors import InputError, printable
from govern.inputs.columns import ColumnPlan
from govern.inputs.labels import Target
from govern.inputs.levels import LevelCoder, numbers
from govern.measure.columnfacts import SHOWN_LEVELS, ColumnFacts
from govern.measure.predictions import Predicted

NAME = "output"


class Outputs:
    """Outputs in the making; scores of a binary task, of more classes the labels."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._numbers = ColumnFacts(NAME, NAME)
        self._labels = np.zeros(len(target.classes), np.int64)

    def add(self, predicted: Predicted) -> None:
        """Count the predictions of a batch."""
        numbers = predicted.value if predicted.value is not None else predicted.score
        if numbers is not None and numbers.ndim == 1:
            self._numbers.add_numbers(numbers)
        elif predicted.label is not None:
            self._labels += np.bincount(predicted.label, minlength=len(self._labels))

    def result(self) -> Column:
        """The distribution as a column called output."""
        if not self._labels.any():
            return self._numbers.result()
        return _of_labels(dict(zip(self._target.classes, self._labels.tolist(), strict=True)))


class StoredOutputs:
    """Outputs that stand in a column of a data set whose target need not be known, in the making; rows without one are
    left out."""

    def __init__(self, plan: ColumnPlan, target: Target, columns: Collection[str]) -> None:
        self._name = plan.score or plan.prediction
        self._there = self._name in columns
        self._numeric = plan.score is not None or target.task == "regression"
        self._numbers = ColumnFacts(NAME, NAME)
        self._labels = LevelCoder(self._name or "", empty=False)
        self._n = np.zeros(0, np.int64)
        self._why: str | None = None

    def add(self, batch: Any) -> None:
        """Count a pyarrow RecordBatch."""
        if not self._there or self._name is None or self._why is not None:
            return
        column = batch.column(self._name)
        try:
            if self._numeric:
                values = numbers(column, self._name)
                self._numbers.add_numbers(values[~np.isnan(values)])
            else:
                codes = self._labels.codes(column)
                n = np.bincount(codes[codes >= 0], minlength=len(self._labels.levels))
                self._n = np.pad(self._n, (0, len(n) - len(self._n))) + n
        except InputError as err:
            self._why = f'column "{printable(self._name)}" holds no numbers in the training data' if self._numeric \
                else err.what

    def result(self) -> tuple[Column | None, str | None]:
        """The distribution as a column called output; else why there is none."""
        if self._why is not None or not self._there:
            return None, self._why or f'the training data have no column "{printable(self._name)}"'
        if self._numeric:
            return self._numbers.result(), None
        return _of_labels(dict(zip(self._labels.levels, self._n.tolist(), strict=True))), None


def _of_labels(rows: dict[str, int]) -> Column:
    held = sorted((Level(label, n) for label, n in rows.items() if n), key=lambda level: (-level.n, level.value))
    return Column(NAME, NAME, "text", 0, len(held), levels=tuple(held[:SHOWN_LEVELS]),
                  others=sum(level.n for level in held[SHOWN_LEVELS:]))
