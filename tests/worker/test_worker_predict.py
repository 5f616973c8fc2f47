"""Predictions through the process equal the model's own, whatever it is fed with."""

from __future__ import annotations

import io
import warnings

import joblib
import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from govern.errors import InputError

MODELS = [
    LogisticRegression(),
    HistGradientBoostingClassifier(max_iter=10),
    GradientBoostingClassifier(n_estimators=10),
    RandomForestClassifier(n_estimators=10, n_jobs=2),
    ExtraTreesClassifier(n_estimators=4),  # four trees: probabilities of exactly one half happen
    DecisionTreeClassifier(max_depth=3),
    KNeighborsClassifier(2),  # ties too
    make_pipeline(StandardScaler(), LogisticRegression()),
    GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2),
    lgb.LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=2),
    xgb.XGBClassifier(n_estimators=5, n_jobs=2),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("framed", [True, False], ids=["frame", "array"])
def test_labels_and_scores_are_the_models_own(worker, loaded, to_batch, numbers, model, framed):
    x, y = numbers
    given = x if framed else x.to_numpy()
    model = clone(model).fit(given, y)
    described = loaded(worker, model)
    assert described.classes == ("0", "1")
    assert described.features == (("a", "b", "c", "d") if framed else None)
    assert described.n_features == 4 and described.has_score
    for column, positive in enumerate(described.classes):
        seen = worker.predict(to_batch(given), positive)
        wanted = model.predict_proba(given)[:, column]
        np.testing.assert_allclose(seen.score, wanted, rtol=0, atol=1e-15)
        np.testing.assert_array_equal(seen.labels, model.predict(given))
        assert (seen.invalid_rows, seen.not_finite) == (0, 0)


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (np.array(["no", "yes"]), ("no", "yes")),
        (np.array([1.0, 2.0]), ("1", "2")),
        (np.array([False, True]), ("false", "true")),
        (np.array([1, 0]), ("0", "1")),
    ],
)
def test_classes_become_text_and_positive_is_found_by_label(worker, loaded, to_batch, numbers, labels, classes):
    x, y = numbers
    model = lgb.LGBMClassifier(n_estimators=5, verbose=-1).fit(x, labels[y])
    assert loaded(worker, model).classes == classes
    first = worker.predict(to_batch(x), classes[0])
    np.testing.assert_array_equal(first.score, model.predict_proba(x)[:, 0])
    with pytest.raises(InputError, match=f'no class "maybe"; its classes are {classes[0]}, {classes[1]}'):
        worker.predict(to_batch(x), "maybe")


def test_pipeline_on_text_with_missing_values(worker, loaded, to_batch, mixed):
    x, y = mixed
    columns = ColumnTransformer(
        [
            ("text", OneHotEncoder(handle_unknown="ignore"), ["job", "town"]),
            ("number", make_pipeline(SimpleImputer(), StandardScaler()), ["age", "pay"]),
        ]
    )
    model = make_pipeline(columns, LogisticRegression(C=0.5)).fit(x, y)
    described = loaded(worker, model)
    assert described.type == "sklearn.pipeline.Pipeline (ColumnTransformer, LogisticRegression)"
    assert described.parameters == {"C": 0.5}
    assert set(described.libraries) == {"python", "numpy", "pandas", "scikit-learn"}
    seen = worker.predict(to_batch(x), "good")
    np.testing.assert_allclose(seen.score, model.predict_proba(x)[:, 1], rtol=0, atol=1e-15)
    smoke = worker.smoke(to_batch(x), "good")
    assert (smoke.rows, smoke.repeat_difference) == (20, 0.0) and smoke.batch_difference < 1e-12


@pytest.mark.parametrize("library", ["lightgbm", "xgboost", "sklearn"])
def test_categories_keep_their_levels(worker, loaded, to_batch, mixed, library):
    x, y = mixed
    x = x.astype({"job": "category", "town": "category"})
    models = {
        "lightgbm": lgb.LGBMClassifier(n_estimators=5, verbose=-1, min_child_samples=5),
        "xgboost": xgb.XGBClassifier(n_estimators=5, enable_categorical=True),
        "sklearn": HistGradientBoostingClassifier(max_iter=5, categorical_features="from_dtype"),
    }
    model = models[library].fit(x, (y == "good").astype(int))
    loaded(worker, model)
    part = x.iloc[3:40]  # levels that do not occur must stay in the list
    seen = worker.predict(to_batch(part), "1")
    np.testing.assert_array_equal(seen.score, model.predict_proba(part)[:, 1].astype(float))


