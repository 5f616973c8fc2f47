from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from of_arrays import average_precision, brier_score, calibration, log_loss, roc_auc
from sklearn import metrics as oracle

from govern.stats.curves import roc_points
from govern.stats.intervals import transformed
from govern.stats.ranked import rank, rank_rows
from govern.stats.scores import by_groups, scores


def sample(seed: int, n: int, *, ties: bool = False, rate: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Labels and scores that carry some information, as (n,) arrays."""
    rng = np.random.default_rng(seed)
    y = rng.random(n) < rate
    s = 1 / (1 + np.exp(-(rng.normal(size=n) + 1.2 * y - 1)))
    return y, np.round(s, 1) if ties else s


@given(st.lists(st.tuples(st.booleans(), st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.25, 0.5, 1.0]))),
                min_size=2, max_size=80))
@settings(max_examples=150, deadline=None)
def test_values_equal_scikit_learn(rows: list[tuple[bool, float]]) -> None:
    y, s = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    assert log_loss(y, s).value == pytest.approx(oracle.log_loss(y, s, labels=[False, True]), abs=1e-12)
    assert brier_score(y, s).value == pytest.approx(float(np.mean((s - y) ** 2)), abs=1e-12)
    if y.any():
        assert average_precision(y, s).value == pytest.approx(oracle.average_precision_score(y, s), abs=1e-12)
    if y.any() and not y.all():
        assert brier_score(y, s).value == pytest.approx(oracle.brier_score_loss(y, s), abs=1e-12)
        assert roc_auc(y, s).value == pytest.approx(oracle.roc_auc_score(y, s), abs=1e-12)


@pytest.mark.parametrize("ties", [False, True])
def test_values_equal_scikit_learn_on_many_rows(ties: bool) -> None:
    y, s = sample(1, 20_000, ties=ties)
    found = scores(rank_rows(y, s))
    assert found.roc_auc.value == pytest.approx(oracle.roc_auc_score(y, s), abs=1e-12)
    assert found.average_precision.value == pytest.approx(oracle.average_precision_score(y, s), abs=1e-12)
    assert found.log_loss.value == pytest.approx(oracle.log_loss(y, s), abs=1e-12)
    assert found.brier_score.value == pytest.approx(oracle.brier_score_loss(y, s), abs=1e-12)
    assert (found.n, found.n_positive) == (20_000, int(y.sum()))


@pytest.mark.parametrize("ties", [False, True])
def test_auc_error_is_delong_pair_by_pair(ties: bool) -> None:
    y, s = sample(2, 150, ties=ties)
    wins = [[1.0 if a > b else 0.5 if a == b else 0.0 for b in s[~y]] for a in s[y]]
    table = np.array(wins)
    variance = table.mean(1).var(ddof=1) / table.shape[0] + table.mean(0).var(ddof=1) / table.shape[1]
    auc = table.mean()
    found = roc_auc(y, s)
    assert found.status == "ok"
    assert found.value == pytest.approx(auc, abs=1e-12)
    assert found.se == pytest.approx(math.sqrt(variance) / (auc * (1 - auc)), rel=1e-9)


@pytest.mark.parametrize("ties", [False, True])
def test_average_precision_error_is_that_of_the_bootstrap(ties: bool) -> None:
    y, s = sample(3, 600, ties=ties)
    found = average_precision(y, s)
    rng = np.random.default_rng(4)
    again = []
    for _ in range(2000):
        rows = rng.integers(0, len(y), len(y))
        again.append(average_precision(y[rows], s[rows]).value)
    assert found.value is not None and found.se is not None
    assert found.se * found.value * (1 - found.value) == pytest.approx(np.std(again, ddof=1), rel=0.1)


def test_average_precision_error_is_the_derivative_by_weights() -> None:
    y, s = sample(5, 60, ties=True)
    found = average_precision(y, s)
    step, squares = 1e-6, 0.0
    for i in range(len(y)):
        up, down = np.ones(len(y)), np.ones(len(y))
        up[i] += step
        down[i] -= step
        slope = (oracle.average_precision_score(y, s, sample_weight=up)
                 - oracle.average_precision_score(y, s, sample_weight=down)) / (2 * step)
        squares += slope**2
    assert found.value is not None and found.se is not None
    assert found.se * found.value * (1 - found.value) == pytest.approx(math.sqrt(squares), rel=1e-6)


def test_means_have_the_error_of_a_mean() -> None:
    y, s = sample(6, 400)
    squared = (s - y) ** 2
    assert brier_score(y, s).se == pytest.approx(squared.std(ddof=1) / 20, rel=1e-12)
    lost = -np.log(np.where(y, s, 1 - s))
    assert log_loss(y, s).se == pytest.approx(lost.std(ddof=1) / 20, rel=1e-12)


def test_auc_intervals_cover() -> None:
    rng = np.random.default_rng(7)
    truth, runs, covered = 0.9213503964748574, 600, 0  # two normals, two deviations apart: Φ(√2)
    for _ in range(runs):
        y = np.arange(200) < 60
        found = roc_auc(y, rng.normal(size=200) + 2 * y)
        assert found.value is not None and found.se is not None
        low, high = transformed(found.value, found.se, found.transform, 0.05)
        covered += low <= truth <= high
    assert 0.86 <= covered / runs <= 0.94


def test_the_order_of_rows_changes_no_bit() -> None:
    y, s = sample(8, 3000, ties=True)
    s = s + np.repeat([0.0, 1e-3, 2e-3], 1000)
    codes = np.random.default_rng(9).integers(-1, 5, 3000)
    first = scores(rank_rows(y, s)), by_groups(rank_rows(y, s), codes, 5)
    for seed in range(5):
        p = np.random.default_rng(seed).permutation(3000)
        assert (scores(rank_rows(y[p], s[p])), by_groups(rank_rows(y[p], s[p]), codes[p], 5)) == first


def close(a: Any, b: Any) -> bool:
    """Whether nested plain data agree, numbers to 1e-12."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(close(a[k], b[k]) for k in a)
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)
    return bool(a == b)


