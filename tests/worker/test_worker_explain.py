"""Attributions add up to the model's own output and speak of the input columns, whatever the preprocessing."""

from __future__ import annotations

import warnings

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from govern.errors import InputError
from govern.worker.trees import import_shap


@pytest.fixture(scope="module")
def shap():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # matplotlib's, through shap's plots
        return import_shap()


def log_odds(p):
    return np.log(p) - np.log1p(-p)


EXACT = {
    "hgb": (HistGradientBoostingClassifier(max_iter=10), "log-odds"),
    "gb": (GradientBoostingClassifier(n_estimators=10), "log-odds"),
    "rf": (RandomForestClassifier(n_estimators=10), "probability"),
    "et": (ExtraTreesClassifier(n_estimators=10), "probability"),
    "tree": (DecisionTreeClassifier(max_depth=4), "probability"),
    "lgb": (lgb.LGBMClassifier(n_estimators=10, verbose=-1), "log-odds"),
    "xgb": (xgb.XGBClassifier(n_estimators=10), "log-odds"),
    "logistic": (LogisticRegression(), "log-odds"),
    "search": (GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2), "log-odds"),
    "scaled": (make_pipeline(StandardScaler(), HistGradientBoostingClassifier(max_iter=5)), "log-odds"),
}


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("positive", ["0", "1"])
def test_exact_explainers_add_up_to_the_output(worker, loaded, to_batch, numbers, name, positive):
    x, y = numbers
    model, space = EXACT[name]
    model.fit(x, y)
    loaded(worker, model)
    found = worker.explain(to_batch(x), to_batch(x.iloc[:50]), positive)
    wanted = model.predict_proba(x)[:, int(positive)].astype(float)
    assert found.exact and found.space == space and found.features == ("a", "b", "c", "d")
    assert found.residual <= 1e-6
    sums = found.outputs[0].values.sum(axis=1) + found.outputs[0].base
    # XGBoost's probabilities are single precision numbers.
    np.testing.assert_allclose(sums, log_odds(wanted) if space == "log-odds" else wanted, atol=1e-5)
    assert np.abs(found.outputs[0].values[:, 0]).mean() > np.abs(found.outputs[0].values[:, 3]).mean()  # d says nothing


def test_shap_gives_the_same_for_lightgbm(shap, worker, loaded, to_batch, numbers):
    x, y = numbers
    model = lgb.LGBMClassifier(n_estimators=10, verbose=-1).fit(x, y)
    loaded(worker, model)
    found = worker.explain(to_batch(x), to_batch(x.iloc[:5]), "1")
    explainer = shap.TreeExplainer(model.booster_)
    np.testing.assert_allclose(found.outputs[0].values, explainer(x).values, atol=1e-9)


def encoded_logistic(job_encoder):
    columns = ColumnTransformer(
        [
            ("town", OneHotEncoder(drop="first"), ["town"]),
            ("number", make_pipeline(SimpleImputer(), StandardScaler()), ["pay", "age"]),
            ("job", job_encoder, ["job"]),
        ]
    )
    return make_pipeline(columns, LogisticRegression(C=10))


def test_one_hot_columns_are_added_back_by_hand(worker, loaded, to_batch, mixed):
    x, y = mixed
    job = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(min_frequency=2, sparse_output=False))
    model = encoded_logistic(job).fit(x, y)
    loaded(worker, model)
    background = x.iloc[50:150]
    found = worker.explain(to_batch(x.iloc[:40]), to_batch(background), "good")
    assert found.method == "linear, exact" and found.features == ("job", "age", "town", "pay")
    assert found.background_rows == 100 and found.background == "mean of a sample of the data"

    encode, last = model[0], model[-1]
    assert last.coef_.shape == (1, 6)  # town, pay, age, then job's three levels
    shown, behind = encode.transform(x.iloc[:40]), encode.transform(background)
    parts = (shown - behind.mean(axis=0)) * last.coef_[0]
    hand = np.column_stack([parts[:, 3:6].sum(axis=1), parts[:, 2], parts[:, 0], parts[:, 1]])
    np.testing.assert_allclose(found.outputs[0].values, hand, atol=1e-12)
    np.testing.assert_allclose(found.outputs[0].outputs, model.decision_function(x.iloc[:40]), atol=1e-12)
    reversed_ = worker.explain(to_batch(x.iloc[:40]), to_batch(background), "bad")
    np.testing.assert_allclose(reversed_.outputs[0].values, -hand, atol=1e-12)


