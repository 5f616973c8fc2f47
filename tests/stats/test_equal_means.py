"""The test of equal means: against scipy, and how often it rejects where there is no difference."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats as oracle

from govern.stats.equal_means import equal_means_p, student_p
from govern.stats.means import Sums, sums_of

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Floats]
DRAWS: dict[str, Draw] = {
    "normal": lambda rng, n: rng.normal(size=n), "exponential": lambda rng, n: rng.exponential(size=n),
    "lognormal": lambda rng, n: rng.lognormal(0, 1, n), "t3": lambda rng, n: rng.standard_t(3, n)}


def p_of(own: Floats, rest: Floats, own_weight: Floats | None = None, rest_weight: Floats | None = None) -> float:
    both = np.concatenate([own, rest])
    weight = None if own_weight is None or rest_weight is None else np.concatenate([own_weight, rest_weight])
    centre = float(np.average(both, weights=weight))
    a, b, everyone = (sums_of(x, w, None, centre) for x, w in ((own, own_weight), (rest, rest_weight), (both, weight)))
    return equal_means_p(a, b, everyone)


@pytest.mark.parametrize("free", [1.0, 2.5, 29.0, 1e4, 1e7])
@pytest.mark.parametrize("t", [0.0, 0.3, 2.0, 6.0, 40.0])
def test_students_tail_is_scipys(t: float, free: float) -> None:
    assert student_p(t, free) == pytest.approx(2 * oracle.t.sf(t, free), rel=1e-8, abs=1e-300)


@pytest.mark.parametrize("seed", range(5))
def test_the_larger_of_welch_and_the_score_test(seed: int) -> None:
    rng = np.random.default_rng(seed)
    own, rest = rng.lognormal(0.1 * seed, 1, 60), rng.lognormal(0, 1, 500)
    welch = oracle.ttest_ind(own, rest, equal_var=False).pvalue
    spread = np.concatenate([own, rest]).std(ddof=1) * np.sqrt(1 / 60 + 1 / 500)
    score = 2 * oracle.norm.sf(abs(own.mean() - rest.mean()) / spread)
    assert p_of(own, rest) == pytest.approx(max(welch, score), rel=1e-9)
    assert p_of(own, rest, np.full(60, 2.0), np.full(500, 2.0)) == pytest.approx(p_of(own, rest), rel=1e-9)


def test_without_a_spread_or_a_difference_nothing_is_shown() -> None:
    same = np.ones(40)
    assert p_of(same, same) == 1.0
    assert p_of(same[:1], same) == 1.0 and p_of(np.arange(5.0), np.arange(5.0)) == 1.0
    # Constant in the subgroup and elsewhere, with another value: the spread of everyone is what there is.
    assert 0 < p_of(same, np.zeros(400)) < 1e-50
    assert equal_means_p(Sums(0, 0, 0, 0, 0, 0), Sums(9, 9, 1, 9, 1, 1), Sums(9, 9, 1, 9, 1, 1)) == 1.0


@pytest.mark.parametrize("name", DRAWS)
def test_it_rejects_no_oftener_than_it_says(name: str) -> None:
    """30 rows against 600, 4,000 draws: what Welch's test alone does is printed beside by the larger bound."""
    rng, levels, runs = np.random.default_rng(3), (0.05, 0.01, 0.002), 4000
    p = np.array([p_of(DRAWS[name](rng, 30), DRAWS[name](rng, 600)) for _ in range(runs)])
    for level in levels:
        assert (p <= level).mean() <= level + 3 * np.sqrt(level / runs)


def test_welch_alone_would_not_hold() -> None:
    rng, runs = np.random.default_rng(4), 2000
    p = np.array([oracle.ttest_ind(rng.lognormal(0, 1, 30), rng.lognormal(0, 1, 600), equal_var=False).pvalue
                  for _ in range(runs)])
    assert (p <= 0.01).mean() > 0.03
