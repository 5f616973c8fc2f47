"""Rates and their comparisons from counts equal the libraries' on the rows, and say where they are undefined."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import fairlearn.metrics as fm
import numpy as np
import pytest
import sklearn.metrics as sk
from counting import Of, by_group, counts_of, measured

from govern.evidence import Counts, Group, Measurement
from govern.measure.rates import COMPARED, comparisons, fraction, pairs_of, rates
from govern.metrics import COUNT_METRICS, DERIVED_METRICS
from govern.stats.intervals import jeffreys, mover_difference, wilson

# The vectors of fairlearn's user guide, "Performing a fairness assessment" (MIT licence).
GUIDE_TRUE = [0, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1]
GUIDE_PRED = [0, 0, 1, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0]
GUIDE_GROUPS = list("bbabbccca") + list("acabccbcc")

FUNCTIONS: dict[str, Any] = {
    "accuracy": sk.accuracy_score, "precision": sk.precision_score,
    "prevalence": lambda y, p, **k: fm.selection_rate(y, y, **k),
    "true_positive_rate": fm.true_positive_rate, "false_positive_rate": fm.false_positive_rate,
    "false_negative_rate": fm.false_negative_rate, "true_negative_rate": fm.true_negative_rate,
    "negative_predictive_value": lambda y, p, **k: sk.precision_score(y, p, pos_label=0, **k),
    "false_discovery_rate": lambda y, p, **k: 1 - sk.precision_score(y, p, **k),
    "false_omission_rate": lambda y, p, **k: 1 - sk.precision_score(y, p, pos_label=0, **k),
    "balanced_accuracy": sk.balanced_accuracy_score, "f1_score": sk.f1_score,
    "f2_score": lambda y, p, **k: sk.fbeta_score(y, p, beta=2, **k),
    "f05_score": lambda y, p, **k: sk.fbeta_score(y, p, beta=0.5, **k), "matthews_correlation": sk.matthews_corrcoef,
}


def one(found: list[Measurement], metric: str, **fields: Any) -> Measurement:
    match = [m for m in found if m.metric == metric and all(getattr(m, k) == v for k, v in fields.items())]
    assert len(match) == 1
    return match[0]


def values(of: Of, *, favourable: bool = True) -> list[Measurement]:
    return list(rates(list(of.values()), favourable_is_positive=favourable))


def test_fairlearns_guide_comes_out() -> None:
    groups, of = measured(GUIDE_GROUPS, GUIDE_TRUE, GUIDE_PRED)
    everyone = counts_of("overall", np.array(GUIDE_TRUE), np.array(GUIDE_PRED))
    seen = {m.metric: m.value for m in rates([everyone], favourable_is_positive=True)}
    assert seen["true_positive_rate"] == 0.5
    assert seen["false_positive_rate"] == pytest.approx(0.666667, abs=1e-6)
    assert seen["selection_rate"] == pytest.approx(0.555556, abs=1e-6)
    by_name = {(m.metric, groups[int(m.group[1:]) - 1].name): m.value for m in values(of)}
    assert [by_name["true_positive_rate", g] for g in "abc"] == [0.5, 0.6, 0.4]
    assert [by_name["selection_rate", g] for g in "abc"] == [0.75, 0.5, 0.5]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("favourable", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_every_metric_of_every_group_is_the_libraries(seed: int, favourable: bool, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    n = 700
    who = rng.choice(["a", "b", "c", "d"], n, p=[0.5, 0.3, 0.15, 0.05])
    y, pred = (rng.random(n) < 0.4).astype(int), (rng.random(n) < 0.5).astype(int)
    w = rng.gamma(2, 1, n) if weighted else None
    groups, of = measured(list(who), y, pred, w, favourable_is_positive=favourable)
    functions = {**FUNCTIONS,
                 "selection_rate": lambda t, p, **k: fm.selection_rate(t, p, pos_label=int(favourable), **k)}
    assert set(functions) == {*COUNT_METRICS, *DERIVED_METRICS}
    oracle: dict[tuple[str, str], float] = {}
    for g in groups:
        rows = who == g.name
        for metric, function in functions.items():
            weights = {} if w is None else {"sample_weight": w[rows]}
            oracle[metric, g.id] = float(function(y[rows], pred[rows], **weights))
    found = values(of, favourable=favourable)
    assert len(found) == len(oracle)
    for m in found:
        assert m.value == pytest.approx(oracle[m.metric, m.group], abs=1e-12), m
        assert (m.effective is not None) == (weighted and m.metric in COUNT_METRICS)
        if m.interval is not None:
            assert m.interval.low <= m.value <= m.interval.high
    compared = list(comparisons(groups, by_group(of), favourable_is_positive=favourable))
    assert len(compared) == len(COMPARED) * 6 * 2
    for m in compared:
        a, b = oracle[m.metric, m.group], oracle[m.metric, m.reference]
        assert m.value == pytest.approx(a - b if m.compare == "difference" else a / b, abs=1e-12)
        assert m.interval is not None and m.interval.low <= m.value <= m.interval.high


def test_constant_weight_and_every_row_a_person_change_no_interval() -> None:
    rng = np.random.default_rng(8)
    y, pred = (rng.random(90) < 0.4).astype(int), (rng.random(90) < 0.5).astype(int)
    plain = counts_of("g1", y, pred)
    for c in (counts_of("g1", y, pred, np.full(90, 0.5)), counts_of("g1", y, pred, cluster=np.arange(90))):
        for m, base in zip(values({("g1", None): c}), values({("g1", None): plain}), strict=True):
            assert m.value == pytest.approx(base.value, abs=1e-12)
            assert m.interval is not None and base.interval is not None
            assert (m.interval.low, m.interval.high) == pytest.approx((base.interval.low, base.interval.high), abs=1e-9)


def test_doubled_rows_of_one_person_do_not_narrow_an_interval() -> None:
    rng = np.random.default_rng(9)
    y, pred = (rng.random(80) < 0.4).astype(int), (rng.random(80) < 0.5).astype(int)
    single = fraction("accuracy", counts_of("g", y, pred))
    twice = counts_of("g", np.repeat(y, 2), np.repeat(pred, 2), cluster=np.repeat(np.arange(80), 2))
    double = fraction("accuracy", twice)
    assert (double.n, double.effective) == (160, pytest.approx(80))
    assert wilson(*double.sample, 0.025) == pytest.approx(wilson(*single.sample, 0.025))


def test_weighted_interval_covers() -> None:
    """Nominal 95 % over 1,000 samples of 200 rows whose weights say nothing about the outcome."""
    rng = np.random.default_rng(1)
    hit = 0
    for _ in range(1000):
        y, w = (rng.random(200) < 0.3).astype(int), rng.gamma(1, 1, 200)
        m = one(values({("g", None): counts_of("g", y, y, w)}), "selection_rate")
        assert m.effective is not None and m.effective < 200 and m.interval is not None
        hit += m.interval.low <= 0.3 <= m.interval.high
    assert 0.93 <= hit / 1000 <= 0.97


def test_group_without_positives_is_undefined_not_zero() -> None:
    groups, of = measured(list("aaaabbbb"), [1, 0, 1, 0, 0, 0, 0, 0], [1, 0, 0, 0, 1, 0, 0, 0])
    b = one(values(of), "true_positive_rate", group="g2")
    assert (b.value, b.status, b.interval, b.denominator) == (None, "undefined", None, 0)
    assert one(values(of), "balanced_accuracy", group="g2").reason == "all rows have one label"
    pairs = list(comparisons(groups, by_group(of), favourable_is_positive=True))
    pair = one(pairs, "true_positive_rate", compare="difference")
    assert (pair.value, pair.status) == (None, "undefined")


def test_nobody_selected_gives_no_ratio_and_says_why() -> None:
    groups, of = measured(list("aabb"), [1, 0, 1, 0], [0, 0, 0, 0])
    pair = one(list(comparisons(groups, by_group(of), favourable_is_positive=True)), "selection_rate", compare="ratio")
    assert (pair.value, pair.reason) == (None, "the rate of the reference is 0")
    for metric, why in (("precision", "no row of the group is predicted positive"),
                        ("false_discovery_rate", "no row of the group is predicted positive")):
        assert one(values(of), metric, group="g1").reason == why
    _, of = measured(list("aabb"), [1, 0, 1, 0], [1, 1, 1, 1])
    assert one(values(of), "false_omission_rate", group="g1").reason == "every row of the group is predicted positive"


def test_reference_is_the_larger_group_and_many_groups_are_bounded() -> None:
    groups = [Group(f"g{i}", ("a",), (str(i),), n, 0, 0) for i, n in enumerate([5, 50, 20])]
    assert [(a.n, b.n) for a, b in pairs_of(groups)] == [(20, 50), (5, 50), (5, 20)]
    many = [Group(f"g{i}", ("a",), (str(i),), i, 0, 0) for i in range(40)]
    assert len(pairs_of(many)) == 39
    assert {b.id for _, b in pairs_of(many)} == {"g39"}


def test_groups_within_a_level_are_compared_with_those_of_that_level() -> None:
    groups = [Group(f"g{i}{r}", ("sex",), (v,), 10, 0, 0, within=(("region", r),) if r else ())
              for i, v in enumerate("fm") for r in ("", "north", "south")]
    assert {(a.within, b.within) for a, b in pairs_of(groups)} == {((), ()), ((("region", "north"),),) * 2,
                                                                   ((("region", "south"),),) * 2}
    assert len(pairs_of(groups)) == 3


def test_selection_speaks_of_the_favourable_label() -> None:
    y, pred, w = np.array([1, 0, 1, 0, 0]), np.array([1, 1, 0, 0, 0]), np.array([1.0, 2, 4, 8, 16])
    counts = counts_of("g", y, pred, favourable_is_positive=False)
    assert (fraction("selection_rate", counts).x, fraction("true_positive_rate", counts).x) == (3, 1)
    weighed = counts_of("g", y, pred, w, favourable_is_positive=False)
    assert fraction("selection_rate", weighed, favourable_is_positive=False).value == 28 / 31
    # One class of a multiclass task selects those predicted to have it.
    assert fraction("selection_rate", replace(weighed, label="x"), favourable_is_positive=False).value == 3 / 31


def test_classes_are_measured_each_and_named() -> None:
    groups = [Group("g1", ("who",), ("a",), 30, 0, 0), Group("g2", ("who",), ("b",), 20, 0, 0)]
    of = {(g, label): Counts(g, *cells, cells[0] + cells[1], label) for g, label, cells in (
        ("g1", "low", (10, 3, 4, 13)), ("g1", "high", (8, 5, 2, 15)), ("g2", "low", (6, 1, 3, 10)),
        ("g2", "high", (9, 2, 2, 7)))}
    assert {m.label for m in values(of)} == {"low", "high"}
    found = list(comparisons(groups, by_group(of, "high"), favourable_is_positive=True))
    m = one(found, "precision", compare="difference", label="high")
    assert (m.group, m.reference, m.numerator, m.reference_denominator) == ("g2", "g1", 9, 13)
    # 2 of the 11 are not counted: a small cell.
    want = mover_difference(9 / 11, jeffreys(9, 11, 0.025), 8 / 13, wilson(8, 13, 0.025))
    assert m.interval is not None and (m.interval.low, m.interval.high) == pytest.approx(want)
    assert m.interval.method == "newcombe, jeffreys"
    assert len(found) == len(COMPARED) * 2


def test_an_intersection_nobody_asked_for_is_compared_with_its_largest_group_by_who_is_selected() -> None:
    groups, of = measured(list("aaaaabbbbccc"), [1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1],
                          [1, 0, 0, 0, 1, 1, 0, 1, 0, 0, 1, 1])
    shown = [replace(g, asked=False) for g in groups]
    found = list(comparisons(shown, by_group(of), favourable_is_positive=True))
    assert {(m.metric, m.reference) for m in found} == {("selection_rate", "g1")}
    asked = {(m.group, m.compare): m for m in comparisons(groups, by_group(of), favourable_is_positive=True)
             if m.metric == "selection_rate" and m.reference == "g1"}
    assert {(m.group, m.compare): m for m in found} == asked
