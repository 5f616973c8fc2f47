"""The model beside a trivial one: values by scikit-learn's dummies, the paired variance by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from govern.evidence import Evidence, Measurement
from govern.inputs.config import load_settings
from govern.measure import run
from govern.measure.trivial import Z
from govern.stats import regression

N = 800


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(21)
    y = (rng.random(N) < 0.3).astype(int)
    tier = rng.choice(["bronze", "silver", "gold"], N, p=[0.5, 0.3, 0.2])
    pay = rng.lognormal(3, 0.4, N)
    return pd.DataFrame({
        "sex": rng.choice(["w", "m"], N), "y": y, "p": np.where(rng.random(N) < 0.85, y, 1 - y),
        "s": rng.beta(1 + 2 * y, 3), "tier": tier,
        "tier_said": np.where(rng.random(N) < 0.7, tier, rng.choice(["bronze", "silver", "gold"], N)), "pay": pay,
        "pay_said": pay * rng.lognormal(0, 0.2, N), "w": rng.lognormal(0, 0.6, N), "person": rng.integers(0, 250, N)})


BINARY = {"data.target": "y", "data.prediction": "p"}
TASKS = {"multiclass": {"data.target": "tier", "data.prediction": "tier_said"},
         "regression": {"data.target": "pay", "data.prediction": "pay_said"}}


def measured(folder: Path, rows: pd.DataFrame, flags: dict[str, Any]) -> Evidence:
    rows.to_parquet(folder / "eval.parquet")
    settings = load_settings({"data.path": folder / "eval.parquet", "data.sensitive": ["sex"], **flags}, config=None,
                             cwd=folder)
    return run.measure(settings, None, created="2026-01-01T00:00:00Z", timed=False, progress=lambda *_: None).evidence


def beside(found: Evidence, metric: str) -> tuple[Measurement, Measurement, Measurement]:
    """The model, the trivial one, and their difference."""
    three = (found.find(metric), found.find(metric, reference="trivial"),
             found.find(metric, reference="trivial", compare="difference"))
    assert all(m is not None for m in three), metric
    return three  # type: ignore[return-value]


def test_accuracy_by_hand(tmp_path: Path) -> None:
    """40 rows, 28 of them 0: always 0 is right in 28. The model errs in 4 of the zeros and finds 9 of the 12 ones."""
    y, p = [0] * 28 + [1] * 12, [1] * 4 + [0] * 24 + [1] * 9 + [0] * 3
    data = pd.DataFrame({"y": y, "p": p, "sex": ["w", "m"] * 20})
    model, trivial, apart = beside(measured(tmp_path, data, BINARY), "accuracy")
    assert (model.numerator, trivial.numerator, trivial.denominator) == (33, 28, 40)
    assert (apart.numerator, apart.denominator) == (9, 40)
    assert (apart.reference_numerator, apart.reference_denominator) == (4, 40)
    d = 5 / 40
    assert apart.value == pytest.approx(d) and apart.transform == "identity"
    assert apart.se == pytest.approx(math.sqrt((13 / 40 - d * d) / 40 + 1 / 1600))
    assert apart.interval is not None and apart.interval.method.startswith("paired")
    assert apart.interval.high == pytest.approx(d + Z * apart.se)  # type: ignore[operator]


def test_a_model_that_is_the_trivial_one_keeps_a_width(tmp_path: Path) -> None:
    data = pd.DataFrame({"y": [0] * 30 + [1] * 20, "p": [0] * 49 + [1], "sex": ["w", "m"] * 25})
    _, _, apart = beside(measured(tmp_path, data.assign(p=0), BINARY), "accuracy")
    assert apart.value == 0.0 and apart.se == pytest.approx(1 / 50)


def test_fewer_than_thirty_rows_have_no_interval(tmp_path: Path) -> None:
    data = pd.DataFrame({"y": [0, 1] * 10, "p": [0, 1] * 10, "sex": ["w", "m"] * 10})
    _, _, apart = beside(measured(tmp_path, data, BINARY), "accuracy")
    assert (apart.status, apart.value, apart.se, apart.reason) == ("too_few", 0.5, None, "fewer than 30 rows")


def test_binary_values_are_those_of_a_constant(tmp_path: Path, rows: pd.DataFrame) -> None:
    found = measured(tmp_path, rows, {**BINARY, "data.score": "s"})
    y, constant, rate = rows["y"], np.zeros(N, int), rows["y"].mean()
    score = np.full(N, rate)
    expected = {
        "accuracy": sk.accuracy_score(y, constant), "balanced_accuracy": sk.balanced_accuracy_score(y, constant),
        "true_positive_rate": 0.0, "true_negative_rate": 1.0, "false_positive_rate": 0.0, "false_negative_rate": 1.0,
        "negative_predictive_value": 1 - rate, "false_omission_rate": rate, "f1_score": 0.0, "f2_score": 0.0,
        "roc_auc": sk.roc_auc_score(y, score), "average_precision": sk.average_precision_score(y, score),
        "log_loss": sk.log_loss(y, score), "brier_score": sk.brier_score_loss(y, score), "gini": 0.0,
        "ks_statistic": 0.0, "lift_top_decile": 1.0}
    for metric, value in expected.items():
        model, trivial, apart = beside(found, metric)
        assert trivial.value == pytest.approx(value, abs=1e-12), metric
        assert model.value is not None and apart.value == pytest.approx(model.value - value, abs=1e-12), metric
        assert apart.se is not None and apart.se > 0, metric
    for metric in ("precision", "false_discovery_rate", "matthews_correlation"):
        _, trivial, apart = beside(found, metric)
        assert trivial.status == apart.status == "undefined" and trivial.reason and apart.reason
    for metric in ("selection_rate", "prevalence", "mean_score", "calibration_error", "calibration_slope"):
        assert found.find(metric, reference="trivial") is None


def test_the_more_frequent_label_may_be_the_positive_one(tmp_path: Path, rows: pd.DataFrame) -> None:
    found = measured(tmp_path, rows, {**BINARY, "data.positive": "0"})
    y, constant = rows["y"] == 0, np.ones(N, bool)
    for metric, value in (("f1_score", sk.f1_score(y, constant)), ("precision", y.mean()), ("true_positive_rate", 1.0)):
        assert beside(found, metric)[1].value == pytest.approx(value, abs=1e-12)


def test_the_wider_side_of_the_models_interval_is_kept(tmp_path: Path, rows: pd.DataFrame) -> None:
    found = measured(tmp_path, rows, {**BINARY, "data.score": "s"})
    model, _, apart = beside(found, "roc_auc")
    assert model.value is not None and model.interval is not None and apart.se is not None
    low, high = model.interval.low, model.interval.high
    assert low is not None and high is not None
    assert apart.se * Z == pytest.approx(max(model.value - low, high - model.value))


def test_scores_that_are_no_probabilities(tmp_path: Path, rows: pd.DataFrame) -> None:
    found = measured(tmp_path, rows.assign(s=rows["s"] * 100), {**BINARY, "data.score": "s"})
    _, trivial, apart = beside(found, "log_loss")
    assert trivial.status == "ok" and (apart.status, apart.reason) == ("undefined", "the scores are not probabilities")
    assert beside(found, "roc_auc")[2].status == "ok"


def test_several_classes(tmp_path: Path, rows: pd.DataFrame) -> None:
    found = measured(tmp_path, rows, TASKS["multiclass"])
    y, constant = rows["tier"], np.full(N, "bronze")
    expected = {"multiclass_accuracy": sk.accuracy_score(y, constant), "micro_f1": sk.accuracy_score(y, constant),
                "macro_recall": 1 / 3, "macro_f1": sk.f1_score(y, constant, average="macro"),
                "weighted_f1": sk.f1_score(y, constant, average="weighted")}
    for metric, value in expected.items():
        model, trivial, apart = beside(found, metric)
        assert trivial.value == pytest.approx(value, abs=1e-12), metric
        assert model.value is not None and apart.value == pytest.approx(model.value - value, abs=1e-12), metric
    right, constant_right = rows["tier_said"] == y, y == "bronze"
    _, _, apart = beside(found, "multiclass_accuracy")
    assert (apart.numerator, apart.reference_numerator) == ((right & ~constant_right).sum(),
                                                            (constant_right & ~right).sum())
    assert beside(found, "multiclass_matthews")[1].status == "undefined"


@pytest.mark.parametrize("kept", [1 << 19, 100])
def test_numbers_beside_their_mean(tmp_path: Path, rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, kept: int
                                   ) -> None:
    monkeypatch.setattr("govern.measure.passing.EXACT_ROWS", kept)
    found = measured(tmp_path, rows, TASKS["regression"])
    y = rows["pay"].to_numpy()
    mean = np.full(N, y.mean())
    squared = sk.mean_squared_error(y, mean)
    expected = {"mean_absolute_error": sk.mean_absolute_error(y, mean), "mean_squared_error": squared,
                "root_mean_squared_error": math.sqrt(squared), "r2_score": 0.0}
    for metric, value in expected.items():
        model, trivial, apart = beside(found, metric)
        assert trivial.value == pytest.approx(value, rel=1e-9), metric
        assert model.value is not None and apart.value == pytest.approx(model.value - value, rel=1e-9), metric
        assert apart.se is not None and apart.se > 0 and apart.status == "ok"


def test_all_outcomes_equal(tmp_path: Path, rows: pd.DataFrame) -> None:
    found = measured(tmp_path, rows.assign(pay=7.5), {**TASKS["regression"], "data.task": "regression"})
    assert beside(found, "mean_absolute_error")[1].value == 0.0
    assert beside(found, "r2_score")[2].status == "undefined"


def test_weights_are_rows_repeated(tmp_path: Path, rows: pd.DataFrame) -> None:
    weighted = rows.assign(w=np.random.default_rng(2).integers(1, 4, N))
    written = weighted.loc[weighted.index.repeat(weighted["w"])]
    for i, task in enumerate(({**BINARY, "data.score": "s"}, *TASKS.values())):
        folder = tmp_path / str(i)
        folder.mkdir()
        one = measured(folder, weighted, {**task, "data.weight": "w"})
        other = measured(folder, written, task)
        pairs = [(m, other.find(m.metric, reference="trivial", compare=m.compare)) for m in one.measurements
                 if m.reference == "trivial"]
        assert len(pairs) > 6
        for m, same in pairs:
            assert same is not None and m.value == (same.value if same.value is None else pytest.approx(same.value)), m


def test_repeated_persons_make_the_difference_less_sure(tmp_path: Path, rows: pd.DataFrame) -> None:
    same = rows.assign(p=(rows["person"] % 2), y=(rows["person"] % 3 == 0).astype(int))
    plain = beside(measured(tmp_path, same, BINARY), "accuracy")[2]
    persons = beside(measured(tmp_path, same, {**BINARY, "data.cluster": "person"}), "accuracy")[2]
    assert plain.value == persons.value and plain.se is not None and persons.se is not None
    assert persons.se > 1.5 * plain.se


def test_the_paired_interval_covers(tmp_path: Path) -> None:
    """Two models that are right alike often differ by chance: the 95 % interval of the pair misses 0 in about 5 %."""
    from govern.inputs.labels import Target
    from govern.measure.trivial import of_classes
    from govern.stats.cube import Cube

    rng, missed, runs = np.random.default_rng(0), 0, 1500
    for _ in range(runs):
        y = (rng.random(200) < 0.4).astype(int)
        # Right in 60 % of either label, as is always saying 0 in the long run.
        p = np.where(rng.random(200) < 0.6, y, 1 - y)
        cube = Cube(())
        cube.add([], y, p)
        found = [m for m in of_classes(cube, Target("binary", ("0", "1"), "1", "1"), [])
                 if m.metric == "accuracy" and m.compare == "difference"]
        (m,) = found
        assert m.interval is not None and m.interval.low is not None and m.interval.high is not None
        missed += not m.interval.low <= 0 <= m.interval.high
    assert 0.03 < missed / runs < 0.07


def test_the_trivial_mean_is_that_of_the_whole_sample() -> None:
    found = regression.Residuals(exact_rows=10)
    found.add(np.zeros(4, int), np.array([1.0, 2, 3, 6]), np.zeros(4))
    assert found.about_mean() == (1.5, 3.5)
