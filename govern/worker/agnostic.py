"""Shapley values of any model by permutations of its input columns. Runs in the model's process only.

For a row and an order of the columns, the columns are switched one after another from the values of the
background rows to the row's own, forwards and then backwards in the same order; a column's value is the
mean of the two steps in the model's output, averaged over the background. Values and base add up to the
output exactly; with interactions of at most two columns a single order gives the exact Shapley values.
Source: Štrumbelj & Kononenko 2014, doi:10.1007/s10115-013-0679-x (permutations); the antithetic order is
that of shap.PermutationExplainer, whose import and compilation take longer than the work itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

CALL_ROWS: Final = 200_000

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Coded:
    """Columns as codes into their distinct values, so that values of any type can be mixed and decoded."""

    codes: NDArray[np.int64]
    values: tuple[Any, ...]
    frame: Any

    def decode(self, codes: NDArray[np.int64]) -> Any:
        """The rows that `codes` (n_rows, n_columns) stand for, as the model is given them."""
        taken = [v.take(codes[:, j]) for j, v in enumerate(self.values)]
        if self.frame is None:
            return np.column_stack(taken)
        import pandas as pd

        return pd.DataFrame(dict(zip(self.frame.columns, taken, strict=True)))


def coded(x: Any) -> Coded:
    """`x`, a data frame or an array, as codes."""
    columns: list[NDArray[np.int64]] = []
    values: list[Any] = []
    framed = hasattr(x, "iloc")
    for j in range(x.shape[1]):
        column = x.iloc[:, j] if framed else x[:, j]
        codes, first = _codes(column)
        columns.append(codes)
        values.append(column.array.take(first) if framed else column.take(first))
    table = np.column_stack(columns) if columns else np.empty((len(x), 0), dtype=np.int64)
    return Coded(table, tuple(values), x if framed else None)


def _codes(column: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Codes (n,) of equal values, and for each code the first row that has it."""
    if hasattr(column, "array"):
        import pandas as pd

        codes = np.asarray(pd.factorize(column, use_na_sentinel=False)[0], dtype=np.int64)
    else:
        codes = np.unique(column, return_inverse=True)[1].astype(np.int64).reshape(-1)
    _, first, codes = np.unique(codes, return_index=True, return_inverse=True)
    return codes.astype(np.int64), first.astype(np.int64)


def permutation_values(
    output: Callable[[Any], Floats], both: Coded, rows: int, seed: int
) -> tuple[Floats, Floats, Floats]:
    """Values (n_outputs, rows, n_columns), bases (n_outputs,), outputs (n_outputs, rows) for the first `rows` rows of
    `both`; the others are background.

    `output` gives the model's numbers (n, n_outputs) for the rows of what `Coded.decode` returns.
    """
    random = np.random.default_rng(seed)
    own, background = both.codes[:rows], both.codes[rows:]
    n_columns = own.shape[1]
    bases = output(both.decode(background)).mean(axis=0)
    values = np.zeros((len(bases), rows, n_columns))
    outputs = np.zeros((len(bases), rows))
    stages = max(1, 2 * n_columns - 1)
    together = max(1, CALL_ROWS // (stages * len(background)))
    for start in range(0, rows, together):
        part = own[start : start + together]
        orders = np.array([random.permutation(n_columns) for _ in part]).reshape(len(part), n_columns)
        masks = _stages(orders)
        mixed = np.where(masks[:, :, None, :], part[:, None, None, :], background[None, None, :, :])
        means = output(both.decode(mixed.reshape(-1, n_columns))).reshape(len(part), stages, len(background), -1)
        for i, mean in enumerate(means.mean(axis=2).transpose(2, 0, 1)):
            values[i, start : start + len(part)] = _steps(mean, orders, bases[i])
            outputs[i, start : start + len(part)] = mean[:, max(0, n_columns - 1)] if n_columns else bases[i]
    return values, bases, outputs


def _stages(orders: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which columns are the row's own (n, 2k − 1, k): the first 1 to k, then all but the first 1 to k − 1."""
    n, k = orders.shape
    rank = np.argsort(orders, axis=1)
    switched_on = rank[:, None, :] < np.arange(1, k + 1)[None, :, None]
    switched_off = rank[:, None, :] >= np.arange(1, k)[None, :, None]
    if k == 0:
        return np.zeros((n, 1, 0), dtype=bool)
    return np.concatenate([switched_on, switched_off], axis=1)


def _steps(means: Floats, orders: NDArray[np.int64], base: float) -> Floats:
    """The mean of the forward and the backward step of each column (n, k) from the outputs of the stages."""
    n, k = orders.shape
    start = np.full((n, 1), base)
    forward = np.diff(np.concatenate([start, means[:, :k]], axis=1), axis=1)
    backward = -np.diff(np.concatenate([means[:, k - 1 :], start], axis=1), axis=1)
    values = np.zeros((n, k))
    if k:
        np.put_along_axis(values, orders, (forward + backward) / 2, axis=1)
    return values
