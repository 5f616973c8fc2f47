"""Metrics of a score with their standard errors, for everyone, for groups and for the rest of each group.

Values equal scikit-learn's to 1e-12, weighted too. `y` (n_rows,) is true for the positive label, `score` (n_rows,)
is finite and rises with it, `w` (n_rows,) are weights ≥ 0, `cluster` (n_rows,) codes of persons whom rows repeat. No
function depends on the order of the rows. Results that need an explanation carry a status instead of a number that
is not one: see `Estimate`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from govern.stats import calibration as calibrated
from govern.stats import curves, rank_metrics, score_means, slope
from govern.stats.calibration import Bin, BrierParts, Calibration
from govern.stats.curves import Points
from govern.stats.estimate import Estimate
from govern.stats.expected_calibration import expected_calibration_error
from govern.stats.intervals import Pair
from govern.stats.ranked import IntArray, Ranked, RankedRows
from govern.stats.score_means import Losses

COMPARED = ("roc_auc", "average_precision", "log_loss", "brier_score")


@dataclass(frozen=True, slots=True)
class More:
    """What is measured of everyone and of a group, but not of the rest of a group.

    `expected_bounds` are 95 % bounds of the expected calibration error, None where it has none. `brier` is None and
    `bins` empty where scores are not probabilities; `p_value` None where `p_reason` says why.
    `roc` and `precision_recall` are points (x, y), empty without the labels they need.
    """

    gini: Estimate
    ks_statistic: Estimate
    lift_top_decile: Estimate
    mean_score: Estimate
    calibration_error: Estimate
    expected_calibration_error: Estimate
    expected_bounds: Pair | None
    calibration_slope: Estimate
    calibration_intercept: Estimate
    p_value: float | None
    p_reason: str | None
    brier: BrierParts | None
    bins: tuple[Bin, ...]
    roc: Points
    precision_recall: Points


@dataclass(frozen=True, slots=True)
class Scores:
    """The metrics of a score over `n` rows, `n_positive` of them with the positive label.

    `binned`: the scores are middles of bins; the AUC then lies within `auc_error` of that of the scores
    themselves: Σ over bins of pos · neg / (2 · n₊ · n₋), half of the pairs whose order the bins hide. 0 when exact.
    Other metrics have no such bound; of 200,000 rows in bins of 2⁻¹⁴ the Brier score and log loss err by less than
    2e-5, average precision by less than 1e-4 (tests/stats/test_scores_binned.py).
    `more` is None for the rest of a group.
    """

    n: int
    n_positive: int
    roc_auc: Estimate
    average_precision: Estimate
    log_loss: Estimate
    brier_score: Estimate
    binned: bool = False
    auc_error: float = 0.0
    more: More | None = None


@dataclass(frozen=True, slots=True)
class GroupScores:
    """The metrics of a group (`own`) and of all rows outside it (`rest`); the two are independent."""

    own: Scores
    rest: Scores


def scores(rows: RankedRows, losses: Losses | None = None) -> Scores:
    """All metrics over all rows; `rows` is `rank_rows(y, score)`.

    `losses` are the sums of losses of the rows behind binned scores, for unweighted rows.
    """
    return _scores(rows.everyone, rows.binned, losses, whole=True)


def by_groups(rows: RankedRows, codes: IntArray, k: int, losses: Sequence[Losses] | None = None,
              everyone: Losses | None = None) -> list[GroupScores]:
    """All metrics of group 0 … k − 1 and of the rest of each.

    `rows` is `rank_rows(y, score)`, made once for any number of splits; `codes` (n_entries,) gives the group of
    each entry in the order of `y`, −1 for none. The metrics of an empty group are undefined. `losses` holds the sums
    of losses of each group and `everyone` those of all rows, both or neither, as in `scores`.

    Raises: ValueError for codes outside −1 … k − 1 or not one for each entry, or sums of losses for another number
    of groups.
    """
    if (losses is None) != (everyone is None) or (losses is not None and len(losses) != k):
        raise ValueError(f"sums of losses are needed for each of {k} groups and for everyone, or not at all")
    found = []
    for g, (own, rest) in enumerate(rows.groups(codes, k)):
        of_own, of_rest = (losses[g], everyone.without(losses[g])) if losses and everyone else (None, None)
        found.append(GroupScores(_scores(own, rows.binned, of_own, whole=True),
                                 _scores(rest, rows.binned, of_rest, whole=False)))
    return found


def _calibration(r: Ranked) -> Calibration:
    why = score_means.refused(r)
    return Calibration(why, None, why.reason, (), None) if why else calibrated.calibration_of(r)


def _scores(r: Ranked, binned: bool, losses: Losses | None, *, whole: bool) -> Scores:
    auc = rank_metrics.roc_auc(r)
    error = 0.0
    if binned and r.positive and r.negative:
        error = float((r.pos * r.neg).sum()) / (2 * r.positive * r.negative)
    return Scores(r.n, r.n_positive, auc, rank_metrics.average_precision(r), score_means.log_loss(r, losses),
                  score_means.brier_score(r, losses), binned, error, _more(r, auc) if whole else None)


def _more(r: Ranked, auc: Estimate) -> More:
    found = _calibration(r)
    of_slope, intercept = slope.slope_and_intercept(r)
    refused = score_means.refused(r)
    expected, band = (refused, None) if refused else expected_calibration_error(r)
    return More(
        gini=rank_metrics.gini(auc), ks_statistic=rank_metrics.ks_statistic(r),
        lift_top_decile=rank_metrics.lift_top_decile(r), mean_score=score_means.mean_score(r),
        calibration_error=found.error,
        expected_calibration_error=expected, expected_bounds=band,
        calibration_slope=of_slope, calibration_intercept=intercept, p_value=found.p_value,
        p_reason=found.p_reason, brier=found.brier, bins=found.bins,
        roc=curves.roc_points(r), precision_recall=curves.precision_recall_points(r))
