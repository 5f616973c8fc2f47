"""Metrics of the order of scores: ROC AUC, Gini, average precision, KS, lift. Any finite scores will do.

Each takes the sums per distinct score. Standard errors come from the influence of a row on the metric, squared
and added over independent units (`Ranked.squares`), so weights and repeated persons need no formulas of their own.
"""

from __future__ import annotations

import math

import numpy as np

from govern.stats.estimate import Estimate, undefined
from govern.stats.ranked import NOTHING, Ranked, Sums

MIN_EACH = 10
TOP_SHARE = 0.1
NEAR_CUT = 0.025  # of the rows, on either side of the cut of the lift
KS_WIDTH = math.sqrt(math.log(2 / 0.025) / 2) / 1.959963984540054
NO_ROWS = "no rows"
ONE_CLASS = "all rows have the same label"
NO_POSITIVES = "no row has the positive label"


def too_few_of_a_label(r: Ranked) -> str | None:
    """Why there is no interval when either label has fewer than 10 rows, or effective rows; else None."""
    if min(r.n_positive, r.n_negative) < MIN_EACH:
        return f"fewer than {MIN_EACH} rows of a label"
    if min(r.effective[:2]) < MIN_EACH:
        return f"weights or repeated persons leave fewer than {MIN_EACH} effective rows of a label"
    return None


def one_class(r: Ranked) -> str | None:
    """Why a metric that needs both labels is undefined, else None."""
    if r.positive and r.negative:
        return None
    return ONE_CLASS if r.positive or r.negative else NO_ROWS


def roc_auc(r: Ranked) -> Estimate:
    """Area under the ROC curve (0 to 1), ties counted half; se on the logit scale.

    Undefined with one label only; too few below 10 rows (effective rows) of either label. Where the variance
    estimate is 0 (perfect ranking, all scores equal) se is 1/√min(n₊, n₋), so that an interval keeps a width.
    With weights and clusters the placement values are weighted and summed within persons, and n₊ − 1 becomes
    Σw − Σ(Σw of a person)²/Σw. Source: DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44:837–845; persons
    Obuchowski 1997, Biometrics 53:567–578; logit scale: Pepe 2003, The Statistical Evaluation of Medical Tests.
    """
    if why := one_class(r):
        return undefined(why)
    p, q, (p2, q2, _) = r.positive, r.negative, r.units
    # Twice the weight of negatives below (positives above) each score, ties half: whole numbers stay exact.
    beaten = 2 * np.cumsum(r.neg) - r.neg
    beating = 2 * _at_or_above(r.pos) - r.pos
    value = (r.pos * beaten).sum().item() / (2 * p * q)
    free_p, free_q = p - p2 / p, q - q2 / q
    if not free_p > NOTHING * p or not free_q > NOTHING * q:
        return _on_logit(r, value, None)
    of_pos, of_neg = beaten / (2 * q) - value, beating / (2 * p) - value
    if r.repeats is None:
        variance = float((r.pos2 * of_pos**2).sum()) / free_p / p
        variance += float((r.neg2 * of_neg**2).sum()) / free_q / q
    else:
        # Persons may have rows of both labels, so the two parts are added before they are squared.
        variance = r.squares(of_pos / math.sqrt(free_p * p), of_neg / math.sqrt(free_q * q))
    return _on_logit(r, value, variance)


def gini(auc: Estimate) -> Estimate:
    """2 · AUC − 1 (−1 to 1) from `roc_auc`, se on Fisher's scale.

    The inverse hyperbolic tangent of it is half the logit of the AUC, so on this scale the interval of the one is
    that of the other, 2 · bound − 1, at the ends too.
    """
    if auc.value is None:
        return auc
    value = 2 * auc.value - 1
    se = auc.se if auc.se is None or abs(value) == 1 else auc.se / 2
    return Estimate(value, se, "fisher", auc.status, auc.reason)


def average_precision(r: Ranked) -> Estimate:
    """Mean precision over the positive rows by falling score (0 to 1), tied scores together; se on the logit.

    Undefined without positive rows; too few below 10 rows of either label. se by the infinitesimal jackknife:
    the root of the summed squares of the derivatives with respect to each row's (each person's) weight. Where it
    is 0 se is 1/√min(n₊, n₋). Source: Jaeckel 1972; Efron 1982, The Jackknife, the Bootstrap and Other Resampling
    Plans, ch. 6; logit scale: Boyd, Eng & Page 2013, ECML PKDD.
    """
    p, q = r.positive, r.negative
    if not p:
        return undefined(NO_POSITIVES if q else NO_ROWS)
    tp = _at_or_above(r.pos)
    chosen = tp + _at_or_above(r.neg)
    chosen = np.where(chosen > 0, chosen, 1)  # where a subset has no rows at or above: its terms are 0
    precision = tp / chosen
    value = float((r.pos * precision).sum()) / p
    # The weight of a row changes the precision at its own and every lower score: by (1 − precision) / chosen
    # for a positive, by −precision / chosen for a negative row.
    step = r.pos / chosen
    loss = np.cumsum(step * precision)
    gain = np.cumsum(step * (1 - precision))
    variance = r.squares(precision - value + gain, -loss) / p / p if q else None
    return _on_logit(r, min(value, 1.0), variance)


