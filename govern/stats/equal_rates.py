"""Two-sided p-values of "both rates are the same" at the small levels of a search. Standard library only."""

from __future__ import annotations

from govern.stats.fisher import fisher_p, least_expected, score_p

EXACT_BELOW = 1_000
SCREEN = 0.05


def equal_rates_p(x1: int, n1: int, x2: int, n2: int) -> float:
    """The p-value, 0 to 1, of x1 of n1 and x2 of n2 having the same rate; n1 and n2 at least 1.

    The score test where it says more than 0.05 or every expected count is 1,000 or more, else Fisher's exact
    test. A p-value of at most 0.05 is thus the exact one unless counts are large: it falls below a level up to
    0.05 no oftener than the level says. A search works at levels near 0.0001, where the score test alone rejects
    3 to 6 times as often as it says at expected counts of 5, 1.2 to 1.4 times at 100 and at most 1.1 times at
    1,000 (enumerated at rates of .02 to .2 against a large other group; the tests repeat some of it).
    Source: the rule of expected counts of 5 (Cochran 1954, Biometrics 10:417–451) is meant for levels near 0.05.
    """
    p = score_p(x1, n1, x2, n2)
    return p if p > SCREEN or least_expected(x1, n1, x2, n2) >= EXACT_BELOW else fisher_p(x1, n1, x2, n2)
