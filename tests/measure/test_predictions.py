"""Predictions of every task: from a model in its process and from columns of the data."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import LinearSVC

from govern.errors import InputError
from govern.inputs.columns import plan_columns
from govern.inputs.config import load_settings
from govern.inputs.labels import Target
from govern.measure.predictions import FromColumns, FromModel, Predicted, match_target
from govern.worker.client import Limits, Worker

BINARY = Target("binary", ("0", "1"), "1", "1")
TEXTS = np.array(["low", "middle", "high"])
THREE = Target("multiclass", ("low", "middle", "high"))
NUMBERS = Target("regression")
BOTH = {"data.prediction": "p", "data.score": "s"}


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker(Limits(wall_seconds=120)) as started:
        started.preload(["sklearn.linear_model", "pandas"])
        yield started


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    x = pd.DataFrame(rng.normal(size=(90, 2)), columns=["a", "b"])
    return x.assign(y=x["a"] + rng.normal(0, 0.3, 90))


def settings(flags: dict[str, Any]) -> Any:
    return load_settings({"data.path": "e.csv", "data.target": "y"} | flags, config=None, cwd=Path("no-such-folder"))


def from_model(worker: Worker, model: Any, target: Target, x: pd.DataFrame, threshold: float | None = None
               ) -> tuple[Target, FromModel, Predicted]:
    described = worker.load(pickle.dumps(model), "pickle", "m.pkl")
    target = match_target(described, target, threshold, "m.pkl")
    plan = plan_columns(settings({"model.path": "m.pkl"}), (*x.columns, "y"), described.features, described.n_features)
    reader = FromModel(worker, described, target, plan, threshold, "m.pkl")
    return target, reader, reader.ask(pa.RecordBatch.from_pandas(x, preserve_index=False))()


def from_columns(columns: dict[str, Any], target: Target, flags: dict[str, Any]) -> tuple[FromColumns, Predicted]:
    chosen = settings(flags)
    plan = plan_columns(chosen, (*columns, "y"), None, None)
    reader = FromColumns(chosen, plan, target, "e.csv")
    return reader, reader.ask(pa.RecordBatch.from_pydict(columns))()


def test_a_binary_model_gives_label_and_score(worker: Worker, data: pd.DataFrame) -> None:
    x = data[["a", "b"]]
    model = LogisticRegression().fit(x, (data["y"] > 0).astype(int))
    for target, column in ((BINARY, 1), (Target("binary", ("1", "0"), "0", "0"), 0)):
        _, reader, seen = from_model(worker, model, target, x)
        np.testing.assert_array_equal(np.array(target.classes)[seen.label], model.predict(x).astype(str))
        np.testing.assert_allclose(seen.score, model.predict_proba(x)[:, column], atol=1e-15)
        assert seen.value is None and reader.score_columns == 1 and reader.rows == 90
        assert reader.positive == target.positive
    _, _, seen = from_model(worker, model, BINARY, x, threshold=0.8)
    np.testing.assert_array_equal(seen.label == 1, model.predict_proba(x)[:, 1] >= 0.8)


def test_classes_are_put_into_the_order_of_the_target(worker: Worker, data: pd.DataFrame) -> None:
    x, y = data[["a", "b"]], TEXTS[np.digitize(data["y"], [-0.5, 0.5])]
    model = LogisticRegression().fit(x, y)  # its own order is high, low, middle
    target, reader, seen = from_model(worker, model, THREE, x)
    assert target == THREE and reader.positive is None and reader.score_columns == 3
    np.testing.assert_array_equal(TEXTS[seen.label], model.predict(x))
    np.testing.assert_allclose(seen.score, model.predict_proba(x)[:, [1, 2, 0]], atol=1e-15)
    _, reader, seen = from_model(worker, LinearSVC().fit(x, y), THREE, x)
    assert seen.score is None and reader.score_columns == 0
    assert seen.label is not None and set(seen.label.tolist()) == {0, 1, 2}


@pytest.mark.parametrize(("held", "expected"), [
    (("high", "low"), ("high", "low", "middle")),   # the default order stays the default order
    (("low", "high"), ("low", "high", "middle")),   # an order of one's own is only added to
    (("low", "middle", "high"), ("low", "middle", "high")),
])
def test_classes_that_only_the_model_knows_are_added_with_a_note(
        worker: Worker, data: pd.DataFrame, held: tuple[str, ...], expected: tuple[str, ...]) -> None:
    x, y = data[["a", "b"]], TEXTS[np.digitize(data["y"], [-0.5, 0.5])]
    model = LogisticRegression().fit(x, y)
    target, _, seen = from_model(worker, model, Target("multiclass", held), x)
    assert target.classes == expected and (len(target.notes) == 1) == (len(held) < 3)
    np.testing.assert_array_equal(np.array(expected)[seen.label], model.predict(x))


def test_numeric_classes_are_added_by_number(worker: Worker, data: pd.DataFrame) -> None:
    model = LogisticRegression().fit(data[["a", "b"]], np.array([2, 10, 9])[np.arange(90) % 3])
    assert from_model(worker, model, Target("multiclass", ("2", "10")), data[["a", "b"]])[0].classes == ("2", "9", "10")


def test_a_regressor_gives_values(worker: Worker, data: pd.DataFrame) -> None:
    x = data[["a", "b"]]
    model = LinearRegression().fit(x, data["y"])
    target, reader, seen = from_model(worker, model, NUMBERS, x, threshold=0.5)
    assert target == NUMBERS and seen.label is None and seen.score is None and reader.score_columns == 0
    np.testing.assert_allclose(seen.value, model.predict(x), atol=1e-14)


def test_a_regressor_on_two_labels_scores_them_with_a_threshold(worker: Worker, data: pd.DataFrame) -> None:
    x = data[["a", "b"]]
    model = LinearRegression().fit(x, (data["y"] > 0).astype(int))
    target, reader, seen = from_model(worker, model, BINARY, x, threshold=0.4)
    np.testing.assert_allclose(seen.score, model.predict(x), atol=1e-14)
    np.testing.assert_array_equal(seen.label == 1, seen.score >= 0.4)
    assert "at or above 0.4" in target.notes[0] and reader.score_columns == 1 and reader.positive is None
    for wrong, threshold, said in [
        (BINARY, None, "add --threshold"),
        (Target("binary", ("no", "yes"), "yes", "yes"), 0.5, "nothing says that larger ones mean"),
        (Target("binary", ("1", "0"), "0", "0"), 0.5, "nothing says that larger ones mean"),
        (THREE, None, "add --task regression"),
    ]:
        with pytest.raises(InputError, match=said) as e:
            from_model(worker, model, wrong, x, threshold)
        assert "\n" not in str(e.value) and str(e.value).startswith("m.pkl: ")


def test_a_classifier_that_does_not_fit_the_target_is_refused(worker: Worker, data: pd.DataFrame) -> None:
    x, y = data[["a", "b"]], TEXTS[np.digitize(data["y"], [-0.5, 0.5])]
    three, two = LogisticRegression().fit(x, y), LinearSVC().fit(x, y == "low")
    for model, target, threshold, said in [
        (three, NUMBERS, None, "tells 3 classes apart, and the target holds numbers"),
        (three, Target("binary", ("low", "high"), "high", "high"), None, "classes apart, and the target holds two"),
        (three, Target("multiclass", ("a", "low", "high")), None, 'no class "a"'),
        (three, THREE, 0.5, "--threshold has no meaning"),
        (two, Target("binary", ("false", "true"), "true", "true"), 0.5, "--threshold needs a model"),
    ]:
        with pytest.raises(InputError, match=said):
            from_model(worker, model, target, x, threshold)


def test_values_that_are_not_finite_are_refused(worker: Worker, data: pd.DataFrame) -> None:
    model = LinearRegression().fit(data[["a", "b"]], data["y"])
    model.coef_ = np.array([np.inf, 0.0])
    with pytest.raises(InputError, match="gives 90 outputs that are missing or infinite"):
        from_model(worker, model, NUMBERS, data[["a", "b"]])


def test_stored_predictions_of_each_task() -> None:
    _, seen = from_columns({"p": ["high", "low", "low"]}, THREE, {"data.prediction": "p"})
    assert seen.label is not None and seen.label.tolist() == [2, 0, 0] and seen.score is None
    reader, seen = from_columns({"p": [3, -1, 2]}, NUMBERS, {"data.prediction": "p"})
    assert seen.value is not None and seen.value.dtype == np.float64 and seen.value.tolist() == [3, -1, 2]
    assert seen.label is None and reader.score_columns == 0
    reader, seen = from_columns({"s": [0.2, 0.5, 0.9]}, BINARY, {"data.score": "s", "data.threshold": 0.5})
    assert seen.label is not None and seen.label.tolist() == [0, 1, 1] and reader.score_columns == 1
    _, seen = from_columns({"p": [1.0, 0.0], "s": [0.9, 0.2]}, BINARY, {"data.prediction": "p", "data.score": "s"})
    assert seen.label is not None and seen.label.tolist() == [1, 0]


@pytest.mark.parametrize(("columns", "target", "flags", "said"), [
    ({"p": ["low", "low"], "s": [0.5, 0.5]}, THREE, BOTH, "--score has no meaning for more than two classes"),
    ({"p": [1.0, 2.0], "s": [0.5, 0.5]}, NUMBERS, BOTH, "--score has no meaning for numbers"),
    ({"p": ["low", "huge"]}, THREE, {"data.prediction": "p"}, '"huge", which is no label of the target'),
    ({"p": ["low", None]}, THREE, {"data.prediction": "p"}, "missing in 1 rows, the first being row 2"),
    ({"p": ["1", "2"]}, NUMBERS, {"data.prediction": "p"}, "not numbers"),
    ({"p": [1.0, float("inf")]}, NUMBERS, {"data.prediction": "p"}, "holds infinite predictions"),
    ({"p": [1.0, float("nan")]}, NUMBERS, {"data.prediction": "p"}, "missing in 1 rows, the first being row 2"),
    ({"p": [1.0, 0.3]}, BINARY, {"data.prediction": "p"}, "looks like scores"),
])
def test_stored_predictions_that_do_not_fit_are_refused(
        columns: dict[str, Any], target: Target, flags: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said) as e:
        from_columns(columns, target, flags)
    assert "\n" not in str(e.value)
