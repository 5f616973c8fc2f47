"""The explained rows: what every question about explanations is asked of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Output:
    """One output of the model, explained: `values` (n_rows, n_features) + `base` = `outputs` (n_rows,) up to the
    residual. `label` is the class it speaks of in a task of several classes."""

    values: Floats
    base: float
    outputs: Floats
    label: str | None = None

    @property
    def residual(self) -> float:
        """The largest |sum of values + base − output|, in the output's unit."""
        return float(np.abs(self.values.sum(axis=1) + self.base - self.outputs).max(initial=0.0))

    @property
    def spread(self) -> float:
        """The largest output less the smallest."""
        return float(self.outputs.max() - self.outputs.min())


def sizes(outputs: Sequence[Output]) -> Floats:
    """|value| of each row and feature, (n_rows, n_features): the mean over the outputs."""
    found: Floats = np.abs(outputs[0].values)
    for more in outputs[1:]:
        found = found + np.abs(more.values)
    return found / len(outputs)


@dataclass(frozen=True)
class ExplainedRows:
    """Rows of the sample in its order, explained, with all that is known of them.

    `outputs` holds one output for a binary task (the positive label) and for numbers, one for each class otherwise;
    `space` says what they are (log-odds, probability, margin, number). `table` is the pyarrow table of the rows with
    the columns that were read, `numbers` the (n_rows,) values of numeric features (NaN where missing), `groups` the
    (n_rows,) membership by id of the asked groups of single sensitive features and intersections. `selected` (n_rows,)
    says who is predicted the favourable label, None in tasks without one; `threshold` is the number of `space` at
    which the decision changes, where the decision is a threshold on the one output. `weight` and `cluster` are those
    of the rows, None without.
    """

    features: tuple[str, ...]
    outputs: tuple[Output, ...]
    space: str
    table: Any
    numbers: Mapping[str, Floats]
    groups: Mapping[str, NDArray[np.bool_]]
    selected: NDArray[np.bool_] | None = None
    threshold: float | None = None
    weight: Floats | None = None
    cluster: NDArray[np.uint64] | None = None

    @property
    def n(self) -> int:
        """Explained rows."""
        return len(self.outputs[0].outputs)
