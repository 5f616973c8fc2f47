"""Curves of a score and the confusion counts at many thresholds."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from govern.stats.effective import PLACES
from govern.stats.ranked import FloatArray, IntArray, Ranked, RankedRows

POINTS = 101
THRESHOLDS = 41
DIGITS = 4
UNITS = 1 << 12  # persons whose sums at all thresholds are held at once
Points = tuple[tuple[float, ...], tuple[float, ...]]


def roc_points(r: Ranked, most: int = POINTS) -> Points:
    """False and true positive rates (0 to 1) of the ROC curve, (0, 0) and (1, 1) included.

    At most `most` ≥ 2 points, spread evenly along the curve, each a point of the full curve. Both are empty when
    only one label occurs.
    """
    p, q = r.positive, r.negative
    if not p or not q:
        return (), ()
    tp = np.concatenate([[0], np.cumsum(r.pos[::-1])])
    fp = np.concatenate([[0], np.cumsum(r.neg[::-1])])
    # Along the curve fp/q + tp/p runs from 0 to 2; in whole numbers it is exact.
    along = fp * p + tp * q
    kept = _spread(along, 2 * p * q, most)
    return tuple(np.minimum(fp[kept] / q, 1.0).tolist()), tuple(np.minimum(tp[kept] / p, 1.0).tolist())


def precision_recall_points(r: Ranked, most: int = POINTS) -> Points:
    """Recall (x) and precision (y), 0 to 1, by falling threshold: from the highest score to all rows chosen.

    At most `most` ≥ 2 points, spread evenly over recall with the last one kept, each a point of the full curve; no
    point at recall 0 is made up. Both are empty without positive rows.
    """
    p = r.positive
    some = (r.pos + r.neg) > 0
    if not p:
        return (), ()
    tp = np.cumsum(r.pos[some][::-1])
    chosen = tp + np.cumsum(r.neg[some][::-1])
    kept = _spread(tp, p, most - 1)
    if kept[-1] != len(tp) - 1:
        kept = np.append(kept, len(tp) - 1)
    return tuple(np.minimum(tp[kept] / p, 1.0).tolist()), tuple((tp[kept] / chosen[kept]).tolist())


def threshold_grid(rows: RankedRows, threshold: float | None, most: int = THRESHOLDS) -> tuple[float, ...]:
    """At most `most` ≥ 2 thresholds, ascending: `threshold`, tenths within the scores, and quantiles of the score.

    The threshold in force is kept as it is; the others are rounded to 4 significant digits. Tenths come only where
    all scores lie within 0 to 1. Quantiles are of rows, evenly spaced.
    """
    r = rows.everyone
    count = r.rows
    score, through = r.score[count > 0], np.cumsum(count[count > 0])
    fixed = {} if threshold is None else {float(threshold): None}
    if not score.size:
        return tuple(fixed)
    low, high = float(score[0]), float(score[-1])
    near = set() if threshold is None else {_rounded(float(threshold))}
    if low >= 0 and high <= 1:
        tenths = [t / 10 for t in range(1, 10) if low < t / 10 <= high and t / 10 not in near]
        fixed.update(dict.fromkeys(tenths[:max(0, most - len(fixed))]))
    room = most - len(fixed)
    if room > 0:
        # The middles of equal parts: a quantile in the largest or smallest score would choose nobody or everybody.
        ranks = (np.arange(room) + 0.5) / room * int(through[-1])
        at = score[np.searchsorted(through, ranks)]
        fixed.update(dict.fromkeys(v for v in map(_rounded, at.tolist()) if v not in near))
    return tuple(sorted(fixed))


def threshold_counts(rows: RankedRows, codes: IntArray, k: int, thresholds: tuple[float, ...]) -> NDArray[np.int64]:
    """Rows tp, fp, fn, tn, in this order, at each threshold (predicted positive: score ≥ threshold).

    (k + 1, n_thresholds, 4): groups 0 … k − 1, and last everyone, rows of no group (code −1) included. `codes`
    (n_entries,) as in `RankedRows.own`, `thresholds` ascending. Rows count once each, whatever their weight. Of
    binned scores the whole bin goes where its middle lies.

    Raises: ValueError for codes outside −1 … k − 1 or not one for each entry, or thresholds that do not ascend.
    """
    cuts = np.asarray(thresholds, np.float64)
    if (np.diff(cuts) <= 0).any():
        raise ValueError("thresholds must ascend")
    t = len(cuts)
    # Then rows that reach at least so many.
    code = ((rows.ranked_codes(codes, k) + 1) * 2 + rows.y) * (t + 1) + _reached(rows, cuts)
    size = (k + 1) * 2 * (t + 1)
    if rows.n is None:
        found = np.bincount(code, minlength=size)
    else:
        found = np.zeros(size, np.int64)
        np.add.at(found, code, rows.n)
    table = found.reshape(k + 1, 2, t + 1)
    table = np.concatenate([table[1:], table.sum(axis=0, keepdims=True)])
    at_least = table[:, :, ::-1].cumsum(axis=2)[:, :, ::-1]
    fp, tp = at_least[:, 0, 1:], at_least[:, 1, 1:]
    return np.stack([tp, fp, at_least[:, 1, :1] - tp, at_least[:, 0, :1] - fp], axis=2)


def threshold_sums(rows: RankedRows, codes: IntArray, k: int, thresholds: tuple[float, ...]
                   ) -> tuple[FloatArray, FloatArray]:
    """Σ weight of tp, fp, fn, tn at each threshold, (k, n_thresholds, 4), of groups 0 … k − 1; and the sums over
    independent units of the products of their four sums, (k, n_thresholds, 10), in the order of
    `evidence.Sampling.moments`. Arguments as in `threshold_counts`; units are rows, or persons where rows repeat them.
    """
    cuts = np.asarray(thresholds, np.float64)
    t = len(cuts)
    group, place = rows.ranked_codes(codes, k), rows.y * (t + 1) + _reached(rows, cuts)
    if rows.unit is not None:
        return _sums_of_units(rows, group, place, k, t)
    n = np.ones(len(group)) if rows.n is None else rows.n.astype(np.float64)
    w, w2 = n if rows.w is None else rows.w, n if rows.w2 is None else rows.w2
    inside = group >= 0
    code = group[inside] * (2 * (t + 1)) + place[inside]
    sums, squares = (np.stack(_cells(_table(code, v[inside], k, t)), axis=2) for v in (w, w2))
    moments = np.zeros((k, t, len(PLACES)))
    for cell in range(4):
        moments[:, :, PLACES[cell, cell]] = squares[:, :, cell]
    return sums, moments


def _sums_of_units(rows: RankedRows, group: IntArray, place: IntArray, k: int, t: int
                   ) -> tuple[FloatArray, FloatArray]:
    sums, moments = np.zeros((k, t, 4)), np.zeros((k, t, len(PLACES)))
    w = np.ones(len(group)) if rows.w is None else rows.w
    for g in range(k):
        own = np.flatnonzero(group == g)
        # By person, and of each in rank order, so that the order of the rows changes no bit.
        own = own[np.argsort(rows.unit[own], kind="stable")] if rows.unit is not None else own
        unit = np.unique(rows.unit[own], return_inverse=True)[1] if rows.unit is not None else own
        starts = np.searchsorted(unit, np.arange(0, len(own) + UNITS, UNITS))
        for i, (start, end) in enumerate(pairwise(starts.tolist())):
            if start == end:
                break
            code = (unit[start:end] - i * UNITS) * (2 * (t + 1)) + place[own[start:end]]
            cells = _cells(_table(code, w[own[start:end]], UNITS, t))
            for cell in range(4):
                sums[g, :, cell] += cells[cell].sum(axis=0)
            for (a, b), product in PLACES.items():
                moments[g, :, product] += (cells[a] * cells[b]).sum(axis=0)
    return sums, moments


def _reached(rows: RankedRows, cuts: FloatArray) -> IntArray:
    """How many of the thresholds each entry reaches, 0 … n_thresholds, in rank order."""
    return np.searchsorted(cuts, rows.everyone.score, side="right")[rows.place]


def _table(code: IntArray, values: FloatArray, k: int, t: int) -> FloatArray:
    """Σ values by group or unit, label and thresholds reached, (k, 2, t + 1)."""
    return np.asarray(np.bincount(code, values, k * 2 * (t + 1)), np.float64).reshape(k, 2, t + 1)


def _cells(table: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """tp, fp, fn and tn at each threshold, (n, n_thresholds) each, of sums by label and thresholds reached,
    (n, 2, n_thresholds + 1)."""
    over = table[:, :, ::-1].cumsum(axis=2)[:, :, ::-1][:, :, 1:]
    under = table.cumsum(axis=2)[:, :, :-1]
    return over[:, 1], over[:, 0], under[:, 1], under[:, 0]


def _spread(along: NDArray[np.generic], end: float, most: int) -> IntArray:
    """At most `most` indices, spread evenly over the values of `along` (ascending from about 0 to `end`)."""
    if len(along) <= most:
        return np.arange(len(along))
    # These places ascend: np.unique would find the same and first import numpy.ma, which takes longer than a curve.
    places = np.searchsorted(along, np.linspace(0, end, most)).clip(0, len(along) - 1)
    return places[np.diff(places, prepend=-1) > 0]


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
