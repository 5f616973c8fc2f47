"""Explained rows of a linear model, whose contributions are known, and the settings and targets of their tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from govern.explain.explained import ExplainedRows, Output
from govern.explain.varied import Answers
from govern.inputs.labels import Target
from govern.inputs.settings import ExplainSettings

APPROVED = Target("binary", ("0", "1"), "1", "1")
DEFAULTED = Target("binary", ("0", "1"), "1", "0")  # the score speaks of 1, people wish for 0
NUMBERS = Target("regression")

Floats = NDArray[np.float64]


def coded(columns: Mapping[str, Sequence[Any]], levels: Mapping[str, Mapping[Any, float]]) -> Floats:
    """The numbers behind the columns, (n_rows, n_columns): of texts those that `levels` gives, of missing ones 0."""
    found = [[0.0 if v is None else levels[name][v] if name in levels else float(v) for v in values]
             for name, values in columns.items()]
    return np.column_stack([np.array(v) for v in found])


def linear(columns: Mapping[str, Sequence[Any]], weights: Sequence[float], cutoff: float = 0.0, *,
           levels: Mapping[str, Mapping[Any, float]] | None = None, rises: bool = True, label: str | None = None,
           groups: Mapping[str, NDArray[np.bool_]] | None = None, weight: Floats | None = None) -> ExplainedRows:
    """Rows whose output is Σ weight · value, explained against their mean; selected from the cut-off on, or below it
    where the favourable decision falls with the output."""
    x = coded(columns, levels or {})
    values = (x - x.mean(axis=0)) * np.array(weights)
    outputs = (x * np.array(weights)).sum(axis=1)
    base = float((x.mean(axis=0) * np.array(weights)).sum())
    numbers = {name: np.array([np.nan if v is None else float(v) for v in given]) for name, given in columns.items()
               if name not in (levels or {})}
    chosen = outputs >= cutoff if rises else outputs < cutoff
    return ExplainedRows(tuple(columns), (Output(values, base, outputs, label),), "margin",
                         pa.table({name: pa.array(list(given)) for name, given in columns.items()}), numbers,
                         groups or {}, chosen, cutoff, weight)


def asked(weights: Sequence[float], levels: Mapping[str, Mapping[Any, float]] | None = None,
          calls: list[int] | None = None) -> Answers:
    """The model behind `linear`, asked for its output; `calls` takes the rows of each call."""

    def of(batch: Any) -> Floats:
        if calls is not None:
            calls.append(batch.num_rows)
        found: Floats = (coded(batch.to_pydict(), levels or {}) * np.array(weights)).sum(axis=1)[:, None]
        return found

    return Answers("number", of)


def settings(**given: Any) -> ExplainSettings:
    """Settings of explanation."""
    return ExplainSettings(**given)
