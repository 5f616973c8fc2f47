"""The metric registry: every number a rule may judge or a card may show has one row here.

A row says what the number is, from which confusion counts it comes, which side is better and its
range. Standard library only: the gate and the cards read it without numpy. To add a metric, add a row
and, where it is not a ratio of counts, the function that measures it (`stats/scores.py`).

Counts are those of `evidence.Counts`: tp, fp, fn, tn of the positive label, and `selected`, the rows
predicted to have the favourable label.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Family = Literal["count", "score", "disparity", "smoke", "data", "compute"]
ALL = ("tp", "fp", "fn", "tn")


@dataclass(frozen=True, slots=True)
class Metric:
    """One registered number; `numerator` / `denominator` name the counts that are added up for it."""

    name: str
    title: str
    family: Family
    better: Literal["higher", "lower", "neither"]
    low: float | None = 0.0
    high: float | None = 1.0
    numerator: tuple[str, ...] = ()
    denominator: tuple[str, ...] = ()
    unit: str = ""
    no_gap: bool = True
    definition: str = ""


def _count(name: str, title: str, better: Literal["higher", "lower", "neither"], num: str, den: str,
           definition: str) -> Metric:
    return Metric(name, title, "count", better, numerator=tuple(num.split()), denominator=tuple(den.split()),
                  definition=definition)


def _plain(name: str, title: str, family: Family, better: Literal["higher", "lower", "neither"],
           definition: str, *, low: float | None = 0.0, high: float | None = 1.0, unit: str = "") -> Metric:
    return Metric(name, title, family, better, low, high, unit=unit, definition=definition)


_ROWS: tuple[Metric, ...] = (
    _count("selection_rate", "selection rate", "neither", "selected", "tp fp fn tn",
           "share of rows predicted to have the favourable label"),
    _count("accuracy", "accuracy", "higher", "tp tn", "tp fp fn tn", "share of rows predicted correctly"),
    _count("true_positive_rate", "true positive rate", "higher", "tp", "tp fn",
           "share of the rows with the positive label that are predicted positive (recall)"),
    _count("false_positive_rate", "false positive rate", "lower", "fp", "fp tn",
           "share of the rows without the positive label that are predicted positive"),
    _count("false_negative_rate", "false negative rate", "lower", "fn", "tp fn",
           "share of the rows with the positive label that are predicted negative"),
    _count("true_negative_rate", "true negative rate", "higher", "tn", "fp tn",
           "share of the rows without the positive label that are predicted negative (specificity)"),
    _count("precision", "precision", "higher", "tp", "tp fp",
           "share of the rows predicted positive that have the positive label"),
    _plain("roc_auc", "ROC AUC", "score", "higher", "area under the ROC curve of the score"),
    _plain("average_precision", "average precision", "score", "higher",
           "mean precision over the rows with the positive label, by falling score"),
    _plain("log_loss", "log loss", "score", "lower", "mean negative log-likelihood of the label", high=None),
    _plain("brier_score", "Brier score", "score", "lower", "mean squared difference of score and label"),
    _plain("calibration_error", "calibration error", "score", "lower",
           "root of the debiased mean squared gap between mean score and observed rate, in at most 15 bins of "
           "equal mass"),
    _plain("calibration_p_value", "p-value of perfect calibration", "score", "neither",
           "chi-square test over the same bins; small values reject perfect calibration"),
    _plain("trivial_accuracy", "accuracy of always guessing the more frequent label", "data", "neither",
           "share of the more frequent label"),
    _plain("demographic_parity_difference", "demographic parity difference", "disparity", "lower",
           "largest minus smallest selection rate over the groups"),
    _plain("demographic_parity_ratio", "demographic parity ratio", "disparity", "higher",
           "smallest divided by largest selection rate over the groups"),
    _plain("equalized_odds_difference", "equalized odds difference", "disparity", "lower",
           "the larger of the true positive rate difference and the false positive rate difference"),
    _plain("equalized_odds_ratio", "equalized odds ratio", "disparity", "higher",
           "the smaller of the true positive rate ratio and the false positive rate ratio"),
    _plain("equal_opportunity_difference", "equal opportunity difference", "disparity", "lower",
           "largest minus smallest true positive rate over the groups"),
    _plain("equal_opportunity_ratio", "equal opportunity ratio", "disparity", "higher",
           "smallest divided by largest true positive rate over the groups"),
    _plain("smoke_loads", "the model loads", "smoke", "higher", "1 when the worker loaded the model"),
    _plain("smoke_shape", "one output for each row", "smoke", "lower", "rows sent minus outputs received",
           low=None, high=None, unit="rows"),
    _plain("smoke_finite", "outputs are finite", "smoke", "lower", "outputs that are missing or infinite",
           high=None, unit="outputs"),
    _plain("smoke_probability", "probabilities are valid", "smoke", "lower",
           "rows whose probabilities leave 0 to 1 or do not sum to 1 within 1e-6", high=None, unit="rows"),
    _plain("smoke_repeatable", "same input, same output", "smoke", "lower",
           "largest difference between two predictions of the same rows", high=None),
    _plain("smoke_batch", "batch equals single row", "smoke", "lower",
           "largest difference between predictions in a batch and one row at a time", high=None),
    _plain("smoke_constant", "output is not constant", "smoke", "higher",
           "distinct outputs over the evaluation data, counted to 2", high=None, unit="outputs"),
    _plain("support", "groups large enough to compare", "data", "higher",
           "groups of a sensitive feature with at least min_n rows", high=None, unit="groups"),
    _plain("load_time_s", "load time", "compute", "lower", "time to load the model file", high=None, unit="s"),
    _plain("latency_p50_ms", "latency, one row, median", "compute", "lower",
           "time of one prediction of one row", high=None, unit="ms"),
    _plain("latency_p95_ms", "latency, one row, 95th percentile", "compute", "lower",
           "time of one prediction of one row", high=None, unit="ms"),
    _plain("latency_p99_ms", "latency, one row, 99th percentile", "compute", "lower",
           "time of one prediction of one row", high=None, unit="ms"),
    _plain("batch_latency_p50_ms", "latency, batch, median", "compute", "lower",
           "time of one prediction of a batch", high=None, unit="ms"),
    _plain("batch_latency_p95_ms", "latency, batch, 95th percentile", "compute", "lower",
           "time of one prediction of a batch", high=None, unit="ms"),
    _plain("batch_latency_p99_ms", "latency, batch, 99th percentile", "compute", "lower",
           "time of one prediction of a batch", high=None, unit="ms"),
    _plain("throughput_rows_s", "throughput", "compute", "higher",
           "rows predicted in a second over the evaluation data", high=None, unit="rows/s"),
    _plain("peak_memory_mb", "peak memory of the worker", "compute", "lower",
           "largest resident size of the process that ran the model, in 10^6 bytes", high=None, unit="MB"),
    _plain("file_size_mb", "model file size", "compute", "lower", "size of the model file, in 10^6 bytes",
           high=None, unit="MB"),
)

METRICS: dict[str, Metric] = {row.name: row for row in _ROWS}
COUNT_METRICS: tuple[str, ...] = tuple(m.name for m in _ROWS if m.family == "count")
SCORE_METRICS: tuple[str, ...] = tuple(m.name for m in _ROWS if m.family == "score")
DISPARITY_METRICS: tuple[str, ...] = tuple(m.name for m in _ROWS if m.family == "disparity")
SMOKE_METRICS: tuple[str, ...] = tuple(m.name for m in _ROWS if m.family == "smoke")
COMPUTE_METRICS: tuple[str, ...] = tuple(m.name for m in _ROWS if m.family == "compute")
