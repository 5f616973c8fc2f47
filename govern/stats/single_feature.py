"""How well one column alone tells a class from the others: the area under its ROC curve, from counts.

Numbers are taken as a score, in their better direction, missing ones as the least or the largest, whichever is better.
Texts have no order: a level's score is the rate of the class among its rows, and so that rare levels, whose own rows
would tell their class, gain nothing by it, each pair of rows is compared by the rates of all other rows
(leave-pair-out), which the counts give in closed form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Alone:
    """The largest area over the classes (0.5 to 1) and the code of that class; None where all rows have one class."""

    value: float | None = None
    label: int | None = None


def of_numbers(n: IntArray, missing: IntArray) -> Alone:
    """The area of a column of numbers: `n` (n_bins, n_classes) rows by rising value, `missing` (n_classes,) rows
    without one. Values in one bin count as tied."""
    tables = np.vstack([missing, n]), np.vstack([n, missing])
    found = {}
    for label, p, q in _questions(tables[0]):
        areas = [_twice(t[:, label], t.sum(axis=1) - t[:, label]) / (2 * p * q) for t in tables]
        found[label] = max(*areas, *(1 - a for a in areas))
    return _largest(found)


def of_levels(n: IntArray, missing: IntArray) -> Alone:
    """The area of a column of levels: `n` (n_levels, n_classes) are rows, `missing` (n_classes,) those without a
    value, a level like others.

    For a pair of rows of two levels, the score of a level with x of m other rows is (x + r) / (m + 1), r the rate of
    all other rows; rows of one level are tied. An area below 0.5 is noise, and given as 0.5.
    Source: Airola, Pahikkala, Waegeman, De Baets & Salakoski 2011, Comput. Stat. Data Anal. 55:1828–1844.
    """
    table = np.vstack([n, missing])
    found = {}
    for label, p, q in _questions(table):
        x, y = table[:, label], table.sum(axis=1) - table[:, label]
        rate = (p - 1) / (p + q - 2) if p + q > 2 else 0.5
        own, rest = x > 0, y > 0
        score = np.concatenate([(x[own] - 1 + rate) / (x + y)[own], (x[rest] + rate) / (x + y)[rest]])
        scores, place = np.unique(score, return_inverse=True)
        k = int(own.sum())
        pos, neg = (np.bincount(at, v, len(scores)).astype(np.int64)
                    for at, v in ((place[:k], x[own]), (place[k:], y[rest])))
        # The own row takes more from the rate than it gives: of one level the positive row stands below, never tied.
        found[label] = max((_twice(pos, neg) + int((x * y).sum())) / (2 * p * q), 0.5)
    return _largest(found)


def better(a: Alone, b: Alone) -> Alone:
    """The larger of two areas."""
    return b if a.value is None or (b.value is not None and b.value > a.value) else a


def _questions(table: IntArray) -> list[tuple[int, int, int]]:
    """Each class that is asked for, with its rows and the others'; two classes pose one question."""
    totals = table.sum(axis=0).tolist()
    labels = range(1, 2) if len(totals) == 2 else range(len(totals))
    return [(c, totals[c], sum(totals) - totals[c]) for c in labels if 0 < totals[c] < sum(totals)]


def _largest(found: dict[int, float]) -> Alone:
    label = max(found, key=lambda c: found[c], default=None)
    return Alone() if label is None else Alone(found[label], label)


def _twice(pos: IntArray, neg: IntArray) -> int:
    """Twice the pairs in which the positive row stands above the negative one, ties half, by rising score."""
    below = 2 * np.cumsum(neg) - neg
    return int((pos * below).sum())
