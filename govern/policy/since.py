"""What changed since the version in service, number by number: its evidence beside this one, judged by no rule.

Numbers are compared as independent samples, at two-sided 95%: rates by Newcombe's interval from the counts of both,
others by the two intervals combined by square-and-add. Where both were measured on the same rows the true intervals are
narrower, so that "no difference" is said too often and never too seldom.
Source: Newcombe 1998, Stat. Med. 17:873–890, method 10; Zou & Donner 2008, Stat. Med. 27:1693–1702.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from govern.evidence import OVERALL, Compute, Evidence, Group
from govern.policy.baseline import same_group
from govern.policy.measured import of_group
from govern.policy.quantities import Quantity, Rate, Score, between
from govern.policy.tasks import JUDGED, PER_CLASS, exists, primary_of, row_of, setting
from govern.stats.intervals import mover_difference
from govern.verdict import Since, SinceRow

LEVEL = 0.95
FEW_ROWS = 30
DEFAULT = {"binary": "roc_auc", "multiclass": "multiclass_accuracy", "regression": "mean_absolute_error"}
WITHOUT_SCORES = "accuracy"
LATENCY = "latency_p95_ms"
# Settings that name the version itself, or only where things lie.
NAMES = ("model.name", "model.version", "model.path", "model.path_extra", "versions.govern")
State = Literal["better", "worse", "apart", "no difference", "unknown"]
Found = Rate | Score


def since(evidence: Evidence, baseline: Evidence, compute: Compute | None = None,
          baseline_compute: Compute | None = None) -> Since:
    """The changes from `baseline` to `evidence`: the primary metric of everyone and of the group in which it is worst
    now, of each asked feature the lowest selection ratio now, the latency; each beside the same number before."""
    metric, label = _primary(evidence)
    pairs = [_row(metric, of_group(evidence, metric, label=label), of_group(baseline, metric, label=label),
                  _better(metric, evidence), label=label)]
    worst = _worst(evidence, metric, label)
    if worst is not None:
        pairs.append(_row(metric, of_group(evidence, metric, worst.id, label), _there(baseline, metric, worst, label),
                          _better(metric, evidence), group=worst.id, features=worst.features, label=label))
    pairs += _ratios(evidence, baseline)
    if timed := _timed(compute, baseline_compute):
        pairs.append(timed)
    before, now = _features(baseline), _features(evidence)
    model = baseline.settings.get("model", {})
    subject = baseline.subject("model")
    return Since(
        str(model.get("name") or (subject.name if subject else "")),
        None if model.get("version") is None else str(model["version"]),
        baseline.created,
        tuple(pairs),
        tuple(f for f in now if f not in before),
        tuple(f for f in before if f not in now),
        _same(evidence, baseline, "model"),
        _same(evidence, baseline, "data"),
        tuple(_changed(_said(baseline), _said(evidence))),
    )


def _primary(evidence: Evidence) -> tuple[str, str | None]:
    """The declared primary metric where it is one of these rows, else that of the task; with the class of a task of
    several."""
    name = str(primary_of(evidence).get("metric") or DEFAULT[evidence.task])
    row = row_of(name, evidence)
    label = None
    if evidence.task == "multiclass" and row.family in PER_CLASS:
        wished = setting(evidence, "favourable")
        label = wished if (OVERALL, wished) in evidence.counts_by_label else None
        name = name if label is not None else DEFAULT["multiclass"]
    if row.family not in JUDGED or not exists(name, evidence):
        name = DEFAULT[evidence.task]
    if evidence.task == "binary" and of_group(evidence, name) is None:
        name = WITHOUT_SCORES
    return name, label


def _better(metric: str, evidence: Evidence) -> str:
    return row_of(metric, evidence).better


def _asked(evidence: Evidence) -> Iterator[tuple[tuple[str, ...], Sequence[Group]]]:
    """Asked features and intersections with their groups of known value and 30 rows or more."""
    for features, groups in evidence.feature_groups.items():
        if groups[0].asked:
            yield features, [g for g in groups if not g.missing and g.n >= FEW_ROWS]


def _worst(evidence: Evidence, metric: str, label: str | None) -> Group | None:
    """The group of a single feature in which the metric is worst now; None where no side is better."""
    sign = {"higher": 1.0, "lower": -1.0}.get(_better(metric, evidence))
    found = [(q.value, g) for features, groups in _asked(evidence) if len(features) == 1 for g in groups
             if (q := of_group(evidence, metric, g.id, label)) is not None and q.value is not None]
    return min(found, key=lambda f: (sign * f[0], f[1].id))[1] if found and sign else None


def _there(baseline: Evidence, metric: str, group: Group, label: str | None) -> Found | None:
    same = same_group(baseline, group)
    return None if same is None else of_group(baseline, metric, same.id, label)


def _ratios(evidence: Evidence, baseline: Evidence) -> list[SinceRow]:
    """Of each asked feature the ratio of the lowest selection rate to the highest, and of the same two groups before;
    nothing in a task in which nobody is selected."""
    wished = setting(evidence, "favourable") if evidence.task == "multiclass" else None
    if evidence.task == "regression" or (evidence.task == "multiclass" and wished is None):
        return []
    rows = []
    for features, groups in _asked(evidence):
        rates = {g.id: q for g in groups if isinstance(q := of_group(evidence, "selection_rate", g.id, wished), Rate)
                 and q.value is not None}
        ranked = sorted((g for g in groups if g.id in rates), key=lambda g: (rates[g.id].value or 0.0, g.id))
        if len(ranked) < 2 or not rates[ranked[-1].id].x:
            continue
        low, high = ranked[0], ranked[-1]
        theirs = [_there(baseline, "selection_rate", g, wished) for g in (low, high)]
        old = between(theirs[0], theirs[1], "ratio") if theirs[0] is not None and theirs[1] is not None else None
        rows.append(_row("selection_rate", between(rates[low.id], rates[high.id], "ratio"), old, "higher",
                         group=low.id, reference=high.id, compare="ratio", features=features, label=wished))
    return rows


def _row(metric: str, new: Quantity | None, old: Quantity | None, better: str, **about: Any) -> SinceRow:
    now, before = (None if q is None else q.value for q in (new, old))
    difference = None if now is None or before is None else now - before
    ends = _interval(new, old) if difference is not None else None
    low, high = (end if math.isfinite(end) else None for end in ends) if ends else (None, None)
    return SinceRow(metric, before, now, difference, low, high, LEVEL, _state(low, high, ends, better, before, about),
                    **about)


def _interval(new: Quantity | None, old: Quantity | None) -> tuple[float, float] | None:
    """The two-sided interval of new − old, None where one of them has none."""
    alpha = (1 - LEVEL) / 2
    if isinstance(new, Rate) and isinstance(old, Rate):
        return between(new, old, "difference").interval(alpha)
    if new is None or old is None or new.value is None or old.value is None:
        return None
    one, two = new.interval(alpha), old.interval(alpha)
    return mover_difference(new.value, one, old.value, two) if one and two else None


def _state(low: float | None, high: float | None, ends: tuple[float, float] | None, better: str,
           before: float | None, about: Mapping[str, Any]) -> State:
    if ends is None:
        return "unknown"
    up, down = low is not None and low > 0, high is not None and high < 0
    if not up and not down:
        return "no difference"
    # A ratio is best at 1: where the other group was the lower one before, neither side is.
    turned = about.get("compare") == "ratio" and before is not None and before > 1
    if better not in ("higher", "lower") or turned:
        return "apart"
    return "better" if up == (better == "higher") else "worse"


def _timed(compute: Compute | None, before: Compute | None) -> SinceRow | None:
    """The latency beside that of before, which was another run and perhaps another machine: no interval, no side."""
    new, old = (c.find(LATENCY) if c is not None else None for c in (compute, before))
    if new is None or new.value is None:
        return None
    was = old.value if old is not None else None
    return SinceRow(LATENCY, was, new.value, None if was is None else new.value - was, None, None, LEVEL, "unknown")


def _features(evidence: Evidence) -> tuple[str, ...]:
    if evidence.model is not None:
        return evidence.model.features
    return tuple(c.name for c in evidence.data.columns if c.role == "feature")


def _same(one: Evidence, two: Evidence, role: str) -> bool:
    a, b = one.subject(role), two.subject(role)
    return a is not None and b is not None and a.sha256 == b.sha256


def _said(evidence: Evidence) -> dict[str, str]:
    """Settings, declared limits, data window, rows and parameters of the model as flat text."""
    found = dict(_flat(evidence.settings, ""))
    found |= dict(_flat(evidence.declared, "declared"))
    found |= dict(_flat({"data_period": evidence.card.get("data_period")}, "card"))
    found["rows"] = str(evidence.population.used)
    if evidence.data.period is not None:
        found["data.observed"] = "..".join(evidence.data.period)
    if evidence.model is not None:
        found["model.type"] = evidence.model.type
        found |= dict(_flat(evidence.model.parameters, "model.parameters"))
    return {k: v for k, v in found.items() if k not in NAMES}


def _flat(value: Any, prefix: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key in value:
            yield from _flat(value[key], f"{prefix}.{key}" if prefix else str(key))
    elif value is not None and value not in ("", [], ()):
        yield prefix, ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _changed(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for key in sorted({*old, *new}):
        if old.get(key) != new.get(key):
            yield key, old.get(key, ""), new.get(key, "")
