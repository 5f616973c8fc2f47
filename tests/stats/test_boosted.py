"""Boosted trees on codes: what they find, beside scikit-learn's, and that nothing else changes their answers."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from govern.stats.boosted import boosted

BINS = 16


def halves(x: np.ndarray, y: np.ndarray, seed: int = 0) -> float:
    """The area of the second half of the rows, learned from the first."""
    n = len(y) // 2
    scores = boosted(x[:, :n], y[None, :n].astype(float), x[:, n:], BINS, seed)[0]
    return float(roc_auc_score(y[n:], scores))


def test_sums_of_small_effects_as_well_as_scikit_learn() -> None:
    ours, theirs = [], []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        x = rng.integers(0, BINS, (12, 2000))
        y = rng.random(2000) < 1 / (1 + np.exp(-(x[:6].sum(axis=0) - 45) / 12))
        model = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=8, learning_rate=0.07, random_state=0)
        model.fit(x[:, :1000].T, y[:1000])
        ours.append(halves(x, y))
        theirs.append(roc_auc_score(y[1000:], model.predict_proba(x[:, 1000:].T)[:, 1]))
    assert np.mean(ours) > 0.65 and np.mean(ours) > np.mean(theirs) - 0.02


def test_two_columns_that_only_together_tell() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, BINS, (8, 3000))
    assert halves(x, (x[0] < 8) != (x[1] < 8)) > 0.9


def test_one_column_among_many() -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(0, BINS, (400, 1200))
    assert halves(x, rng.random(1200) < (0.2 + 0.6 * (x[317] > 7))) > 0.7


def test_nothing_is_found_where_nothing_is() -> None:
    found = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        found.append(halves(rng.integers(0, BINS, (10, 600)), rng.random(600) < 0.4, seed))
    assert np.mean(found) == pytest.approx(0.5, abs=0.03)


def test_groups_share_trees_and_each_is_told() -> None:
    rng = np.random.default_rng(2)
    group = rng.integers(0, 4, 2000)
    x = rng.integers(0, 8, (6, 2000))
    for g in range(3):
        x[g] += 8 * ((group == g) == (rng.random(2000) < 0.9))
    y = np.array([group == g for g in range(3)], float)
    scores = boosted(x[:, :1000], y[:, :1000], x[:, 1000:], BINS, 0)
    for g in range(3):
        assert roc_auc_score(y[g, 1000:], scores[g]) > 0.8
        # Above 0 is likelier than on average.
        assert y[g, 1000:][scores[g] > 0].mean() > y[g].mean() > y[g, 1000:][scores[g] <= 0].mean()


def test_same_seed_same_bits() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.integers(0, BINS, (20, 500)), (rng.random(500) < 0.5).astype(float)
    one, two = (boosted(x, y[None], x, BINS, 5) for _ in range(2))
    assert (one == two).all() and (one != boosted(x, y[None], x, BINS, 6)).any()
