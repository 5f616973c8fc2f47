"""Which rows have a score strictly above the median of all scores, as sums of groups."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from govern.stats.means import Sums, sums_of
from govern.stats.ranked import IntArray, RankedRows

HAIR = 1e-12  # of the weight: rounding of added weights does not move the median to the next score


@dataclass(frozen=True, slots=True)
class Median:
    """The median of scores: `place` of the distinct score that half of the weight stays at or below; `tied` whether
    rows have the median itself, which they do not where it lies halfway between two scores."""

    place: int
    tied: bool


def median_of(rows: RankedRows) -> Median:
    """The median of all rows, of which there is at least one, weighted where they are."""
    both = rows.everyone.pos + rows.everyone.neg
    twice = 2 * np.cumsum(both)
    total = float(twice[-1]) / 2
    lower = int(np.searchsorted(twice, total * (1 - HAIR), side="left"))
    upper = int(np.searchsorted(twice, total * (1 + HAIR), side="right"))
    return Median(lower, lower == upper)


def sums_above(rows: RankedRows, median: Median, codes: IntArray, k: int) -> list[Sums]:
    """The sums of 1 for a row above the median and 0 for others, of groups 0 … k − 1; their mean is the share above.

    Halfway between two scores or not, the rows above the median are those above its lower score. `codes` (n_entries,)
    gives the group of each entry, −1 for none.
    """
    group = rows.ranked_codes(codes, k)
    above = rows.place > median.place
    if rows.unit is not None:
        order = np.argsort(group, kind="stable")
        ends = np.searchsorted(group[order], np.arange(k + 1))
        parts = [order[a:b] for a, b in pairwise(ends)]
        return [sums_of(above[p].astype(np.float64), None if rows.w is None else rows.w[p],
                        np.unique(rows.unit[p], return_inverse=True)[1].astype(np.int64)) for p in parts]
    if group.min(initial=0) < 0:
        group = np.where(group < 0, k, group)

    def added(values: NDArray[np.number] | None, which: NDArray[np.bool_] | slice = slice(None)) -> list[float]:
        sums: list[float] = np.bincount(group[which], None if values is None else values[which], k + 1)[:k].tolist()
        return sums

    n, of_above = added(rows.n), added(rows.n, above)
    if rows.w is None:
        return [Sums(int(a), a, b, a, b, b) for a, b in zip(n, of_above, strict=True)]
    w, found, w2, found2 = (added(v, which) for v in (rows.w, rows.w2) for which in (slice(None), above))
    return [Sums(int(a), b, c, d, e, e) for a, b, c, d, e in zip(n, w, found, w2, found2, strict=True)]


def tied_share(rows: RankedRows, median: Median) -> tuple[float, float]:
    """Σ weight of the rows whose score is the median, and of all rows; whole numbers without weights."""
    both = rows.everyone.pos + rows.everyone.neg
    return both[median.place].item() if median.tied else 0, both.sum().item()
