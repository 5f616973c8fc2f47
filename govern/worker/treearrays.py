"""The trees of fitted models as plain arrays, and the codes of values that they split by. In the model's process only.

Only what is read here is known: a model with anything else (linear leaves, dropped trees, categories of XGBoost, zeros
that stand for missing values) gives None and is left to its library.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from govern.worker.raw import dense
from govern.worker.treetables import Codes, Cut, Tree

LIGHTGBM_CATEGORY, LIGHTGBM_DEFAULT_LEFT = 1, 2
MOST_NODES: Final = 200_000

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Split:
    """How a node sends values left: those at most `threshold`, or the whole numbers in `categories`; `missing_left`
    says it of missing values."""

    threshold: float
    missing_left: bool
    categories: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Nodes:
    """A tree as read: as `Tree`, with the splits of its nodes (None: a leaf)."""

    feature: NDArray[np.int64]
    children: NDArray[np.int64]
    cover: Floats
    value: Floats
    output: int
    splits: Sequence[Split | None]


@dataclass(frozen=True)
class Forest:
    """Trees whose sum, with `offset` (n_outputs,), is the model's raw output. `table` gives the numbers (n, n_features)
    that the trees split by, `origin` the column of the model that each of these features is, `output` the model's own
    raw outputs (n, n_outputs)."""

    trees: Sequence[Tree]
    offset: Floats
    values: Sequence[Floats]
    table: Callable[[Any], Floats]
    output: Callable[[Any], Any]
    origin: list[int]

    @property
    def n_codes(self) -> list[int]:
        """How many codes each feature has."""
        return [len(v) + 2 for v in self.values]

    def codes(self, x: Any) -> Codes:
        """The codes (n_features, n_rows) of the rows `x` as the model is given them."""
        table = self.table(x)
        found = np.empty((len(self.values), len(table)), np.intp)
        for j, known in enumerate(self.values):
            column = table[:, j]
            found[j] = np.searchsorted(known, column)
            found[j][np.isnan(column)] = len(known) + 1
        return found


def forest(model: Any) -> Forest | None:
    """The trees of a fitted model, or None where they cannot be read, wholly and surely, or are too many."""
    library, kind = type(model).__module__.split(".")[0], type(model).__name__
    if library == "lightgbm":
        return _lightgbm(model)
    if library == "xgboost":
        return _xgboost(model)
    if kind.startswith("HistGradientBoosting"):
        return _histogram_boosting(model)
    return _boosting(model) if kind.startswith("GradientBoosting") else _forest(model)


def _made(trees: list[Nodes], offset: Any, n_features: int, table: Callable[[Any], Floats],
          output: Callable[[Any], Any], origin: list[int] | None = None) -> Forest:
    """The forest with values as codes: of a feature's sorted thresholds and categories, how many are less."""
    known: list[list[Any]] = [[] for _ in range(n_features)]
    for tree in trees:
        for feature, split in zip(tree.feature.tolist(), tree.splits, strict=True):
            if split is not None:
                # A category is told from all numbers around it by the places before it and at it.
                known[feature] += [split.threshold] if split.categories is None else \
                    [v for c in split.categories.tolist() for v in (np.nextafter(c, -np.inf), float(c))]
    values = [np.unique(np.array(v, dtype=np.float64)) for v in known]
    found = [Tree(t.feature, t.children, t.cover, t.value, t.output,
                  [None if s is None else _cut(s, values[f])
                   for f, s in zip(t.feature.tolist(), t.splits, strict=True)]) for t in trees]
    return Forest(found, np.asarray(offset, dtype=np.float64).reshape(-1), values, table, output,
                  list(range(n_features)) if origin is None else origin)


def _cut(split: Split, values: Floats) -> Cut:
    """The split in codes: of a value, how many of the feature's sorted `values` are less; one more for those beyond all
    of them, and the highest for missing ones."""
    if split.categories is None:
        return Cut(int(np.searchsorted(values, split.threshold)), split.missing_left)
    among = np.zeros(len(values) + 2, dtype=bool)
    among[np.searchsorted(values, split.categories.astype(np.float64))] = True
    return Cut(-1, split.missing_left, among)


def _sklearn_tree(tree: Any, value: Floats, output: int) -> Nodes:
    leaf = tree.children_left < 0
    feature = np.where(leaf, -1, tree.feature).astype(np.int64)
    missing = np.asarray(tree.missing_go_to_left, dtype=bool)
    splits = [None if is_leaf else Split(float(threshold), bool(side))
              for is_leaf, threshold, side in zip(leaf.tolist(), tree.threshold.tolist(), missing, strict=True)]
    children = np.column_stack([tree.children_left, tree.children_right]).astype(np.int64)
    return Nodes(feature, children, np.asarray(tree.weighted_n_node_samples), value, output, splits)