def test_groups_and_rests_are_their_rows_alone() -> None:
    y, s = sample(10, 2500, ties=True)
    s[:700] = sample(11, 700)[1]
    codes = np.random.default_rng(12).choice([-1, 0, 1, 3], 2500, p=[0.05, 0.6, 0.34, 0.01])
    rows = rank_rows(y, s)
    found = by_groups(rows, codes, 4)
    for g, both in enumerate(found):
        inside = codes == g
        assert both.own == scores(rank_rows(y[inside], s[inside]))
        alone = scores(rank_rows(y[~inside], s[~inside]))
        for name in ("n", "n_positive"):
            assert getattr(both.rest, name) == getattr(alone, name)
        for name in ("roc_auc", "average_precision", "log_loss", "brier_score"):
            assert close(asdict(getattr(both.rest, name)), asdict(getattr(alone, name)))
        assert both.rest.more is None
    assert found[2].own.n == 0
    assert found[2].own.roc_auc.status == found[2].own.brier_score.status == "undefined"
    assert found[2].own.more is not None
    assert found[2].own.more.calibration_error.reason == "no rows"
    assert found[3].own.roc_auc.status == "too_few"
    assert found[2].rest == by_groups(rows, np.full(2500, -1), 1)[0].rest


def test_one_group_leaves_no_rest() -> None:
    y, s = sample(13, 100)
    [only] = by_groups(rank_rows(y, s), np.zeros(100, int), 1)
    assert only.rest.n == 0
    assert only.rest.roc_auc.value is None
    assert only.rest.log_loss.reason == "no rows"


def test_one_label_only() -> None:
    s = np.linspace(0.1, 0.9, 40)
    for y in (np.zeros(40, bool), np.ones(40, bool)):
        assert roc_auc(y, s).value is None
        assert roc_auc(y, s).status == "undefined"
        assert roc_auc(y, s).reason == "all rows have the same label"
        assert log_loss(y, s).status == "ok"
        assert roc_points(rank(y, s)) == ((), ())
    assert average_precision(np.zeros(40, bool), s).reason == "no row has the positive label"
    every = average_precision(np.ones(40, bool), s)
    assert (every.value, every.se, every.status) == (1.0, None, "too_few")


def test_few_rows_give_a_value_and_say_so() -> None:
    y, s = np.arange(40) < 9, np.random.default_rng(14).random(40)
    assert roc_auc(y, s).status == average_precision(y, s).status == "too_few"
    assert roc_auc(y, s).value == pytest.approx(oracle.roc_auc_score(y, s), abs=1e-12)
    assert roc_auc(np.arange(40) < 10, s).status == "ok"
    assert roc_auc(np.arange(40) < 1, s).se is None
    assert brier_score(y[:29], s[:29]).status == log_loss(y[:29], s[:29]).status == "too_few"
    assert calibration(y[:29], s[:29]).error.status == "too_few"
    assert brier_score(y[:1], s[:1]).se is None
    assert brier_score(y[:30], s[:30]).status == "ok"


