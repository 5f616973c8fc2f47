"""Cross-validated areas under the ROC curve: rows are compared within their fold only, since each fold has a model of
its own, and how sure the area is follows from the influence of each row on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govern.stats.units import by_unit

FOLDS = 5

Floats = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Rows with a known group: `code` (n,) of their group from 0, `fold` (n,), `weight` (n,) of mean 1, and `unit`
    (n,), the person of each row as a code from 0, None where nobody repeats."""

    code: IntArray
    fold: IntArray
    weight: Floats
    unit: IntArray | None = None

    def counts(self, place: IntArray, places: int, groups: int) -> Floats:
        """Σ weight by fold, place and group, (FOLDS, places, groups); `place` is (n,)."""
        cell = (self.fold * places + place) * groups + self.code
        found = np.bincount(cell, self.weight, FOLDS * places * groups).astype(np.float64, copy=False)
        return found.reshape(FOLDS, places, groups)


@dataclass(frozen=True)
class Areas:
    """For each question (n_questions,): the area, its standard error, balanced accuracy, and `rows`, the independent
    rows of the rarer side that would say as much."""

    value: Floats
    se: Floats
    balanced: Floats
    rows: Floats


def folds(code: IntArray, unit: IntArray | None) -> IntArray:
    """The fold of each row, (n,): rows of a group in turn, so that every fold has its share of each; persons stay
    whole, by the group of their first row."""
    found = np.empty(len(code), np.int64)
    if unit is None:
        for g in np.unique(code):
            own = np.flatnonzero(code == g)
            found[own] = np.arange(len(own)) % FOLDS
        return found
    _, first, person = np.unique(unit, return_index=True, return_inverse=True)
    # Persons by their first row: codes of persons may say nothing about the sample's order.
    order = np.argsort(first, kind="stable")
    of_person = np.empty(len(first), np.int64)
    of_person[order] = folds(code[first[order]], None)
    return of_person[person]


def askable(rows: Rows, groups: int, least: int) -> IntArray:
    """The groups (of codes below `groups`) of which and of whose others there are at least `least` independent rows or
    persons, in every part that scores are learned from, and side by side in a fold."""
    unit = np.arange(len(rows.code)) if rows.unit is None else rows.unit
    persons = np.unique(unit * groups + rows.code)
    held = np.bincount(persons % groups, minlength=groups)
    outside = np.array([len(np.unique(persons[persons % groups != g] // groups)) for g in range(groups)])
    own = rows.counts(np.zeros(len(rows.code), np.int64), 1, groups)[:, 0]
    rest = own.sum(axis=1, keepdims=True) - own
    enough = (held >= least) & (outside >= least) & (own * rest > 0).any(axis=0)
    for side in (own > 0, rest > 0):
        enough &= side.sum(axis=0) >= 2  # whichever fold is left out, another has them
    return np.flatnonzero(enough)


def areas(rows: Rows, place: IntArray, score: Floats, counts: Floats, asked: IntArray, cut: Floats) -> Areas:
    """How well `score` (FOLDS, places, n_questions) tells the rows of each group of `asked` (n_questions,) from all
    others, over pairs of rows of one fold, ties half.

    `place` (n,) is where a row's score stands, `counts` are `rows.counts` of it. Balanced accuracy takes scores above
    `cut` (FOLDS, n_questions) for the group. The standard error is that of a ratio of sums over pairs, linearised, of
    persons where rows repeat them, and times √2: it takes the scores as given, and where they say nothing each two
    folds speak twice, once for the scores of the one and once for those of the other, so that the variance is twice
    that. Measured, standard deviation over this standard error: 1.0 to 1.1 at ½, .8 to .9 at .75.
    Source: LeDell, Petersen & van der Laan 2015, Electron. J. Stat. 9:1583–1607; that folds depend on each other:
    Bengio & Grandvalet 2004, J. Mach. Learn. Res. 5:1089–1105.
    """
    pos = counts[:, :, asked]
    neg = counts.sum(axis=2, keepdims=True) - pos
    order = np.argsort(score, axis=1, kind="stable")
    ranked, own, rest = (np.take_along_axis(v, order, axis=1) for v in (score, pos, neg))
    first, last = _ties(ranked)
    beaten, beating = np.empty_like(pos), np.empty_like(pos)
    total, others = own.sum(axis=1, keepdims=True), rest.sum(axis=1, keepdims=True)
    np.put_along_axis(beaten, order, _middle(rest, first, last), axis=1)
    np.put_along_axis(beating, order, total - _middle(own, first, last), axis=1)
    pairs = (total * others).sum(axis=(0, 1))
    value = (pos * beaten).sum(axis=(0, 1)) / pairs
    if_own, if_other = (beaten - value * others) / pairs, (beating - value * total) / pairs
    mine = rows.code[:, None] == asked
    influence = rows.weight[:, None] * np.where(mine, if_own[rows.fold, place], if_other[rows.fold, place])
    held = [np.where(mine, rows.weight[:, None], 0.0), np.where(mine, 0.0, rows.weight[:, None])]
    if rows.unit is not None:
        influence, held = by_unit(influence, rows.unit), [by_unit(v, rows.unit) for v in held]
    # n / (n − 1) for the mean that is taken off.
    n = np.minimum(*(v.sum(axis=0) ** 2 / (v * v).sum(axis=0) for v in held))
    se = np.sqrt(2 * (influence * influence).sum(axis=0) * n / np.maximum(n - 1, 1))
    above = score > cut[:, None]
    right = (np.where(above, pos, 0).sum(axis=(0, 1)) / pos.sum(axis=(0, 1)),
             np.where(above, 0, neg).sum(axis=(0, 1)) / neg.sum(axis=(0, 1)))
    return Areas(value, se, (right[0] + right[1]) / 2, n)


def _ties(ranked: Floats) -> tuple[IntArray, IntArray]:
    """The first and the last place of the scores equal to the one at each place, along axis 1."""
    n = ranked.shape[1]
    at = np.arange(n)[None, :, None]
    new = np.ones(ranked.shape, np.bool_)
    new[:, 1:] = ranked[:, 1:] != ranked[:, :-1]
    end = np.ones(ranked.shape, np.bool_)
    end[:, :-1] = new[:, 1:]
    last = np.minimum.accumulate(np.where(end, at, n)[:, ::-1], axis=1)[:, ::-1]
    return np.maximum.accumulate(np.where(new, at, 0), axis=1), last


def _middle(weight: Floats, first: IntArray, last: IntArray) -> Floats:
    """Σ weight below each place, of scores equal to its own half, along axis 1."""
    through = np.concatenate([np.zeros((len(weight), 1, weight.shape[2])), weight.cumsum(axis=1)], axis=1)
    found: Floats = (np.take_along_axis(through, first, axis=1) + np.take_along_axis(through, last + 1, axis=1)) / 2
    return found
