"""The distribution of what a model gives: scores, else predicted numbers, else predicted labels."""

from __future__ import annotations

import numpy as np

from govern.dataset import Column, Level
from govern.inputs.labels import Target
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
        rows = zip(self._target.classes, self._labels.tolist(), strict=True)
        held = sorted((Level(label, n) for label, n in rows if n), key=lambda level: (-level.n, level.value))
        return Column(NAME, NAME, "text", 0, len(held), levels=tuple(held[:SHOWN_LEVELS]),
                      others=sum(level.n for level in held[SHOWN_LEVELS:]))
