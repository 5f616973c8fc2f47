"""Which rows are explained and how many, and what the evidence then holds, with models in their process."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from govern.evidence import OVERALL, Evidence
from govern.explanations import Attributions
from govern.inputs.config import load_settings
from govern.measure import explaining, run
from govern.measure.explaining import cut_off
from govern.measure.start import start
from govern.worker.client import Worker

N = 3000
FEATURES = ["age", "income", "job", "twin"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("explaining")
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"sex": rng.choice(["men", "women"], N, p=[0.6, 0.4]), "age": rng.integers(18, 80, N),
                         "income": rng.lognormal(3, 0.8, N).round(2), "job": rng.choice(list("abcd"), N)})
    data["twin"] = data.income * 2 + rng.normal(0, 0.1, N)
    data["hours"] = rng.normal(40, 5, N) - 8 * (data.sex == "women")
    worth = 0.05 * (data.age - 45) + 0.03 * data.income + (data.job == "a") + 0.1 * (data.hours - 38)
    data["bought"] = (worth + rng.logistic(size=N) > 1.5).astype(int)
    data["kind"] = np.array(["none", "some", "most"])[np.digitize(worth + rng.normal(size=N), [0.5, 2.5])]
    data["spent"] = worth + rng.normal(size=N)
    data.to_parquet(found / "e.parquet")
    data.sample(frac=1, random_state=1).to_parquet(found / "shuffled.parquet")
    x = data[[*FEATURES, "hours"]]
    ready = make_column_transformer((OneHotEncoder(), ["job"]), remainder="passthrough", sparse_threshold=0)
    models = {"trees": (HistGradientBoostingClassifier(max_iter=30, random_state=0), "bought"),
              "linear": (LogisticRegression(max_iter=5000), "bought"), "bayes": (GaussianNB(), "bought"),
              "classes": (HistGradientBoostingClassifier(max_iter=20, random_state=0), "kind"),
              "numbers": (HistGradientBoostingRegressor(max_iter=30, random_state=0), "spent")}
    for name, (model, target) in models.items():
        (found / f"{name}.pkl").write_bytes(pickle.dumps(make_pipeline(ready, model).fit(x, data[target])))
    return found


Measured = Callable[..., tuple[Evidence, list[tuple[str, int, int]]]]


@pytest.fixture
def measured(folder: Path) -> Measured:
    def run_one(model: str, target: str = "bought", data: str = "e.parquet", **more: Any
                ) -> tuple[Evidence, list[tuple[str, int, int]]]:
        given = {"model.path": folder / f"{model}.pkl", "data.path": folder / data, "data.target": target,
                 "data.sensitive": ["sex"], **{k.replace("__", "."): v for k, v in more.items()}}
        settings = load_settings(given, config=None, cwd=folder)
        told: list[tuple[str, int, int]] = []
        with Worker() as worker:
            found = run.measure(settings, start(worker, settings), created="2026-01-01T00:00:00Z", timed=False,
                                progress=lambda stage, done, total: told.append((stage, done, total)))
        return found.evidence, told

    return run_one


def attributions(evidence: Evidence) -> Attributions:
    assert evidence.attributions is not None
    return evidence.attributions


def test_trees(measured: Measured) -> None:
    """Half of the sample settles the order; the twin features are named, and the group that differs."""
    evidence, told = measured("trees")
    found = attributions(evidence)
    assert (found.rows, found.stopped, found.settled, found.level) == (1000, "settled", 5, 0.95)
    assert ("checking and explaining", 1000, 2000) in told
    assert found.error is not None and 0 < found.error < 0.2
    assert found.evaluations is not None and found.evaluations > 0 and found.exact
    assert (found.stability, found.stability_over) == (1.0, "halves")
    assert found.agreement is not None and found.agreement > 0.8
    assert found.permuted[0].metric == "brier_score" and {p.feature for p in found.permuted} == {*FEATURES, "hours"}
    assert [(c.first, c.second) for c in found.correlated] in ([("income", "twin")], [("twin", "income")])
    women = next(g.id for g in evidence.groups if g.values == ("women",))
    first = found.differences[0]
    assert (first.feature, first.group, first.what) == ("hours", women, "direction") and first.value < 0
    value = {m.metric: m.value for m in evidence.measurements if m.metric in
             ("attribution_stability", "attribution_agreement")}
    assert value == {"attribution_stability": 1.0, "attribution_agreement": found.agreement}


def test_the_order_of_rows_changes_nothing(measured: Measured) -> None:
    one, other = measured("trees")[0], measured("trees", data="shuffled.parquet")[0]
    assert one.attributions == other.attributions


def test_more_rows_until_precise_or_until_there_are_no_more(measured: Measured, monkeypatch: pytest.MonkeyPatch
                                                            ) -> None:
    monkeypatch.setattr(explaining, "FIRST", 100)
    all_rows = attributions(measured("trees", explain__rows=5000, explain__precision=1e-9)[0])
    assert (all_rows.rows, all_rows.stopped, all_rows.error) == (N, "all", 0.0)
    whole = {a.feature: a.mean_abs for a in all_rows.features if a.group == OVERALL}
    rough, told = measured("trees", explain__rows=5000, explain__precision=0.1)
    found = attributions(rough)
    assert found.stopped == "precision" and found.rows < N and found.error is not None and found.error <= 0.1
    grown = [done for stage, done, _ in told if done and stage == explaining.STAGE]
    assert grown[0] == 100 and all(a < b <= 2 * a for a, b in pairwise(grown))
    for a in found.features:
        if a.group == OVERALL:
            assert abs(a.mean_abs / whole[a.feature] - 1) < 0.2
    few = attributions(measured("trees", explain__rows=300, explain__precision=1e-9)[0])
    assert (few.rows, few.stopped) == (300, "rows")


def test_evaluations_end_it_with_a_note(measured: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that only permutations explain: the budget counts rows given to it, not time."""
    monkeypatch.setattr(explaining, "EVALUATIONS", 30)
    evidence, _ = measured("bayes", explain__precision=1e-9)
    found = attributions(evidence)
    assert (found.stopped, found.exact, found.stability_over) == ("evaluations", False, "backgrounds")
    assert 10 < found.rows < 1000 and found.evaluations is not None and found.evaluations <= 60_000
    assert any(note.startswith(f"{found.rows} of 2000 sampled rows were explained") for note in evidence.notes)
    assert found.stability is not None and 0.5 < found.stability <= 1


