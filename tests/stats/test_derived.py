"""Derived metrics equal scikit-learn's, and their standard errors what samples really do."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import pytest
import sklearn.metrics as sk
from scipy.optimize import approx_fprime

from govern.metrics import DERIVED_METRICS
from govern.stats.derived import _METRICS, _variance, derived
from govern.stats.intervals import transformed

ORACLES = {
    "balanced_accuracy": sk.balanced_accuracy_score,
    "f1_score": sk.f1_score,
    "f2_score": lambda y, p, sample_weight=None: sk.fbeta_score(y, p, beta=2, sample_weight=sample_weight),
    "f05_score": lambda y, p, sample_weight=None: sk.fbeta_score(y, p, beta=0.5, sample_weight=sample_weight),
    "matthews_correlation": sk.matthews_corrcoef,
}
PLACES = list(combinations_with_replacement(range(4), 2))


def kinds(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    return np.where(y == 1, np.where(p == 1, 0, 2), np.where(p == 1, 1, 3))


def test_every_derived_metric_has_a_function_and_an_oracle() -> None:
    assert set(DERIVED_METRICS) == set(_METRICS) == set(ORACLES)


@pytest.mark.parametrize("metric", DERIVED_METRICS)
@pytest.mark.parametrize("seed", range(5))
def test_values_are_scikit_learns_weighted_and_not(metric: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(60, 400))
    y, p, w = (rng.random(n) < 0.4).astype(int), (rng.random(n) < 0.5).astype(int), rng.gamma(1.5, 2, n)
    plain = derived(metric, np.bincount(kinds(y, p), minlength=4).tolist())
    assert plain.value == pytest.approx(ORACLES[metric](y, p), abs=1e-12)
    sums, squares = (np.bincount(kinds(y, p), v, minlength=4) for v in (w, w * w))
    weighed = derived(metric, sums.tolist(), [squares[a] if a == b else 0.0 for a, b in PLACES], rows=[n] * 4)
    assert weighed.value == pytest.approx(ORACLES[metric](y, p, sample_weight=w), abs=1e-12)
    assert plain.status == weighed.status == "ok"


@pytest.mark.parametrize("metric", DERIVED_METRICS)
def test_gradient_is_scipys_derivative(metric: str) -> None:
    value_of, gradient_of = _METRICS[metric]
    at = np.array([31.0, 12.0, 9.0, 55.0])
    seen = approx_fprime(at, lambda c: value_of(*c), 1e-6)
    assert gradient_of(*at) == pytest.approx(seen, abs=1e-6)


@pytest.mark.parametrize("metric", DERIVED_METRICS)
@pytest.mark.parametrize("rate", [(0.24, 0.07, 0.06, 0.63), (0.3, 0.2, 0.2, 0.3)])
def test_standard_error_is_the_spread_of_samples(metric: str, rate: tuple[float, ...]) -> None:
    """Against 40,000 samples of 2,000 rows, within 2 %."""
    cells = np.random.default_rng(5).multinomial(2000, rate, 40_000).astype(float)
    value_of, _ = _METRICS[metric]
    spread = np.std([value_of(*c) for c in cells.tolist()])
    e = derived(metric, [2000 * r for r in rate])
    assert e.value is not None and e.se is not None
    scale = 1 - e.value**2 if e.transform == "fisher" else e.value * (1 - e.value)
    assert e.se * scale == pytest.approx(spread, rel=0.02)


def test_clusters_of_two_equal_rows_count_once() -> None:
    """Each person twice in the same cell: the variance is that of the persons, whatever the number of rows."""
    once, twice = [31, 12, 9, 55], [62, 24, 18, 110]
    moments = [4.0 * once[a] if a == b else 0.0 for a, b in PLACES]
    for metric in DERIVED_METRICS:
        one, two = derived(metric, once), derived(metric, twice, moments, rows=twice)
        assert (two.value, two.se) == (pytest.approx(one.value, abs=1e-15), pytest.approx(one.se, rel=1e-12))


@pytest.mark.parametrize(("metric", "cells", "reason"), [
    ("balanced_accuracy", (10, 0, 5, 0), "all rows have one label"),
    ("f1_score", (0, 0, 0, 30), "no row has the positive label or is predicted positive"),
    ("matthews_correlation", (10, 20, 0, 0), "all rows have one prediction"),
    ("matthews_correlation", (0, 20, 0, 10), "all rows have one label"),
])
def test_undefined_has_a_reason_and_no_number(metric: str, cells: tuple[int, ...], reason: str) -> None:
    e = derived(metric, cells)
    assert (e.value, e.se, e.status, e.reason) == (None, None, "undefined", reason)


def test_few_rows_give_a_value_and_no_interval() -> None:
    assert derived("balanced_accuracy", (6, 1, 3, 40)).status == "too_few"
    assert derived("f1_score", (6, 1, 3, 40)).reason == "fewer than 10 rows with the positive label"
    assert derived("f1_score", (6, 2, 4, 4)).status == "ok"  # negatives hardly enter an F score
    assert derived("matthews_correlation", (6, 2, 4, 4)).reason == "fewer than 10 rows with one of the labels"


@pytest.mark.parametrize("metric", DERIVED_METRICS)
@pytest.mark.parametrize("cells", [(40, 0, 0, 60), (0, 60, 40, 0), (40, 60, 0, 1), (40, 60, 1, 0)])
def test_certainty_is_never_claimed(metric: str, cells: tuple[int, ...]) -> None:
    e = derived(metric, cells)
    assert e.value is not None and e.se is not None and e.se > 0
    low, high = transformed(e.value, e.se, e.transform, 0.025)
    assert low <= e.value <= high and high - low > 0.02


def test_model_that_answers_everyone_alike_keeps_a_width() -> None:
    e = derived("balanced_accuracy", (40, 60, 0, 0))
    assert e.value == 0.5 and e.se is not None and e.se > 0.01
    assert _variance(_METRICS["balanced_accuracy"][1], (40, 60, 0, 0), [40, 0, 0, 0, 60, 0, 0, 0, 0, 0]) > 0


@pytest.mark.parametrize(("metric", "least"), [("balanced_accuracy", 0.93), ("f1_score", 0.93),
                                               ("matthews_correlation", 0.93)])
def test_coverage(metric: str, least: float) -> None:
    """Nominal 95 % over 3,000 samples of 100 rows from a very good and from a middling model."""
    for prevalence, tpr, fpr in ((0.5, 0.99, 0.01), (0.3, 0.6, 0.1)):
        rate = (prevalence * tpr, (1 - prevalence) * fpr, prevalence * (1 - tpr), (1 - prevalence) * (1 - fpr))
        true = derived(metric, [1e6 * r for r in rate]).value
        hit = 0
        for cells in np.random.default_rng(2).multinomial(100, rate, 3000).tolist():
            e = derived(metric, cells)
            assert e.value is not None and e.se is not None and true is not None
            low, high = transformed(e.value, e.se, e.transform, 0.025)
            hit += low <= true <= high
        assert hit / 3000 >= least
