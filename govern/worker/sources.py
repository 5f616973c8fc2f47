"""Which input column each column after preprocessing came from. Runs in the model's process only.

Only fitted structure is trusted, never names. Where a transformer mixes columns, or is not known here, the
answer is None, and the explanation then works on the raw columns.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

# scikit-learn transformers whose output column i depends on input column i alone.
ONE_TO_ONE: Final = {
    "StandardScaler",
    "MinMaxScaler",
    "MaxAbsScaler",
    "RobustScaler",
    "QuantileTransformer",
    "PowerTransformer",
    "OrdinalEncoder",
    "TargetEncoder",
    "Binarizer",
}
MAX_DEPTH: Final = 20


def source_columns(transformer: Any, n_columns: int, depth: int = 0) -> list[int] | None:
    """For each output column of the fitted `transformer` the position of its one input column, or None."""
    if depth > MAX_DEPTH:
        return None
    if transformer is None or (isinstance(transformer, str) and transformer == "passthrough"):
        return list(range(n_columns))
    if type(transformer).__module__.split(".")[0] != "sklearn":
        return None
    kind = type(transformer).__name__
    if kind == "Pipeline":
        return _chained([step for _, step in transformer.steps], n_columns, depth)
    if kind == "ColumnTransformer":
        return _side_by_side(transformer, depth)
    if kind in ONE_TO_ONE or (kind == "FunctionTransformer" and transformer.func is None):
        return list(range(n_columns))
    if kind == "OneHotEncoder":
        return _repeated(getattr(transformer, "_n_features_outs", None), n_columns)
    if kind == "KBinsDiscretizer":
        return list(range(n_columns)) if transformer.encode == "ordinal" else _repeated(transformer.n_bins_, n_columns)
    if kind == "SplineTransformer":
        return _repeated([transformer.n_features_out_ // n_columns] * n_columns, n_columns)
    if kind == "SimpleImputer":
        return _imputed(transformer, n_columns)
    if hasattr(transformer, "get_support") and hasattr(transformer, "transform"):
        return [int(i) for i in transformer.get_support(indices=True)]
    return None


def _chained(steps: list[Any], n_columns: int, depth: int) -> list[int] | None:
    origin = list(range(n_columns))
    for step in steps:
        here = source_columns(step, len(origin), depth + 1)
        if here is None:
            return None
        origin = [origin[i] for i in here]
    return origin


def _side_by_side(transformer: Any, depth: int) -> list[int] | None:
    slices = transformer.output_indices_
    inputs = getattr(transformer, "_transformer_to_input_indices", None)
    if inputs is None:
        return None
    width = max((s.stop for s in slices.values()), default=0)
    origin: list[int | None] = [None] * width
    for name, part, _ in transformer.transformers_:
        place = slices[name]
        count = place.stop - place.start
        if count == 0 or (isinstance(part, str) and part == "drop"):
            continue
        columns = [int(i) for i in inputs[name]]
        if len(columns) == 1:
            # Whatever is made of a single column can only come from it.
            here: list[int] | None = [0] * count
        else:
            here = source_columns(part, len(columns), depth + 1)
        if here is None or len(here) != count:
            return None
        origin[place] = [columns[i] for i in here]
    return None if None in origin else [i for i in origin if i is not None]


def _repeated(counts: Any, n_columns: int) -> list[int] | None:
    if counts is None or len(counts) != n_columns:
        return None
    return [i for i, count in enumerate(counts) for _ in range(int(count))]


def _imputed(imputer: Any, n_columns: int) -> list[int] | None:
    kept = list(range(n_columns))
    if not getattr(imputer, "keep_empty_features", False):
        # A column without any value at fit is left out.
        empty = [isinstance(s, float) and bool(np.isnan(s)) for s in imputer.statistics_]
        kept = [i for i in kept if not empty[i]]
    if imputer.add_indicator:
        kept += [int(i) for i in imputer.indicator_.features_]
    return kept


def add_up(encoded: Any, origin: list[int], n_columns: int) -> Any:
    """The sums (…, n_columns) of the encoded columns (…, n_encoded) of each input column."""
    total = np.zeros((*encoded.shape[:-1], n_columns))
    for position, source in enumerate(origin):
        total[..., source] += encoded[..., position]
    return total
