"""Whom an adverse decision is compared with, and by how much each of its features falls short of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from govern.explain.explained import ExplainedRows, Floats, Output
from govern.inputs.labels import Target

NEAR_SHARE: Final = 0.1
NEAR_ROWS: Final = 30
# A shortfall below this share of the row's largest is rounding: libraries add in single precision.
ROUNDING: Final = 1e-6

Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class Reference:
    """The `rows` (n_rows,) that adverse decisions are compared with, by the name of the setting, and the mean
    contribution (n_features,) of each feature over them.

    Contributions are those to the output at `place` of `ExplainedRows.outputs`, times `sign`: the larger, the nearer
    to the favourable decision. `adverse` (n_rows,) are the explained rows without it.
    """

    name: str
    place: int
    sign: float
    rows: Rows
    means: Floats
    adverse: Rows

    def towards(self, output: Output) -> Floats:
        """The output (n_rows,) in the direction of the favourable decision."""
        return self.sign * output.outputs

    def shortfalls(self, rows: ExplainedRows) -> Floats:
        """By how much each contribution lies below its mean over the reference rows, (n_rows, n_features)."""
        found: Floats = self.means - self.sign * rows.outputs[self.place].values
        return found


def reference(rows: ExplainedRows, target: Target, background: str) -> Reference | None:
    """Whom adverse decisions are compared with; None in a task without a favourable label.

    `background` is all (every explained row) or near-cutoff: of the rows decided favourably the tenth, at least 30,
    whose output is nearest to the unfavourable side. Means are weighted where rows have weights.
    Source: 12 CFR 1002, supplement I, comment 9(b)(2)-5: factors whose score falls furthest below the average of
    applicants at or slightly above the minimum passing score, or of all applicants. The tenth and the 30 are ours.
    """
    of = _wished(rows, target)
    if of is None or rows.selected is None:
        return None
    place, sign = of
    output = rows.outputs[place]
    within = np.ones(rows.n, bool) if background == "all" else near(sign * output.outputs, rows.selected)
    values = sign * output.values[within]
    weight = None if rows.weight is None else rows.weight[within]
    if not len(values):
        means = np.full(len(rows.features), np.nan)
    else:
        # Not as a matrix product: that may depend on the number of threads.
        means = values.mean(axis=0) if weight is None else (weight[:, None] * values).sum(axis=0) / weight.sum()
    return Reference(background, place, sign, within, means, ~rows.selected)


def principal(shortfalls: Floats, most: int, without: Collection[int] = ()) -> list[list[int]]:
    """For each row of `shortfalls` (n_rows, n_features) the features that fall short, the furthest first, at most
    `most`; those at the places `without` are passed over. Ties go by the order of the features."""
    counts = shortfalls > ROUNDING * np.abs(shortfalls).max(axis=1, initial=0.0)[:, None]
    counts[:, list(without)] = False
    order = np.argsort(-shortfalls, axis=1, kind="stable")
    return [[int(j) for j in row if falls[j]][:most] for row, falls in zip(order, counts, strict=True)]


def _wished(rows: ExplainedRows, target: Target) -> tuple[int, float] | None:
    """The place of the output that speaks of the favourable label, and whether it rises with it."""
    if target.favourable is None or target.task == "regression":
        return None
    if target.task == "binary":
        return 0, 1.0 if target.favourable == target.positive else -1.0
    labels = [output.label for output in rows.outputs]
    return (labels.index(target.favourable), 1.0) if target.favourable in labels else None


def near(towards: Floats, selected: Rows) -> Rows:
    """The tenth, at least 30, of the favourably decided rows whose output is nearest to the others', (n_rows,):
    `towards` (n_rows,) rises with the favourable decision, `selected` (n_rows,) has it."""
    found = np.zeros(len(towards), bool)
    there = np.flatnonzero(selected)
    wanted = max(NEAR_ROWS, round(NEAR_SHARE * len(there)))
    found[there[np.argsort(towards[there], kind="stable")[:wanted]]] = True
    return found
