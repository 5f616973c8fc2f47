"""What would make a comparison of two rates pass, or decide it."""

from __future__ import annotations

from fractions import Fraction

from govern.evidence import REST
from govern.policy.decide import Judged, Limits
from govern.policy.quantities import Bound, Difference, Ratio
from govern.stats.sizes import detectable_gap, growth_to_settle, rows_to_settle, selections_to_meet
from govern.verdict import Settle


def settle(metric: str, outcome: str, worst: Judged, limits: Limits) -> Settle | None:
    """The gap these sizes can show; where it is not decided, the rows that would decide it; and for selection
    rates that fail or lean, the further favourable outcomes that would meet the bound."""
    quantity, seen = worst.quantity, worst.comparison
    if not isinstance(quantity, Difference | Ratio) or seen.reference is None:
        return None
    a, b = quantity.a, quantity.b
    if not a.n or not b.n:
        return None
    compare = "difference" if isinstance(quantity, Difference) else "ratio"
    sides = [(seen.group, a, b, limits), (seen.reference, b, a, _turned(limits, compare))]
    fewer = 0 if a.n <= b.n or seen.reference == REST else 1
    lower = 0 if a.x * b.n <= b.x * a.n else 1
    rows = times = gap = selections = None
    if outcome != "pass" and metric == "selection_rate" and worst.margin is not None and worst.margin < 0 \
            and sides[lower][0] != REST:
        # Favourable outcomes help the group with the lower rate.
        _, low, high, inner = sides[lower]
        selections = selections_to_meet(low.x, low.n, high.x, high.n, compare=compare, minimum=inner.minimum,
                                        maximum=None)
    _, few, many, inner = sides[fewer]
    if outcome in ("pass", "insufficient") and seen.level_fail is not None:
        gap = detectable_gap(few.n, many.n, many.x / many.n, alpha=seen.level_fail)
    if outcome == "insufficient" and seen.level_pass is not None and seen.level_fail is not None:
        levels = {"alpha_pass": seen.level_pass, "alpha_fail": seen.level_fail}
        rows = rows_to_settle(few.x, few.n, many.x, many.n, compare=compare, minimum=inner.minimum,
                              maximum=inner.maximum, **levels)
        if rows is None:
            times = growth_to_settle(few.x, few.n, many.x, many.n, compare=compare, minimum=inner.minimum,
                                     maximum=inner.maximum, **levels)
        # One group is named: where two would be, the rows that decide come before outcomes that meet the bound.
        selections = selections if lower == fewer or not rows else None
    group = sides[lower if selections else fewer][0]
    found = Settle(group, selections or None, rows or None, times, gap)
    return found if found != Settle(group) else None


def _turned(limits: Limits, compare: str) -> Limits:
    """The same limits for the comparison with its two groups exchanged."""
    turn = _minus if compare == "difference" else _inverse
    return Limits(turn(limits.maximum), turn(limits.minimum))


def _minus(limit: Bound | None) -> Bound | None:
    return None if limit is None else -limit


def _inverse(limit: Bound | None) -> Bound | None:
    return None if not limit else 1 / Fraction(limit)
