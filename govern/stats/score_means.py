"""Means over rows of a loss of the score: log loss, Brier score; and the mean score."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from govern.stats.estimate import Estimate, undefined
from govern.stats.rank_metrics import NO_ROWS
from govern.stats.ranked import NOTHING, FloatArray, Ranked

MIN_ROWS = 30
EPS = float(np.finfo(np.float64).eps)
NOT_PROBABILITIES = "the scores are not probabilities"


@dataclass(frozen=True, slots=True)
class Losses:
    """Sums over the rows of a group, unweighted: squared errors, their squares, log losses, their squares.

    They stand beside binned scores, whose own losses are those of the middle of the bin.
    """

    brier: float
    brier_squares: float
    log: float
    log_squares: float

    def without(self, part: Losses) -> Losses:
        """The sums over the rows that are not in `part`."""
        return Losses(self.brier - part.brier, self.brier_squares - part.brier_squares,
                      self.log - part.log, self.log_squares - part.log_squares)


def too_few_rows(r: Ranked) -> str | None:
    """Why there is no interval of a mean when there are fewer than 30 rows, or effective rows; else None."""
    if r.n < MIN_ROWS:
        return f"fewer than {MIN_ROWS} rows"
    if r.effective[2] < MIN_ROWS:
        return f"weights or repeated persons leave fewer than {MIN_ROWS} effective rows"
    return None


def refused(r: Ranked) -> Estimate | None:
    """The estimate of any metric of probabilities when there is nothing to estimate, else None."""
    if not r.positive + r.negative:
        return undefined(NO_ROWS)
    some = r.score[r.rows > 0]
    return None if some[0] >= 0 and some[-1] <= 1 else undefined(NOT_PROBABILITIES)


def log_loss(r: Ranked, losses: Losses | None = None) -> Estimate:
    """Mean negative log-likelihood of the label (nats, ≥ 0), probabilities clipped at 2⁻⁵²; se of a mean.

    From the sums `losses` where given. Undefined without rows or when a score leaves 0 to 1; too few below 30 rows.
    """
    if why := refused(r):
        return why
    if losses is not None:
        return _from_sums(r, losses.log, losses.log_squares)
    likely, unlikely = np.clip(r.score, EPS, 1 - EPS), np.clip(1 - r.score, EPS, 1 - EPS)
    return _mean(r, -np.log(likely), -np.log(unlikely))


def brier_score(r: Ranked, losses: Losses | None = None) -> Estimate:
    """Mean squared difference of score and label (0 to 1); se of a mean. Source: Brier 1950.

    From the sums `losses` where given. Undefined without rows or when a score leaves 0 to 1; too few below 30 rows.
    """
    if why := refused(r):
        return why
    if losses is not None:
        return _from_sums(r, losses.brier, losses.brier_squares)
    return _mean(r, (1 - r.score) ** 2, r.score**2)


def mean_score(r: Ranked) -> Estimate:
    """Mean of the score, in its own unit; se of a mean. Any finite scores; too few below 30 rows.

    Undefined without rows, or where sums of the scores or of their squares leave the range of floats.
    """
    if not r.positive + r.negative:
        return undefined(NO_ROWS)
    with np.errstate(over="ignore", invalid="ignore"):
        found = _mean(r, r.score, r.score)
    if all(v is None or math.isfinite(v) for v in (found.value, found.se)):
        return found
    return undefined("the scores are too large to add up")


def _mean(r: Ranked, if_positive: FloatArray, if_negative: FloatArray) -> Estimate:
    """The mean over rows of a loss given per distinct score for either label."""
    mean = float((r.pos * if_positive + r.neg * if_negative).sum()) / (r.positive + r.negative)
    return _with_error(r, mean, r.squares(if_positive - mean, if_negative - mean))


def _from_sums(r: Ranked, total: float, squares: float) -> Estimate:
    mean = total / r.n
    return _with_error(r, mean, max(0.0, squares - total * mean))


def _with_error(r: Ranked, mean: float, squares: float) -> Estimate:
    """The mean, given Σ over independent units of (Σ w · (loss − mean))²."""
    n = r.positive + r.negative
    few = too_few_rows(r)
    free = n - r.units[2] / n
    if not free > NOTHING * n:
        return Estimate(mean, None, "identity", "too_few", few)
    se = math.sqrt(squares / free / n)
    return Estimate(mean, se, "identity", "too_few" if few else "ok", few)
