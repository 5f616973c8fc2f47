"""Attributions: means, errors, direction, groups, checked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from govern.explain.attributions import attributions, measurements, rank_correlation
from govern.explanations import Attributions

VALUES = np.array([[1.0, -0.5], [-3.0, 0.5], [2.0, 0.5], [-2.0, -0.5]])


def test_means_errors_and_order() -> None:
    found = attributions(VALUES, ("a", "b"), {}, {"g1": np.array([True, True, False, False]),
                                                  "g2": np.array([False, False, False, True])})
    assert [(f.feature, f.group, f.n) for f in found] == [
        ("a", "overall", 4), ("b", "overall", 4), ("a", "g1", 2), ("b", "g1", 2)]  # g2 has one row: left out
    overall, group = found[0], found[2]
    assert (overall.mean_abs, overall.mean, group.mean_abs, group.mean) == (2.0, -0.5, 2.0, -1.0)
    assert overall.se == pytest.approx(np.std([1, 3, 2, 2], ddof=1) / 2)
    assert overall.direction is None  # not a number


def test_equal_importance_is_ordered_by_name() -> None:
    found = attributions(np.ones((3, 2)), ("z", "a"), {}, {})
    assert [f.feature for f in found] == ["a", "z"]


def test_direction_is_spearmans_rank_correlation_of_known_values() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 5, 200).astype(float), rng.normal(size=200)
    y += 0.3 * x
    assert rank_correlation(x, y) == pytest.approx(spearmanr(x, y).statistic, abs=1e-12)
    gaps = x.copy()
    gaps[::3] = np.nan
    known = ~np.isnan(gaps)
    assert rank_correlation(gaps, y) == pytest.approx(spearmanr(x[known], y[known]).statistic, abs=1e-12)


@pytest.mark.parametrize(("x", "y"), [([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [5, 5, 5]), ([np.nan] * 3, [1, 2, 3])])
def test_no_direction_where_something_is_constant_or_missing(x: list[float], y: list[float]) -> None:
    assert rank_correlation(np.array(x, float), np.array(y, float)) is None


def test_weighted_means_are_those_of_the_weighted_rows() -> None:
    rng = np.random.default_rng(1)
    values, x, weight = rng.normal(size=(300, 2)), rng.integers(0, 4, 300).astype(float), rng.integers(1, 5, 300)
    values[:, 0] += 0.5 * x
    own = rng.random(300) < 0.4
    found = {(f.feature, f.group): f for f in attributions(values, ("a", "b"), {"a": x}, {"g1": own},
                                                           weight=weight.astype(float))}
    for group, rows in (("overall", np.ones(300, bool)), ("g1", own)):
        w, size = weight[rows], np.abs(values[rows, 0])
        f, mean = found["a", group], np.average(size, weights=w)
        assert (f.n, f.mean_abs) == (rows.sum(), pytest.approx(mean))
        assert f.mean == pytest.approx(np.average(values[rows, 0], weights=w))
        free = 1 - (w**2).sum() / w.sum() ** 2
        assert f.se == pytest.approx(np.sqrt((w**2 * (size - mean) ** 2).sum() / free) / w.sum())
        many = np.repeat(np.flatnonzero(rows), w)
        assert f.direction == pytest.approx(spearmanr(x[many], values[many, 0]).statistic, abs=1e-12)


def test_errors_are_those_of_persons_whom_rows_repeat() -> None:
    rng = np.random.default_rng(2)
    once = rng.normal(size=(50, 1))
    rows, persons = np.repeat(once, 4, axis=0), np.repeat(np.arange(50, dtype=np.uint64), 4)
    plain, each, repeated = (attributions(v, ("a",), {}, {}, cluster=c)[0]
                             for v, c in ((once, None), (rows, None), (rows, persons)))
    assert plain.mean_abs == pytest.approx(repeated.mean_abs) and repeated.n == 200
    assert repeated.se == pytest.approx(plain.se) and each.se is not None and each.se < 0.6 * (plain.se or 0)
    alone = attributions(rows[:4], ("a",), {}, {}, cluster=persons[:4])[0]
    assert alone.se is None and alone.mean_abs == pytest.approx(abs(once[0, 0]))


def measured(residual: float | None, outputs: list[float]) -> dict[tuple[str, str | None], tuple[float | None, str]]:
    x = {"b": np.array([1.0, 2, 2, 1])}
    of = attributions(VALUES, ("a", "b"), x, {"g1": np.array([True, True, False, False])})
    found = Attributions("m", "log-odds", 4, 4, "rows", 0, 0.0, residual, True, of)
    return {(m.metric, m.slice): (m.value, m.status) for m in measurements(found, np.array(outputs))}


def test_what_rules_may_judge() -> None:
    """The residual as a share of the outputs' range, 0.5 of 2 to −3; the places of everyone, not of groups."""
    assert measured(0.5, [2.0, -3, 0, 1]) == {
        ("attribution_residual", None): (0.1, "ok"), ("attribution_rank", "column: a"): (1.0, "ok"),
        ("attribution_direction", "column: a"): (None, "undefined"), ("attribution_rank", "column: b"): (2.0, "ok"),
        ("attribution_direction", "column: b"): (1.0, "ok")}


@pytest.mark.parametrize(("residual", "outputs"), [
    (0.5, [2.0] * 4), (None, [1.0, 2, 3, 4]), (0.5, [1.0, 2, 3, np.inf])])
def test_a_residual_that_is_undefined(residual: float | None, outputs: list[float]) -> None:
    assert measured(residual, outputs)["attribution_residual", None] == (None, "undefined")
