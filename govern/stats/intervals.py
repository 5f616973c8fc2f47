"""Interval bounds and exact comparisons of rates, as scalar closed forms that need no numpy.

Every `alpha` is one-sided: each returned bound alone is missed with probability about `alpha`, so a
two-sided 95 % interval is `alpha=0.025`; 0 < alpha < 0.5, else ValueError. Counts are `x` of `n` with
0 ≤ x ≤ n and n > 0, else ValueError: a rate without rows has no interval, it is undefined. Counts may be
fractional where they stand for an effective or a planned sample size.
"""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from statistics import NormalDist

Bound = Decimal | Fraction | int
Pair = tuple[float, float]

SMALL_CELL = 5
_TINY = 1e-300
_FAR = 700.0  # log-odds beyond which a probability is 0 or 1 to a float
_MAX_STEPS = 100_000


@lru_cache(maxsize=4096)  # a group takes part in many comparisons
@lru_cache(maxsize=1 << 16)
def wilson(x: float, n: float, alpha: float) -> Pair:
    """Score bounds of a rate, within 0 to 1; the lower is exactly 0 at x = 0, the upper exactly 1 at x = n.

    Source: Wilson 1927, JASA 22:209–212; recommended by Brown, Cai & DasGupta 2001, Stat. Sci. 16:101–133.
    """
    _check_counts(x, n)
    z = _quantile(alpha)
    p, zz = x / n, z * z
    centre = (p + zz / (2 * n)) / (1 + zz / n)
    half = z * math.sqrt(p * (1 - p) / n + zz / (4 * n * n)) / (1 + zz / n)
    return (0.0 if x == 0 else max(0.0, centre - half), 1.0 if x == n else min(1.0, centre + half))


def clopper_pearson(x: float, n: float, alpha: float) -> Pair:
    """Exact binomial bounds of a rate, within 0 to 1: each is missed with probability at most `alpha`.

    The lower bound is 0 at x = 0, the upper 1 at x = n.
    Source: Clopper & Pearson 1934, Biometrika 26:404–413.
    """
    _check_counts(x, n)
    _quantile(alpha)
    low = 0.0 if x == 0 else _beta_quantile(alpha, x, n - x + 1)
    high = 1.0 if x == n else 1.0 - _beta_quantile(alpha, n - x, x + 1)
    return low, high


@lru_cache(maxsize=1 << 14)
def jeffreys(x: float, n: float, alpha: float) -> Pair:
    """Bounds of a rate, within 0 to 1, as quantiles of Beta(x + ½, n − x + ½); 0 at x = 0, 1 at x = n.

    The upper bound of 0 of n and the lower one of 1 of n are the exact ones (Clopper–Pearson), where Jeffreys' err
    most, and so at the other end.
    Source: Brown, Cai & DasGupta 2001, Stat. Sci. 16:101–133, sections 4.1.1 and 4.1.2 (there the lower bound of 1
    of n becomes 0, with which a ratio to it has no upper bound).
    """
    _check_counts(x, n)
    _quantile(alpha)
    low = 0.0 if x == 0 else _beta_quantile(alpha, x + 0.5, n - x + 0.5)
    high = 1.0 if x == n else 1.0 - _beta_quantile(alpha, n - x + 0.5, x + 0.5)
    if min(x, n - x) < 2 and n >= 1:
        most_of_none, least_of_one = clopper_pearson(0, n, alpha)[1], clopper_pearson(1, n, alpha)[0]
        high = max(high, most_of_none if x < 1 else 0.0, 1 - least_of_one if 0 < n - x < 2 else 0.0)
        low = min(low, 1 - most_of_none if n - x < 1 else 1.0, least_of_one if 0 < x < 2 else 1.0)
    return _holding(x / n, low, high)


def small_cell(x: float, n: float) -> bool:
    """Whether fewer than 5 of n are counted, or all but fewer than 5."""
    return min(x, n - x) < SMALL_CELL


