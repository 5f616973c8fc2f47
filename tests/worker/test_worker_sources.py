"""Which input column each encoded column came from: certain, or None."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    Normalizer,
    OneHotEncoder,
    PolynomialFeatures,
    StandardScaler,
)

from govern.worker.sources import add_up, source_columns


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "u": [1.0, 2.0, np.nan, 4.0],
            "t": ["a", "b", "c", "a"],
            "v": [0.0, 1.0, 0.0, 1.0],
            "w": ["red rose", "red", "blue rose", "sky"],
            "e": [np.nan] * 4,
        }
    )


def test_column_transformer_with_everything(table):
    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    transformer = ColumnTransformer(
        [
            ("words", CountVectorizer(), "w"),
            ("levels", OneHotEncoder(), make_column_selector(pattern="^t$")),
            ("numbers", numbers, ["v", "u"]),
            ("gone", "drop", ["e"]),
        ]
    )
    width = transformer.fit_transform(table).shape[1]
    # 4 words of w, 3 levels of t, v, u, and u's indicator
    assert source_columns(transformer, 5) == [3, 3, 3, 3, 1, 1, 1, 2, 0, 0] and width == 10
    rest = ColumnTransformer([("t", OneHotEncoder(drop="first"), ["t"])], remainder="passthrough")
    rest.fit(table[["u", "t", "v"]])
    assert source_columns(rest, 3) == [1, 1, 0, 2]


def test_columns_without_values_and_selected_ones(table):
    imputer = SimpleImputer(keep_empty_features=False)
    with pytest.warns(UserWarning, match="without any observed values"):
        imputer.fit_transform(table[["e", "u", "v"]])
    assert source_columns(imputer, 3) == [1, 2]
    x = np.array([[0.0, 1, 5], [1, 1, 4], [0.1, 2, 5.1], [1.1, 2.1, 4]])
    chosen = SelectKBest(k=2).fit(x, [0, 1, 0, 1])
    assert source_columns(make_pipeline(StandardScaler(), chosen).fit(x, [0, 1, 0, 1]), 3) == [0, 2]


@pytest.mark.parametrize(
    "transformer",
    [PCA(2), PolynomialFeatures(), Normalizer(), KNNImputer(), FunctionTransformer(np.log1p)],
    ids=lambda t: type(t).__name__,
)
def test_what_mixes_columns_has_no_answer(transformer):
    x = np.arange(12.0).reshape(4, 3)
    assert source_columns(transformer.fit(x), 3) is None
    assert source_columns(make_pipeline(StandardScaler(), transformer).fit(x), 3) is None
    assert source_columns(ColumnTransformer([("x", transformer, [0, 1, 2])]).fit(x), 3) is None


def test_a_transformer_of_one_column_needs_not_be_known():
    x = np.arange(8.0).reshape(4, 2)
    transformer = ColumnTransformer([("p", PolynomialFeatures(3), [1]), ("rest", "passthrough", [0])]).fit(x)
    assert source_columns(transformer, 2) == [1, 1, 1, 1, 0]


def test_a_class_of_ones_own_has_no_answer():
    class StandardScaler:
        """Named like scikit-learn's."""

    assert source_columns(StandardScaler(), 3) is None


def test_add_up():
    assert add_up(np.array([[1.0, 2, 3]]), [1, 0, 1], 3).tolist() == [[2.0, 4.0, 0.0]]
