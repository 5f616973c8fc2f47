"""Shapley values of any model by permutations of its input columns. Runs in the model's process only.

For a row and each background row the columns are switched one after another, in an order of its own, from the
background's values to the row's, and then back to front in the same order; a column's value is the mean of the two
steps in the model's output, averaged over the background. Values and base add up to the output exactly; with
interactions of at most two columns every order gives the exact Shapley values. That the orders differ between the rows
of the background costs nothing and averages over as many orders as there are such rows. The ends of a walk are
predicted once, and a column with the same value in both rows is no step.
Source: Štrumbelj & Kononenko 2014, doi:10.1007/s10115-013-0679-x (permutations, each with one background row); the
antithetic order is that of shap.PermutationExplainer, which takes all background rows along each of its orders.
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


def permutation_values(output: Callable[[Any], Floats], both: Coded, rows: int, seed: int, walks: int = 1
                       ) -> tuple[Floats, Floats, Floats, int]:
    """Values (n_outputs, rows, n_columns), bases (n_outputs,), outputs (n_outputs, rows) for the first `rows` rows of
    `both`, and how many rows the model was given; the others are background, to each of which go `walks` walks.

    `output` gives the model's numbers (n, n_outputs) for the rows of what `Coded.decode` returns.
    """
    random = np.random.default_rng(seed)
    own, background = both.codes[:rows], np.tile(both.codes[rows:], (walks, 1))
    n_columns, behind = own.shape[1], len(background)
    ends = output(both.decode(both.codes))
    there, here = ends[:rows], np.tile(ends[rows:], (walks, 1))
    values = np.zeros((ends.shape[1], rows, n_columns))
    spent = len(ends)
    together = max(1, CALL_ROWS // max(1, 2 * n_columns * behind))
    for start in range(0, rows, together):
        part = own[start : start + together]
        orders = _orders(len(part), behind, n_columns, random)
        taken = _Walks(orders, np.repeat(part, behind, axis=0), np.tile(background, (len(part), 1)))
        between = taken.between()
        spent += len(between)
        predicted = output(both.decode(between)) if len(between) else np.empty((0, ends.shape[1]))
        steps = taken.steps(np.repeat(there[start : start + together], behind, axis=0),
                            np.tile(here, (len(part), 1)), predicted)
        values[:, start : start + len(part)] = steps.reshape(-1, len(part), behind, n_columns).mean(axis=2)
    return values, here.mean(axis=0), there.T, spent


def _orders(rows: int, n: int, n_columns: int, random: np.random.Generator) -> NDArray[np.int64]:
    """For each row n orders of the columns, (rows × n, n_columns); in each block of n_columns orders every column has
    every place once."""
    if not n_columns:
        return np.zeros((rows * n, 0), np.int64)
    blocks = -(-n // n_columns)
    drawn = random.permuted(np.tile(np.arange(n_columns), (rows * blocks, 1)), axis=1)
    turned = np.stack([np.roll(drawn, i, axis=1) for i in range(n_columns)], axis=1)
    return turned.reshape(rows, -1, n_columns)[:, :n].reshape(-1, n_columns)


class _Walks:
    """Walks from background rows to explained rows and back to front, one for each of `orders` (n, n_columns)."""

    def __init__(self, orders: NDArray[np.int64], own: NDArray[np.int64], background: NDArray[np.int64]) -> None:
        self.own, self.background = own, background
        self.rank = np.argsort(orders, axis=1)
        self.changed = np.take_along_axis(own != background, orders, axis=1)
        done = np.cumsum(self.changed, axis=1)
        self.arrived = done == done[:, -1:] if orders.shape[1] else self.changed
        # A column that is alike in both changes nothing, and the last that differs ends the walk: nothing to predict.
        self.walk, self.step = np.nonzero(self.changed & ~self.arrived)

    def between(self) -> NDArray[np.int64]:
        """The rows (2 n_between, n_columns) between the ends of the walks, forward, then backward ones."""
        before = self.rank[self.walk] <= self.step[:, None]
        own, background = self.own[self.walk], self.background[self.walk]
        return np.concatenate([np.where(before, own, background), np.where(before, background, own)])

    def steps(self, there: Floats, here: Floats, predicted: Floats) -> Floats:
        """The mean of the forward and the backward step of each column (n_outputs, n_walks, n_columns), given the
        outputs of the explained rows and of the background rows, (n_walks, n_outputs), and of those between."""
        n, n_columns = self.changed.shape
        found = np.zeros((there.shape[1], n, n_columns))
        half = len(predicted) // 2
        for o in range(there.shape[1]):
            forward, backward = np.empty((n, n_columns)), np.empty((n, n_columns))
            forward[self.walk, self.step] = predicted[:half, o]
            backward[self.walk, self.step] = predicted[half:, o]
            ahead, behind = here[:, o], there[:, o]
            for i in range(n_columns):
                on, end = self.changed[:, i], self.arrived[:, i]
                to = np.where(on, np.where(end, there[:, o], forward[:, i]), ahead)
                back = np.where(on, np.where(end, here[:, o], backward[:, i]), behind)
                found[o, :, i] = (to - ahead + behind - back) / 2
                ahead, behind = to, back
            found[o] = np.take_along_axis(found[o], self.rank, axis=1)
        return found
