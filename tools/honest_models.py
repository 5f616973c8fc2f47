"""Honest fitted models of the supported libraries, for making and testing the scan's allow-list.

`models()` yields (name, fitted model): every estimator of scikit-learn that fits toy data, the usual
ways of combining them, and the scikit-learn interfaces of XGBoost and LightGBM where installed.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

ROWS = 60


def _data() -> dict[str, Any]:
    random = np.random.default_rng(0)
    X = random.random((ROWS, 5))
    y = np.arange(ROWS) % 2
    return {"X": X, "y": y, "y3": np.arange(ROWS) % 3, "yf": X[:, 0] * 3 + 0.1 + random.random(ROWS),
            "Y2": np.column_stack([y, 1 - y]), "text": [f"word{i % 7} other{i % 3}" for i in range(ROWS)]}


def _argument(estimator: type, d: dict[str, Any]) -> dict[str, Any]:
    from sklearn.decomposition import PCA
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.preprocessing import StandardScaler

    steps = [("a", LogisticRegression()), ("b", RandomForestClassifier(3))]
    numbers = [("a", LinearRegression()), ("b", LinearRegression())]
    special: dict[str, dict[str, Any]] = {
        "ColumnTransformer": {"transformers": [("n", StandardScaler(), [0, 1]), ("p", "passthrough", slice(2, 5))]},
        "FeatureUnion": {"transformer_list": [("a", PCA(2)), ("b", StandardScaler())]},
        "Pipeline": {"steps": [("s", StandardScaler()), ("m", LogisticRegression())]},
        "StackingClassifier": {"estimators": steps, "cv": 2},
        "StackingRegressor": {"estimators": numbers, "cv": 2},
        "VotingClassifier": {"estimators": steps, "voting": "soft"},
        "VotingRegressor": {"estimators": numbers},
        "SparseCoder": {"dictionary": d["X"][:5]},
        "GridSearchCV": {"estimator": LogisticRegression(), "param_grid": {"C": [0.1, 1.0]}, "cv": 2},
        "RandomizedSearchCV": {"estimator": LogisticRegression(), "param_distributions": {"C": [0.1, 1, 2]},
                               "n_iter": 2, "cv": 2},
        "HalvingGridSearchCV": {"estimator": LogisticRegression(), "param_grid": {"C": [0.1, 1.0]}},
        "HalvingRandomSearchCV": {"estimator": LogisticRegression(), "param_distributions": {"C": [0.1, 1.0]}},
        "GaussianRandomProjection": {"n_components": 2}, "SparseRandomProjection": {"n_components": 2},
    }
    if estimator.__name__ in special:
        return special[estimator.__name__]
    signature = inspect.signature(estimator.__init__).parameters
    regressor = any(w in estimator.__name__ for w in ("Regressor", "RegressorChain", "RANSAC", "TransformedTarget"))
    inner = LinearRegression() if regressor else LogisticRegression()
    needed = {name for name, p in signature.items() if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD}
    given: dict[str, Any] = dict.fromkeys(needed & {"estimator", "base_estimator"}, inner)
    if estimator.__name__ == "FrozenEstimator":
        given["estimator"] = LogisticRegression().fit(d["X"], d["y"])
    if estimator.__name__ in ("SelfTrainingClassifier", "SequentialFeatureSelector"):
        given["estimator"] = LogisticRegression()
    if estimator.__name__ == "FixedThresholdClassifier":
        given["threshold"] = 0.3
    return given


def _fit(model: Any, d: dict[str, Any]) -> Any:
    X, y = d["X"], d["y"]
    targets = (y, d["yf"], d["y3"], d["Y2"], X[:, :2], np.abs(X[:, 0]) + 1, None)
    inputs = (X, (X > 0.5).astype(float), d["text"], y, [{"a": 1, "b": 2}] * ROWS, X[:, :1], [["a"]] * ROWS,
              X @ X.T)
    last: Exception | None = None
    for data in inputs:
        for target in targets:
            try:
                return model.fit(data) if target is None else model.fit(data, target)
            except Exception as err:
                last = err
    raise RuntimeError(f"{type(model).__name__} fits no toy data: {last}")


def estimators() -> Iterator[tuple[str, Any]]:
    """Name and fitted model of every estimator of scikit-learn; None where it fits no toy data."""
    for name in ("enable_halving_search_cv", "enable_iterative_imputer"):
        importlib.import_module(f"sklearn.experimental.{name}")
    from sklearn.utils import all_estimators

    d = _data()
    for name, estimator in all_estimators():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                model: Any = _fit(estimator(**_argument(estimator, d)), d)
            except Exception:
                model = None
        yield name, model


def combinations() -> Iterator[tuple[str, Any]]:
    """Name and fitted model of the usual ways to combine estimators, of frames and of options."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.compose import (
        ColumnTransformer,
        TransformedTargetRegressor,
        make_column_selector,
        make_column_transformer,
    )
    from sklearn.ensemble import (
        AdaBoostClassifier,
        BaggingClassifier,
        GradientBoostingClassifier,
        GradientBoostingRegressor,
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
        RandomForestClassifier,
        StackingClassifier,
        VotingClassifier,
    )
    from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
    from sklearn.feature_selection import (
        RFE,
        RFECV,
        SelectFdr,
        SelectFromModel,
        SelectKBest,
        chi2,
        f_classif,
        f_regression,
        mutual_info_classif,
        mutual_info_regression,
    )
    from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor, kernels
    from sklearn.impute import KNNImputer, SimpleImputer
    from sklearn.linear_model import (
        LinearRegression,
        LogisticRegression,
        LogisticRegressionCV,
        Ridge,
        SGDClassifier,
        SGDRegressor,
    )
    from sklearn.metrics import DistanceMetric, get_scorer, get_scorer_names, make_scorer, recall_score
    from sklearn.model_selection import (
        GridSearchCV,
        GroupKFold,
        KFold,
        LeaveOneOut,
        PredefinedSplit,
        RepeatedKFold,
        RepeatedStratifiedKFold,
        ShuffleSplit,
        StratifiedGroupKFold,
        StratifiedKFold,
        StratifiedShuffleSplit,
        TimeSeriesSplit,
    )
    from sklearn.neighbors import KDTree, KernelDensity, KNeighborsClassifier
    from sklearn.pipeline import FeatureUnion, make_pipeline, make_union
    from sklearn.preprocessing import (
        FunctionTransformer,
        KBinsDiscretizer,
        OneHotEncoder,
        OrdinalEncoder,
        PolynomialFeatures,
        PowerTransformer,
        QuantileTransformer,
        SplineTransformer,
        StandardScaler,
        TargetEncoder,
    )
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier

    d = _data()
    X, y, y3, yf, text = d["X"], d["y"], d["y3"], d["yf"], d["text"]
    frame = pd.DataFrame(X, columns=list("abcde")).assign(
        city=[("Oslo", "Rome", None)[i % 3] for i in range(ROWS)], when=pd.Timestamp("2026-01-01"), flag=y > 0
    )
    frame["band"] = pd.cut(frame["a"], [0, 0.3, 0.6, 1.0]).astype(str).astype("category")
    labels = np.array(["yes", "no"])[y]
    state = np.random.RandomState(3)

    def mixed(*options: Any, out: str | None = None) -> Any:
        coded = make_pipeline(SimpleImputer(strategy="most_frequent"), *options)
        made = ColumnTransformer([("n", make_pipeline(KNNImputer(), StandardScaler()), ["a", "b", "c"]),
                                  ("c", coded, ["city", "band"]), ("d", "drop", ["when"])], remainder="drop")
        return made.set_output(transform=out) if out else made

    onehot = OneHotEncoder(handle_unknown="ignore", min_frequency=2)
    tree = DecisionTreeClassifier(max_depth=2)
    plain: list[tuple[Any, Any, Any]] = [
        (make_pipeline(mixed(onehot), LogisticRegression()), frame, labels),
        (make_pipeline(mixed(OneHotEncoder(sparse_output=False, dtype=np.float32), out="pandas"), tree), frame, y),
        (make_pipeline(mixed(OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)),
                       HistGradientBoostingClassifier(max_iter=3)), frame, labels),
        (make_pipeline(mixed(TargetEncoder(cv=2)), RandomForestClassifier(3)), frame, y > 0),
        (HistGradientBoostingClassifier(max_iter=3, categorical_features="from_dtype", early_stopping=True,
                                        scoring="roc_auc"), frame[["a", "b", "band"]], y),
        (make_pipeline(make_column_transformer((StandardScaler(), make_column_selector(dtype_include=np.number)),
                                               (onehot, make_column_selector(dtype_include=object)),
                                               (onehot, make_column_selector(pattern="band"))),
                       LogisticRegression()), frame.drop(columns=["when"]).assign(city="x"), y),
        (make_pipeline(ColumnTransformer([("m", StandardScaler(), [True, False, True, False, True]),
                                          ("s", PowerTransformer(), slice(0, 2))], remainder="passthrough"),
                       SVC(probability=False)), X, y),
        (make_pipeline(make_union(StandardScaler(), FeatureUnion([("p", PolynomialFeatures())])), Ridge()), X, yf),
        (make_pipeline(FunctionTransformer(np.log1p, inverse_func=np.expm1), LogisticRegression()), X, y),
        (make_pipeline(FunctionTransformer(None), QuantileTransformer(n_quantiles=5), SplineTransformer(),
                       KBinsDiscretizer(3, strategy="uniform"), tree), X, y),
        (TransformedTargetRegressor(LinearRegression(), func=np.log, inverse_func=np.exp), X, yf),
        (TransformedTargetRegressor(LinearRegression(), transformer=QuantileTransformer(n_quantiles=5)), X, yf),
        (make_pipeline(TfidfVectorizer(dtype=np.float32), LogisticRegression()), text, y),
        (make_pipeline(CountVectorizer(ngram_range=(1, 2), stop_words="english", dtype=int), tree), text, y),
        (make_pipeline(HashingVectorizer(n_features=16), SGDClassifier(loss="log_loss")), text, y),
        (AdaBoostClassifier(tree, n_estimators=3, random_state=state), X, y3),
        (BaggingClassifier(KNeighborsClassifier(3), n_estimators=3, random_state=0), X, y),
        (RandomForestClassifier(4, oob_score=True, class_weight="balanced", random_state=state), X, y3),
        (StackingClassifier([("r", RandomForestClassifier(3)), ("p", make_pipeline(StandardScaler(), SVC()))],
                            final_estimator=LogisticRegression(), cv=2), X, y),
        (VotingClassifier([("a", LogisticRegression()), ("b", tree)], voting="soft"), frame[["a", "b"]], labels),
        (LogisticRegressionCV(Cs=2, cv=2), X, y),
        (LogisticRegressionCV(Cs=2, cv=2, scoring="neg_log_loss"), X, y),
        (KernelDensity(metric="haversine", algorithm="ball_tree"), X[:, :2], None),
        (make_pipeline(RFE(tree, n_features_to_select=2), tree), X, y),
        (make_pipeline(RFECV(tree, cv=2), tree), X, y),
        (make_pipeline(SelectFromModel(tree, threshold="mean"), tree), X, y),
    ]
    for options in ("exp", 1e-3):
        plain.append((AdaBoostClassifier(tree, n_estimators=2, learning_rate=1.0 if options == "exp" else options),
                      X, y))
    for function in (chi2, f_classif, mutual_info_classif):
        plain.append((make_pipeline(SelectKBest(function, k=2), LogisticRegression()), X, y))
    for function in (f_regression, mutual_info_regression):
        plain.append((make_pipeline(SelectKBest(function, k=2), Ridge()), X, yf))
    plain.append((make_pipeline(SelectFdr(f_classif, alpha=0.99999), tree), X, y))
    for method in ("sigmoid", "isotonic", "temperature"):
        plain.append((CalibratedClassifierCV(tree, method=method, cv=2), X, y))
    for split in (KFold(2), StratifiedKFold(2, shuffle=True, random_state=state), ShuffleSplit(2), LeaveOneOut(),
                  RepeatedKFold(n_splits=2, n_repeats=1), RepeatedStratifiedKFold(n_splits=2, n_repeats=1),
                  StratifiedShuffleSplit(2), PredefinedSplit(y)):
        search = GridSearchCV(tree, {"max_depth": [1, 2]}, cv=split, scoring="accuracy")
        plain.append((search, X, y))
    searched = make_pipeline(mixed(onehot), LogisticRegression())
    grid = {"logisticregression__C": np.logspace(-1, 1, 2), "logisticregression": [LogisticRegression()]}
    for split in (GroupKFold(2), StratifiedGroupKFold(2), TimeSeriesSplit(2)):
        made = GridSearchCV(tree, {"max_depth": [1]}, cv=2).fit(X, y)
        yield f"search {type(split).__name__}", made.set_params(cv=split)
    plain.append((GridSearchCV(searched, grid, cv=2, scoring=["roc_auc", "recall"], refit="roc_auc"), frame, y))
    plain.append((GridSearchCV(tree, {"max_depth": range(1, 3)}, cv=2, scoring=make_scorer(recall_score)), X, y))
    for loss in ("hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron"):
        plain.append((SGDClassifier(loss=loss), X, y))
    for loss in ("squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive"):
        plain.append((SGDRegressor(loss=loss), X, yf))
    for loss in ("log_loss", "exponential"):
        plain.append((GradientBoostingClassifier(loss=loss, n_estimators=2), X, y))
    plain.append((GradientBoostingClassifier(n_estimators=2, init=tree), X, y))
    plain.append((GradientBoostingClassifier(n_estimators=2), X, y3))
    for loss in ("squared_error", "absolute_error", "huber", "quantile"):
        plain.append((GradientBoostingRegressor(loss=loss, n_estimators=2), X, yf))
    for loss in ("squared_error", "absolute_error", "poisson", "gamma"):
        plain.append((HistGradientBoostingRegressor(loss=loss, max_iter=2), X, yf))
    plain.append((HistGradientBoostingRegressor(loss="quantile", quantile=0.4, max_iter=2), X, yf))
    plain.append((HistGradientBoostingClassifier(max_iter=2), X, y3))
    for criterion in ("gini", "entropy", "log_loss"):
        plain.append((DecisionTreeClassifier(criterion=criterion, monotonic_cst=[1, 0, 0, 0, 0]), X, y))
    for algorithm in ("kd_tree", "ball_tree", "brute"):
        for metric in ("minkowski", "manhattan", "chebyshev", "euclidean"):
            plain.append((KNeighborsClassifier(3, algorithm=algorithm, metric=metric), X, y))
    parts = (kernels.RBF() + kernels.WhiteKernel(), kernels.Matern() * kernels.ConstantKernel(2.0),
             kernels.RationalQuadratic() ** 2, kernels.DotProduct(), kernels.ExpSineSquared() + kernels.WhiteKernel(),
             kernels.PairwiseKernel(), kernels.CompoundKernel([kernels.RBF()]))
    for kernel in parts[:-1]:
        plain.append((GaussianProcessRegressor(kernel, optimizer=None), X[:20], yf[:20]))
    plain.append((GaussianProcessClassifier(parts[0]), X[:20], y[:20]))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, (model, data, target) in enumerate(plain):
            try:
                fitted = model.fit(data) if target is None else model.fit(data, target)
            except Exception:
                fitted = None
            yield f"{type(model).__name__} {number}", fitted
    for name in get_scorer_names():
        yield f"scorer {name}", get_scorer(name)
    for name in ("euclidean", "manhattan", "chebyshev", "hamming", "jaccard", "canberra", "braycurtis", "dice",
                 "haversine", "rogerstanimoto", "russellrao", "sokalsneath"):
        for kind in (np.float64, np.float32):
            yield f"metric {name}", DistanceMetric.get_metric(name, kind)
    yield "metric minkowski", DistanceMetric.get_metric("minkowski", p=3)
    yield "metric seuclidean", DistanceMetric.get_metric("seuclidean", V=np.ones(3))
    yield "metric mahalanobis", DistanceMetric.get_metric("mahalanobis", V=np.eye(3))
    yield "tree of points", KDTree(X)
    yield from _values(frame)