def rate(x: float, n: float, alpha: float) -> Pair:
    """Bounds of a rate for reading: Jeffreys' in a small cell, Wilson's elsewhere; they rise with x.

    Where a count below 5 is expected a nominal 95 % interval of Wilson's covers .83 of samples at the worst rate, one
    of these .90, and on average .955 and .96; Newcombe's difference .86, the difference of these .92
    (tests/stats/test_interval_errors.py). The gate keeps Wilson's, whose errors it bounds in its own way.
    """
    return jeffreys(x, n, alpha) if small_cell(x, n) else wilson(x, n, alpha)


def newcombe(x1: float, n1: float, x2: float, n2: float, alpha: float) -> Pair:
    """Bounds of p1 − p2 for independent groups, within −1 to 1: Wilson bounds, squared and added.

    At x = 0 or x = n the interval keeps a width, as Wilson's does. Measured one-sided error at 5 %: at most
    about 6.5 % where every expected cell is 5 or more, up to 11 % below (bench/error_rates.py and the tests
    enumerate it). Source: Newcombe 1998, Stat. Med. 17:873–890, method 10.
    """
    return mover_difference(x1 / n1 if n1 else 0.0, wilson(x1, n1, alpha),
                            x2 / n2 if n2 else 0.0, wilson(x2, n2, alpha))


def ratio(x1: float, n1: float, x2: float, n2: float, alpha: float) -> Pair:
    """Bounds of p1 / p2 for independent groups, from 0 up: Wilson bounds, squared and added for a ratio.

    A value r lies between them exactly when the squared-and-added bounds of p1 − r·p2 hold 0, so the ratio
    excludes 1 exactly when Newcombe's difference excludes 0. At x1 = 0 the lower bound is 0, at x2 = 0 the
    upper is infinite (and the ratio itself undefined); 3 of 3 against 3 of 3 keeps its width.

    Chosen over the log ratio with ½ added (Katz 1978, Walter 1975): at limits of .80 to 1, sizes of 50
    against 300, expected cells of 5 or more, that one passes wrongly in up to 12 % of samples at a declared
    5 % (5 % at .5 %), because ½ lifts the rate of the smaller group; this one in at most 6 % (0.9 %).
    Source: Donner & Zou 2012, Stat. Methods Med. Res. 21:347–359.
    """
    return mover_ratio(x1 / n1 if n1 else 0.0, wilson(x1, n1, alpha), x2 / n2 if n2 else 0.0, wilson(x2, n2, alpha))


def transformed(value: float, se: float, transform: str, alpha: float) -> Pair:
    """Normal bounds on the scale of `transform`, brought back to the scale of `value`; they always hold it.

    `se` ≥ 0 is the standard error on the transformed scale. identity: any value, unbounded (the caller knows
    the metric's range). logit: value in 0 to 1; at exactly 0 or 1 the logit is infinite and Wilson's bound
    for 1/se² cases without a counter-example is used, so a perfect score keeps a width. fisher: a correlation,
    −1 to 1, on the scale of atanh; at −1 and 1 the same bound, stretched from 0…1 to −1…1. log: value > 0.
    square: value ≥ 0 is the root of the quantity that is normal; bounds are cut at 0.

    Raises: ValueError for an unknown transform or a value outside its range.
    """
    z = _quantile(alpha)
    if not (se >= 0 and math.isfinite(se) and math.isfinite(value)):
        raise ValueError(f"value {value} and standard error {se} must be finite, the latter not negative")
    reach = z * se
    if transform == "identity":
        return value - reach, value + reach
    if transform == "logit" and 0 <= value <= 1:
        if value in (0.0, 1.0):
            far = 1 / (1 + reach * reach)
            return (far, 1.0) if value == 1.0 else (0.0, 1.0 - far)
        middle = math.log(value) - math.log1p(-value)
        return _holding(value, _expit(middle - reach), _expit(middle + reach))
    if transform == "fisher" and -1 <= value <= 1:
        if value in (-1.0, 1.0):
            far = 2 / (1 + reach * reach) - 1
            return (far, 1.0) if value == 1.0 else (-1.0, -far)
        middle = math.atanh(value)
        return _holding(value, math.tanh(middle - reach), math.tanh(middle + reach))
    if transform == "log" and value > 0:
        return _holding(value, value * math.exp(-reach), value * math.exp(reach))
    if transform == "square" and value >= 0:
        square = value * value
        return _holding(value, math.sqrt(max(0.0, square - reach)), math.sqrt(square + reach))
    raise ValueError(f"no {transform} interval for {value}")


