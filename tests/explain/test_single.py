"""Reasons, rows and shapes of models in their process."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from govern.explain.explained import ExplainedRows, Output
from govern.explain.single import Single, single
from govern.explain.varied import answers
from govern.inputs.labels import Target
from govern.inputs.settings import ExplainSettings
from govern.worker.client import Limits, Worker

N = 400
RNG = np.random.default_rng(5)
X = pd.DataFrame({"income": RNG.normal(50, 15, N).round(1), "job": RNG.choice(["clerk", "cook", "smith"], N),
                  "debt": RNG.integers(0, 20, N)})
WORTH = X["income"] / 10 - X["debt"] / 3 + 2 * (X["job"] == "cook") + RNG.normal(0, 1, N)
GOOD = np.where(WORTH.rank(pct=True) > 0.5, "good", "bad")
X.loc[::20, "income"] = np.nan
TABLE = pa.Table.from_pandas(X, preserve_index=False)
FEATURES = tuple(X.columns)
NUMBERS = {name: X[name].to_numpy(float) for name in ("income", "debt")}
TEXT = ColumnTransformer([("job", OneHotEncoder(), ["job"])], remainder="passthrough")
SETTINGS = ExplainSettings(directions={"income": "rises", "debt": "falls"}, prohibited=("job",),
                           reasons={"income": {"low": "Income too low"}, "debt": "Debt too high"})


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker(Limits(wall_seconds=120)) as w:
        yield w


def asked(worker: Worker, model: Any, target: Target, positive: str | None, labels: tuple[str | None, ...] = (None,)
          ) -> Single:
    """Contributions are those of one feature at a time here: what explains is tested elsewhere."""
    described = worker.load(pickle.dumps(model), "pickle", "m.pkl")
    ask = answers(worker, described, positive, labels)
    batch = TABLE.combine_chunks().to_batches()[0]
    found = ask.of(batch)
    assert found.shape == (N, len(labels))
    outputs = tuple(Output(*additive(found[:, i]), found[:, i], label) for i, label in enumerate(labels))
    selected = None
    if target.favourable is not None:
        place = list(labels).index(target.favourable) if len(labels) > 1 else 0
        selected = found[:, place] >= 0.5 if target.favourable == (target.positive or target.favourable) else \
            found[:, place] < 0.5
    rows = ExplainedRows(FEATURES, outputs, ask.unit, TABLE, NUMBERS, {}, selected)
    return single(rows, ask, FEATURES, SETTINGS, target)


def additive(outputs: Any) -> tuple[Any, float]:
    """Least squares on the values and levels, by feature, and its base; what is left over goes to the last feature."""
    parts = [np.nan_to_num(NUMBERS["income"], nan=50.0)[:, None], pd.get_dummies(X["job"]).to_numpy(float),
             NUMBERS["debt"][:, None]]
    design = np.column_stack([p - p.mean(axis=0) for p in parts])
    fitted = np.linalg.lstsq(design, outputs - outputs.mean(), rcond=None)[0]
    values = np.column_stack([design[:, :1] @ fitted[:1], design[:, 1:4] @ fitted[1:4], design[:, 4:] @ fitted[4:]])
    values[:, 2] += outputs - outputs.mean() - values.sum(axis=1)
    return values, float(outputs.mean())


def test_a_classifier_with_text_and_missing_values(worker: Worker) -> None:
    model = make_pipeline(TEXT, HistGradientBoostingClassifier(max_iter=30, random_state=0)).fit(X, GOOD)
    found = asked(worker, model, Target("binary", ("bad", "good"), "good", "good"), "good")
    codes = found.reason_codes
    assert codes is not None and codes.rows == (model.predict(X) == "bad").sum()
    assert {r.feature for r in codes.reasons} == {"income", "debt"} and codes.dropped > 0
    assert codes.agreement is not None and codes.agreement > 0.8 and 90 < codes.compared <= 100
    shapes = {s.feature: s for s in found.shapes}
    assert shapes["income"].output == "probability"
    assert shapes["income"].lines[0].y[-1] > shapes["income"].lines[0].y[0] + 0.2
    assert set(shapes["job"].at) == {"clerk", "cook", "smith"}
    assert shapes["job"].lines[0].y[shapes["job"].at.index("cook")] == max(shapes["job"].lines[0].y)
    rows = {(f.kind, f.name) for f in found.locals}
    assert {("typical", "good"), ("typical", "bad"), ("adverse", "farthest")} <= rows
    assert {m.metric for m in found.measurements} == {
        "reason_coverage", "reason_dropped_share", "reason_agreement", "shape_violation_share"}
    # The partial dependence is the mean of the model's answers with the column set.
    point = float(shapes["debt"].at[3])
    assert shapes["debt"].lines[0].y[3] == pytest.approx(
        model.predict_proba(X.assign(debt=int(point)))[:, 1].mean(), abs=1e-12)


def test_a_classifier_of_labels_only(worker: Worker) -> None:
    model = make_pipeline(TEXT, RidgeClassifier()).fit(X.fillna(50.0), GOOD)
    whole = TABLE.set_column(0, "income", pa.array(X["income"].fillna(50.0)))
    described = worker.load(pickle.dumps(model), "pickle", "m.pkl")
    ask = answers(worker, described, "bad", (None,))
    found = ask.of(whole.combine_chunks().to_batches()[0])
    assert ask.unit == "label" and found[:, 0].tolist() == (model.predict(X.fillna(50.0)) == "bad").tolist()


def test_several_classes_and_numbers(worker: Worker) -> None:
    y = np.array(["low", "mid", "top"])[np.digitize(WORTH, np.quantile(WORTH, [0.3, 0.7]))]
    model = make_pipeline(TEXT, HistGradientBoostingClassifier(max_iter=20, random_state=0)).fit(X, y)
    classes = Target("multiclass", ("top", "mid", "low"), favourable="top")  # another order than the model's
    found = asked(worker, model, classes, None, ("top", "mid", "low"))
    income = next(s for s in found.shapes if s.feature == "income")
    assert income.label == "top" and income.lines[0].y[-1] > income.lines[0].y[0]
    assert income.against is not None and 0 < income.against < 0.5  # single rows go their own way
    assert {f.decision for f in found.locals if f.kind == "typical"} == {"top", "mid", "low"}
    numbers = make_pipeline(TEXT, HistGradientBoostingRegressor(max_iter=20, random_state=0)).fit(X, WORTH)
    found = asked(worker, numbers, Target("regression"), None)
    assert found.reason_codes is None and {s.output for s in found.shapes} == {"number"}
    assert [f.kind for f in found.locals] == ["typical"]
