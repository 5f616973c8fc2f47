"""Attributions: means, errors, direction, groups, checked by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm, spearmanr

from govern.dataset import Column, Level
from govern.explain.attributions import attributions, measurements, rank_correlation, rank_correlations
from govern.explain.explained import ExplainedRows, Output
from govern.explain.sampling import Sampled, strata
from govern.explanations import Attribution, Attributions

VALUES = np.array([[1.0, -0.5], [-3.0, 0.5], [2.0, 0.5], [-2.0, -0.5]])


def rows(values: Sequence[Any], features: Sequence[str], numbers: Mapping[str, Any], groups: Mapping[str, Any],
         **units: Any) -> ExplainedRows:
    """Explained rows of one output, or of the classes a, b, c … where there are several."""
    labels = [None] if len(values) == 1 else list("abc")
    outputs = tuple(Output(v, 0.0, v.sum(axis=1), label) for v, label in zip(values, labels, strict=False))
    return ExplainedRows(tuple(features), outputs, "log-odds", None, numbers, groups, **units)


def found_of(values: Any, features: Sequence[str], numbers: Mapping[str, Any], groups: Mapping[str, Any],
             **units: Any) -> tuple[Attribution, ...]:
    sampled = Sampled(len(values), {}, units.get("weight"), units.get("cluster"))
    return attributions(rows([values], features, numbers, groups, **units), sampled, 0.95)


def test_means_errors_and_order() -> None:
    found = found_of(VALUES, ("a", "b"), {}, {"g1": np.array([True, True, False, False]),
                                              "g2": np.array([False, False, False, True])})
    assert [(f.feature, f.group, f.n) for f in found] == [
        ("a", "overall", 4), ("b", "overall", 4), ("a", "g1", 2), ("b", "g1", 2)]  # g2 has one row: left out
    overall, group = found[0], found[2]
    assert (overall.mean_abs, overall.mean, group.mean_abs, group.mean) == (2.0, -0.5, 2.0, -1.0)
    assert overall.se == pytest.approx(np.std([1, 3, 2, 2], ddof=1) / 2)
    assert overall.direction is None  # not a number


def test_equal_importance_is_ordered_by_name() -> None:
    found = found_of(np.ones((3, 2)), ("z", "a"), {}, {})
    assert [f.feature for f in found] == ["a", "z"]


def test_direction_is_spearmans_rank_correlation_of_known_values() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 5, 200).astype(float), rng.normal(size=200)
    y += 0.3 * x
    assert rank_correlation(x, y) == pytest.approx(spearmanr(x, y).statistic, abs=1e-12)
    three = np.column_stack([x, y, np.ones(200)])
    assert rank_correlations(three, three[:, [1, 1, 1]]) == [
        pytest.approx(spearmanr(x, y).statistic, abs=1e-12), pytest.approx(1.0), None]
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
    found = {(f.feature, f.group): f for f in found_of(values, ("a", "b"), {"a": x}, {"g1": own},
                                                       weight=weight.astype(float))}
    for group, mask in (("overall", np.ones(300, bool)), ("g1", own)):
        w, size = weight[mask], np.abs(values[mask, 0])
        f, mean = found["a", group], np.average(size, weights=w)
        assert (f.n, f.mean_abs) == (mask.sum(), pytest.approx(mean))
        assert f.mean == pytest.approx(np.average(values[mask, 0], weights=w))
        free = 1 - (w**2).sum() / w.sum() ** 2
        assert f.se == pytest.approx(np.sqrt((w**2 * (size - mean) ** 2).sum() / free) / w.sum())
        many = np.repeat(np.flatnonzero(mask), w)
        assert f.direction == pytest.approx(spearmanr(x[many], values[many, 0]).statistic, abs=1e-12)


def test_errors_are_those_of_persons_whom_rows_repeat() -> None:
    rng = np.random.default_rng(2)
    once = rng.normal(size=(50, 1))
    many, persons = np.repeat(once, 4, axis=0), np.repeat(np.arange(50, dtype=np.uint64), 4)
    plain, each, repeated = (found_of(v, ("a",), {}, {}, cluster=c)[0]
                             for v, c in ((once, None), (many, None), (many, persons)))
    assert plain.mean_abs == pytest.approx(repeated.mean_abs) and repeated.n == 200
    assert repeated.se == pytest.approx(plain.se) and each.se is not None and each.se < 0.6 * (plain.se or 0)
    alone = found_of(many[:4], ("a",), {}, {}, cluster=persons[:4])[0]
    assert alone.se is None and alone.low is None and alone.mean_abs == pytest.approx(abs(once[0, 0]))


def test_an_interval_lies_around_its_mean_on_the_logarithms_scale() -> None:
    rng = np.random.default_rng(3)
    values = np.column_stack([rng.lognormal(0, 1, 80), np.zeros(80)])
    used, unused = found_of(values, ("a", "b"), {}, {})
    assert used.low is not None and used.high is not None and used.se is not None
    reach = norm.ppf(0.975) * used.se / used.mean_abs
    assert (used.low, used.high) == pytest.approx((used.mean_abs * np.exp(-reach), used.mean_abs * np.exp(reach)))
    assert (unused.mean_abs, unused.low, unused.high, unused.se) == (0.0, 0.0, 0.0, 0.0)
    assert used.mean_se == pytest.approx(used.se)


def test_means_of_everyone_are_those_of_all_rows_of_the_data() -> None:
    """Half of the explained rows are women, a fifth of the data: they count for a fifth."""
    sex = ["women"] * 30 + ["men"] * 30
    values = np.where(np.array(sex) == "women", 3.0, 1.0)[:, None] * np.ones((1, 2))
    column = Column("sex", "feature", "text", 0, 2, levels=(Level("men", 800), Level("women", 200)))
    placed = strata(column, sex, 1000)
    held = None if placed is None else placed.merged(60)
    assert held is not None
    found = attributions(rows([values], ("sex", "b"), {}, {"g1": np.array(sex) == "women"}), Sampled(1000, {0: held}),
                         0.95)
    by = {(f.feature, f.group): f for f in found}
    assert by["sex", "overall"].mean_abs == pytest.approx(1.4) and by["b", "overall"].mean_abs == pytest.approx(2.0)
    assert by["sex", "g1"].mean_abs == 3.0
    assert [f.feature for f in found[:2]] == ["b", "sex"]


def test_several_classes_have_a_mean_and_each_its_own() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=50)
    a, b = np.column_stack([x, 0.1 * x]), np.column_stack([-3 * x, 0.1 * x])
    found = attributions(rows([a, b], ("u", "v"), {"u": x}, {"g1": np.arange(50) < 20}), Sampled(50, {}), 0.95)
    keys = [(f.feature, f.group, f.label) for f in found]
    assert keys == [("u", "overall", None), ("v", "overall", None), ("u", "overall", "a"), ("v", "overall", "a"),
                    ("u", "overall", "b"), ("v", "overall", "b"), ("u", "g1", None), ("v", "g1", None)]
    both, own, other = found[0], found[2], found[4]
    assert both.mean_abs == pytest.approx((own.mean_abs + other.mean_abs) / 2) == pytest.approx(2 * np.abs(x).mean())
    assert (both.mean, both.direction, both.mean_se) == (0.0, None, None)
    assert (own.direction, other.direction) == (pytest.approx(1.0), pytest.approx(-1.0))
    outputs = rows([a, b], ("u", "v"), {}, {}).outputs
    asked = Attributions("m", "margin", 50, 0, "rows", 0, None, 0.0, True, found)
    assert [(m.metric, m.slice, m.value) for m in measurements(asked, outputs) if m.metric == "attribution_rank"] == [
        ("attribution_rank", "column: u", 1.0), ("attribution_rank", "column: v", 2.0)]


def measured(residual: float, outputs: list[float], stability: float | None = 0.8
             ) -> dict[tuple[str, str | None], tuple[float | None, str]]:
    x = {"b": np.array([1.0, 2, 2, 1])}
    of = found_of(VALUES, ("a", "b"), x, {"g1": np.array([True, True, False, False])})
    found = Attributions("m", "log-odds", 4, 4, "rows", 0, 0.0, residual, True, of, stability=stability, agreement=0.5)
    sums = np.array(outputs) - residual
    given = Output(np.column_stack([sums, np.zeros(4)]), 0.0, np.array(outputs))
    return {(m.metric, m.slice): (m.value, m.status) for m in measurements(found, [given])}


def test_what_rules_may_judge() -> None:
    """The residual as a share of the outputs' range, 0.5 of 2 to −3; the places of everyone, not of groups."""
    assert measured(0.5, [2.0, -3, 0, 1]) == {
        ("attribution_residual", None): (0.1, "ok"), ("attribution_stability", None): (0.8, "ok"),
        ("attribution_agreement", None): (0.5, "ok"), ("attribution_rank", "column: a"): (1.0, "ok"),
        ("attribution_direction", "column: a"): (None, "undefined"), ("attribution_rank", "column: b"): (2.0, "ok"),
        ("attribution_direction", "column: b"): (1.0, "ok")}
    assert measured(0.5, [2.0, -3, 0, 1], None)["attribution_stability", None] == (None, "undefined")


@pytest.mark.parametrize("outputs", [[2.0] * 4, [1.0, 2, 3, np.inf]])
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_a_residual_that_is_undefined(outputs: list[float]) -> None:
    assert measured(0.5, outputs)["attribution_residual", None] == (None, "undefined")
