"""Metrics over all classes of a multiclass task, with standard errors, from a confusion matrix.

Values equal scikit-learn's, except that a class without the rows its own value needs is left out of a mean and
named, where scikit-learn counts it as 0. Matrices are (n_classes, n_classes): true class first, predicted second.

The variance is that of the linearised metric, taken with a row more in every class, spread over its cells (a
typical unit where rows are weighted), the estimate without: else a class that is never or always recognised
would have none. Measured coverage of nominal 95 % intervals over 24 tables of 3, 5 and 10 classes at 50 to 1,000
rows, 400 draws each: mean .95 of every metric, least .90.
Source: Binder 1983, Int. Stat. Rev. 51:279–292; the row as in Agresti & Coull 1998, Am. Stat. 52:119–126.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from govern.stats.estimate import Estimate, undefined
from govern.stats.means import MIN_ROWS, NO_ROWS, Share, Sums, effective_rows, too_few

MIN_EACH = 10
EPS = float(np.finfo(np.float64).eps)
MACRO_METRICS = ("macro_precision", "macro_recall", "macro_f1", "weighted_f1", "micro_f1", "multiclass_matthews")
Floats = NDArray[np.float64]
IntArray = NDArray[np.int64]
Variance = Callable[[Floats], float]


@dataclass(frozen=True)
class ClassFit:
    """The metrics of a group of `n` rows over all classes: the share of correct rows, and estimates by name."""

    n: int
    accuracy: Share
    estimates: dict[str, Estimate]


def class_fit(rows: IntArray, classes: Sequence[str], sums: Floats | None = None, variance: Variance | None = None
              ) -> ClassFit:
    """multiclass_accuracy as a share, and MACRO_METRICS as estimates, from the rows (K, K) of a group.

    With weights or repeated persons `sums` (K, K) are Σ weight, and `variance` gives for a gradient (K, K) the
    variance of Σ gradient · sums. Standard errors stand on the logit scale, of Matthews on Fisher's. Undefined
    without rows, Matthews also where all rows have or get one class; too few below 30 rows (effective ones too),
    for the unweighted means also below 10 rows of a class.
    """
    table = _Table(rows.astype(np.float64) if sums is None else sums, rows, tuple(classes), variance)
    if not table.n or not table.total > 0:
        return ClassFit(table.n, Share(0, 0) if variance is None else Share(0.0, 0.0, 0.0),
                        dict.fromkeys(MACRO_METRICS, undefined(NO_ROWS)))
    return ClassFit(table.n, table.accuracy, {
        "macro_precision": table.mean_of_classes(0, 1, "never predicted"),
        "macro_recall": table.mean_of_classes(1, 0, "without rows"),
        "macro_f1": table.mean_of_classes(1, 1, "without rows and never predicted"),
        "weighted_f1": table.weighted_f1(),
        "micro_f1": table.micro_f1(),
        "multiclass_matthews": table.matthews(),
    })


@dataclass(frozen=True)
class _Table:
    """A confusion matrix of sums `c` and of rows; `of`: the variance of Σ gradient · c, None for plain rows."""

    c: Floats
    rows: IntArray
    classes: tuple[str, ...]
    of: Variance | None

    @cached_property
    def n(self) -> int:
        return int(self.rows.sum())

    @cached_property
    def total(self) -> float:
        return math.fsum(self.c.ravel().tolist())

    @cached_property
    def units(self) -> float:
        """Σ over units of their squared weight: for plain rows their number."""
        return self._variance(np.ones_like(self.c))

    @cached_property
    def smooth(self) -> Floats:
        """The matrix with a unit more in every class."""
        return self.c + self.units / self.total / len(self.c)

    @cached_property
    def accuracy(self) -> Share:
        x = math.fsum(np.diag(self.c).tolist())
        if self.of is None:
            return Share(int(x), self.n)
        p = min(1.0, x / self.total)
        variance = self._variance((np.eye(len(self.c)) - p) / self.total)
        return Share(x, self.total, effective_rows(p, variance, self.total, self.units))

    def _variance(self, gradient: Floats) -> float:
        if self.of is not None:
            return self.of(gradient)
        return math.fsum((gradient * gradient * self.rows).ravel().tolist())

    def _spread(self, gradient: Floats) -> float:
        """The root of the variance for a gradient at the smooth matrix, the added units included."""
        unit = self.units / self.total
        more = math.fsum((gradient * gradient).ravel().tolist()) * unit * unit / len(self.c)
        return math.sqrt(self._variance(gradient) + more)

    def mean_of_classes(self, by_true: int, by_predicted: int, absent: str) -> Estimate:
        """The mean of the classes' recall (1, 0), precision (0, 1) or F1 (1, 1)."""
        sides = by_true + by_predicted
        bottom = by_true * self.c.sum(axis=1) + by_predicted * self.c.sum(axis=0)
        kept = bottom > 0
        m = int(kept.sum())
        top = sides * np.diag(self.c)
        value = min(1.0, math.fsum((top[kept] / bottom[kept]).tolist()) / m)
        s = self.smooth
        bottom = by_true * s.sum(axis=1) + by_predicted * s.sum(axis=0)
        scale = kept / bottom / m
        loss = sides * np.diag(s) / bottom * scale
        gradient = sides * np.diag(scale) - by_true * loss[:, None] - by_predicted * loss[None, :]
        rows = by_true * self.rows.sum(axis=1) + by_predicted * self.rows.sum(axis=0)
        smallest = float((rows[kept] / sides).min()) * self.total**2 / self.units / self.n
        few = f"fewer than {MIN_EACH} rows of a class" if smallest < MIN_EACH * (1 - 1e-9) else None
        return self._on_logit(value, gradient, smallest, few, _without(self.classes, kept, absent))

    def weighted_f1(self) -> Estimate:
        """The mean of the classes' F1, each weighted by its rows."""
        value = min(1.0, math.fsum((self._f1(self.c) * self.c.sum(axis=1)).tolist()) / self.total)
        s = self.smooth
        f, total = self._f1(s), float(s.sum())
        pull = s.sum(axis=1) / (s.sum(axis=1) + s.sum(axis=0))
        mean = float((f * s.sum(axis=1)).sum()) / total
        gradient = (f[:, None] - mean + 2 * np.diag(pull) - (pull * f)[:, None] - (pull * f)[None, :]) / total
        return self._on_logit(value, gradient, self.total**2 / self.units)

    def micro_f1(self) -> Estimate:
        """F1 of the summed one-against-the-rest counts, which is the share of correct rows."""
        p = self.accuracy.value
        s, total = self.smooth, float(self.smooth.sum())
        gradient = (np.eye(len(s)) - float(np.trace(s)) / total) / total
        return self._on_logit(p, gradient, self.total**2 / self.units)

    def matthews(self) -> Estimate:
        """Correlation of true and predicted class (−1 to 1). Source: Gorodkin 2004, Comput. Biol. Chem. 28:367–374."""
        for axis, why in ((1, "all rows have the same class"), (0, "all rows are predicted the same class")):
            if (self.rows.sum(axis=axis) > 0).sum() < 2:
                return undefined(why)
        shared, free_p, free_t = _correlation(self.c / self.total)
        value = min(1.0, max(-1.0, shared / math.sqrt(free_p * free_t)))
        few = too_few(self.n, self.total**2 / self.units)
        q = self.smooth / self.smooth.sum()
        shared, free_p, free_t = _correlation(q)
        t, p = q.sum(axis=1), q.sum(axis=0)
        gradient = np.eye(len(q)) - p[:, None] - t[None, :]
        gradient += shared * (p[None, :] / free_p + t[:, None] / free_t)
        gradient /= math.sqrt(free_p * free_t)
        # Shares of cells add up to 1, so that only differences from their mean count.
        gradient = (gradient - float((gradient * q).sum())) / float(self.smooth.sum())
        se = math.sqrt(self.units) / self.total
        if abs(value) < 1:
            se = self._spread(gradient) / (1 - value * value)
        return Estimate(value, se, "fisher", "too_few" if few else "ok", few)

    @staticmethod
    def _f1(c: Floats) -> Floats:
        both = c.sum(axis=1) + c.sum(axis=0)
        found: Floats = np.divide(2 * np.diag(c), both, out=np.zeros(len(c)), where=both > 0)
        return found

    def _on_logit(self, value: float, gradient: Floats, cases: float, few: str | None = None,
                  reason: str | None = None) -> Estimate:
        """An estimate between 0 and 1; at either end its se is that of `cases` without a counter-example."""
        few = too_few(self.n, self.total**2 / self.units) or few
        se = 1 / math.sqrt(cases) if value in (0.0, 1.0) else self._spread(gradient) / (value * (1 - value))
        return Estimate(value, se, "logit", "too_few" if few else "ok", few or reason)


