"""Permutation importance on the sample: what is asked of the model, and what its answers lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from govern.explain.permuted import exchanged, permuted
from govern.explanations import Permuted
from govern.inputs.labels import Target
from govern.measure.passing import Ask
from govern.measure.predictions import Predicted

EVALUATIONS: Final = 20_000
ROWS: Final = 1000
LEAST_PROBABILITY: Final = 1e-15

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Permuting:
    """Predictions under way of rows among which the values of some features were exchanged."""

    features: tuple[str, ...]
    rows: int
    answer: Callable[[], Predicted]

    def result(self, before: Predicted, truth: NDArray[Any], target: Target, weight: Floats | None
               ) -> tuple[Permuted, ...]:
        """The importance of each feature; `before` are the predictions of the rows as they are and `truth` (n,) their
        classes or outcomes, of the sample's first rows or more."""
        n, k = self.rows, len(self.features)
        after = self.answer()
        metric, lost = losses(before, truth, target)
        _, lost_after = losses(after, np.tile(truth[:n], k), target)
        return permuted(metric, self.features, lost[:n], lost_after.reshape(k, n),
                        None if weight is None else weight[:n])


def start_permuting(ask: Ask, sample: Any, features: Sequence[str]) -> Permuting | None:
    """Ask for the predictions of the first rows of the RecordBatch `sample` with the values of each of `features`
    exchanged: 1,000 rows, fewer where that would be more than 20,000 predictions. None below two rows."""
    if not features:
        return None
    rows = min(sample.num_rows, ROWS, EVALUATIONS // len(features))
    if rows < 2:
        return None
    return Permuting(tuple(features), rows, ask(exchanged(sample.slice(0, rows), features)))


def losses(predicted: Predicted, truth: NDArray[Any], target: Target) -> tuple[str, Floats]:
    """The metric and the loss of each row in it, (n,): squared error of numbers, of the probability of the positive
    label, logarithm of the probability of the true class, else 1 for a wrong label."""
    if predicted.value is not None:
        return "mean_squared_error", (predicted.value - truth) ** 2
    score = predicted.score
    if score is not None and score.ndim == 2:
        own = score[np.arange(len(truth)), truth.astype(np.int64)]
        found: Floats = -np.log(np.clip(own, LEAST_PROBABILITY, 1.0))
        return "multiclass_log_loss", found
    # Scores that are no probabilities have no squared error.
    if score is not None and target.task == "binary" and score.min() >= 0 and score.max() <= 1:
        return "brier_score", (score - (truth == 1)) ** 2
    return "accuracy", (np.asarray(predicted.label) != truth).astype(np.float64)
