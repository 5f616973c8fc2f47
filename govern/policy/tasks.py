"""Which metrics a rule asks for: the declared one resolved, those of other tasks set aside, one for each class."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from govern.errors import InputError, nearest
from govern.evidence import OVERALL, Evidence, Task
from govern.metrics import METRICS, Metric, custom, of, own
from govern.policy.fields import PRIMARY, Rule, as_list

JUDGED = ("count", "derived", "score", "classes", "share", "regression", "custom")
PER_CLASS = ("count", "derived", "score")
OF_SCORES = {m.name for m in METRICS.values() if m.family == "score"} | {
    "macro_roc_auc", "multiclass_log_loss", "scoring_rate"}

_FAMILIES: dict[Task, tuple[str, ...]] = {
    "binary": ("count", "derived", "score", "share", "custom"),
    "multiclass": ("count", "derived", "score", "classes", "share", "custom"),
    "regression": ("regression", "share", "custom"),
}
_SHARES: dict[Task, tuple[str, ...]] = {
    "binary": ("scoring_rate",),
    "multiclass": ("multiclass_accuracy",),
    "regression": ("share_above_median", "share_above_threshold"),
}


@dataclass(frozen=True)
class Asked:
    """A metric that a rule names; `primary` when it does so as the owner's declared one. `label` is the class of
    a multiclass task that is held against all others; `absent` says why there is no such metric here."""

    name: str
    primary: bool = False
    label: str | None = None
    absent: str | None = None


def metrics_of(rule: Rule, evidence: Evidence) -> list[Asked]:
    """The metrics the rule names, in a multiclass task those of one class for every class that is asked for.

    `primary` is resolved; without a declared one it is left out. A metric that the task does not have is left
    out where another of the list exists, so that one rule can serve several tasks; where none does, each is
    returned with the reason. Raises InputError for a declared primary metric or a class that does not exist.
    """
    return for_task(rule, evidence, _named(rule, evidence))


def for_task(rule: Rule, evidence: Evidence, named: list[Asked]) -> list[Asked]:
    """Those of the metrics that the task has, for each class that is asked for; all with the reason where it has
    none. Raises InputError for a class that does not exist."""
    there = [m for m in named if exists(m.name, evidence)]
    if not there:
        return [replace(m, absent=f"a {evidence.task} task has no {METRICS[m.name].title}") for m in named]
    return [asked for m in there for asked in _for_classes(rule, m, evidence)]


def row_of(metric: str, evidence: Evidence) -> Metric:
    """What is known about a metric: its row, the user's own as it was measured, and of one of the user's own that
    this evidence was measured without, its name."""
    try:
        return of(metric, evidence.settings)
    except KeyError:
        return custom(metric, metric.replace("_", " "), "neither", None, None)


def exists(metric: str, evidence: Evidence) -> bool:
    """Whether the task has such a metric, measured or not."""
    row, task = row_of(metric, evidence), evidence.task
    return row.family in _FAMILIES[task] and (row.family != "share" or metric in _SHARES[task])


def own_scale(row: Metric) -> str | None:
    """Which scale a metric has on which no limit suits every data set; None for one that stays within −1 to 1."""
    if row.family == "regression" and row.high is None:
        return "in the unit of the outcome"
    bounded = row.low is not None and row.high is not None and row.low >= -1 and row.high <= 1
    return "on a scale of its own" if row.family == "custom" and not bounded else None


def primary_of(evidence: Evidence) -> dict[str, Any]:
    """What the owner declared about the primary metric: metric, min, max; empty without."""
    primary = evidence.declared.get(PRIMARY)
    return dict(primary) if isinstance(primary, dict) else {}


def setting(evidence: Evidence, name: str) -> Any:
    """A data setting of the evidence (positive, favourable, threshold …), None where it was not given."""
    data = evidence.settings.get("data")
    return data.get(name) if isinstance(data, dict) else None


def _named(rule: Rule, evidence: Evidence) -> list[Asked]:
    found = []
    for name in as_list(rule.fields.metric):
        if name != PRIMARY:
            found.append(Asked(name))
            continue
        declared = primary_of(evidence).get("metric")
        if declared is None:
            continue
        rows = (*METRICS.values(), *own(evidence.settings).values())
        known = [m.name for m in rows if m.family in JUDGED and m.name != "calibration_p_value"]
        if declared not in known:
            raise InputError(
                f'declared primary metric "{declared}" is not a metric a rule can judge',
                where="evidence",
                fix=nearest(str(declared), known) or f"use one of {', '.join(known)}",
            )
        found.append(Asked(str(declared), primary=True))
    return found


def _for_classes(rule: Rule, metric: Asked, evidence: Evidence) -> list[Asked]:
    """The metric for the class the rule names, else for the favourable one, else for every class."""
    if row_of(metric.name, evidence).family not in PER_CLASS:
        return [metric]
    wanted = rule.fields.label
    if evidence.task == "binary":
        positive = setting(evidence, "positive")
        other = f'the metrics of a binary task speak of its positive label {positive}, not of "{wanted}"'
        return [metric if wanted in (None, positive) else replace(metric, absent=other)]
    classes = [c.label for c in evidence.counts if c.group == OVERALL and c.label is not None]
    if wanted is not None and wanted not in classes:
        fix = nearest(wanted, classes) or f"classes: {', '.join(classes)}"
        raise rule.error(("label",), f'label: no class is named "{wanted}"', fix)
    favourable = setting(evidence, "favourable")
    one = wanted if wanted is not None else favourable if favourable in classes else None
    return [replace(metric, label=label) for label in classes if one in (None, label)]