def _correlation(q: Floats) -> tuple[float, float, float]:
    """Covariance of true and predicted class, and the variances of the predicted and of the true class."""
    t, p = q.sum(axis=1), q.sum(axis=0)
    return (math.fsum(np.diag(q).tolist()) - math.fsum((t * p).tolist()),
            1 - math.fsum((p * p).tolist()), 1 - math.fsum((t * t).tolist()))


def _without(classes: Sequence[str], kept: Sequence[bool] | NDArray[np.bool_], why: str) -> str | None:
    left = [name for name, k in zip(classes, kept, strict=True) if not k]
    return f"without the class{'es' if len(left) > 1 else ''} {', '.join(left)}: {why}" if left else None


def log_losses(score: Floats) -> Floats:
    """−log of the probability of the true class (nats), clipped at 2⁻⁵², (n,)."""
    loss: Floats = -np.log(np.clip(score, EPS, 1 - EPS))
    return loss


def loss_sums(score: Floats, n: IntArray, w: Floats | None = None, w2: Floats | None = None) -> Sums:
    """The sums of the log losses of entries: `score` the probability of the true class, `n` rows, Σ weight and
    Σ weight² of each entry, all (n_entries,). Their `mean()` is multiclass_log_loss.
    """
    loss = log_losses(score)
    w, w2 = (n.astype(np.float64) if a is None else a for a in (w, w2))
    order = np.lexsort((w2, w, n, loss))
    loss, w, w2 = loss[order], w[order], w2[order]
    parts = (w, w * loss, w2, w2 * loss, w2 * loss * loss)
    return Sums(int(n.sum()), *(float(a.sum()) for a in parts))


