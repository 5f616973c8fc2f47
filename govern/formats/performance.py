"""The performance section: metrics of everyone with intervals and counts, confusion counts and curves."""

from __future__ import annotations

from typing import Any

from govern.errors import printable
from govern.evidence import OVERALL, Curve, Evidence, Measurement
from govern.formats import classes, residuals
from govern.formats.cells import Part, Table, abreast, heads, look, shown, value
from govern.formats.charts import Plot, plot
from govern.formats.counted import sampled, sampling_note
from govern.formats.curves import overall
from govern.formats.naming import metric_meaning, metric_name, reading_level
from govern.formats.numbers import amount, count, decimal, percent
from govern.formats.strings import Strings
from govern.metrics import CLASSES_METRICS, METRICS, REGRESSION_METRICS, SHARE_METRICS

FIRST = {
    "binary": ("roc_auc", "average_precision", "log_loss", "brier_score", "calibration_error", "calibration_p_value",
               "selection_rate", "accuracy", "balanced_accuracy", "true_positive_rate", "false_positive_rate",
               "precision", "f1_score", "matthews_correlation"),
    "multiclass": ("multiclass_accuracy", *CLASSES_METRICS),
    "regression": ("mean_absolute_error", "root_mean_squared_error", "r2_score", "mean_residual",
                   "mean_prediction", "share_above_threshold"),
}
ABREAST = 3
SIZE = 120
FEW = 100  # smaller sums of weights keep their decimals
View = dict[str, Any]


def performance(evidence: Evidence, t: Strings) -> View:
    """The section for the task of the evidence."""
    first = FIRST[evidence.task]
    rows = [r for name in first if (r := _metric(evidence.find(name), t)) is not None]
    curves = {c.kind: c for c in evidence.curves if c.group == OVERALL and c.label is None}
    auc = evidence.find("macro_roc_auc" if evidence.task == "multiclass" else "roc_auc")
    return {
        "intro": t.text((_intro(evidence, t), sampling_note(evidence, t), _trivial(evidence, t))),
        "interval": t("performance.interval", level=reading_level(evidence)),
        "counts": t("performance.sums" if evidence.settings.get("data", {}).get("weight") else "performance.counts")
        if any(r["counts"] for r in rows) else "",
        "rows": rows, "further": _further(evidence, first, t), "parts": _parts(evidence, t),
        "confusion": _confusion(evidence, t),
        "roc": _roc(curves.get("roc"), evidence, t),
        "precision_recall": _precision(curves.get("precision_recall"), evidence, t),
        "calibration": _calibration(curves.get("calibration"), t),
        "numbers": overall(evidence, t),
        "no_scores": t("performance.no_scores") if auc is None and evidence.task != "regression" else "",
    }


def _parts(evidence: Evidence, t: Strings) -> list[Part]:
    if evidence.task == "multiclass":
        return classes.performance_parts(evidence, t)
    return residuals.performance_parts(evidence, t) if evidence.task == "regression" else []


def _intro(evidence: Evidence, t: Strings) -> str:
    data = evidence.settings.get("data", {})
    target, level = printable(data.get("target", "")), reading_level(evidence)
    own = t("performance.own" if evidence.model is not None else "performance.given")
    if evidence.task == "regression":
        return t("performance.intro_numbers", target=target, decision=own, level=level)
    if evidence.task == "multiclass":
        return t("performance.intro_classes", target=target, n=len(data.get("classes") or ()), decision=own,
                 level=level)
    threshold = data.get("threshold")
    decision = t("performance.threshold", threshold=printable(threshold)) if threshold is not None else own
    return t("performance.intro", target=target, positive=printable(data.get("positive", "")), decision=decision,
             level=level)


def _trivial(evidence: Evidence, t: Strings) -> str:
    trivial = evidence.find("trivial_accuracy")
    accuracy = evidence.find("multiclass_accuracy" if evidence.task == "multiclass" else "accuracy")
    if trivial is None or accuracy is None or trivial.value is None or accuracy.value is None:
        return ""
    return t("performance.trivial", trivial=percent(trivial.value), accuracy=percent(accuracy.value))


