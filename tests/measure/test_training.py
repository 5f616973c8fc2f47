"""The training data beside the evaluation data: overlap, unseen values, groups, cases, drift."""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from govern.codec import encode
from govern.errors import InputError
from govern.evidence import Evidence, Measurement
from govern.inputs.config import load_settings
from govern.measure import passing, rowkeys, run
from govern.measure import training as module
from govern.measure.start import start
from govern.worker.client import Worker

EVAL = pd.DataFrame({
    "x": [1.0, 2, 3, 4, 5, np.nan], "t": ["a", "b", "c", "a", None, "d"], "sex": ["w", "m", "w", "m", "w", None],
    "age": [20, 30, 40, 50, 60, 70], "y": [0, 1, 0, 1, 0, 1], "s": [0.1, 0.9, 0.2, 0.8, 0.4, 0.6]})
TRAIN = pd.DataFrame({
    "x": [1.0, 2, 9, 2, 2], "t": ["a", "b", "a", "b", None], "sex": ["w", "w", "m", "m", "x"],
    "age": [20, 30, 41.5, 30, 99], "y": [0, 1, 1, 1, 0], "s": [0.1, 0.9, 0.3, 0.3, 0.3]})


def settings(folder: Path, own: pd.DataFrame, train: pd.DataFrame, said: str, more: dict[str, Any]) -> Any:
    folder.mkdir(exist_ok=True)
    own.to_parquet(folder / "eval.parquet")
    train.to_parquet(folder / "train.parquet")
    (folder / "govern.yaml").write_text(said)
    flags = {"data.path": folder / "eval.parquet", "data.train": folder / "train.parquet", "data.target": "y",
             "data.score": "s", "data.threshold": 0.5, "data.sensitive": ["sex", "age"], "data.bands": ["age=35,55"],
             "data.features": ["x", "t"]}
    return load_settings(flags | {k.replace("_", "."): v for k, v in more.items()}, config=None, cwd=folder)


def measured(folder: Path, own: pd.DataFrame = EVAL, train: pd.DataFrame = TRAIN, said: str = "{}", **more: Any
             ) -> Evidence:
    found = run.measure(settings(folder, own, train, said, more), None, created="2026-01-01T00:00:00Z", timed=False,
                        progress=lambda *_: None)
    return found.evidence


def of(found: Evidence, metric: str, split: str = "eval") -> dict[str | None, Measurement]:
    return {m.slice: m for m in found.measurements if m.metric == metric and m.split == split}


def test_rows_that_stand_in_both(tmp_path: Path) -> None:
    """(1, a, 0) and (2, b, 1) stand in the training data, the second one twice: two of six rows."""
    found = measured(tmp_path)
    m = of(found, "train_overlap_share")[None]
    assert (m.numerator, m.denominator, m.value, m.status) == (2, 6, 2 / 6, "ok")


def test_the_label_is_part_of_the_row(tmp_path: Path) -> None:
    found = measured(tmp_path, EVAL, TRAIN.assign(y=1 - TRAIN["y"]))
    assert of(found, "train_overlap_share")[None].value == 0.0


def test_missing_values_are_equal_to_missing_ones(tmp_path: Path) -> None:
    rows = pd.DataFrame({"x": [np.nan], "t": ["d"], "sex": ["w"], "age": [20.0], "y": [1], "s": [0.5]})
    assert of(measured(tmp_path, EVAL, rows), "train_overlap_share")[None].numerator == 1


def test_whole_numbers_equal_floats_of_the_same_value(tmp_path: Path) -> None:
    own = EVAL.fillna({"x": 6}).astype({"x": int})
    assert of(measured(tmp_path, own), "train_overlap_share")[None].numerator == 2