def _single(x: Any) -> Floats:
    """The numbers as scikit-learn and XGBoost see them: in single precision."""
    found: Floats = dense(x).astype(np.float32).astype(np.float64)
    return found


def _forest(model: Any) -> Forest | None:
    """scikit-learn's trees and forests: the mean of the trees' probabilities or numbers."""
    members = getattr(model, "estimators_", [model])
    if sum(m.tree_.node_count for m in members) > MOST_NODES or model.n_outputs_ != 1:
        return None
    classes = hasattr(model, "classes_")
    trees = []
    for member in members:
        value = member.tree_.value[:, 0, :]
        if classes:
            # Of two classes the second says all.
            value = (value / value.sum(axis=1, keepdims=True))[:, 1 if value.shape[1] == 2 else 0 :]
        trees.append(_sklearn_tree(member.tree_, value / len(members), 0))
    output = model.predict_proba if classes else model.predict
    return _made(trees, np.zeros(trees[0].value.shape[1]), model.n_features_in_, _single, output)


def _boosting(model: Any) -> Forest | None:
    rounds = model.estimators_
    if sum(m.tree_.node_count for m in np.ravel(rounds)) > MOST_NODES or \
            not (model.init_ == "zero" or type(model.init_).__name__.startswith("Dummy")):
        return None
    trees = [_sklearn_tree(member.tree_, model.learning_rate * member.tree_.value[:, 0, :], output)
             for stage in rounds for output, member in enumerate(stage)]
    offset = model._raw_predict_init(np.zeros((1, model.n_features_in_), np.float32))
    output = model.decision_function if hasattr(model, "classes_") else model.predict
    return _made(trees, offset, model.n_features_in_, _single, output)


def _histogram_boosting(model: Any) -> Forest | None:
    if sum(len(tree.nodes) for stage in model._predictors for tree in stage) > MOST_NODES:
        return None
    trees = []
    for stage in model._predictors:
        for output, tree in enumerate(stage):
            nodes = tree.nodes
            leaf = nodes["is_leaf"].astype(bool)
            splits: list[Split | None] = []
            for node in nodes:
                if node["is_leaf"]:
                    splits.append(None)
                    continue
                among = None
                if node["is_categorical"]:
                    among = _in_bits(tree.raw_left_cat_bitsets[node["bitset_idx"]])
                splits.append(Split(float(node["num_threshold"]), bool(node["missing_go_to_left"]), among))
            children = np.column_stack([nodes["left"], nodes["right"]]).astype(np.int64)
            trees.append(Nodes(np.where(leaf, -1, nodes["feature_idx"]).astype(np.int64), children,
                               nodes["count"].astype(np.float64), nodes["value"][:, None], output, splits))
    before = getattr(model, "_preprocessor", None)
    origin = list(range(model.n_features_in_))
    if before is not None:
        # Categories come first, as codes; every column stays one.
        origin = [int(i) for name, _, _ in before.transformers_ for i in before._transformer_to_input_indices[name]]

    def table(x: Any) -> Floats:
        return np.asarray(model._preprocess_X(x, reset=False), dtype=np.float64)

    return _made(trees, model._baseline_prediction, len(origin), table,
                 lambda x: model._raw_predict(x, n_threads=1), origin)


def _in_bits(words: Any) -> NDArray[np.int64]:
    """The whole numbers whose bits are set in 32-bit words."""
    bits = np.asarray(words, dtype=np.uint32).reshape(-1)[:, None] >> np.arange(32, dtype=np.uint32) & 1
    return np.flatnonzero(bits).astype(np.int64)


def _lightgbm(model: Any) -> Forest | None:
    booster = model.booster_
    if booster.num_trees() * model.num_leaves > 10 * MOST_NODES:
        return None
    text = booster.model_to_string(num_iteration=booster.best_iteration)
    head, *parts = text.split("\nTree=")
    if "average_output" in head or sum(p.count(" ") for p in parts) > 20 * MOST_NODES:
        return None
    n_outputs = booster.num_model_per_iteration()
    trees: list[Nodes] = []
    for i, part in enumerate(parts):
        read = _lightgbm_tree(dict(line.split("=", 1) for line in part.split("\n") if "=" in line), i % n_outputs)
        if read is None:
            return None
        trees.append(read)

    def table(x: Any) -> Floats:
        return _lightgbm_numbers(booster, x)

    return _made(trees, np.zeros(n_outputs), booster.num_feature(), table,
                 lambda x: booster.predict(x, raw_score=True, num_threads=1))


