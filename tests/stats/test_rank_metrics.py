from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from scipy import stats

from govern.stats.intervals import transformed
from govern.stats.rank_metrics import gini, ks_statistic, lift_top_decile, roc_auc
from govern.stats.ranked import rank

CDF = NormalDist().cdf


def two_normals(rng: np.random.Generator, p: int, q: int, apart: float) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(p + q) < p, np.concatenate([rng.normal(apart, 1, p), rng.normal(0, 1, q)])


def test_gini_and_its_interval_are_those_of_the_auc() -> None:
    for apart in (0.0, 1.0, 9.0):
        auc = roc_auc(rank(*two_normals(np.random.default_rng(1), 60, 140, apart)))
        found = gini(auc)
        assert auc.value is not None and auc.se is not None
        assert found.value is not None and found.se is not None
        assert found.value == 2 * auc.value - 1
        for bound, of_auc in zip(transformed(found.value, found.se, found.transform, 0.025),
                                 transformed(auc.value, auc.se, auc.transform, 0.025), strict=True):
            assert bound == pytest.approx(2 * of_auc - 1, abs=1e-12)
    assert gini(roc_auc(rank(np.ones(9, bool), np.arange(9.0)))).reason == "all rows have the same label"


@pytest.mark.parametrize("ties", [False, True])
def test_ks_equals_scipy(ties: bool) -> None:
    y, s = two_normals(np.random.default_rng(2), 300, 500, 0.7)
    s = np.round(s) if ties else s
    for score in (s, -s):
        assert ks_statistic(rank(y, score)).value == pytest.approx(
            stats.ks_2samp(score[y], score[~y]).statistic, abs=1e-12)


def test_ks_intervals_cover_from_no_to_near_full_separation() -> None:
    rng = np.random.default_rng(3)
    for p, q in ((30, 30), (200, 200), (100, 1000)):
        for apart in (0.0, 0.5, 2.0):
            truth, missed, runs = 2 * CDF(apart / 2) - 1, 0, 150
            for _ in range(runs):
                e = ks_statistic(rank(*two_normals(rng, p, q, apart)))
                assert e.value is not None and e.se is not None
                low, high = transformed(e.value, e.se, e.transform, 0.025)
                missed += not low <= truth <= high
            assert missed / runs <= 0.075  # .033 at most in long runs; 150 runs


def test_ks_undefined_and_few() -> None:
    assert ks_statistic(rank(np.zeros(30, bool), np.arange(30.0))).reason == "all rows have the same label"
    few = ks_statistic(rank(np.arange(40) < 9, np.arange(40.0)))
    assert (few.value, few.status) == (1.0, "too_few")


def test_lift_worked_by_hand() -> None:
    """Of 200 rows 50 positive; the top 20 are 12 of score 1 (9 positive) and 8 of the 16 tied next (4 positive)."""
    s = np.concatenate([np.full(12, 1.0), np.full(16, 0.9), np.linspace(0.8, 0.1, 172)])
    y = np.concatenate([np.arange(12) < 9, np.arange(16) < 4, np.arange(172) < 37])
    found = lift_top_decile(rank(y, s))
    assert found.value == pytest.approx((9 + 8 * 4 / 16) / 20 / (50 / 200), rel=1e-12)
    assert (found.status, found.transform) == ("ok", "log")


def test_lift_of_weighted_rows_shares_weight() -> None:
    rng = np.random.default_rng(4)
    y, s = two_normals(rng, 150, 350, 1.0)
    w = rng.integers(1, 4, 500)
    many = np.repeat(np.arange(500), w)
    assert lift_top_decile(rank(y, s, w.astype(float))).value == pytest.approx(
        lift_top_decile(rank(y[many], s[many])).value, rel=1e-12)


def test_lift_intervals_cover() -> None:
    rng = np.random.default_rng(5)
    for n, rate, apart in ((300, 0.1, 1.0), (1000, 0.3, 1.0)):
        low, high = -5.0, 10.0
        for _ in range(60):  # the score a tenth of all rows exceeds
            cut = (low + high) / 2
            above = rate * (1 - CDF(cut - apart)) + (1 - rate) * (1 - CDF(cut))
            low, high = (cut, high) if above > 0.1 else (low, cut)
        truth, covered, runs = 10 * (1 - CDF(cut - apart)), 0, 400
        for _ in range(runs):
            y = rng.random(n) < rate
            e = lift_top_decile(rank(y, rng.normal(size=n) + apart * y))
            assert e.value is not None and e.se is not None
            bounds = transformed(e.value, e.se, e.transform, 0.025)
            covered += bounds[0] <= truth <= bounds[1]
        assert covered / runs >= 0.91


def test_lift_keeps_a_width_and_says_when_it_has_none() -> None:
    y = np.arange(400) < 30
    best = lift_top_decile(rank(y, np.arange(400)[::-1]))
    assert best.value == pytest.approx(10.0)
    assert best.se == pytest.approx(2 / 30)
    worst = lift_top_decile(rank(y, np.arange(400)))
    assert (worst.value, worst.se, worst.status) == (0.0, None, "too_few")
    assert worst.reason == "no row of the top tenth has the positive label"
    few = lift_top_decile(rank(np.arange(90) % 3 == 0, np.arange(90)))
    assert few.reason == "fewer than 10 rows in the top tenth"
    assert lift_top_decile(rank(np.zeros(90, bool), np.arange(90))).reason == "no row has the positive label"
    flat = lift_top_decile(rank(y, np.full(400, 0.3)))
    assert flat.value == pytest.approx(1.0)
    assert flat.se is not None and math.isfinite(flat.se)
