"""Attribute the model's output to its input columns. Runs in the model's process only.

The fast exact explainer where there is one, through the preprocessing of a pipeline; the model-agnostic one
(`agnostic.py`) otherwise, also where an exact one is too slow or misses the model's own output.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from govern.worker.agnostic import coded, permutation_values
from govern.worker.later import absent
from govern.worker.load import Loaded
from govern.worker.predict import take
from govern.worker.processors import cores
from govern.worker.protocol import Failure
from govern.worker.sources import add_up, source_columns

SHAP_TREES: Final = {
    "HistGradientBoostingClassifier",
    "GradientBoostingClassifier",
    "RandomForestClassifier",
    "ExtraTreesClassifier",
    "DecisionTreeClassifier",
}
AGNOSTIC_ROWS: Final = 100
AGNOSTIC_BACKGROUND: Final = 50
LEAST_EXACT: Final = 50
ROW_COST: Final = 1250  # a row predicted takes about as long as 1250 units of `_cost`
TOLERANCE: Final = 1e-6
SINGLE_TOLERANCE: Final = 1e-5  # XGBoost adds in single precision

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Attributed:
    """values (n, n_columns) + base = output (n,) up to `residual`; rows are the first n asked for."""

    values: Floats
    base: float
    output: Floats
    method: str
    output_space: str
    exact: bool
    background_rows: int = 0

    @property
    def residual(self) -> float:
        """The largest gap between the sum of a row's values with the base and the model's output."""
        return float(np.abs(self.values.sum(axis=1) + self.base - self.output).max(initial=0.0))


def explain(loaded: Loaded, x: Any, background: Any, positive: str, seed: int, budget: int) -> Attributed:
    """Attributions for the first rows of `x`, as many as `budget` (units of `_cost`) allows.

    The exact explainers speak of the model's raw output where that is additive: log-odds, or probability for
    forests. Raises Failure where there is nothing to explain: no rows, no background.
    """
    if len(x) == 0 or len(background) == 0:
        raise Failure("unsupported", text="there are no rows to explain, or no background rows")
    sign = 1 if loaded.classes.index(positive) == 1 else -1
    if len(loaded.classes) == 2:
        found = _exact(loaded, x, background, sign, budget)
        if found is not None:
            return found
    return _agnostic(loaded, x, background, positive, seed, budget)


def _exact(loaded: Loaded, x: Any, background: Any, sign: int, budget: int) -> Attributed | None:
    try:
        before, last, origin = _unwrapped(loaded.model, x.shape[1])
        if origin is None:
            return None
        rows = min(len(x), budget // _cost(last))
        if rows < min(len(x), LEAST_EXACT):
            return None  # large deep forests: permutations explain many more rows in the same time
        inner = _transformed(before, take(x, 0, rows))
        raw = _raw_attributions(last, inner, lambda: _transformed(before, background), sign)
    except MemoryError:
        raise
    except Exception:
        # Exact explainers refuse some settings of their models (linear trees, own objectives, old versions).
        return None
    if raw is None or raw.values.shape[1] != len(origin):
        return None
    values = add_up(raw.values, origin, x.shape[1])
    found = Attributed(values, raw.base, raw.output, raw.method, raw.output_space, True, raw.background_rows)
    tolerance = SINGLE_TOLERANCE if raw.method.startswith("XGBoost") else TOLERANCE
    largest = float(np.abs(raw.output).max(initial=0.0))
    return found if found.residual <= tolerance * max(1.0, largest) else None


def _unwrapped(model: Any, n_columns: int) -> tuple[list[Any], Any, list[int] | None]:
    """Transformers in order, the deciding estimator, and where each of its input columns comes from."""
    before: list[Any] = []
    origin: list[int] | None = list(range(n_columns))
    while True:
        inner = getattr(model, "best_estimator_", None)
        if inner is not None:
            model = inner
        elif type(model).__name__ == "Pipeline" and type(model).__module__.startswith("sklearn."):
            for _, step in model.steps[:-1]:
                if step is None or (isinstance(step, str) and step == "passthrough"):
                    continue
                here = source_columns(step, len(origin)) if origin is not None else None
                origin = [origin[i] for i in here] if here is not None and origin is not None else None
                before.append(step)
            model = model.steps[-1][1]
        else:
            return before, model, origin


def _transformed(before: list[Any], x: Any) -> Any:
    for step in before:
        x = step.transform(x)
    return x


def _cost(model: Any) -> int:
    """What a row's exact attribution costs, at least 1: leaves × (log2 of a tree's leaves)².

    Source: Lundberg, Erion & Lee 2018, arXiv:1802.03888, section 3 (trees × leaves × depth²).
    """
    kind = type(model).__name__
    trees, leaves = 1, 1
    if kind == "LGBMClassifier":
        trees = int(model.booster_.num_trees())
        leaves = trees * int(model.num_leaves)
    elif kind == "XGBClassifier":
        # Every split counts once in the importance by weight; a tree has one leaf more than it has splits.
        trees = int(model.get_booster().num_boosted_rounds())
        leaves = trees + int(sum(model.get_booster().get_score(importance_type="weight").values()))
    elif kind == "HistGradientBoostingClassifier":
        each = [int(tree.get_n_leaf_nodes()) for stage in model._predictors for tree in stage]
        trees, leaves = len(each), sum(each)
    elif kind in SHAP_TREES:
        own = getattr(model, "estimators_", None)
        each = [int(tree.get_n_leaves()) for tree in ([model] if own is None else np.ravel(own))]
        trees, leaves = len(each), sum(each)
    return max(1, round(leaves * math.log2(max(2.0, leaves / max(1, trees))) ** 2))


def _raw_attributions(model: Any, x: Any, background: Any, sign: int) -> Attributed | None:
    """Attributions for the columns the deciding estimator sees, or None where no exact method is known."""
    library, kind = type(model).__module__.split(".")[0], type(model).__name__
    if (library, kind) == ("lightgbm", "LGBMClassifier"):
        # Each row is computed by itself, so the number of threads changes no value.
        both = _dense(model.booster_.predict(x, pred_contrib=True, num_threads=cores()))
        raw = np.asarray(model.booster_.predict(x, raw_score=True, num_threads=1), dtype=np.float64)
        return _margin(model, x, both, raw, sign, "LightGBM pred_contrib, exact")
    if (library, kind) == ("xgboost", "XGBClassifier"):
        return _xgboost(model, x, sign)
    if library == "sklearn" and kind in SHAP_TREES:
        return _shap_trees(model, x, sign)
    if library == "sklearn" and hasattr(model, "coef_") and hasattr(model, "decision_function"):
        return _linear(model, x, background(), sign)
    return None


def _margin(model: Any, x: Any, both: Floats, raw: Floats, sign: int, method: str) -> Attributed:
    """`both` (n, k + 1) holds the values and in its last column the base, for the second class."""
    base = float(both[0, -1])
    return Attributed(sign * both[:, :-1], sign * base, sign * raw, method, _space(model, x, raw), True)


def _space(model: Any, x: Any, raw: Floats) -> str:
    """`log-odds` where the logistic function of the raw output is the probability of the second class."""
    if not hasattr(model, "predict_proba"):
        return "margin"
    probability = 1 / (1 + np.exp(-np.clip(raw, -500, 500)))
    same = np.abs(probability - np.asarray(model.predict_proba(x))[:, 1]).max(initial=0.0) < TOLERANCE
    return "log-odds" if same else "margin"


def _xgboost(model: Any, x: Any, sign: int) -> Attributed:
    import xgboost

    raw = np.asarray(model.predict(x, output_margin=True), dtype=np.float64)
    booster = model.get_booster()
    table = xgboost.DMatrix(
        x,
        missing=model.missing,
        feature_types=model.feature_types,
        enable_categorical=model.enable_categorical,
        nthread=1,
    )
    rounds = model._get_iteration_range(None)
    both = _dense(booster.predict(table, pred_contribs=True, iteration_range=rounds, validate_features=False))
    return _margin(model, x, both, raw, sign, "XGBoost pred_contribs, exact")


def _shap_trees(model: Any, x: Any, sign: int) -> Attributed:
    shap = import_shap()
    explainer = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
    table = x if hasattr(x, "iloc") else _dense(x)
    values = np.asarray(explainer.shap_values(table, check_additivity=False), dtype=np.float64)
    base = np.ravel(explainer.expected_value).astype(np.float64)
    method = "shap.TreeExplainer, exact"
    if values.ndim == 3:
        wanted = 1 if sign == 1 else 0
        output = np.asarray(model.predict_proba(x), dtype=np.float64)[:, wanted]
        return Attributed(values[:, :, wanted], float(base[wanted]), output, method, "probability", True)
    raw = np.asarray(model.decision_function(x), dtype=np.float64)
    space = _space(model, x, raw)
    return Attributed(sign * values, sign * float(base[-1]), sign * raw, method, space, True)


def import_shap() -> Any:
    """The shap module, imported without matplotlib: nothing is drawn, and that import takes half a second."""
    with absent("matplotlib"):
        import shap

    return shap


def _linear(model: Any, x: Any, background: Any, sign: int) -> Attributed | None:
    """coefficient × (value − mean of the background), which is exact for a linear output.

    Source: Lundberg & Lee 2017, arXiv:1705.07874, corollary 1 (columns taken as independent).
    """
    coefficients = np.asarray(model.coef_, dtype=np.float64).reshape(-1)
    if coefficients.shape[0] != x.shape[1]:
        return None
    mean = np.asarray(_plain(background).mean(axis=0), dtype=np.float64).reshape(-1)
    raw = np.asarray(model.decision_function(x), dtype=np.float64)
    base = float(mean @ coefficients + np.ravel(model.intercept_)[0])
    values = (_dense(x) - mean) * coefficients
    space = _space(model, x, raw)
    behind = background.shape[0]
    return Attributed(sign * values, sign * base, sign * raw, "linear, exact", space, True, behind)


def _plain(x: Any) -> Any:
    return x.to_numpy() if hasattr(x, "iloc") else x


def _dense(x: Any) -> Floats:
    plain = _plain(x)
    dense: Floats = np.asarray(plain.toarray() if hasattr(plain, "toarray") else plain, dtype=np.float64)
    return dense


def _agnostic(loaded: Loaded, x: Any, background: Any, positive: str, seed: int, budget: int) -> Attributed:
    # The last rows, so that where both are one sample the rows explained are not their own background.
    background = take(background, max(0, len(background) - AGNOSTIC_BACKGROUND), len(background))
    evaluations = len(background) * max(1, 2 * x.shape[1] - 1)
    rows = max(1, min(len(x), AGNOSTIC_ROWS, budget // (ROW_COST * evaluations)))
    both = coded(_stacked(take(x, 0, rows), background))
    column = loaded.classes.index(positive)

    def output(given: Any) -> Floats:
        if loaded.has_score:
            return np.asarray(loaded.model.predict_proba(given), dtype=np.float64)[:, column]
        from govern.worker.predict import predict

        labels: Floats = np.asarray(predict(loaded, given, len(given), positive).labels == column, dtype=np.float64)
        return labels

    values, base, outputs = permutation_values(output, both, rows, seed)
    space = "probability" if loaded.has_score else "label"
    method = "permutations"
    return Attributed(values, base, outputs, method, space, False, len(background))


def _stacked(x: Any, background: Any) -> Any:
    if not hasattr(x, "iloc"):
        return np.concatenate([x, background])
    import pandas as pd

    for name, kind in x.dtypes.items():
        if isinstance(kind, pd.CategoricalDtype) and kind != background[name].dtype:
            # Stacking differing level lists gives plain values, which the model does not expect.
            both = pd.api.types.union_categoricals([x[name], background[name]]).dtype
            x, background = x.astype({name: both}), background.astype({name: both})
    return pd.concat([x, background], ignore_index=True)
