from __future__ import annotations

import math

import numpy as np
import pytest
from of_arrays import brier_score, calibration

from govern.stats import calibration as binning
from govern.stats.calibration import calibration_of
from govern.stats.expected_calibration import expected_calibration_error
from govern.stats.intervals import transformed
from govern.stats.ranked import rank


def two_scores(positives_low: int, positives_high: int, each: int = 50) -> tuple[np.ndarray, np.ndarray]:
    """`each` rows at score .2 and as many at .6, with so many positive labels."""
    y = np.concatenate([np.arange(each) < positives_low, np.arange(each) < positives_high])
    return y, np.repeat([0.2, 0.6], each)


def test_worked_by_hand() -> None:
    """Gaps .4 − .2 and .6 − .6: T = ½(.04 − .24/49) + ½(0 − .24/49); χ² = .04 / (.16/50) = 12.5, df 2."""
    found = calibration(*two_scores(20, 30))
    assert [(b.n, b.observed) for b in found.bins] == [(50, 0.4), (50, 0.6)]
    assert [b.mean_score for b in found.bins] == pytest.approx([0.2, 0.6])
    assert found.error.value == pytest.approx(math.sqrt(0.02 - 0.24 / 49), rel=1e-12)
    assert found.p_value == pytest.approx(math.exp(-6.25), rel=1e-12)
    v1, v2 = 0.24 / 49, 0.24 / 49
    assert found.error.se == pytest.approx(
        math.sqrt(0.25 * (2 * v1**2 + 4 * v1 * (0.04 - v1)) + 0.25 * 2 * v2**2), rel=1e-12)
    assert found.error.transform == "square"


def test_bins_hold_equal_mass_and_keep_ties_together() -> None:
    rng = np.random.default_rng(1)
    s = rng.random(3000)
    found = calibration(rng.random(3000) < s, s)
    assert [b.n for b in found.bins] == [200] * 15
    tied = np.round(s * s, 1)
    bins = calibration(rng.random(3000) < tied, tied).bins
    means = [b.mean_score for b in bins]
    assert len(bins) < 11
    assert sum(b.n for b in bins) == 3000
    assert means == sorted(set(means))
    assert len(calibration(rng.random(60) < 0.5, rng.random(60)).bins) == 6


def test_no_gap_is_seen_where_there_is_none() -> None:
    """Under perfect calibration the plain 15-bin error exceeds .05 mostly; ours, and its test, seldom."""
    rng = np.random.default_rng(2)
    plain, debiased, rejected = [], [], 0
    for _ in range(400):
        s = rng.beta(2, 4, 300)
        found = calibration(rng.random(300) < s, s)
        plain.append(sum(b.n / 300 * abs(b.mean_score - b.observed) for b in found.bins))
        debiased.append(found.error)
        assert found.p_value is not None
        rejected += found.p_value < 0.05
    assert np.mean(np.array(plain) > 0.05) > 0.8
    zero = np.mean([e.value == 0 for e in debiased])
    assert 0.4 < zero < 0.7
    above = np.mean([transformed(e.value or 0.0, e.se or 0.0, e.transform, 0.05)[0] > 0 for e in debiased])
    assert above < 0.08
    assert 0.02 <= rejected / 400 <= 0.08


def test_the_squared_error_is_unbiased_and_its_interval_covers() -> None:
    rng = np.random.default_rng(3)
    squares, covered, runs = [], 0, 400
    for _ in range(runs):
        s = 0.1 + 0.7 * rng.random(1000)
        found = calibration(rng.random(1000) < s + 0.1, s).error
        assert found.value is not None and found.se is not None
        squares.append(found.value**2)
        low, high = transformed(found.value, found.se, found.transform, 0.05)
        covered += low <= 0.1 <= high
    assert np.mean(squares) == pytest.approx(0.01, abs=4 * np.std(squares) / math.sqrt(runs))
    assert 0.85 <= covered / runs <= 0.96


def test_wide_bins_do_not_hide_or_make_a_gap() -> None:
    """With few bins the scores inside one differ much; the squared error still has mean 0, on either side."""
    rng = np.random.default_rng(4)
    zero = 0
    for _ in range(400):
        s = rng.random(400)
        zero += calibration(rng.random(400) < s, s, bins=2).error.value == 0
    # T is a weighted sum of two centred chi-squares with one degree of freedom: below 0 with chance 1 − 1/e.
    assert zero / 400 == pytest.approx(1 - math.exp(-1), abs=0.09)


def test_rare_events_do_not_refute_perfect_calibration() -> None:
    rng = np.random.default_rng(5)
    rejected = 0
    for _ in range(500):
        s = rng.beta(0.4, 16, 1000)
        p = calibration(rng.random(1000) < s, s).p_value
        assert p is not None
        rejected += p < 0.01
    assert rejected / 500 < 0.03


def test_too_few_expected_events_for_the_test() -> None:
    y = np.arange(100) < 3
    assert calibration(y, np.full(100, 0.04)).p_value is None
    assert calibration(~y, np.full(100, 0.96)).p_value is None
    assert calibration(y, np.full(100, 0.05)).p_value is not None


def test_scores_of_zero_and_one() -> None:
    y = np.arange(100) < 50
    exact = calibration(y, y.astype(float))
    assert (exact.error.value, exact.p_value) == (0.0, 1.0)
    wrong = calibration(y, (np.arange(100) < 60).astype(float))
    assert wrong.p_value == 0.0
    assert wrong.error.value is not None and wrong.error.value > 0.1


