"""What an exact explainer gives, and of what. Runs in the model's process only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TOLERANCE: Final = 1e-6
SPACE_ROWS: Final = 200


@dataclass(frozen=True)
class Raw:
    """values (n_outputs, n, k) + bases (n_outputs, 1) = outputs (n_outputs, n), for the k columns that the explained
    part of a model sees, up to `tolerance`. There is one output for numbers and for the second of two classes, else one
    for each class. `background` is a key of `replies.BACKGROUNDS`."""

    values: Floats
    bases: Floats
    outputs: Floats
    method: str
    space: str
    background: str
    background_rows: int = 0
    tolerance: float = TOLERANCE

    @property
    def holds(self) -> bool:
        """Whether values and base add up to the model's own output in every row."""
        gap = np.abs(self.values.sum(axis=2) + self.bases[:, None] - self.outputs).max(initial=0.0)
        return bool(gap <= self.tolerance * max(1.0, float(np.abs(self.outputs).max(initial=0.0))))


@dataclass(frozen=True)
class Background:
    """Rows that outputs may be compared with, made by `rows` only where they are needed. Where they are `declared` they
    are to be compared with; otherwise trees may take what they counted in training instead."""

    rows: Callable[[], Any]
    declared: bool = False


@dataclass(frozen=True)
class Explainer:
    """The exact explainer of a fitted model, made once. `work` is what a row costs, in evaluations of a model of
    middling speed (at least 1)."""

    explain: Callable[[Any, Background], Raw]
    work: int = 1


def space_of(model: Any, x: Any, outputs: Floats) -> str:
    """What `outputs` (n_outputs, n) are to the model's own answer for the first rows of `x`: log-odds, probability,
    number, logarithm (of the number) or, where nothing else holds, margin."""
    outputs = outputs[:, :SPACE_ROWS]
    x = x.iloc[:SPACE_ROWS] if hasattr(x, "iloc") else x[:SPACE_ROWS]
    if hasattr(model, "predict_proba"):
        answer = np.asarray(model.predict_proba(x), dtype=np.float64)
        if len(outputs) == 1 and answer.shape[1] == 2:
            if _same(outputs[0], answer[:, 1]):
                return "probability"
            return "log-odds" if _same(logistic(outputs[0]), answer[:, 1]) else "margin"
        return "probability" if _same(outputs.T, answer) else "margin"
    if hasattr(model, "classes_"):
        return "margin"
    answer = np.asarray(model.predict(x), dtype=np.float64).reshape(-1)
    if _same(outputs[0], answer):
        return "number"
    with np.errstate(over="ignore"):
        if _same(np.exp(outputs[0]), answer):
            return "logarithm"
    return "log-odds" if _same(logistic(outputs[0]), answer) else "margin"


def logistic(x: Floats) -> Floats:
    """1 / (1 + exp(−x)), the shape of `x`."""
    found: Floats = 1 / (1 + np.exp(-np.clip(x, -500, 500)))
    return found


def _same(a: Floats, b: Floats) -> bool:
    if a.shape != b.shape:
        return False
    with np.errstate(invalid="ignore"):
        return bool((np.abs(a - b) <= TOLERANCE * np.maximum(1.0, np.abs(b))).all())


def dense(x: Any) -> Floats:
    """A data frame, an array or a sparse matrix as an array of floats, of the same shape."""
    plain = x.to_numpy() if hasattr(x, "iloc") else x
    found: Floats = np.asarray(plain.toarray() if hasattr(plain, "toarray") else plain, dtype=np.float64)
    return found
