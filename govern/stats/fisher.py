"""Tests of "both rates are the same" for two independent counts, and Holm's correction. Standard library only.

Counts are x1 of n1 and x2 of n2 with 0 ≤ x ≤ n and n at least 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

# Terms are products of at most some ten thousand roundings: nearer than this two chances are compared exactly.
_NEAR = 1e-9
_NOTHING = 1e-18
_TINY = 1e-300


def fisher_p(x1: int, n1: int, x2: int, n2: int) -> float:
    """Fisher's exact test, two-sided: the probability, all margins fixed, of tables no likelier than this one.

    Tables are walked outwards from the likeliest, each from the one before, so that no logarithm of a large factorial
    is rounded: each step adds at most 5e-16 of the result to its error, which stays below 1e-14 at a million rows
    (the tests compute it to 40 digits). Whether two tables are equally likely is decided in whole numbers. 0 where the
    probability is below 1e-300.
    Source: Fisher 1935, J. R. Stat. Soc. 98:39–82; two-sided by the sum of small probabilities, as R's fisher.test
    and scipy.stats.fisher_exact.
    """
    k = x1 + x2
    mode = (k + 1) * (n1 + 1) // (n1 + n2 + 2)
    if x1 < mode:
        # Fewer of one group are more of the other: only the way up is walked.
        x1, n1, n2, mode = x2, n2, n1, k - mode
    if x1 == mode:
        return 1.0
    near = _upwards(n1, n2, k, mode, 1.0, _TINY, x1)
    if len(near) < x1 - mode:
        return 0.0
    seen = near[-1]
    if seen == 1.0:
        return 1.0
    beyond = _upwards(n1, n2, k, x1, seen, seen * _NOTHING)
    other = _upwards(n2, n1, k, k - mode, 1.0, seen * _NOTHING)
    far = next((i for i, chance in enumerate(other) if chance < seen * (1 - _NEAR) or (
        chance < seen * (1 + _NEAR) and _no_likelier(n1, n2, k, mode - 1 - i, x1))), len(other))
    tails = math.fsum((seen, *beyond, *other[far:]))
    return min(1.0, tails / math.fsum((1.0, *near, *beyond, *other)))


def _upwards(n1: int, n2: int, k: int, x: int, chance: float, least: float, last: int | None = None) -> list[float]:
    """Relative chances of the tables with counts x + 1, x + 2 … of group 1, that of `x` being `chance`: up to `last`,
    or until they fall below `least`."""
    end = min(k, n1) if last is None else last
    found = []
    while x < end and chance > least:
        chance *= (n1 - x) * (k - x) / ((x + 1) * (n2 - k + x + 1))
        x += 1
        found.append(chance)
    return found


def _no_likelier(n1: int, n2: int, k: int, low: int, high: int) -> bool:
    """Whether the table with count `low` has at most the chance of that with count `high`, in whole numbers."""
    steps = high - low
    return math.perm(n1 - low, steps) * math.perm(k - low, steps) >= \
        math.perm(high, steps) * math.perm(n2 - k + high, steps)


def pooled_z(x1: float, n1: float, x2: float, n2: float) -> float | None:
    """(x1/n1 − x2/n2) in standard deviations under one common rate; None where all or no outcomes are counted.

    Source: Pearson 1900, Phil. Mag. 50:157–175; as "number of standard deviations" Castaneda v. Partida, 430 U.S. 482
    (1977), note 17.
    """
    x, n = x1 + x2, n1 + n2
    if x in (0, n):
        return None
    # Whole numbers up to the root, so that swapping the two groups changes the sign alone.
    apart = x1 * n2 - x2 * n1
    return math.copysign(math.sqrt(apart * apart * n / (n1 * n2 * x * (n - x))), apart)


def score_p(x1: float, n1: float, x2: float, n2: float) -> float:
    """The two-sided p-value of the pooled z (Pearson's chi-square); 1 where all or no outcomes are counted."""
    z = pooled_z(x1, n1, x2, n2)
    return 1.0 if z is None else math.erfc(abs(z) / math.sqrt(2))


def least_expected(x1: float, n1: float, x2: float, n2: float) -> float:
    """The smallest of the four counts that one common rate would lead to expect."""
    x, n = x1 + x2, n1 + n2
    return min(x, n - x) * min(n1, n2) / n


def holm(p_values: Sequence[float]) -> list[float]:
    """Each p-value adjusted for how many there are, in their order; at a level none may be wrong with more than its
    chance.

    Source: Holm 1979, Scand. J. Stat. 6:65–70.
    """
    adjusted, so_far = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        so_far = max(so_far, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = so_far
    return adjusted
