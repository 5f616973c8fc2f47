"""Metrics of the user's own: each is called and bootstrapped in the model's process, for everyone and each group."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from govern.errors import InputError
from govern.evidence import Group, Interval, Measurement
from govern.inputs.config import OwnMetric
from govern.inputs.labels import Target
from govern.measure.group_rows import GroupRows, Kept
from govern.measure.rates import ALPHA, LEVEL, pairs_of
from govern.stats.cube import Levels
from govern.stats.intervals import mover_difference, transformed
from govern.worker.client import Pending, Worker
from govern.worker.protocol import Buffer, Header
from govern.worker.replies import CustomReply

REPLICATES = 200
LEAST_UNITS = 30
LEAST_REPLICATES = 0.9
METHOD = "bootstrap, percentile"
MOVER = "bootstrap, MOVER"


def own_metrics(metrics: Sequence[OwnMetric], rows: GroupRows, groups: Sequence[Group], levels: Levels,
                target: Target, worker: Worker, *, weighted: bool, seed: int, replicates: int = REPLICATES
                ) -> list[Measurement]:
    """Each metric of everyone and of each asked group, and the differences between the groups of a feature.

    The value is that of the rows kept (up to 20,000 of a group, else the reason says so), `se` the standard deviation
    of the bootstrap replicates, the interval their 2.5 % and 97.5 % quantiles. Status "too_few" below 30 rows (or
    clusters), where more than a tenth of the replicates have no value, and where they are all equal: their spread then
    says nothing. Status "error", with the reason, where the function gives no finite number or leaves its range.
    Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapters 6 and 13.

    Raises InputError where the function cannot be found, or the process ends.
    """
    asked = [g for g in groups if g.asked and not g.within]
    kept = {g.id: rows.of(g.features, _codes(g, levels)) for g in asked if g.n}
    requests = {id: _request(k, target, weighted) for id, k in kept.items()}
    found: list[Measurement] = []
    for metric in metrics:
        try:
            pending = {id: worker.submit_custom(metric.function, *r, replicates, seed) for id, r in requests.items()}
            own = {g.id: _measured(metric, g, kept.get(g.id), pending.get(g.id)) for g in asked}
        except InputError as e:
            raise InputError(e.what, where=f'metric "{metric.name}"', fix=e.fix) from e
        found += own.values()
        for features in dict.fromkeys(g.features for g in asked if g.features):
            found += _differences(metric, [g for g in asked if g.features == features], own)
    return found


def _codes(group: Group, levels: Levels) -> list[int]:
    return [-1 if v is None else list(levels.texts[f]).index(v)
            for f, v in zip(group.features, group.values, strict=True)]


def _request(kept: Kept, target: Target, weighted: bool) -> tuple[Header, list[Buffer]]:
    labels = target.task != "regression"
    columns = kept.numbers.shape[1] - 3
    kind = np.int32 if labels else np.float64
    buffers: list[Buffer] = [np.ascontiguousarray(kept.numbers[:, i], kind).data for i in (0, 1)]
    if columns:
        buffers.append(np.ascontiguousarray(kept.numbers[:, 3:]).data)
    if weighted:
        buffers.append(np.ascontiguousarray(kept.numbers[:, 2]).data)
    if kept.unit is not None:
        buffers.append(kept.unit.astype(np.int64).data)
    return {"rows": len(kept), "labels": labels, "columns": columns, "weighted": weighted,
            "units": kept.unit is not None,
            "classes": list(target.classes) if target.task == "multiclass" else None}, buffers


def _measured(metric: OwnMetric, group: Group, kept: Kept | None, pending: Pending[CustomReply] | None) -> Measurement:
    if kept is None or pending is None:
        return Measurement(metric.name, None, "undefined", "nobody is in the group", group.id)
    answer = pending.result()
    value = answer.value
    if value is None:
        return Measurement(metric.name, None, "error", answer.reason, group.id)
    low, high = -math.inf if metric.low is None else metric.low, math.inf if metric.high is None else metric.high
    if not low <= value <= high:
        reason = f"the function gave {value:g}, outside the range declared for it"
        return Measurement(metric.name, None, "error", reason, group.id)
    sampled = None if len(kept) == group.n else f"from a sample of {len(kept):,} of {group.n:,} rows"
    few = _too_few(answer, kept)
    if few:
        return Measurement(metric.name, value, "too_few", "; ".join(r for r in (few, sampled) if r), group.id)
    spread = np.sort(answer.replicates[~np.isnan(answer.replicates)])
    middle = math.fsum(spread.tolist()) / len(spread)
    se = math.sqrt(math.fsum(((spread - middle) ** 2).tolist()) / (len(spread) - 1))
    least, most = np.quantile(spread, (ALPHA, 1 - ALPHA)).tolist()
    return Measurement(metric.name, value, "ok", sampled, group.id, se=se, transform="identity",
                       interval=Interval(least, most, LEVEL, METHOD))


def _too_few(answer: CustomReply, kept: Kept) -> str:
    """Why the replicates say nothing about chance; empty where they do."""
    units = len(kept) if kept.unit is None else int(kept.unit[-1]) + 1
    if units < LEAST_UNITS:
        what = "rows" if kept.unit is None else "independent units"
        return f"a bootstrap needs {LEAST_UNITS} {what}, here are {units}"
    there = answer.replicates[~np.isnan(answer.replicates)]
    if len(there) < LEAST_REPLICATES * len(answer.replicates):
        return f"the function gave a number for {len(there)} of {len(answer.replicates)} resampled data sets only"
    if there.min() == there.max():
        return "all resampled data sets give the same value"
    return ""


def _differences(metric: OwnMetric, groups: Sequence[Group], own: dict[str, Measurement]) -> Iterator[Measurement]:
    for group, reference in pairs_of(groups):
        a, b = own[group.id], own[reference.id]
        if a.value is None or b.value is None:
            yield Measurement(metric.name, None, "undefined", (a if a.value is None else b).reason, group.id,
                              reference.id, "difference")
            continue
        value = a.value - b.value
        first, second = _normal(metric, a), _normal(metric, b)
        if first is None or second is None:
            yield Measurement(metric.name, value, "too_few", (a if first is None else b).reason, group.id,
                              reference.id, "difference")
            continue
        low, high = mover_difference(a.value, first, b.value, second)
        yield Measurement(metric.name, value, group=group.id, reference=reference.id, compare="difference",
                          interval=Interval(low, high, LEVEL, MOVER))


def _normal(metric: OwnMetric, m: Measurement) -> tuple[float, float] | None:
    """Normal bounds at `se`, as the gate takes them, cut off where the metric cannot go."""
    if m.value is None or m.se is None:
        return None
    low, high = transformed(m.value, m.se, "identity", ALPHA)
    return low if metric.low is None else max(low, metric.low), high if metric.high is None else min(high, metric.high)