def macro_roc_auc(of_class: Sequence[Estimate], classes: Sequence[str], variance: float | None = None) -> Estimate:
    """The mean of the classes' ROC AUC, each against all others (0 to 1); se on the logit scale.

    `of_class` are `scores.roc_auc` of each class, se on the logit scale. They share their rows: `variance` is that of
    the mean where the caller knows it; otherwise the mean of the standard errors, which no correlation exceeds.
    Classes without rows of either kind are left out and named. Source of the value: scikit-learn's
    roc_auc_score(multi_class="ovr", average="macro").
    """
    known = [(e, e.value) for e in of_class if e.value is not None]
    if not known:
        return undefined("no class has rows of both kinds")
    value = math.fsum(v for _, v in known) / len(known)
    reason = _without(classes, [e.value is not None for e in of_class], "no rows of both kinds")
    few = next((e.reason for e, _ in known if e.status == "too_few"), None)
    if any(e.se is None for e, _ in known):
        return Estimate(value, None, "logit", "too_few", few or f"fewer than {MIN_ROWS} rows")
    spreads = [_spread(v, e.se or 0.0) for e, v in known]
    spread = math.fsum(spreads) / len(known) if variance is None else math.sqrt(variance)
    inside = 0 < value < 1 and spread > 0
    se = spread / (value * (1 - value)) if inside else max(e.se or 0.0 for e, _ in known)
    return Estimate(value, se, "logit", "too_few" if few else "ok", few or reason)


def _spread(value: float, se: float) -> float:
    """A standard error on the logit scale brought to the scale of the value; at 0 or 1 that of 1/se² cases."""
    if 0 < value < 1:
        return se * value * (1 - value)
    cases = 1 / se**2
    rate = (value * cases + 2) / (cases + 4)
    return math.sqrt(rate * (1 - rate) / (cases + 4))
