"""Metrics of the user's own and the search of subgroups in whole runs, with a model and without."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from govern.inputs.config import load_settings
from govern.measure import run
from govern.measure.start import start
from govern.worker.client import Worker

N = 1500
METRIC = "def cost(y_true, y_pred, score, weight):\n    return float((weight * abs(y_true - y_pred)).mean())\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"sex": rng.choice(["men", "women"], N), "race": rng.choice(["a", "b"], N),
                         "region": rng.choice(["n", "s"], N), "x": rng.normal(size=N)})
    data["y"] = (data.x + rng.normal(size=N) > 0).astype(int)
    model = LogisticRegression().fit(data[["x"]], data.y)
    data["p"] = model.predict_proba(data[["x"]])[:, 1]
    data.loc[(data.sex == "women") & (data.region == "n"), "p"] *= 0.5
    data.to_csv(tmp_path / "e.csv", index=False)
    data.sample(frac=1, random_state=1).to_csv(tmp_path / "shuffled.csv", index=False)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine.py").write_text(METRIC)
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(model))
    (tmp_path / "govern.yaml").write_text(
        "model: {path_extra: [own]}\n"
        "data: {target: y, sensitive: [sex, race], metrics: {cost: {function: 'mine:cost', better: lower, low: 0}}}\n")
    return tmp_path


def evidence(govern: Callable[..., Any], folder: Path, *more: str) -> dict[str, Any]:
    done = govern("measure", *more, "--config", "govern.yaml", "--timestamp", "2026-01-01T00:00:00Z", "--compute",
                  "skip", "--out", "out", cwd=folder)
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads((folder / "out" / "evidence.json").read_bytes())
    return found


STORED = ("--score", "p", "--threshold", "0.5", "--search", "region")


def test_stored_predictions(govern: Callable[..., Any], folder: Path) -> None:
    found = evidence(govern, folder, "--data", "e.csv", *STORED)
    own = {m.get("group", "overall"): m for m in found["measurements"] if m["metric"] == "cost" and "compare" not in m}
    data = pd.read_csv(folder / "e.csv")
    assert own["overall"]["value"] == pytest.approx(((data.p >= 0.5) != data.y).mean())
    assert set(own) == {"overall"} | {g["id"] for g in found["groups"] if g["features"] in (["sex"], ["race"])}
    first = found["subgroups"][0]
    assert (first["features"], first["values"]) == (["sex", "region"], ["women", "n"])
    assert any(note.startswith("Subgroup search over sex, race, region") for note in found["notes"])
    other = evidence(govern, folder, "--data", "shuffled.csv", *STORED)
    for part in ("measurements", "subgroups", "groups", "notes"):
        assert other[part] == found[part]


def test_a_model(govern: Callable[..., Any], folder: Path) -> None:
    found = evidence(govern, folder, "m.pkl", "--data", "e.csv")
    own = next(m for m in found["measurements"] if m["metric"] == "cost" and "group" not in m)
    accuracy = next(m for m in found["measurements"] if m["metric"] == "accuracy" and "group" not in m)
    assert own["value"] == pytest.approx(1 - accuracy["value"])
    assert any(note.startswith("Subgroup search over sex, race:") for note in found["notes"])


def test_functions_named_beside_the_model_count_only_when_asked(govern: Callable[..., Any], folder: Path) -> None:
    done = govern("measure", "m.pkl", "--data", "e.csv", cwd=folder)
    assert done.code == 2 and "counts only when asked" in done.err


def test_a_function_that_is_not_there_is_one_line(govern: Callable[..., Any], folder: Path) -> None:
    (folder / "own" / "mine.py").write_text("")
    done = govern("measure", "--data", "e.csv", "--score", "p", "--threshold", "0.5", cwd=folder)
    assert done.code == 2
    assert 'metric "cost": module "mine" has no function "cost"' in done.err


def test_explanations_are_of_weighted_rows_and_repeated_persons(govern: Callable[..., Any], folder: Path) -> None:
    data = pd.read_csv(folder / "e.csv")
    rng = np.random.default_rng(3)
    data["w"], data["same"], data["one"] = np.exp(data.x + rng.normal(0, 0.2, N)), 2.0, np.arange(N)
    data["person"] = np.arange(N) // 3
    data.to_csv(folder / "e.csv", index=False)
    plain, same, weighted = (evidence(govern, folder, "m.pkl", "--data", "e.csv", *more)["attributions"] for more in (
        (), ("--weight", "same", "--cluster", "one"), ("--weight", "w", "--cluster", "person")))
    assert same == plain and "weighted" not in plain["method"]
    assert weighted["method"] == plain["method"] + "; means over weighted rows; standard errors of persons"
    first, other = plain["features"][0], weighted["features"][0]
    assert (first["feature"], first["group"], first["n"]) == (other["feature"], other["group"], other["n"])
    # Rows of large x weigh more, and the model is linear in x.
    assert other["mean"] > first["mean"] + 0.3 and other["se"] != first["se"]


@pytest.mark.parametrize(("many", "stages"), [
    (N + 1, ["loading the model", "predicting", "checking and explaining", "done meanwhile", "timing"]),
    (N, ["loading the model", "predicting", "done meanwhile", "checking and explaining", "timing"]),
])
def test_work_of_others_is_done_once_while_the_model_is_busy(
        folder: Path, monkeypatch: pytest.MonkeyPatch, many: int, stages: list[str]) -> None:
    """Of few rows after the predictions, of many once the first are asked for; the evidence is the same."""
    monkeypatch.setattr(run, "MANY_ROWS", many)
    (folder / "govern.yaml").unlink()
    settings = load_settings({"model.path": folder / "m.pkl", "data.path": folder / "e.csv", "data.target": "y",
                              "data.sensitive": ["sex"]}, config=None, cwd=folder)

    def measured(meanwhile: Callable[[], None] | None) -> tuple[Any, list[str]]:
        told: list[str] = []
        with Worker() as worker:
            found = run.measure(settings, start(worker, settings), created="2026-01-01T00:00:00Z", timed=True,
                                progress=lambda stage, done, total: told.append(stage),
                                meanwhile=meanwhile and (lambda: told.append("done meanwhile")))
        return found.evidence, list(dict.fromkeys(told))

    alone, told = measured(None)
    assert told == [s for s in stages if s != "done meanwhile"]
    assert measured(lambda: None) == (alone, stages)
