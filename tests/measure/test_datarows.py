"""Missing values, repeated rows, conflicting labels, features that tell the target, the distribution of outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from govern.dataset import Bin, Level
from govern.evidence import Evidence, Measurement
from govern.inputs.config import load_settings
from govern.measure import rowkeys, run

ROWS = pd.DataFrame({
    "x": [1.0, 1, 1, 2, 2, None, None, 3], "t": ["a", "a", "a", "b", None, "c", "c", "d"],
    "sex": ["w", "w", "m", "m", "w", "w", "w", None],
    "p": [1, 1, 0, 0, 1, 1, 1, 0], "y": [1, 1, 0, 0, 1, 0, 0, 1]})


def measured(folder: Path, rows: pd.DataFrame = ROWS, **more: Any) -> Evidence:
    folder.mkdir(exist_ok=True)
    rows.to_parquet(folder / "eval.parquet")
    flags = {"data.path": folder / "eval.parquet", "data.target": "y", "data.prediction": "p",
             "data.sensitive": ["sex"], "data.features": ["x", "t"]}
    settings = load_settings(flags | {k.replace("_", "."): v for k, v in more.items()}, config=None, cwd=folder)
    return run.measure(settings, None, created="2026-01-01T00:00:00Z", timed=False, progress=lambda *_: None).evidence


def of(found: Evidence, metric: str) -> dict[str | None, Measurement]:
    return {m.slice: m for m in found.measurements if m.metric == metric}


def test_missing_values_of_every_column_that_may_have_some(tmp_path: Path) -> None:
    shares = {name: (m.numerator, m.denominator) for name, m in of(measured(tmp_path), "missing_share").items()}
    assert shares == {"column: x": (2, 8), "column: t": (1, 8), "column: sex": (1, 8)}


def test_repeated_rows_and_conflicting_labels(tmp_path: Path) -> None:
    """Rows 1 and 2, 6 and 7 are equal. Rows 1 to 3 have equal features, and row 3 another label."""
    found = measured(tmp_path)
    repeated, conflicts = of(found, "duplicate_share")[None], of(found, "label_conflict_share")[None]
    assert (repeated.numerator, repeated.denominator, repeated.value) == (2, 8, 0.25)
    assert found.data.duplicates == 2
    assert (conflicts.numerator, conflicts.denominator) == (3, 8)


def test_conflicts_need_features_and_labels(tmp_path: Path) -> None:
    without = of(measured(tmp_path, data_features=None), "label_conflict_share")[None]
    assert (without.status, without.value) == ("undefined", None) and "--feature" in str(without.reason)
    rows = ROWS.assign(y=np.arange(8) + 0.5)
    numbers = of(measured(tmp_path, rows), "label_conflict_share")[None]
    assert (numbers.status, numbers.reason) == ("undefined", "a regression has no labels")


def test_conflicts_of_several_classes(tmp_path: Path) -> None:
    rows = ROWS.assign(y=list("abcaabba"), p=list("abcaabba"))
    found = of(measured(tmp_path, rows), "label_conflict_share")[None]
    assert (found.numerator, found.denominator) == (3, 8)  # rows 1 to 3 have three labels, 6 and 7 one


def test_too_many_rows_to_keep_their_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rowkeys, "MOST_KEYS", 7)
    found = measured(tmp_path)
    for metric in ("duplicate_share", "label_conflict_share"):
        m = of(found, metric)[None]
        assert (m.status, m.value) == ("undefined", None) and "rows, of which the keys are not kept" in str(m.reason)
    assert found.data.duplicates is None


def test_one_feature_alone(tmp_path: Path) -> None:
    """x: missing rows are negative, so they stand below; of 4 × 4 pairs 1s are tied or right.

    Positive rows are 1, 1, 2, 3; the others 1, 2, and two missing. Above the two missing ones: 8. Above 1: 2, 3 and
    two ties of 1 make 3. Above 2: 3 and a tie make 1.5. 12.5 of 16.
    """
    found = of(measured(tmp_path), "single_feature_auc")
    assert set(found) == {"column: x", "column: t"}
    assert found["column: x"].value == 12.5 / 16 and found["column: x"].reason is None


def test_a_feature_that_is_the_target(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 600)
    rows = pd.DataFrame({"y": y, "p": y, "sex": rng.choice(["w", "m"], 600),
                         "copy": np.where(y == 1, "yes", "no"), "code": np.where(y == 1, 3, rng.choice([1, 2, 4], 600)),
                         "flag": y == 1, "noise": rng.normal(size=600), "id": [f"p{i}" for i in range(600)],
                         "late": np.where(y == 1, rng.normal(size=600), np.nan)})
    names = ["copy", "code", "flag", "noise", "id", "late"]
    found = {k: m.value for k, m in of(measured(tmp_path, rows, data_features=names), "single_feature_auc").items()}
    assert [found[f"column: {c}"] for c in ("copy", "code", "flag", "late")] == [1.0] * 4
    assert found["column: id"] == 0.5 and 0.5 <= (found["column: noise"] or 0) < 0.55


def test_too_many_texts_are_undefined(tmp_path: Path) -> None:
    rows = pd.DataFrame({"t": [f"v{i}" for i in range(1200)], "y": [0, 1] * 600, "p": 1, "sex": ["w", "m"] * 600})
    m = of(measured(tmp_path, rows, data_features=["t"]), "single_feature_auc")["column: t"]
    assert (m.status, m.value, m.reason) == ("undefined", None, "more than 1,000 different values")


def test_of_several_classes_the_one_told_best_is_named(tmp_path: Path) -> None:
    rows = ROWS.assign(y=list("abcabcab"), p=list("abcabcab"), x=[0, 1, 2, 0, 1, 9, 0, 1], t="k")
    found = of(measured(tmp_path, rows), "single_feature_auc")
    assert found["column: x"].value == 1.0 and found["column: t"].value == 0.5
    assert found["column: x"].reason == 'of the class "a" against all others'


def test_numbers_as_outcomes_have_no_such_area(tmp_path: Path) -> None:
    assert not of(measured(tmp_path, ROWS.assign(y=np.arange(8) + 0.5)), "single_feature_auc")


def test_the_distribution_of_outputs(tmp_path: Path) -> None:
    labels = measured(tmp_path).data.output
    assert labels is not None and labels.kind == "text" and labels.levels == (Level("1", 5), Level("0", 3))
    rows = ROWS.assign(s=[0.25, 0.25, 0.5, 0.5, 0.5, 0.75, 1, 0])
    scores = measured(tmp_path, rows, data_prediction=None, data_score="s", data_threshold=0.5).data.output
    assert scores is not None and scores.kind == "number" and (scores.low, scores.high) == (0.0, 1.0)
    assert scores.bins == (Bin(0.0, 1), Bin(0.25, 2), Bin(0.5, 3), Bin(0.75, 1), Bin(1.0, 1))
    numbers = measured(tmp_path, ROWS.assign(y=np.arange(8) + 0.5, p=2.0)).data.output
    assert numbers is not None and numbers.bins == (Bin(2.0, 8),)
    classes = measured(tmp_path, ROWS.assign(y=list("abcabcab"), p=list("aaaabbaa"))).data.output
    assert classes is not None and classes.levels == (Level("a", 6), Level("b", 2))
