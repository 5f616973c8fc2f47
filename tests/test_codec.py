"""Documents: round trips, canonical bytes, refused files, and writing all or nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govern import codec
from govern.dataset import DataFacts, Population
from govern.errors import InputError
from govern.evidence import EVIDENCE_SCHEMA, Counts, Evidence, Group, Interval, Measurement, Model

numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)
measurements = st.builds(
    Measurement, metric=st.sampled_from(["accuracy", "roc_auc"]), value=numbers, reason=st.none() | st.text(),
    group=st.text(min_size=1), se=numbers, numerator=st.none() | st.integers(0, 10**9),
    interval=st.none() | st.builds(Interval, numbers, numbers, st.just(0.95), st.text()),
    features=st.lists(st.text(), max_size=2).map(tuple))


def evidence(*found: Measurement) -> Evidence:
    return Evidence(EVIDENCE_SCHEMA, "2026-11-22T00:00:00Z", (), {"data": {"target": "y"}}, None, Population(3, 3),
                    DataFacts(), (Group("overall", (), (), 3, 1, 2), Group("g1", ("sex",), (None,), 3, 1, 2, False)),
                    (Counts("overall", 1, 0, 0, 2, 2),), found)


@given(st.lists(measurements, max_size=4))
def test_round_trip(found: list[Measurement]) -> None:
    e = evidence(*found)
    data = codec.document(e)
    assert codec.decode(Evidence, json.loads(data)) == e
    assert codec.as_stored(e) == (e, data)
    assert codec.dumps(json.loads(data)) == data


def test_keys_are_sorted_and_defaults_left_out() -> None:
    data = codec.document(evidence(Measurement("accuracy", 0.5)))
    assert b'{"metric": "accuracy", "value": 0.5}' in data
    top = [line.split('"')[1] for line in data.decode().splitlines() if line.startswith(' "')]
    assert top == sorted(top) and data.endswith(b"}\n")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_numbers_are_finite(value: float) -> None:
    with pytest.raises(ValueError, match="NaN or infinity"):
        codec.document(evidence(Measurement("accuracy", value)))


@pytest.mark.parametrize(("text", "said"), [
    ("", "not JSON"), ("{", "not JSON"), ("[1]", 'schema "None"'),
    ('{"schema": "govern.evidence/9"}', "govern.evidence/9"),
    ('{"schema": "govern.evidence/1", "created": NaN}', "not JSON"),
    ('{"schema": "govern.evidence/1"}', "does not fit"),
    ('{"schema": "govern.evidence/1", "surprise": 1}', "surprise"),
    ("[" * 100_000, "not JSON"),
])
def test_files_that_are_no_evidence_are_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "e.json").write_text(text)
    with pytest.raises(InputError, match=said):
        codec.load(tmp_path / "e.json", Evidence, EVIDENCE_SCHEMA)


@pytest.mark.parametrize(("levels", "fits"), [(60, True), (70, False), (900, False)])
def test_words_nested_deeper_than_readers_can_follow_are_refused(levels: int, fits: bool) -> None:
    for lists in (False, True):
        deep: object = "x"
        for _ in range(levels):
            deep = [deep] if lists else {"a": deep}
        plain = {"type": "t", "libraries": {}, "features": [], "parameters": {"p": deep}}
        if fits:
            assert codec.decode(Model, plain).parameters["p"] == deep
            continue
        with pytest.raises(ValueError, match="parameters: is nested deeper than 64 levels"):
            codec.decode(Model, plain)


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        codec.load(tmp_path, Evidence, EVIDENCE_SCHEMA)
    with pytest.raises(InputError, match="no such file"):
        codec.load(tmp_path / "none.json", Evidence, EVIDENCE_SCHEMA)


def test_files_appear_together_and_leave_no_debris(tmp_path: Path) -> None:
    codec.write_files(tmp_path / "a" / "b", {"x": b"1", "y": b"2"})
    assert sorted(p.name for p in (tmp_path / "a" / "b").iterdir()) == ["x", "y"]
    codec.write_files(tmp_path / "a" / "b", {"x": b"3"}, replaces=("x", "y", "z"))
    assert [(p.name, p.read_bytes()) for p in (tmp_path / "a" / "b").iterdir()] == [("x", b"3")]


def test_a_failed_write_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x").write_bytes(b"old")
    real, calls = os.fsync, []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        codec.write_files(tmp_path, {"x": b"new", "y": b"new"})
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("x", b"old")]
    calls.clear()
    with pytest.raises(InputError):
        codec.write_files(tmp_path / "made", {"x": b"new", "y": b"new"})
    assert not (tmp_path / "made").exists()