def _values(frame: pd.DataFrame) -> Iterator[tuple[str, Any]]:
    import collections
    import datetime

    from scipy import sparse
    from sklearn.utils import Bunch

    yield "frame", frame
    for name in frame.columns:
        yield f"series {name}", frame[name]
    yield "indexes", [frame.index, frame.columns, pd.Index([3, 1]), pd.Index(["a", None]),
                      pd.MultiIndex.from_product([[1, 2], ["a"]]), pd.DatetimeIndex(["2026-01-01"]),
                      pd.CategoricalIndex(["a", "b"])]
    yield "nullable", pd.DataFrame({"i": pd.array([1, None], dtype="Int64"), "f": pd.array([1.5, None], "Float64"),
                                    "b": pd.array([True, None], "boolean")})
    yield "scalars", [np.float32(1), np.int64(2), np.bool_(True), np.str_("a"), np.datetime64("2026-01-01"), pd.NA,
                      pd.NaT, pd.Timestamp("2026-01-01"), pd.Timedelta("1D"), pd.CategoricalDtype(["a"])]
    yield "arrays", [np.array(["a", None], dtype=object), np.array([b"x"]), np.array(["ab"]), np.zeros(3, "<M8[D]"),
                     np.asfortranarray(np.eye(3)), np.array(3.0), np.zeros((0, 2)), np.eye(2)[::-1],
                     np.ma.masked_array([1, 2], [0, 1]),
                     np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]), np.zeros(2, ">f8"), np.array([True])]
    for form in ("csr", "csc", "coo", "lil", "dok", "bsr", "dia"):
        yield f"sparse {form}", getattr(sparse, f"{form}_matrix")(np.eye(3))
        yield f"sparse array {form}", getattr(sparse, f"{form}_array")(np.eye(3))
    default: Any = collections.defaultdict(int, a=1)
    yield "python", [{1, 2}, frozenset("ab"), 1 + 2j, range(3), slice(1, 2), bytearray(b"abc"), b"\xff\x00", default,
                     collections.defaultdict(list), collections.OrderedDict(a=1), collections.Counter("ab"),
                     datetime.date(2026, 1, 1), datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
                     datetime.timedelta(1), Bunch(a=1), Ellipsis, NotImplemented, 2**80, collections.deque([1])]
    yield "types", [int, float, str, bool, object, complex, list, dict, set, tuple, bytes, np.float32, np.float64,
                    np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64, np.float16,
                    np.bool_, np.number, np.integer, np.floating, np.object_, np.str_]
    yield "random", [np.random.RandomState(0), np.random.default_rng(0),
                     *(np.random.Generator(kind(0)) for kind in (np.random.MT19937, np.random.Philox,
                                                                 np.random.SFC64, np.random.PCG64DXSM))]


