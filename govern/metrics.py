"""The metric registry: every number a rule may judge or a card may show has one row here.

A row says what the number is, from which confusion counts it comes, which side is better and its
range. Standard library only: the gate and the cards read it without numpy. To add a metric, add a row
and, where it is not a ratio of counts, the function that measures it, by family:

count       a ratio of counts of `evidence.Counts`: tp, fp, fn, tn of the positive label (in a multiclass
            task of one class against all others), and `selected`, the rows predicted favourable
derived     a smooth function of the four confusion counts, with a standard error (`stats/derived.py`)
score       of the score of the positive label or of one class (`stats/scores.py`)
classes     over all classes of a multiclass task (`stats/multiclass.py`)
share       a ratio of counts that are not confusion counts; its measurement carries them
regression  of numeric predictions (`stats/regression.py`)
disparity   over all groups of a feature (`measure/disparities.py`)
data        of the data set itself (`measure/datarows.py` …)
explanation of the attributions
smoke, compute   what their sections show
custom      a function of the user's own: no row here, see `of`
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Family = Literal["count", "derived", "score", "classes", "share", "regression", "disparity", "smoke", "data",
                 "compute", "explanation", "custom"]
ALL = ("tp", "fp", "fn", "tn")
SIDES = ("higher", "lower", "neither")


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


# What fairlearn generates from its base metrics, under its names (`measure/disparities.py`, `group_extremes.py`).
_RATES = (("false_positive_rate", "false positive rate"), ("false_negative_rate", "false negative rate"),
          ("true_negative_rate", "true negative rate"), ("accuracy_score", "accuracy"))
_ERRORS = ("zero_one_loss", "error rate")
_LOWEST = (("accuracy_score", "accuracy", 0.0), ("balanced_accuracy_score", "balanced accuracy", 0.0),
           ("f1_score", "F1 score", 0.0), ("precision_score", "precision", 0.0), ("recall_score", "recall", 0.0),
           ("roc_auc_score", "ROC AUC", 0.0), ("r2_score", "R²", None))
_HIGHEST = (("log_loss", "log loss"), ("mean_absolute_error", "mean absolute error"),
            ("mean_squared_error", "mean squared error"))

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
    _count("negative_predictive_value", "negative predictive value", "higher", "tn", "tn fn",
           "share of the rows predicted negative that do not have the positive label"),
    _count("false_discovery_rate", "false discovery rate", "lower", "fp", "tp fp",
           "share of the rows predicted positive that do not have the positive label"),
    _count("false_omission_rate", "false omission rate", "lower", "fn", "tn fn",
           "share of the rows predicted negative that have the positive label"),
    _count("prevalence", "prevalence", "neither", "tp fn", "tp fp fn tn", "share of rows with the positive label"),
    _plain("balanced_accuracy", "balanced accuracy", "derived", "higher",
           "mean of the true positive and the true negative rate"),
    _plain("f1_score", "F1 score", "derived", "higher", "2 tp / (2 tp + fp + fn)"),
    _plain("f2_score", "F2 score", "derived", "higher", "5 tp / (5 tp + 4 fn + fp): recall weighs four times as much"),
    _plain("f05_score", "F0.5 score", "derived", "higher",
           "1.25 tp / (1.25 tp + 0.25 fn + fp): precision weighs four times as much"),
    _plain("matthews_correlation", "Matthews correlation", "derived", "higher",
           "correlation of true and predicted label", low=-1.0),
    _plain("roc_auc", "ROC AUC", "score", "higher", "area under the ROC curve of the score"),
    _plain("gini", "Gini coefficient", "score", "higher", "2 × ROC AUC − 1", low=-1.0),
    _plain("ks_statistic", "KS statistic", "score", "higher",
           "largest distance between the score distributions of the two labels"),
    _plain("lift_top_decile", "lift of the top tenth", "score", "higher",
           "rate of the positive label in the tenth of rows with the highest scores, divided by that of all rows",
           high=None),
    _plain("mean_score", "mean score", "score", "neither", "mean of the score", low=None, high=None),
    _plain("average_precision", "average precision", "score", "higher",
           "mean precision over the rows with the positive label, by falling score"),
    _plain("log_loss", "log loss", "score", "lower", "mean negative log-likelihood of the label", high=None),
    _plain("brier_score", "Brier score", "score", "lower", "mean squared difference of score and label"),
    _plain("calibration_error", "calibration error", "score", "lower",
           "root of the debiased mean squared gap between mean score and observed rate, in at most 15 bins of "
           "equal mass"),
    _plain("expected_calibration_error", "expected calibration error (15 bins)", "score", "lower",
           "mean absolute gap between mean score and observed rate in 15 bins of equal width; too high in small "
           "samples, for comparison with other tools: judge by the calibration error"),
    _plain("calibration_slope", "calibration slope", "score", "neither",
           "slope of the label's log-odds on the score's log-odds; 1 when calibrated", low=None, high=None),
    _plain("calibration_intercept", "calibration intercept", "score", "neither",
           "shift of the label's log-odds from the score's at slope 1; 0 when calibrated", low=None, high=None),
    _plain("brier_reliability", "Brier reliability", "score", "lower",
           "mean squared gap between mean score and observed rate in the calibration bins"),
    _plain("brier_resolution", "Brier resolution", "score", "higher",
           "mean squared distance of the observed rates of the calibration bins from the overall rate"),
    _plain("brier_uncertainty", "Brier uncertainty", "score", "neither", "prevalence × (1 − prevalence)"),
    _plain("calibration_p_value", "p-value of perfect calibration", "score", "neither",
           "chi-square test over the same bins; small values reject perfect calibration"),
    _plain("macro_precision", "macro precision", "classes", "higher", "mean precision over the classes"),
    _plain("macro_recall", "macro recall", "classes", "higher",
           "mean true positive rate over the classes (balanced accuracy)"),
    _plain("macro_f1", "macro F1", "classes", "higher", "mean F1 score over the classes"),
    _plain("weighted_f1", "weighted F1", "classes", "higher", "F1 scores weighted by the classes' rows"),
    _plain("micro_f1", "micro F1", "classes", "higher",
           "F1 of the summed one-against-the-rest counts; equals accuracy where each row has one class"),
    _plain("multiclass_accuracy", "accuracy over all classes", "share", "higher", "share of rows predicted correctly"),
    _plain("multiclass_matthews", "Matthews correlation over all classes", "classes", "higher",
           "correlation of true and predicted class", low=-1.0),
    _plain("macro_roc_auc", "macro ROC AUC", "classes", "higher",
           "mean over the classes of the ROC AUC of one class against all others"),
    _plain("multiclass_log_loss", "log loss over all classes", "classes", "lower",
           "mean negative log-likelihood of the true class", high=None),
    _plain("mean_prediction", "mean prediction", "regression", "neither", "mean of the prediction", low=None,
           high=None),
    _plain("mean_residual", "bias", "regression", "neither", "mean of prediction − outcome", low=None, high=None),
    _plain("mean_absolute_error", "mean absolute error", "regression", "lower",
           "mean of |prediction − outcome|", high=None),
    _plain("mean_squared_error", "mean squared error", "regression", "lower",
           "mean of (prediction − outcome)²", high=None),
    _plain("root_mean_squared_error", "root mean squared error", "regression", "lower",
           "root of the mean squared error", high=None),
    _plain("r2_score", "R²", "regression", "higher",
           "1 − mean squared error / variance of the outcome", low=None),
    _plain("residual_p5", "residual, 5th percentile", "regression", "neither",
           "prediction − outcome that 5 % of rows stay at or below", low=None, high=None),
    _plain("residual_p25", "residual, 25th percentile", "regression", "neither",
           "prediction − outcome that 25 % of rows stay at or below", low=None, high=None),
    _plain("residual_p50", "residual, median", "regression", "neither",
           "prediction − outcome that half of the rows stay at or below", low=None, high=None),
    _plain("residual_p75", "residual, 75th percentile", "regression", "neither",
           "prediction − outcome that 75 % of rows stay at or below", low=None, high=None),
    _plain("residual_p95", "residual, 95th percentile", "regression", "neither",
           "prediction − outcome that 95 % of rows stay at or below", low=None, high=None),
    _plain("share_above_median", "share above the median", "share", "neither",
           "share of rows whose prediction lies above the median prediction of all rows"),
    _plain("share_above_threshold", "share at or above the threshold", "share", "neither",
           "share of rows whose prediction is at or above the threshold"),
    _plain("scoring_rate", "scoring rate", "share", "neither",
           "share of rows whose score lies above the median score of all rows"),
    _plain("median_tie_share", "share of scores equal to the median", "data", "lower",
           "share of rows whose score equals the median score of all rows"),
    _plain("missing_share", "share of missing values", "data", "lower", "share of rows in which a column has no value"),
    _plain("duplicate_share", "share of repeated rows", "data", "lower",
           "share of rows equal to an earlier row in every used column"),
    _plain("label_conflict_share", "share of conflicting labels", "data", "lower",
           "share of rows whose features equal those of a row with another label"),
    _plain("train_overlap_share", "share of rows seen in training", "data", "lower",
           "share of the evaluation rows that also stand in the training data, target included"),
    _plain("unseen_value_share", "share of values not seen in training", "data", "lower",
           "share of rows whose value of a column does not occur in the training data, or lies outside its range"),
    _plain("single_feature_auc", "how well one feature alone predicts the target", "data", "lower",
           "area under the ROC curve of one column alone, in its better direction", low=0.5),
    _plain("contract_break_share", "share of values that break the feature contract", "data", "lower",
           "share of rows whose value of a column is not what the contract allows"),
    _plain("out_of_period_share", "share of rows outside the period", "data", "lower",
           "share of rows whose date lies outside the declared period"),
    _plain("group_share", "share of the rows", "data", "neither", "share of the rows that are in a group"),
    _plain("group_share_gap", "distance from the declared share", "data", "lower",
           "absolute difference of a group's share of the rows and its declared share"),
    _plain("group_share_stability", "stability of group shares", "data", "lower",
           "population stability index of the groups' shares against the declared ones", high=None),
    _plain("case_rows", "rows of a declared case", "data", "higher", "rows that belong to a declared case", high=None,
           unit="rows"),
    _plain("pair_coverage", "coverage of pairs of values", "data", "higher",
           "share of the pairs of values of the declared columns that occur in at least one row"),
    _plain("population_stability", "population stability index", "data", "lower",
           "sum over bins of (share − reference share) × ln(share / reference share)", high=None),
    _plain("attribution_residual", "additivity residual", "explanation", "lower",
           "largest difference between the sum of contributions and the output, as a share of the outputs' range",
           high=None),
    _plain("attribution_rank", "rank by contribution", "explanation", "neither",
           "place of a feature by its mean absolute contribution, 1 for the largest", low=1.0, high=None),
    _plain("attribution_direction", "direction of a contribution", "explanation", "neither",
           "rank correlation of a feature's value with its contribution", low=-1.0),
    _plain("attribution_stability", "stability of the largest contributions", "explanation", "higher",
           "mean share of the five features that contribute most which stay among the five, and keep their direction, "
           "over other backgrounds and seeds or over halves of the rows"),
    _plain("attribution_agreement", "agreement with permutation importance", "explanation", "higher",
           "rank correlation of mean absolute contributions with what the model loses when values are exchanged",
           low=-1.0),
    _plain("proxy_auc", "how well the features predict a sensitive feature", "explanation", "lower",
           "cross-validated area under the ROC curve", low=0.5),
    _plain("gap_share", "share of a gap through one feature", "explanation", "lower",
           "largest part of a gap in the mean output between groups, as a share of the sum of all |parts|"),
    _plain("shape_violation_share", "steps against the expected direction", "explanation", "lower",
           "share of the steps, of explained rows with a feature set to rising values, that go against its direction"),
    _plain("reason_coverage", "adverse decisions with their reasons in words", "explanation", "higher",
           "share of the adverse decisions explained that have a reason, each with a sentence that names it"),
    _plain("reason_dropped_share", "adverse decisions with a reason that may not be given", "explanation", "lower",
           "share of the adverse decisions explained of which a prohibited feature would be a principal reason"),
    _plain("reason_agreement", "agreement of reasons with a direct method", "explanation", "higher",
           "mean share of the reasons that come out too where one feature at a time takes others' values"),
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
    _plain("predictive_parity_difference", "predictive parity difference", "disparity", "lower",
           "largest minus smallest precision over the groups"),
    _plain("predictive_parity_ratio", "predictive parity ratio", "disparity", "higher",
           "smallest divided by largest precision over the groups"),
    *(_plain(f"{name}_difference", f"{what} difference", "disparity", "lower",
             f"largest minus smallest {what} over the groups") for name, what in _RATES),
    *(_plain(f"{name}_ratio", f"{what} ratio", "disparity", "higher",
             f"smallest divided by largest {what} over the groups") for name, what in (*_RATES, _ERRORS)),
    *(_plain(f"{name}_group_min", f"lowest {what} of a group", "disparity", "higher",
             f"smallest {what} over the groups", low=low) for name, what, low in _LOWEST),
    *(_plain(f"{name}_group_max", f"highest {what} of a group", "disparity", "lower",
             f"largest {what} over the groups", high=None) for name, what in _HIGHEST),
    _plain("between_group_variance", "variance of selection rates between groups", "disparity", "lower",
           "variance of the groups' selection rates, what chance alone explains taken off"),
    _plain("four_fifths_shortfall", "shortfall to four fifths", "disparity", "lower",
           "further favourable outcomes with which the group's selection rate reaches four fifths of the highest",
           high=None, unit="persons"),
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
DERIVED_METRICS: tuple[str, ...] = tuple(m.name for m in _ROWS if m.family == "derived")
CLASSES_METRICS: tuple[str, ...] = tuple(m.name for m in _ROWS if m.family == "classes")
SHARE_METRICS: tuple[str, ...] = tuple(m.name for m in _ROWS if m.family == "share")
REGRESSION_METRICS: tuple[str, ...] = tuple(m.name for m in _ROWS if m.family == "regression")
SCORE_METRICS: tuple[str, ...] = tuple(m.name for m in _ROWS if m.family == "score")
DISPARITY_METRICS: tuple[str, ...] = tuple(m.name for m in _ROWS if m.family == "disparity")
SMOKE_METRICS: tuple[str, ...] = tuple(m.name for m in _ROWS if m.family == "smoke")
COMPUTE_METRICS: tuple[str, ...] = tuple(m.name for m in _ROWS if m.family == "compute")

# Families of which rules judge a value, and those of which they also judge gaps between groups.
_COMPARED = ("count", "derived", "score", "classes", "share", "regression", "custom")
_LIMITED = (*_COMPARED, "data", "explanation", "compute")


def gap(metric: str, compare: str) -> str:
    """The name under which a limit of a gap between groups is declared: `selection_rate_ratio`."""
    return f"{metric}_{compare}"


def declarable(own: Mapping[str, Metric] | None = None) -> dict[str, tuple[float | None, float | None, str]]:
    """What the owner may declare limits of besides the primary metric, with the range of a limit and the side, min or
    max, that a bare number stands for: metrics that rules judge, `own` ones among them, and the gaps between groups
    in them, `METRIC_ratio` (at least, of rates) and `METRIC_difference` (at most)."""
    rows = [m for m in {**METRICS, **(own or {})}.values() if m.family in _LIMITED]
    found: dict[str, tuple[float | None, float | None, str]] = {}
    for m in rows:
        if m.family in _COMPARED:
            found[gap(m.name, "difference")] = (None, None, "max")
        if m.family in ("count", "share"):
            found[gap(m.name, "ratio")] = (0.0, None, "min")
    return {**found, **{m.name: (m.low, m.high, "min" if m.better == "higher" else "max") for m in rows}}


def custom(name: str, title: str, better: Literal["higher", "lower", "neither"], low: float | None,
           high: float | None) -> Metric:
    """A metric of the user's own."""
    return Metric(name, title, "custom", better, low, high, definition="a function of the user's own")


def own(settings: Mapping[str, Any]) -> dict[str, Metric]:
    """The metrics of the user's own that `settings` name, those of a run or of evidence, by name.

    What does not describe a metric (edited evidence) is left out.
    """
    data = settings.get("data")
    named = data.get("metrics") if isinstance(data, Mapping) else None
    rows = {name: _own(name, given) for name, given in named.items()} if isinstance(named, Mapping) else {}
    return {name: row for name, row in rows.items() if row is not None and name not in METRICS}


def _own(name: str, given: Any) -> Metric | None:
    if not isinstance(given, Mapping):
        return None
    better, low, high = given.get("better", "neither"), given.get("low"), given.get("high")
    ends = all(end is None or (isinstance(end, int | float) and not isinstance(end, bool)) for end in (low, high))
    return custom(name, name.replace("_", " "), better, low, high) if better in SIDES and ends else None


def of(name: str, settings: Mapping[str, Any]) -> Metric:
    """The registered metric, or that of the user's own that the evidence's `settings` name.

    Raises: KeyError for any other name.
    """
    return METRICS[name] if name in METRICS else own(settings)[name]
