"""Tables of trees give the values of the definition, of shap and of the libraries, for every kind of split."""

from __future__ import annotations

import itertools
import math

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeRegressor

from govern.worker import treetables
from govern.worker.raw import Background, Raw
from govern.worker.treearrays import forest
from govern.worker.trees import import_shap, trees
from govern.worker.treetables import Cut, Tree, look_up, tables

NOTHING = Background(lambda: None)


def values_of(model, x) -> Raw:
    """What the tables say; the library is not asked."""
    explainer = trees(model)
    assert explainer is not None
    found = explainer.explain(x, NOTHING)
    assert found.method == "tree SHAP by tables, exact" and found.holds
    return found


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """500 rows of numbers, one column with missing values, and two categories."""
    rng = np.random.default_rng(3)
    n = 500
    x = pd.DataFrame({"a": rng.normal(size=n), "b": rng.integers(0, 6, n).astype(float), "c": rng.normal(size=n),
                      "town": pd.Categorical(rng.choice(["n", "s", "e", "w", "x"], n)),
                      "job": pd.Categorical(rng.choice(["k", "l"], n))})
    x.loc[::7, "b"] = np.nan
    return x


@pytest.fixture(scope="module")
def truth(table) -> np.ndarray:
    noise = np.random.default_rng(4).normal(size=len(table))
    return (table["a"] + table["b"].fillna(2) * table["c"] + 2 * (table["town"] == "n") + noise).to_numpy()


def test_a_tree_by_hand():
    """Leaves 0, 6 and 10 behind two splits: path dependent values from the definition, on paper.

    x0 goes left in 6 of 10 rows (leaf 0); right of it x1 goes left in 1 of 4 rows (6), else right (10). For a row that
    goes right twice v(∅) = 0.4 · (0.25 · 6 + 0.75 · 10) = 3.6, v(x0) = 9, v(x1) = 0.4 · 10 = 4, v(both) = 10.
    """
    tree = Tree(np.array([0, -1, 1, -1, -1]), np.array([[1, 2], [0, 0], [3, 4], [0, 0], [0, 0]]),
                np.array([10.0, 6, 4, 1, 3]), np.array([[0.0], [0], [0], [6], [10]]), 0,
                [Cut(0, True), None, Cut(0, False), None, None])
    groups, bases = tables([tree], [3, 3], 1)
    found = look_up(groups, np.array([[1, 0, 2], [1, 0, 0]]), 1)
    assert bases == pytest.approx([3.6])
    np.testing.assert_allclose(found[0, :, 0], [((9 - 3.6) + (10 - 4)) / 2, ((4 - 3.6) + (10 - 9)) / 2])
    assert found[0].sum(axis=0) + 3.6 == pytest.approx([10, 0, 0])  # missing x0 (code 2) goes left


@pytest.mark.parametrize("limit", [1, 8, 1 << 16])
def test_the_size_of_groups_changes_no_value(monkeypatch, table, truth, limit):
    x = table[["a", "b", "c"]]
    model = HistGradientBoostingRegressor(max_iter=8).fit(x, truth)
    wanted = values_of(model, x).values
    monkeypatch.setattr(treetables, "TABLE", limit)
    np.testing.assert_allclose(values_of(model, x).values, wanted, atol=1e-12)


def test_rows_are_explained_one_by_one_as_together(monkeypatch, table, truth):
    x = table[["a", "b", "c"]]
    model = HistGradientBoostingRegressor(max_iter=8).fit(x, truth)
    together = values_of(model, x).values
    monkeypatch.setattr(treetables, "ROWS", 64)  # several parts, on as many threads as there are
    np.testing.assert_array_equal(values_of(model, x).values, together)
    for i in (0, 7, 499):
        np.testing.assert_array_equal(values_of(model, x.iloc[i : i + 1]).values[:, 0], together[:, i])


LIKE_SHAP = {
    "hgb": lambda y: HistGradientBoostingClassifier(max_iter=15).fit,
    "hgb numbers": lambda y: HistGradientBoostingRegressor(max_iter=15).fit,
    "gb": lambda y: GradientBoostingClassifier(n_estimators=15).fit,
    "gb numbers": lambda y: GradientBoostingRegressor(n_estimators=15).fit,
    "forest": lambda y: RandomForestClassifier(10, max_depth=7, random_state=0).fit,
    "extra": lambda y: ExtraTreesClassifier(10, max_depth=7, random_state=0).fit,
    "forest numbers": lambda y: RandomForestRegressor(10, max_depth=7, random_state=0).fit,
    "tree": lambda y: DecisionTreeRegressor(max_depth=6, random_state=0).fit,
}


@pytest.mark.parametrize("name", LIKE_SHAP)
def test_the_values_are_those_of_shap(table, truth, name):
    x = table[["a", "b", "c"]].fillna(0)
    y = truth if name.endswith("numbers") or name == "tree" else (truth > 1).astype(int)
    model = LIKE_SHAP[name](y)(x, y)
    found = values_of(model, x)
    explainer = import_shap().TreeExplainer(model, feature_perturbation="tree_path_dependent")
    wanted = np.asarray(explainer.shap_values(x, check_additivity=False))
    wanted = wanted[:, :, 1] if wanted.ndim == 3 else wanted
    np.testing.assert_allclose(found.values[-1], wanted, atol=1e-9)
    assert found.bases[-1] == pytest.approx(np.ravel(explainer.expected_value)[-1], abs=1e-9)


