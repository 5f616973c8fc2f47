"""What would make a comparison pass, or decide it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from govern.evidence import BASELINE, REST, TRIVIAL
from govern.policy.decide import Judged, Limits
from govern.policy.quantities import Bound, Difference, Quantity, Rate, Ratio, Score, ScoreDifference, between
from govern.stats.sizes import (
    detectable_distance,
    detectable_gap,
    rows_to_settle,
    selections_to_meet,
    size_to_settle,
    times_to_settle,
)
from govern.verdict import Comparison, Settle

# References of which no further rows can be had.
FIXED = (REST, BASELINE, TRIVIAL)


def settle(metric: str, outcome: str, worst: Judged, limits: Limits) -> Settle | None:
    """What helps a finding, None when nothing can be said.

    Not decided: the further rows of one group that would decide it, or how many times the rows, and the smallest
    gap (of a single number: distance from its bound) that these sizes show. Failed: how far the estimate lies
    outside. Failed or leaning selection rates: the further favourable outcomes at which the estimate meets the
    bound. `limits` are those of the signed comparison.
    """
    quantity, seen = worst.quantity, worst.comparison
    if worst.margin is None:
        return None
    found = Settle(seen.group)
    if outcome == "fail":
        found = replace(found, gap=-worst.margin)
    if outcome in ("pass", "insufficient") and seen.level_fail is not None:
        found = replace(found, detectable=_detectable(quantity, limits, seen.level_fail))
    if isinstance(quantity, Difference | Ratio):
        found = _of_two_rates(metric, outcome, worst, limits, found)
    elif isinstance(quantity, Rate) and outcome == "insufficient":
        found = replace(found, rows=_rows(quantity, None, None, limits, seen) or None)
    elif isinstance(quantity, Score | ScoreDifference) and outcome == "insufficient":
        found = _of_scores(quantity, seen, limits, found)
    if outcome == "insufficient" and not found.rows:
        found = replace(found, times=_times(quantity, limits, seen))
    return found if replace(found, group=None) != Settle() else None


def _of_two_rates(metric: str, outcome: str, worst: Judged, limits: Limits, found: Settle) -> Settle:
    """Rows of the group with fewer, and outcomes of the group with the lower rate."""
    quantity, seen = worst.quantity, worst.comparison
    if not isinstance(quantity, Difference | Ratio) or seen.reference is None or worst.margin is None:
        return found
    a, b = quantity.a, quantity.b
    compare = "difference" if isinstance(quantity, Difference) else "ratio"
    sides = [(seen.group, a, b, limits), (seen.reference, b, a, _turned(limits, compare))]
    fewer = 0 if a.size <= b.size or seen.reference in FIXED else 1
    lower = 0 if a.x * b.n <= b.x * a.n else 1
    selections = rows = None
    if outcome != "pass" and metric == "selection_rate" and worst.margin < 0 and sides[lower][0] not in FIXED:
        _, low, high, inner = sides[lower]
        selections = _selections(low, high, compare, inner)
    if outcome == "insufficient":
        _, few, many, inner = sides[fewer]
        rows = _rows(few, many, compare, inner, seen)
        # One group is named: where two would be, the rows that decide come before outcomes that meet the bound.
        selections = selections if lower == fewer or not rows else None
    group = sides[lower if selections else fewer][0]
    return replace(found, group=group, selections=selections or None, rows=rows or None)


def _selections(low: Rate, high: Rate, compare: str, inner: Limits) -> int | None:
    if low.count is None or high.count is None:
        return None
    return selections_to_meet(low.count, low.size, high.count, high.size, compare=compare, minimum=inner.minimum,
                              maximum=None)


def _rows(few: Rate, many: Rate | None, compare: str | None, inner: Limits, seen: Comparison) -> int | None:
    """Further rows of `few` that would decide; where rows have weights or repeat persons, rows like those seen."""
    if seen.level_pass is None or seen.level_fail is None:
        return None
    if few.count is None or (many is not None and many.count is None):
        def grown(rows: int) -> Quantity:
            more = _grown(few, rows / few.size)
            return between(more, many, compare or "") if many is not None and isinstance(more, Rate) else more

        return _further(grown, few.size, inner, seen)
    return rows_to_settle(few.count, few.size, many.count if many else None, many.size if many else None,
                          compare=compare, minimum=inner.minimum, maximum=inner.maximum,
                          alpha_pass=seen.level_pass, alpha_fail=seen.level_fail)


def _of_scores(quantity: Score | ScoreDifference, seen: Comparison, limits: Limits, found: Settle) -> Settle:
    """Further rows of the group, of two of the smaller one, that would decide; the rest of a group never grows."""
    if isinstance(quantity, Score):
        rows = _further(lambda n: _grown(quantity, n / (seen.n or 1)), seen.n, limits, seen)
        return replace(found, rows=rows or None)
    first = seen.reference in FIXED or seen.reference_n is None or (seen.n or 0) <= seen.reference_n
    size, group = (seen.n, seen.group) if first else (seen.reference_n, seen.reference)

    def grown(n: int) -> Quantity:
        k = n / (size or 1)
        return replace(quantity, a=_score(quantity.a, k)) if first else replace(quantity, b=_score(quantity.b, k))

    rows = _further(grown, size, limits, seen)
    return replace(found, rows=rows, group=group) if rows else found


def _further(grown: Callable[[int], Quantity], size: int | None, limits: Limits, seen: Comparison) -> int | None:
    """Rows beyond `size` with which the quantity that `grown` makes of so many rows would be decided."""
    passing, failing = seen.level_pass, seen.level_fail
    if not size or passing is None or failing is None or grown(size).interval(failing) is None:
        return None

    def decided(rows: int) -> bool:
        return _decided(grown(rows), limits, passing, failing)

    found = size_to_settle(decided, size)
    return None if found is None else found - size


def _decided(quantity: Quantity, limits: Limits, passing: float, failing: float) -> bool:
    inside, outside = quantity.interval(passing), quantity.interval(failing)
    return inside is not None and outside is not None and (limits.inside(*inside) or limits.outside(*outside))


def _times(quantity: Quantity, limits: Limits, seen: Comparison) -> int | None:
    """How many times the rows of all groups (of the new version alone, where the other is in service) would decide
    it, None when a thousand times would not."""
    passing, failing = seen.level_pass, seen.level_fail
    if passing is None or failing is None or quantity.interval(failing) is None:
        return None

    def decided(k: int) -> bool:
        grown = _grown_alone(quantity, k) if seen.reference == BASELINE else _grown(quantity, k)
        return _decided(grown, limits, passing, failing)

    found = times_to_settle(decided)
    return found if found != 1 else None


def _grown(quantity: Quantity, k: float) -> Quantity:
    """The same estimate from k times the rows; standard errors fall with their square root."""
    if isinstance(quantity, Rate):
        effective = None if quantity.effective is None else quantity.effective * k
        return replace(quantity, x=quantity.x * k, n=quantity.n * k, effective=effective)
    if isinstance(quantity, Score):
        return _score(quantity, k)
    if isinstance(quantity, Difference | Ratio | ScoreDifference):
        return replace(quantity, a=_grown(quantity.a, k), b=_grown(quantity.b, k))  # type: ignore[arg-type]
    return quantity


def _grown_alone(quantity: Quantity, k: int) -> Quantity:
    """The same estimates where only the rows of the first side are k times as many."""
    if isinstance(quantity, Difference | ScoreDifference):
        return replace(quantity, a=_grown(quantity.a, k))  # type: ignore[arg-type]
    return quantity


def _score(score: Score, k: float) -> Score:
    return replace(score, se=None if score.se is None else score.se / math.sqrt(k))


def _detectable(quantity: Quantity, limits: Limits, alpha: float) -> float | None:
    """The smallest gap these sizes show in 80 % of samples; of one number, its distance from the bound."""
    if isinstance(quantity, Difference | Ratio):
        few, many = sorted((quantity.a, quantity.b), key=lambda rate: rate.size)
        n1, n2 = few.sample[1], many.sample[1]
        return detectable_gap(n1, n2, many.x / many.n, alpha=alpha) if min(n1, n2) >= 1 else None
    if isinstance(quantity, Rate):
        bound = limits.nearest(quantity.x / quantity.n)
        n = quantity.sample[1]
        return detectable_gap(n, math.inf, bound, alpha=alpha) if 0 <= bound <= 1 and n >= 1 else None
    parts = (quantity.a, quantity.b) if isinstance(quantity, ScoreDifference) else (quantity,)
    spreads = [_spread(part) for part in parts]
    if any(s is None for s in spreads):
        return None
    return detectable_distance(math.hypot(*(s for s in spreads if s is not None)), alpha=alpha) or None


def _spread(score: Quantity) -> float | None:
    """The standard error on the scale of the estimate, by the delta method; None without one."""
    if not isinstance(score, Score) or score.value is None or score.se is None or score.reason:
        return None
    value, se = score.value, score.se
    slopes = {"identity": 1.0, "logit": value * (1 - value), "log": value, "square": 0.5 / value if value > 0 else 0.0}
    slope = slopes[score.transform]
    return se * slope if slope > 0 else None


def _turned(limits: Limits, compare: str) -> Limits:
    """The same limits for the comparison with its two groups exchanged."""
    turn = _minus if compare == "difference" else _inverse
    return Limits(turn(limits.maximum), turn(limits.minimum))


def _minus(limit: Bound | None) -> Bound | None:
    return None if limit is None else -limit


def _inverse(limit: Bound | None) -> Bound | None:
    return None if not limit else 1 / Fraction(limit)
