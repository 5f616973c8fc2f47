"""Metrics of a score with their standard errors, for everyone, for groups and for the rest of each group.

Values equal scikit-learn's to 1e-12. `y` (n_rows,) is true for the positive label and `score` (n_rows,) is
finite and rises with it. No function depends on the order of the rows. Results that need an explanation carry
a status instead of a number that is not one: see `Estimate`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from govern.stats.calibration import Bin, Calibration, calibration_of
from govern.stats.ranked import (
    BoolArray,
    Estimate,
    FloatArray,
    IntArray,
    Ranked,
    RankedRows,
    rank,
    undefined,
)

MIN_EACH = 10
MIN_ROWS = 30
_EPS = float(np.finfo(np.float64).eps)
NO_ROWS = "no rows"
ONE_CLASS = "all rows have the same label"
NO_POSITIVES = "no row has the positive label"
NOT_PROBABILITIES = "the scores are not probabilities"


@dataclass(frozen=True, slots=True)
class Scores:
    """The metrics of a score over `n` rows, `n_positive` of them with the positive label.

    `calibration_error`, `calibration_p_value` and `bins` are None and empty for the rest of a group.
    """

    n: int
    n_positive: int
    roc_auc: Estimate
    average_precision: Estimate
    log_loss: Estimate
    brier_score: Estimate
    calibration_error: Estimate | None = None
    calibration_p_value: float | None = None
    bins: tuple[Bin, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupScores:
    """The metrics of a group (`own`) and of all rows outside it (`rest`); the two are independent."""

    own: Scores
    rest: Scores


def scores(rows: RankedRows) -> Scores:
    """All metrics over all rows; `rows` is `rank_rows(y, score)`."""
    return _scores(rows.everyone, calibrated=True)


def by_groups(rows: RankedRows, codes: IntArray, k: int) -> list[GroupScores]:
    """All metrics of group 0 … k − 1 and of the rest of each.

    `rows` is `rank_rows(y, score)`, made once for any number of splits; `codes` (n_rows,) gives the group of
    each row in the order of `y`, −1 for none. The metrics of an empty group are undefined.

    Raises: ValueError for codes outside −1 … k − 1 or not one for each row.
    """
    return [GroupScores(_scores(own, calibrated=True), _scores(rest, calibrated=False))
            for own, rest in rows.groups(codes, k)]


def roc_auc(y: BoolArray, score: FloatArray) -> Estimate:
    """Area under the ROC curve (0 to 1), ties counted half; se on the logit scale.

    Undefined with one label only; too few below 10 rows of either label. Where the variance estimate is 0
    (perfect ranking, all scores equal) se is 1/√min(n₊, n₋), so that an interval keeps a width.
    Source: DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44:837–845; logit scale: Pepe 2003, The
    Statistical Evaluation of Medical Tests.
    """
    return _roc_auc(rank(y, score))


def average_precision(y: BoolArray, score: FloatArray) -> Estimate:
    """Mean precision over the positive rows by falling score (0 to 1), tied scores together; se on the logit.

    Undefined without positive rows; too few below 10 rows of either label. se by the infinitesimal jackknife:
    the root of the summed squares of the derivatives with respect to each row's weight. Where it is 0 se is
    1/√min(n₊, n₋). Source: Jaeckel 1972; Efron 1982, The Jackknife, the Bootstrap and Other Resampling Plans,
    ch. 6; logit scale: Boyd, Eng & Page 2013, ECML PKDD.
    """
    return _average_precision(rank(y, score))


def log_loss(y: BoolArray, score: FloatArray) -> Estimate:
    """Mean negative log-likelihood of the label (nats, ≥ 0), probabilities clipped at 2⁻⁵²; se of a mean.

    Undefined without rows or when a score leaves 0 to 1; too few below 30 rows.
    """
    return _log_loss(rank(y, score))


def brier_score(y: BoolArray, score: FloatArray) -> Estimate:
    """Mean squared difference of score and label (0 to 1); se of a mean. Source: Brier 1950.

    Undefined without rows or when a score leaves 0 to 1; too few below 30 rows.
    """
    return _brier_score(rank(y, score))


def calibration(y: BoolArray, score: FloatArray, bins: int = 15) -> Calibration:
    """Debiased calibration error, its bins and the test of perfect calibration: see stats/calibration.py."""
    ranked = rank(y, score)
    refused = _refused(ranked)
    return Calibration(refused, None, ()) if refused else calibration_of(ranked, bins)


def roc_curve_points(y: BoolArray, score: FloatArray, most: int = 101) -> tuple[list[float], list[float]]:
    """False and true positive rates (0 to 1) of the ROC curve, (0, 0) and (1, 1) included.

    At most `most` ≥ 2 points, spread evenly along the curve, each a point of the full curve. Both lists are
    empty when only one label occurs.
    """
    r = rank(y, score)
    p, q = r.n_positive, r.n_negative
    if not p or not q:
        return [], []
    tp = np.concatenate([[0], np.cumsum(r.pos[::-1])])
    fp = np.concatenate([[0], np.cumsum(r.neg[::-1])])
    # Along the curve fp/q + tp/p runs from 0 to 2; in whole numbers it is exact.
    along = fp * p + tp * q
    if len(along) > most:
        kept = np.unique(np.searchsorted(along, np.linspace(0, 2 * p * q, most)).clip(0, len(along) - 1))
        fp, tp = fp[kept], tp[kept]
    return (fp / q).tolist(), (tp / p).tolist()


def _scores(r: Ranked, *, calibrated: bool) -> Scores:
    parts = (r.n, r.n_positive, _roc_auc(r), _average_precision(r), _log_loss(r), _brier_score(r))
    if not calibrated:
        return Scores(*parts)
    refused = _refused(r)
    found = Calibration(refused, None, ()) if refused else calibration_of(r)
    return Scores(*parts, found.error, found.p_value, found.bins)


def _roc_auc(r: Ranked) -> Estimate:
    p, q = r.n_positive, r.n_negative
    if not p or not q:
        return undefined(ONE_CLASS if p or q else NO_ROWS)
    # Twice the share of negatives below (positives above) each score, ties half: whole numbers stay exact.
    beaten = 2 * np.cumsum(r.neg) - r.neg
    beating = 2 * p - (2 * np.cumsum(r.pos) - r.pos)
    value = int((r.pos * beaten).sum()) / (2 * p * q)
    if min(p, q) < 2:
        return _on_logit(value, None, p, q)
    variance = float((r.pos * (beaten / (2 * q) - value) ** 2).sum()) / (p - 1) / p
    variance += float((r.neg * (beating / (2 * p) - value) ** 2).sum()) / (q - 1) / q
    return _on_logit(value, variance, p, q)


def _average_precision(r: Ranked) -> Estimate:
    p, q = r.n_positive, r.n_negative
    if not p:
        return undefined(NO_POSITIVES if q else NO_ROWS)
    # Rows at or above each score; at least 1 where a subset has none there (its terms are 0).
    tp = p - np.cumsum(r.pos) + r.pos
    chosen = np.maximum(tp + (q - np.cumsum(r.neg) + r.neg), 1)
    precision = tp / chosen
    value = float((r.pos * precision).sum()) / p
    # The weight of a row changes the precision at its own and every lower score: by (1 − precision) / chosen
    # for a positive, by −precision / chosen for a negative row.
    step = r.pos / chosen
    loss = np.cumsum(step * precision)
    gain = np.cumsum(step * (1 - precision))
    variance = float((r.pos * (precision - value + gain) ** 2 + r.neg * loss**2).sum()) / p / p
    return _on_logit(min(value, 1.0), variance if q else None, p, q)


def _on_logit(value: float, variance: float | None, p: int, q: int) -> Estimate:
    few = None if min(p, q) >= MIN_EACH else f"fewer than {MIN_EACH} rows of a label"
    if variance is None:
        return Estimate(value, None, "logit", "too_few", few)
    flat = variance <= 1e-24 or value in (0.0, 1.0)
    se = 1 / math.sqrt(min(p, q)) if flat else math.sqrt(variance) / (value * (1 - value))
    return Estimate(value, se, "logit", "too_few" if few else "ok", few)


def _log_loss(r: Ranked) -> Estimate:
    if refused := _refused(r):
        return refused
    likely, unlikely = np.clip(r.score, _EPS, 1 - _EPS), np.clip(1 - r.score, _EPS, 1 - _EPS)
    return _mean(r, -np.log(likely), -np.log(unlikely))


def _brier_score(r: Ranked) -> Estimate:
    return _refused(r) or _mean(r, (1 - r.score) ** 2, r.score**2)


def _mean(r: Ranked, if_positive: FloatArray, if_negative: FloatArray) -> Estimate:
    """The mean over rows of a loss given per distinct score for either label."""
    n = r.n
    mean = float((r.pos * if_positive + r.neg * if_negative).sum()) / n
    if n < 2:
        return Estimate(mean, None, "identity", "too_few", f"fewer than {MIN_ROWS} rows")
    squares = float((r.pos * (if_positive - mean) ** 2 + r.neg * (if_negative - mean) ** 2).sum())
    se = math.sqrt(squares / (n - 1) / n)
    if n < MIN_ROWS:
        return Estimate(mean, se, "identity", "too_few", f"fewer than {MIN_ROWS} rows")
    return Estimate(mean, se)


def _refused(r: Ranked) -> Estimate | None:
    """The estimate of any metric of probabilities when there is nothing to estimate, else None."""
    some = r.score[(r.pos + r.neg) > 0]
    if not some.size:
        return undefined(NO_ROWS)
    return None if some[0] >= 0 and some[-1] <= 1 else undefined(NOT_PROBABILITIES)
