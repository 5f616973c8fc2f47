"""The order of rows, the size of batches and the type of a column change nothing that is measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from govern.codec import encode
from govern.inputs import datasets
from govern.inputs.config import load_settings
from govern.measure import passing, run, training

N = 900
TASKS: dict[str, dict[str, Any]] = {
    "binary": {"data.target": "bought", "data.score": "score", "data.threshold": 0.5, "data.positive": "1"},
    "multiclass": {"data.target": "tier", "data.prediction": "tier_said", "data.favourable": "gold"},
    "regression": {"data.target": "pay", "data.prediction": "pay_said", "data.threshold": 2000.0},
}
SAMPLING: dict[str, dict[str, Any]] = {
    "rows": {}, "weights": {"data.weight": "w"}, "persons": {"data.cluster": "person"},
    "both": {"data.weight": "w", "data.cluster": "person"}}


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    bought = rng.random(N) < 0.4
    tier = rng.choice(["bronze", "silver", "gold"], N)
    pay = rng.lognormal(7.5, 0.4, N)
    return pd.DataFrame({
        "sex": rng.choice(["w", "m"], N), "race": pd.Series(rng.choice(["x", "y", "z"], N)).mask(rng.random(N) < 0.05),
        "age": rng.integers(18, 80, N), "region": rng.choice(["north", "south"], N),
        "bought": bought.astype(int), "score": (rng.beta(2 + bought, 3, N)).round(3),
        "tier": tier, "tier_said": np.where(rng.random(N) < 0.6, tier, rng.choice(["bronze", "silver", "gold"], N)),
        "pay": pay, "pay_said": pay * rng.lognormal(0, 0.2, N), "w": rng.lognormal(0, 0.5, N),
        "person": rng.integers(0, 500, N)})


def measured(folder: Path, rows: pd.DataFrame, settings: dict[str, Any]) -> Any:
    """The evidence as plain data, without the digest of the file it came from."""
    folder.mkdir()
    rows[:600].to_parquet(folder / "eval.parquet")
    rows[600:].to_parquet(folder / "train.parquet")
    merged = load_settings({"data.path": folder / "eval.parquet", "data.train": folder / "train.parquet",
                            "data.sensitive": ["sex", "race", "age", "sex:race"], "data.features": ["age", "race"],
                            "data.bands": ["age=30,50"], "data.control": ["region"], **settings},
                           config=None, cwd=folder)
    found = run.measure(merged, None, created="2026-01-01T00:00:00Z", timed=False, progress=lambda *_: None)
    plain = encode(found.evidence)
    del plain["subjects"]
    return plain


@pytest.mark.parametrize("sampling", SAMPLING)
@pytest.mark.parametrize("task", TASKS)
def test_order_and_batches(task: str, sampling: str, rows: pd.DataFrame, tmp_path: Path,
                           monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {**TASKS[task], **SAMPLING[sampling]}
    one = measured(tmp_path / "one", rows, settings)
    monkeypatch.setattr(passing, "BATCH_ROWS", 97)
    monkeypatch.setattr(training, "BATCH_ROWS", 89)
    again = pd.concat([rows[:600].sample(frac=1, random_state=3), rows[600:].sample(frac=1, random_state=4)])
    other = measured(tmp_path / "other", again, settings)
    assert one == other
    assert len(one["measurements"]) > 100


@pytest.mark.parametrize("task", TASKS)
def test_equal_weights_and_persons_of_one_row_say_nothing(task: str, rows: pd.DataFrame, tmp_path: Path) -> None:
    plain = measured(tmp_path / "plain", rows, TASKS[task])
    same = measured(tmp_path / "same", rows.assign(w=3.0, person=np.arange(N)),
                    {**TASKS[task], "data.weight": "w", "data.cluster": "person"})
    for part in ("groups", "counts", "measurements"):
        # A column more makes rows differ that were equal without it.
        one, other = ([m for m in f.get(part, []) if m.get("metric") != "duplicate_share"] for f in (same, plain))
        assert one == other, part


def test_text_numbers_and_booleans_are_one_label(rows: pd.DataFrame, tmp_path: Path) -> None:
    kinds = [rows["bought"], rows["bought"].astype(float), rows["bought"].map({0: "0", 1: "1"}),
             rows["bought"].astype("category")]
    found = [measured(tmp_path / str(i), rows.assign(bought=kind), TASKS["binary"]) for i, kind in enumerate(kinds)]
    assert all(f["measurements"] == found[0]["measurements"] for f in found)


def test_the_batches_are_those_of_the_reader(rows: pd.DataFrame, tmp_path: Path) -> None:
    rows.to_parquet(tmp_path / "eval.parquet")
    sizes = [b.num_rows for b in datasets.open_data(tmp_path / "eval.parquet").batches(["sex"], 97)]
    assert sizes == [97] * 9 + [27]
