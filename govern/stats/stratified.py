"""Two groups compared within the levels of a third feature, summed up after Mantel and Haenszel.

Closed forms over the standard library. Counts may be fractional where they stand for effective rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from govern.stats.estimate import Estimate, undefined

Stratum = tuple[float, float, float, float]  # x1, n1, x2, n2: cases and rows of the group, of its reference
NO_STRATUM = "no level has rows of both groups"
ALL_ALIKE = "nobody or everybody is counted in every level: no interval"


def risk_difference(strata: Sequence[Stratum]) -> Estimate:
    """The Mantel–Haenszel difference of rates (−1 to 1), levels weighted by n1·n2 / (n1 + n2), se as it is.

    Strata without rows on one side add nothing; undefined when none is left. Too few for an interval when nobody
    or everybody is counted everywhere. The variance holds for few large strata and for many small ones.
    Source: Mantel & Haenszel 1959, JNCI 22:719–748; Greenland & Robins 1985, Biometrics 41:55–68; variance Sato
    1989, Biometrics 45:1323–1324.
    """
    known = _known(strata)
    if not known:
        return undefined(NO_STRATUM)
    weight = math.fsum(n1 * n2 / (n1 + n2) for _, n1, _, n2 in known)
    value = math.fsum((x1 * n2 - x2 * n1) / (n1 + n2) for x1, n1, x2, n2 in known) / weight
    p = math.fsum((n1 * n1 * x2 - n2 * n2 * x1 + n1 * n2 * (n2 - n1) / 2) / (n1 + n2) ** 2 for x1, n1, x2, n2 in known)
    q = math.fsum((x1 * (n2 - x2) + x2 * (n1 - x1)) / (2 * (n1 + n2)) for x1, n1, x2, n2 in known)
    variance = (value * p + q) / (weight * weight)
    if variance <= 0 or _alike(known):
        return Estimate(value, None, "identity", "too_few", ALL_ALIKE)
    return Estimate(value, math.sqrt(variance), "identity")


def risk_ratio(strata: Sequence[Stratum]) -> Estimate:
    """The Mantel–Haenszel ratio of rates (0 and up), its standard error on the scale of the logarithm.

    Strata without rows on one side add nothing; undefined when none is left or nobody of the reference is
    counted. Too few for an interval at a ratio of 0, and when everybody is counted everywhere.
    Source: Mantel & Haenszel 1959, JNCI 22:719–748; variance Greenland & Robins 1985, Biometrics 41:55–68.
    """
    known = _known(strata)
    if not known:
        return undefined(NO_STRATUM)
    top = math.fsum(x1 * n2 / (n1 + n2) for x1, n1, _, n2 in known)
    bottom = math.fsum(x2 * n1 / (n1 + n2) for _, n1, x2, n2 in known)
    if not bottom:
        return undefined("the rate of the reference is 0 in every level")
    if not top:
        return Estimate(0.0, None, "log", "too_few", "nobody of the group is counted: no interval")
    spread = math.fsum((n1 * n2 * (x1 + x2) - x1 * x2 * (n1 + n2)) / (n1 + n2) ** 2 for x1, n1, x2, n2 in known)
    variance = spread / (top * bottom)
    if variance <= 0 or _alike(known):
        return Estimate(top / bottom, None, "log", "too_few", ALL_ALIKE)
    return Estimate(top / bottom, math.sqrt(variance), "log")


def _known(strata: Sequence[Stratum]) -> list[Stratum]:
    return [s for s in strata if s[1] > 0 and s[3] > 0]


def _alike(strata: Sequence[Stratum]) -> bool:
    """Whether every rate is 0 or 1: then the variance speaks of no spread that was seen."""
    return all(x in (0, n) for s in strata for x, n in (s[:2], s[2:]))
