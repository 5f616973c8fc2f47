"""Curves of a score and the confusion counts at many thresholds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from govern.stats.ranked import IntArray, Ranked, RankedRows

POINTS = 101
THRESHOLDS = 41
DIGITS = 4
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
    ranked_codes = rows.ranked_codes(codes, k)
    t = len(cuts)
    # How many of the thresholds a row reaches, 0 … t; then rows that reach at least so many.
    reached = np.searchsorted(cuts, rows.everyone.score, side="right")[rows.place]
    code = ((ranked_codes + 1) * 2 + rows.y) * (t + 1) + reached
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


def _spread(along: NDArray[np.generic], end: float, most: int) -> IntArray:
    """At most `most` indices, spread evenly over the values of `along` (ascending from about 0 to `end`)."""
    if len(along) <= most:
        return np.arange(len(along))
    # These places ascend: np.unique would find the same and first import numpy.ma, which takes longer than a curve.
    places = np.searchsorted(along, np.linspace(0, end, most)).clip(0, len(along) - 1)
    return places[np.diff(places, prepend=-1) > 0]


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