def mover_difference(v1: float, ci1: Pair, v2: float, ci2: Pair) -> Pair:
    """Bounds of v1 − v2 for independent estimates, from the bounds of each at the same one-sided level.

    The distances from each estimate to the bound on the side that matters are squared and added. Chosen over
    a delta-method standard error because bounds of AUC or average precision near 1 are lopsided: this keeps
    their shape, stays inside the possible range and equals Newcombe's interval when fed with Wilson bounds.
    Source: Zou & Donner 2008, Stat. Med. 27:1693–1702 (method of variance estimates recovery).

    Raises: ValueError when an estimate lies outside its own bounds.
    """
    (l1, u1), (l2, u2) = ci1, ci2
    if not (l1 <= v1 <= u1 and l2 <= v2 <= u2):
        raise ValueError("an estimate lies outside its own bounds")
    d = v1 - v2
    return d - math.hypot(v1 - l1, u2 - v2), d + math.hypot(u1 - v1, v2 - l2)


def mover_ratio(p1: float, ci1: Pair, p2: float, ci2: Pair) -> Pair:
    """Bounds of p1 / p2 for independent rates, from the bounds of each at the same one-sided level; see `ratio`."""
    (l1, u1), (l2, u2) = ci1, ci2
    both = p1 * p2
    # Roots in r of (p1 − r·p2)² = (distance of p1)² + r²·(distance of p2)², in the form without cancellation.
    a, c = u2 * (2 * p2 - u2), l1 * (2 * p1 - l1)
    low = 0.0 if p1 == 0 else c / (both + math.sqrt(max(0.0, both * both - a * c)))
    a, c = l2 * (2 * p2 - l2), u1 * (2 * p1 - u1)
    high = math.inf if p2 == 0 else (both + math.sqrt(max(0.0, both * both - a * c))) / a
    return low, high


def compare_rate(x: int, n: int, bound: Bound) -> int:
    """−1, 0 or 1 as x/n is below, equal to or above `bound`, in exact arithmetic."""
    _check_counts(x, n)
    return _sign(Fraction(x, n) - _exact(bound))


def compare_difference(x1: int, n1: int, x2: int, n2: int, bound: Bound) -> int:
    """−1, 0 or 1 as x1/n1 − x2/n2 is below, equal to or above `bound`, in exact arithmetic."""
    _check_counts(x1, n1)
    _check_counts(x2, n2)
    return _sign(Fraction(x1, n1) - Fraction(x2, n2) - _exact(bound))


def compare_ratio(x1: int, n1: int, x2: int, n2: int, bound: Bound) -> int:
    """−1, 0 or 1 as (x1/n1) / (x2/n2) is below, equal to or above `bound`, in exact arithmetic.

    Something against nothing (x1 > 0, x2 = 0) is above every bound.

    Raises: ValueError for nothing against nothing (x1 = x2 = 0): that ratio is undefined.
    """
    _check_counts(x1, n1)
    _check_counts(x2, n2)
    if x1 == 0 and x2 == 0:
        raise ValueError("the ratio of two rates of 0 is undefined")
    return 1 if x2 == 0 else _sign(Fraction(x1, n1) - _exact(bound) * Fraction(x2, n2))


