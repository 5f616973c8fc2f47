"""Rates of groups, what is derived from them, and pairwise differences and ratios, from confusion counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from govern.evidence import Comparing, Counts, Group, Interval, Measurement
from govern.metrics import COUNT_METRICS, DERIVED_METRICS, METRICS
from govern.stats.derived import derived
from govern.stats.effective import CELLS, effective_rows
from govern.stats.intervals import transformed
from govern.stats.means import Share, difference_bounds, pair_method, ratio_bounds

LEVEL = 0.95
ALPHA = (1 - LEVEL) / 2
PAIRWISE_GROUPS = 30
# Their differences and ratios are stored for every pair; those of the others follow from the counts.
COMPARED = ("selection_rate", "accuracy", "true_positive_rate", "false_positive_rate", "false_negative_rate",
            "true_negative_rate", "precision")
DERIVED_METHODS = {"logit": "linearised, logit", "fisher": "linearised, Fisher z"}


def share_of(counts: Counts, numerator: Sequence[str], denominator: Sequence[str], *, favourable_is_positive: bool
             ) -> Share:
    """The share of cells, `selected` among them, in a group; Σ weight where its rows are weighted."""
    sampling = counts.sampling
    if sampling is None:
        return Share(sum(getattr(counts, name) for name in numerator),
                     sum(getattr(counts, name) for name in denominator))
    positive = favourable_is_positive or counts.label is not None
    selected = ("tp", "fp") if positive else ("fn", "tn")
    top = [c for name in numerator for c in (selected if name == "selected" else (name,))]
    sums = [getattr(sampling, c) for c in CELLS]
    n = sum(sums[CELLS.index(c)] for c in denominator)
    return Share(sum(sums[CELLS.index(c)] for c in top), n,
                 effective_rows(sums, sampling.moments, top, denominator) if n else None)


def fraction(metric: str, counts: Counts, *, favourable_is_positive: bool = True) -> Share:
    """A count metric of a group as a share.

    `favourable_is_positive` matters only to the selection rate of weighted rows.
    """
    row = METRICS[metric]
    return share_of(counts, row.numerator, row.denominator, favourable_is_positive=favourable_is_positive)


def rates(counts: Sequence[Counts], *, favourable_is_positive: bool) -> Iterator[Measurement]:
    """Every count metric of every group with its interval, and every metric derived from the counts."""
    for metric in COUNT_METRICS:
        for c in counts:
            share = fraction(metric, c, favourable_is_positive=favourable_is_positive)
            if not share.n:
                yield Measurement(metric, None, "undefined", _empty(metric), c.group, numerator=share.x,
                                  denominator=share.n, label=c.label)
                continue
            yield Measurement(metric, share.value, group=c.group, numerator=share.x, denominator=share.n,
                              effective=share.effective,
                              interval=Interval.reading(*share.bounds(ALPHA), LEVEL, share.method), label=c.label)
    for metric in DERIVED_METRICS:
        for c in counts:
            yield _derived(metric, c)


def _derived(metric: str, c: Counts) -> Measurement:
    rows = (c.tp, c.fp, c.fn, c.tn)
    if c.sampling is None:
        e = derived(metric, rows)
    else:
        e = derived(metric, [getattr(c.sampling, cell) for cell in CELLS], c.sampling.moments, rows=rows)
    interval = None
    if e.status == "ok" and e.value is not None and e.se is not None:
        ends = transformed(e.value, e.se, e.transform, ALPHA)
        interval = Interval.reading(*ends, LEVEL, DERIVED_METHODS[e.transform])
    return Measurement(metric, e.value, e.status, e.reason, c.group, se=e.se,
                       transform=None if e.se is None else e.transform, interval=interval, label=c.label)


def _empty(metric: str) -> str:
    no_positive = "no row of the group has the positive label"
    no_negative = "every row of the group has the positive label"
    none_selected = "no row of the group is predicted positive"
    all_selected = "every row of the group is predicted positive"
    return {
        "true_positive_rate": no_positive, "false_negative_rate": no_positive,
        "false_positive_rate": no_negative, "true_negative_rate": no_negative,
        "precision": none_selected, "false_discovery_rate": none_selected,
        "negative_predictive_value": all_selected, "false_omission_rate": all_selected,
    }.get(metric, "the group has no rows")


def pairs_of(groups: Sequence[Group]) -> list[tuple[Group, Group]]:
    """(group, reference) for the groups of one feature: the smaller against the larger.

    Groups within levels of a control feature are paired with those of the same levels. Every pair up to 30
    groups; beyond that, and in an intersection that nobody asked a rule for, each group against the largest, so that
    the document does not grow with the square of the groups.
    """
    strata: dict[tuple[tuple[str, str | None], ...], list[Group]] = {}
    for g in sorted(groups, key=lambda g: -g.n):
        strata.setdefault(g.within, []).append(g)
    found: list[tuple[Group, Group]] = []
    for ranked in strata.values():
        if len(ranked) > PAIRWISE_GROUPS or not ranked[0].asked:
            found += [(g, ranked[0]) for g in ranked[1:]]
        else:
            found += [(b, a) for a, b in combinations(ranked, 2)]
    return found


def comparisons(groups: Sequence[Group], counts: Mapping[str, Counts], *, favourable_is_positive: bool
                ) -> Iterator[Measurement]:
    """Difference and ratio of the compared rates between the groups of one feature.

    `counts` by group id, of one class. Newcombe's interval for differences, its square-and-add counterpart for
    ratios, in small cells both from Jeffreys' bounds; undefined where a rate is. In an intersection that nobody asked a
    rule for, of the selection rate only: what is shown of it, the others follow from the counts.
    """
    pairs = pairs_of(groups)
    for metric in COMPARED if all(g.asked for g in groups) else COMPARED[:1]:
        of = {g.id: fraction(metric, counts[g.id], favourable_is_positive=favourable_is_positive) for g in groups}
        for group, reference in pairs:
            pair = _Pair(metric, group.id, reference.id, of[group.id], of[reference.id], counts[group.id].label)
            yield _difference(pair)
            yield _ratio(pair)


@dataclass(frozen=True, slots=True)
class _Pair:
    metric: str
    group: str
    reference: str
    a: Share
    b: Share
    label: str | None

    def measured(self, compare: Comparing, value: float, bounds: tuple[float, float], method: str) -> Measurement:
        return Measurement(
            self.metric, value, group=self.group, reference=self.reference, compare=compare,
            numerator=self.a.x, denominator=self.a.n, reference_numerator=self.b.x, reference_denominator=self.b.n,
            effective=self.a.effective, reference_effective=self.b.effective,
            interval=Interval.reading(*bounds, LEVEL, method), label=self.label)

    def undefined(self, compare: Comparing, why: str) -> Measurement:
        return Measurement(
            self.metric, None, "undefined", why, self.group, self.reference, compare, numerator=self.a.x,
            denominator=self.a.n, reference_numerator=self.b.x, reference_denominator=self.b.n, label=self.label)


def _difference(pair: _Pair) -> Measurement:
    a, b = pair.a, pair.b
    if not a.n or not b.n:
        return pair.undefined("difference", "a rate is undefined")
    return pair.measured("difference", a.value - b.value, difference_bounds(a, b, ALPHA),
                         pair_method("newcombe", a, b))


def _ratio(pair: _Pair) -> Measurement:
    a, b = pair.a, pair.b
    if not a.n or not b.n or not b.x:
        return pair.undefined("ratio", "a rate is undefined" if not a.n or not b.n else
                              "the rate of the reference is 0")
    return pair.measured("ratio", a.value / b.value, ratio_bounds(a, b, ALPHA), pair_method("square-and-add", a, b))
