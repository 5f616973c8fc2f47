"""Rates of groups and their pairwise differences and ratios, from confusion counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from govern.evidence import OVERALL, Counts, Group, Interval, Measurement
from govern.metrics import COUNT_METRICS, METRICS
from govern.stats.cube import Partition
from govern.stats.intervals import newcombe, ratio, wilson

LEVEL = 0.95
ALPHA = (1 - LEVEL) / 2
PAIRWISE_GROUPS = 30


def counts_of(group: str, tp: int, fp: int, fn: int, tn: int, *, favourable_is_positive: bool) -> Counts:
    """Confusion counts with the rows predicted to have the favourable label."""
    return Counts(group, tp, fp, fn, tn, selected=tp + fp if favourable_is_positive else fn + tn)


def groups_of(partition: Partition, start: int, *, asked: bool, favourable_is_positive: bool
              ) -> tuple[list[Group], list[Counts]]:
    """Groups g`start`, g`start + 1`, … of a partition and their counts."""
    groups, counts = [], []
    columns = (partition.tp, partition.fp, partition.fn, partition.tn)
    for i, key in enumerate(partition.keys):
        tp, fp, fn, tn = (int(c[i]) for c in columns)
        id = f"g{start + i}"
        positive, n = tp + fn, tp + fp + fn + tn
        groups.append(Group(id, partition.features, key, n, positive,
                            positive if favourable_is_positive else n - positive, asked))
        counts.append(counts_of(id, tp, fp, fn, tn, favourable_is_positive=favourable_is_positive))
    return groups, counts


def fraction(metric: str, counts: Counts) -> tuple[int, int]:
    """Numerator and denominator of a count metric."""
    row = METRICS[metric]
    return (sum(getattr(counts, name) for name in row.numerator),
            sum(getattr(counts, name) for name in row.denominator))


def rates(counts: Sequence[Counts]) -> Iterator[Measurement]:
    """Every count metric of every group, with its Wilson interval."""
    for metric in COUNT_METRICS:
        for c in counts:
            x, n = fraction(metric, c)
            if n == 0:
                yield Measurement(metric, None, "undefined", _empty(metric), c.group, numerator=x, denominator=n)
                continue
            low, high = wilson(x, n, ALPHA)
            yield Measurement(metric, x / n, group=c.group, numerator=x, denominator=n,
                              interval=Interval(low, high, LEVEL, "wilson"))


def _empty(metric: str) -> str:
    return {
        "true_positive_rate": "no row of the group has the positive label",
        "false_negative_rate": "no row of the group has the positive label",
        "false_positive_rate": "every row of the group has the positive label",
        "true_negative_rate": "every row of the group has the positive label",
        "precision": "no row of the group is predicted positive",
    }.get(metric, "the group has no rows")


def pairs_of(groups: Sequence[Group]) -> list[tuple[Group, Group]]:
    """(group, reference) for the groups of one feature: the smaller against the larger.

    Every pair up to 30 groups; beyond that, each group against the largest, so that the document does
    not grow with the square of the groups.
    """
    ranked = sorted(groups, key=lambda g: -g.n)
    if len(groups) > PAIRWISE_GROUPS:
        return [(g, ranked[0]) for g in ranked[1:]]
    return [(b, a) for a, b in combinations(ranked, 2)]


def comparisons(groups: Sequence[Group], counts: dict[str, Counts]) -> Iterator[Measurement]:
    """Difference and ratio of every count metric between the groups of one feature.

    Newcombe's interval for differences, its square-and-add counterpart for ratios; undefined where a rate is.
    """
    pairs = pairs_of(groups)
    for metric in COUNT_METRICS:
        of = {g.id: fraction(metric, counts[g.id]) for g in groups}
        for group, reference in pairs:
            (x1, n1), (x2, n2) = of[group.id], of[reference.id]
            yield _difference(metric, group.id, reference.id, x1, n1, x2, n2)
            yield _ratio(metric, group.id, reference.id, x1, n1, x2, n2)


def _difference(metric: str, group: str, reference: str, x1: int, n1: int, x2: int, n2: int) -> Measurement:
    if not n1 or not n2:
        return Measurement(metric, None, "undefined", "a rate is undefined", group, reference, "difference",
                           numerator=x1, denominator=n1, reference_numerator=x2, reference_denominator=n2)
    low, high = newcombe(x1, n1, x2, n2, ALPHA)
    return Measurement(metric, x1 / n1 - x2 / n2, group=group, reference=reference, compare="difference",
                       numerator=x1, denominator=n1, reference_numerator=x2, reference_denominator=n2,
                       interval=Interval(low, high, LEVEL, "newcombe"))


def _ratio(metric: str, group: str, reference: str, x1: int, n1: int, x2: int, n2: int) -> Measurement:
    if not n1 or not n2 or not x2:
        why = "a rate is undefined" if not n1 or not n2 else "the rate of the reference is 0"
        return Measurement(metric, None, "undefined", why, group, reference, "ratio",
                           numerator=x1, denominator=n1, reference_numerator=x2, reference_denominator=n2)
    low, high = ratio(x1, n1, x2, n2, ALPHA)
    return Measurement(metric, (x1 / n1) / (x2 / n2), group=group, reference=reference, compare="ratio",
                       numerator=x1, denominator=n1, reference_numerator=x2, reference_denominator=n2,
                       interval=Interval(low, high, LEVEL, "square-and-add"))


def overall_group(counts: Counts, *, favourable_is_positive: bool) -> Group:
    """The group of everyone."""
    n = counts.tp + counts.fp + counts.fn + counts.tn
    positive = counts.tp + counts.fn
    return Group(OVERALL, (), (), n, positive, positive if favourable_is_positive else n - positive)
