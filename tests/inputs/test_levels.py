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
from govern.inputs.config import SensitiveFeature
from govern.inputs.datasets import DataSource, open_data
from govern.inputs.labels import Labels, choose_labels, match_label, predicted_positive
from govern.inputs.levels import BandCoder, LevelCoder, sensitive_coder


def texts(coder: LevelCoder | BandCoder, *arrays: pa.Array) -> list[str | None]:
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
    assert texts(coder, pa.array([1.0, 2.0, 3.0, 9.0, 4.0])) == ["White", "Black", "White", None, "4"]
    assert texts(coder, pa.array(["Declined", "1"])) == [None, "White"]


def test_look_alikes_are_noted_and_kept_apart() -> None:
    coder = LevelCoder("sex")
    assert len(set(texts(coder, pa.array(["Male", "male ", "ｍale", "female"])))) == 4
    notes = coder.notes()
    assert len(notes) == 2 and '"Male"' in notes[0] and "look alike" in notes[0]
    assert LevelCoder("x").notes() == []


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


def test_bands_of_whole_numbers() -> None:
    coder = BandCoder("age", [25, 35, 36, 60])
    assert texts(coder, pa.array([25, 26, 35, 36, 37, 60, 61, None])) == [
        "25 or less", "26–35", "26–35", "36", "37–60", "37–60", "61 or more", None]
    assert coder.ordered()[0] == ("25 or less", "26–35", "36", "37–60", "61 or more")
    assert texts(BandCoder("age", [25.5, 40]), pa.array([25.0, 26.0, 41.0])) == ["25 or less", "26–40", "41 or more"]


def test_bands_of_other_numbers() -> None:
    coder = BandCoder("x", [0.5, 2], unknown=["-1", "none"])
    assert texts(coder, pa.array([0.5, 0.51, 2.0, 2.01, float("nan"), -1.0, float("inf")])) == [
        "0.5 or less", "over 0.5 to 2", "over 0.5 to 2", "over 2", None, None, "over 2"]


def source(tmp_path: Path, **columns: pa.Array) -> DataSource:
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    return open_data(tmp_path / "t.parquet")


def test_numbers_of_many_values_are_banded_at_quartiles(tmp_path: Path) -> None:
    ages = [20 + i % 40 for i in range(400)]
    data = source(tmp_path, age=pa.array([*ages, None, 999]))
    feature = SensitiveFeature("age", "age", unknown=("999",))
    coder = sensitive_coder(feature, {}, data)
    assert isinstance(coder, BandCoder) and coder.cuts == (29.0, 39.0, 49.0)
    assert "banded at its quartiles (29, 39, 49)" in coder.notes()[0] and "--band age=" in coder.notes()[0]
    reversed_data = source(tmp_path, age=pa.array([999, None, *reversed(ages)]))
    again = sensitive_coder(feature, {}, reversed_data)
    assert isinstance(again, BandCoder) and again.cuts == coder.cuts
    chosen = sensitive_coder(feature, {"age": (30.0,)}, data)
    assert isinstance(chosen, BandCoder) and chosen.cuts == (30.0,) and chosen.notes() == []


def test_quartiles_of_skewed_values_never_leave_an_empty_band(tmp_path: Path) -> None:
    data = source(tmp_path, x=pa.array([0.0] * 900 + [float(i) for i in range(1, 101)]))
    coder = sensitive_coder(SensitiveFeature("x", "x"), {}, data)
    assert isinstance(coder, BandCoder) and coder.cuts == (0.0,)
    top = source(tmp_path, x=pa.array([float(i) for i in range(30)] + [99.0] * 900))
    assert isinstance(sensitive_coder(SensitiveFeature("x", "x"), {}, top), LevelCoder)


