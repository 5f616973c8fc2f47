from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govern.errors import InputError
from govern.evidence import UNKNOWN_NAME
from govern.inputs.coders import sensitive_coders
from govern.inputs.config import load_settings
from govern.inputs.datasets import open_data
from govern.inputs.levels import LevelCoder


def texts(coder: LevelCoder, *arrays: pa.Array) -> list[str | None]:
    """The coded values as their final level names."""
    codes = np.concatenate([coder.codes(a) for a in arrays])
    levels, places = coder.ordered()
    return [None if c < 0 else levels[places[c]] for c in codes]


@pytest.mark.parametrize(("array", "expected"), [
    (pa.array([1, 0, None, 1]), ["1", "0", None, "1"]),
    (pa.array([1.0, 0.0, None, float("nan")]), ["1", "0", None, None]),
    (pa.array([-0.0, 2.5]), ["0", "2.5"]),
    (pa.array([True, None, False]), ["true", None, "false"]),
    (pa.array(["yes", " yes", None]), ["yes", " yes", None]),
    (pa.array(["b", None, "a"]).dictionary_encode(), ["b", None, "a"]),
    (pa.array([3, 4]).dictionary_encode(), ["3", "4"]),
    (pa.array([18000, None], pa.date32()), ["2019-04-14", None]),
    (pa.array([float("inf"), 1e300]), ["inf", "1e+300"]),
    (pa.nulls(2, pa.float64()), [None, None]),
    (pa.array([1, 2, 3, 1]).slice(2, 2), ["3", "1"]),
    (pa.array(["x", "y", None, "x"]).dictionary_encode().slice(1, 3), ["y", None, "x"]),
    (pa.array([], pa.string()), []),
])
def test_values_become_text_by_one_rule(array: pa.Array, expected: list[str | None]) -> None:
    assert texts(LevelCoder("c"), array) == expected


def test_codes_of_earlier_batches_stay_and_order_is_by_code_point() -> None:
    coder = LevelCoder("c")
    first = coder.codes(pa.array(["b", "Z"]))
    coder.codes(pa.array(["a", "10", "2"]))
    assert first.tolist() == coder.codes(pa.array(["b", "Z"])).tolist()
    assert coder.ordered()[0] == ("10", "2", "Z", "a", "b")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), st.sampled_from("abcABC ")), max_size=30), st.randoms(), st.integers(1, 7))
def test_row_order_and_batching_do_not_change_the_result(values: list[str | None], random: object, size: int) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    def split(rows: list[str | None]) -> list[pa.Array]:
        starts = range(0, max(1, len(rows)), size)
        return [pa.array(rows[i : i + size], pa.string()) for i in starts]

    one, other = LevelCoder("c"), LevelCoder("c")
    assert texts(one, *split(values)) == values
    assert Counter(texts(other, *split(shuffled))) == Counter(values)
    assert one.ordered()[0] == other.ordered()[0] and one.notes() == other.notes()


def test_renamed_and_unknown_values() -> None:
    coder = LevelCoder("RACE", rename={"1": "White", "2": "Black", "3": "White"}, unknown=["9", "Declined"])
    assert texts(coder, pa.array([1.0, 2.0, 3.0, 9.0, 4.0])) == ["White", "Black", "White", UNKNOWN_NAME, "4"]
    assert texts(coder, pa.array(["Declined", "1", None])) == [UNKNOWN_NAME, "White", None]
    assert coder.ordered()[0] == ("4", "Black", "White", UNKNOWN_NAME)


def test_declared_levels_are_listed_and_others_are_unseen() -> None:
    rename = {"1": "White", "2": "Black", "8": "Native"}
    for array in (pa.array([1, 2, 4, 9]), pa.array([1.0, 2.0, 4.0, 9.0]), pa.array(["1", "2", "4", "9"]),
                  pa.array(["1", "2", "4", "9"]).dictionary_encode()):
        coder = LevelCoder("RACE", rename=rename, unknown=["9"])
        assert texts(coder, array) == ["White", "Black", "4", UNKNOWN_NAME]
        assert coder.statuses() == {"White": "ok", "Black": "ok", "Native": "empty", "4": "unseen",
                                    UNKNOWN_NAME: "unknown"}
    assert set(LevelCoder("sex").statuses()) == set()
    plain = LevelCoder("sex")
    plain.codes(pa.array(["f", None]))
    assert plain.statuses() == {"f": "ok"}


def test_a_dictionarys_unheld_values_are_empty_and_its_unheld_unknown_is_nothing() -> None:
    array = pa.DictionaryArray.from_arrays(pa.array([0, 0, None]), pa.array(["a", "z", "9"]))
    coder = LevelCoder("g", unknown=["9"])
    coder.codes(array)
    assert coder.statuses() == {"a": "ok", "z": "empty"}
    coder.codes(pa.array(["z", "9"]))
    assert coder.statuses() == {"a": "ok", "z": "ok", UNKNOWN_NAME: "unknown"}


