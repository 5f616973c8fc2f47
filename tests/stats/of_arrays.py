"""The metrics of a score from arrays of rows: label (true for the positive one), score, weight, person."""

from __future__ import annotations

from typing import Any

from govern.stats import calibration as calibrated
from govern.stats import rank_metrics, score_means
from govern.stats.calibration import Calibration
from govern.stats.estimate import Estimate
from govern.stats.ranked import rank


def roc_auc(y: Any, score: Any, w: Any = None, cluster: Any = None) -> Estimate:
    return rank_metrics.roc_auc(rank(y, score, w, cluster))


def average_precision(y: Any, score: Any, w: Any = None, cluster: Any = None) -> Estimate:
    return rank_metrics.average_precision(rank(y, score, w, cluster))


def log_loss(y: Any, score: Any, w: Any = None, cluster: Any = None) -> Estimate:
    return score_means.log_loss(rank(y, score, w, cluster))


def brier_score(y: Any, score: Any, w: Any = None, cluster: Any = None) -> Estimate:
    return score_means.brier_score(rank(y, score, w, cluster))


def calibration(y: Any, score: Any, bins: int = calibrated.BINS) -> Calibration:
    r = rank(y, score)
    why = score_means.refused(r)
    return Calibration(why, None, why.reason, (), None) if why else calibrated.calibration_of(r, bins)