def test_sparse_preprocessing(worker, loaded, to_batch, mixed):
    x, y = mixed
    x = x[["job", "town"]]
    model = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(x, y)
    loaded(worker, model)
    found = worker.explain(to_batch(x), to_batch(x), "good")
    assert found.exact and found.outputs[0].values.shape == (240, 2) and found.residual < 1e-12


@pytest.mark.parametrize("kind", ["forest", "lightgbm", "xgboost"])
def test_trees_behind_preprocessing(worker, loaded, to_batch, mixed, kind):
    x, y = mixed
    columns = ColumnTransformer(
        [
            ("text", OneHotEncoder(sparse_output=False), ["job"]),
            ("order", OrdinalEncoder(), ["town"]),
            ("missing", SimpleImputer(add_indicator=True), ["age", "pay"]),
        ]
    )
    last = {
        "forest": RandomForestClassifier(n_estimators=10),
        "lightgbm": lgb.LGBMClassifier(n_estimators=10, verbose=-1),
        "xgboost": xgb.XGBClassifier(n_estimators=10),
    }[kind]
    columns.set_output(transform="pandas" if kind == "lightgbm" else "default")
    model = make_pipeline(columns, last).fit(x, (y == "good").astype(int))
    loaded(worker, model)
    found = worker.explain(to_batch(x), to_batch(x.iloc[:20]), "1")
    assert found.exact and found.residual <= 1e-6 and found.outputs[0].values.shape == (240, 4)
    importance = dict(zip(found.features, np.abs(found.outputs[0].values).mean(axis=0), strict=True))
    assert importance["town"] == min(importance.values())  # the target does not depend on it


def test_categories_of_boosters(worker, loaded, to_batch, mixed):
    x, y = mixed
    x = x.astype({"job": "category", "town": "category"})
    for model in (
        lgb.LGBMClassifier(n_estimators=5, verbose=-1, min_child_samples=5),
        xgb.XGBClassifier(n_estimators=5, enable_categorical=True),
    ):
        model.fit(x, (y == "good").astype(int))
        loaded(worker, model)
        found = worker.explain(to_batch(x.iloc[:30]), to_batch(x.iloc[30:40]), "1")
        assert found.exact and found.residual <= 1e-6, found.method


def test_early_stopped_xgboost_explains_the_rounds_it_predicts_with(worker, loaded, to_batch, numbers):
    x, y = numbers
    model = xgb.XGBClassifier(n_estimators=60, early_stopping_rounds=2, learning_rate=1.0)
    model.fit(x[:160], y[:160], eval_set=[(x[160:], y[160:])], verbose=False)
    assert model.best_iteration < 50
    loaded(worker, model)
    found = worker.explain(to_batch(x), to_batch(x), "1")
    assert found.exact and found.residual <= 1e-5


@pytest.mark.parametrize(
    "model",
    [
        KNeighborsClassifier(7),
        make_pipeline(PCA(2), LogisticRegression()),  # columns are mixed: no way back through it
        CalibratedClassifierCV(LogisticRegression(), cv=2),
        lgb.LGBMClassifier(n_estimators=5, verbose=-1, linear_tree=True),  # no exact values exist
    ],
    ids=["knn", "pca", "calibrated", "linear trees"],
)
def test_everything_else_is_explained_by_permutations(worker, loaded, to_batch, numbers, model):
    x, y = numbers
    model.fit(x, y)
    loaded(worker, model)
    found = worker.explain(to_batch(x), to_batch(x.iloc[:60]), "1", seed=3)
    assert not found.exact and found.method == "permutations" and found.background_rows == 60
    assert found.outputs[0].values.shape == (240, 4) and found.space == "probability"
    wanted = model.predict_proba(x)[:, 1]
    np.testing.assert_allclose(found.outputs[0].values.sum(axis=1) + found.outputs[0].base, wanted, atol=1e-9)
    assert found.outputs[0].base == pytest.approx(model.predict_proba(x.iloc[:60])[:, 1].mean(), abs=1e-12)
    assert found.residual < 1e-12
    again = worker.explain(to_batch(x), to_batch(x.iloc[:60]), "1", seed=3)
    np.testing.assert_array_equal(again.outputs[0].values, found.outputs[0].values)
    other = worker.explain(to_batch(x), to_batch(x.iloc[:60]), "1", seed=4)
    assert np.abs(other.outputs[0].values - found.outputs[0].values).max() > 0


