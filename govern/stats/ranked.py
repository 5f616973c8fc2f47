"""Scores in rank order as sums per distinct score: all that metrics of a score need.

Unweighted counts are whole numbers. Weights are added in an order that depends on their values alone, and
distinct scores have one order, so nothing computed from them depends on the order of the rows, to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Sums = NDArray[np.int64] | NDArray[np.float64]
BoolArray = NDArray[np.bool_]
# What is left of Σw when Σw²/Σw is taken off, as a share of it: less is rounding, of a single row.
NOTHING = 1e-9
_T = TypeVar("_T", np.int64, np.float64)


@dataclass(frozen=True, slots=True)
class Repeats:
    """The rows behind a `Ranked` where rows repeat persons; all arrays are (n_rows,).

    `place` is the index of a row's distinct score, `y` its label, `w` its weight, `unit` its person as a code
    from 0.
    """

    place: IntArray
    y: BoolArray
    w: FloatArray
    unit: IntArray

    def of_units(self, if_positive: FloatArray, if_negative: FloatArray) -> FloatArray:
        """Σ w · influence of each person, by rising value; the influences are as in `Ranked.squares`."""
        each = np.bincount(self.unit, self.w * np.where(self.y, if_positive[self.place], if_negative[self.place]))
        return np.sort(each[each != 0])


@dataclass(frozen=True)
class Ranked:
    """Distinct scores, ascending, with the weight of the rows that have the positive label and of the others.

    All arrays are (n_distinct,); a distinct score may have no rows of a subset. `pos` and `neg` are Σw, whole
    numbers of rows without weights; `pos2` and `neg2` Σw²; `n_pos` and `n_neg` rows. `repeats` is set where rows
    repeat persons.
    """

    score: FloatArray
    pos: Sums
    neg: Sums
    pos2: Sums
    neg2: Sums
    n_pos: IntArray
    n_neg: IntArray
    repeats: Repeats | None = None

    @cached_property
    def n_positive(self) -> int:
        """Rows with the positive label."""
        return int(self.n_pos.sum())

    @cached_property
    def n_negative(self) -> int:
        """Rows without the positive label."""
        return int(self.n_neg.sum())

    @property
    def n(self) -> int:
        """Rows."""
        return self.n_positive + self.n_negative

    @cached_property
    def rows(self) -> IntArray:
        """Rows of each distinct score, (n_distinct,)."""
        return self.n_pos + self.n_neg

    @property
    def probable(self) -> bool:
        """Whether all distinct scores lie within 0 to 1."""
        return not self.score.size or bool(self.score[0] >= 0 and self.score[-1] <= 1)

    @cached_property
    def positive(self) -> float:
        """Σw of the rows with the positive label: a whole number of type int without weights."""
        total: float = self.pos.sum().item()
        return total

    @cached_property
    def negative(self) -> float:
        """Σw of the rows without the positive label, as `positive`."""
        total: float = self.neg.sum().item()
        return total

    @cached_property
    def units(self) -> tuple[float, float, float]:
        """Σ over independent units of (Σw)²: of rows with the positive label, of the others, of all.

        A unit is a row, or a person where rows repeat persons. Without either the three are numbers of rows, so
        that Σw − units/Σw is the n − 1 of the usual variances. Source: Kish 1965, Survey Sampling, 8.2.
        """
        if self.repeats is None:
            p, q = float(self.pos2.sum()), float(self.neg2.sum())
            return p, q, p + q
        one, none = np.ones(len(self.score)), np.zeros(len(self.score))
        return self.squares(one, none), self.squares(none, one), self.squares(one, one)

    @property
    def effective(self) -> tuple[float, float, float]:
        """Rows with the positive label, without it, and all, that would say as much: (Σw)² / `units`."""
        sums = (self.positive, self.negative, self.positive + self.negative)
        p, q, n = (w / (u / w) if w else 0.0 for w, u in zip(sums, self.units, strict=True))
        return p, q, n

    def squares(self, if_positive: FloatArray, if_negative: FloatArray) -> float:
        """Σ over independent units of (Σ w · influence)², influences given per distinct score for either label.

        The linearised variance of Σ w · influence. Source: Binder 1983, Int. Stat. Rev. 51:279–292.
        """
        if self.repeats is None:
            return float((self.pos2 * if_positive**2 + self.neg2 * if_negative**2).sum())
        return float((self.repeats.of_units(if_positive, if_negative) ** 2).sum())


@dataclass(frozen=True, slots=True)
class RankedRows:
    """All entries in rank order: `everyone`, and for each entry in that order its label and distinct score.

    `order`, `y` and `place` are (n_entries,): the entry that stands here, its label, the index of its score in
    `everyone`; `n`, `w`, `w2` and `unit`, where not None, its rows, Σw, Σw² and person. `binned`: scores are
    middles of bins. Made once, it serves any number of splits into groups.
    """

    everyone: Ranked
    order: IntArray
    y: BoolArray
    place: IntArray
    n: IntArray | None = None
    w: FloatArray | None = None
    w2: FloatArray | None = None
    unit: IntArray | None = None
    binned: bool = False

    def own(self, codes: IntArray, k: int) -> Iterator[Ranked]:
        """The rows of group 0 … k − 1.

        `codes` (n_entries,) gives the group of each entry; −1 is no group.

        Raises: ValueError when a code is k or more, below −1, or there is not one for each entry.
        """
        ranked_codes = self.ranked_codes(codes, k)
        small = ranked_codes.astype(np.int16) if k < 1 << 15 else ranked_codes  # sorted by radix, much faster
        by_group = np.argsort(small, kind="stable")
        ends = np.searchsorted(small[by_group], np.arange(k + 1))
        for g in range(k):
            yield self._only(by_group[ends[g] : ends[g + 1]])

    def groups(self, codes: IntArray, k: int) -> Iterator[tuple[Ranked, Ranked]]:
        """As `own`, each with all the rows outside the group ("rest"), those of no group among them."""
        whole = self.everyone
        for g, own in enumerate(self.own(codes, k)):
            if self.w is None and self.unit is None:  # whole numbers: what is left is exact
                pos, neg = whole.n_pos.copy(), whole.n_neg.copy()
                at = np.searchsorted(whole.score, own.score)
                pos[at] -= own.n_pos
                neg[at] -= own.n_neg
                score = whole.score
                if not whole.probable:  # scores may be huge: one that no row of the rest has must not reach its sums
                    some = pos + neg > 0
                    score, pos, neg = score[some], pos[some], neg[some]
                yield own, _unweighted(score, pos, neg)
            else:
                yield own, self._only(np.flatnonzero(np.asarray(codes, np.int64)[self.order] != g))

    def ranked_codes(self, codes: IntArray, k: int) -> IntArray:
        """The codes of groups in rank order, checked as in `own`."""
        codes = np.asarray(codes, np.int64)
        if codes.shape != self.order.shape:
            raise ValueError(f"{codes.size} group codes for {self.order.size} rows")
        if codes.size and not -1 <= codes.min() <= codes.max() < k:
            raise ValueError(f"group codes must lie between -1 and {k - 1}")
        return codes[self.order]

    def _only(self, at: IntArray) -> Ranked:
        return _count(self.everyone.score, self.place[at], self.y[at], _at(self.n, at), _at(self.w, at),
                      _at(self.w2, at), _at(self.unit, at))


def rank_rows(y: BoolArray, score: FloatArray, n: IntArray | None = None, w: FloatArray | None = None,
              w2: FloatArray | None = None, cluster: NDArray[np.integer] | None = None, *,
              binned: bool = False) -> RankedRows:
    """The entries in rank order; all arrays are (n_entries,).

    `y` is true for the positive label, `score` is finite. An entry stands for `n` rows (whole numbers ≥ 0; 1 when
    None) with Σw = `w` (≥ 0; `n` when None) and Σw² = `w2` (`w`² when only that is None: then entries are single
    rows). `cluster` holds a code of the person of each entry where rows repeat persons; entries are then single
    rows. `binned` says that scores are middles of bins (see `Scores.auc_error`).

    Raises: ValueError when lengths differ, a score is missing or infinite, a weight or number of rows is negative
    or not finite, or entries of several rows come with `cluster` or with `w` but no `w2`.
    """
    y, score = np.asarray(y, np.bool_), np.asarray(score, np.float64)
    if y.ndim != 1 or y.shape != score.shape:
        raise ValueError(f"{y.size} labels for {score.size} scores")
    if not np.isfinite(score).all():
        raise ValueError("a score is missing or infinite")
    n, w, w2, unit = _checked(y.shape, n, w, w2, cluster)
    score = score + 0.0  # -0.0 becomes 0.0, whichever of the two comes first
    # Entries that differ in nothing may change places: sums then depend on the entries alone.
    keys = [v for v in (unit, w2, w, n) if v is not None] if w is not None or unit is not None else []
    order = np.lexsort((*keys, y, score)) if keys else np.argsort(score, kind="stable")
    ranked = score[order]
    new = np.ones(len(ranked), np.bool_)
    new[1:] = ranked[1:] != ranked[:-1]
    place = np.cumsum(new) - 1
    y = y[order]
    n, w, w2, unit = _at(n, order), _at(w, order), _at(w2, order), _at(unit, order)
    return RankedRows(_count(ranked[new], place, y, n, w, w2, unit), order, y, place, n, w, w2, unit, binned)


def rank(y: BoolArray, score: FloatArray, w: FloatArray | None = None,
         cluster: NDArray[np.integer] | None = None) -> Ranked:
    """Sums per distinct score of all rows, with weights and clusters; arguments and errors as in `rank_rows`."""
    return rank_rows(y, score, w=w, cluster=cluster).everyone


def _checked(shape: tuple[int, ...], n: IntArray | None, w: FloatArray | None, w2: FloatArray | None,
             cluster: NDArray[np.integer] | None
             ) -> tuple[IntArray | None, FloatArray | None, FloatArray | None, IntArray | None]:
    """Rows, weights, their squares and codes of persons from 0; None where they say nothing."""
    if any(v is not None and np.shape(v) != shape for v in (n, w, w2, cluster)):
        raise ValueError("rows, weights and clusters need one number for each entry")
    if n is not None:
        n = np.asarray(n, np.int64)
        if n.size and n.min() < 0:
            raise ValueError("an entry has fewer than 0 rows")
        if bool((n == 1).all()):
            n = None
        elif cluster is not None or (w is not None and w2 is None):
            raise ValueError("entries with clusters, or with weights but no squares of them, are single rows")
    if w is not None:
        w = np.asarray(w, np.float64)
        w2 = w * w if w2 is None else np.asarray(w2, np.float64)
        if not (np.isfinite(w2).all() and bool((w >= 0).all()) and bool((w2 >= 0).all())):
            raise ValueError("a weight is negative, missing or infinite")
    unit = None if cluster is None else np.unique(np.asarray(cluster), return_inverse=True)[1].astype(np.int64)
    return n, w, None if w is None else w2, unit


def _count(distinct: FloatArray, place: IntArray, y: BoolArray, n: IntArray | None, w: FloatArray | None,
           w2: FloatArray | None, unit: IntArray | None) -> Ranked:
    """Entries at ascending places, added up per distinct score that occurs."""
    new = np.ones(len(place), np.bool_)
    new[1:] = place[1:] != place[:-1]
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], len(place))
    score = distinct[place[starts]]
    n_pos = _runs(y if n is None else np.where(y, n, 0), starts, ends)
    n_neg = (ends - starts if n is None else _runs(n, starts, ends)) - n_pos
    if w is None and unit is None:
        return _unweighted(score, n_pos, n_neg)
    at = np.cumsum(new) - 1
    repeats = None
    if unit is not None:
        # Within a person by score, label and weight, as the entries already are: no order of rows shows.
        repeats = Repeats(at, y, np.ones(len(y)) if w is None else w, unit)
    if w is None or w2 is None:
        return Ranked(score, n_pos, n_neg, n_pos, n_neg, n_pos, n_neg, repeats)
    pos, neg, pos2, neg2 = (np.bincount(at, np.where(label, v, 0.0), len(starts))
                            for v in (w, w2) for label in (y, ~y))
    return Ranked(score, pos, neg, pos2, neg2, n_pos, n_neg, repeats)


def _at(values: NDArray[_T] | None, at: IntArray) -> NDArray[_T] | None:
    return None if values is None else values[at]


def _runs(values: BoolArray | IntArray, starts: IntArray, ends: IntArray) -> IntArray:
    """Sums of whole numbers over runs."""
    through: IntArray = np.concatenate([[0], np.cumsum(values, dtype=np.int64)])
    return through[ends] - through[starts]


def _unweighted(score: FloatArray, n_pos: IntArray, n_neg: IntArray) -> Ranked:
    return Ranked(score, n_pos, n_neg, n_pos, n_neg, n_pos, n_neg)
