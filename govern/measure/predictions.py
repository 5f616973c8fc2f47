"""Where predictions come from: a model in its process, or columns of the data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from govern.errors import InputError, printable
from govern.inputs.columns import ColumnPlan
from govern.inputs.labels import Target, predicted_codes
from govern.inputs.levels import LevelCoder, number_text, numbers
from govern.inputs.settings import Settings
from govern.worker.client import Worker
from govern.worker.replies import Described, Prediction

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Predicted:
    """Predictions for a batch of n rows.

    `label` (n,): positions in `Target.classes`, None in a regression. `score`: binary (n,) of the positive
    label, multiclass (n, n_classes) in the order of `Target.classes`, None where there is none. `value` (n,):
    the predicted numbers of a regression, else None. Scores and values are finite.
    """

    label: NDArray[np.int32] | None
    score: Floats | None = None
    value: Floats | None = None


def match_target(described: Described, target: Target, threshold: float | None, name: str) -> Target:
    """The target as this model answers it: with the classes that only the model knows, and a note on each
    thing that was taken for granted. Raises InputError for a model that does not answer the question the data ask.
    """
    if target.task == "regression":
        if described.task != "regressor":
            raise InputError(f"the model tells {len(described.classes)} classes apart, and the target holds numbers",
                             where=name, fix="give a target with its classes, or a model that predicts numbers")
        return target
    if described.task == "regressor":
        return _numbers_as_scores(target, threshold, name)
    _refuse_unknown_labels(described, target, name)
    if target.task == "multiclass":
        if threshold is not None:
            raise InputError("--threshold has no meaning for more than two classes", where=name, fix="leave it out")
        return _with_classes(target, described.classes)
    if threshold is not None and not described.has_score:
        raise InputError("--threshold needs a model that gives probabilities", where=name,
                         fix="leave it out, so that the model's own predict decides")
    if len(described.classes) > 2:
        raise InputError(f"the model tells {len(described.classes)} classes apart, and the target holds two",
                         where=name, fix="name all classes in order with --class, or give a binary model")
    return target


def _refuse_unknown_labels(described: Described, target: Target, name: str) -> None:
    for label in reversed(target.classes):
        if label not in described.classes:
            raise InputError(f'the model has no class "{printable(label)}", which the target holds; its classes are '
                             f"{', '.join(printable(c, 20) for c in described.classes)}", where=name,
                             fix="give data labelled as in training")


def _numbers_as_scores(target: Target, threshold: float | None, name: str) -> Target:
    if target.task == "multiclass" or threshold is None:
        fix = "add --task regression" if target.task == "multiclass" else \
            "add --threshold, so that larger numbers count as the positive label, or --task regression"
        raise InputError(f"the model predicts numbers, and the target holds {len(target.classes)} labels",
                         where=name, fix=fix)
    low, high = (_as_number(label) for label in target.classes)
    if low is None or high is None or low >= high:
        raise InputError("the model predicts numbers, and nothing says that larger ones mean "
                         f'"{printable(target.classes[1])}"', where=name,
                         fix="give a target of numbers, the positive label being the larger one")
    note = (f"The model predicts numbers: they are taken as scores, those at or above {number_text(threshold)} as the "
            f'label "{printable(target.classes[1])}".')
    return replace(target, notes=(*target.notes, note))


def _with_classes(target: Target, known: Sequence[str]) -> Target:
    """The target with the classes that only the model knows: in the default order where the target has it."""
    more = tuple(c for c in known if c not in target.classes)
    if not more:
        return target
    classes = (*target.classes, *more)
    if target.classes == _in_order(target.classes):
        classes = _in_order(classes)
    names = ", ".join(f'"{printable(c, 20)}"' for c in more[:5]) + (" …" if len(more) > 5 else "")
    note = f"Classes that the model knows and no row has: {names}."
    return replace(target, classes=classes, notes=(*target.notes, note))


def _in_order(classes: Sequence[str]) -> tuple[str, ...]:
    if all(_as_number(c) is not None for c in classes):
        return tuple(sorted(classes, key=lambda c: (_as_number(c) or 0.0, c)))
    return tuple(sorted(classes))


def _as_number(label: str) -> float | None:
    if label in ("false", "true"):
        return float(label == "true")
    try:
        return float(label)
    except ValueError:
        return None


class FromModel:
    """Predictions of all batches, and what they showed.

    `positive` is the class whose scores the model's process is asked for, None for all classes or numbers;
    `score_columns` the number of scores a row has: 0, 1, or one for each class.
    """

    def __init__(self, worker: Worker, described: Described, target: Target, plan: ColumnPlan,
                 threshold: float | None, name: str) -> None:
        self._worker, self._target, self._plan = worker, target, plan
        self._threshold, self._name = threshold, name
        classifies = described.task == "classifier"
        self.positive = target.positive if classifies and target.task == "binary" else None
        scored = described.has_score or (not classifies and target.task == "binary")
        self.score_columns = 0 if not scored else 1 if target.task == "binary" else len(target.classes)
        # Positions in the model's classes and in the target's, which may order them differently.
        self._place = np.array([target.classes.index(c) for c in described.classes if c in target.classes], np.int32)
        self._columns = [described.classes.index(c) for c in target.classes] if classifies else []
        self.rows = self.not_finite = self.invalid_rows = 0
        self.seconds = 0.0

    def ask(self, batch: Any) -> Callable[[], Predicted]:
        """Start the prediction of a batch."""
        pending = self._worker.submit_predict(batch.select(list(self._plan.features)), self.positive)
        return lambda: self._read(pending.result())

    def _read(self, answer: Prediction) -> Predicted:
        self.rows += answer.rows
        self.not_finite += answer.not_finite
        self.invalid_rows += answer.invalid_rows
        self.seconds += answer.seconds
        if answer.not_finite:
            raise InputError(f"gives {answer.not_finite} outputs that are missing or infinite", where=self._name,
                             fix="look for missing or extreme values in the features")
        if answer.labels is None:
            if self._target.task == "regression":
                return Predicted(None, None, answer.values)
            return self._by_threshold(answer.values)
        unknown = int((answer.labels < 0).sum())
        if unknown:
            raise InputError(f"predicts labels that are none of its classes in {unknown} rows", where=self._name,
                             fix="the file and the classes it remembers do not belong together; save the model again")
        if self._threshold is not None:
            return self._by_threshold(answer.score)
        score = answer.score
        if score is not None and score.ndim == 2:
            score = np.ascontiguousarray(score[:, self._columns])
        return Predicted(self._place[answer.labels], score)

    def _by_threshold(self, score: Floats | None) -> Predicted:
        if score is None or self._threshold is None:
            raise InputError("--threshold needs a model that gives probabilities", where=self._name,
                             fix="leave it out, so that the model's own predict decides")
        return Predicted((score >= self._threshold).astype(np.int32), score)


class FromColumns:
    """Predictions that stand in columns of the data. Raises InputError for columns that do not fit the task.

    `score_columns` is the number of scores a row has: 0 or 1.
    """

    def __init__(self, settings: Settings, plan: ColumnPlan, target: Target, where: str) -> None:
        self._threshold, self._plan, self._target, self._where = settings.data.threshold, plan, target, where
        self._refuse_misfit()
        self.score_columns = int(plan.score is not None)
        self._coder = LevelCoder(plan.prediction or "", empty=False, fix="give a column of predicted labels")
        self._rows = 0

    def _refuse_misfit(self) -> None:
        task, prediction = self._target.task, self._plan.prediction
        if task != "binary" and self._plan.score is not None:
            what = "for numbers" if task == "regression" else "for more than two classes"
            raise InputError(f"--score has no meaning {what}", where=self._where,
                             fix="give the column of predictions with --prediction")
        if task == "binary" and prediction is None and (self._plan.score is None or self._threshold is None):
            raise self._no_threshold()
        if task != "regression" and prediction is not None and self._threshold is not None:
            raise InputError("both --prediction and --threshold say which label is predicted", where=self._where,
                             fix="leave one of them out")

    def _no_threshold(self) -> InputError:
        return InputError("--score needs --threshold", where=self._where, fix="add --threshold")

    def ask(self, batch: Any) -> Callable[[], Predicted]:
        """The stored predictions of a batch."""
        return lambda: self._read(batch)

    def _read(self, batch: Any) -> Predicted:
        found = self._predicted(batch)
        self._rows += batch.num_rows
        return found

    def _predicted(self, batch: Any) -> Predicted:
        score = None if self._plan.score is None else self._numbers(batch, self._plan.score, "scores")
        if self._plan.prediction is None:
            if score is None or self._threshold is None:
                raise self._no_threshold()
            return Predicted((score >= self._threshold).astype(np.int32), score)
        if self._target.task == "regression":
            return Predicted(None, None, self._numbers(batch, self._plan.prediction, "predictions"))
        codes = self._coder.codes(batch.column(self._plan.prediction))
        self._refuse_missing(codes < 0, self._plan.prediction)
        table = predicted_codes(self._coder.levels, self._target, self._plan.prediction, self._where)
        return Predicted(table[codes], score)

    def _numbers(self, batch: Any, column: str, what: str) -> Floats:
        found = numbers(batch.column(column), column)
        self._refuse_missing(np.isnan(found), column)
        if not np.isfinite(found).all():
            raise InputError(f'column "{printable(column)}" holds infinite {what}', where=self._where,
                             fix=f"give finite {what}")
        return found

    def _refuse_missing(self, missing: Any, column: str) -> None:
        n = int(missing.sum())
        if n:
            first = self._rows + int(np.argmax(missing)) + 1
            raise InputError(f'column "{printable(column)}" is missing in {n} rows, the first being row {first} '
                             "of those with a target", where=self._where,
                             fix="fill in the predictions, or leave these rows out")