def test_permutations_spend_no_prediction_on_what_is_known(worker, loaded, to_batch, numbers):
    """The ends of a walk are predicted once, and columns alike in a row and the background are no step."""
    x, y = numbers
    loaded(worker, KNeighborsClassifier(7).fit(x, y))
    background = x.iloc[20:70]
    rows = background.iloc[:1].assign(a=100.0, b=100.0)
    found = worker.explain(to_batch(rows), to_batch(background), "1")
    # From 49 rows of the background four columns are switched: six rows between the ends; from the row that the
    # explained one was made of two: two rows.
    assert found.evaluations == 51 + 49 * 6 + 2
    only = background.iloc[:1].assign(a=100.0)
    found = worker.explain(to_batch(only), to_batch(background.iloc[:1]), "1")
    assert found.evaluations == 2 and (found.outputs[0].values[:, 1:] == 0).all()


def test_permutations_of_several_classes_and_of_numbers(worker, loaded, to_batch, numbers):
    x, y = numbers
    classes = y + (x["d"] > 0.5).to_numpy()
    model = KNeighborsClassifier(9).fit(x, classes)
    loaded(worker, model)
    found = worker.explain(to_batch(x.iloc[:20]), to_batch(x.iloc[20:60]), None)
    assert [o.label for o in found.outputs] == ["0", "1", "2"] and found.space == "probability"
    wanted = model.predict_proba(x.iloc[:20])
    for i, one in enumerate(found.outputs):
        np.testing.assert_allclose(one.outputs, wanted[:, i], atol=1e-12)
    assert found.residual < 1e-12
    single = worker.explain(to_batch(x.iloc[:20]), to_batch(x.iloc[20:60]), "2").outputs[0]
    np.testing.assert_array_equal(single.values, found.outputs[2].values)
    assert single.label is None
    number = KNeighborsRegressor(9).fit(x, y + 0.5)
    loaded(worker, number)
    found = worker.explain(to_batch(x.iloc[:20]), to_batch(x.iloc[20:60]), None)
    assert (found.space, len(found.outputs), found.exact) == ("number", 1, False)
    np.testing.assert_allclose(found.outputs[0].outputs, number.predict(x.iloc[:20]), atol=1e-12)


def test_parts_of_the_rows_are_explained_as_all_of_them(worker, loaded, to_batch, numbers):
    x, y = numbers
    loaded(worker, HistGradientBoostingClassifier(max_iter=10).fit(x, y))
    every = worker.explain(to_batch(x), to_batch(x), "1").outputs[0]
    parts = [worker.submit_explain(to_batch(x.iloc[i : i + 80]), to_batch(x), "1", 0, rows_budget=80,
                                   evaluations_budget=80) for i in (0, 80, 160)]
    found = [part.result().outputs[0] for part in parts]
    np.testing.assert_array_equal(np.concatenate([part.values for part in found]), every.values)
    assert {part.base for part in found} == {every.base}


def test_a_declared_background_is_compared_with(worker, loaded, to_batch, numbers):
    x, y = numbers
    model = HistGradientBoostingClassifier(max_iter=10).fit(x, y)
    loaded(worker, model)
    found = worker.explain(to_batch(x), to_batch(x.iloc[:30]), "0", declared=True)
    assert found.exact and (found.background_rows, found.background) == (30, "rows of a sample of the data")
    assert found.outputs[0].base == pytest.approx(-model.decision_function(x.iloc[:30]).mean())
    assert found.residual < 1e-12
    assert worker.explain(to_batch(x), to_batch(x.iloc[:30]), "0").background_rows == 0


