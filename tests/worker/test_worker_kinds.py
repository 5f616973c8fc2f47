"""Exact attributions add up to the model's own output to 1e-6 of it, for all kinds of models and all tasks."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    GammaRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    TweedieRegressor,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, SplineTransformer, StandardScaler
from sklearn.svm import SVC, LinearSVC, LinearSVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

TWO, THREE, NUMBER, COUNT = "two classes", "three classes", "number", "count"


def columns(text: bool = False) -> ColumnTransformer:
    """Every column by a way of its own; a text in words where asked."""
    parts = [("age", StandardScaler(), ["age"]), ("pay", SplineTransformer(4), ["pay", "debt"]),
             ("job", OneHotEncoder(handle_unknown="ignore"), ["job", "town"])]
    if text:
        parts += [("words", TfidfVectorizer(), "note"), ("bins", make_pipeline(KBinsDiscretizer(3)), ["pay", "age"])]
    return ColumnTransformer(parts)


def forest(**more) -> RandomForestClassifier:
    return RandomForestClassifier(8, max_depth=5, random_state=0, **more)


# Name: the model, task and output space; columns of numbers only unless the model begins with a ColumnTransformer.
KINDS = {
    "logistic": (LogisticRegression(), TWO, "log-odds"),
    "logistic of three": (make_pipeline(StandardScaler(), LogisticRegression()), THREE, "margin"),
    "ridge classifier": (RidgeClassifier(), THREE, "margin"),
    "stochastic gradient": (make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss")), TWO, "log-odds"),
    "hinge": (make_pipeline(StandardScaler(), SGDClassifier()), TWO, "margin"),
    "linear SVC": (LinearSVC(), TWO, "margin"),
    "SVC": (make_pipeline(StandardScaler(), SVC(kernel="linear")), TWO, "margin"),
    "discriminant": (LinearDiscriminantAnalysis(), THREE, "margin"),
    "least squares": (LinearRegression(), NUMBER, "number"),
    "lasso": (Lasso(0.1), NUMBER, "number"),
    "linear SVR": (make_pipeline(StandardScaler(), LinearSVR()), NUMBER, "number"),
    "Poisson": (make_pipeline(StandardScaler(), PoissonRegressor()), COUNT, "logarithm"),
    "gamma": (make_pipeline(StandardScaler(), GammaRegressor()), COUNT, "logarithm"),
    "Tweedie": (make_pipeline(StandardScaler(), TweedieRegressor(power=0)), NUMBER, "number"),
    "tree": (DecisionTreeClassifier(max_depth=5), THREE, "probability"),
    "tree of numbers": (DecisionTreeRegressor(), NUMBER, "number"),
    "forest": (forest(), TWO, "probability"),
    "forest of three": (forest(), THREE, "probability"),
    "forest of numbers": (RandomForestRegressor(8, max_depth=5), NUMBER, "number"),
    "extra trees": (ExtraTreesClassifier(8, max_depth=5), TWO, "probability"),
    "extra trees of numbers": (ExtraTreesRegressor(8, max_depth=5), NUMBER, "number"),
    "boosting": (GradientBoostingClassifier(n_estimators=8), TWO, "log-odds"),
    "boosting of three": (GradientBoostingClassifier(n_estimators=8), THREE, "margin"),
    "boosting of numbers": (GradientBoostingRegressor(n_estimators=8), NUMBER, "number"),
    "histogram": (HistGradientBoostingClassifier(max_iter=8), TWO, "log-odds"),
    "histogram of three": (HistGradientBoostingClassifier(max_iter=8), THREE, "margin"),
    "histogram of counts": (HistGradientBoostingRegressor(max_iter=8, loss="poisson"), COUNT, "logarithm"),
    "LightGBM": (lgb.LGBMClassifier(n_estimators=8, verbose=-1), TWO, "log-odds"),
    "LightGBM of three": (lgb.LGBMClassifier(n_estimators=8, verbose=-1), THREE, "margin"),
    "LightGBM of numbers": (lgb.LGBMRegressor(n_estimators=8, verbose=-1), NUMBER, "number"),
    "LightGBM of counts": (lgb.LGBMRegressor(n_estimators=8, verbose=-1, objective="poisson"), COUNT, "logarithm"),
    "XGBoost": (xgb.XGBClassifier(n_estimators=8), TWO, "log-odds"),
    "XGBoost of three": (xgb.XGBClassifier(n_estimators=8), THREE, "margin"),
    "XGBoost of numbers": (xgb.XGBRegressor(n_estimators=8), NUMBER, "number"),
    "XGBoost forest": (xgb.XGBRFClassifier(n_estimators=8), TWO, "log-odds"),
    "XGBoost linear": (xgb.XGBClassifier(n_estimators=8, booster="gblinear"), TWO, "log-odds"),
    "encoded logistic": (make_pipeline(columns(), LogisticRegression()), TWO, "log-odds"),
    "words and bins": (make_pipeline(columns(True), LogisticRegression()), THREE, "margin"),
    "words in trees": (make_pipeline(columns(True), lgb.LGBMClassifier(n_estimators=8, verbose=-1)), TWO, "log-odds"),
    "encoded forest": (make_pipeline(columns(), forest()), THREE, "probability"),
    "voting": (VotingClassifier([("a", forest()), ("b", DecisionTreeClassifier(max_depth=3))], voting="soft",
                                weights=[1, 2]), THREE, "probability"),
    "voting of numbers": (VotingRegressor([("a", LinearRegression()), ("b", DecisionTreeRegressor(max_depth=3))]),
                          NUMBER, "number"),
    "bagging": (BaggingClassifier(DecisionTreeClassifier(max_depth=4), 6, max_features=0.7), TWO, "probability"),
    "bagging of numbers": (BaggingRegressor(DecisionTreeRegressor(max_depth=4), 6, max_features=0.7), NUMBER, "number"),
    "calibrated": (CalibratedClassifierCV(HistGradientBoostingClassifier(max_iter=8), ensemble=False, cv=2), TWO,
                   "log-odds"),
    "calibrated forest": (CalibratedClassifierCV(forest(), ensemble=False, cv=2), TWO, "log-odds"),
    "target scaled": (TransformedTargetRegressor(Ridge(), transformer=StandardScaler()), NUMBER, "number"),
    "target's logarithm": (TransformedTargetRegressor(HistGradientBoostingRegressor(max_iter=8), func=np.log,
                                                      inverse_func=np.exp), COUNT, "logarithm"),
}

# No sum of the members' attributions is the output's: permutations.
NOT_EXACT = {
    "five calibrations": (CalibratedClassifierCV(LogisticRegression(), cv=5), TWO),
    "isotonic": (CalibratedClassifierCV(LogisticRegression(), method="isotonic", ensemble=False), TWO),
    "mixed voting": (VotingClassifier([("a", forest()), ("b", LogisticRegression())], voting="soft"), TWO),
    "hard voting": (VotingClassifier([("a", forest()), ("b", LogisticRegression())]), TWO),
    "logistic bagging": (BaggingClassifier(LogisticRegression(), 4), TWO),
    "cubed target": (TransformedTargetRegressor(Ridge(), func=np.cbrt, inverse_func=np.exp2, check_inverse=False),
                     NUMBER),
}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """200 rows of numbers, categories and a note of words."""
    rng = np.random.default_rng(11)
    n = 200
    x = pd.DataFrame({"age": rng.integers(18, 80, n), "job": rng.choice(["cook", "clerk", "smith"], n),
                      "pay": rng.normal(10, 3, n), "debt": rng.exponential(2, n),
                      "town": rng.choice(["north", "south"], n)})
    return x.assign(note=np.where(x["pay"] > 11, "pays well", "pays late") + np.where(x["debt"] > 2, " in debt", ""))


@pytest.fixture(scope="module")
def targets(table) -> dict[str, np.ndarray]:
    noise = np.random.default_rng(12).normal(size=len(table))
    truth = (table["pay"] - table["debt"] + (table["job"] == "cook") * table["age"] / 20 + noise).to_numpy()
    return {TWO: (truth > 9).astype(int), THREE: np.digitize(truth, [7, 11]), NUMBER: truth, COUNT: np.exp(truth / 8)}


def fitted(name, kinds, table, targets):
    model, task = kinds[name][:2]
    first = model.steps[0][1] if hasattr(model, "steps") else model
    x = table if isinstance(first, ColumnTransformer) else table[["age", "pay", "debt"]]
    return model.fit(x, targets[task]), x


def raw_outputs(model, x, space) -> np.ndarray:
    """The model's own outputs (n_rows, n_outputs) in the space, without our code."""
    if space == "log-odds":
        p = model.predict_proba(x)[:, 1].astype(float)
        return (np.log(p) - np.log1p(-p))[:, None]
    if space == "margin":
        if hasattr(model, "decision_function"):
            return model.decision_function(x).reshape(len(x), -1)
        inner = model.get_booster() if hasattr(model, "get_booster") else model.booster_
        return inner.predict(xgb.DMatrix(x), output_margin=True) if hasattr(model, "get_booster") else \
            inner.predict(x, raw_score=True)
    if space == "probability":
        return model.predict_proba(x)
    return (np.log(model.predict(x)) if space == "logarithm" else model.predict(x)).reshape(len(x), -1)


