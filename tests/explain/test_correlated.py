"""Pairs of features that are alike: ranks, tables, missing values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from scipy.stats.contingency import association

from govern.explain.correlated import RANKS, TABLE, correlated, cramers_v


def test_alike_pairs_are_listed_the_strongest_first() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=500)
    y = -np.exp(x) + rng.normal(0, 0.3, 500)
    x[::10] = np.nan
    level = np.digitize(y, np.quantile(y, [0.2, 0.4, 0.6, 0.8]))
    found = correlated(["x", "y", "level", "noise"], {"x": x, "y": y, "noise": rng.normal(size=500)}, {"level": level})
    assert [(c.first, c.second, c.measure) for c in found] == [
        ("y", "level", TABLE), ("x", "y", RANKS)]
    known = ~np.isnan(x)
    assert found[1].value == pytest.approx(abs(spearmanr(x[known], y[known]).statistic))
    assert found[0].value == pytest.approx(1.0, abs=0.02)


def test_cramers_v_without_what_chance_makes_of_it() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 4, 5000), rng.integers(0, 6, 5000)
    mixed = np.where(rng.random(5000) < 0.5, a, b % 4)
    table = np.zeros((4, 4))
    np.add.at(table, (a, mixed), 1)
    assert cramers_v(a, mixed) == pytest.approx(association(table.astype(int), method="cramer"), abs=0.002)
    few = [cramers_v(rng.integers(0, 8, 60), rng.integers(0, 8, 60)) for _ in range(50)]
    assert np.median([v for v in few if v is not None]) < 0.1  # plain V is about 0.35 here


@pytest.mark.parametrize(("a", "b"), [
    (np.zeros(100, int), np.arange(100) % 3), (np.arange(29) % 2, np.arange(29) % 2),
    (np.full(100, -1), np.arange(100) % 2)])
def test_nothing_is_said_of_constants_and_of_few_rows(a: np.ndarray, b: np.ndarray) -> None:
    assert cramers_v(a, b) is None
    x = np.full(100, np.nan)
    assert correlated(["a", "b"], {"a": x, "b": np.arange(100.0)}, {}) == ()
