"""Exact attributions of trees: by tables of our own, else by the libraries that know them. In the model's process only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from govern.worker.later import absent
from govern.worker.processors import cores
from govern.worker.raw import TOLERANCE, Background, Explainer, Floats, Raw, dense, space_of
from govern.worker.sources import add_up
from govern.worker.treearrays import Forest, forest
from govern.worker.treetables import Codes, Group, look_up, tables

BOOSTERS: Final = {"LGBMClassifier", "LGBMRegressor", "XGBClassifier", "XGBRegressor", "XGBRFClassifier",
                   "XGBRFRegressor"}
FORESTS: Final = {f"{name}{task}" for name in ("RandomForest", "ExtraTrees", "DecisionTree", "ExtraTree")
                  for task in ("Classifier", "Regressor")}
BOOSTINGS: Final = {"HistGradientBoostingClassifier", "HistGradientBoostingRegressor", "GradientBoostingClassifier",
                    "GradientBoostingRegressor"}
ROW_COST: Final = 1250  # a row predicted takes about as long as 1250 units of `_cost`
LOOK_UPS: Final = 4000  # … or as many numbers taken from tables
SINGLE_TOLERANCE: Final = 1e-5  # XGBoost adds in single precision


def trees(model: Any) -> Explainer | None:
    """The exact explainer of a model of trees, or None where none is known."""
    library, kind = type(model).__module__.split(".")[0], type(model).__name__
    if library in ("lightgbm", "xgboost") and kind in BOOSTERS:
        own = _lightgbm if library == "lightgbm" else _xgboost
    elif library == "sklearn" and kind in FORESTS | BOOSTINGS:
        own = _shap
    else:
        return None

    def by_library(x: Any, background: Background) -> Raw:
        if background.declared:
            raise ValueError("the library compares with what the trees counted in training")
        return own(model, x)

    slow = Explainer(by_library, max(1, _cost(model, library) // ROW_COST))
    try:
        read = forest(model)
        fast = None if read is None else _Tables(model, read, SINGLE_TOLERANCE if library == "xgboost" else TOLERANCE)
    except MemoryError:
        raise
    except Exception:
        return slow  # another version's trees, or tables that would be too large
    if fast is None:
        return slow

    def explain(x: Any, background: Background) -> Raw:
        found = fast.explain(x, background)
        return found if found.holds or background.declared else slow.explain(x, background)

    return Explainer(explain, fast.work)


class _Tables:
    """The tables of a forest: those of its training counts, and those of the background that was declared last."""

    def __init__(self, model: Any, read: Forest, tolerance: float) -> None:
        self.model, self.read, self.tolerance = model, read, tolerance
        self.own = tables(read.trees, read.n_codes, len(read.offset))
        self.work = max(1, sum(2 * len(g.features) for g in self.own[0]) // LOOK_UPS)
        self._declared: tuple[Codes, tuple[list[Group], Floats]] | None = None

    def explain(self, x: Any, background: Background) -> Raw:
        """Values of the rows `x`, compared with the background where it was declared."""
        read, n_outputs = self.read, len(self.read.offset)
        (groups, bases), rows = self.own, 0
        if background.declared:
            codes = read.codes(background.rows())
            rows = codes.shape[1]
            groups, bases = self._against(codes)
        values = look_up(groups, read.codes(x), n_outputs).transpose(0, 2, 1)
        if read.origin != list(range(values.shape[2])):
            values = add_up(values, read.origin, self.model.n_features_in_)
        outputs = np.asarray(read.output(x), dtype=np.float64).reshape(values.shape[1], -1).T
        outputs = outputs[-n_outputs:]
        method = "interventional tree SHAP by tables, exact" if rows else "tree SHAP by tables, exact"
        return Raw(values, bases + read.offset, outputs, method, space_of(self.model, x, outputs),
                   "rows" if rows else "trees", rows, self.tolerance)

    def _against(self, codes: Codes) -> tuple[list[Group], Floats]:
        if self._declared is None or not np.array_equal(self._declared[0], codes):
            self._declared = codes, tables(self.read.trees, self.read.n_codes, len(self.read.offset), codes)
        return self._declared[1]


def _cost(model: Any, library: str) -> int:
    """What a row's exact attribution costs, at least 1: leaves × (log2 of a tree's leaves)².

    Source: Lundberg, Erion & Lee 2018, arXiv:1802.03888, section 3 (trees × leaves × depth²).
    """
    trees, leaves = 1, 1
    if library == "lightgbm":
        trees = int(model.booster_.num_trees())
        leaves = trees * int(model.num_leaves)
    elif library == "xgboost":
        # Every split counts once in the importance by weight; a tree has one leaf more than it has splits.
        trees = int(model.get_booster().num_boosted_rounds())
        leaves = trees + int(sum(model.get_booster().get_score(importance_type="weight").values()))
    elif hasattr(model, "_predictors"):
        each = [int(tree.get_n_leaf_nodes()) for stage in model._predictors for tree in stage]
        trees, leaves = len(each), sum(each)
    else:
        own = getattr(model, "estimators_", None)
        each = [int(tree.get_n_leaves()) for tree in ([model] if own is None else np.ravel(own))]
        trees, leaves = len(each), sum(each)
    return max(1, round(leaves * math.log2(max(2.0, leaves / max(1, trees))) ** 2))


def _lightgbm(model: Any, x: Any) -> Raw:
    # Each row is computed by itself, so the number of threads changes no value.
    both = dense(model.booster_.predict(x, pred_contrib=True, num_threads=cores()))
    outputs = np.asarray(model.booster_.predict(x, raw_score=True, num_threads=1), dtype=np.float64)
    outputs = outputs.reshape(len(both), -1)
    return _with_base(model, x, both.reshape(len(both), outputs.shape[1], -1), outputs, "LightGBM pred_contrib, exact")


def _xgboost(model: Any, x: Any) -> Raw:
    import xgboost

    outputs = np.asarray(model.predict(x, output_margin=True), dtype=np.float64)
    outputs = outputs.reshape(len(outputs), -1)
    booster = model.get_booster()
    table = xgboost.DMatrix(
        x,
        missing=model.missing,
        feature_types=model.feature_types,
        enable_categorical=model.enable_categorical,
        nthread=1,
    )
    rounds = model._get_iteration_range(None)
    both = booster.predict(table, pred_contribs=True, iteration_range=rounds, validate_features=False,
                           strict_shape=True)
    return _with_base(model, x, np.asarray(both, dtype=np.float64), outputs, "XGBoost pred_contribs, exact",
                      tolerance=SINGLE_TOLERANCE)


def _with_base(model: Any, x: Any, both: Floats, outputs: Floats, method: str,
               tolerance: float = TOLERANCE) -> Raw:
    """`both` (n, n_outputs, k + 1) holds the values and in its last column the base, `outputs` is (n, n_outputs)."""
    values = both[:, :, :-1].transpose(1, 0, 2)
    return Raw(values, both[0, :, -1], outputs.T, method, space_of(model, x, outputs.T), "trees", tolerance=tolerance)


def _shap(model: Any, x: Any) -> Raw:
    shap = import_shap()
    explainer = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
    table = x if hasattr(x, "iloc") else dense(x)
    values = np.asarray(explainer.shap_values(table, check_additivity=False), dtype=np.float64)
    values = values[:, :, None] if values.ndim == 2 else values
    bases = np.ravel(explainer.expected_value).astype(np.float64)[-values.shape[2]:]
    output: Callable[[Any], Any] = next(
        found for name in ("decision_function", "predict_proba", "_raw_predict", "predict")
        if (found := getattr(model, name, None)) is not None)
    outputs = np.asarray(output(x), dtype=np.float64).reshape(len(values), -1).T
    return Raw(values.transpose(2, 0, 1), bases, outputs, "shap.TreeExplainer, exact", space_of(model, x, outputs),
               "trees")


def import_shap() -> Any:
    """The shap module, imported without matplotlib: nothing is drawn, and that import takes half a second."""
    with absent("matplotlib"):
        import shap

    return shap