@pytest.mark.parametrize("batches", [
    [[3, 4], [100, 3], [-7, 4]], [[0, 1], [5000, 0], [1, 9000]], [[2**62, 2**62 + 1], [1, 2**62]],
    [[None, 5], [None, None], [5, 7, None]], [[-128, 127], [0]],
])
def test_whole_numbers_keep_their_codes_over_batches(batches: list[list[int | None]]) -> None:
    coder, seen = LevelCoder("n"), dict[int | None, int]()
    for batch in batches:
        for value, code in zip(batch, coder.codes(pa.array(batch, pa.int64())).tolist(), strict=True):
            assert seen.setdefault(value, code) == code and (code < 0) == (value is None)
            assert code < 0 or coder.levels[code] == str(value)
    assert len(set(seen.values())) == len(seen)


def test_truth_values_and_numbers_do_not_share_a_table() -> None:
    coder = LevelCoder("c")
    assert texts(coder, pa.array([1, 0]), pa.array([True, False]), pa.array([0, 1])) == [
        "1", "0", "true", "false", "0", "1"]
    assert any('"1" and "true"' in note for note in coder.notes())


def test_look_alikes_are_noted_and_kept_apart() -> None:
    coder = LevelCoder("sex")
    assert len(set(texts(coder, pa.array(["Male", "male ", "ｍale", "female"])))) == 4
    notes = coder.notes()
    assert len(notes) == 2 and '"Male"' in notes[0] and "look alike" in notes[0]
    assert LevelCoder("x").notes() == []
    same = LevelCoder("code")
    same.codes(pa.array(["1", "01", "1.0", "x1"]))
    assert len(same.notes()) == 2 and all("counted apart" in note for note in same.notes())


def test_values_of_different_types_in_one_level_are_noted() -> None:
    coder = LevelCoder("code")
    coder.codes(pa.array(["1", "2", "true"]))
    assert coder.notes() == ['"1" and "true" in column "code" look alike and are counted apart.']
    coder.codes(pa.array([1]))
    coder.codes(pa.array([True]))
    notes = coder.notes()
    assert [n for n in notes if "together" in n] == [
        'Values of different types are written "1" in column "code" and are counted together.',
        'Values of different types are written "true" in column "code" and are counted together.']


def test_a_column_of_mixed_types_in_json_lines_is_noted(tmp_path: Path) -> None:
    rows = ['{"g": 1, "h": 1}', '{"g": "1", "h": 2.5}', '{"g": true, "h": null}', '{"g": "b", "h": 1}']
    (tmp_path / "e.jsonl").write_text("\n".join(rows))
    source = open_data(tmp_path / "e.jsonl")
    assert source.alike == {"g": ["1"]}
    settings = load_settings({"data.path": "e.jsonl", "data.target": "h", "data.prediction": "h",
                              "data.sensitive": ["g", "h"]}, config=None, cwd=tmp_path)
    coders = sensitive_coders(settings.data, source)
    for batch in source.batches(["g", "h"]):
        coders["g"].codes(batch.column(0))
        coders["h"].codes(batch.column(1))
    assert sorted(coders["g"].notes()) == [
        '"1" and "true" in column "g" look alike and are counted apart.',
        'Values of different types are written "1" in column "g" and are counted together.']
    assert coders["h"].notes() == []


def test_declared_levels_without_rows_count_only_as_groups() -> None:
    array = pa.DictionaryArray.from_arrays(pa.array([0, 2, None, 0]), pa.array(["a", "none", "b"]))
    groups, labels = LevelCoder("g"), LevelCoder("y", empty=False)
    assert texts(groups, array) == texts(labels, array) == ["a", "b", None, "a"]
    assert groups.ordered()[0] == ("a", "b", "none") and labels.ordered()[0] == ("a", "b")


def test_too_many_levels() -> None:
    coder = LevelCoder("id", limit=5, fix="name another column")
    coder.codes(pa.array([1, 2, 3, 4, 5]))
    with pytest.raises(InputError, match='column "id" has more than 5 different values; name another column'):
        coder.codes(pa.array([6]))


def test_coding_does_not_import_pandas(tmp_path: Path) -> None:
    columns = {"age": pa.array(range(60)), "sex": pa.array(["f", None] * 30), "z": pa.array([True, None] * 30)}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    code = """
import sys
from pathlib import Path
from govern.inputs.coders import sensitive_coders
from govern.inputs.config import load_settings
from govern.inputs.datasets import open_data
from govern.inputs.rows import row_keys
data = open_data(Path(sys.argv[1]))
flags = {"data.path": "t", "data.target": "z", "data.prediction": "z", "data.sensitive": list(data.columns)}
for name, coder in sensitive_coders(load_settings(flags, config=None, cwd=Path("none")).data, data).items():
    for batch in data.batches([name]):
        coder.codes(batch.column(0)), row_keys(batch, 0)
assert 'pandas' not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "t.parquet")], check=True, timeout=60)