@pytest.mark.parametrize("more", [{}, {"boosting_type": "dart"}, {"objective": "cross_entropy"}], ids=str)
@pytest.mark.parametrize("classes", [2, 3])
def test_the_values_are_those_of_lightgbm(table, truth, classes, more):
    if classes == 3 and "objective" in more:
        more = {"num_leaves": 5}
    y = np.digitize(truth, [1] if classes == 2 else [0, 2])
    model = lgb.LGBMClassifier(n_estimators=15, verbose=-1, min_child_samples=5, **more).fit(table, y)
    found = values_of(model, table)
    wanted = model.booster_.predict(table, pred_contrib=True).reshape(len(table), -1, 6)
    np.testing.assert_allclose(found.values, wanted[:, :, :5].transpose(1, 0, 2), atol=1e-9)
    np.testing.assert_allclose(found.bases, wanted[0, :, 5], atol=1e-9)


def test_what_lightgbm_makes_of_categories_and_gaps_it_never_saw(table, truth):
    x = table.assign(b=table["b"].fillna(1.0))
    model = lgb.LGBMClassifier(n_estimators=15, verbose=-1, min_child_samples=5).fit(x, truth > 1)
    new = table.iloc[:40].assign(town=pd.Categorical(["q", "n", "e", None] * 10), a=np.nan)
    found = values_of(model, new)  # gaps in a and b count as zeros, as LightGBM takes them
    wanted = model.booster_.predict(new, pred_contrib=True)
    np.testing.assert_allclose(found.values[0], wanted[:, :5], atol=1e-9)


@pytest.mark.parametrize("objective", ["reg:squarederror", "count:poisson", "binary:logistic", "multi:softprob"])
def test_the_values_are_those_of_xgboost(table, truth, objective):
    x = table[["a", "b", "c"]]
    y = {"count:poisson": np.exp(truth / 4), "binary:logistic": (truth > 1).astype(int),
         "multi:softprob": np.digitize(truth, [0, 2])}.get(objective, truth)
    kind = xgb.XGBRegressor if objective in ("reg:squarederror", "count:poisson") else xgb.XGBClassifier
    model = kind(n_estimators=15, objective=objective).fit(x, y)
    found = values_of(model, x)
    booster = model.get_booster()
    wanted = booster.predict(xgb.DMatrix(x), pred_contribs=True, strict_shape=True)
    np.testing.assert_allclose(found.values, wanted[:, :, :3].transpose(1, 0, 2), atol=1e-5)  # single precision
    np.testing.assert_allclose(found.bases, wanted[0, :, 3], atol=1e-5)


def brute_force(f, row: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Shapley values of the mean of `f` over the background where columns outside a set are the background's."""
    k = len(row)
    value = {}
    for size in range(k + 1):
        for chosen in itertools.combinations(range(k), size):
            mixed = background.copy()
            mixed[:, chosen] = row[list(chosen)]
            value[chosen] = f(mixed).mean()
    found = np.zeros(k)
    for chosen, v in value.items():
        for j in set(range(k)) - set(chosen):
            weight = math.factorial(len(chosen)) * math.factorial(k - len(chosen) - 1) / math.factorial(k)
            found[j] += weight * (value[tuple(sorted((*chosen, j)))] - v)
    return found


@pytest.mark.parametrize("kind", ["boosting", "forest"])
def test_against_a_declared_background_by_the_definition(table, truth, kind):
    x = table[["a", "b", "c"]].to_numpy()
    y = (truth > 1).astype(int)
    if kind == "boosting":
        model = HistGradientBoostingClassifier(max_iter=10).fit(x, y)
        output = model.decision_function
    else:
        model = RandomForestClassifier(10, max_depth=5, random_state=0).fit(x, y)
        output = lambda given: model.predict_proba(given)[:, 1]  # noqa: E731
    explainer = trees(model)
    assert explainer is not None
    background = x[100:160]
    found = explainer.explain(x[:5], Background(lambda: background, declared=True))
    assert found.holds and (found.background, found.background_rows) == ("rows", 60)
    assert found.bases[-1] == pytest.approx(output(background).mean(), abs=1e-12)
    for i in range(5):
        np.testing.assert_allclose(found.values[-1, i], brute_force(output, x[i], background), atol=1e-9)
    again = explainer.explain(x[:5], NOTHING)
    assert again.background == "trees" and np.abs(again.values - found.values).max() > 1e-3


@pytest.mark.parametrize("model", [
    lgb.LGBMClassifier(n_estimators=3, verbose=-1, zero_as_missing=True),
    lgb.LGBMClassifier(n_estimators=3, verbose=-1, boosting_type="rf", bagging_freq=1, bagging_fraction=0.5),
    xgb.XGBClassifier(n_estimators=3, booster="dart", rate_drop=0.5),
    xgb.XGBClassifier(n_estimators=3, enable_categorical=True),
], ids=["zeros are missing", "mean of trees", "dropped trees", "categories"])
def test_what_the_tables_do_not_know_is_left_to_the_library(table, truth, model):
    x = table if model.get_params().get("enable_categorical") else table[["a", "b", "c"]]
    model.fit(x, (truth > 1).astype(int))
    assert forest(model) is None
    explainer = trees(model)
    assert explainer is not None
    found = explainer.explain(x, NOTHING)
    assert found.holds and found.method in ("LightGBM pred_contrib, exact", "XGBoost pred_contribs, exact")
    with pytest.raises(ValueError, match="compares with what the trees counted"):
        explainer.explain(x, Background(lambda: x, declared=True))


def test_tables_that_would_be_too_large_are_left_to_the_library(monkeypatch, table, truth):
    x = table[["a", "b", "c"]]
    model = HistGradientBoostingRegressor(max_iter=3).fit(x, truth)
    monkeypatch.setattr("govern.worker.treetables.MOST_BYTES", 100)
    explainer = trees(model)
    assert explainer is not None and explainer.explain(x.fillna(0), NOTHING).method == "shap.TreeExplainer, exact"