def test_few_numbers_text_and_named_levels_stay_levels(tmp_path: Path) -> None:
    data = source(tmp_path, few=pa.array([1.0, 2.0, None] * 20), many=pa.array(range(60)),
                  text=pa.array([str(i % 30) for i in range(60)]))
    assert isinstance(sensitive_coder(SensitiveFeature("few", "few"), {}, data), LevelCoder)
    assert isinstance(sensitive_coder(SensitiveFeature("text", "text"), {}, data), LevelCoder)
    named = SensitiveFeature("many", "many", {"1": "one"})
    assert isinstance(sensitive_coder(named, {}, data), LevelCoder)
    with pytest.raises(InputError, match="bands need numbers; leave out --band text"):
        sensitive_coder(SensitiveFeature("text", "text"), {"text": (1.0,)}, data)


def choose(levels: list[str], positive: str | None = None, favourable: str | None = None) -> Labels:
    return choose_labels(levels, "y", positive=positive, favourable=favourable, where="eval.csv")


@pytest.mark.parametrize(("levels", "positive"), [
    (["1", "0"], "1"), (["false", "true"], "true"), (["no", "yes"], "yes"), (["N", "Y"], "Y"), (["-1", "1"], "1"),
    (["No", "YES"], "YES"), (["f", "t"], "t"),
])
def test_positive_label_is_inferred_with_a_note(levels: list[str], positive: str) -> None:
    labels = choose(levels)
    assert labels.positive == labels.favourable == positive and {labels.negative, positive} == set(levels)
    assert len(labels.notes) == 2 and f'"{positive}"' in labels.notes[0]


def test_given_labels() -> None:
    labels = choose(["1", "0"], positive="1.0", favourable="0")
    assert (labels.positive, labels.negative, labels.favourable, labels.notes) == ("1", "0", "0", ())
    assert choose(["true", "false"], positive="False").positive == "false"
    assert choose(["good", "bad"], positive="bad").negative == "good"
    assert match_label("0.0", ["0", "1"], "y", "--positive") == "0"


@pytest.mark.parametrize(("levels", "positive", "favourable", "said"), [
    (["good", "bad"], None, None, 'is positive: "bad", "good"?; say it with --positive'),
    (["1", "2"], None, None, "which label of target"),
    (["1"], None, None, 'holds only the label "1"'),
    ([], None, None, "holds no values"),
    (["a", "b", "c"], None, None, "holds 3 labels"),
    (["yes", "no"], "yess", None, '--positive: "yess" is not a label of target "y"; did you mean "yes"?'),
    (["1", "0"], None, "2", '--favourable: "2" is not a label of target "y"; labels: "0", "1"'),
])
def test_labels_refused(levels: list[str], positive: str | None, favourable: str | None, said: str) -> None:
    with pytest.raises(InputError) as caught:
        choose(levels, positive, favourable)
    assert said in str(caught.value)


def test_predictions_must_be_labels() -> None:
    labels = choose(["1", "0"])
    assert predicted_positive(["0", "1"], labels, "p", "eval.csv").tolist() == [0, 1]
    with pytest.raises(InputError, match=r"looks like scores \(0.2\), not labels; use --score p --threshold"):
        predicted_positive(["0.2", "1"], labels, "p", "eval.csv")
    with pytest.raises(InputError, match='predicts "yes", which is no label of the target'):
        predicted_positive(["0", "yes"], labels, "p", "eval.csv")


def test_coding_does_not_import_pandas(tmp_path: Path) -> None:
    data = source(tmp_path, age=pa.array(range(60)), sex=pa.array(["f", None] * 30), z=pa.array([True, None] * 30))
    code = """
import sys
from pathlib import Path
from govern.inputs.datasets import open_data
from govern.inputs.config import SensitiveFeature
from govern.inputs.levels import sensitive_coder
from govern.inputs.rows import row_keys
data = open_data(Path(sys.argv[1]))
for name in data.columns:
    coder = sensitive_coder(SensitiveFeature(name, name), {}, data)
    for batch in data.batches([name]):
        coder.codes(batch.column(0)), row_keys(batch, 0)
assert 'pandas' not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code, str(data.path)], check=True, timeout=60)
