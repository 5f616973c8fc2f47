"""A metric of the user's own: find its function, call it, bootstrap it. Runs in the model's process only."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import math
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.machinery import PathFinder
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from govern.worker.protocol import Buffer, Failure, Header

MAX_TEXT: Final = 200

Function = Callable[..., Any]


@dataclass(frozen=True)
class Rows:
    """What the function is given of n rows: truth and prediction (n,), score (n,) or (n, n_classes) or None, and
    weight (n,). `unit` (n,) numbers what is drawn in the bootstrap from 0, None where that is rows."""

    truth: NDArray[Any]
    prediction: NDArray[Any]
    score: NDArray[np.float64] | None
    weight: NDArray[np.float64]
    unit: NDArray[np.int64] | None

    def taken(self, index: NDArray[np.int64]) -> tuple[Any, ...]:
        """The function's arguments for the rows at `index`, copies that it may change."""
        score = None if self.score is None else self.score[index]
        return self.truth[index], self.prediction[index], score, self.weight[index]


def find(place: str, folders: Sequence[str]) -> Function:
    """The function `module:function` of a module in one of the folders.

    Raises Failure where there is none, or where an installed module of the same name would hide it.
    """
    module, _, name = place.partition(":")
    top = module.partition(".")[0]
    here = PathFinder.find_spec(top, list(folders))
    if here is None:
        raise Failure("function", text=f'no folder of --model-path has a module "{top}"',
                      fix="say with --model-path DIR where it is")
    seen = None
    with contextlib.suppress(ValueError):
        seen = importlib.util.find_spec(top)
    if seen is None or seen.origin != here.origin:
        raise Failure("function", text=f'an installed module is called "{top}" too', fix="rename the file")
    try:
        found = getattr(importlib.import_module(module), name, None)
    except BaseException as e:
        traceback.print_exc()
        raise Failure("function", text=f'"{place}" cannot be imported: {said(e)}', fix="mend the module") from None
    if not callable(found):
        raise Failure("function", text=f'module "{module}" has no function "{name}"', fix="correct its name")
    return found  # type: ignore[no-any-return]


def measure(function: Function, rows: Rows, replicates: int, blocks: int, seed: int
            ) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """The function's value for all rows, (replicates,) of resampled rows or units, and (blocks,) without one of that
    many parts of the rows or units, NaN where it gave none.

    Raises ValueError in one line where it gives no finite number for all rows.
    """
    n = len(rows.truth)
    value, why = _number(function, rows.taken(np.arange(n)))
    if value is None:
        raise ValueError(why)
    random = np.random.default_rng(seed)
    draw = _drawing(rows.unit, n)
    unit = np.arange(n) if rows.unit is None else rows.unit
    block = unit * blocks // (int(unit.max()) + 1)
    return (value, _numbers(function, rows, (draw(random) for _ in range(replicates))),
            _numbers(function, rows, (np.flatnonzero(block != b) for b in range(blocks))))


def _numbers(function: Function, rows: Rows, indices: Iterable[NDArray[np.int64]]) -> NDArray[np.float64]:
    """The function's values for the rows at each index, NaN where it gave none."""
    found = [_number(function, rows.taken(index))[0] for index in indices]
    return np.array([math.nan if v is None else v for v in found], np.float64)


def _drawing(unit: NDArray[np.int64] | None, n: int) -> Callable[[np.random.Generator], NDArray[np.int64]]:
    """What draws as many rows, or units with all their rows, as there are, with replacement."""
    if unit is None:
        return lambda random: random.integers(0, n, n)
    order = np.argsort(unit, kind="stable")
    sizes = np.bincount(unit)
    starts = np.cumsum(sizes) - sizes

    def draw(random: np.random.Generator) -> NDArray[np.int64]:
        drawn = random.integers(0, len(sizes), len(sizes))
        size = sizes[drawn]
        first = np.repeat(starts[drawn] - np.cumsum(size) + size, size)
        index: NDArray[np.int64] = order[first + np.arange(size.sum())]
        return index

    return draw


def _number(function: Function, arguments: tuple[Any, ...]) -> tuple[float | None, str]:
    """The function's finite value, or why there is none."""
    try:
        value = float(function(*arguments))
    except BaseException as e:
        # The user's code may raise anything, SystemExit included.
        return None, f"the function raised {type(e).__name__}: {said(e)}"
    return (value, "") if math.isfinite(value) else (None, f"the function gave {value}")


def said(error: BaseException) -> str:
    """The message of an error on one line."""
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = ""
    return (text or "no message")[:MAX_TEXT]


def rows_of(request: Header, buffers: Sequence[Buffer]) -> Rows:
    """The rows of a request: class numbers as 0 and 1 in a binary task, as label texts with more classes."""
    rest = list(buffers)
    n, columns, classes = request["rows"], request["columns"], request["classes"]
    kind = np.int32 if request["labels"] else np.float64
    truth, prediction = (np.frombuffer(rest.pop(0), kind) for _ in range(2))
    score = np.frombuffer(rest.pop(0), np.float64) if columns else None
    if score is not None and columns > 1:
        score = score.reshape(n, columns)
    weight = np.frombuffer(rest.pop(0), np.float64) if request["weighted"] else np.ones(n)
    unit = np.frombuffer(rest.pop(0), np.int64) if request["units"] else None
    if request["labels"] and classes:
        texts = np.array(classes)
        truth, prediction = texts[truth], texts[prediction]
    elif request["labels"]:
        truth, prediction = truth.astype(np.int64), prediction.astype(np.int64)
    return Rows(truth, prediction, score, weight, unit)
