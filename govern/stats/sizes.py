"""What would settle a comparison: further rows, further favourable outcomes, the gap that sizes can show.

All answers are planning figures at the observed rates, not promises: new data bring new rates.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from statistics import NormalDist

from govern.stats.intervals import Pair, newcombe, ratio, wilson

Limit = Decimal | Fraction | int | None
MOST_ROWS = 10_000_000
MOST_TIMES = 1_000


def rows_to_settle(x1: int, n1: int, x2: int | None, n2: int | None, *, compare: str | None,
                   minimum: Limit, maximum: Limit, alpha_pass: float, alpha_fail: float) -> int | None:
    """The fewest further rows of group 1, at the observed rates, with which the interval decides.

    `compare`: "difference" (p1 − p2), "ratio" (p1 / p2) or None (p1 alone; x2 and n2 are not read). Decided
    means inside: wholly within `minimum` and `maximum` (None: no limit on that side) at one-sided error
    `alpha_pass`, or outside: wholly beyond one of them at `alpha_fail`. An absolute gap of at most 0.10 is
    minimum −0.10 and maximum 0.10. 0 when it is decided already. None when 10⁷ rows of group 1 would not do
    it alone (the other group is too small, or the rate sits on the limit), or a rate or the ratio is
    undefined.

    Raises: ValueError for counts that are no rates, an unknown `compare` or an alpha outside 0 to 0.5.
    """
    if n1 == 0 or (compare is not None and not n2) or (compare == "ratio" and not x2):
        return None
    decided = _decider(x1, n1, x2, n2, compare, minimum, maximum, alpha_pass, alpha_fail)
    return rows_until(lambda n: decided(n, n2), n1)


def rows_until(decided: Callable[[int], bool], n: int) -> int | None:
    """The fewest further rows of a group of `n` with which `decided`, told how many rows it has, is true.

    0 when it is decided already, None when 10⁷ rows would not do it. `decided` stays true once it is.
    """
    many = _first(decided, n, MOST_ROWS)
    return None if many is None else many - n


def size_to_settle(decided: Callable[[int], bool], size: int) -> int | None:
    """The fewest rows from `size` on of which `decided`, told the rows, is true; None when 10⁷ would not do.
    `decided` stays true once it is."""
    return _first(decided, size, MOST_ROWS)


def times_to_settle(decided: Callable[[int], bool]) -> int | None:
    """The smallest whole number up to 1,000 of which `decided` is true, told how many times the rows there are.

    1 when it is decided already, None when a thousand times the rows would not do it (the estimate sits on the
    limit). `decided` stays true once it is.
    """
    return _first(decided, 1, MOST_TIMES)


def _decider(x1: int, n1: int, x2: int | None, n2: int | None, compare: str | None, minimum: Limit, maximum: Limit,
             alpha_pass: float, alpha_fail: float) -> Callable[[int, int | None], bool]:
    """Whether the interval decides with m1 and m2 rows at the observed rates."""
    low = -math.inf if minimum is None else float(minimum)
    high = math.inf if maximum is None else float(maximum)

    def decided(m1: int, m2: int | None) -> bool:
        y1 = x1 if m1 == n1 else x1 * m1 / n1
        y2 = x2 if m2 == n2 or not n2 or m2 is None or x2 is None else x2 * m2 / n2
        inside = _bounds(y1, m1, y2, m2, compare, alpha_pass)
        outside = _bounds(y1, m1, y2, m2, compare, alpha_fail)
        return (low <= inside[0] and inside[1] <= high) or outside[1] < low or outside[0] > high

    return decided


def _first(holds: Callable[[int], bool], start: int, most: int) -> int | None:
    """The smallest number from `start` for which `holds`, by doubling and bisection; None beyond `most`."""
    if holds(start):
        return start
    few, many = start, start * 2
    while many < most and not holds(many):
        few, many = many, many * 2
    if many >= most:
        many = max(most, start)
        if not holds(many):
            return None
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if holds(middle) else (middle, many)
    return many


def selections_to_meet(x1: int, n1: int, x2: int | None, n2: int | None, *, compare: str | None,
                       minimum: Limit, maximum: Limit) -> int | None:
    """The fewest further outcomes counted by x1 (x1 + k ≤ n1) at which the point estimate meets the limits.

    Exact arithmetic; the sizes and the other group stay as they are. `compare` as in `rows_to_settle`.
    Group 1 is the group that has too few: an absolute gap is asked with the lower group as group 1 and the
    negated limit as `minimum`. 0 when the limits are met already. None when no k does it: `maximum` is
    exceeded (more outcomes only lead further away), the minimum needs more than n1, or a rate or the ratio
    is undefined.

    Raises: ValueError for counts that are no rates or an unknown `compare`.
    """
    if n1 == 0 or (compare is not None and not n2) or (compare == "ratio" and not x2):
        return None
    _rate(x1, n1)
    reference = Fraction(0) if compare is None else _rate(x2, n2)
    # Each limit becomes one on x1 itself: rate·n1 counted outcomes.
    least = 0 if minimum is None else math.ceil(_rate_at(minimum, reference, compare) * n1)
    most = n1 if maximum is None else math.floor(_rate_at(maximum, reference, compare) * n1)
    target = max(x1, least)
    return target - x1 if target <= min(most, n1) else None


def detectable_gap(n1: float, n2: float, p: float, *, alpha: float, power: float = 0.8) -> float | None:
    """The smallest difference of rates (0 to 1) that these sizes would show to be one, in `power` of samples.

    `p` is the rate of group 2; the rate of group 1 lies on the side of the middle, where the spread is
    larger. "Show" is a one-sided test of no gap at `alpha`, pooled under no gap and unpooled at the gap, by
    the normal approximation; with n2 infinite `p` is a fixed value. None when even the largest possible
    difference would be missed too often.
    Source: Fleiss, Levin & Paik 2003, Statistical Methods for Rates and Proportions, 3rd ed., ch. 4.

    Raises: ValueError when n < 1, p lies outside 0 to 1, alpha outside 0 to 0.5 or power outside 0.5 to 1.
    """
    if n1 < 1 or n2 < 1 or not 0 <= p <= 1 or not 0 < alpha < 0.5 or not 0.5 <= power < 1:
        raise ValueError(f"no detectable gap for sizes {n1} and {n2}, rate {p}, error {alpha}, power {power}")
    z_alpha, z_power = -NormalDist().inv_cdf(alpha), NormalDist().inv_cdf(power)
    up = p <= 0.5
    largest = 1 - p if up else p

    def shown(gap: float) -> bool:
        p1 = p + gap if up else p - gap
        pooled = p if math.isinf(n2) else (n1 * p1 + n2 * p) / (n1 + n2)
        none = math.sqrt(max(0.0, pooled * (1 - pooled)) * (1 / n1 + 1 / n2))
        there = math.sqrt(max(0.0, p1 * (1 - p1)) / n1 + p * (1 - p) / n2)
        return gap >= z_alpha * none + z_power * there

    if not shown(largest):
        return None
    low, high = 0.0, largest
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if shown(middle) else (middle, high)
    return high


def detectable_distance(se: float, *, alpha: float, power: float = 0.8) -> float:
    """The smallest distance from a fixed value that a normal estimate with this standard error shows, in `power`
    of samples, by a one-sided test at `alpha`: se · (z of alpha + z of power), in the unit of `se`.

    Raises: ValueError when se is negative, alpha outside 0 to 0.5 or power outside 0.5 to 1.
    """
    if not se >= 0 or not 0 < alpha < 0.5 or not 0.5 <= power < 1:
        raise ValueError(f"no detectable distance for standard error {se}, error {alpha}, power {power}")
    return se * (NormalDist().inv_cdf(power) - NormalDist().inv_cdf(alpha))


def _bounds(x1: float, n1: float, x2: float | None, n2: float | None, compare: str | None, alpha: float) -> Pair:
    if compare is None:
        return wilson(x1, n1, alpha)
    if x2 is None or n2 is None:
        raise ValueError(f"a {compare} needs the counts of both groups")
    if compare == "difference":
        return newcombe(x1, n1, x2, n2, alpha)
    if compare == "ratio":
        return ratio(x1, n1, x2, n2, alpha)
    raise ValueError(f"compare is difference, ratio or None, not {compare!r}")


def _rate(x: int | None, n: int | None) -> Fraction:
    if x is None or n is None or not 0 <= x <= n or n == 0:
        raise ValueError(f"{x} of {n} is not a rate")
    return Fraction(x, n)


def _rate_at(limit: Decimal | Fraction | int, reference: Fraction, compare: str | None) -> Fraction:
    """The rate of group 1 at which its comparison with the reference rate equals the limit."""
    exact = Fraction(limit)
    if compare is None:
        return exact
    if compare == "difference":
        return reference + exact
    if compare == "ratio":
        return reference * exact
    raise ValueError(f"compare is difference, ratio or None, not {compare!r}")
