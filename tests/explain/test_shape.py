"""Partial dependence and what goes against a declared direction, on models whose shape is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from linear_rows import APPROVED, NUMBERS, asked, linear

from govern.explain.explained import ExplainedRows
from govern.explain.shape import measurements, shapes
from govern.explain.varied import Answers, points
from govern.explanations import Shape
from govern.inputs.labels import Target

RNG = np.random.default_rng(3)
N = 300
X: dict[str, list[Any]] = {"up": RNG.normal(size=N).tolist(), "down": RNG.integers(0, 4, N).tolist(),
                           "kind": RNG.choice(["p", "q", "r"], N, p=[0.2, 0.5, 0.3]).tolist(), "one": [1] * N}
LEVELS = {"kind": {"p": 0.0, "q": 4.0, "r": 1.0}}
WEIGHTS = (2.0, -1.0, 1.0, 1.0)
WOMEN = RNG.random(N) < 0.4
ROWS = linear(X, WEIGHTS, 0, levels=LEVELS, groups={"g1": WOMEN, "g2": ~WOMEN, "g3": np.arange(N) < 19})
ASK = asked(WEIGHTS, LEVELS)
ORDER = ("up", "kind", "down", "one")


def made(directions: dict[str, str], rows: ExplainedRows = ROWS, ask: Answers = ASK, target: Target = NUMBERS,
         **given: int) -> dict[str, Shape]:
    return {s.feature: s for s in shapes(rows, ask, ORDER, directions, target, **given)}


def test_a_linear_model_moves_by_its_weight_for_everyone() -> None:
    found = made({"up": "rises", "down": "rises", "kind": "rises"})
    assert list(found) == ["up", "kind", "down"]  # a constant has no shape
    up, kind, down = found.values()
    x = np.array([float(at) for at in up.at])
    rest = ROWS.outputs[0].outputs - 2 * ROWS.numbers["up"]
    assert len(x) == 12 and (np.diff(x) > 0).all() and set(x) <= set(X["up"])
    everyone, *groups = up.lines
    assert (everyone.group, everyone.n) == ("overall", N) and [g.group for g in groups] == ["g1", "g2"]  # g3: 19 rows
    assert everyone.y == pytest.approx(2 * x + rest.mean())
    assert groups[0].y == pytest.approx(2 * x + rest[WOMEN].mean()) and groups[0].n == WOMEN.sum()
    assert (up.expected, up.against, up.steps, up.output) == ("rises", 0.0, 11 * N, "number")
    assert (down.at, down.against, down.steps) == (("0", "1", "2", "3"), 1.0, 3 * N)
    assert (kind.numeric, kind.at, kind.against, kind.steps) == (False, ("q", "r", "p"), None, 0)  # by falling share


def test_what_rules_judge() -> None:
    directions = {"up": "rises", "down": "rises", "kind": "rises", "one": "falls"}
    found = {m.slice: m for m in measurements(tuple(made(directions).values()), directions)}
    assert (found["column: up"].value, found["column: up"].numerator) == (0.0, 0)
    assert (found["column: down"].value, found["column: down"].numerator, found["column: down"].denominator) == (
        1.0, 3 * N, 3 * N)
    for name, why in (("kind", "it holds no numbers"),
                      ("one", "it has one value only, or the answers to its other values are not finite")):
        m = found[f"column: {name}"]
        assert (m.value, m.status, m.reason) == (None, "undefined", why)


def test_single_rows_may_go_against_a_mean_that_does_not() -> None:
    """The output rises with x where z is 1 and falls half as steeply where it is 0: the mean rises."""
    x = {"up": np.tile(np.arange(5.0), 40).tolist(), "z": ([0.0] * 100) + ([1.0] * 100)}

    def of(batch: Any) -> Any:
        up, z = (batch.column(name).to_numpy() for name in ("up", "z"))
        return (up * np.where(z == 1, 1.0, -0.5))[:, None]

    rows = linear(x, (1.0, 1.0))
    (shape,) = (s for s in shapes(rows, Answers("number", of), ("up", "z"), {"up": "rises"}, NUMBERS)
                if s.feature == "up")
    assert (np.diff(shape.lines[0].y) > 0).all()
    assert (shape.against, shape.steps) == (0.5, 800)


def test_flat_steps_and_rounding_go_against_nothing() -> None:
    def of(batch: Any) -> Any:
        up = batch.column("up").to_numpy()
        return (np.where(up > 0, 1.0, 0.0) - 1e-9 * np.arange(len(up)))[:, None]

    assert made({"up": "rises"}, ask=Answers("probability", of))["up"].against == 0
    constant = made({"up": "rises"}, ask=Answers("probability", lambda b: np.ones((b.num_rows, 1))))
    assert constant["up"].against == 0


def test_evaluations_bound_the_rows_and_declared_features_are_never_left_out() -> None:
    calls: list[int] = []
    found = made({"down": "falls"}, ask=asked(WEIGHTS, LEVELS, calls), evaluations=19 * 100)
    assert sum(calls) == 19 * 100 and found["up"].lines[0].n == 100  # 12 + 3 + 4 points
    assert made({}, evaluations=1)["up"].lines[0].n == 50
    wide = {f"x{i}": RNG.normal(size=60).tolist() for i in range(10)}
    rows = linear(wide, [1.0] * 10)
    order = tuple(wide)
    assert [s.feature for s in shapes(rows, asked([1.0] * 10), order, {"x9": "rises"}, NUMBERS)] == [*order[:6], "x9"]


def test_means_are_of_the_weighted_rows() -> None:
    weight = RNG.integers(1, 5, N).astype(float)
    up = made({}, rows=replace(ROWS, weight=weight))["up"]
    rest = ROWS.outputs[0].outputs - 2 * ROWS.numbers["up"]
    x = np.array([float(at) for at in up.at])
    assert up.lines[1].y == pytest.approx(2 * x + np.average(rest[WOMEN], weights=weight[WOMEN]))


def test_of_several_classes_the_favourable_or_the_most_often_predicted() -> None:
    first = ROWS.outputs[0]
    outputs = tuple(replace(first, label=label, outputs=np.full(N, y)) for label, y in zip("abcd", (3, 1, 2, 0),
                                                                                           strict=True))
    rows = replace(ROWS, outputs=outputs)
    ask = Answers("probability", lambda b: np.column_stack([b.column("up").to_numpy() * k for k in (1, 2, 3, -1)]))
    favourable = Target("multiclass", tuple("abcd"), favourable="d")
    (one,) = (s for s in shapes(rows, ask, ORDER, {"up": "rises"}, favourable) if s.feature == "up")
    assert (one.label, one.against) == ("d", 1.0)
    several = [s for s in shapes(rows, ask, ORDER, {"up": "rises"}, Target("multiclass", tuple("abcd")))
               if s.feature == "up"]
    assert [(s.label, s.against) for s in several] == [("a", None), ("b", None), ("c", None)]
    (m,) = measurements(several, {"up": "rises"})
    assert m.reason == "no class is the favourable one, so that the direction speaks of none"


def test_answers_that_are_not_finite_leave_the_feature_out() -> None:
    def of(batch: Any) -> Any:
        return np.where(batch.column("up").to_numpy() > 2, np.inf, 1.0)[:, None]

    found = made({"down": "rises"}, ask=Answers("number", of))
    assert list(found) == ["up"]  # its own points lie below 2
    (m,) = measurements(tuple(found.values()), {"down": "rises"})
    assert m.status == "undefined" and m.reason is not None and "not finite" in m.reason


def test_nothing_to_vary() -> None:
    assert shapes(linear({"x": [1, 1]}, [1]), asked([1]), ("x",), {}, APPROVED) == ()


@pytest.mark.parametrize(("values", "missing", "texts", "share"), [
    ([1.0, 1.0, 2.0, None], True, ("1", "2", ""), [0.5, 0.25, 0.25]),
    ([1.0, 1.0, 2.0, None], False, ("1", "2"), [2 / 3, 1 / 3]),
    ([None, None], True, ("",), [1.0]), ([None, None], False, (), [])])
def test_points_of_numbers(values: list[float | None], missing: bool, texts: tuple[str, ...], share: list[float]
                           ) -> None:
    rows = linear({"x": values}, [1])
    found = points(rows, "x", np.arange(len(values)), 4, missing=missing)
    assert (found.texts, found.numeric) == (texts, True)
    assert found.share == pytest.approx(share) and len(found.at) == len(texts)


def test_many_numbers_are_the_middles_of_equal_parts() -> None:
    rows = linear({"x": [0.0] * 60 + list(range(1, 41))}, [1])
    found = points(rows, "x", np.arange(100), 10, missing=False)
    assert found.texts == ("0", "6", "16", "26", "36")
    assert found.share == pytest.approx([0.6, 0.1, 0.1, 0.1, 0.1])


@pytest.mark.parametrize("column", [
    pa.array(["b", "a", None, "b"]), pa.array(["b", "a", None, "b"]).dictionary_encode()])
def test_points_of_levels_of_any_type(column: Any) -> None:
    rows = replace(ROWS, features=("kind",), numbers={}, table=pa.table({"kind": column}))
    found = points(rows, "kind", np.arange(4), 5, missing=True)
    assert (found.texts, found.at.tolist(), found.numeric) == (("b", "", "a"), [0, 2, 1], False)
    assert found.share == pytest.approx([0.5, 0.25, 0.25])
    assert points(rows, "kind", np.arange(4), 1, missing=False).texts == ("b",)
    assert points(rows, "kind", np.array([1, 2]), 5, missing=True).at.tolist() == [2, 1]
