"""Bins hold every value apart while they can, and then as finely as the limit allows, whatever the order."""

from __future__ import annotations

import numpy as np
import pytest

from govern.stats.floatbins import FloatBins


def binned(cells, values, weight=None, limit=1 << 17, batches=7):
    found = FloatBins(weighted=weight is not None, limit=limit)
    for part in np.array_split(np.arange(len(values)), batches):
        found.add(cells[part], values[part], None if weight is None else weight[part])
    return found


def same(a, b):
    return all(np.array_equal(getattr(a, f), getattr(b, f)) for f in ("cell", "x", "n", "w", "w2"))


def test_few_values_are_kept_as_they_are():
    values = np.array([3.5, -1.0, 0.0, -0.0, 3.5, 1e-300, -1e70])
    found = binned(np.zeros(7, int), values, batches=2)
    bins = found.bins()
    assert found.dropped == 0
    assert bins.x.tolist() == [-1e70, -1.0, 0.0, 1e-300, 3.5] and bins.n.tolist() == [1, 1, 2, 1, 2]
    assert FloatBins(weighted=True).bins().x.shape == (0,)


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_order_and_batches_change_nothing(offset):
    rng = np.random.default_rng(0)
    values, cells, weight = rng.normal(offset, 1, 20_000), rng.integers(0, 3, 20_000), rng.uniform(0, 5, 20_000)
    one = binned(cells, values, weight, limit=500)
    order = rng.permutation(20_000)
    assert same(one.bins(), binned(cells[order], values[order], weight[order], limit=500, batches=31).bins())
    bins = one.bins()
    assert one.dropped > 0 and 250 < len(bins.x) <= 500 and bins.n.sum() == 20_000
    assert bins.w.sum() == pytest.approx(weight.sum(), rel=1e-12)
    assert bins.w2.sum() == pytest.approx((weight**2).sum(), rel=1e-12)
    # Far from 0 the bins are as fine as near it: their width is a matter of how many there may be.
    own, x = np.sort(values[cells == 0]), bins.x[bins.cell == 0]
    assert np.abs(np.repeat(x, bins.n[bins.cell == 0]) - own).mean() < 0.02


def test_more_cells_than_the_limit_keep_the_leading_bits():
    values = np.linspace(-2, 2, 1000)
    found = binned(np.arange(1000), values, limit=10)
    assert found.dropped == 50
    np.testing.assert_allclose(found.bins().x, values, rtol=0.15, atol=1e-9)


def test_small_weights_are_not_lost():
    weight = np.full(1000, 1e-6)
    bins = binned(np.zeros(1000, int), np.repeat([1.0, 2.0], 500), weight).bins()
    np.testing.assert_allclose(bins.w, 5e-4, rtol=1e-9)
    np.testing.assert_allclose(bins.w2, 5e-10, rtol=1e-3)
