"""What each feature contributes to a decision taken at a threshold: contributions to the output are steps, of which
those that cross the threshold decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

PAIRS: Final = 16
BLOCKS: Final = 8
CELLS: Final = 4_000_000

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Cut:
    """The number at which the decision on an output changes; with `above` outputs at or above it are selected, else
    those below it."""

    at: float
    above: bool


def cut_of(outputs: Floats, selected: Bools, threshold: float | None) -> Cut | None:
    """The cut that `selected` (n_rows,) follows from `outputs` (n_rows,): at `threshold`, without one where the outputs
    of either side stand apart. None where all rows are decided alike, or where more than one row in a hundred is not
    on its side (fewer may be: an output and the score that is compared can be rounded differently)."""
    if selected.all() or not selected.any():
        return None
    yes, no = outputs[selected], outputs[~selected]
    if threshold is None:
        if yes.min() > no.max():
            return Cut(float(yes.min()), True)
        return Cut(float(no.min()), False) if no.min() > yes.max() else None
    wrong = int(((outputs >= threshold) != selected).sum())
    above = 2 * wrong <= len(outputs)
    return Cut(threshold, above) if 100 * min(wrong, len(outputs) - wrong) <= len(outputs) else None


def decided(values: Floats, base: float, selected: Bools, cut: Cut, seed: int) -> tuple[Floats, int]:
    """What each feature contributes to being selected, (n_rows, n_features), and over how many orders of the features.

    The contributions to the output, (n_rows, n_features) `values`, are added to `base` one after another, in random
    orders each followed by its reverse; a feature has +1 where its step leads to being selected, −1 where it leads
    away, on average over the orders: the Shapley value of the decision on base + the sum of contributions. A row's sum
    to its decision (`selected`, 0 or 1) less that of the base alone. Eight orders and their reverses go round the
    rows at a time, 32 in all, fewer where rows times features are many.
    Source: Shapley 1953, Contributions to the Theory of Games II; of a decision by weight and quota: Shapley & Shubik
    1954, Am. Polit. Sci. Rev. 48:787–792; by sampled orders: Castro, Gómez & Tejada 2009, Comput. Oper. Res.
    36:1726–1730.
    """
    rows, k = values.shape
    pairs = max(1, min(PAIRS, CELLS // max(1, 2 * rows * k)))
    random = np.random.default_rng(seed)
    found = np.zeros((rows, k))
    start = np.int8((base >= cut.at) == cut.above)
    for _ in range(pairs):
        for block in range(BLOCKS):
            order = random.permutation(k)
            own = slice(block, None, BLOCKS)
            found[own] += _steps(values[own], base, selected[own], cut, start, order)
            found[own] += _steps(values[own], base, selected[own], cut, start, order[::-1])
    return found / (2 * pairs), 2 * pairs


def _steps(values: Floats, base: float, selected: Bools, cut: Cut, start: np.int8, order: NDArray[np.int64]
           ) -> NDArray[np.int8]:
    """+1, −1 or 0 for each feature as its step, in this order, changes the decision, (n_rows, n_features)."""
    path = (base + values[:, order].cumsum(axis=1)) >= cut.at
    decision = (path == cut.above).astype(np.int8)
    decision[:, -1] = selected  # however the sum was rounded
    steps: NDArray[np.int8] = np.empty_like(decision)
    steps[:, order] = np.diff(decision, axis=1, prepend=start)
    return steps
