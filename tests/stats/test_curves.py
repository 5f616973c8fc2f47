from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as oracle

from govern.stats.curves import precision_recall_points, roc_points, threshold_counts, threshold_grid, threshold_sums
from govern.stats.ranked import rank, rank_rows


def sample(seed: int, n: int, *, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.3
    s = 1 / (1 + np.exp(-(rng.normal(size=n) + 1.2 * y - 1)))
    return y, np.round(s, 1) if ties else s


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ties", [False, True])
def test_points_lie_on_the_curves_of_scikit_learn(ties: bool, weighted: bool) -> None:
    y, s = sample(1, 3000, ties=ties)
    w = np.random.default_rng(2).lognormal(0, 1, 3000) if weighted else None
    r = rank(y, s, w)
    x, rate = roc_points(r)
    fpr, tpr, _ = oracle.roc_curve(y, s, sample_weight=w, drop_intermediate=False)
    assert {(round(a, 9), round(b, 9)) for a, b in zip(x, rate, strict=True)} <= set(
        zip(np.round(fpr, 9).tolist(), np.round(tpr, 9).tolist(), strict=True))
    assert (x[0], rate[0]) == (0.0, 0.0)
    assert (x[-1], rate[-1]) == pytest.approx((1.0, 1.0), abs=1e-12)
    assert 10 <= len(x) <= 101
    x, precision = precision_recall_points(r)
    full_p, full_r, _ = oracle.precision_recall_curve(y, s, sample_weight=w)
    assert {(round(a, 9), round(b, 9)) for a, b in zip(x, precision, strict=True)} <= set(
        zip(np.round(full_r, 9).tolist(), np.round(full_p, 9).tolist(), strict=True))
    assert 10 <= len(x) <= 101
    assert list(x) == sorted(x)
    assert precision[-1] == pytest.approx(np.average(y, weights=w), abs=1e-9)
    assert max(x) == pytest.approx(1.0, abs=1e-12)


def test_curves_without_the_labels_they_need_are_empty() -> None:
    s = np.linspace(0, 1, 30)
    assert roc_points(rank(np.zeros(30, bool), s)) == roc_points(rank(np.ones(30, bool), s)) == ((), ())
    assert precision_recall_points(rank(np.zeros(30, bool), s)) == ((), ())
    x, precision = precision_recall_points(rank(np.ones(30, bool), s))
    assert (x[-1], set(precision)) == (1.0, {1.0})


def test_threshold_counts_are_those_of_the_rows() -> None:
    y, s = sample(3, 2000, ties=True)
    codes = np.random.default_rng(4).integers(-1, 3, 2000)
    cuts = (0.05, 0.3, 0.5, 0.55, 1.1)
    found = threshold_counts(rank_rows(y, s), codes, 4, cuts)
    assert found.shape == (5, 5, 4)
    assert found.dtype == np.int64
    for g in range(5):
        inside = codes == g if g < 4 else np.ones(2000, bool)
        for t, cut in enumerate(cuts):
            chosen = s >= cut
            expected = [np.sum(inside & chosen & y), np.sum(inside & chosen & ~y),
                        np.sum(inside & ~chosen & y), np.sum(inside & ~chosen & ~y)]
            assert found[g, t].tolist() == expected


@pytest.mark.parametrize("persons", [False, True])
def test_threshold_sums_are_those_of_the_definition(persons: bool) -> None:
    rng = np.random.default_rng(8)
    n, k, cuts = 6000, 3, (0.15, 0.4, 0.41, 0.9)
    y, s, w = rng.random(n) < 0.4, rng.random(n).round(2), rng.lognormal(0, 1, n)
    codes, unit = rng.integers(-1, k, n), rng.integers(0, 5000, n) if persons else np.arange(n)
    rows = rank_rows(y, s, w=w, cluster=unit if persons else None)
    sums, moments = threshold_sums(rows, codes, k, cuts)
    for g in range(k):
        for t, cut in enumerate(cuts):
            masks = [y & (s >= cut), ~y & (s >= cut), y & (s < cut), ~y & (s < cut)]
            each = np.stack([np.bincount(unit, w * (m & (codes == g)), n) for m in masks])
            np.testing.assert_allclose(sums[g, t], each.sum(axis=1), rtol=1e-12)
            np.testing.assert_allclose(moments[g, t], (each @ each.T)[np.triu_indices(4)], rtol=1e-11, atol=1e-12)
    order = rng.permutation(n)
    again = rank_rows(y[order], s[order], w=w[order], cluster=unit[order] if persons else None)
    for a, b in zip((sums, moments), threshold_sums(again, codes[order], k, cuts), strict=True):
        assert (a == b).all()


def test_threshold_counts_are_rows_whatever_the_weights() -> None:
    y, s = sample(5, 500, ties=True)
    codes = np.arange(500) % 2
    cells, at = np.unique(np.column_stack([s, y, codes]), axis=0, return_inverse=True)
    n = np.bincount(at.ravel())
    plain = threshold_counts(rank_rows(y, s), codes, 2, (0.2, 0.4))
    merged = threshold_counts(rank_rows(cells[:, 1] > 0, cells[:, 0], n), cells[:, 2].astype(int), 2, (0.2, 0.4))
    weighted = threshold_counts(rank_rows(y, s, w=np.linspace(1, 9, 500)), codes, 2, (0.2, 0.4))
    assert plain.tolist() == merged.tolist() == weighted.tolist()
    with pytest.raises(ValueError, match="ascend"):
        threshold_counts(rank_rows(y, s), codes, 2, (0.4, 0.2))
    with pytest.raises(ValueError, match="between -1 and 0"):
        threshold_counts(rank_rows(y, s), codes, 1, (0.4,))


def test_the_grid_has_the_threshold_in_force_tenths_and_quantiles() -> None:
    y, s = sample(6, 5000)
    rows = rank_rows(y, s)
    grid = threshold_grid(rows, 0.123456789)
    assert len(grid) == 41
    assert list(grid) == sorted(set(grid))
    assert 0.123456789 in grid
    assert {t / 10 for t in range(1, 10) if s.min() < t / 10 <= s.max()} <= set(grid)
    others = [t for t in grid if t != 0.123456789]
    assert all(t == float(f"{t:.4g}") for t in others)
    shares = [float(np.mean(s >= t)) for t in grid]
    assert max(-np.diff(shares)) < 0.08
    assert threshold_grid(rows, 0.123456789) == grid
    assert len(threshold_grid(rows, None, most=5)) == 5
    assert 0.5 in threshold_grid(rows, 0.5, most=2)
    assert threshold_grid(rows, 0.5).count(0.5) == 1


def test_the_grid_of_few_distinct_scores_and_of_other_scales() -> None:
    y = np.arange(100) % 2 == 0
    few = threshold_grid(rank_rows(y, np.where(y, 0.25, 0.75)), 0.5)
    assert few == (0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75)
    margins = threshold_grid(rank_rows(y, np.linspace(-30, 60, 100)), 0.0)
    assert 0.0 in margins
    assert 0.1 not in margins
    assert len(margins) <= 41
    assert threshold_grid(rank_rows(y[:0], np.empty(0)), 0.5) == (0.5,)
    assert threshold_grid(rank_rows(y[:0], np.empty(0)), None) == ()