def ks_statistic(r: Ranked) -> Estimate:
    """Largest distance between the score distributions of the two labels (0 to 1), Σw-weighted; se with it.

    The estimate is the largest of many noisy distances, so the normal error at the cut where it is found is too
    small below: its 95 % interval excludes a true 0 in over 40 % of samples and misses others in 5 to 25 %. se is
    the half-width of the two-sided 95 % band around the whole curve of differences when both labels have one
    distribution, √(ln(2/.025)/2 · (1/n₊ + 1/n₋)) with effective rows, divided by 1.96. Measured for true distances
    of 0 to .87, 30 to 2,000 rows of a label: 95 % intervals miss in at most 3.3 %; one-sided 95 % bounds in at most
    4 % from .1 up (at a true 0 a lower bound above 0 comes in 11 %). Repeated by tests/stats/test_rank_metrics.py.
    Undefined with one label only; too few below 10 rows of either label.
    Source: Hodges 1958, Ark. Mat. 3:469–486; Massart 1990, Ann. Probab. 18:1269–1283.
    """
    if why := one_class(r):
        return undefined(why)
    p, q = r.positive, r.negative
    apart = np.cumsum(r.pos) / p - np.cumsum(r.neg) / q
    value = min(float(np.abs(apart).max()), 1.0)
    p2, q2, _ = r.units
    se = KS_WIDTH * math.sqrt(p2 / p / p + q2 / q / q)
    few = too_few_of_a_label(r)
    return Estimate(value, se, "identity", "too_few" if few else "ok", few)


def lift_top_decile(r: Ranked) -> Estimate:
    """Rate of the positive label in the tenth of rows (of weight) with the highest scores, over that of all rows.

    Rows tied at the cut count pro rata. From 0 to 10; se of the logarithm by the influence of a row, where the
    rate at the cut, with which rows pushed over it count, is that of the 2½ % of rows on either side. It is at least
    2 divided by the positive rows of the top tenth, so that a tenth of positives only keeps a width. Measured: 95 %
    intervals miss in 4 to 6 % of samples of 150 to 5,000 rows. Undefined without positive rows; too few below 10
    rows of either label, 100 rows, or at 0. Source: influence of a quantile: Serfling 1980, Approximation Theorems
    of Mathematical Statistics, 6.2; least width: Hanley & Lippman-Hand 1983, JAMA 249:1743–1745 (rule of three).
    """
    p = r.positive
    if not p:
        return undefined(NO_POSITIVES if r.negative else NO_ROWS)
    both = r.pos + r.neg
    total = p + r.negative
    above = _at_or_above(both) - both
    some = np.where(both > 0, both, 1)
    share = ((TOP_SHARE * total - above) / some).clip(0, 1)
    top = float((share * r.pos).sum())
    value = top / TOP_SHARE / p
    few = too_few_of_a_label(r)
    if few is None and r.effective[2] < MIN_EACH / TOP_SHARE:
        few = f"fewer than {MIN_EACH} rows in the top tenth"
    if few or not top:
        return Estimate(value, None, "identity", "too_few", few or "no row of the top tenth has the positive label")
    middle = (above + both / 2) / total
    near = np.abs(middle - TOP_SHARE) <= max(NEAR_CUT, float(np.abs(middle - TOP_SHARE).min()))
    at_cut = float(r.pos[near].sum()) / float(both[near].sum())
    pushed = at_cut * (share - TOP_SHARE)
    variance = r.squares((share - pushed) / top - 1 / p, -pushed / top)
    least = 2 * p / (top * r.effective[0])
    return Estimate(value, max(math.sqrt(variance), least), "log")


def _at_or_above(values: Sums) -> Sums:
    return values[::-1].cumsum()[::-1]


def _on_logit(r: Ranked, value: float, variance: float | None) -> Estimate:
    few = too_few_of_a_label(r)
    if variance is None:
        return Estimate(value, None, "logit", "too_few", few or f"fewer than {MIN_EACH} rows of a label")
    flat = variance <= 1e-24 or value <= 0 or value >= 1
    se = 1 / math.sqrt(min(r.effective[:2])) if flat else math.sqrt(variance) / (value * (1 - value))
    return Estimate(min(max(value, 0.0), 1.0), se, "logit", "too_few" if few else "ok", few)