def boosters() -> Iterator[tuple[str, Any]]:
    """Name and fitted model of the scikit-learn interfaces of XGBoost and LightGBM, where installed."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    d = _data()
    X, y, y3, yf = d["X"], d["y"], d["y3"], d["yf"]
    frame = pd.DataFrame(X, columns=list("abcde"))
    frame["band"] = pd.Series(["u", "v", "w"] * (ROWS // 3), dtype="category")
    groups = [ROWS // 2, ROWS // 2]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if importlib.util.find_spec("xgboost"):
            import xgboost as xgb

            yield "XGBClassifier", xgb.XGBClassifier(n_estimators=3).fit(X, y)
            yield "XGBClassifier frame", xgb.XGBClassifier(n_estimators=3, enable_categorical=True).fit(frame, y)
            yield "XGBClassifier early", xgb.XGBClassifier(
                n_estimators=9, early_stopping_rounds=2, eval_metric="auc").fit(X, y, eval_set=[(X, y)], verbose=False)
            yield "XGBClassifier 3", make_pipeline(StandardScaler(), xgb.XGBClassifier(n_estimators=2)).fit(X, y3)
            yield "XGBRegressor", xgb.XGBRegressor(n_estimators=3).fit(X, yf)
            yield "XGBRFClassifier", xgb.XGBRFClassifier(n_estimators=3).fit(X, y)
            yield "XGBRFRegressor", xgb.XGBRFRegressor(n_estimators=3).fit(X, yf)
            yield "XGBRanker", xgb.XGBRanker(n_estimators=2).fit(X, y, group=groups)
            yield "xgboost Booster", xgb.train({"objective": "binary:logistic"}, xgb.DMatrix(X, y), 2)
        if importlib.util.find_spec("lightgbm"):
            import lightgbm as lgb

            small = {"n_estimators": 3, "verbose": -1, "min_child_samples": 2, "n_jobs": 1}
            yield "LGBMClassifier", lgb.LGBMClassifier(**small).fit(X, y)
            yield "LGBMClassifier frame", lgb.LGBMClassifier(**small).fit(frame, np.array(["n", "p"])[y])
            yield "LGBMClassifier early", lgb.LGBMClassifier(**small).fit(
                X, y, eval_set=[(X, y)], callbacks=[lgb.early_stopping(2, verbose=False)])
            yield "LGBMClassifier 3", make_pipeline(StandardScaler(), lgb.LGBMClassifier(**small)).fit(X, y3)
            yield "LGBMRegressor", lgb.LGBMRegressor(**small).fit(X, yf)
            yield "LGBMRanker", lgb.LGBMRanker(**small).fit(X, y, group=groups)
            params = {"objective": "binary", "verbose": -1, "num_threads": 1}
            yield "lightgbm Booster", lgb.train(params, lgb.Dataset(X, y), 2)


def models(seed: int = 0) -> Iterator[tuple[str, Any]]:
    """Name and fitted model of all of the above; None where an estimator fits no toy data."""
    np.random.seed(seed)
    yield from estimators()
    yield from combinations()
    yield from boosters()