def test_linear_models_over_other_backgrounds(measured: Measured) -> None:
    found = attributions(measured("linear")[0])
    assert (found.stability, found.stability_over) == (1.0, "backgrounds")
    assert found.exact and found.residual is not None and found.residual < 1e-9


@pytest.mark.parametrize("model", ["trees", "linear", "bayes"])
def test_outputs_are_compared_with_the_rows_near_the_cut_off(measured: Measured, model: str) -> None:
    """Whatever explains the model: on the favourable side of 0.5, so that the base is a little above it."""
    asked, plain = (attributions(measured(model, explain__background=b, explain__rows=1000)[0])
                    for b in ("near-cutoff", "all"))
    assert asked.background == explaining.NEAR and asked.background != plain.background
    assert 30 <= asked.background_rows <= 50
    cut, near = (0.5, 0.55) if asked.output == "probability" else (0.0, 0.2)
    assert asked.base is not None and plain.base is not None and plain.base < cut < asked.base < near
    assert asked.residual is not None and asked.residual < 1e-9 and asked.stability_over == "backgrounds"


def test_without_a_cut_off_all_rows_are_compared_with(measured: Measured) -> None:
    evidence, _ = measured("numbers", target="spent", explain__background="near-cutoff", explain__rows=100)
    assert attributions(evidence).background != explaining.NEAR
    assert "No rows are near a cut-off: explanations compare with all of the sample." in evidence.notes


def test_classes(measured: Measured) -> None:
    evidence, _ = measured("classes", target="kind")
    found = attributions(evidence)
    assert found.base is None and len(found.bases) == 3
    assert {a.label for a in found.features if a.group == OVERALL} == {None, "none", "some", "most"}
    assert {a.label for a in found.features if a.group != OVERALL} == {None}
    assert found.permuted[0].metric == "multiclass_log_loss"
    ranks = {m.slice: m.value for m in evidence.measurements if m.metric == "attribution_rank"}
    assert sorted(ranks.values()) == [1.0, 2.0, 3.0, 4.0, 5.0]  # type: ignore[type-var]
    assert {d.label for d in found.differences if d.what == "size"} <= {None}


def test_numbers(measured: Measured) -> None:
    found = attributions(measured("numbers", target="spent")[0])
    assert found.output == "number" and found.base is not None and found.permuted[0].metric == "mean_squared_error"
    assert found.features[0].direction is not None


def test_a_cut_off_is_stated_where_it_decides() -> None:
    outputs = np.array([-1.0, 0.2, 0.4, 0.5])
    assert cut_off(outputs, outputs >= 0, "log-odds", None) == 0.0
    assert cut_off(outputs, outputs >= np.log(0.55 / 0.45), "log-odds", 0.55) == pytest.approx(np.log(0.55 / 0.45))
    assert cut_off(outputs, outputs >= 0.3, "probability", 0.3) == 0.3
    assert cut_off(outputs, outputs >= 0.3, "number", 0.3) == 0.3
    assert cut_off(outputs, outputs >= 0.3, "margin", 0.3) is None  # of a probability that is not known
    assert cut_off(outputs, outputs >= 0.3, "probability", None) is None  # not what the model's own predict does
    assert cut_off(outputs, outputs < 0, "log-odds", 1.0) is None
