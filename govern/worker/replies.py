"""The child's answers as checked values: nothing it says is believed before its shape and range are.

Each `read_*` raises ProtocolError for an answer that is not what was asked for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from govern.errors import printable
from govern.worker.protocol import Buffer, Header, ProtocolError

Floats = NDArray[np.float64]
SPACES: Final = {"log-odds", "probability", "margin", "label", "number", "logarithm"}
BACKGROUNDS: Final = {
    "trees": "the rows each tree counted in training",
    "mean": "mean of a sample of the data",
    "rows": "rows of a sample of the data",
    "mixed": "rows of a sample of the data, for trees the rows they counted in training",
}
MAX_NAMES: Final = 100_000


@dataclass(frozen=True)
class Described:
    """What was loaded. `task` is classifier or regressor; `classes` are text in predict_proba's column order,
    () for a regressor; `features` are the column names the model remembers, None if it remembers none;
    `load_seconds` includes late imports.
    """

    type: str
    libraries: dict[str, str]
    features: tuple[str, ...] | None
    n_features: int | None
    classes: tuple[str, ...]
    has_score: bool
    parameters: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    load_seconds: float = 0.0
    task: str = "classifier"


@dataclass(frozen=True)
class Prediction:
    """The answers for n = `rows` rows. Of a classifier: labels (n,), positions in `Described.classes`, −1 for a
    label outside them; score (n,), the probability of the positive class, or (n, n_classes) where none was
    named, NaN where the model gave none, None without predict_proba. Of a regressor: values (n,).

    `invalid_rows` have a probability outside 0 to 1 or a sum other than 1 ± 1e-6; `not_finite` rows have a
    score or value that is missing or infinite; `seconds` the model took.
    """

    labels: NDArray[np.int32] | None
    score: Floats | None
    invalid_rows: int
    not_finite: int
    seconds: float
    values: Floats | None = None
    rows: int = 0


@dataclass(frozen=True)
class SmokeReply:
    """Largest difference (0 to 1) of scores, of labels without them, of a regressor's values relative to their
    size where that exceeds 1: the same rows twice, and the batch against its rows one at a time.
    """

    repeat_difference: float
    batch_difference: float
    rows: int


class ExplainedOutput(NamedTuple):
    """One output of the model: values (n, n_features) + base = outputs (n,) up to the residual. `label` is the class it
    speaks of where all classes were asked for."""

    label: str | None
    values: Floats
    base: float
    outputs: Floats


@dataclass(frozen=True)
class Explained:
    """The first n of the rows asked for, explained: one output for a named class and for numbers, else one for each
    class in the model's order.

    `space` is what the outputs are: log-odds, probability, margin (a decision function without known scale), label
    (0 or 1), number or logarithm (of the number). `residual` is the largest |sum + base − output|, `background` says
    in words what the outputs are compared with, `background_rows` how many rows that is, 0 where the trees' own
    counts stand for them. `evaluations` is what was spent of the budget.
    """

    outputs: tuple[ExplainedOutput, ...]
    features: tuple[str, ...]
    space: str
    method: str
    exact: bool
    background_rows: int
    background: str
    evaluations: int
    residual: float

    @property
    def rows(self) -> int:
        """How many rows were explained."""
        return len(self.outputs[0].outputs)


@dataclass(frozen=True)
class Timed:
    """Milliseconds of calls with one row (k,) and with `batch_rows` rows (m,); peak memory of the child."""

    single_ms: Floats
    batch_ms: Floats
    batch_rows: int
    peak_memory_bytes: int


@dataclass(frozen=True)
class CustomReply:
    """What a metric of the user's own gave: a finite `value` with (k,) `replicates` and (m,) values `without` one of m
    blocks of the rows, NaN where there was none, or None with the reason."""

    value: float | None
    replicates: Floats
    without: Floats
    reason: str = ""


def read_described(answer: Header, buffers: Sequence[Buffer]) -> Described:
    """The checked description of the model."""
    features, n_features = answer.get("features"), answer.get("n_features")
    libraries, parameters = _table(answer.get("libraries")), _table(answer.get("parameters"))
    _check(n_features is None or (type(n_features) is int and 0 <= n_features <= 10**7))
    classes = _names(answer.get("classes"))
    _check(answer.get("task") == ("classifier" if classes else "regressor"))
    _check(type(answer.get("has_score")) is bool and (bool(classes) or not answer["has_score"]))
    _check(len(set(classes)) == len(classes) and not buffers)
    return Described(
        type=printable(_text(answer.get("type")), 300),
        libraries={printable(k): printable(_text(v)) for k, v in libraries.items()},
        features=None if features is None else _names(features),
        n_features=n_features,
        classes=classes,
        has_score=answer["has_score"],
        parameters={printable(k): _scalar(v) for k, v in list(parameters.items())[:20]},
        warnings=tuple(printable(w, 200) for w in _names(answer.get("warnings"))[:10]),
        load_seconds=_number(answer.get("load_seconds"), 0, math.inf),
        task=answer["task"],
    )


def read_prediction(
    answer: Header, buffers: Sequence[Buffer], rows: int, n_classes: int, has_score: bool, every_class: bool = False
) -> Prediction:
    """The checked predictions for `rows` rows; `n_classes` 0 stands for a regressor, `every_class` asks for the
    scores of all classes.
    """
    labels = score = values = None
    if n_classes:
        _check(len(buffers) == (2 if has_score else 1) and len(buffers[0]) == 4 * rows)
        labels = np.frombuffer(buffers[0], dtype=np.int32)
        _check(rows == 0 or bool(labels.min() >= -1 and labels.max() < n_classes))
        if has_score and every_class:
            score = _floats(buffers[1], rows * n_classes).reshape(rows, n_classes)
        elif has_score:
            score = _floats(buffers[1], rows)
    else:
        _check(len(buffers) == 1)
        values = _floats(buffers[0], rows)
    numbers = score if values is None else values
    not_finite = _number(answer.get("not_finite"), 0, rows)
    if numbers is not None:
        # What is done with the numbers hangs on this count: it must be true.
        finite = np.isfinite(numbers.reshape(rows, -1)).all(axis=1) if rows else np.empty(0, bool)
        _check(not_finite == rows - int(finite.sum()))
    return Prediction(
        labels=labels,
        score=score,
        invalid_rows=int(_number(answer.get("invalid_rows"), 0, rows)),
        not_finite=int(not_finite),
        seconds=_number(answer.get("seconds"), 0, math.inf),
        values=values,
        rows=rows,
    )


def read_smoke(answer: Header, buffers: Sequence[Buffer], rows: int) -> SmokeReply:
    """The checked smoke differences."""
    _check(not buffers)
    repeat, batch = (_number(answer.get(k), 0, 1) for k in ("repeat_difference", "batch_difference"))
    return SmokeReply(repeat, batch, rows)


def read_explained(answer: Header, buffers: Sequence[Buffer], max_rows: int, features: tuple[str, ...],
                   labels: tuple[str | None, ...]) -> Explained:
    """The checked attributions of an output for each of `labels`; all numbers are finite."""
    k, n_outputs = len(features), len(labels)
    _check(len(buffers) == 3 and len(buffers[1]) % (8 * n_outputs) == 0 and type(answer.get("exact")) is bool)
    n = len(buffers[1]) // (8 * n_outputs)
    _check(1 <= n <= max_rows and answer.get("space") in SPACES and answer.get("background") in BACKGROUNDS)
    values = _floats(buffers[0], n_outputs * n * k).reshape(n_outputs, n, k)
    outputs, bases = _floats(buffers[1], n_outputs * n).reshape(n_outputs, n), _floats(buffers[2], n_outputs)
    _check(all(bool(np.isfinite(a).all()) for a in (values, outputs, bases)))
    residual = np.abs(values.sum(axis=2) + bases[:, None] - outputs).max()
    return Explained(
        outputs=tuple(map(ExplainedOutput, labels, values, bases.tolist(), outputs)),
        features=features,
        space=answer["space"],
        method=printable(_text(answer.get("method")), 100),
        exact=answer["exact"],
        background_rows=int(_number(answer.get("background_rows"), 0, 10**9)),
        background=BACKGROUNDS[answer["background"]],
        evaluations=int(_number(answer.get("evaluations"), 0, 10**15)),
        residual=float(residual),
    )


def read_timed(answer: Header, buffers: Sequence[Buffer], rows: int) -> Timed:
    """The checked timings."""
    _check(len(buffers) == 2 and all(len(b) % 8 == 0 for b in buffers))
    single, batch = (_floats(b, len(b) // 8) for b in buffers)
    _check(all(bool((np.isfinite(a) & (a >= 0)).all()) for a in (single, batch)))
    return Timed(single, batch, rows, int(_number(answer.get("peak_memory_bytes"), 0, 2**60)))


def read_custom(answer: Header, buffers: Sequence[Buffer], replicates: int, blocks: int) -> CustomReply:
    """The checked value of a metric of the user's own."""
    if "reason" in answer:
        _check("value" not in answer and not buffers)
        return CustomReply(None, np.empty(0), np.empty(0), printable(_text(answer["reason"]), 200))
    _check(len(buffers) == 2)
    drawn, without = (_floats(b, n) for b, n in zip(buffers, (replicates, blocks), strict=True))
    _check(not np.isinf(drawn).any() and not np.isinf(without).any())
    return CustomReply(_number(answer.get("value"), -math.inf, math.inf), drawn, without)


def _check(holds: bool) -> None:
    if not holds:
        raise ProtocolError("not the answer that was asked for")


def _floats(buffer: Buffer, count: int) -> Floats:
    _check(len(buffer) == 8 * count)
    return np.frombuffer(buffer, dtype=np.float64)


def _table(value: Any) -> Header:
    if not isinstance(value, dict) or len(value) > 100:
        raise ProtocolError("not a table")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 10_000:
        raise ProtocolError("not a text")
    return value


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_NAMES:
        raise ProtocolError("not a list of names")
    return tuple(_text(v) for v in value)


def _number(value: Any, low: float, high: float) -> float:
    if type(value) not in (int, float) or not low <= value <= high or not math.isfinite(value):
        raise ProtocolError("not a number in range")
    return float(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value, 100)
    if value is None or type(value) in (bool, int) or (type(value) is float and math.isfinite(value)):
        return value
    raise ProtocolError("not a single value")