def test_bins_of_equal_labels_are_not_taken_as_certain() -> None:
    s = np.full(40, 0.1)
    found = calibration(np.zeros(40, bool), s)
    assert found.error.value == pytest.approx(0.1)
    assert found.error.se == pytest.approx(math.sqrt(2 * 0.00225**2 + 4 * 0.00225 * 0.01), rel=1e-9)


def test_minus_zero_is_zero() -> None:
    [only] = calibration(np.arange(40) < 20, np.full(40, -0.0)).bins
    assert math.copysign(1, only.mean_score) == 1


def test_the_order_of_rows_changes_no_bit() -> None:
    rng = np.random.default_rng(6)
    s = np.round(rng.random(2000), 3)
    y = rng.random(2000) < s
    first = calibration(y, s)
    for seed in range(5):
        p = np.random.default_rng(seed).permutation(2000)
        assert calibration(y[p], s[p]) == first


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("digits", [1, 9])
def test_the_parts_add_up_to_the_brier_score(digits: int, weighted: bool) -> None:
    rng = np.random.default_rng(7)
    s = np.round(rng.beta(2, 3, 800), digits)
    y = rng.random(800) < s**2
    w = rng.lognormal(0, 1, 800) if weighted else None
    parts = calibration_of(rank(y, s, w)).brier
    assert parts is not None
    total = parts.reliability - parts.resolution + parts.uncertainty + parts.within
    assert total == pytest.approx(brier_score(y, s, w).value, abs=1e-12)
    rate = np.average(y, weights=w)
    assert parts.uncertainty == pytest.approx(rate * (1 - rate), abs=1e-12)
    assert parts.resolution > 0


def test_one_score_a_bin_leaves_nothing_within() -> None:
    """Murphy's decomposition by hand: gaps .2 and 0, rates .4 and .6 around .5."""
    parts = calibration(*two_scores(20, 30)).brier
    assert parts is not None
    assert parts.reliability == pytest.approx(0.5 * 0.04)
    assert parts.resolution == pytest.approx(0.01)
    assert parts.uncertainty == pytest.approx(0.25)
    assert parts.within == pytest.approx(0.0, abs=1e-15)


def test_expected_calibration_error_bin_by_bin() -> None:
    rng = np.random.default_rng(8)
    s = np.append(rng.random(997), [0.0, 1.0, 1.0])
    y = rng.random(1000) < s
    found, band = expected_calibration_error(rank(y, s))
    total = 0.0
    for b in range(15):
        inside = (s >= b / 15) & ((s < (b + 1) / 15) if b < 14 else True)
        total += abs(float(np.sum(y[inside]) - np.sum(s[inside]))) / 1000
    assert found.value == pytest.approx(total, abs=1e-9)
    assert (found.se, found.status) == (None, "ok")
    assert band is not None and 0 <= band[0] < found.value < band[1] <= 1
    assert expected_calibration_error(rank(y[:20], s[:20]))[0].status == "too_few"


@pytest.mark.parametrize("persons", [False, True])
@pytest.mark.parametrize("shift", [0.0, 0.8])
def test_bounds_of_the_parts_and_of_the_expected_error_hold_the_true_ones(shift: float, persons: bool) -> None:
    """Nominal 95 %, 300 rows, weights of a lognormal; persons of three rows that are alike in half of the cases."""
    rng, runs, n = np.random.default_rng(9), 300, 300

    def true(s: np.ndarray) -> np.ndarray:
        return np.asarray(1 / (1 + (1 - s) / s * np.exp(-shift)))

    many = rng.beta(2, 4, 200_000)
    ends = np.minimum((many * 15).astype(int), 14)
    error = np.abs(np.bincount(ends, true(many) - many, 15)).sum() / len(many)
    rate = true(many).mean()
    missed = dict.fromkeys(("error", "reliability", "resolution", "uncertainty"), 0)
    for _ in range(runs):
        person = np.arange(n) // (3 if persons else 1)
        s, w = rng.beta(2, 4, n)[person], rng.lognormal(0, 0.7, n)
        alike = rng.random(n)[person] < 0.5
        y = np.where(alike, rng.random(n)[person], rng.random(n)) < true(s)
        r = rank(y, s, w, person if persons else None)
        _, band = expected_calibration_error(r)
        to, sums = binning._binned(r, 15)
        joined = binning._joined(sums, lambda b: b.n >= 2 and b.w > 0)
        bin_ = np.repeat(np.arange(len(joined)), [b.parts for b in joined])[to][np.searchsorted(r.score, s)]
        mass, p, q = (np.bincount(bin_, w * v) for v in (np.ones(n), true(s), s))
        share, p, q = mass / mass.sum(), p / mass, q / mass
        parts = calibration_of(r).brier
        assert parts is not None and band is not None
        wanted = {"error": error, "reliability": share @ (p - q) ** 2, "resolution": share @ (p - share @ p) ** 2,
                  "uncertainty": rate * (1 - rate)}
        for name, (low, high) in {"error": band, **parts.bounds}.items():
            value = expected_calibration_error(r)[0].value if name == "error" else getattr(parts, name)
            assert low <= value <= high
            missed[name] += not low - 1e-12 <= wanted[name] <= high + 1e-12
    assert max(missed.values()) <= 0.09 * runs


def test_bounds_need_thirty_rows() -> None:
    rng = np.random.default_rng(2)
    s = rng.random(29)
    parts = calibration_of(rank(rng.random(29) < s, s)).brier
    assert parts is not None and parts.bounds == {}


def test_p_value_says_why_there_is_none() -> None:
    y = np.arange(100) < 3
    assert calibration(y, np.full(100, 0.04)).p_reason == "too few expected events for a test"
    assert calibration(y, np.full(100, 0.05)).p_reason is None
    assert calibration(y, np.full(100, 5.0)).p_reason == "the scores are not probabilities"
