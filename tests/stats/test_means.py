"""Means and shares of weighted rows and repeated persons: what is left when rows are taken off again."""

from __future__ import annotations

import numpy as np
import pytest

from govern.stats.means import NO_WEIGHT, Share, Sums, effective_rows, sums_of, too_few


def test_a_mean_is_the_textbook_one_about_any_centre():
    x = np.random.default_rng(0).normal(1e6, 1, 400)
    for centre in (0.0, 1e6):
        found = sums_of(x, None, None, centre).mean()
        assert found.value == pytest.approx(x.mean(), rel=1e-14)
    assert found.se == pytest.approx(x.std(ddof=1) / 20, rel=1e-9)


def test_a_person_with_all_rows_has_no_error():
    found = sums_of(np.arange(40.0), None, np.zeros(40, np.int64)).mean()
    assert (found.value, found.se, found.status) == (19.5, None, "too_few")
    assert sums_of(np.array([3.0]), None, None).mean().se is None


def test_weights_that_leave_few_effective_rows_are_too_few():
    w = np.concatenate([np.full(5, 1000.0), np.ones(100)])
    found = sums_of(np.arange(105.0), w, None).mean()
    assert found.status == "too_few" and "effective" in found.reason
    assert too_few(29, 29) == "fewer than 30 rows" and too_few(30, 30 - 1e-12) is None


def test_shares_in_rows_are_whole_numbers_and_at_the_ends_keep_their_size():
    some = sums_of(np.array([1.0, 0, 1]), None, None)
    assert some.share(plain=True) == Share(2, 3) and some.share(plain=True).sample == (2, 3)
    certain = sums_of(np.ones(4), np.array([1.0, 1, 1, 3]), None).share(plain=False)
    assert certain.value == 1 and certain.effective == pytest.approx(36 / 12)
    assert certain.sample == pytest.approx((3, 3))
    assert effective_rows(0.5, 0.0, 4.0, 4.0) == 4  # no variance left to see


def test_a_rest_without_rows_or_weight_is_undefined():
    everyone = sums_of(np.arange(50.0), np.full(50, 2.0), None)
    nobody = everyone.without(everyone)
    assert nobody.mean().status == "undefined" and nobody.share(plain=False) == Share(0.0, 0.0, 0.0)
    lost = Sums(1, 1e-9, 0.0, 0.0, 0.0, 0.0)
    assert lost.mean().reason == NO_WEIGHT and lost.share(plain=False).n == 0
