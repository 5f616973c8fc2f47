"""Metrics of the user's own: each is called and bootstrapped in the model's process, for everyone and each group."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from govern.errors import InputError
from govern.evidence import Group, Interval, Measurement
from govern.inputs.labels import Target
from govern.inputs.settings import OwnMetric
from govern.measure.group_rows import GroupRows, Kept
from govern.measure.rates import ALPHA, LEVEL, pairs_of
from govern.stats.bca import bca
from govern.stats.cube import Levels
from govern.stats.intervals import Pair, mover_difference
from govern.worker.client import Pending, Worker
from govern.worker.protocol import Buffer, Header
from govern.worker.replies import CustomReply

# Of a group; its rows times the replicates are at most about 2,000,000, but not fewer than the second.
REPLICATES, LEAST_REPLICATES, ROWS_DRAWN = 2_000, 400, 2_000_000
BLOCKS = 50
LEAST_UNITS = 30
LEAST_OF_LABEL = 10
MOVER = "bootstrap, MOVER"


def own_metrics(metrics: Sequence[OwnMetric], rows: GroupRows, groups: Sequence[Group], levels: Levels,
                target: Target, worker: Worker, *, weighted: bool, seed: int, repeated: bool = True
                ) -> list[Measurement]:
    """Each metric of everyone and of each asked group, and the differences between the groups of a feature.

    The value is that of the rows kept (up to 20,000 of a group, else the reason says so), `se` the standard deviation
    of the bootstrap replicates (2,000 up to 1,000 rows, down to 400 from 5,000 rows on), the interval BCa, with the
    acceleration from 50 parts of the rows left out. Status "too_few" below 30 rows (or clusters) and below 10 rows of
    either label of a binary task, and where the replicates do not show how far the value may vary (`stats/bca.py`).
    Status "error", with the reason, where the function gives no finite number or leaves its range. `repeated`: some
    cluster has two rows.
    Source: Efron 1987, JASA 82:171–185; replicates DiCiccio & Efron 1996, Stat. Sci. 11:189–228.

    Raises InputError where the function cannot be found, or the process ends.
    """
    asked = [g for g in groups if g.asked and not g.within]
    kept = {g.id: rows.of(g.features, _codes(g, levels), repeated=repeated) for g in asked if g.n}
    requests = {id: _request(k, target, weighted) for id, k in kept.items()}
    found: list[Measurement] = []
    for metric in metrics:
        try:
            pending = {id: worker.submit_custom(metric.function, *request, _replicates(kept[id]),
                                                min(BLOCKS, _units(kept[id])), seed)
                       for id, request in requests.items()}
            own = {g.id: _measured(metric, g, target, kept.get(g.id), pending.get(g.id)) for g in asked}
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


def _replicates(kept: Kept) -> int:
    return min(REPLICATES, max(LEAST_REPLICATES, ROWS_DRAWN // max(1, len(kept))))


def _units(kept: Kept) -> int:
    """Rows, or clusters where some repeat."""
    return len(kept) if kept.unit is None else int(kept.unit[-1]) + 1


def _measured(metric: OwnMetric, group: Group, target: Target, kept: Kept | None, pending: Pending[CustomReply] | None
              ) -> Measurement:
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
    few, ends = _too_few(kept, target), None
    if not few:
        ends, few = bca(value, answer.replicates, answer.without, ALPHA)
    if ends is None:
        return Measurement(metric.name, value, "too_few", "; ".join(r for r in (few, sampled) if r), group.id)
    spread = np.sort(answer.replicates[~np.isnan(answer.replicates)])
    middle = math.fsum(spread.tolist()) / len(spread)
    se = math.sqrt(math.fsum(((spread - middle) ** 2).tolist()) / (len(spread) - 1))
    method = f"bootstrap, BCa, {len(answer.replicates):,} replicates"
    return Measurement(metric.name, value, "ok", sampled, group.id, se=se, transform="identity",
                       interval=Interval.reading(max(ends[0], low), min(ends[1], high), LEVEL, method))


def _too_few(kept: Kept, target: Target) -> str:
    """Why a bootstrap would say nothing about chance; empty where it may."""
    units = _units(kept)
    if units < LEAST_UNITS:
        what = "rows" if kept.unit is None else "independent units"
        return f"a bootstrap needs {LEAST_UNITS} {what}, here are {units}"
    if target.task == "binary":
        positive = int((kept.numbers[:, 0] == 1).sum())
        others = len(kept) - positive
        if min(positive, others) < LEAST_OF_LABEL:
            return f"a bootstrap needs {LEAST_OF_LABEL} rows of each label, here are {positive} and {others}"
    return ""


def _differences(metric: OwnMetric, groups: Sequence[Group], own: dict[str, Measurement]) -> Iterator[Measurement]:
    for group, reference in pairs_of(groups):
        a, b = own[group.id], own[reference.id]
        if a.value is None or b.value is None:
            yield Measurement(metric.name, None, "undefined", (a if a.value is None else b).reason, group.id,
                              reference.id, "difference")
            continue
        value = a.value - b.value
        first, second = _ends(a), _ends(b)
        if first is None or second is None:
            yield Measurement(metric.name, value, "too_few", (a if first is None else b).reason, group.id,
                              reference.id, "difference")
            continue
        low, high = mover_difference(a.value, first, b.value, second)
        yield Measurement(metric.name, value, group=group.id, reference=reference.id, compare="difference",
                          interval=Interval.reading(low, high, LEVEL, MOVER))


def _ends(m: Measurement) -> Pair | None:
    """The ends of the interval, None without one."""
    if m.interval is None or m.interval.low is None or m.interval.high is None:
        return None
    return m.interval.low, m.interval.high
