"""Gaps split into features: a model whose decomposition is known, sums, references, intervals, what is left out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from govern.evidence import Group
from govern.explain.explained import ExplainedRows, Output
from govern.explain.gaps import MANY, MOST_PARTS, NO_CUT, NOT_FINITE, gaps
from govern.explanations import Gap, Proxy

SLOPES = np.array([2.0, -1.0, 0.5, 0.0])
FEATURES = ("income", "debts", "years", "unused")
SHIFT = 0.5  # of income, in group b


def people(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, 4) and groups (n,) a, b or c, one half, three tenths and the rest; b's income is higher."""
    rng = np.random.default_rng(seed)
    group = rng.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2])
    x = rng.normal(size=(n, 4))
    x[:, 0] += SHIFT * (group == "b")
    return x, group


def explained(x: np.ndarray, group: np.ndarray, **more: Any) -> ExplainedRows:
    """A linear model's rows: SHAP values against the rows themselves are slope · (x − mean)."""
    values = SLOPES * (x - x.mean(axis=0))
    base = float((x @ SLOPES).mean()) + 0.3
    outputs = base + values.sum(axis=1)
    settings: dict[str, Any] = {"selected": outputs >= 1.0, "threshold": 1.0} | more
    return ExplainedRows(FEATURES, (Output(values, base, outputs),), "margin", None, {},
                         {f"g{v}": group == v for v in "abc"}, **settings)


def groups_of(group: np.ndarray, **sizes: int) -> list[Group]:
    return [Group(f"g{v}", ("team",), (v,), sizes.get(v, int((group == v).sum())), 0, 0) for v in "abc"]


def found(rows: ExplainedRows, groups: list[Group], proxies: tuple[Proxy, ...] = ()) -> list[Gap]:
    return list(gaps(rows, groups, proxies, level=0.95, seed=0)[0])


def by(gaps: list[Gap]) -> Mapping[tuple[str, str, str], Gap]:
    return {(g.of, g.group, g.reference): g for g in gaps}


def parts(gap: Gap) -> dict[str, float]:
    return {p.feature: p.value for p in gap.parts}


def total(gap: Gap) -> float:
    return math.fsum([*(p.value for p in gap.parts), gap.others.value if gap.others else 0.0, gap.residual])


def test_the_decomposition_of_a_linear_model_is_that_of_its_means() -> None:
    x, group = people(4000)
    gap = by(found(explained(x, group), groups_of(group)))["output", "gb", "ga"]
    apart = SLOPES * (x[group == "b"].mean(axis=0) - x[group == "a"].mean(axis=0))
    assert parts(gap) == pytest.approx(dict(zip(FEATURES, apart, strict=True)), abs=1e-12)
    assert gap.parts[0].feature == "income" and gap.parts[0].low is not None and gap.parts[0].high is not None
    assert gap.parts[0].low < SLOPES[0] * SHIFT < gap.parts[0].high  # the truth of which the rows are a sample
    unused = next(p for p in gap.parts if p.feature == "unused")
    assert (unused.value, unused.low, unused.high) == (0.0, 0.0, 0.0)
    assert (gap.n, gap.reference_n) == ((group == "b").sum(), (group == "a").sum())


def test_every_gap_is_the_difference_of_its_groups_and_its_parts_add_up_to_it() -> None:
    x, group = people(1500, 3)
    rows = explained(x, group)
    gaps = found(rows, groups_of(group))
    assert {(g.of, g.group, g.reference) for g in gaps} == {
        (of, *pair) for of in ("output", "selection")
        for pair in (("gb", "ga"), ("gc", "ga"), ("gc", "gb"))}  # a is the largest, b the best
    assert rows.selected is not None
    for g in gaps:
        of = rows.outputs[0].outputs if g.of == "output" else rows.selected
        own, other = (of[rows.groups[id]].mean() for id in (g.group, g.reference))
        assert g.value == pytest.approx(own - other, abs=1e-12)
        assert total(g) == pytest.approx(g.value, abs=1e-9) and g.residual == 0
        assert g.low is not None and g.high is not None and g.low <= g.value <= g.high


