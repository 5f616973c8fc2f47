"""Attribute the model's output to its input columns. Runs in the model's process only.

The exact explainer where there is one, through the preprocessing of a pipeline (`exact.py`); the model-agnostic one
(`agnostic.py`) otherwise, also where an exact one is too slow or misses the model's own output.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from govern.worker.agnostic import coded, permutation_values
from govern.worker.exact import exact
from govern.worker.load import Loaded
from govern.worker.predict import take
from govern.worker.protocol import Failure
from govern.worker.raw import Background, Explainer, Raw

AGNOSTIC_BACKGROUND: Final = 100
MOST_WORK: Final = 16_000  # a row that costs more than so many evaluations is explained by permutations
MOST_CELLS: Final = 1 << 24

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Attributed:
    """values (n_outputs, n, k) + bases (n_outputs, 1) = outputs (n_outputs, n) up to the residual; rows are the first n
    asked for. `evaluations` is what they cost: rows predicted, or their worth in work."""

    values: Floats
    bases: Floats
    outputs: Floats
    method: str
    space: str
    exact: bool
    background: str
    background_rows: int
    evaluations: int


def explain(loaded: Loaded, x: Any, background: Any, positive: str | None, seed: int, rows_budget: int,
            evaluations_budget: int, declared: bool = False) -> Attributed:
    """Attributions for the first rows of `x`: at least one, at most `rows_budget`, and no more than
    `evaluations_budget` allows. There is one output where `positive` is named or the model predicts numbers, else one
    for each class.

    The exact explainers speak of the model's raw output where that is additive: log-odds, probability for forests, a
    margin or the number. Where the background is `declared` all compare with it, otherwise trees may compare with what
    they counted in training. What decides the method is the model alone and its answers, so that it is the same for
    every part of the rows. Raises Failure where there is nothing to explain: no rows, no background.
    """
    if len(x) == 0 or len(background) == 0:
        raise Failure("unsupported", text="there are no rows to explain, or no background rows")
    wanted = list(range(max(1, len(loaded.classes)))) if positive is None else [loaded.classes.index(positive)]
    rows = max(1, min(len(x), rows_budget, MOST_CELLS // (len(wanted) * max(1, x.shape[1]))))
    explainer = _explainer(loaded, x.shape[1])
    if explainer is not None:
        allowed = max(1, min(rows, evaluations_budget // explainer.work))
        found = _exactly(loaded, explainer, take(x, 0, allowed), Background(lambda: background, declared), wanted)
        if found is not None:
            return found
    return _agnostic(loaded, take(x, 0, rows), background, wanted, seed, evaluations_budget)


def _explainer(loaded: Loaded, n_columns: int) -> Explainer | None:
    """The exact explainer of the model, made at the first call and kept."""
    if "explainer" not in loaded.kept:
        made: Explainer | None = None
        try:
            made = exact(loaded.model, list(range(n_columns)), n_columns)
        except MemoryError:
            raise
        except Exception:
            made = None  # a model that is not built as those of its kind are
        # Large deep forests: permutations explain many more rows in the same time.
        loaded.kept["explainer"] = made if made is not None and made.work <= MOST_WORK else None
    kept: Explainer | None = loaded.kept["explainer"]
    return kept


def _exactly(loaded: Loaded, explainer: Explainer, x: Any, background: Background, wanted: list[int]
             ) -> Attributed | None:
    """The exact attributions, None where they are refused or do not add up to the model's own output."""
    try:
        raw = explainer.explain(x, background)
        chosen = _chosen(raw, wanted, len(loaded.classes))
    except MemoryError:
        raise
    except Exception:
        # Exact explainers refuse some settings of their models (linear trees, own objectives, old versions).
        return None
    if not raw.holds or chosen is None or chosen.values.shape != (len(wanted), len(x), x.shape[1]):
        return None
    return Attributed(chosen.values, chosen.bases, chosen.outputs, raw.method, raw.space, True, raw.background,
                      raw.background_rows, len(x) * explainer.work)


def _chosen(raw: Raw, wanted: list[int], n_classes: int) -> Raw | None:
    """The outputs asked for; of two classes the first has the second's margin with its sign changed, or what is left of
    its probability."""
    if n_classes == 2 and len(raw.outputs) == 1:
        second = np.array([place == 1 for place in wanted])
        sign, rest = np.where(second, 1.0, -1.0), np.where(second | (raw.space != "probability"), 0.0, 1.0)
        return replace(raw, values=sign[:, None, None] * raw.values, bases=rest + sign * raw.bases,
                       outputs=rest[:, None] + sign[:, None] * raw.outputs)
    if len(raw.outputs) != max(1, n_classes):
        return None
    if len(wanted) == len(raw.outputs):
        return raw
    return replace(raw, values=raw.values[wanted], bases=raw.bases[wanted], outputs=raw.outputs[wanted])


def _agnostic(loaded: Loaded, x: Any, background: Any, wanted: list[int], seed: int, budget: int) -> Attributed:
    # The last rows, so that where both are one sample the rows explained are not their own background.
    background = take(background, max(0, len(background) - AGNOSTIC_BACKGROUND), len(background))
    each = 1 + 2 * len(background) * max(0, x.shape[1] - 1)
    rows = max(1, min(len(x), (budget - len(background)) // each))
    both = coded(_stacked(take(x, 0, rows), background))
    space = "number" if not loaded.classes else "probability" if loaded.has_score else "label"

    def output(given: Any) -> Floats:
        if loaded.has_score:
            return np.asarray(loaded.model.predict_proba(given), dtype=np.float64)[:, wanted]
        from govern.worker.predict import predict

        answer = predict(loaded, given, len(given), None)
        if answer.values is not None:
            return answer.values[:, None]
        labels: Floats = np.asarray(np.asarray(answer.labels)[:, None] == np.array(wanted), dtype=np.float64)
        return labels

    values, bases, outputs, spent = permutation_values(output, both, rows, seed)
    return Attributed(values, bases, outputs, "permutations", space, False, "rows", len(background), spent)


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
