"""Metrics that are smooth functions of the four confusion cells, with standard errors by linearisation.

Cells are rows, or sums of weights; `moments` are the ten sums of products of `evidence.Sampling`, for plain rows
the rows themselves. Scalar closed forms over the standard library: the gate may judge them at any threshold.

The variance is gradientᵀ · moments · gradient, taken with half a row more in every cell (half a typical unit
where rows are weighted), the estimate without: else a model that answers everyone alike, or never errs in one
of the labels, has a variance of 0. Measured coverage of nominal 95 % intervals over 40 models (prevalence .05 to
.9, true positive rate .3 to .99) at 20 to 2,000 rows, 20,000 draws each, 10 rows or more expected of each label:
mean .95 to .97, least .91 (without the half row .57); identity instead of Fisher's z for the Matthews
correlation: least .87. With 5 rows expected the least is .86, so below 10 rows there is no interval.
Source: Binder 1983, Int. Stat. Rev. 51:279–292; half a row as in Agresti & Coull 1998, Am. Stat. 52:119–126.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from govern.stats.effective import PLACES, quadratic
from govern.stats.estimate import Estimate, undefined

MIN_ROWS = 10
HALF = 0.5
Cells = tuple[float, float, float, float]
NO_POSITIVE = "no row has the positive label or is predicted positive"
ONE_LABEL = "all rows have one label"
ONE_PREDICTION = "all rows have one prediction"


def derived(metric: str, cells: Sequence[float], moments: Sequence[float] | None = None, *,
            rows: Sequence[int] | None = None) -> Estimate:
    """The derived metric of cells tp, fp, fn, tn; undefined where its denominator is 0 (scikit-learn says 0).

    `moments` (10,) and `rows` (4,) are given where rows are weighted or repeat persons; too few below 10 rows of
    either label, for the F scores of the positive label.

    Raises: KeyError for a metric that is not derived.
    """
    value_of, gradient_of = _METRICS[metric]
    tp, fp, fn, tn = (float(c) for c in cells)
    found = value_of(tp, fp, fn, tn)
    if isinstance(found, str):
        return undefined(found)
    if moments is None:
        moments = [float(cells[a]) if a == b else 0.0 for a, b in PLACES]
    counted = rows or cells
    positive, negative = counted[0] + counted[2], counted[1] + counted[3]
    f_score = metric in BETA
    transform = "fisher" if metric == "matthews_correlation" else "logit"
    if found in _ends(metric):
        # One case less sure than certain: the fewest units of which another outcome would have changed it.
        inside = [(0, 2)] if f_score and found == 1.0 else [(1, 2)] if f_score else [(0, 2), (1, 3)]
        se = math.sqrt(1 / min(_units(cells, moments, places) for places in inside))
    else:
        se = math.sqrt(_variance(gradient_of, cells, moments))
        se /= 1 - found * found if transform == "fisher" else found * (1 - found)
    if positive < MIN_ROWS or (negative < MIN_ROWS and not f_score):
        label = "the positive label" if f_score else "one of the labels"
        return Estimate(found, se, transform, "too_few", f"fewer than {MIN_ROWS} rows with {label}")
    return Estimate(found, se, transform)


def _ends(metric: str) -> tuple[float, float]:
    return (-1.0, 1.0) if metric == "matthews_correlation" else (0.0, 1.0)


def _variance(gradient_of: Callable[[float, float, float, float], Cells], cells: Sequence[float],
              moments: Sequence[float]) -> float:
    """gradientᵀ · moments · gradient with half a typical unit added to every cell."""
    unit = quadratic((1.0, 1.0, 1.0, 1.0), moments) / math.fsum(cells)
    tp, fp, fn, tn = (c + HALF * unit for c in cells)
    more = [m + (HALF * unit * unit if a == b else 0.0) for (a, b), m in zip(PLACES, moments, strict=True)]
    return quadratic(gradient_of(tp, fp, fn, tn), more)


def _units(cells: Sequence[float], moments: Sequence[float], places: tuple[int, int]) -> float:
    """Effective units in two cells, (Σw)² / Σw²; one where they are empty."""
    total = math.fsum(cells[p] for p in places)
    spread = quadratic([float(i in places) for i in range(4)], moments)
    return total * total / spread if spread > 0 else 1.0


def _balanced(tp: float, fp: float, fn: float, tn: float) -> float | str:
    return (tp / (tp + fn) + tn / (tn + fp)) / 2 if tp + fn and tn + fp else ONE_LABEL


def _balanced_gradient(tp: float, fp: float, fn: float, tn: float) -> Cells:
    p, n = (tp + fn) ** 2, (fp + tn) ** 2
    return fn / p / 2, -tn / n / 2, -tp / p / 2, fp / n / 2


def _f(bb: float) -> Callable[[float, float, float, float], float | str]:
    """F score with β² = `bb`. Source: van Rijsbergen 1979, Information Retrieval, ch. 7."""
    def value(tp: float, fp: float, fn: float, tn: float) -> float | str:
        below = (1 + bb) * tp + bb * fn + fp
        return (1 + bb) * tp / below if below else NO_POSITIVE
    return value


def _f_gradient(bb: float) -> Callable[[float, float, float, float], Cells]:
    def gradient(tp: float, fp: float, fn: float, tn: float) -> Cells:
        below = (1 + bb) * tp + bb * fn + fp
        f = (1 + bb) * tp / below
        return (1 + bb) * (1 - f) / below, -f / below, -f * bb / below, 0.0
    return gradient


def _matthews(tp: float, fp: float, fn: float, tn: float) -> float | str:
    """Source: Matthews 1975, Biochim. Biophys. Acta 405:442–451."""
    if not (tp + fn and tn + fp):
        return ONE_LABEL
    if not (tp + fp and tn + fn):
        return ONE_PREDICTION
    below = math.sqrt(tp + fp) * math.sqrt(tp + fn) * math.sqrt(tn + fp) * math.sqrt(tn + fn)
    if not fp and not fn:
        return 1.0
    if not tp and not tn:
        return -1.0
    return max(-1.0, min(1.0, (tp * tn - fp * fn) / below))


def _matthews_gradient(tp: float, fp: float, fn: float, tn: float) -> Cells:
    a, b, c, d = tp + fp, tp + fn, tn + fp, tn + fn
    below = math.sqrt(a) * math.sqrt(b) * math.sqrt(c) * math.sqrt(d)
    half = (tp * tn - fp * fn) / below / 2
    return (tn / below - half * (1 / a + 1 / b), -fn / below - half * (1 / a + 1 / c),
            -fp / below - half * (1 / b + 1 / d), tp / below - half * (1 / c + 1 / d))


BETA = {"f1_score": 1.0, "f2_score": 4.0, "f05_score": 0.25}
_METRICS: dict[str, tuple[Callable[[float, float, float, float], float | str],
                          Callable[[float, float, float, float], Cells]]] = {
    "balanced_accuracy": (_balanced, _balanced_gradient),
    **{name: (_f(bb), _f_gradient(bb)) for name, bb in BETA.items()},
    "matthews_correlation": (_matthews, _matthews_gradient),
}
