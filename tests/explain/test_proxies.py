"""Proxies: planted ones are found first, noise is not listed; missing values, persons, groups, what is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from govern.evidence import UNKNOWN_NAME, Interval
from govern.explain.proxies import FEW, NO_LEVELS, NO_OTHERS, OWN, joined, measurements, proxies
from govern.explanations import Attribution, Attributions, Proxy


def people(n: int, seed: int, shares: tuple[float, ...] = (0.6, 0.4)) -> tuple[np.ndarray, dict[str, Any]]:
    """Groups "0", "1" … (n,) and twelve columns: a noisy copy of the group, numbers and texts of pure noise."""
    rng = np.random.default_rng(seed)
    code = rng.choice(len(shares), n, p=shares)
    columns: dict[str, Any] = {f"number {i}": rng.normal(size=n) for i in range(9)}
    columns |= {f"text {i}": rng.integers(0, 12, n).astype(str) for i in range(2)}
    return code.astype(str), columns | {"copy": code + rng.normal(size=n)}


def found(columns: dict[str, Any], group: Any, own: dict[str, str] | None = None, **more: Any) -> tuple[Proxy, ...]:
    return proxies(pa.table(columns), list(columns), {"team": list(group)}, own or {}, seed=0, level=0.95, **more)


def used(shares: dict[str, float]) -> Attributions:
    of = tuple(Attribution(name, "overall", 100, share, None, 0.0) for name, share in shares.items())
    return Attributions("m", "log-odds", 100, 100, "rows", 0, 0.0, 0.0, True,
                        (*of, Attribution("copy", "g1", 50, 99.0, None, 0.0)))


@pytest.mark.parametrize("shares", [(0.6, 0.4), (0.55, 0.3, 0.1, 0.05)])
def test_a_planted_proxy_is_first_and_noise_is_not_listed(shares: tuple[float, ...]) -> None:
    """10 seeds; bench/proxies.py has the hundred."""
    for seed in range(10):
        group, columns = people(1000, seed, shares)
        of = joined(found(columns, group), used(dict.fromkeys(columns, 1.0)))
        assert [p.column for p in of[:2]] == [None, "copy"] and len(of) == 1 + len(columns)
        assert [p.column for p in of if p.listed] == ["copy"]
        assert of[0].value is not None and of[0].low is not None and of[0].low > 0.5
        assert all(p.value is not None and 0.5 <= (p.low or 0) <= p.value <= (p.high or 0) for p in of)


def test_a_value_says_how_well_the_groups_are_told_apart() -> None:
    """A shift by one standard deviation: the area of the best possible score is Φ(1/√2) = .760."""
    values = [found(c, g)[1].value or 0.0 for g, c in (people(1000, seed) for seed in range(10))]
    assert np.mean(values) == pytest.approx(0.760, abs=0.015)


def test_without_any_relation_the_interval_holds_a_half() -> None:
    low = []
    for seed in range(40):
        group, columns = people(400, seed)
        del columns["copy"]
        low += [p.low for p in found(columns, group)]
    assert np.mean(np.array(low) > 0.5) <= 0.05


def test_columns_that_only_together_tell() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 1000))
    group = np.where((a > 0) == (b > 0), "x", "y")
    together, *alone = found({"a": a, "b": b, "c": rng.normal(size=1000)}, group)
    assert (together.value or 0) > 0.8 and together.revealing and not any(p.revealing for p in alone)
    assert (together.balanced_accuracy or 0) > 0.75


def test_what_a_missing_value_tells() -> None:
    rng = np.random.default_rng(2)
    group = np.where(rng.random(600) < 0.5, "x", "y")
    lost = (group == "x") & (rng.random(600) < 0.8)
    for column in (pa.array(np.where(lost, np.nan, rng.normal(size=600))),
                   pa.array([None if gone else "given" for gone in lost])):
        together, alone = found({"a": column}, group)
        assert (together.value or 0) > 0.85 and alone.revealing and (alone.value or 0) > 0.85


def test_of_several_groups_the_best_told_is_named() -> None:
    rng = np.random.default_rng(3)
    group = rng.choice(["a", "b", "c"], 900)
    together, alone = found({"x": rng.normal(size=900) + 2 * (group == "b")}, group)
    assert (together.group, alone.group) == ("b", "b") and alone.method != together.method
    assert found({"x": rng.normal(size=900)}, np.where(group == "c", "a", group))[0].group is None


def test_rows_of_missing_unknown_and_tiny_groups() -> None:
    """Missing and unknown groups take no part; a group of fewer than 20 rows is among the others of its neighbours."""
    group, columns = people(600, 4)
    levels = [None if i < 50 else UNKNOWN_NAME if i < 100 else g for i, g in enumerate(group)]
    of = found(columns, levels)
    assert {p.n for p in of} == {500}
    few = found(columns, ["1"] * 19 + ["0"] * 581)
    assert len(few) == 1 and (few[0].value, few[0].reason) == (None, FEW)
    assert found(columns, ["1"] * 600)[0].reason == FEW and found(columns, [None] * 600)[0].reason == FEW
    tiny = found(columns, ["rare" if i < 10 else g for i, g in enumerate(group)])
    assert tiny[1].column == "copy" and tiny[0].n == 600 and tiny[0].group in ("0", "1")


def test_the_own_column_takes_no_part() -> None:
    group, columns = people(500, 5)
    columns["team code"] = group
    of = found(columns, group, {"team": "team code"})
    assert of[-1] == Proxy("team", "team code", None, None, None, 0.95, 500, "", revealing=True, reason=OWN)
    assert of[1].column == "copy" and (of[0].value or 1) < 0.9
    alone = found({"team code": group}, group, {"team": "team code"})
    assert [p.reason for p in alone] == [NO_OTHERS, OWN]
    assert [(m.slice, m.status) for m in measurements(alone)] == [(None, "undefined")]


@pytest.mark.parametrize("column", [
    pa.array([None] * 200, pa.float64()), pa.array([np.inf, -np.inf] * 100), pa.array([None] * 200, pa.string()),
    pa.array([None] * 200, pa.int64()), pa.array([3.0] * 200)])
def test_columns_that_hold_nothing_tell_nothing(column: pa.Array) -> None:
    group = np.random.default_rng(13).choice(["x", "y"], 200)
    together, alone = found({"a": column}, group)
    assert alone.reason is None and (alone.value or 1) < 0.6 and (together.value or 1) < 0.6


def test_levels_of_one_row_each_tell_nothing() -> None:
    group, _ = people(200, 12)
    together, alone = found({"name": [f"person {i}" for i in range(200)]}, group)
    assert (together.value, alone.value, together.low, alone.revealing) == (0.5, 0.5, 0.5, False)


def test_columns_without_levels_are_named() -> None:
    group, columns = people(300, 6)
    of = found({"copy": columns["copy"], "lists": pa.array([[1]] * 300)}, group)
    assert [(p.column, p.reason) for p in of] == [(None, None), ("copy", None), ("lists", NO_LEVELS)]


def test_persons_stand_in_one_fold_and_count_once() -> None:
    """Every person four times, with a column of person numbers: without the cluster each would be known by its rows."""
    rng = np.random.default_rng(7)
    group = np.repeat(np.where(rng.random(150) < 0.5, "x", "y"), 4)
    person = np.repeat(np.arange(150), 4)
    columns = {"who": person.astype(str), "noise": np.repeat(rng.normal(size=150), 4)}
    known = found(columns, group)
    apart = found(columns, group, cluster=person.astype(np.uint64))
    assert {p.column: p.value for p in known}["who"] == 1.0 and not any(p.revealing for p in apart)
    assert all((p.value or 1) < 0.62 for p in apart)


def test_a_weight_is_as_many_rows() -> None:
    group, columns = people(250, 8)
    weight = np.random.default_rng(0).integers(1, 5, 250)
    of = {p.column: p for p in found({"copy": columns["copy"]}, group, weight=weight.astype(float))}
    plain = {p.column: p for p in found({"copy": columns["copy"]}, group)}
    same = {p.column: p for p in found({"copy": columns["copy"]}, group, weight=np.full(250, 3.0))}
    assert same == plain and of["copy"].value != plain["copy"].value
    wide, narrow = ((p["copy"].high or 0) - (p["copy"].low or 0) for p in (of, plain))
    assert wide > 0.95 * narrow


def test_names_and_types_of_levels_change_nothing() -> None:
    group, columns = people(600, 9)
    plain = found(columns, group)
    renamed = found({k: pa.array(v).dictionary_encode() if k.startswith("text") else v for k, v in columns.items()},
                    [f"team {g}" for g in group])
    assert plain == renamed


def test_used_and_revealing() -> None:
    group, columns = people(600, 10)
    of = found({"copy": columns["copy"], "number 0": columns["number 0"]}, group)
    at = {p.column: p for p in joined(of, used({"copy": 0.3, "number 0": 2.7}))}
    assert (at["copy"].used, at["copy"].listed) == (pytest.approx(0.1), True)
    assert (at["number 0"].used, at["number 0"].listed, at[None].used) == (pytest.approx(0.9), False, None)
    seldom = {p.column: p for p in joined(of, used({"copy": 0.009, "number 0": 0.991}))}
    assert seldom["copy"].revealing and not seldom["copy"].listed
    assert joined(of, used({"copy": 0.0, "number 0": 0.0})) == of


def test_what_rules_may_judge() -> None:
    group, columns = people(400, 11)
    of = found({"copy": columns["copy"], "number 0": columns["number 0"]}, group)
    made = list(measurements(of))
    assert [(m.metric, m.features, m.slice) for m in made] == [
        ("proxy_auc", ("team",), None), ("proxy_auc", ("team",), "column: copy"),
        ("proxy_auc", ("team",), "column: number 0")]
    for p, m in zip(of, made, strict=True):
        assert m.interval is not None
        assert (m.value, m.interval) == (p.value, Interval.reading(p.low, p.high, 0.95, p.method))


def test_perfect_prediction_keeps_a_width() -> None:
    group = np.where(np.arange(200) % 2 == 0, "x", "y")
    together, alone = found({"same": group}, group)
    assert together.value == alone.value == 1.0 and 0.9 < (alone.low or 0) < 1.0 and alone.balanced_accuracy == 1.0