def test_an_overlap_of_many_rows_is_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of the training data may be more than the keys that are kept."""
    rng = np.random.default_rng(4)
    n = 3000
    pool = pd.DataFrame({"x": rng.integers(0, 40, n).astype(float), "t": rng.choice(list("abcdefgh"), n),
                         "sex": rng.choice(["w", "m"], n), "age": rng.integers(18, 80, n), "y": rng.integers(0, 2, n),
                         "s": rng.random(n)})
    own, train = pool[:800], pool[800:]
    both = set(map(tuple, train[["x", "t", "y"]].to_numpy().tolist()))
    expected = sum(tuple(row) in both for row in own[["x", "t", "y"]].to_numpy().tolist())
    assert 0 < expected < 800
    monkeypatch.setattr(passing, "BATCH_ROWS", 77)
    monkeypatch.setattr(module, "BATCH_ROWS", 501)
    monkeypatch.setattr(rowkeys, "MOST_KEYS", 1000)
    found = measured(tmp_path, own, train)
    assert of(found, "train_overlap_share")[None].numerator == expected
    assert of(found, "duplicate_share", "train")[None].status == "undefined"
    monkeypatch.setattr(rowkeys, "MOST_KEYS", 700)
    beyond = of(measured(tmp_path, own, train), "train_overlap_share")[None]
    assert beyond.status == "undefined" and "of which the keys are not kept" in str(beyond.reason)


def test_the_same_file_overlaps_wholly(tmp_path: Path) -> None:
    found = measured(tmp_path, EVAL, EVAL)
    assert of(found, "train_overlap_share")[None].value == 1.0
    assert all(m.value == 0.0 for m in of(found, "unseen_value_share").values())
    assert all(m.value == 0.0 for m in of(found, "population_stability").values())


def test_unseen_values(tmp_path: Path) -> None:
    """t: c and d do not occur; x: all within 1 to 9; age: 60 and 70 lie within 20 to 99; sex: all known."""
    shares = {name: (m.numerator, m.denominator) for name, m in of(measured(tmp_path), "unseen_value_share").items()}
    assert shares == {"column: x": (0, 6), "column: t": (2, 6), "column: sex": (0, 6), "column: age": (0, 6)}
    train = TRAIN.assign(x=[2.0, 2, 3, 3, 3], age=30, sex="w")
    shares = {name: m.numerator for name, m in of(measured(tmp_path, EVAL, train), "unseen_value_share").items()}
    assert shares == {"column: x": 3, "column: t": 2, "column: sex": 2, "column: age": 5}


def test_unseen_numbers_are_those_of_used_rows(tmp_path: Path) -> None:
    own = EVAL.assign(y=[0, None, 0, 1, 0, 1], w=[1, 1, 0, 1, 1, None], x=[100.0, 200, 300, 1, 1, 400])
    m = of(measured(tmp_path, own, TRAIN, data_weight="w"), "unseen_value_share")["column: x"]
    assert (m.numerator, m.denominator) == (1, 3)


def test_a_column_without_values_on_either_side(tmp_path: Path) -> None:
    found = measured(tmp_path, EVAL, TRAIN.assign(x=np.nan, t=None))
    unseen = of(found, "unseen_value_share")
    assert (unseen["column: x"].numerator, unseen["column: t"].numerator) == (5, 5)
    assert of(found, "train_overlap_share")[None].numerator == 0
    other = measured(tmp_path, EVAL.assign(x=np.nan, t=None), TRAIN)
    unseen = of(other, "unseen_value_share")
    assert (unseen["column: x"].numerator, unseen["column: t"].numerator) == (0, 0)


def test_missing_shares_and_duplicates_of_the_training_data(tmp_path: Path) -> None:
    found = measured(tmp_path)
    missing = {name: (m.numerator, m.denominator) for name, m in of(found, "missing_share", "train").items()}
    assert missing == {"column: x": (0, 5), "column: t": (1, 5), "column: sex": (0, 5), "column: age": (0, 5)}
    repeated = of(measured(tmp_path, EVAL, pd.concat([TRAIN, TRAIN[:2]])), "duplicate_share", "train")[None]
    assert (repeated.numerator, repeated.denominator) == (2, 7)
    assert found.train is not None and found.train.rows == 5 and found.train.duplicates == 0
    assert [c.name for c in found.train.columns] == ["x", "t", "y", "sex", "age", "s"]
    subject = found.subject("train")
    assert subject is not None and subject.name == "train.parquet" and len(subject.sha256) == 64
    assert found.settings["data"]["train"] == "train.parquet"


def test_groups_and_cases_of_the_training_data(tmp_path: Path) -> None:
    """Bands keep their names though ages are no whole numbers there; a group that only they have is no group here."""
    found = measured(tmp_path, said="data: {cases: [{sex: w, age: 35 or less}, {sex: m}]}")
    names = {g.id: g.name for g in found.groups}
    shares = {names[m.group]: (m.numerator, m.denominator) for m in found.measurements
              if m.metric == "group_share" and m.split == "train"}
    assert shares == {"m": (2, 5), "w": (2, 5), "(missing)": (0, 5), "35 or less": (3, 5), "36–55": (1, 5),
                      "56 or more": (1, 5)}
    assert {m.slice: m.value for m in of(found, "case_rows", "train").values()} == {
        "case: sex=w, age=35 or less": 2.0, "case: sex=m": 2.0}
    assert {m.slice: m.value for m in of(found, "case_rows").values()} == {
        "case: sex=w, age=35 or less": 1.0, "case: sex=m": 2.0}


def test_drift_by_hand(tmp_path: Path) -> None:
    """t: a 2 and 2, b 1 and 2, c 1 and 0, d 1 and 0, missing 1 and 1."""
    found = measured(tmp_path)
    drift = of(found, "population_stability")
    assert set(drift) == {"column: x", "column: t", "output"}
    assert all(m.reference == "train" for m in drift.values())
    before, now = [2, 2, 0, 0, 1], [2, 1, 1, 1, 1]
    p, q = ([(n + 0.5) / (sum(c) + 2.5) for n in c] for c in (before, now))
    by_hand = sum((b - a) * math.log(b / a) for a, b in zip(p, q, strict=True))
    assert drift["column: t"].value == pytest.approx(by_hand, abs=1e-12)
    assert found.train is not None and found.train.output is not None
    assert sum(b.n for b in found.train.output.bins) == 5


def test_columns_that_the_training_data_lack(tmp_path: Path) -> None:
    said = "data: {cases: [{sex: w}, {age: 35 or less}]}"
    found = measured(tmp_path, EVAL, TRAIN.drop(columns=["t", "sex", "s"]), said)
    why = 'the training data have no column "t"'
    for m in (of(found, "train_overlap_share")[None], of(found, "unseen_value_share")["column: t"],
              of(found, "population_stability")["column: t"]):
        assert (m.status, m.value, m.reason) == ("undefined", None, why)
    assert of(found, "population_stability")["column: x"].status == "ok"
    assert of(found, "population_stability")["output"].reason == 'the training data have no column "s"'
    groups = [m for m in found.measurements if m.metric == "group_share" and m.split == "train"]
    assert {(m.status, m.reason) for m in groups} == {
        ("undefined", 'the training data have no column "sex"'), ("ok", None)}
    cases = of(found, "case_rows", "train")
    assert cases["case: sex=w"].status == "undefined" and cases["case: age=35 or less"].value == 3.0
    assert any('have no column "t", "sex", "s": nothing is compared there' in note for note in found.notes)
    assert found.train is not None and found.train.output is None


def test_columns_of_other_types(tmp_path: Path) -> None:
    train = TRAIN.assign(x=TRAIN["x"].astype(str), age=TRAIN["age"].astype(str), sex=[1, 2, 1, 2, 1])
    found = measured(tmp_path, EVAL, train)
    why = 'column "x" holds texts in the training data and numbers in the evaluation data'
    for m in (of(found, "train_overlap_share")[None], of(found, "unseen_value_share")["column: x"],
              of(found, "population_stability")["column: x"]):
        assert (m.status, m.reason) == ("undefined", why)
    names = {g.id: g.feature for g in found.groups}
    shares = {(names[m.group], m.status) for m in found.measurements
              if m.metric == "group_share" and m.split == "train"}
    assert shares == {("sex", "ok"), ("age", "undefined")}
    single = measured(tmp_path, EVAL, TRAIN.astype({"x": "float32"}))
    assert any("single precision" in note and '"x"' in note for note in single.notes)


def test_dates_are_compared_as_texts(tmp_path: Path) -> None:
    days = pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-01", "2026-01-09", "2026-02-01"]).date
    own = EVAL.assign(t=days)
    train = TRAIN.assign(t=["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-01", "2026-03-01"])
    found = measured(tmp_path, own, train, data_date="t")
    assert of(found, "train_overlap_share")[None].numerator == 2
    assert of(found, "unseen_value_share")["column: t"].numerator == 2
    assert found.train is not None and found.train.period == ("2026-01-01", "2026-03-01")
    assert found.data.period == ("2026-01-01", "2026-02-01")


def test_too_many_texts(tmp_path: Path) -> None:
    n = 1500
    own = pd.DataFrame({"x": np.arange(n), "t": [f"v{i}" for i in range(n)], "sex": "w", "age": 30, "y": [0, 1] * 750,
                        "s": 0.5})
    found = measured(tmp_path, own, TRAIN)
    assert "1,000 different" in str(of(found, "unseen_value_share")["column: t"].reason)
    assert "1,000 different" in str(of(found, "population_stability")["column: t"].reason)
    few = own[:900]
    # All that occur in the evaluation data are looked for, however many the training data have.
    assert of(measured(tmp_path, few, own), "unseen_value_share")["column: t"].value == 0.0


def test_stored_labels_and_numbers_are_outputs(tmp_path: Path) -> None:
    more = {"data_score": None, "data_threshold": None, "data_prediction": "s"}
    labels = measured(tmp_path, EVAL.assign(s=[0, 1, 0, 1, 0, 1]), TRAIN.assign(s=[0.0, 1, 1, None, 1]), **more)
    assert labels.train is not None and labels.train.output is not None
    assert {level.value: level.n for level in labels.train.output.levels} == {"0": 1, "1": 3}
    numbers = measured(tmp_path, EVAL.assign(y=EVAL["x"].fillna(0) + 0.5), TRAIN.assign(y=TRAIN["x"] + 0.5), **more)
    assert numbers.train is not None and numbers.train.output is not None and numbers.train.output.low == 0.1
    assert of(numbers, "train_overlap_share")[None].numerator == 2
    texts = measured(tmp_path, EVAL, TRAIN.assign(s="high"))
    assert of(texts, "population_stability")["output"].reason == 'column "s" holds no numbers in the training data'


def test_without_features_there_is_no_overlap(tmp_path: Path) -> None:
    found = measured(tmp_path, data_features=None)
    m = of(found, "train_overlap_share")[None]
    assert m.status == "undefined" and "--feature" in str(m.reason)
    assert set(of(found, "population_stability")) == {"output"}


@pytest.mark.parametrize(("train", "words"), [
    (pd.DataFrame({"other": [1]}), ["train.parquet", "none of the columns", "--train"]),
    (TRAIN[:0], ["train.parquet", "has no rows"]),
])
def test_training_data_that_cannot_be_used(tmp_path: Path, train: pd.DataFrame, words: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        measured(tmp_path, EVAL, train)
    assert all(w in str(caught.value) for w in words), str(caught.value)


def test_too_many_groups_name_the_file(tmp_path: Path) -> None:
    train = pd.DataFrame({"x": 1.0, "t": "a", "sex": [f"s{i}" for i in range(1100)], "age": 3, "y": 1, "s": 0.5})
    with pytest.raises(InputError, match=r'train\.parquet: column "sex" has more than 1,000 different values'):
        measured(tmp_path, EVAL, train)


@pytest.fixture(scope="module")
def many() -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(12)
    n = 2400
    y = rng.integers(0, 2, n)
    rows = pd.DataFrame({
        "x": rng.normal(y, 1), "t": pd.Series(rng.choice(list("abcdef"), n)).mask(rng.random(n) < 0.1),
        "sex": pd.Series(rng.choice(["w", "m"], n)).mask(rng.random(n) < 0.05), "age": rng.integers(18, 80, n),
        "region": rng.choice(["n", "s"], n), "day": rng.choice(["2026-01-01", "2026-02-02", "2026-03-03"], n),
        "step": pd.Series(rng.choice([0, 1], n)).mask(rng.random(n) < 0.3), "y": y, "s": rng.beta(1 + y, 2)})
    rows.loc[100:200, ["x", "t", "y"]] = rows.loc[1500:1600, ["x", "t", "y"]].to_numpy()
    return rows[:1000], rows[1000:]


SAID = """
data:
  shares: {sex: {w: 0.5, m: 0.5}}
  cases: [{sex: w, region: n}, {age: 36–55}]
  decisions: {step: {column: step, selected: 1}}
  contract: {age: {low: 20, high: 70}, t: {levels: [a, b, c], missing: false}}