def chi2_sf(x: float, df: int) -> float:
    """Probability (0 to 1) that a chi-square variable with `df` ≥ 1 degrees of freedom exceeds `x` ≥ 0.

    Finite sums for whole degrees of freedom: Poisson terms for even df, with the complementary error function
    for odd. Source: Abramowitz & Stegun 1964, 26.4.4 and 26.4.5.

    Raises: ValueError when df < 1, or x is negative or not a number.
    """
    if df < 1 or not x >= 0:
        raise ValueError(f"chi-square needs df ≥ 1 and x ≥ 0, not {df} and {x}")
    h, start = x / 2, df % 2 / 2
    if h == 0:
        return 1.0
    if math.isinf(h):
        return 0.0
    tail = math.erfc(math.sqrt(h)) if df % 2 else 0.0
    terms = (math.exp((k + start) * math.log(h) - h - math.lgamma(k + start + 1)) for k in range(df // 2))
    return min(1.0, math.fsum([tail, *terms]))


def _check_counts(x: float, n: float) -> None:
    if not (n > 0 and 0 <= x <= n and math.isfinite(n)):
        raise ValueError(f"{x} of {n} is not a rate")


@lru_cache(maxsize=256)
def _quantile(alpha: float) -> float:
    """The standard normal deviate exceeded with probability alpha."""
    if not 0 < alpha < 0.5:
        raise ValueError(f"one-sided error must lie between 0 and 0.5, not {alpha}")
    return -NormalDist().inv_cdf(alpha)


def _holding(value: float, low: float, high: float) -> Pair:
    """The bounds, moved where rounding on the way back left the value just outside."""
    return min(low, value), max(high, value)


def _expit(t: float) -> float:
    return 1 / (1 + math.exp(-t)) if t >= 0 else math.exp(t) / (1 + math.exp(t))


def _exact(bound: Bound) -> Fraction:
    if isinstance(bound, float):
        raise TypeError("a bound must be exact (Decimal or Fraction): the float 0.8 is not 4/5")
    return Fraction(bound)


def _sign(q: Fraction) -> int:
    return (q > 0) - (q < 0)


def _beta_quantile(target: float, a: float, b: float) -> float:
    """The p at which the regularised incomplete beta function I_p(a, b) reaches `target`."""
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    low, high, p = 0.0, 1.0, a / (a + b)
    while True:
        off = beta_cdf(p, a, b) - target
        low, high = (p, high) if off < 0 else (low, p)
        # Newton's step in the log-odds of p, halving where it leaves the bracket.
        slope = math.exp(a * math.log(p) + b * math.log1p(-p) - log_beta)
        odds = math.log(p) - math.log1p(-p) - off / slope if slope > 0 else math.inf
        found = _expit(odds) if abs(odds) < _FAR else -1.0
        if not low < found < high:
            found = (low + high) / 2
        if found in (low, high) or abs(found - p) <= 1e-15 * p:
            return found
        p = found


def beta_cdf(p: float, a: float, b: float) -> float:
    """I_p(a, b) by its continued fraction. Source: DLMF 8.17.22, evaluated by Lentz's method."""
    if p > (a + 1) / (a + b + 2):
        return 1.0 - beta_cdf(1.0 - p, b, a)
    if p <= 0:
        return 0.0
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    front = math.exp(a * math.log(p) + b * math.log1p(-p) - log_beta)
    # Thousands of small cells come here: no function is called in the loop, and what is zero is moved off it in place.
    tiny, both = _TINY, a + b
    d = 1 - both * p / (a + 1)
    c, d = 1.0, 1.0 / (d if d > tiny or d < -tiny else tiny)
    value = d
    for m in range(1, _MAX_STEPS):
        at = a + 2 * m
        even = m * (b - m) * p / ((at - 1) * at)
        d = 1 + even * d
        d = 1 / (d if d > tiny or d < -tiny else tiny)
        c = 1 + even / c
        c = c if c > tiny or c < -tiny else tiny
        value *= c * d
        odd = -(a + m) * (both + m) * p / (at * (at + 1))
        d = 1 + odd * d
        d = 1 / (d if d > tiny or d < -tiny else tiny)
        c = 1 + odd / c
        c = c if c > tiny or c < -tiny else tiny
        value *= c * d
        if c * d == 1.0:
            break
    return front * value / a