def test_the_selection_gap_comes_from_the_feature_that_moves_the_group() -> None:
    x, group = people(4000, 4)
    gap = by(found(explained(x, group), groups_of(group)))["selection", "gb", "ga"]
    assert gap.parts[0].feature == "income" and gap.parts[0].value > 0.8 * gap.value > 0
    assert gap.parts[0].low is not None and gap.parts[0].low > 0
    assert "32 orders" in gap.method


def test_where_those_below_are_selected_signs_turn() -> None:
    x, group = people(1000, 5)
    rows = explained(x, group)
    assert rows.selected is not None
    turned = explained(x, group, selected=~rows.selected)
    gap, other = (by(found(r, groups_of(group))) for r in (rows, turned))
    # b is now the worst and a or c the best, so that only the comparison with the largest is in both.
    one, two = gap["selection", "gb", "ga"], other["selection", "gb", "ga"]
    assert two.value == pytest.approx(-one.value)
    assert parts(two) == pytest.approx({name: -v for name, v in parts(one).items()}, abs=1e-12)


def test_an_exact_weight_is_as_many_rows() -> None:
    x, group = people(300, 6)
    weight = np.random.default_rng(0).integers(1, 4, 300)
    rows = explained(x, group)
    weighted = ExplainedRows(rows.features, rows.outputs, rows.space, None, {}, rows.groups, rows.selected,
                             rows.threshold, weight.astype(float))
    many = np.repeat(np.arange(300), weight)
    o = rows.outputs[0]
    assert rows.selected is not None
    repeated = ExplainedRows(rows.features, (Output(o.values[many], o.base, o.outputs[many]),), rows.space, None, {},
                             {k: v[many] for k, v in rows.groups.items()}, rows.selected[many], rows.threshold)
    one, two = (by(found(r, groups_of(group)))["output", "gb", "ga"] for r in (weighted, repeated))
    assert parts(one) == pytest.approx(parts(two)) and one.value == pytest.approx(two.value)
    assert (one.low or 0) < (two.low or 0)  # a weight is no further row


def test_persons_whom_rows_repeat_count_once() -> None:
    x, group = people(200, 7)
    cluster = np.repeat(np.arange(200, dtype=np.uint64), 4)
    four = explained(np.repeat(x, 4, axis=0), np.repeat(group, 4), cluster=cluster)
    once, each = (by(found(r, groups_of(group))) for r in (
        explained(x, group), explained(np.repeat(x, 4, axis=0), np.repeat(group, 4))))
    persons = by(found(four, groups_of(group)))
    for key in (("output", "gb", "ga"), ("selection", "gb", "ga")):
        widths = [(g[key].high or 0) - (g[key].low or 0) for g in (once, persons, each)]
        assert widths[1] == pytest.approx(widths[0], rel=1e-2) and widths[2] < 0.6 * widths[1]


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """The gap and its largest part in samples of 150 rows: 95 % intervals miss in 2 to 8 of 100."""
    missed = np.zeros(2)
    for seed in range(300):
        x, group = people(150, seed)
        rows = explained(x, group, selected=None, threshold=None)
        gap = by(found(rows, groups_of(group, a=150)))["output", "gb", "ga"]
        income = next(p for p in gap.parts if p.feature == "income")
        for i, held in enumerate((gap, income)):
            missed[i] += not (held.low or 0) <= SLOPES[0] * SHIFT <= (held.high or 0)
    assert (missed / 300 >= 0.02).all() and (missed / 300 <= 0.08).all()


def test_the_largest_is_that_of_all_rows_not_of_the_sample() -> None:
    x, group = people(600, 8)
    rows = explained(x, group, selected=None, threshold=None)
    assert {g.reference for g in found(rows, groups_of(group, c=99_999))} == {"gc"}


def test_missing_unknown_and_small_groups_stand_aside() -> None:
    x, group = people(400, 9)
    members = explained(x, group).groups | {"gm": np.arange(400) < 50, "gs": np.arange(400) < 9}
    rows = ExplainedRows(FEATURES, explained(x, group).outputs, "margin", None, {}, members)
    groups = [*groups_of(group), Group("gm", ("team",), (None,), 50, 0, 0), Group("gs", ("team",), ("d",), 900, 0, 0)]
    of, notes = gaps(rows, groups, (), level=0.95, seed=0)
    assert {(g.group, g.reference) for g in of} == {("gb", "ga"), ("gc", "ga")}
    assert notes == ("Gaps of d were not split into features: fewer than 10 of their rows were explained.",)


