"""Time the model's answers. Runs in the model's process only."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from govern.worker.load import Loaded
from govern.worker.predict import take


def time_calls(
    loaded: Loaded, x: Any, rows: int, single_repeats: int, batch_repeats: int, budget_seconds: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Milliseconds of calls with one row (k,) and with the whole batch (m,), after one call to warm up.

    Half of the budget goes to each kind; a kind stops, with at least one call, before it exceeds its half.
    """
    call: Callable[[Any], Any] = loaded.model.predict_proba if loaded.has_score else loaded.model.predict
    if rows == 0:
        return np.empty(0), np.empty(0)
    singles = [take(x, i, i + 1) for i in range(min(rows, single_repeats))]
    call(singles[0])
    return (
        _milliseconds(call, singles, single_repeats, budget_seconds / 2),
        _milliseconds(call, [x], batch_repeats, budget_seconds / 2),
    )


def _milliseconds(
    call: Callable[[Any], Any], inputs: list[Any], repeats: int, budget_seconds: float
) -> NDArray[np.float64]:
    spent: list[float] = []
    for i in range(repeats):
        started = perf_counter()
        call(inputs[i % len(inputs)])
        spent.append(perf_counter() - started)
        if sum(spent) + spent[-1] > budget_seconds:
            break
    return np.array(spent) * 1000


def peak_memory_bytes() -> int:
    """The most memory this process has held so far (macOS counts bytes, other systems KiB)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
