"""The group that fares worst by a metric, under fairlearn's names, and the shortfall to four fifths in persons."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from govern.evidence import Counts, Group, Interval, Measurement
from govern.measure.rates import ALPHA, LEVEL, fraction
from govern.metrics import METRICS
from govern.stats.intervals import mover_difference, transformed
from govern.stats.means import Share

Features = tuple[str, ...]
# fairlearn's name → our metric; the lowest group for _group_min, the highest for _group_max.
EXTREMES = {
    "accuracy_score_group_min": "accuracy",
    "balanced_accuracy_score_group_min": "balanced_accuracy",
    "f1_score_group_min": "f1_score",
    "precision_score_group_min": "precision",
    "recall_score_group_min": "true_positive_rate",
    "roc_auc_score_group_min": "roc_auc",
    "r2_score_group_min": "r2_score",
    "log_loss_group_max": "log_loss",
    "mean_absolute_error_group_max": "mean_absolute_error",
    "mean_squared_error_group_max": "mean_squared_error",
}
FOUR_FIFTHS = Fraction(4, 5)


def extremes(groups: Mapping[Features, Sequence[Group]], measurements: Sequence[Measurement]
             ) -> Iterator[Measurement]:
    """Lowest or highest value over the groups of each feature, of every metric of `EXTREMES` that was measured.

    Groups whose value is missing or unknown stay outside; those in which the metric is undefined are named in the
    reason, which also names the group. The interval's end towards the extreme needs no correction (the true
    extreme is one group's), the other one is that of the best bound with the error divided by the groups.
    """
    found = {(m.metric, m.group, m.label): m for m in measurements
             if m.reference is None and not m.features and m.slice is None}
    labels = dict.fromkeys(label for _, _, label in found)
    measured = {(metric, label) for metric, _, label in found}
    for name, metric in EXTREMES.items():
        for label in labels:
            if (metric, label) in measured:
                for features, of in groups.items():
                    yield _extreme(name, [(g, found.get((metric, g.id, label))) for g in of], features, label)


def _extreme(name: str, of: Sequence[tuple[Group, Measurement | None]], features: Features, label: str | None
             ) -> Measurement:
    known = [(g, m) for g, m in of if not g.missing and g.n and m is not None]
    usable = [(g, m, m.value) for g, m in known if m.value is not None]
    out = ", ".join(g.name for g, m in known if m.value is None)
    left = f"without {out}: undefined there" if out else None
    if not usable:
        return Measurement(name, None, "undefined", left or "no group has it", features=features, label=label)
    sign = 1 if name.endswith("_min") else -1
    value = min(sign * v for _, _, v in usable) * sign
    where = ", ".join(g.name for g, _, v in usable if v == value)
    reason = f"in {where}" + (f"; {left}" if left else "")
    towards = [_bounds(m, ALPHA) for _, m, _ in usable]
    away = [_bounds(m, ALPHA / len(usable)) for _, m, _ in usable]
    bare = ", ".join(g.name for (g, _, _), b in zip(usable, towards, strict=True) if not b)
    reason += f"; no interval, because {bare} has none" if bare else ""
    interval = None
    if not bare:
        lows, highs = (towards, away) if sign == 1 else (away, towards)
        pick = min if sign == 1 else max
        interval = Interval.reading(pick(b[0] for b in lows if b), pick(b[1] for b in highs if b), LEVEL,
                                    "over all groups")
    return Measurement(name, value, reason=reason, features=features, interval=interval, label=label)


def _bounds(m: Measurement, alpha: float) -> tuple[float, float] | None:
    """Bounds of a stored metric at another level, cut at its range; None where it has no interval."""
    if m.value is None or m.status != "ok":
        return None
    if m.numerator is not None and m.denominator:
        return Share(m.numerator, m.denominator, m.effective).bounds(alpha)
    if m.se is None or m.transform is None:
        return None
    low, high = transformed(m.value, m.se, m.transform, alpha)
    row = METRICS[m.metric]
    return low if row.low is None else max(low, row.low), high if row.high is None else min(high, row.high)


def shortfalls(groups: Mapping[Features, Sequence[Group]], counts: Mapping[tuple[str, str | None], Counts], *,
               favourable_is_positive: bool, label: str | None = None) -> Iterator[Measurement]:
    """How many more selected persons each group would need to reach four fifths of the highest selection rate.

    The smallest k with (x + k) / n ≥ 4/5 · X / N, in whole numbers; with weights the sum of weights that is
    missing. One measurement for each group but the one with the highest rate, which is its `reference`; the reason
    says when moving a single selection between the two would change the side of four fifths the ratio is on. The
    interval is of the persons whom the true rates would ask for in a group of this size: the upper end is the largest
    of any other group's 4/5 · rate − own rate, the lower one that with the error divided by the other groups.
    `label` is the favourable class of a multiclass task; nothing is given where that has no counts. Undefined where
    nobody is selected.
    Source: 29 CFR 1607.4 D (Uniform Guidelines 1978); the flip Questions and Answers 1979, 44 FR 11996, no. 21.
    """
    if all(which != label for _, which in counts):
        return
    for of in groups.values():
        known = [g for g in of if not g.missing and g.n]
        shares = {g.id: fraction("selection_rate", counts[g.id, label], favourable_is_positive=favourable_is_positive)
                  for g in known}
        if len(known) < 2:
            continue
        exact = {g.id: Fraction(shares[g.id].x) / Fraction(shares[g.id].n) for g in known}
        best = max(known, key=lambda g: (exact[g.id], g.n))
        for g in known:
            if g.id != best.id:
                others = [shares[o.id] for o in known if o.id != g.id]
                yield _shortfall(g, best, shares[g.id], shares[best.id], others, label)


def _shortfall(group: Group, best: Group, own: Share, top: Share, others: Sequence[Share], label: str | None
               ) -> Measurement:
    def measured(value: float | None, reason: str | None) -> Measurement:
        return Measurement("four_fifths_shortfall", value, "ok" if value is not None else "undefined", reason, group.id,
                           best.id, numerator=own.x, denominator=own.n, reference_numerator=top.x,
                           reference_denominator=top.n, effective=own.effective, reference_effective=top.effective,
                           interval=None if value is None else _lacking(own, others), label=label)

    if not top.x:
        return measured(None, "nobody is selected")
    needed = FOUR_FIFTHS * Fraction(top.x) / Fraction(top.n) * Fraction(own.n)
    if own.effective is not None:
        return measured(max(0.0, float(needed - Fraction(own.x))), "in the unit of the weights")
    x, n, best_x, best_n = int(own.x), int(own.n), int(top.x), int(top.n)
    below = x < needed
    # One selection more here and one fewer there, or the other way round where the ratio is not below.
    step = 1 if below else -1
    moved = Fraction(x + step, n) < FOUR_FIFTHS * Fraction(best_x - step, best_n)
    possible = 0 <= x + step <= n and 0 <= best_x - step <= best_n
    flip = "moving one selection between the groups changes the side of four fifths"
    return measured(float(max(0, -(-needed.numerator // needed.denominator) - x)),
                    flip if possible and moved != below else None)


def _lacking(own: Share, others: Sequence[Share]) -> Interval:
    """The interval of the shortfall to the highest rate of the others: square-and-add bounds of 4/5 · rate − own."""
    def gap(other: Share, alpha: float, end: int) -> float:
        low, high = other.bounds(alpha)
        scaled = 0.8 * low, 0.8 * high
        return own.n * mover_difference(0.8 * other.value, scaled, own.value, own.bounds(alpha))[end]

    ends = [max(0.0, *(gap(o, alpha, end) for o in others))
            for end, alpha in ((0, ALPHA / len(others)), (1, ALPHA))]
    if own.effective is None:
        # As the shortfall itself: whole persons, one more where a part of one is missing.
        ends = [float(math.ceil(e - 1e-9)) for e in ends]
    return Interval.reading(ends[0], ends[1], LEVEL, "all pairs, square-and-add")