def test_a_decision_that_no_threshold_takes_is_left_out_and_said() -> None:
    x, group = people(400, 10)
    rows = explained(x, group, selected=np.arange(400) % 2 == 0, threshold=None)
    of, notes = gaps(rows, groups_of(group), (), level=0.95, seed=0)
    assert {g.of for g in of} == {"output"} and notes == (NO_CUT,)
    assert gaps(explained(x, group, selected=np.ones(400, bool)), groups_of(group), (), level=0.95, seed=0)[1] == ()


def test_of_many_classes_the_three_with_the_largest_gaps() -> None:
    x, group = people(500, 11)
    o = explained(x, group).outputs[0]
    many = tuple(Output(o.values * k, o.base * k, o.outputs * k, f"class {k}") for k in (1, 5, 2, 4, 3))
    rows = ExplainedRows(FEATURES, many, "log-odds", None, {}, explained(x, group).groups, np.arange(500) < 100)
    of, notes = gaps(rows, groups_of(group), (), level=0.95, seed=0)
    assert [g.label for g in of if (g.group, g.reference) == ("gb", "ga")] == ["class 5", "class 4", "class 3"]
    assert notes == (MANY,) and all(total(g) == pytest.approx(g.value, abs=1e-9) for g in of)


def test_of_many_features_the_largest_parts_and_all_others_together() -> None:
    rng = np.random.default_rng(12)
    values, group = rng.normal(size=(300, 50)), np.repeat(["a", "b"], 150)
    output = Output(values, 0.1, values.sum(axis=1) + 0.1)
    rows = ExplainedRows(tuple(f"x{j:02}" for j in range(50)), (output,), "number", None, {},
                         {"ga": group == "a", "gb": group == "b"})
    gap, = found(rows, groups_of(group)[:2])
    assert len(gap.parts) == MOST_PARTS and gap.others_n == 30 and gap.others is not None
    apart = values[group == "b"].mean(axis=0) - values[group == "a"].mean(axis=0)
    assert [abs(p.value) for p in gap.parts] == pytest.approx(sorted(np.abs(apart), reverse=True)[:MOST_PARTS])
    assert total(gap) == pytest.approx(gap.value, abs=1e-9)
    assert gap.others.low is not None and gap.others.low < gap.others.value < (gap.others.high or 0)


def test_what_contributions_leave_of_the_outputs_is_the_residual() -> None:
    x, group = people(300, 13)
    o = explained(x, group).outputs[0]
    rows = ExplainedRows(FEATURES, (Output(o.values, o.base, o.outputs + 0.25 * (group == "b")),), "margin", None, {},
                         explained(x, group).groups)
    gap = by(found(rows, groups_of(group)))["output", "gb", "ga"]
    assert gap.residual == pytest.approx(0.25) and total(gap) == pytest.approx(gap.value, abs=1e-12)


def test_contributions_that_are_not_finite_split_nothing() -> None:
    x, group = people(300, 15)
    rows = explained(x, group)
    rows.outputs[0].values[7, 1] = np.inf
    assert gaps(rows, groups_of(group), (), level=0.95, seed=0) == ((), (NOT_FINITE,))


def test_the_share_that_runs_through_features_that_reveal_the_group() -> None:
    x, group = people(800, 14)
    rows = explained(x, group)
    said = [Proxy("team", name, 0.7 if name != "team" else None, 0.6, 0.8, 0.95, 800, "m", revealing=reveals)
            for name, reveals in (("income", True), ("debts", True), ("years", False))]
    gap = by(found(rows, groups_of(group), tuple(said)))["output", "gb", "ga"]
    size = {name: abs(v) for name, v in parts(gap).items()}
    assert gap.revealing == pytest.approx((size["income"] + size["debts"]) / sum(size.values()))
    none = by(found(rows, groups_of(group), (said[2],)))["output", "gb", "ga"]
    assert none.revealing == 0
    assert by(found(rows, groups_of(group)))["output", "gb", "ga"].revealing is None  # proxies were not measured