def test_without_predict_proba_there_are_labels_and_no_score(worker, loaded, to_batch, numbers):
    x, y = numbers
    model = LinearSVC().fit(x, y)
    assert not loaded(worker, model).has_score
    seen = worker.predict(to_batch(x), "1")
    assert seen.score is None
    np.testing.assert_array_equal(seen.labels, model.predict(x))
    assert worker.smoke(to_batch(x), "1").batch_difference == 0


def test_empty_batches_and_requests_under_way(worker, loaded, to_batch, numbers):
    x, y = numbers
    model = LogisticRegression().fit(x, y)
    loaded(worker, model)
    assert worker.predict(to_batch(x.iloc[:0]), "1").labels.shape == (0,)
    pending = [worker.submit_predict(to_batch(x.iloc[i : i + 100]), "1") for i in (0, 100, 200)]
    score = np.concatenate([p.result().score for p in pending])
    np.testing.assert_allclose(score, model.predict_proba(x)[:, 1], rtol=0, atol=1e-15)


@pytest.mark.parametrize("compress", [0, ("zlib", 3), ("gzip", 3), ("xz", 1)])
def test_joblib_files(worker, to_batch, numbers, compress):
    x, y = numbers
    model = RandomForestClassifier(n_estimators=3).fit(x, y)
    file = io.BytesIO()
    joblib.dump(model, file, compress=compress)
    assert worker.load(file.getvalue(), "joblib", "m.joblib").type == "sklearn.ensemble.RandomForestClassifier"
    np.testing.assert_array_equal(worker.predict(to_batch(x), "1").score, model.predict_proba(x)[:, 1])


def test_another_scikit_learn_version_is_a_warning(worker, numbers, loaded, monkeypatch):
    import sklearn.base

    x, y = numbers
    model = LogisticRegression().fit(x, y)
    monkeypatch.setattr(sklearn.base, "__version__", "1.5.2")
    described = loaded(worker, model)
    assert len(described.warnings) == 1
    assert described.warnings[0].startswith("saved with scikit-learn 1.5.2, loaded with ")


def test_timing(worker, loaded, to_batch, numbers):
    x, y = numbers
    loaded(worker, LogisticRegression().fit(x, y))
    timed = worker.time(to_batch(x), "1", single_repeats=7, batch_repeats=3, budget_seconds=60)
    assert timed.single_ms.shape == (7,) and timed.batch_ms.shape == (3,) and timed.batch_rows == 240
    assert (timed.single_ms > 0).all() and timed.peak_memory_bytes > 50 * 2**20
    short = worker.time(to_batch(x), "1", budget_seconds=0)
    assert short.single_ms.shape == short.batch_ms.shape == (1,)


def test_a_classifier_without_classes_is_refused(worker, loaded, numbers):
    x, y = numbers
    model = LogisticRegression().fit(x, y)
    del model.classes_
    with pytest.raises(InputError, match="no classes_"):
        loaded(worker, model)


def test_several_targets_are_refused(worker, loaded, numbers):
    x, y = numbers
    model = RandomForestClassifier(n_estimators=2).fit(x, np.column_stack([y, 1 - y]))
    with pytest.raises(InputError, match="several targets"):
        loaded(worker, model)


def test_wrong_number_of_columns_is_one_line(worker, loaded, to_batch, numbers):
    x, y = numbers
    loaded(worker, LogisticRegression().fit(x.to_numpy(), y))
    with pytest.raises(InputError, match=r"X has 3 features, but .* expecting 4 .*; check that the data") as e:
        worker.predict(to_batch(x[["a", "b", "c"]]), "1")
    assert "\n" not in str(e.value) and str(e.value).startswith("m.pkl: ")
    assert worker.predict(to_batch(x), "1").labels.shape == (240,)  # an error is not the end


def test_unknown_category_is_one_line(worker, loaded, to_batch, mixed):
    x, y = mixed
    known = x[["town"]]
    model = make_pipeline(OneHotEncoder(handle_unknown="error"), LogisticRegression()).fit(known, y)
    loaded(worker, model)
    with pytest.raises(InputError, match=r"unknown categories .*east"):
        worker.predict(to_batch(pd.DataFrame({"town": ["north", "east"]})), "good")


def test_probabilities_that_are_none(worker, loaded, to_batch, numbers):
    x, y = numbers
    model = LogisticRegression().fit(x.to_numpy(), y)
    model.coef_ = np.array([[np.inf, 0.0, 0.0, 0.0]])
    given = np.array([[0.0, 1, 1, 1], [1.0, 1, 1, 1]])  # 0 × ∞ in the first row
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded(worker, model)
        seen = worker.predict(to_batch(given), "1")
    assert seen.not_finite == 1 and np.isnan(seen.score[0]) and seen.score[1] == 1
