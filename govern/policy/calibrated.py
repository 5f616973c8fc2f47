"""Calibrated mode: the levels at which a comparison of counts keeps the declared errors, proved by enumeration."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from govern.policy.quantities import Bound, Difference, Quantity, Rate, Ratio

# One (n1, n2, compare, limit): the lower bound of group 1 against group 2 must not reach the limit wrongly.
Case = tuple[int, int | None, str | None, float]
# Rows of the smaller of two groups up to which errors are enumerated: `stats.exact.MOST_SMALLER`, known without numpy.
MOST_SMALLER = 200


@dataclass(frozen=True, slots=True)
class Kept:
    """Levels of a pass and of a fail, None where no level keeps the declared error at these sizes; the largest
    error each was proved to have; and whether it is proved, or only stated for the closed forms in general."""

    passing: float | None
    failing: float | None
    proved_pass: float | None = None
    proved_fail: float | None = None
    how: Literal["proved", "stated"] | None = None


def kept(quantity: Quantity, minimum: Bound | None, maximum: Bound | None, passing: float,
         failing: float) -> Kept | None:
    """The levels up to `passing` and `failing` whose exact worst-case errors are at most `passing`, and `failing`
    for each side; None for numbers that are no counts, weighted counts and sizes beyond enumeration.

    Needs numpy.
    """
    from govern.stats.exact import can_enumerate

    rates = (quantity.a, quantity.b) if isinstance(quantity, Difference | Ratio) else (quantity,)
    if not all(isinstance(rate, Rate) for rate in rates):
        return None
    n1, n2 = (*(_size(rate) for rate in rates), None)[:2]
    if n1 is None or (len(rates) == 2 and n2 is None) or not can_enumerate(n1, n2):
        return None
    compare = "difference" if isinstance(quantity, Difference) else "ratio" if isinstance(quantity, Ratio) else None
    low = _case(n1, n2, compare, minimum)
    high = _turned(n1, n2, compare, maximum)
    pass_level, pass_errors = _level([low, high], passing)
    # A fail at the minimum is the upper bound below it, and at the maximum the lower bound above it.
    fail_level, fail_errors = _level([_turned(n1, n2, compare, minimum), _case(n1, n2, compare, maximum)], failing)
    return Kept(pass_level, fail_level, max(pass_errors, default=0.0) if pass_level else None,
                sum(fail_errors) if fail_level else None, "proved")


def _size(rate: object) -> int | None:
    """The denominator in rows; None for weighted or repeated ones, whose counts are not binomial."""
    if not isinstance(rate, Rate) or getattr(rate, "effective", None) is not None or not isinstance(rate.n, int):
        return None
    return rate.n or None


def _level(cases: list[Case | None], declared: float) -> tuple[float | None, list[float]]:
    """The smallest of the sides' levels, and the error proved for each side."""
    from govern.stats.exact import calibrated_level

    found = [calibrated_level(*case, declared) for case in cases if case is not None]
    levels = [f.level for f in found if f.level is not None]
    errors = [f.proved for f in found if f.proved is not None]
    return (min(levels, default=declared) if len(levels) == len(found) else None), errors


def _case(n1: int, n2: int | None, compare: str | None, limit: Bound | None) -> Case | None:
    """Whether the lower bound reaches `limit`; None where no truth lies beyond it, so that nothing can go wrong."""
    if limit is None or (compare == "ratio" and limit <= 0):
        return None
    # Newcombe's interval is the same for complementary outcomes, and with them the groups change places.
    if compare == "difference" and n2 is not None and n1 > n2:
        n1, n2 = n2, n1
    return n1, n2, compare, float(limit)


def _turned(n1: int, n2: int | None, compare: str | None, limit: Bound | None) -> Case | None:
    """Whether the upper bound reaches `limit`, as a lower bound of the comparison turned round."""
    if limit is None:
        return None
    if compare is None:
        # Outcomes that did not happen: the rate 1 − p against 1 − limit.
        return _case(n1, None, None, 1 - Fraction(limit))
    if n2 is None or (compare == "ratio" and limit <= 0):
        return None
    return _case(n2, n1, compare, -limit if compare == "difference" else 1 / Fraction(limit))