@pytest.mark.parametrize("name", KINDS)
def test_exact_for_every_kind(worker, loaded, to_batch, table, targets, name):
    model, x = fitted(name, KINDS, table, targets)
    described = loaded(worker, model)
    space = KINDS[name][2]
    positive = "1" if KINDS[name][1] == TWO else None
    found = worker.explain(to_batch(x), to_batch(x.iloc[:50]), positive)
    assert (found.exact, found.space) == (True, space), found.method
    labels = [None] if positive else list(described.classes) or [None]
    assert [o.label for o in found.outputs] == labels
    largest = max(1.0, max(np.abs(o.outputs).max() for o in found.outputs))
    assert found.residual <= 1e-6 * largest
    wanted = raw_outputs(model, x, space)
    for i, one in enumerate(found.outputs):
        column = -1 if positive else i
        # Log-odds of probabilities in single precision are good to about 1e-5.
        np.testing.assert_allclose(one.values.sum(axis=1) + one.base, wanted[:, column], atol=2e-5 * largest)
    if "note" not in x or "words" in name:
        assert all((np.abs(one.values).sum(axis=0) > 0).any() for one in found.outputs)


@pytest.mark.parametrize("name", NOT_EXACT)
def test_what_does_not_add_up_is_never_called_exact(worker, loaded, to_batch, table, targets, name):
    model, x = fitted(name, NOT_EXACT, table, targets)
    loaded(worker, model)
    positive = "1" if NOT_EXACT[name][1] == TWO else None
    found = worker.explain(to_batch(x.iloc[:5]), to_batch(x.iloc[:20]), positive)
    assert not found.exact and found.method == "permutations" and found.residual < 1e-9