def test_permutations_by_hand(worker, loaded, to_batch, numbers):
    """Two columns have only two orders, so that forward and backward give the exact Shapley values."""
    x, y = numbers
    x = x[["a", "b"]]
    model = KNeighborsClassifier(25).fit(x, y)
    loaded(worker, model)
    rows, background = x.iloc[:10], x.iloc[20:70]
    found = worker.explain(to_batch(rows), to_batch(background), "1")

    def value(row: pd.Series, *known: str) -> float:
        return model.predict_proba(background.assign(**{k: row[k] for k in known}))[:, 1].mean()

    for i, (_, row) in enumerate(rows.iterrows()):
        nothing, a, b, both = value(row), value(row, "a"), value(row, "b"), value(row, "a", "b")
        hand = [((a - nothing) + (both - b)) / 2, ((b - nothing) + (both - a)) / 2]
        np.testing.assert_allclose(found.outputs[0].values[i], hand, atol=1e-12)


def test_permutations_of_text_categories_and_missing_values(worker, loaded, to_batch, mixed):
    x, y = mixed
    x = x.astype({"town": "category"}).assign(day=pd.Timestamp("2020-01-01"), old=x["age"] > 50)
    columns = ColumnTransformer(
        [
            ("text", OneHotEncoder(), ["job", "town"]),
            ("pay", SimpleImputer(), ["pay"]),
            ("age", StandardScaler(), ["age"]),
        ]
    )
    model = make_pipeline(columns, KNeighborsClassifier(5)).fit(x, y)
    loaded(worker, model)
    found = worker.explain(to_batch(x), to_batch(x.iloc[100:]), "good")
    wanted = model.predict_proba(x.iloc[:found.rows])[:, 1]
    np.testing.assert_allclose(found.outputs[0].outputs, wanted, atol=1e-12)
    assert found.features == ("job", "age", "town", "pay", "day", "old")
    assert (found.outputs[0].values[:, 4:] == 0).all()  # columns that the model does not read


def test_the_budget_limits_the_rows(worker, loaded, to_batch, numbers):
    x, y = numbers
    loaded(worker, lgb.LGBMClassifier(n_estimators=10, num_leaves=8, verbose=-1).fit(x, y))
    assert worker.explain(to_batch(x), to_batch(x), "1", rows_budget=60).rows == 60
    found = worker.explain(to_batch(x), to_batch(x), "1", evaluations_budget=60)
    assert found.rows == 60 and found.evaluations == 60 and found.exact
    loaded(worker, KNeighborsClassifier().fit(x, y))
    # The background once, and of each row itself and at most 2 × 3 rows on the way from each background row.
    found = worker.explain(to_batch(x), to_batch(x.iloc[:50]), "1", evaluations_budget=50 + 3 * (1 + 50 * 2 * 3))
    assert found.rows == 3 and found.evaluations <= 50 + 3 * 301
    assert worker.explain(to_batch(x), to_batch(x), "1", evaluations_budget=1).rows == 1


def test_a_model_without_scores_is_explained_by_its_margin_or_labels(worker, loaded, to_batch, numbers):
    x, y = numbers
    model = LinearSVC().fit(x, y)
    loaded(worker, model)
    assert worker.explain(to_batch(x), to_batch(x), "1").space == "margin"


def test_nothing_to_explain_is_an_error(worker, loaded, to_batch, numbers):
    x, y = numbers
    loaded(worker, LogisticRegression().fit(x, y))
    with pytest.raises(InputError, match="no rows to explain"):
        worker.explain(to_batch(x.iloc[:0]), to_batch(x), "1")


def test_explaining_runs_while_the_parent_goes_on(worker, loaded, to_batch, numbers):
    x, y = numbers
    loaded(worker, RandomForestClassifier(n_estimators=50).fit(x, y))
    explained = worker.submit_explain(to_batch(x), to_batch(x), "1")
    timed = worker.submit_time(to_batch(x), "1", 3, 1, 0.1)
    assert timed.result().batch_rows == 240 and explained.result().exact
