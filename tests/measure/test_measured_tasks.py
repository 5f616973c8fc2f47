"""Multiclass and regression numbers as measurements: what the gate reads of everyone, groups, pairs and rests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, mean_prediction
from sklearn import metrics as sk

from govern.evidence import OVERALL, REST, Group, Interval, Measurement
from govern.measure import multiclass, regression, smoke
from govern.measure.compared import difference, largest_difference, measured
from govern.metrics import METRICS
from govern.stats.cube import Cube, Levels, Partition
from govern.stats.estimate import Estimate, undefined
from govern.stats.intervals import newcombe
from govern.stats.means import Share
from govern.stats.regression import Residuals

CLASSES = ("low", "middle", "high")
LEVELS = Levels({"sex": ["f", "m", "x"]}, {"sex": [0, 1, 2]})
N = 1500


def people(seed: int = 0) -> tuple[np.random.Generator, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng, rng.choice(3, N, p=[0.5, 0.4, 0.1]).astype(np.int32)


def groups_of(sex: np.ndarray) -> list[Group]:
    return [Group(f"g{i}", ("sex",), (name,), int((sex == i).sum()), 0, 0) for i, name in enumerate("fmx")]


def at(found: list[Measurement], metric: str, group: str, reference: str | None = None, compare: str | None = None
       ) -> Measurement:
    (one,) = [m for m in found
              if (m.metric, m.group, m.reference, m.compare) == (metric, group, reference, compare) and not m.features]
    return one


def whole(cube: Cube) -> Partition:
    return Partition((), ((),), np.zeros(len(cube.n), np.int64))


def well_formed(found: list[Measurement]) -> None:
    """What holds of every measurement: finite or a reason, an interval that holds the value, one of a kind."""
    keys = {(m.metric, m.group, m.reference, m.compare, m.features) for m in found}
    assert len(keys) == len(found)
    for m in found:
        assert m.metric in METRICS
        assert (m.value is None) == (m.status == "undefined") and (m.status == "ok" or m.reason), m
        for number in (m.value, m.se, m.effective, m.interval and m.interval.low, m.interval and m.interval.high):
            assert number is None or np.isfinite(number), m
        if m.interval is not None and m.value is not None:
            assert m.interval.low - 1e-12 <= m.value <= m.interval.high + 1e-12, m


def macro_f1(y: np.ndarray, pred: np.ndarray, sample_weight: np.ndarray) -> float:
    return float(sk.f1_score(y, pred, average="macro", sample_weight=sample_weight))


def classified(mode: str, seed: int = 1) -> dict[str, Any]:
    rng, sex = people(seed)
    y = rng.choice(3, N, p=[0.5, 0.3, 0.2]).astype(np.int32)
    score = rng.dirichlet(np.ones(3), N) + np.eye(3)[y] * np.where(sex == 0, 0.9, 0.5)[:, None]
    score /= score.sum(axis=1, keepdims=True)
    pred = score.argmax(axis=1).astype(np.int32)
    w = rng.uniform(0.2, 3, N) if mode == "weighted" else None
    person = rng.integers(0, 600, N).astype(np.uint64) if mode == "persons" else None
    cube = Cube(("sex",), columns=3, weighted=w is not None, clustered=person is not None)
    for part in np.array_split(rng.permutation(N), 4):
        cube.add([sex[part]], y[part], pred[part], score=score[part], weight=None if w is None else w[part],
                 cluster=None if person is None else person[part])
    columns = [cube.entries.column(c, len(cube.faces)) for c in range(3)] if cube.entries else []
    partition = cube.partition(["sex"], LEVELS)
    return {"sex": sex, "y": y, "pred": pred, "score": score, "w": w, "groups": groups_of(sex),
            "fits": multiclass.fits(cube, partition, CLASSES, columns),
            "everyone": multiclass.fits(cube, whole(cube), CLASSES, columns)[0].own}


@pytest.mark.parametrize("mode", ["plain", "weighted", "persons"])
def test_multiclass_values_are_those_of_fairlearn_and_scikit_learn(mode: str) -> None:
    d = classified(mode)
    w = np.ones(N) if d["w"] is None else d["w"]
    frame = MetricFrame(
        metrics={"multiclass_accuracy": sk.accuracy_score, "macro_f1": macro_f1},
        y_true=d["y"], y_pred=d["pred"], sensitive_features=d["sex"],
        sample_params={m: {"sample_weight": w} for m in ("multiclass_accuracy", "macro_f1")})
    found = [m for g, f in zip(d["groups"], d["fits"], strict=True) for m in multiclass.of_group(f.own, g.id)]
    found += multiclass.of_group(d["everyone"])
    found += multiclass.comparisons(d["groups"], d["fits"])
    well_formed(found)
    for i, g in enumerate(d["groups"]):
        own = d["sex"] == i
        for metric in ("multiclass_accuracy", "macro_f1"):
            assert at(found, metric, g.id).value == pytest.approx(frame.by_group.loc[i, metric], abs=1e-12)
        accuracy, rest = at(found, "multiclass_accuracy", g.id), at(found, "multiclass_accuracy", g.id, REST)
        assert (accuracy.effective is None) == (mode == "plain")
        assert rest.value == pytest.approx(sk.accuracy_score(d["y"][~own], d["pred"][~own], sample_weight=w[~own]))
        loss = sk.log_loss(d["y"][own], d["score"][own], sample_weight=w[own], labels=[0, 1, 2])
        assert at(found, "multiclass_log_loss", g.id).value == pytest.approx(loss, rel=1e-12)
        f1 = sk.f1_score(d["y"][~own], d["pred"][~own], average="macro", sample_weight=w[~own])
        assert at(found, "macro_f1", g.id, REST).value == pytest.approx(f1, abs=1e-12)
        gap = at(found, "macro_f1", g.id, REST, "difference")
        assert gap.value == pytest.approx(frame.by_group.loc[i, "macro_f1"] - f1, abs=1e-12) and gap.interval
    assert at(found, "macro_f1", OVERALL).value == pytest.approx(frame.overall["macro_f1"], abs=1e-12)
    pair = at(found, "multiclass_accuracy", "g2", "g0", "ratio")
    assert pair.value == pytest.approx(frame.by_group.loc[2, "multiclass_accuracy"] /
                                       frame.by_group.loc[0, "multiclass_accuracy"])
    (first, second) = multiclass.disparities(d["groups"], d["fits"])
    gap = frame.by_group["multiclass_accuracy"]
    assert (first.metric, first.compare, first.features) == ("multiclass_accuracy", "difference", ("sex",))
    assert first.value == pytest.approx(gap.max() - gap.min(), abs=1e-12) and second.metric == "macro_f1"


def test_persons_who_stand_twice_in_the_data_count_once() -> None:
    d = classified("plain")
    cube = Cube(("sex",), columns=3, clustered=True)
    person = np.arange(N, dtype=np.uint64)
    for order in (np.arange(N), np.arange(N)[::-1]):
        cube.add([d["sex"][order]], d["y"][order], d["pred"][order], score=d["score"][order], cluster=person[order])
    assert cube.entries is not None
    columns = [cube.entries.column(c, len(cube.faces)) for c in range(3)]
    twice = multiclass.fits(cube, cube.partition(["sex"], LEVELS), CLASSES, columns)
    for one, other in zip(d["fits"], twice, strict=True):
        for a, b in ((one.own, other.own), (one.rest, other.rest)):
            assert b.accuracy.effective == pytest.approx(a.n) and b.n == 2 * a.n
            for metric, e in a.estimates.items():
                assert b.estimates[metric].value == pytest.approx(e.value, abs=1e-12)
                assert b.estimates[metric].se == pytest.approx(e.se, rel=1e-9), metric


def test_macro_auc_joins_the_compared_metrics() -> None:
    d = classified("plain")
    aucs = [Estimate(0.8 + i / 100, 0.1, "logit") for i in range(3)]
    fits = [multiclass.GroupClasses(multiclass.with_score_metrics(f.own, macro_roc_auc=a), f.rest)
            for f, a in zip(d["fits"], aucs, strict=True)]
    found = [*multiclass.of_group(fits[0].own, "g0"), *multiclass.comparisons(d["groups"], fits)]
    assert at(found, "macro_roc_auc", "g0").interval.method == multiclass.AUC_METHOD
    assert at(found, "macro_roc_auc", "g2", "g0", "difference").value == pytest.approx(0.02)
    assert not [m for m in found if m.metric == "macro_roc_auc" and m.reference == REST]
    assert [m.metric for m in multiclass.disparities(d["groups"], fits)] == list(multiclass.COMPARED)


@pytest.mark.parametrize(("weighted", "exact_rows"), [(False, 10**6), (True, 10**6), (True, 100)])
def test_regression_measurements(weighted: bool, exact_rows: int) -> None:
    rng, sex = people(2)
    y = rng.gamma(3, 2, N)
    pred = y + rng.normal(0, 1, N) + 0.4 * (sex == 0)
    w = rng.uniform(0.2, 3, N) if weighted else None
    residuals = Residuals(exact_rows=exact_rows, threshold=6.0)
    residuals.add(sex, y, pred, w)
    fits = residuals.by_group(np.arange(3), 3)
    (everyone,) = residuals.by_group(np.zeros(3, np.int64), 1)
    groups = groups_of(sex)
    found = [m for g, f in zip(groups, fits, strict=True) for m in regression.of_group(f, g.id)]
    found += regression.of_group(everyone)
    found += regression.comparisons(groups, fits, everyone)
    well_formed(found)
    frame = MetricFrame(
        metrics={"mean_prediction": mean_prediction, "mean_absolute_error": sk.mean_absolute_error,
                 "r2_score": sk.r2_score}, y_true=y, y_pred=pred, sensitive_features=sex,
        sample_params=None if w is None else {m: {"sample_weight": w} for m in (
            "mean_prediction", "mean_absolute_error", "r2_score")})
    for i, g in enumerate(groups):
        for metric in ("mean_prediction", "mean_absolute_error", "r2_score"):
            assert at(found, metric, g.id).value == pytest.approx(frame.by_group.loc[i, metric], rel=1e-12)
        outside = sex != i
        of_rest, of_own = (None if w is None else w[which] for which in (outside, ~outside))
        rest = at(found, "mean_absolute_error", g.id, REST)
        assert rest.value == pytest.approx(np.average(abs(pred - y)[outside], weights=of_rest))
        gap = at(found, "mean_absolute_error", g.id, REST, "difference")
        assert gap.interval.low < gap.value < gap.interval.high
        share = at(found, "share_above_threshold", g.id)
        assert share.value == pytest.approx(np.average(pred[~outside] >= 6, weights=of_own))
        assert (share.effective is None) == (not weighted) and at(found, "residual_p95", g.id).interval
    biased = at(found, "mean_residual", "g1", "g0", "difference")
    assert biased.interval.high < 0  # the men's predictions are lower than the women's by 0.4
    assert at(found, "share_above_median", "g2", "g0", "ratio").value == pytest.approx(
        at(found, "share_above_median", "g2").value / at(found, "share_above_median", "g0").value)
    of_feature = {m.metric: m for m in regression.disparities(groups, fits)}
    assert tuple(of_feature) == regression.DISPARITIES
    means = frame.by_group["mean_prediction"]
    assert of_feature["mean_prediction"].value == pytest.approx(means.max() - means.min(), rel=1e-9)
    for m in of_feature.values():
        assert m.features == ("sex",) and m.compare == "difference"
        assert 0 <= m.interval.low <= m.value <= m.interval.high
    method = at(found, "residual_p50", OVERALL).interval.method
    assert method.endswith("bins of near values") == (exact_rows == 100)


def test_groups_within_a_control_feature_have_no_rest_and_no_disparity() -> None:
    residuals = Residuals(exact_rows=10)
    rng = np.random.default_rng(3)
    residuals.add(np.arange(400) % 4, rng.normal(size=400), rng.normal(size=400))
    fits = residuals.by_group(np.arange(4), 4)
    (everyone,) = residuals.by_group(np.zeros(4, np.int64), 1)
    groups = [Group(f"g{i}", ("sex",), ("fm"[i % 2],), 100, 0, 0, within=(("region", "ns"[i // 2]),)) for i in range(4)]
    found = list(regression.comparisons(groups, fits, everyone))
    assert {(m.group, m.reference) for m in found} == {("g1", "g0"), ("g3", "g2")}
    assert not list(regression.disparities(groups, fits)) and not list(regression.disparities([], []))
    assert not any(m.metric == "share_above_threshold" for m in found)  # no threshold, no such share


def test_a_largest_difference_names_who_is_left_out() -> None:
    groups = [Group(f"g{i}", ("age",), (v,), n, 0, 0) for i, (v, n) in
              enumerate([("young", 90), ("old", 80), ("odd", 5), (None, 40), ("none", 0)])]
    sure = [Estimate(2.0, 0.1), Estimate(3.5, 0.2)]
    few, none = Estimate(9.0, 1.0, "identity", "too_few", "fewer than 30 rows"), undefined("no rows")
    found = largest_difference("mean_prediction", ("age",), groups, [*sure, few, Estimate(50.0, 0.1), none])
    assert found.value == 1.5 and found.reason == "without odd: mean prediction undefined or of too few rows there"
    assert found.interval.low < 1.5 < found.interval.high and found.interval.low > 0.9
    alone = largest_difference("mean_prediction", ("age",), groups, [sure[0], few, few, sure[1], none])
    assert (alone.status, alone.value) == ("undefined", None) and "without old, odd" in alone.reason
    same = largest_difference("mean_prediction", ("age",), groups[:2], [sure[0], sure[0]])
    assert same.value == 0 == same.interval.low < same.interval.high


def test_pairs_without_a_value_or_an_interval_say_why() -> None:
    known, few = Estimate(0.5, 0.1, "logit"), Estimate(0.4, 0.3, "logit", "too_few", "fewer than 30 rows")
    gap = difference("macro_f1", "g1", known, "g2", few)
    assert (gap.status, gap.interval, gap.reason) == ("too_few", None, "fewer than 30 rows")
    assert gap.value == pytest.approx(0.1)
    assert difference("macro_f1", "g1", undefined("no rows"), "g2", known).reason == "no rows"
    shares = Share(30, 50), Share(20, 60)
    found = difference("multiclass_accuracy", "g1", shares[0], "g2", shares[1])
    assert found.interval == Interval.reading(*newcombe(30, 50, 20, 60, 0.025), 0.95, found.interval.method)
    nobody = difference("multiclass_accuracy", "g1", shares[0], "g2", Share(0, 0))
    assert (nobody.value, nobody.status, nobody.reason) == (None, "undefined", "no rows")
    assert measured("multiclass_accuracy", Share(0, 0), "g1").status == "undefined"


def test_smoke_checks_of_a_regressor_have_no_probabilities() -> None:
    seen = smoke.Seen(10, 10, 0, None, 2, 0.0, 1e-9, numbers=True)
    by_metric = {c.metric: c for c in smoke.checks(seen)}
    assert by_metric["smoke_probability"].passed is None
    assert by_metric["smoke_probability"].reason == "the model predicts numbers"
    assert by_metric["smoke_batch"].passed and by_metric["smoke_repeatable"].passed
