"""Call the model: labels, scores and the smoke checks. Runs in the model's process only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from govern.worker.load import Loaded, label
from govern.worker.protocol import Failure

# Classifiers whose `predict` is the class of largest `predict_proba`; True where that holds for equal ones
# too (the first is taken), False where `predict` decides by another number that rounding may make equal.
# Read in the sources of scikit-learn 1.6 to 1.9, LightGBM 4.5 to 4.7 and XGBoost 2.1 to 3.2.
MOST_PROBABLE: Final = {
    ("sklearn", "RandomForestClassifier"): True,
    ("sklearn", "ExtraTreesClassifier"): True,
    ("sklearn", "DecisionTreeClassifier"): True,
    ("lightgbm", "LGBMClassifier"): True,
    ("xgboost", "XGBClassifier"): True,
    ("sklearn", "HistGradientBoostingClassifier"): False,
    ("sklearn", "GradientBoostingClassifier"): False,
    ("sklearn", "LogisticRegression"): False,
}
SUM_TOLERANCE: Final = 1e-6

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Answer:
    """What the model said about n rows. A classifier: `labels` (n,), positions in its classes (−1: none of
    them), and with predict_proba `score`, (n,) of one class or (n, n_classes). A regressor: `values` (n,).

    `invalid_rows` have probabilities outside 0 to 1 or with a sum other than 1; `not_finite` counts the rows
    with a score or value that is missing or infinite.
    """

    labels: NDArray[np.int32] | None
    score: Floats | None = None
    values: Floats | None = None
    invalid_rows: int = 0
    not_finite: int = 0


def predict(loaded: Loaded, x: Any, rows: int, positive: str | None) -> Answer:
    """The model's answer for x: scores of the class `positive`, of all classes where that is None.

    Raises Failure where the answer has another shape than (n_rows,) and (n_rows, n_classes), or a regressor
    answers with something else than numbers.
    """
    if not loaded.classes:
        values = _values(loaded, x, rows) if rows else np.empty(0)
        return Answer(None, values=values, not_finite=int((~np.isfinite(values)).sum()))
    if rows == 0:
        none = np.empty(0) if positive is not None else np.empty((0, len(loaded.classes)))
        return Answer(np.empty(0, np.int32), none if loaded.has_score else None)
    if not loaded.has_score:
        return Answer(_label_codes(loaded, x, rows))
    probabilities = _probabilities(loaded, x, rows)
    chosen = probabilities if positive is None else probabilities[:, loaded.classes.index(positive)]
    score = np.ascontiguousarray(chosen, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        outside = ((probabilities < 0) | (probabilities > 1)).any(axis=1)
        invalid = outside | (np.abs(probabilities.sum(axis=1, dtype=np.float64) - 1) > SUM_TOLERANCE)
    codes = _most_probable(probabilities, _ties_allowed(loaded.model))
    if codes is None:
        codes = _label_codes(loaded, x, rows)
    finite = np.isfinite(score) if positive is not None else np.isfinite(score).all(axis=1)
    return Answer(codes, score, None, int(invalid.sum()), int((~finite).sum()))


def _values(loaded: Loaded, x: Any, rows: int) -> Floats:
    answer = np.asarray(loaded.model.predict(x))
    if answer.shape == (rows, 1):
        answer = answer[:, 0]
    if answer.shape != (rows,) or answer.dtype.kind not in "fiub":
        raise Failure("shape", text=f"predict gave {answer.dtype} of shape {answer.shape}, not numbers of ({rows},)")
    return np.ascontiguousarray(answer, dtype=np.float64)


def _probabilities(loaded: Loaded, x: Any, rows: int) -> NDArray[Any]:
    answer = np.asarray(loaded.model.predict_proba(x))
    if answer.shape != (rows, len(loaded.classes)) or answer.dtype.kind not in "fiub":
        shape = f"predict_proba gave {answer.dtype} of shape {answer.shape}"
        raise Failure("shape", text=f"{shape}, not ({rows}, {len(loaded.classes)})")
    return answer


def _label_codes(loaded: Loaded, x: Any, rows: int) -> NDArray[np.int32]:
    answer = np.asarray(loaded.model.predict(x))
    if answer.shape == (rows, 1):
        answer = answer[:, 0]
    if answer.shape != (rows,):
        raise Failure("shape", text=f"predict gave shape {answer.shape}, not ({rows},)")
    codes = {name: i for i, name in enumerate(loaded.classes)}
    try:
        values, inverse = np.unique(answer, return_inverse=True)
    except TypeError:  # labels of several types cannot be sorted
        return np.array([codes.get(label(v), -1) for v in answer.tolist()], dtype=np.int32)
    return np.array([codes.get(label(v), -1) for v in values], dtype=np.int32)[inverse]


def _ties_allowed(model: Any) -> bool | None:
    """Whether the model's `predict` is its most probable class, for ties too (True) or not (False); None: no."""
    kind = type(model)
    module = kind.__module__.split(".")[0]
    if module == "sklearn" and kind.__name__ in {"GridSearchCV", "RandomizedSearchCV"}:
        return _ties_allowed(getattr(model, "best_estimator_", None))
    if module == "sklearn" and kind.__name__ == "Pipeline":
        return _ties_allowed(model.steps[-1][1])
    if {"predict", "predict_proba"} & set(getattr(model, "__dict__", ())):
        return None
    return MOST_PROBABLE.get((module, kind.__name__))


def _most_probable(probabilities: NDArray[Any], ties_allowed: bool | None) -> NDArray[np.int32] | None:
    """The column of the largest probability (n,), or None where `predict` itself has to be asked."""
    if ties_allowed is None or probabilities.shape[1] < 2 or not np.isfinite(probabilities).all():
        return None
    if not ties_allowed:
        top = np.partition(probabilities, -2, axis=1)[:, -2:]
        if (top[:, 0] == top[:, 1]).any():
            return None
    largest: NDArray[np.int32] = probabilities.argmax(axis=1).astype(np.int32)
    return largest


def smoke(loaded: Loaded, x: Any, rows: int, positive: str | None) -> tuple[float, float]:
    """Largest difference (0 to 1) between two calls with the same rows, and between the whole batch and its
    rows one at a time: of scores; of labels where there are none; of a regressor's values a and b,
    |a − b| / max(1, |a|).
    """
    first = _answers(loaded, x, rows, positive)
    again = _answers(loaded, x, rows, positive)
    single = np.concatenate([_answers(loaded, take(x, i, i + 1), 1, positive) for i in range(rows)] or [np.empty(0)])
    return _largest_difference(first, again), _largest_difference(first, single)


def _answers(loaded: Loaded, x: Any, rows: int, positive: str | None) -> Floats:
    answer = predict(loaded, x, rows, positive)
    given = next((a for a in (answer.values, answer.score, answer.labels) if a is not None), np.empty(0))
    return np.asarray(given, dtype=np.float64)


def _largest_difference(a: Floats, b: Floats) -> float:
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore"):
        gaps = np.where(same, 0.0, np.abs(a - b) / np.maximum(1.0, np.abs(a)))
    # 1 is the most a probability or a label can differ by; an answer that is missing once differs wholly.
    return float(np.where(np.isfinite(gaps), np.minimum(gaps, 1.0), 1.0).max(initial=0.0))


def take(x: Any, start: int, stop: int) -> Any:
    """Rows start to stop (exclusive) of a data frame or an array."""
    return x.iloc[start:stop] if hasattr(x, "iloc") else x[start:stop]
