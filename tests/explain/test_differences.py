"""Groups that are explained otherwise: what is compared, what survives, how often by chance alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import t as student
from scipy.stats import ttest_ind

from govern.explain.differences import differences, student_quantile
from govern.explain.explained import ExplainedRows, Output

N = 600


def rows(values: np.ndarray, groups: dict[str, np.ndarray], **more: Any) -> ExplainedRows:
    names = tuple(f"f{j}" for j in range(values.shape[1]))
    return ExplainedRows(names, (Output(values, 0.0, values.sum(axis=1)),), "log-odds", None, {}, groups, **more)


def test_a_planted_difference_is_found_and_of_two_groups_named_once() -> None:
    rng = np.random.default_rng(0)
    women = rng.random(N) < 0.3
    values = rng.normal(size=(N, 5))
    values[:, 2] += 1.0 * women
    found = differences(rows(values, {"g1": ~women, "g2": women}), [["g1", "g2"]], 0.95)
    assert {(d.feature, d.group, d.what) for d in found.listed} == {("f2", "g2", "direction"), ("f2", "g2", "size")}
    assert (found.comparisons, found.survived, found.small) == (10, 2, ())
    first = found.listed[0]
    assert first.what == "direction" and first.low is not None and first.low > 0 and first.q_value <= 0.05
    assert first.value == pytest.approx(values[women, 2].mean() - values[~women, 2].mean())
    # Normal contributions of equal spread: Welch's test and that of everyone's spread are near each other.
    welch = ttest_ind(values[women, 2], values[~women, 2], equal_var=False).pvalue
    assert 1 <= first.p_value / welch < 1e3 and first.p_value < 1e-10


def test_an_interval_excludes_none_exactly_when_the_difference_survives() -> None:
    rng = np.random.default_rng(1)
    own = np.arange(N) < 200
    values = rng.normal(size=(N, 40)) + 0.25 * own[:, None] * (np.arange(40) < 20)
    found = differences(rows(values, {"g1": own, "g2": np.arange(N) >= 400, "g3": ~own & (np.arange(N) < 400)}),
                        [["g1", "g2", "g3"]], 0.95)
    assert 5 < found.survived < 80
    assert all(d.low is not None and d.high is not None and d.low * d.high > 0 for d in found.listed)


@pytest.mark.parametrize("shape", ["normal", "skewed"])
def test_equal_groups_are_rarely_listed(shape: str) -> None:
    """At most one in twenty samples lists anything where nothing differs."""
    rng = np.random.default_rng(2)
    listed = 0
    for _ in range(200):
        draw = rng.normal(size=(300, 10)) if shape == "normal" else rng.lognormal(0, 1.2, size=(300, 10))
        code = rng.choice(4, 300, p=[0.6, 0.2, 0.1, 0.1])
        found = differences(rows(draw, {f"g{i}": code == i for i in range(4)}), [[f"g{i}" for i in range(4)]], 0.95)
        listed += found.survived > 0
    assert listed <= 18


def test_small_groups_are_named_not_compared() -> None:
    values = np.random.default_rng(3).normal(size=(100, 2))
    code = np.repeat([1, 3, 2], [29, 42, 29])
    found = differences(rows(values, {f"g{i}": code == i for i in (1, 2, 3)}), [["g1", "g2", "g3"]], 0.95)
    assert found.small == ("g1", "g2") and found.comparisons == 4
    assert differences(rows(values, {}), [["g9"]], 0.95).comparisons == 0


def test_what_never_contributes_differs_nowhere() -> None:
    values = np.zeros((200, 2))
    values[:, 1] = 0.1
    found = differences(rows(values, {"g1": np.arange(200) < 80, "g2": np.arange(200) >= 80}), [["g1", "g2"]], 0.95)
    assert found.comparisons == 0


def test_repeated_persons_count_once() -> None:
    rng = np.random.default_rng(4)
    once = rng.normal(size=(120, 1)) + np.where(np.arange(120) < 60, 0.35, 0.0)[:, None]
    many, person = np.repeat(once, 10, axis=0), np.repeat(np.arange(120, dtype=np.uint64), 10)
    groups = {"g1": person < 60, "g2": person >= 60}
    plain = differences(rows(once, {k: v[::10] for k, v in groups.items()}), [["g1", "g2"]], 0.95)
    as_rows = differences(rows(many, groups), [["g1", "g2"]], 0.95)
    as_persons = differences(rows(many, groups, cluster=person), [["g1", "g2"]], 0.95)
    assert as_rows.survived > 0 and as_persons.survived == plain.survived
    weighted = differences(rows(once, {k: v[::10] for k, v in groups.items()}, weight=np.full(120, 7.0)),
                           [["g1", "g2"]], 0.95)
    assert [(d.feature, d.what) for d in weighted.listed] == [(d.feature, d.what) for d in plain.listed]
    assert [d.low for d in weighted.listed] == pytest.approx([d.low for d in plain.listed])


@pytest.mark.parametrize(("alpha", "free"), [(0.05, 29.0), (0.001, 5.0), (0.5, 200.0)])
def test_students_quantile(alpha: float, free: float) -> None:
    assert student_quantile(alpha, free) == pytest.approx(student.ppf(1 - alpha / 2, free), rel=1e-9)