"""


def test_order_and_batches_change_nothing(many: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path,
                                          monkeypatch: pytest.MonkeyPatch) -> None:
    more = {"data_control": ["region"], "data_date": "day", "data_period": "2026-01-01..2026-02-28",
            "data_pairs": ["sex", "t", "age"]}
    one = encode(measured(tmp_path / "a", *many, SAID, **more))
    monkeypatch.setattr(passing, "BATCH_ROWS", 83)
    monkeypatch.setattr(module, "BATCH_ROWS", 71)
    again = [rows.sample(frac=1, random_state=5).reset_index(drop=True) for rows in many]
    other = encode(measured(tmp_path / "b", *again, SAID, **more))
    for found in (one, other):
        del found["subjects"]
    assert one == other
    metrics = {m["metric"] for m in one["measurements"]}
    assert metrics >= {"train_overlap_share", "population_stability", "unseen_value_share", "case_rows",
                       "pair_coverage", "contract_break_share", "out_of_period_share", "group_share_gap",
                       "scoring_rate"}


@pytest.mark.parametrize("rows", [20_000, 150])
def test_a_models_outputs_on_a_sample_of_the_rows(many: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path,
                                                  monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(module, "SAMPLE_ROWS", rows)
    own, train = many
    model = LogisticRegression().fit(train[["x", "age"]], train["y"])
    more = {"model_path": tmp_path / "m.pkl", "data_features": None, "data_score": None}
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(model))
    with Worker() as worker:
        chosen = settings(tmp_path, own, train, "{}", more)
        found = run.measure(chosen, start(worker, chosen), created="2026-01-01T00:00:00Z", timed=False,
                            progress=lambda *_: None, explained=False).evidence
    assert found.train is not None and found.train.output is not None and found.data.output is not None
    scores = model.predict_proba(train[["x", "age"]])[:, 1]
    n = min(rows, len(train))
    assert sum(b.n for b in found.train.output.bins) == n
    if n == len(train):
        assert (found.train.output.low, found.train.output.high) == pytest.approx((scores.min(), scores.max()))
    drift = of(found, "population_stability")
    assert set(drift) == {"column: x", "column: age", "output"} and (drift["output"].value or 9) < 0.2
    throughput = found.find("smoke_shape")
    assert throughput is not None and throughput.value == 0.0  # rows of the training data are not among those sent


def test_a_model_that_cannot_take_the_training_rows(many: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path) -> None:
    own, train = many
    model = LogisticRegression().fit(train[["x", "age"]], train["y"])
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(model))
    more = {"model_path": tmp_path / "m.pkl", "data_features": None, "data_score": None}
    for changed, words in ((train.assign(x=np.nan), "NaN"), (train.drop(columns="x"), 'no column "x"'),
                           (train.assign(x=train["x"].astype(str)), "holds texts in the training data")):
        with Worker() as worker:
            chosen = settings(tmp_path, own, changed, "{}", more)
            found = run.measure(chosen, start(worker, chosen), created="2026-01-01T00:00:00Z", timed=False,
                                progress=lambda *_: None, explained=False).evidence
        m = of(found, "population_stability")["output"]
        assert m.status == "undefined" and words in str(m.reason), m.reason
        assert found.train is not None and found.train.output is None
