from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from govern.stats.ranked import rank
from govern.stats.slope import slope_and_intercept


def sample(seed: int, n: int, a: float = 0.3, b: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(-1, 1.2, n)
    return rng.random(n) < expit(a + b * x), expit(x)


@pytest.mark.parametrize("weighted", [False, True])
def test_slope_is_that_of_scikit_learns_logistic_regression(weighted: bool) -> None:
    y, s = sample(1, 3000)
    w = np.random.default_rng(2).lognormal(0, 0.7, 3000) if weighted else None
    fitted = LogisticRegression(C=math.inf, tol=1e-12, solver="newton-cholesky").fit(logit(s)[:, None], y, w)
    slope, intercept = slope_and_intercept(rank(y, s, w))
    assert slope.value == pytest.approx(fitted.coef_[0, 0], abs=1e-7)
    # The intercept at slope 1 makes the mean of the shifted scores the observed rate.
    assert intercept.value is not None
    assert np.average(expit(logit(s) + intercept.value), weights=w) == pytest.approx(
        np.average(y, weights=w), abs=1e-10)


@pytest.mark.parametrize("weighted", [False, True])
def test_errors_are_the_sandwich_written_out(weighted: bool) -> None:
    y, s = sample(3, 500)
    w = np.random.default_rng(4).lognormal(0, 0.7, 500) if weighted else np.ones(500)
    slope, intercept = slope_and_intercept(rank(y, s, w if weighted else None))
    fitted = LogisticRegression(C=math.inf, tol=1e-12, solver="newton-cholesky").fit(logit(s)[:, None], y, w)
    x = np.column_stack([np.ones(500), logit(s)])
    p = expit(x @ np.r_[fitted.intercept_, fitted.coef_[0]])
    bread = np.linalg.inv((x * (w * p * (1 - p))[:, None]).T @ x)
    meat = (x * ((w * (y - p)) ** 2)[:, None]).T @ x
    assert slope.se == pytest.approx(math.sqrt((bread @ meat @ bread)[1, 1]), rel=1e-6)
    assert intercept.value is not None
    p = expit(logit(s) + intercept.value)
    assert intercept.se == pytest.approx(
        math.sqrt(((w * (y - p)) ** 2).sum()) / (w * p * (1 - p)).sum(), rel=1e-9)


def test_intervals_cover() -> None:
    covered = np.zeros(2)
    for seed in range(400):
        y, s = sample(100 + seed, 250, 0.3, 1.0)
        for i, (e, truth) in enumerate(zip(slope_and_intercept(rank(y, s)), (1.0, 0.3), strict=True)):
            assert e.value is not None and e.se is not None
            covered[i] += abs(e.value - truth) <= 1.96 * e.se
    assert ((covered / 400 >= 0.91) & (covered / 400 <= 0.98)).all()


def test_far_starts_converge() -> None:
    """Scores of 1e-12 and 1 − 1e-12 that are as good as noise, and a slope of 1000."""
    y = np.arange(400) % 2 == 0
    s = np.where(np.arange(400) % 3 == 0, 1e-12, 1 - 1e-12)
    slope, intercept = slope_and_intercept(rank(y, s))
    assert slope.value == pytest.approx(0.0, abs=0.05)
    assert (slope.status, intercept.status) == ("ok", "ok")
    rng = np.random.default_rng(5)
    x = rng.normal(0, 0.003, 2000)
    slope, _ = slope_and_intercept(rank(rng.random(2000) < expit(1000 * x), expit(x)))
    assert slope.value is not None and slope.se is not None
    assert abs(slope.value - 1000) < 4 * slope.se
    flipped, _ = slope_and_intercept(rank(x > rng.normal(0, 0.01, 2000), expit(-x)))
    assert flipped.value is not None and flipped.value < 0


def test_undefined_cases_say_why() -> None:
    y = np.arange(40) < 20
    rising = np.linspace(0.9, 0.1, 40)
    for s in (rising, 1 - rising, np.where(y, 0.7, 0.2), np.where(np.arange(40) < 21, 0.7, 0.2)):
        slope, intercept = slope_and_intercept(rank(y, s))
        assert (slope.value, slope.status) == (None, "undefined")
        assert "separates the two labels" in str(slope.reason)
        assert intercept.status == "ok"
    slope, intercept = slope_and_intercept(rank(y, np.full(40, 0.3)))
    assert slope.reason == "all rows have the same score"
    assert intercept.value == pytest.approx(-logit(0.3), rel=1e-12)
    for e in slope_and_intercept(rank(y, (np.arange(40) % 2).astype(float))):
        assert "every score is 0 or 1" in str(e.reason)
    for e in slope_and_intercept(rank(np.ones(40, bool), rising)):
        assert e.reason == "all rows have the same label"
    for e in slope_and_intercept(rank(y, rising * 10)):
        assert e.reason == "the scores are not probabilities"
    s = np.random.default_rng(6).random(12)
    assert slope_and_intercept(rank(np.arange(12) % 3 == 0, s))[0].status == "too_few"
