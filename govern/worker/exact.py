"""The exact explainer of a fitted model, through what wraps it. Runs in the model's process only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from govern.worker.linear import linear
from govern.worker.raw import Background, Explainer, Raw
from govern.worker.sources import add_up, source_columns
from govern.worker.trees import trees
from govern.worker.wrappers import wrapped

MAX_DEPTH: Final = 20


def exact(model: Any, origin: list[int], n_columns: int, depth: int = 0) -> Explainer | None:
    """The explainer of `model` for `n_columns` input columns, or None where no exact one is known. `origin` gives the
    input column that each column which the model sees was made of."""
    if depth > MAX_DEPTH:
        return None
    if getattr(model, "best_estimator_", None) is not None:
        return exact(model.best_estimator_, origin, n_columns, depth + 1)
    if type(model).__name__ == "Pipeline" and type(model).__module__.startswith("sklearn."):
        return _behind(model, origin, n_columns, depth)
    if type(model).__name__ == "FrozenEstimator":
        return exact(model.estimator, origin, n_columns, depth + 1)
    return (linear(model, origin, n_columns)
            or wrapped(model, origin, lambda member, columns: exact(member, columns, n_columns, depth + 1))
            or _summed(trees(model), origin, n_columns))


def _behind(pipeline: Any, origin: list[int], n_columns: int, depth: int) -> Explainer | None:
    """The explainer of the last step of a pipeline, given what the steps before make of the rows."""
    before: list[Any] = []
    for _, step in pipeline.steps[:-1]:
        if step is None or (isinstance(step, str) and step == "passthrough"):
            continue
        here = source_columns(step, len(origin))
        if here is None:
            return None
        origin = [origin[i] for i in here]
        before.append(step)
    last = exact(pipeline.steps[-1][1], origin, n_columns, depth + 1)
    if last is None or not before:
        return last

    def made(x: Any) -> Any:
        for step in before:
            x = step.transform(x)
        return x

    def explain(x: Any, background: Background) -> Raw:
        return last.explain(made(x), replace(background, rows=lambda: made(background.rows())))

    return Explainer(explain, last.work)


def _summed(explainer: Explainer | None, origin: list[int], n_columns: int) -> Explainer | None:
    """An explainer of encoded columns as one of the input columns."""
    if explainer is None or origin == list(range(n_columns)):
        return explainer

    def explain(x: Any, background: Background) -> Raw:
        raw = explainer.explain(x, background)
        if raw.values.shape[2] != len(origin):
            raise ValueError("the explainer saw other columns than the preprocessing makes")
        return replace(raw, values=add_up(raw.values, origin, n_columns))

    return Explainer(explain, explainer.work)
