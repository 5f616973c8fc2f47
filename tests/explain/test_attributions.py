"""Attributions: means, errors, direction, groups, checked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from govern.evidence import Attributions
from govern.explain.attributions import attributions, measurements, rank_correlation

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
