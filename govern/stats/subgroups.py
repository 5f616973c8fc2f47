"""Exploratory search of subgroups: which intersections differ from all other rows, with the share of false
findings controlled. For reading only; nothing is decided by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from govern.stats.cube import Cube, Levels, Partition
from govern.stats.searched import Sample, Samples

DEPTH = 3
LEAST_ROWS = 30
FALSE_SHARE = 0.05
LISTED = 20
SAME_ROWS = 0.7

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Difference:
    """A subgroup of `rows` rows in which `metric` differs from all other rows; `values` None is missing."""

    metric: str
    features: tuple[str, ...]
    values: tuple[str | None, ...]
    rows: int
    sample: Sample
    p_value: float
    q_value: float
    covers: int = 0

    @property
    def gap(self) -> float:
        """The metric in the subgroup minus that in all other rows."""
        return self.sample.value - self.sample.rest_value

    @property
    def least(self) -> float:
        """The bound of |gap| nearer to 0; 0 where the bounds hold 0."""
        low, high = self.sample.bounds
        return max(0.0, low, -high)


@dataclass(frozen=True)
class Search:
    """What was found: `listed` by rank; how many comparisons of how many subgroups were made, how many subgroups
    were too `small` and how many comparisons had `few` rows, how many differences were `significant` in all."""

    listed: tuple[Difference, ...]
    subgroups: int
    comparisons: int
    small: int
    few: int
    significant: int


def search(cube: Cube, levels: Levels, features: Sequence[str], samples: Samples, *,
           false_share: float = FALSE_SHARE) -> Search:
    """Every subgroup of one to three `features` against all other rows, in each metric of `samples`.

    Not compared: subgroups of fewer than 30 rows, and metrics without `Sample.enough` rows on either side. Differences
    whose Benjamini–Hochberg q-value is at most `false_share` are findings: of all findings, those that are folded
    included, that share is false at most, on average (comparisons that overlap depend on each other positively,
    which the procedure allows). Ranked by q-value, then by |gap|; a finding that says what a stronger one says is
    folded into it; at most 20 are listed.
    Source: Benjamini & Hochberg 1995, J. R. Stat. Soc. B 57:289–300; under dependence Benjamini & Yekutieli 2001,
    Ann. Stat. 29:1165–1188.
    """
    tables = [_table(cube, cube.partition(chosen, levels), samples)
              for depth in range(1, DEPTH + 1) for chosen in combinations(features, depth)]
    compared = [(t, c) for t in tables for c in t.compared]
    p = np.array([c.sample.p_value for _, c in compared])
    q = q_values(p)
    found = []
    for i in np.flatnonzero(q <= false_share).tolist():
        table, c = compared[i]
        found.append(Difference(c.metric, table.partition.features, table.partition.keys[c.group],
                                int(table.rows[c.group]), c.sample, float(p[i]), float(q[i])))
    # Ties end with the smaller of two sides and the shorter description; the sort keeps the canonical order.
    found.sort(key=lambda d: (d.q_value, -abs(d.gap), d.rows, len(d.features)))
    listed = tuple(_merged(found, cube, levels))
    return Search(listed, sum(t.subgroups for t in tables), len(p), sum(t.small for t in tables),
                  sum(t.few for t in tables), len(found))


def q_values(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Benjamini–Hochberg q-values of p-values, (m,) each: the smallest share of false findings at which each is one."""
    m = len(p)
    order = np.argsort(p, kind="stable")
    scaled = p[order] * m / np.arange(1, m + 1)
    q = np.empty(m)
    q[order] = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return q


@dataclass(frozen=True, slots=True)
class _Compared:
    metric: str
    group: int
    sample: Sample


@dataclass(frozen=True)
class _Table:
    """The subgroups of one combination of features."""

    partition: Partition
    rows: Ints
    compared: list[_Compared]
    subgroups: int
    small: int
    few: int


def _table(cube: Cube, partition: Partition, samples: Samples) -> _Table:
    # Sums of whole numbers below 2⁵³ are exact in floats.
    rows = np.bincount(partition.of_cell, cube.n, len(partition)).astype(np.int64)
    large = np.flatnonzero(rows >= LEAST_ROWS).tolist()
    compared: list[_Compared] = []
    few = 0
    for metric, of_group in samples(partition):
        some = [_Compared(metric, g, of_group[g]) for g in large if of_group[g].enough]
        few += len(large) - len(some)
        compared += some
    small = int((rows > 0).sum()) - len(large)
    return _Table(partition, rows, compared, len({c.group for c in compared}), small, few)


class _Kept:
    """A finding on the list and its rows, as cells."""

    def __init__(self, found: Difference, cells: Mask) -> None:
        self.found, self.cells, self.covers = found, cells, 0


def _merged(found: Sequence[Difference], cube: Cube, levels: Levels) -> list[Difference]:
    """The first findings, without those that a stronger one of the same metric covers.

    Covered: its rows, or all others, are mostly those of a stronger finding (it is the same comparison); or it is a
    part of a listed finding that goes the same way, and not surely larger (by the bound nearer to 0) than the whole.
    """
    total = int(cube.n.sum())
    kept: list[_Kept] = []
    for d in found:
        ranked = [k for k in kept if k.found.metric == d.metric]
        near = [k for k in ranked if _near(d, k.found, total)]
        cells = _cells(d, cube, levels) if near or len(kept) < LISTED else None
        cover = next((k for k in near if cells is not None and _same(cells, k.cells, cube.n)), None)
        cover = cover or next((k for k in ranked if _part(d, k.found) and d.least <= k.found.least), None)
        if cover is not None:
            cover.covers += 1
        elif len(kept) < LISTED and cells is not None:
            new = _Kept(d, cells)
            for k in [k for k in ranked if _part(k.found, d) and k.found.least <= d.least]:
                new.covers += 1 + k.covers
                kept.remove(k)
            kept.append(new)
    return [replace(k.found, covers=k.covers) for k in kept]


def _part(d: Difference, whole: Difference) -> bool:
    """Whether d is an intersection within `whole` that differs in the same direction."""
    own = set(zip(d.features, d.values, strict=True))
    return own > set(zip(whole.features, whole.values, strict=True)) and (d.gap > 0) == (whole.gap > 0)


def _near(d: Difference, other: Difference, total: int) -> bool:
    """Whether the numbers of rows allow the two to be the same comparison."""
    return any(SAME_ROWS * max(n, other.rows) <= min(n, other.rows) for n in (d.rows, total - d.rows))


def _same(a: Mask, b: Mask, n: Ints) -> bool:
    """Whether the rows of a, or all rows but a, are mostly those of b: shared by 70 % of all that are in either."""
    return any(n[side & b].sum() >= SAME_ROWS * n[side | b].sum() for side in (a, ~a))


def _cells(d: Difference, cube: Cube, levels: Levels) -> Mask:
    """Whether each cell belongs to the subgroup, (n_cells,)."""
    inside = np.ones(len(cube.n), bool)
    for feature, value in zip(d.features, d.values, strict=True):
        code = -1 if value is None else list(levels.texts[feature]).index(value)
        inside &= cube.table[:, cube.features.index(feature)] == code
    return inside