def _lightgbm_tree(lines: dict[str, str], output: int) -> Nodes | None:
    def numbers(name: str) -> Floats:
        return np.array(lines.get(name, "").split(), dtype=np.float64)

    leaves = int(lines["num_leaves"])
    if lines.get("is_linear", "0") != "0":
        return None
    value = numbers("leaf_value")
    if leaves == 1:
        return Nodes(np.array([-1]), np.zeros((1, 2), np.int64), np.ones(1), value[:1, None], output, [None])
    inner = leaves - 1
    kinds = numbers("decision_type").astype(np.int64)
    if (kinds >> 2 & 3 == 1).any():
        return None  # zeros that stand for missing values
    children = np.column_stack([numbers("left_child"), numbers("right_child")]).astype(np.int64)
    # LightGBM numbers leaves apart, by -1 - place.
    children = np.where(children < 0, inner - 1 - children, children)
    thresholds, ends, words = numbers("threshold"), numbers("cat_boundaries"), numbers("cat_threshold")
    splits: list[Split | None] = []
    for kind, threshold in zip(kinds.tolist(), thresholds.tolist(), strict=True):
        if kind & LIGHTGBM_CATEGORY:
            a, b = int(ends[int(threshold)]), int(ends[int(threshold) + 1])
            splits.append(Split(0.0, False, _in_bits(words[a:b])))
        else:
            # Without missing values in training they are taken for zeros.
            missing = bool(kind & LIGHTGBM_DEFAULT_LEFT) if kind >> 2 & 3 else threshold >= 0
            splits.append(Split(threshold, missing))
    return Nodes(np.concatenate([numbers("split_feature").astype(np.int64), np.full(leaves, -1)]),
                 np.concatenate([children, np.zeros((leaves, 2), np.int64)]),
                 np.concatenate([numbers("internal_count"), numbers("leaf_count")]),
                 np.concatenate([np.zeros(inner), value])[:, None], output, [*splits, *[None] * leaves])


def _lightgbm_numbers(booster: Any, x: Any) -> Floats:
    """The numbers LightGBM sees: a category as its place among those of the training data, as they are cut to."""
    known = iter(booster.pandas_categorical or ())
    if not hasattr(x, "iloc"):
        return dense(x)
    found = np.empty(x.shape)
    for j in range(x.shape[1]):
        column = x.iloc[:, j]
        if hasattr(column, "cat"):
            codes = column.cat.set_categories(next(known)).cat.codes.to_numpy()
            found[:, j] = np.where(codes < 0, np.nan, codes)
        else:
            found[:, j] = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return found


def _xgboost(model: Any) -> Forest | None:
    booster = model.get_booster()
    if sum(booster.get_score(importance_type="weight").values()) > MOST_NODES / 2:
        return None
    read = json.loads(bytes(booster.save_raw("json")))["learner"]["gradient_booster"]
    if read.get("name") != "gbtree" or not (model.missing is None or np.isnan(model.missing)):
        return None
    grown, of = read["model"]["trees"], read["model"]["tree_info"]
    n_outputs = max(of, default=0) + 1
    start, stop = model._get_iteration_range(None)
    if stop:
        each = n_outputs * int(read["model"]["gbtree_model_param"]["num_parallel_tree"])
        grown, of = grown[start * each : stop * each], of[start * each : stop * each]
    trees: list[Nodes] = []
    for tree, output in zip(grown, of, strict=True):
        if any(tree["split_type"]) or int(tree["tree_param"].get("size_leaf_vector", "1")) > 1:
            return None
        children = np.column_stack([tree["left_children"], tree["right_children"]]).astype(np.int64)
        leaf = children[:, 0] < 0
        conditions = np.array(tree["split_conditions"], dtype=np.float32)
        # Left is what is less than the condition: at most the number before it.
        before = np.nextafter(conditions, np.float32(-np.inf)).astype(np.float64)
        splits = [None if is_leaf else Split(threshold, bool(missing)) for is_leaf, threshold, missing in
                  zip(leaf.tolist(), before.tolist(), tree["default_left"], strict=True)]
        trees.append(Nodes(np.where(leaf, -1, tree["split_indices"]), children,
                           np.array(tree["sum_hessian"], dtype=np.float64), conditions[:, None].astype(np.float64),
                           output, splits))
    offset = _base_score(json.loads(booster.save_config())["learner"], n_outputs)
    if offset is None:
        return None
    return _made(trees, offset, booster.num_features(), _single, lambda x: model.predict(x, output_margin=True))


def _base_score(learner: Any, n_outputs: int) -> Floats | None:
    """What XGBoost adds to the sum of its trees, (n_outputs,); None for an objective that is not known here."""
    text = str(learner["learner_model_param"]["base_score"])
    score = np.array([float(np.float32(part)) for part in text.strip("[]").split(",")])
    objective = learner["objective"]["name"]
    if objective in ("binary:logistic", "reg:logistic"):
        score = np.log(score) - np.log1p(-score)
    elif objective in ("count:poisson", "reg:gamma", "reg:tweedie"):
        score = np.log(score)
    elif not objective.startswith(("reg:", "multi:soft")):
        return None
    return np.full(n_outputs, score) if len(score) in (1, n_outputs) else None
