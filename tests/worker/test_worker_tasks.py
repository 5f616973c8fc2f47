"""Multiclass classifiers and regressors through the process answer as they do outside it."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pytest
import xgboost as xgb
from sklearn.cluster import KMeans
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeRegressor

from govern.errors import InputError
from govern.worker.protocol import ProtocolError
from govern.worker.replies import read_prediction

CLASSIFIERS = [
    LogisticRegression(max_iter=500),
    HistGradientBoostingClassifier(max_iter=5),
    ExtraTreesClassifier(n_estimators=3),  # three trees of three classes: ties happen
    GaussianNB(),
    make_pipeline(StandardScaler(), LogisticRegression()),
    lgb.LGBMClassifier(n_estimators=4, verbose=-1),
    SVC(),  # no predict_proba
    LinearSVC(),
]
REGRESSORS = [
    LinearRegression(),
    HistGradientBoostingRegressor(max_iter=5),
    RandomForestRegressor(n_estimators=3, n_jobs=2),
    DecisionTreeRegressor(max_depth=3),
    GridSearchCV(DecisionTreeRegressor(), {"max_depth": [2, 3]}, cv=2),
    lgb.LGBMRegressor(n_estimators=4, verbose=-1),
    xgb.XGBRegressor(n_estimators=4),  # answers in float32
]
TEXTS = np.array(["low", "middle", "high"])


@pytest.fixture(scope="module")
def three(numbers):
    x, _ = numbers
    rng = np.random.default_rng(3)
    return x, TEXTS[np.digitize(x["a"] + rng.normal(0, 0.5, len(x)), [-0.5, 0.5])]


@pytest.mark.parametrize("model", CLASSIFIERS, ids=lambda m: type(m).__name__)
def test_every_class_has_its_column_of_scores(worker, loaded, to_batch, three, model):
    x, y = three
    model = model.fit(x, y)
    described = loaded(worker, model)
    assert described.task == "classifier" and described.classes == ("high", "low", "middle")
    seen = worker.predict(to_batch(x), None)
    np.testing.assert_array_equal(np.array(described.classes)[seen.labels], model.predict(x))
    assert (seen.rows, seen.invalid_rows, seen.not_finite, seen.values) == (240, 0, 0, None)
    if hasattr(model, "predict_proba"):
        np.testing.assert_allclose(seen.score, model.predict_proba(x), rtol=0, atol=1e-15)
        one = worker.predict(to_batch(x), "low")
        np.testing.assert_array_equal(one.score, seen.score[:, 1])
        np.testing.assert_array_equal(one.labels, seen.labels)
    else:
        assert seen.score is None
    checked = worker.smoke(to_batch(x), None)
    assert checked.repeat_difference == 0 and checked.batch_difference < 1e-9
    assert worker.predict(to_batch(x.iloc[:0]), None).rows == 0


def test_xgboost_classes_are_codes(worker, loaded, to_batch, three):
    x, y = three
    model = xgb.XGBClassifier(n_estimators=3).fit(x, np.unique(y, return_inverse=True)[1])
    assert loaded(worker, model).classes == ("0", "1", "2")
    np.testing.assert_array_equal(worker.predict(to_batch(x), None).score, model.predict_proba(x).astype(float))


@pytest.mark.parametrize("model", REGRESSORS, ids=lambda m: type(m).__name__)
def test_a_regressor_gives_its_values(worker, loaded, to_batch, numbers, model):
    x, _ = numbers
    model = model.fit(x, 1000 * x["a"] + x["b"] * x["c"])
    described = loaded(worker, model)
    assert (described.task, described.classes, described.has_score) == ("regressor", (), False)
    seen = worker.predict(to_batch(x), None)
    assert seen.labels is None and seen.score is None and seen.values.dtype == np.float64
    # A linear model multiplies matrices, whose sums depend on how many rows are asked for at once.
    np.testing.assert_allclose(seen.values, model.predict(x), rtol=1e-13, atol=1e-13)
    assert (seen.rows, seen.invalid_rows, seen.not_finite) == (240, 0, 0)
    checked = worker.smoke(to_batch(x), None)
    assert checked.repeat_difference == 0 and checked.batch_difference < 1e-6
    timed = worker.time(to_batch(x), None, single_repeats=2, batch_repeats=1, budget_seconds=60)
    assert len(timed.single_ms) == 2 and (timed.batch_ms > 0).all()
    assert worker.predict(to_batch(x.iloc[:0]), None).values.shape == (0,)


def test_values_that_are_none_are_counted(worker, loaded, to_batch, numbers):
    x, y = numbers
    model = LinearRegression().fit(x.to_numpy(), y)
    model.coef_ = np.array([np.inf, 0.0, 0.0, 0.0])
    loaded(worker, model)
    seen = worker.predict(to_batch(np.array([[0.0, 1, 1, 1], [1.0, 1, 1, 1], [1.0, 0, 0, 0]])), None)
    assert seen.not_finite == 3 and np.isnan(seen.values[0]) and np.isinf(seen.values[1])


def test_several_values_a_row_are_refused(worker, loaded, to_batch, numbers):
    x, y = numbers
    loaded(worker, LinearRegression().fit(x, np.column_stack([y, 1 - y])))
    with pytest.raises(InputError, match=r"predict gave float64 of shape \(240, 2\), not numbers of \(240,\)"):
        worker.predict(to_batch(x), None)


@pytest.mark.parametrize("model", [KMeans(2, n_init=1), IsolationForest(n_estimators=2)], ids=["clusters", "outliers"])
def test_what_neither_tells_classes_apart_nor_predicts_numbers_is_refused(worker, loaded, numbers, model):
    with pytest.raises(InputError, match="neither a classifier nor a regressor") as e:
        loaded(worker, model.fit(numbers[0]))
    assert "\n" not in str(e.value)


def test_numbers_are_explained(worker, loaded, to_batch, numbers):
    x, y = numbers
    model = LinearRegression().fit(x, y)
    loaded(worker, model)
    found = worker.explain(to_batch(x), to_batch(x.iloc[:30]), None)
    (label, values, base, outputs), = found.outputs
    assert (label, found.space, found.exact, found.background_rows) == (None, "number", True, 30)
    np.testing.assert_allclose(values, (x - x.iloc[:30].mean()) * model.coef_, atol=1e-12)
    np.testing.assert_allclose(outputs, model.predict(x), atol=1e-12)
    assert base == pytest.approx(model.predict(x.iloc[:30]).mean())


def test_answers_of_every_task_are_checked():
    good = {"invalid_rows": 0, "not_finite": 0, "seconds": 0.1}
    labels, scores = np.array([0, 2], np.int32).tobytes(), np.full((2, 3), 1 / 3).tobytes()
    values = np.array([1.5, -2.0]).tobytes()
    assert read_prediction(good, [labels, scores], 2, 3, True, True).score.shape == (2, 3)
    assert read_prediction(good, [values], 2, 0, False, True).values.tolist() == [1.5, -2.0]
    lying = np.array([1.5, np.inf]).tobytes()
    for answer, buffers, classes, scored in [
        (good, [labels, scores[:-8]], 3, True),
        (good, [labels, scores[:16]], 3, True),
        (good, [labels], 3, True),
        (good, [labels, scores], 2, True),
        (good, [values, values], 0, False),
        (good, [values[:-8]], 0, False),
        (good, [lying], 0, False),
        (good | {"not_finite": 1}, [values], 0, False),
    ]:
        with pytest.raises(ProtocolError):
            read_prediction(answer, buffers, 2, classes, scored, True)
