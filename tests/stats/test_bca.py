"""BCa intervals: against scipy, how often they miss, and when there is none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats as oracle

from govern.stats.bca import bca

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]


def resampled(x: Floats, statistic: Statistic, rng: np.random.Generator, replicates: int, blocks: int
              ) -> tuple[float, Floats, Floats]:
    """Value, replicates and values without one of the blocks; `statistic` takes (…, n)."""
    drawn = statistic(x[rng.integers(0, len(x), (replicates, len(x)))])
    block = np.arange(len(x)) * blocks // len(x)
    return float(statistic(x)), drawn, np.array([float(statistic(x[block != b])) for b in range(blocks)])


@pytest.mark.parametrize("seed", range(3))
def test_single_rows_left_out_are_scipys_interval(seed: int) -> None:
    x = np.random.default_rng(seed).lognormal(0, 1, 60)
    value, drawn, without = resampled(x, lambda v: v.mean(axis=-1), np.random.default_rng(9), 4000, 60)
    theirs = oracle.bootstrap((x,), np.mean, method="BCa", n_resamples=0, confidence_level=0.95, vectorized=True,
                              bootstrap_result=type("Drawn", (), {"bootstrap_distribution": drawn})())
    found, why = bca(value, drawn, without, 0.025)
    # Ends are read off 4,000 replicates, by another rule between two of them.
    assert why == "" and found == pytest.approx(tuple(theirs.confidence_interval), rel=2e-3)


@pytest.mark.parametrize(("n", "least"), [(30, 0.85), (100, 0.89)])
def test_its_worse_side_misses_less_often_than_that_of_percentiles(n: int, least: float) -> None:
    """The mean of lognormal rows, nominal 95 %: the upper end misses in .075 of samples of 30 rows instead of .13."""
    rng, runs, truth = np.random.default_rng(5), 600, np.exp(0.5)
    missed = np.zeros((2, 2))
    for _ in range(runs):
        value, drawn, without = resampled(rng.lognormal(0, 1, n), lambda v: v.mean(axis=-1), rng, 600, 30)
        found, _ = bca(value, drawn, without, 0.025)
        assert found is not None and found[0] <= value <= found[1]
        for i, (low, high) in enumerate((found, np.quantile(drawn, (0.025, 0.975)))):
            missed[i] += low > truth, high < truth
    covered = 1 - missed.sum(axis=1) / runs
    assert covered[0] >= max(least, covered[1] - 0.01) and missed[0].max() < 0.85 * missed[1].max()


@pytest.mark.parametrize(("replicates", "reason"), [
    ([np.nan] * 3 + [1.0, 2.0] * 48 + [1.5], "gave a number for 97 of 100 resampled data sets only"),
    ([], "gave a number for 0 of 0"), ([2.0] * 50, "all resampled data sets give the same value"),
    (list(np.arange(2.0, 52.0)), "all resampled data sets lie on one side of the value")])
def test_replicates_that_show_no_spread_give_no_interval(replicates: list[float], reason: str) -> None:
    found, why = bca(1.5, np.array(replicates), np.arange(10.0), 0.025)
    assert found is None and why.startswith(reason)


def test_parts_without_a_value_are_left_out_and_equal_ones_bend_nothing() -> None:
    drawn = np.random.default_rng(0).normal(size=2000)
    flat, gaps = (bca(0.0, drawn, w, 0.025)[0] for w in (np.zeros(20), np.full(20, np.nan)))
    assert flat == gaps and flat == pytest.approx((-1.96, 1.96), abs=0.15)
