"""Scores in rank order as counts per distinct score: all that metrics of a score need.

Counts are whole numbers and distinct scores have one order, so nothing computed from them depends on the
order of the rows, to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its standard error `se` on the scale of `transform` (see intervals.transformed).

    status "ok": value and se are set. "too_few": the value is set but too little data stand behind it for an
    interval. "undefined": no value. `reason` says why, for people, unless "ok".
    """

    value: float | None
    se: float | None = None
    transform: str = "identity"
    status: Literal["ok", "too_few", "undefined"] = "ok"
    reason: str | None = None


def undefined(reason: str) -> Estimate:
    """An estimate without a value."""
    return Estimate(None, status="undefined", reason=reason)


@dataclass(frozen=True, slots=True)
class Ranked:
    """Distinct scores, ascending, with the rows that have the positive label and those that do not.

    `score`, `pos`, `neg` are (n_distinct,); a distinct score may have no rows of a subset.
    """

    score: FloatArray
    pos: IntArray
    neg: IntArray

    @property
    def n_positive(self) -> int:
        """Rows with the positive label."""
        return int(self.pos.sum())

    @property
    def n_negative(self) -> int:
        """Rows without the positive label."""
        return int(self.neg.sum())

    @property
    def n(self) -> int:
        """Rows."""
        return self.n_positive + self.n_negative


@dataclass(frozen=True, slots=True)
class RankedRows:
    """All rows in rank order: `everyone`, and for each row in that order its label and distinct score.

    `order`, `y` and `place` are (n_rows,): the row that stands here, its label, the index of its score in
    `everyone`. Made once, it serves any number of splits into groups.
    """

    everyone: Ranked
    order: IntArray
    y: BoolArray
    place: IntArray

    def groups(self, codes: IntArray, k: int) -> Iterator[tuple[Ranked, Ranked]]:
        """The rows of group 0 … k − 1, each with all the other rows ("rest").

        `codes` (n_rows,) gives the group of each row; −1 is no group and belongs to every rest.

        Raises: ValueError when a code is k or more, below −1, or there is not one for each row.
        """
        codes = np.asarray(codes, np.int64)
        if codes.shape != self.order.shape:
            raise ValueError(f"{codes.size} group codes for {self.order.size} rows")
        if codes.size and not -1 <= codes.min() <= codes.max() < k:
            raise ValueError(f"group codes must lie between -1 and {k - 1}")
        ranked_codes = codes[self.order]
        by_group = np.argsort(ranked_codes, kind="stable")
        ends = np.searchsorted(ranked_codes[by_group], np.arange(k + 1))
        whole = self.everyone
        for g in range(k):
            rows = by_group[ends[g] : ends[g + 1]]
            own = _count(whole.score, self.place[rows], self.y[rows])
            pos, neg = np.zeros_like(whole.pos), np.zeros_like(whole.neg)
            at = np.searchsorted(whole.score, own.score)
            pos[at], neg[at] = own.pos, own.neg
            yield own, Ranked(whole.score, whole.pos - pos, whole.neg - neg)


def rank_rows(y: BoolArray, score: FloatArray) -> RankedRows:
    """The rows in rank order; `y` (n_rows,) is true for the positive label, `score` (n_rows,) is finite.

    Raises: ValueError when the lengths differ or a score is missing or infinite.
    """
    y, score = np.asarray(y, np.bool_), np.asarray(score, np.float64)
    if y.ndim != 1 or y.shape != score.shape:
        raise ValueError(f"{y.size} labels for {score.size} scores")
    if not np.isfinite(score).all():
        raise ValueError("a score is missing or infinite")
    score = score + 0.0  # -0.0 becomes 0.0, whichever of the two comes first
    order = np.argsort(score, kind="stable")
    ranked = score[order]
    new = np.ones(len(ranked), np.bool_)
    new[1:] = ranked[1:] != ranked[:-1]
    place = np.cumsum(new) - 1
    distinct = ranked[new]
    return RankedRows(_count(distinct, place, y[order]), order, y[order], place)


def rank(y: BoolArray, score: FloatArray) -> Ranked:
    """Counts per distinct score of all rows; arguments and errors as in `rank_rows`."""
    return rank_rows(y, score).everyone


def _count(distinct: FloatArray, place: IntArray, y: BoolArray) -> Ranked:
    """Rows at ascending places, counted per distinct score that occurs."""
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    positive = np.concatenate([[0], np.cumsum(y, dtype=np.int64)])
    ends = np.append(starts[1:], len(place))
    pos = positive[ends] - positive[starts]
    return Ranked(distinct[place[starts]], pos, ends - starts - pos)
