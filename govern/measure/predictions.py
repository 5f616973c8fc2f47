"""Where predictions come from: a model in its process, or columns of the data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from govern.errors import InputError, printable
from govern.inputs.columns import ColumnPlan
from govern.inputs.config import Settings
from govern.inputs.labels import Labels, predicted_positive
from govern.inputs.levels import LevelCoder, numbers
from govern.measure.passing import Predicted
from govern.worker.client import Worker
from govern.worker.replies import Described, Prediction


def refuse_misfit(described: Described, labels: Labels, threshold: float | None, name: str) -> None:
    """Raises InputError for a model that does not answer the question the data ask."""
    if threshold is not None and not described.has_score:
        raise InputError("--threshold needs a model that gives probabilities", where=name,
                         fix="leave it out, so that the model's own predict decides")
    if len(described.classes) > 2:
        raise InputError(f"the model tells {len(described.classes)} classes apart, and this version measures two",
                         where=name, fix="give a binary model; more classes come in a later version")
    for label in (labels.positive, labels.negative):
        if described.classes and label not in described.classes:
            raise InputError(f'the model has no class "{printable(label)}", which the target holds; its classes are '
                             f"{', '.join(printable(c, 20) for c in described.classes)}", where=name,
                             fix="give data labelled as in training")


class FromModel:
    """Predictions of all batches, and what they showed."""

    def __init__(self, worker: Worker, described: Described, labels: Labels, plan: ColumnPlan,
                 threshold: float | None, name: str) -> None:
        self._worker, self._labels, self._plan = worker, labels, plan
        self._threshold, self._name = threshold, name
        self._positive = described.classes.index(labels.positive) if described.classes else -1
        self.rows = self.not_finite = self.invalid_rows = 0
        self.seconds = 0.0

    def ask(self, batch: Any) -> Callable[[], Predicted]:
        """Start the prediction of a batch."""
        pending = self._worker.submit_predict(batch.select(list(self._plan.features)), self._labels.positive)
        return lambda: self._read(pending.result())

    def _read(self, answer: Prediction) -> Predicted:
        self.rows += len(answer.labels)
        self.not_finite += answer.not_finite
        self.invalid_rows += answer.invalid_rows
        self.seconds += answer.seconds
        if answer.not_finite:
            raise InputError(f"gives {answer.not_finite} outputs that are missing or infinite", where=self._name,
                             fix="look for missing or extreme values in the features")
        unknown = int((answer.labels < 0).sum())
        if unknown:
            raise InputError(f"predicts labels that are none of its classes in {unknown} rows", where=self._name,
                             fix="the file and the classes it remembers do not belong together; save the model again")
        if self._threshold is not None and answer.score is not None:
            return Predicted(answer.score >= self._threshold, answer.score)
        return Predicted(answer.labels == self._positive, answer.score)


class FromColumns:
    """Predictions that stand in columns of the data."""

    def __init__(self, settings: Settings, plan: ColumnPlan, labels: Labels, where: str) -> None:
        self._threshold, self._plan, self._labels, self._where = settings.data.threshold, plan, labels, where
        self._coder = LevelCoder(plan.prediction or "", empty=False, fix="give a column of predicted labels")
        self._rows = 0

    def ask(self, batch: Any) -> Callable[[], Predicted]:
        """The stored predictions of a batch."""
        return lambda: self._read(batch)

    def _read(self, batch: Any) -> Predicted:
        score = None
        if self._plan.score is not None:
            score = numbers(batch.column(self._plan.score), self._plan.score)
            self._refuse_missing(np.isnan(score), self._plan.score)
            if not np.isfinite(score).all():
                raise InputError(f'column "{self._plan.score}" holds infinite scores', where=self._where,
                                 fix="give finite scores")
        if self._plan.prediction is None:
            if score is None or self._threshold is None:
                raise InputError("--score needs --threshold", where=self._where, fix="add --threshold")
            positive = score >= self._threshold
        else:
            codes = self._coder.codes(batch.column(self._plan.prediction))
            self._refuse_missing(codes < 0, self._plan.prediction)
            table = predicted_positive(self._coder.levels, self._labels, self._plan.prediction, self._where)
            positive = table[codes] == 1
        self._rows += batch.num_rows
        return Predicted(positive, score)

    def _refuse_missing(self, missing: Any, column: str) -> None:
        n = int(missing.sum())
        if n:
            first = self._rows + int(np.argmax(missing)) + 1
            raise InputError(f'column "{printable(column)}" is missing in {n} rows, the first being row {first} '
                             "of those with a target", where=self._where,
                             fix="fill in the predictions, or leave these rows out")
