"""The model beside a trivial one: always the more frequent label, a constant score at its rate, or the mean outcome."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from govern.evidence import OVERALL, Interval, Measurement
from govern.inputs.labels import Target
from govern.measure.rates import LEVEL
from govern.metrics import CLASSES_METRICS, COUNT_METRICS, DERIVED_METRICS, METRICS
from govern.stats.cube import Cube
from govern.stats.derived import derived
from govern.stats.means import MIN_ROWS
from govern.stats.multiclass import class_fit
from govern.stats.regression import Residuals

TRIVIAL = "trivial"
Z = 1.959963984540054
FIXED = "the trivial value taken as fixed"
PAIRED = "paired, by rows on which the two differ"
NO_ROWS = "the trivial model leaves no row in its denominator"
REGRESSION = ("mean_absolute_error", "mean_squared_error", "root_mean_squared_error", "r2_score")


def of_classes(cube: Cube, target: Target, measured: Sequence[Measurement]) -> Iterator[Measurement]:
    """The value of each metric for the trivial model of a classification, reference "trivial", and the difference of
    the model's from it; `measured` are the model's.

    Metrics that a better model raises or lowers, of everyone, in a multiclass task those over all classes; not those of
    calibration, which a constant score at the rate of the label does not miss. Weighted where rows are. The variance of
    the difference is that of the paired rows for accuracy, else that of the model's own metric.
    """
    true, predicted = cube.table[:, -2], cube.table[:, -1]
    sums = cube.sums_at(true, len(target.classes))
    most = int(np.argmax(sums))
    found = _binary(sums.tolist(), most) if target.task == "binary" else _multiclass(cube, target, most)
    accuracy = "accuracy" if target.task == "binary" else "multiclass_accuracy"
    of_model = _of_model(measured)
    n = math.fsum(sums.tolist())
    for metric, value in found.items():
        if metric == accuracy:
            x, rows = sums[most].item(), n
            share = (x, rows) if cube.weighted else (int(x), int(rows))
            yield Measurement(metric, x / rows, reference=TRIVIAL, numerator=share[0], denominator=share[1])
            yield _paired(metric, cube, (predicted == true).astype(np.int64) - (true == most))
        elif metric in of_model:
            yield from _both(metric, value, of_model[metric])


def of_numbers(residuals: Residuals, measured: Sequence[Measurement]) -> Iterator[Measurement]:
    """As `of_classes`, of a regression: the trivial model says the mean outcome for every row."""
    of_model = _of_model(measured)
    absolute, squared = residuals.about_mean()
    values: dict[str, float | str] = {"mean_absolute_error": absolute, "mean_squared_error": squared,
                                      "root_mean_squared_error": math.sqrt(squared), "r2_score": 0.0}
    for metric in REGRESSION:
        yield from _both(metric, values[metric], of_model[metric])


def _of_model(measured: Sequence[Measurement]) -> dict[str, Measurement]:
    return {m.metric: m for m in measured if m.group == OVERALL and m.reference is None and m.label is None
            and m.slice is None and not m.features and m.decision is None}


def _binary(sums: Sequence[float], most: int) -> dict[str, float | str]:
    """Values by metric; a text says why one is undefined."""
    negative, positive = sums
    cells = {"tp": positive, "fp": negative, "fn": 0.0, "tn": 0.0} if most else \
        {"tp": 0.0, "fp": 0.0, "fn": positive, "tn": negative}
    found: dict[str, float | str] = {}
    for metric in COUNT_METRICS:
        row = METRICS[metric]
        if row.better != "neither":
            x, n = (math.fsum(cells[c] for c in side) for side in (row.numerator, row.denominator))
            found[metric] = x / n if n else NO_ROWS
    for metric in DERIVED_METRICS:
        e = derived(metric, tuple(cells.values()))
        found[metric] = e.reason or NO_ROWS if e.value is None else e.value
    rate = positive / (positive + negative)
    return found | {"roc_auc": 0.5, "gini": 0.0, "ks_statistic": 0.0, "lift_top_decile": 1.0, "average_precision": rate,
                    "log_loss": _entropy((rate, 1 - rate)), "brier_score": rate * (1 - rate)}


def _multiclass(cube: Cube, target: Target, most: int) -> dict[str, float | str]:
    k = len(target.classes)
    rows, sums = np.zeros((k, k), np.int64), np.zeros((k, k))
    np.add.at(rows[:, most], cube.table[:, -2], cube.n)
    sums[:, most] = cube.sums_at(cube.table[:, -2], k)
    # Of the fit only the values are taken, for which any variance will do.
    fit = class_fit(rows, target.classes, sums, lambda gradient: float((gradient * gradient * sums).sum()))
    found: dict[str, float | str] = {"multiclass_accuracy": 0.0}
    for metric, e in fit.estimates.items():
        found[metric] = e.reason or NO_ROWS if e.value is None else e.value
    shares = (sums[:, most] / math.fsum(sums[:, most].tolist())).tolist()
    found |= {"macro_roc_auc": 0.5, "multiclass_log_loss": _entropy(shares)}
    return {metric: found[metric] for metric in ("multiclass_accuracy", *CLASSES_METRICS) if metric in found}


def _entropy(shares: Sequence[float]) -> float:
    return -math.fsum(p * math.log(p) for p in shares if p > 0)


def _both(metric: str, value: float | str, model: Measurement) -> Iterator[Measurement]:
    """The trivial value, and the difference with the standard error that the model's wider side of 95 % stands for."""
    if isinstance(value, str):
        yield Measurement(metric, None, "undefined", value, reference=TRIVIAL)
        yield Measurement(metric, None, "undefined", value, reference=TRIVIAL, compare="difference")
        return
    yield Measurement(metric, value, reference=TRIVIAL)
    if model.value is None:
        yield Measurement(metric, None, "undefined", model.reason, reference=TRIVIAL, compare="difference")
        return
    held, difference = model.interval, model.value - value
    if held is None or held.low is None or held.high is None:
        yield Measurement(metric, difference, "too_few", model.reason, reference=TRIVIAL, compare="difference")
        return
    se = max(model.value - held.low, held.high - model.value) / Z
    yield _difference(metric, difference, se, FIXED)


