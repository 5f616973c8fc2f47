"""The metric of a group, or of all rows outside it, as the evidence holds it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from govern.evidence import OVERALL, REST, Counts, Evidence, Group, Measurement, Sampling, ThresholdCounts
from govern.metrics import METRICS
from govern.policy.quantities import Difference, Rate, Ratio, Score, ScoreDifference, between
from govern.policy.tasks import row_of, setting
from govern.stats.derived import derived
from govern.stats.effective import CELLS, PLACES, effective_rows

NOBODY_OUTSIDE = "no row outside the group is in its denominator"
# What a group's status says about numbers that are missing from it.
STATUSES = {
    "missing": "its value is missing",
    "unknown": "its value is unknown",
    "unseen": "its value is not among the declared levels",
    "empty": "nobody is in it",
    "tiny": "it has fewer than 30 rows",
    "one_class": "all its rows have one label",
}


def fraction(metric: str, counts: Counts, favourable: tuple[str, str] = ("tp", "fp"), *, status: str = "ok") -> Rate:
    """The count metric `metric` of a group as numerator and denominator; `favourable` names the two cells that are
    predicted favourable, needed where rows do not count once each. A `status` that explains why there are no rows
    is named in the reason."""
    row = METRICS[metric]
    empty = _said("no row of the group is in its denominator", status)
    rows = sum(getattr(counts, c) for c in row.denominator)
    sampling = counts.sampling
    if sampling is None:
        return Rate(sum(getattr(counts, c) for c in row.numerator), rows, empty)
    numerator = favourable if row.numerator == ("selected",) else row.numerator
    effective = effective_rows((sampling.tp, sampling.fp, sampling.fn, sampling.tn), sampling.moments, numerator,
                               row.denominator)
    top, bottom = (math.fsum(getattr(sampling, c) for c in cells) for cells in (numerator, row.denominator))
    return Rate(top, bottom if effective else 0, empty, effective, rows)


def of_group(evidence: Evidence, metric: str, group: str = OVERALL, label: str | None = None,
             decision: str | None = None) -> Rate | Score | None:
    """The metric of one group, in a multiclass task of the class `label` against all others; None when it was
    not measured. Families count and share are a Rate, all others a Score. With `decision` the rate of that decision
    column among the rows that reached it, instead of that of the predictions."""
    if decision is not None:
        reached = evidence.find(metric, group, decision=decision)
        return _share(reached, evidence.groups_by_id[group].n) if reached else None
    family, status = row_of(metric, evidence).family, evidence.groups_by_id[group].status
    if family in ("count", "derived"):
        counts = evidence.counts_by_label.get((group, label))
        return _from_counts(evidence, metric, counts, status) if counts else None
    found = evidence.find(metric, group, label=label)
    if found is None:
        return None
    if family == "share":
        return _share(found, evidence.groups_by_id[group].n)
    if metric != "calibration_error":
        return _score(found, status)
    test = evidence.find("calibration_p_value", group, label=label)
    return replace(_score(found, status), tested=True, p_value=test.value if test else None)


def decisions_of(evidence: Evidence) -> list[str]:
    """The decision columns that were measured, in their order."""
    return list(dict.fromkeys(m.decision for m in evidence.measurements if m.decision is not None))


def named(m: Measurement) -> str:
    """What a measurement of the data or of the explanation is about: a column, a case, a list of columns, or a group
    by its id."""
    return m.slice.partition(": ")[2] if m.slice else m.group


def failure(evidence: Evidence, metric: str, groups: Iterable[Group]) -> str | None:
    """Why the metric could not be measured in one of the groups, the first of them; None where it could in all."""
    for g in groups:
        found = evidence.find(metric, g.id)
        if found is not None and found.status == "error":
            return f"{row_of(metric, evidence).title} of {g.name}: {found.reason}"
    return None


def against_rest(
    evidence: Evidence, metric: str, group: str, compare: str, label: str | None = None
) -> Difference | Ratio | ScoreDifference | None:
    """The metric of `group` against all used rows outside it, None when it was not measured.

    The estimate for the rest stands in the evidence under reference "rest" without `compare`; that of a ratio of
    unweighted counts follows from the counts.
    """
    own, rest = of_group(evidence, metric, group, label), _rest(evidence, metric, group, label)
    return between(own, rest, compare) if own is not None and rest is not None else None


def _rest(evidence: Evidence, metric: str, group: str, label: str | None) -> Rate | Score | None:
    family = row_of(metric, evidence).family
    rows = evidence.groups_by_id[OVERALL].n - evidence.groups_by_id[group].n
    if family in ("count", "derived"):
        one, all_of = (evidence.counts_by_label.get((g, label)) for g in (group, OVERALL))
        if one is None or all_of is None:
            return None
        rest = _from_counts(evidence, metric, outside(one, all_of))
        return replace(rest, empty=NOBODY_OUTSIDE) if isinstance(rest, Rate) else rest
    found = evidence.find(metric, group, REST, label=label)
    if found is not None:
        return _share(found, rows) if family == "share" else _score(found)
    own, everyone = (of_group(evidence, metric, g, label) for g in (group, OVERALL))
    if not isinstance(own, Rate) or not isinstance(everyone, Rate) or own.effective or everyone.effective:
        return None
    return Rate(everyone.x - own.x, everyone.n - own.n, NOBODY_OUTSIDE)


def _from_counts(evidence: Evidence, metric: str, counts: Counts, status: str = "ok") -> Rate | Score:
    if METRICS[metric].family == "count":
        return fraction(metric, counts, _favourable(evidence, counts.label), status=status)
    rows = [getattr(counts, c) for c in CELLS]
    if not any(rows):
        return Score(None, reason=_said("no rows to compute it from", status))
    s = counts.sampling
    found = derived(metric, rows) if s is None else derived(metric, (s.tp, s.fp, s.fn, s.tn), s.moments, rows=rows)
    reason = None if found.status == "ok" else _said(found.reason or found.status.replace("_", " "), status)
    return Score(found.value, found.se, found.transform or "identity", reason)


def at_threshold(swept: ThresholdCounts, place: int, *, favourable_is_positive: bool = True) -> Counts:
    """The counts of a group at one of the thresholds, from 0."""
    tp, fp, fn, tn = (cell[place] for cell in (swept.tp, swept.fp, swept.fn, swept.tn))
    sampling = None
    if swept.sums:
        w_tp, w_fp, w_fn, w_tn = (cell[place] for cell in swept.sums)
        sampling = Sampling(w_tp, w_fp, w_fn, w_tn, tuple(m[place] if m else 0.0 for m in swept.moments))
    return Counts(swept.group, tp, fp, fn, tn, tp + fp if favourable_is_positive else fn + tn, sampling=sampling)


def outside(own: Counts, everyone: Counts) -> Counts:
    """The counts of all rows outside a group. Where a person has rows inside and outside it, the products of the
    two stay with the rest, whose variance they raise."""
    cells = {c: getattr(everyone, c) - getattr(own, c) for c in (*CELLS, "selected")}
    sampling, inside = everyone.sampling, own.sampling
    if sampling is None or inside is None:
        return Counts(REST, **cells, label=own.label)
    # A cell without rows has no weight either: what is left of the sums is rounding.
    sums = {c: max(0.0, getattr(sampling, c) - getattr(inside, c)) if cells[c] else 0.0 for c in CELLS}
    moments = [max(0.0, m - i) for m, i in zip(sampling.moments, inside.moments, strict=True)]
    for (a, b), place in PLACES.items():
        if not (cells[CELLS[a]] and cells[CELLS[b]]):
            moments[place] = 0.0
    return Counts(REST, **cells, label=own.label, sampling=Sampling(**sums, moments=tuple(moments)))


def _favourable(evidence: Evidence, label: str | None) -> tuple[str, str]:
    """The cells predicted favourable: those predicted to be the class, or the favourable label of a binary task."""
    wished = setting(evidence, "favourable")
    positive = label is not None or wished is None or wished == setting(evidence, "positive")
    return ("tp", "fp") if positive else ("fn", "tn")


def _score(found: Measurement, status: str = "ok") -> Score:
    reason = None if found.status == "ok" else _said(found.reason or found.status.replace("_", " "), status)
    return Score(found.value, found.se, found.transform or "identity", reason)


def _said(reason: str, status: str) -> str:
    """A reason, with what the status of the group adds to it."""
    said = STATUSES.get(status)
    return f"{reason}: {said}" if said else reason


def _share(found: Measurement, rows: int) -> Rate:
    """A ratio whose measurement carries its counts, of all rows of the group."""
    if found.status != "ok" or found.numerator is None or not found.denominator:
        return Rate(0, 0, found.reason or "no rows to compute it from")
    return Rate(found.numerator, found.denominator, effective=found.effective, rows=rows if found.effective else None)
