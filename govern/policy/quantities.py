"""Numbers that can be held against a bound: estimate, one-sided bounds at any level, exact comparison.

Ratios of counts are compared with a bound in exact integers (0.44 / 0.55 < 0.8 is true in floats) and
get their bounds from the counts; other metrics bring a standard error on the scale of a transform.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

from govern.stats import intervals

Bound = Decimal | Fraction


class Quantity(Protocol):
    """What `decide` needs to know about a number."""

    @property
    def value(self) -> float | None:
        """The estimate, None when undefined."""

    @property
    def why(self) -> str | None:
        """Why there is no estimate or no interval, None when there are both."""

    @property
    def no_gap(self) -> int | None:
        """The value that means "no gap" (0 or 1), None when there is none."""

    def interval(self, alpha: float) -> tuple[float, float] | None:
        """Bounds that each hold with error at most `alpha`; None when there are none."""

    def side(self, bound: Bound) -> int:
        """−1, 0 or 1: the estimate is below, at or above `bound`. Only where there is an estimate."""

    def gap_shown(self, alpha: float) -> bool:
        """Whether the data exclude "no gap" at the one-sided level `alpha`."""


@dataclass(frozen=True, slots=True)
class Rate:
    """x of n; bounds by Wilson's score interval.

    Where rows are weighted or repeat persons, x and n are sums of weights, `effective` is the number of
    independent rows that would make the rate as sure, and `rows` are the rows in the denominator.
    """

    x: int | float
    n: int | float
    empty: str = "no rows to compute it from"
    effective: float | None = None
    rows: int | None = None

    @property
    def size(self) -> int:
        """Rows in the denominator."""
        return int(self.n) if self.rows is None else self.rows

    @property
    def count(self) -> int | None:
        """Rows in the numerator, None where rows do not count once each."""
        return int(self.x) if self.effective is None else None

    @property
    def sample(self) -> tuple[float, float]:
        """(x, n) of independent rows that would make the rate as sure."""
        if self.effective is None or not self.n:
            return self.x, self.n
        return self.x / self.n * self.effective, self.effective

    @property
    def exact(self) -> tuple[int, int]:
        """Whole x and n of exactly this ratio, n 0 where it is undefined."""
        if (isinstance(self.x, int) and isinstance(self.n, int)) or not self.n:
            return int(self.x), int(self.n)
        return (Fraction(self.x) / Fraction(self.n)).as_integer_ratio()

    @property
    def value(self) -> float | None:
        return self.x / self.n if self.n else None

    @property
    def why(self) -> str | None:
        return None if self.n else self.empty

    @property
    def no_gap(self) -> int | None:
        return None

    def interval(self, alpha: float) -> tuple[float, float] | None:
        return intervals.wilson(*self.sample, alpha) if self.n else None

    def side(self, bound: Bound) -> int:
        return _far(self.value, bound) or intervals.compare_rate(*self.exact, bound)

    def gap_shown(self, alpha: float) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Difference:
    """x1/n1 − x2/n2 of disjoint rows; bounds by Newcombe's hybrid score interval."""

    a: Rate
    b: Rate

    @property
    def value(self) -> float | None:
        return self.a.x / self.a.n - self.b.x / self.b.n if self.a.n and self.b.n else None

    @property
    def why(self) -> str | None:
        return self.a.why or self.b.why

    @property
    def no_gap(self) -> int | None:
        return 0

    def interval(self, alpha: float) -> tuple[float, float] | None:
        if self.value is None:
            return None
        return intervals.newcombe(*self.a.sample, *self.b.sample, alpha)

    def side(self, bound: Bound) -> int:
        return _far(self.value, bound) or intervals.compare_difference(*self.a.exact, *self.b.exact, bound)

    def gap_shown(self, alpha: float) -> bool:
        found = self.interval(alpha)
        return found is not None and (found[0] > 0 or found[1] < 0)


