"""Small boosted trees on coded columns: how well columns together tell groups of rows apart, in a tenth of a second.

Sums only, taken in the order of the rows: no linear algebra, no exponentials, so that neither threads nor processors
change a bit.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

ROUNDS: Final = 16
RATE: Final = 0.35
DEPTH: Final = 3
LEAST: Final = 20  # rows of a leaf
PULL: Final = 15.0  # rows of no effect that every leaf holds besides its own
STRONGEST: Final = 16
DRAWN: Final = 8

Floats = NDArray[np.float64]
IntArray = NDArray[np.int64]


def boosted(x: IntArray, y: Floats, ask: IntArray, bins: int, seed: int) -> Floats:
    """Scores (n_groups, n_asked) of the rows `ask` (n_columns, n_asked) after learning from `x` (n_columns, n_rows)
    and `y` (n_groups, n_rows), 1 for the rows of a group and 0 for others; above 0: likelier than not told apart.

    Codes are 0 … bins − 1 and ordered; a row is of one group at most, every group has rows and so have others. 16
    trees of three levels, each shared by all groups, on residuals of the indicators divided by their standard
    deviations, at a rate of .35. A tree looks at eight columns drawn from the sixteen that alone say most about the
    learning rows and at eight of the others, so that its work does not grow with the columns.
    Source: Friedman 2001, Ann. Stat. 29:1189–1232 (least-squares boosting); Friedman 2002, Comput. Stat. Data Anal.
    38:367–378 (random parts).
    """
    random = np.random.default_rng(seed)
    share = y.mean(axis=1, keepdims=True)
    left = (y - share) / np.sqrt(share * (1 - share))
    scores = np.zeros((len(y), ask.shape[1]))
    alone = _alone(x, y, share, bins)
    order = np.argsort(-alone, kind="stable")
    strong, others = order[:STRONGEST], order[STRONGEST:]
    for _ in range(ROUNDS):
        use = np.concatenate([random.permutation(strong)[:DRAWN], random.permutation(others)[:DRAWN]])
        leaf, asked = _grown(x[use], left, ask[use], bins)
        rows = np.bincount(leaf, minlength=1 << DEPTH) + PULL
        for g in range(len(y)):
            value = RATE * np.bincount(leaf, left[g], 1 << DEPTH) / rows
            left[g] -= value[leaf]
            scores[g] += value[asked]
    return scores


def _alone(x: IntArray, y: Floats, share: Floats, bins: int) -> Floats:
    """What the best single cut of each column takes off the squares, (n_columns,), from one table of counts."""
    groups = len(y) + 1
    who = np.where(y.any(axis=0), y.argmax(axis=0), len(y))
    cell = ((x + (np.arange(len(x)) * bins)[:, None]) * groups + who).ravel()
    rows = np.bincount(cell, minlength=len(x) * bins * groups).reshape(len(x), bins, groups).cumsum(axis=1)
    low = rows.sum(axis=2)
    high = low[:, -1:] - low
    below = (rows[:, :, :-1] - low[:, :, None] * share[:, 0]) / np.sqrt(share * (1 - share))[:, 0]
    squares = (below * below).sum(axis=2)  # what is left sums to 0, so that both sides have the same square
    gain = squares / (low + PULL) + squares / (high + PULL)
    gain[(low < LEAST) | (high < LEAST)] = -1
    found: Floats = gain.max(axis=1)
    return found


def _grown(x: IntArray, left: Floats, ask: IntArray, bins: int) -> tuple[IntArray, IntArray]:
    """The leaf of each learning row and of each asked row in a tree grown on what is left, (n_rows,), (n_asked,)."""
    rows, asked = np.arange(x.shape[1]), np.arange(ask.shape[1])
    leaf, of_asked = np.zeros(len(rows), np.int64), np.zeros(len(asked), np.int64)
    each = np.tile(left, len(x))
    cell = x + (np.arange(len(x)) * bins)[:, None]
    for depth in range(DEPTH):
        gains = _gains(cell, leaf, each, 1 << depth, bins).reshape(1 << depth, -1)
        best = gains.argmax(axis=1)
        column, cut = np.divmod(best, bins)
        cut[gains[np.arange(len(best)), best] <= 0] = bins  # no cut: all rows go to one side
        leaf = 2 * leaf + (x[column[leaf], rows] > cut[leaf])
        of_asked = 2 * of_asked + (ask[column[of_asked], asked] > cut[of_asked])
    return leaf, of_asked


def _gains(cell: IntArray, leaf: IntArray, left: Floats, leaves: int, bins: int) -> Floats:
    """What a cut after each code takes off the squares, summed over groups, (leaves, n_columns, bins); −1 for cuts that
    leave too few rows on a side. `cell` (n_columns, n_rows) numbers the codes through, `left` repeats what is left of
    each row for every column."""
    shape = leaves, len(cell), bins
    cells = len(cell) * bins
    place = (cell + leaf * cells).ravel() if leaves > 1 else cell.ravel()
    low = np.bincount(place, minlength=leaves * cells).reshape(shape).cumsum(axis=2)
    high = low[:, :, -1:] - low
    by_low, by_high = 1 / (low + PULL), 1 / (high + PULL)
    found = np.zeros(shape)
    for of_group in left:
        below = np.bincount(place, of_group, leaves * cells).reshape(shape).cumsum(axis=2)
        above = below[:, :, -1:] - below
        found += below * below * by_low + above * above * by_high
    found[(low < LEAST) | (high < LEAST)] = -1
    return found