def test_words_are_added_up_to_their_column(worker, loaded, to_batch, table, targets):
    """By hand: coefficient × (weight − mean weight) of each word, summed."""
    model = make_pipeline(ColumnTransformer([("words", TfidfVectorizer(), "note"), ("pay", StandardScaler(), ["pay"])]),
                          LogisticRegression()).fit(table, targets[TWO])
    loaded(worker, model)
    found = worker.explain(to_batch(table), to_batch(table), "1")
    weights = model[0].transform(table)[:, :-1]
    hand = (weights - weights.mean(axis=0)) @ model[-1].coef_[0, :-1]
    np.testing.assert_allclose(found.outputs[0].values[:, found.features.index("note")], hand, atol=1e-12)
    unused = [f for f in found.features if f not in ("note", "pay")]
    assert all((found.outputs[0].values[:, found.features.index(f)] == 0).all() for f in unused)


def test_a_calibrated_margin_is_stretched(worker, loaded, to_batch, table, targets):
    x = table[["age", "pay", "debt"]]
    inner = LogisticRegression().fit(x, targets[TWO])
    model = CalibratedClassifierCV(FrozenEstimator(inner)).fit(x, targets[TWO])
    loaded(worker, model)
    found = worker.explain(to_batch(x), to_batch(x), "1").outputs[0]
    slope = -model.calibrated_classifiers_[0].calibrators[0].a_
    np.testing.assert_allclose(found.values, slope * (x - x.mean()) * inner.coef_[0], atol=1e-9)


def test_the_first_of_two_classes(worker, loaded, to_batch, table, targets):
    """Of two classes the first has what is left of a probability, and the margin with its sign changed."""
    x = table[["age", "pay", "debt"]]
    for model in (forest(), HistGradientBoostingClassifier(max_iter=8)):
        loaded(worker, model.fit(x, targets[TWO]))
        first, second = (worker.explain(to_batch(x), to_batch(x), label) for label in ("0", "1"))
        np.testing.assert_allclose(first.outputs[0].values, -second.outputs[0].values, atol=1e-12)
        total = 1.0 if second.space == "probability" else 0.0
        np.testing.assert_allclose(first.outputs[0].outputs + second.outputs[0].outputs, total, atol=1e-12)
        assert first.outputs[0].base + second.outputs[0].base == pytest.approx(total, abs=1e-12)
        both = worker.explain(to_batch(x), to_batch(x), None)
        assert [o.label for o in both.outputs] == ["0", "1"]
        np.testing.assert_array_equal(both.outputs[0].values, first.outputs[0].values)