def test_a_perfect_and_a_constant_score_keep_an_interval() -> None:
    y = np.arange(100) < 25
    for found in (roc_auc(y, y.astype(float)), average_precision(y, y.astype(float))):
        assert (found.value, found.status) == (1.0, "ok")
        assert found.se == pytest.approx(1 / 5)
        low, high = transformed(1.0, 0.2, found.transform, 0.025)
        assert 0.8 < low < 0.9 < high == 1.0
    flat = roc_auc(y, np.full(100, 0.3))
    assert (flat.value, flat.se) == (0.5, 0.2)
    assert roc_auc(y, 1.0 - y).value == 0.0


def test_scores_that_are_not_probabilities_rank_but_do_not_score() -> None:
    y, s = sample(15, 200)
    for shifted in (s * 10 - 5, s + 0.5):
        found = scores(rank_rows(y, shifted))
        assert found.roc_auc == scores(rank_rows(y, s)).roc_auc
        more = found.more
        assert more is not None
        for e in (found.log_loss, found.brier_score, more.calibration_error, more.expected_calibration_error,
                  more.calibration_slope, more.calibration_intercept):
            assert (e.value, e.status, e.reason) == (None, "undefined", "the scores are not probabilities")
        assert (more.p_value, more.p_reason) == (None, "the scores are not probabilities")
        assert (more.bins, more.brier) == ((), None)
        assert more.mean_score.value == pytest.approx(shifted.mean())
        assert more.ks_statistic.status == more.lift_top_decile.status == more.gini.status == "ok"


def test_scores_of_zero_and_one_are_clipped() -> None:
    y, s = np.array([True, False] * 20), np.array([0.0, 1.0] * 20)
    assert log_loss(y, s).value == pytest.approx(-math.log(2**-52))
    assert roc_auc(y, np.where(y, 0.0, -0.0)).value == 0.5


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_scores_that_are_no_numbers_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="missing or infinite"):
        roc_auc(np.array([True, False]), np.array([0.5, bad]))


def test_lengths_and_codes_are_checked() -> None:
    y, s = sample(16, 50)
    with pytest.raises(ValueError, match="50 labels for 49 scores"):
        roc_auc(y, s[1:])
    rows = rank_rows(y, s)
    for codes, k in ((np.full(50, 2), 2), (np.full(50, -2), 2)):
        with pytest.raises(ValueError, match="between -1 and 1"):
            by_groups(rows, codes, k)
    with pytest.raises(ValueError, match="49 group codes for 50 rows"):
        by_groups(rows, np.zeros(49, int), 1)


def test_no_rows_at_all() -> None:
    found = scores(rank_rows(np.array([], bool), np.array([])))
    assert found.n == 0
    more = found.more
    assert more is not None
    for e in (found.roc_auc, found.average_precision, found.log_loss, more.calibration_error, more.gini,
              more.ks_statistic, more.lift_top_decile, more.mean_score, more.expected_calibration_error,
              more.calibration_slope, more.calibration_intercept):
        assert (e.value, e.reason) == (None, "no rows")
    assert more.roc == more.precision_recall == ((), ())


@pytest.mark.parametrize("ties", [False, True])
def test_roc_points_lie_on_the_curve(ties: bool) -> None:
    y, s = sample(17, 5000, ties=ties)
    x, h = roc_points(rank(y, s), 101)
    assert (x[0], h[0], x[-1], h[-1]) == (0.0, 0.0, 1.0, 1.0)
    assert len(x) <= 101
    assert list(x) == sorted(x) and list(h) == sorted(h)
    fpr, tpr, _ = oracle.roc_curve(y, s, drop_intermediate=False)
    full = set(zip(np.round(fpr, 12).tolist(), np.round(tpr, 12).tolist(), strict=True))
    assert {(round(a, 12), round(b, 12)) for a, b in zip(x, h, strict=True)} <= full
    assert np.trapezoid(h, x) == pytest.approx(oracle.roc_auc_score(y, s), abs=0.005)


def test_a_huge_score_of_a_group_leaves_its_rest_alone() -> None:
    y, s = sample(18, 200)
    codes = np.arange(200) // 100
    alone = scores(rank_rows(y[:100], s[:100]))
    s[100:] = np.where(np.arange(100) % 2, 1e200, -1e200)
    [_, second] = by_groups(rank_rows(y, s), codes, 2)
    for name in ("roc_auc", "average_precision", "log_loss", "brier_score"):
        assert getattr(second.rest, name) == getattr(alone, name)
    assert second.own.more is not None
    assert second.own.more.mean_score.status == "undefined"
    assert second.own.more.mean_score.reason == "the scores are too large to add up"
