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
from govern.stats import entries

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
    other = measured(tmp_path / "other", shuffled(rows), settings)
    assert one == other
    assert len(one["measurements"]) > 100


@pytest.mark.parametrize("exact", [10_000, 500])
@pytest.mark.parametrize("given", [{"data.weight": "w"}, {"data.cluster": "person"},
                                   {"data.weight": "w", "data.cluster": "person"}])
@pytest.mark.parametrize("task", TASKS)
def test_equal_weights_and_persons_of_one_row_say_nothing(task: str, given: dict[str, str], exact: int,
                                                          rows: pd.DataFrame, tmp_path: Path,
                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    few_exact(monkeypatch, exact)
    plain = measured(tmp_path / "plain", rows, TASKS[task])
    same = measured(tmp_path / "same", rows.assign(w=3.0, person=np.arange(N)), {**TASKS[task], **given})
    for part in ("groups", "counts", "measurements", "curves", "thresholds", "threshold_counts", "subgroups"):
        # A column more makes rows differ that were equal without it.
        one, other = ([m for m in f.get(part, []) if not isinstance(m, dict) or m.get("metric") != "duplicate_share"]
                      for f in (same, plain))
        assert one == other, part


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e4])
@pytest.mark.parametrize("task", TASKS)
def test_order_where_rows_are_not_kept(task: str, scale: float, rows: pd.DataFrame, tmp_path: Path,
                                       monkeypatch: pytest.MonkeyPatch) -> None:
    few_exact(monkeypatch, 300)
    settings = {**TASKS[task], "data.weight": "w"}
    rows = rows.assign(w=rows["w"] * scale)
    one = measured(tmp_path / "one", rows, settings)
    monkeypatch.setattr(passing, "BATCH_ROWS", 97)
    assert measured(tmp_path / "other", shuffled(rows), settings) == one


@pytest.mark.parametrize("task", TASKS)
def test_the_scale_of_weights_says_nothing(task: str, rows: pd.DataFrame, tmp_path: Path,
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    few_exact(monkeypatch, 300)
    found = [measured(tmp_path / f"{scale}", rows.assign(w=rows["w"] * scale), {**TASKS[task], "data.weight": "w"})
             for scale in (1.0, 2.0**-27)]
    one, other = ([m for m in f["measurements"] if m.get("se")] for f in found)
    assert len(one) == len(other) > 20
    for a, b in zip(one, other, strict=True):
        assert b["se"] == pytest.approx(a["se"], rel=1e-3), a["metric"]


def shuffled(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows in another order, evaluation and training data each within themselves."""
    return pd.concat([rows[:600].sample(frac=1, random_state=3), rows[600:].sample(frac=1, random_state=4)])


@pytest.mark.parametrize("task", TASKS)
def test_names_of_groups_change_no_number(task: str, rows: pd.DataFrame, tmp_path: Path) -> None:
    """Other names put groups into another order; of two equally large ones either may be the reference of the other."""
    settings = {**TASKS[task], **SAMPLING["both"]}
    names = {"w": "zz", "m": "aa", "x": "q3", "y": "q1", "z": "q2", "north": "s", "south": "n"}
    renamed = rows.assign(**{c: rows[c].map(lambda v: names.get(v, v)) for c in ("sex", "race", "region")})
    found = [measured(tmp_path / name, data, settings)["measurements"]
             for name, data in (("one", rows), ("other", renamed))]
    one, other = ([(m["metric"], m.get("label"), m["value"], m.get("se"), str(m.get("interval")))
                   for m in f if m.get("reference") in (None, "rest")] for f in found)
    assert len(one) > 500 and sorted(map(str, one)) == sorted(map(str, other))


def test_labels_and_searched_values_that_look_alike_are_pointed_out(rows: pd.DataFrame, tmp_path: Path) -> None:
    tier = rows["tier"].where(rows.index % 50 > 0, "Gold")
    notes = measured(tmp_path / "run", rows.assign(tier=tier, area=rows["region"].where(rows.index % 9 > 0, "NORTH")),
                     {**TASKS["multiclass"], "data.favourable": "gold", "data.search": ["area"]})["notes"]
    for column, one, other in (("tier", "Gold", "gold"), ("area", "NORTH", "north")):
        assert f'"{one}" and "{other}" in column "{column}" look alike and are counted apart.' in notes


def few_exact(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """Keep no more than so many rows, as is done beyond 524,288."""
    monkeypatch.setattr(entries, "EXACT_ROWS", rows)
    monkeypatch.setattr(passing, "EXACT_ROWS", rows)


def test_text_numbers_and_booleans_are_one_label(rows: pd.DataFrame, tmp_path: Path) -> None:
    kinds = [rows["bought"], rows["bought"].astype(float), rows["bought"].map({0: "0", 1: "1"}),
             rows["bought"].astype("category")]
    found = [measured(tmp_path / str(i), rows.assign(bought=kind), TASKS["binary"]) for i, kind in enumerate(kinds)]
    assert all(f["measurements"] == found[0]["measurements"] for f in found)


def test_the_batches_are_those_of_the_reader(rows: pd.DataFrame, tmp_path: Path) -> None:
    rows.to_parquet(tmp_path / "eval.parquet")
    sizes = [b.num_rows for b in datasets.open_data(tmp_path / "eval.parquet").batches(["sex"], 97)]
    assert sizes == [97] * 9 + [27]
