"""Calibration slope and intercept: the logistic recalibration of a score."""

from __future__ import annotations

import math

import numpy as np

from govern.stats.estimate import Estimate, undefined
from govern.stats.rank_metrics import one_class, too_few_of_a_label
from govern.stats.ranked import FloatArray, Ranked
from govern.stats.score_means import EPS, refused

STEPS = 100
CLOSE = 1e-12
SEPARATED = "a cut of the score separates the two labels, so that the slope has no finite estimate"
FAILED = "the recalibration did not converge"
ONE_SCORE = "all rows have the same score"
EDGES = "every score is 0 or 1, so that log-odds are infinite"


def slope_and_intercept(r: Ranked) -> tuple[Estimate, Estimate]:
    """Calibration slope, and calibration intercept at slope 1, with se on the scale of the value.

    slope: b of logit P(y) = a + b · logit(score), 1 when calibrated, below 1 when scores are too extreme.
    intercept: a of logit P(y) = a + logit(score), 0 when calibrated, above 0 when scores are too low
    ("calibration in the large"). Both by maximum likelihood, scores clipped at 2⁻⁵². The se is the sandwich: the
    squared influences of independent units (White 1982), which holds where the model of the recalibration does
    not and equals the information matrix in large samples where it does.

    Undefined for scores that are not probabilities or all 0 or 1, with one label only, and, of the slope, where
    all scores are equal or a cut separates the labels. Too few below 10 rows of either label.
    Source: Cox 1958, Biometrika 45:562–565; Van Calster et al. 2019, BMC Medicine 17:230.
    """
    if why := refused(r):
        return why, why
    if label := one_class(r):
        return undefined(label), undefined(label)
    some = (r.pos + r.neg) > 0
    score = r.score[some]
    if bool(((score <= EPS) | (score >= 1 - EPS)).all()):
        return undefined(EDGES), undefined(EDGES)
    clipped = np.clip(r.score, EPS, 1 - EPS)
    x = np.log(clipped) - np.log1p(-clipped)
    intercept = _fitted(r, np.ones((1, len(x))), x)
    with_pos, with_neg = x[r.pos > 0], x[r.neg > 0]
    if x[some][0] == x[some][-1]:
        return undefined(ONE_SCORE), intercept
    if with_neg[-1] <= with_pos[0] or with_pos[-1] <= with_neg[0]:
        return undefined(SEPARATED), intercept
    return _fitted(r, np.stack([np.ones(len(x)), x]), np.zeros(len(x))), intercept


def _fitted(r: Ranked, columns: FloatArray, offset: FloatArray) -> Estimate:
    """The last coefficient of the logistic regression of the label on `columns` (k, n_distinct).

    Sums, not matrix products over the rows: those may depend on the number of threads.
    """
    both = np.asarray(r.pos + r.neg, np.float64)
    total = float(both.sum())
    coefficients = np.zeros(len(columns))
    coefficients[1:] = 1.0
    p, best = _model(r, both, _combined(coefficients, columns) + offset)
    for _ in range(STEPS):
        gradient = (columns * (r.pos - both * p)).sum(axis=1)
        spread = both * p * (1 - p)
        information = np.array([[(a * b * spread).sum() for a in columns] for b in columns])
        try:
            step = np.linalg.solve(information, gradient)
        except np.linalg.LinAlgError:
            return undefined(FAILED)
        # Newton's decrement: twice the gain in likelihood that is left.
        if float(gradient @ step) <= CLOSE * CLOSE * total:
            coefficients = coefficients + step
            break
        for _ in range(60):
            p, found = _model(r, both, _combined(coefficients + step, columns) + offset)
            if found >= best - CLOSE * total:  # rounding is no loss
                break
            step = step / 2
        else:
            return undefined(FAILED)
        coefficients, best = coefficients + step, found
    else:
        return undefined(FAILED)
    weights = _combined(np.linalg.inv(information)[-1], columns)
    value, variance = float(coefficients[-1]), r.squares(weights * (1 - p), weights * -p)
    if not math.isfinite(value) or not math.isfinite(variance):
        return undefined(FAILED)
    few = too_few_of_a_label(r)
    return Estimate(value, math.sqrt(variance), "identity", "too_few" if few else "ok", few)


def _combined(coefficients: FloatArray, columns: FloatArray) -> FloatArray:
    return np.asarray((coefficients[:, None] * columns).sum(axis=0))


def _model(r: Ranked, both: FloatArray, logit: FloatArray) -> tuple[FloatArray, float]:
    """The probabilities of these log-odds, (n_distinct,), and the log-likelihood of the labels."""
    small = np.exp(-np.abs(logit))
    p = np.where(logit >= 0, 1, small) / (1 + small)
    return p, float((r.pos * logit - both * (np.maximum(logit, 0) + np.log1p(small))).sum())