def _paired(metric: str, cube: Cube, better: NDArray[np.int64]) -> Measurement:
    """The difference of two accuracies on the same rows: `better` (n_cells,) is 1 where only the model is right, −1
    where only the trivial one is.

    The variance is that of the mean of `better` over independent units, with half a row more of either kind, so that
    it does not vanish where the two agree everywhere. Source: McNemar 1947, Psychometrika 12:153–157; halves as in
    Agresti & Min 2005, Stat. Med. 24:729–740.
    """
    n = math.fsum(cube.sums.tolist())
    won, lost = (math.fsum(cube.sums[better == side].tolist()) for side in (1, -1))
    value = (won - lost) / n
    sure = n * n / cube.variance(np.ones(len(cube.n)))
    if sure < MIN_ROWS * (1 - 1e-9):
        return Measurement(metric, value, "too_few", f"fewer than {MIN_ROWS} rows", reference=TRIVIAL,
                           compare="difference")
    apart = better.astype(np.float64) - value
    se = math.sqrt(cube.variance(apart / n) + 1 / (sure * sure))
    counts = (won, lost, n) if cube.weighted else (int(won), int(lost), int(n))
    return replace(_difference(metric, value, se, PAIRED), numerator=counts[0], denominator=counts[2],
                   reference_numerator=counts[1], reference_denominator=counts[2])


def _difference(metric: str, value: float, se: float, method: str) -> Measurement:
    return Measurement(metric, value, reference=TRIVIAL, compare="difference", se=se, transform="identity",
                       interval=Interval.reading(value - Z * se, value + Z * se, LEVEL, method))