@dataclass(frozen=True, slots=True)
class Ratio:
    """(x1/n1) / (x2/n2) of disjoint rows; bounds by square-and-add (Donner & Zou), undefined when x2 is 0."""

    a: Rate
    b: Rate

    @property
    def value(self) -> float | None:
        return (self.a.x / self.a.n) / (self.b.x / self.b.n) if self.a.n and self.b.n and self.b.x else None

    @property
    def why(self) -> str | None:
        if self.a.why or self.b.why:
            return self.a.why or self.b.why
        return None if self.b.x else "the rate of the reference is 0"

    @property
    def no_gap(self) -> int | None:
        return 1

    def interval(self, alpha: float) -> tuple[float, float] | None:
        if self.value is None:
            return None
        return intervals.ratio(*self.a.sample, *self.b.sample, alpha)

    def side(self, bound: Bound) -> int:
        return _far(self.value, bound) or intervals.compare_ratio(*self.a.exact, *self.b.exact, bound)

    def gap_shown(self, alpha: float) -> bool:
        # Newcombe's difference serves ratios too: both ask whether the two rates are equal.
        return Difference(self.a, self.b).gap_shown(alpha)


@dataclass(frozen=True, slots=True)
class Score:
    """An estimate with its standard error on the scale of `transform`.

    `tested` metrics come with a test of "no gap" of their own (calibration) and its `p_value`, None where the
    data are too few for the test.
    """

    value: float | None
    se: float | None = None
    transform: str = "identity"
    reason: str | None = None
    tested: bool = False
    p_value: float | None = None

    @property
    def why(self) -> str | None:
        if self.value is None:
            return self.reason or "undefined"
        return self.reason if self.reason else None if self.se is not None else "no standard error was measured"

    @property
    def no_gap(self) -> int | None:
        return 0 if self.tested else None

    def interval(self, alpha: float) -> tuple[float, float] | None:
        if self.value is None or self.se is None or self.reason:
            return None
        return intervals.transformed(self.value, self.se, self.transform, alpha)

    def side(self, bound: Bound) -> int:
        return _side(self.value, bound)

    def gap_shown(self, alpha: float) -> bool:
        return self.p_value is not None and self.p_value < alpha


@dataclass(frozen=True, slots=True)
class ScoreDifference:
    """Difference of two scores of disjoint rows; bounds by the square-and-add combination of theirs."""

    a: Score
    b: Score

    @property
    def value(self) -> float | None:
        return self.a.value - self.b.value if self.a.value is not None and self.b.value is not None else None

    @property
    def why(self) -> str | None:
        return self.a.why or self.b.why

    @property
    def no_gap(self) -> int | None:
        return 0

    def interval(self, alpha: float) -> tuple[float, float] | None:
        one, two = self.a.interval(alpha), self.b.interval(alpha)
        if one is None or two is None or self.a.value is None or self.b.value is None:
            return None
        return intervals.mover_difference(self.a.value, one, self.b.value, two)

    def side(self, bound: Bound) -> int:
        return _side(self.value, bound)

    def gap_shown(self, alpha: float) -> bool:
        found = self.interval(alpha)
        return found is not None and (found[0] > 0 or found[1] < 0)


def between(a: Rate | Score, b: Rate | Score, compare: str) -> Difference | Ratio | ScoreDifference:
    """`a` compared with the reference `b` of other rows."""
    if isinstance(a, Rate) and isinstance(b, Rate):
        return Difference(a, b) if compare == "difference" else Ratio(a, b)
    if isinstance(a, Score) and isinstance(b, Score):
        return ScoreDifference(a, b)
    raise TypeError("a rate and a score have no common comparison")


def _far(value: float | None, bound: Bound) -> int:
    """−1 or 1 where floats suffice to say on which side of `bound` the estimate lies, else 0.

    Two divisions and a difference or a division round by less than 1e-15 of the numbers; 1e-9 is far beyond.
    """
    if value is None:
        return 0
    gap = value - float(bound)
    return (gap > 0) - (gap < 0) if abs(gap) > 1e-9 * (1 + abs(value)) else 0


def _side(value: float | None, bound: Bound) -> int:
    if value is None:
        raise ValueError("an undefined number lies on no side of a bound")
    limit = float(bound)
    return (value > limit) - (value < limit)
