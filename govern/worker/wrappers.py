"""Exact attributions of models made of others, where a sum of theirs stays a sum. Runs in the model's process only.

Means of probabilities or numbers are sums of the members' attributions; a sigmoid over one margin has the margin's
attributions as log-odds, stretched. Where several calibrated probabilities are averaged, or a calibration is a step
function, nothing adds up, and the answer is None.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from govern.worker.raw import Background, Explainer, Raw, space_of

Exact = Callable[[Any, list[int]], Explainer | None]


def wrapped(model: Any, origin: list[int], exact: Exact) -> Explainer | None:
    """The explainer of a voting, bagging, calibrated or target-transforming model of scikit-learn whose members have
    one, given `exact` for a model and the input columns of those it sees; None for others."""
    if type(model).__module__.split(".")[0] != "sklearn":
        return None
    kind = type(model).__name__
    if kind in ("VotingRegressor", "VotingClassifier"):
        members = [exact(member, origin) for member in model.estimators_]
        weights = np.ones(len(members)) if model.weights is None else np.array(
            [w for w, (_, asked) in zip(model.weights, model.estimators, strict=True) if not isinstance(asked, str)])
        return _mean(model, members, weights / weights.sum()) if getattr(model, "voting", "soft") == "soft" else None
    if kind in ("BaggingClassifier", "BaggingRegressor"):
        members = [_of_columns(member, columns.tolist(), origin, exact)
                   for member, columns in zip(model.estimators_, model.estimators_features_, strict=True)]
        return _mean(model, members, np.full(len(members), 1 / len(members)))
    if kind == "CalibratedClassifierCV" and len(model.calibrated_classifiers_) == 1:
        return _calibrated(model, origin, exact)
    if kind == "TransformedTargetRegressor":
        return _of_target(model, exact(model.regressor_, origin))
    return None


def _mean(model: Any, members: list[Explainer | None], weights: Any) -> Explainer | None:
    """The weighted mean of members that all speak of probabilities, or all of numbers."""
    known = [m for m in members if m is not None]
    if len(known) < len(members):
        return None

    def explain(x: Any, background: Background) -> Raw:
        raws = [m.explain(x, background) for m in known]
        if len({(r.space, r.values.shape) for r in raws}) > 1 or raws[0].space not in ("probability", "number"):
            raise ValueError("the members' outputs do not add up")
        answer = model.predict_proba if raws[0].space == "probability" else model.predict
        outputs = np.asarray(answer(x), dtype=np.float64).reshape(len(x), -1).T[-len(raws[0].outputs) :]
        return replace(raws[0], outputs=outputs, method=" + ".join(dict.fromkeys(r.method for r in raws)),
                       values=sum(w * r.values for w, r in zip(weights, raws, strict=True)),
                       bases=sum(w * r.bases for w, r in zip(weights, raws, strict=True)),
                       background=raws[0].background if len({r.background for r in raws}) == 1 else "mixed",
                       background_rows=max(r.background_rows for r in raws))

    return Explainer(explain, sum(m.work for m in known))


def _of_columns(member: Any, columns: list[int], origin: list[int], exact: Exact) -> Explainer | None:
    """The explainer of a member that is given some of the columns."""
    inner = exact(member, [origin[i] for i in columns])
    if inner is None:
        return None

    def some(x: Any) -> Any:
        return x.iloc[:, columns].to_numpy() if hasattr(x, "iloc") else x[:, columns]

    return Explainer(lambda x, background: inner.explain(
        some(x), replace(background, rows=lambda: some(background.rows()))), inner.work)


def _calibrated(model: Any, origin: list[int], exact: Exact) -> Explainer | None:
    """Platt's sigmoid over the margin, or the probability, of one binary classifier: log-odds −(a × margin + b)."""
    inside = model.calibrated_classifiers_[0]
    inner = exact(inside.estimator, origin)
    if inner is None or len(model.classes_) != 2 or type(inside.calibrators[0]).__name__ != "_SigmoidCalibration":
        return None
    a, b = float(inside.calibrators[0].a_), float(inside.calibrators[0].b_)

    def explain(x: Any, background: Background) -> Raw:
        raw = inner.explain(x, background)
        outputs = -(a * raw.outputs[-1:] + b)
        found = replace(raw, values=-a * raw.values[-1:], bases=-(a * raw.bases[-1:] + b), outputs=outputs,
                        method=f"{raw.method}, calibrated", space=space_of(model, x, outputs))
        if found.space != "log-odds":
            raise ValueError("the calibration is another")
        return found

    return Explainer(explain, inner.work)


def _of_target(model: Any, inner: Explainer | None) -> Explainer | None:
    """The regressor of a transformed target, where its output or the exponential of it is the number predicted."""
    if inner is None:
        return None

    def explain(x: Any, background: Background) -> Raw:
        raw = inner.explain(x, background)
        points = np.ravel(model.transformer_.inverse_transform(np.array([[0.0], [1.0]]))).astype(np.float64)
        shift, stretch = float(points[0]), float(points[1] - points[0])
        stretched = replace(raw, values=stretch * raw.values, bases=shift + stretch * raw.bases,
                            outputs=shift + stretch * raw.outputs)
        if (space := space_of(model, x, stretched.outputs)) == "number":
            return replace(stretched, space=space)
        if (space := space_of(model, x, raw.outputs)) != "margin":
            return replace(raw, space=space)
        raise ValueError("the target's transformation is another")

    return Explainer(explain, inner.work)