def _metric(m: Measurement | None, t: Strings) -> View | None:
    if m is None or m.metric not in METRICS:
        return None
    interval = shown(m)[1].strip("[]")
    if look(m.metric) == "own" and ", " in interval:
        low, _, high = interval.partition(", ")
        interval = t("reason.between", low=low, high=high)
    return {"title": metric_name(m.metric, t), "value": value(m), "interval": interval,
            "counts": f"{_sum(m.numerator)} / {_sum(m.denominator)}"
            if m.numerator is not None and m.denominator is not None else "",
            "meaning": metric_meaning(m.metric, t) if m.value is not None or not m.reason
            else t("performance.undefined", why=printable(t.phrase(m.reason), 120))}


def _sum(x: float) -> str:
    return count(x) if x >= FEW else amount(x)


def _further(evidence: Evidence, first: tuple[str, ...], t: Strings) -> Table | None:
    """The other metrics of everyone, three abreast; a user's own metrics too."""
    families = {"binary": ("count", "derived", "score"), "multiclass": ("classes", "share"),
                "regression": ("regression",)}[evidence.task]
    found = [m for m in evidence.measurements
             if m.group == OVERALL and m.reference is None and not m.features and m.label is None
             and m.slice is None and m.decision is None and m.metric not in first
             and m.metric not in residuals.QUANTILES
             and (METRICS[m.metric].family in families if m.metric in METRICS else True)]
    order = {name: i for i, name in enumerate((*METRICS, *REGRESSION_METRICS, *SHARE_METRICS))}
    found.sort(key=lambda m: (order.get(m.metric, len(order)), m.metric))
    pairs = [(metric_name(m.metric, t), _signed(m, t)) for m in found]
    if not pairs:
        return None
    titles = (t("performance.further"), "") + ("", "") * (ABREAST - 1)
    return Table(heads(titles, ("w17", "w16") * ABREAST), abreast(pairs, ABREAST), left=2 * ABREAST, fine=True)


def _signed(m: Measurement, t: Strings) -> str:
    if m.value is None and m.metric not in METRICS:
        return printable(t.phrase(m.reason or "–"), 120)
    return " ".join(x for x in (value(m), shown(m)[1]) if x)


def _confusion(evidence: Evidence, t: Strings) -> View | None:
    c = evidence.counts_by_group.get(OVERALL) if evidence.task == "binary" else None
    if c is None:
        return None
    positive = printable(evidence.settings.get("data", {}).get("positive", ""))
    other = t("performance.other_label", positive=positive)
    rows = ((positive, c.tp, c.fn), (other, c.fp, c.tn), (t("performance.total"), c.tp + c.fp, c.fn + c.tn))
    return {"heads": [t("performance.corner"), positive, other, t("performance.total")],
            "rows": [(name, count(a), count(b), count(a + b)) for name, a, b in rows],
            "note": t("performance.plain_rows") if sampled(evidence) else ""}


def _roc(curve: Curve | None, evidence: Evidence, t: Strings) -> Plot | None:
    auc = evidence.find("roc_auc")
    if curve is None or auc is None or auc.value is None:
        return None
    return plot(curve.x, curve.y, t("performance.roc_title", auc=decimal(auc.value)), size=SIZE)


def _precision(curve: Curve | None, evidence: Evidence, t: Strings) -> Plot | None:
    ap = evidence.find("average_precision")
    if curve is None or ap is None or ap.value is None:
        return None
    return plot(curve.x, curve.y, t("performance.precision_title", ap=decimal(ap.value)), size=SIZE, guide=False)


def _calibration(curve: Curve | None, t: Strings) -> Plot | None:
    if curve is None or not curve.x:
        return None
    title = t("performance.calibration_title", bins=len(curve.x), smallest=count(min(curve.n, default=0)),
              largest=count(max(curve.n, default=0)), low=decimal(min(curve.x)), high=decimal(max(curve.x)),
              rlow=decimal(min(curve.y)), rhigh=decimal(max(curve.y)))
    return plot(curve.x, curve.y, title, dots=True, n=curve.n, size=SIZE)
