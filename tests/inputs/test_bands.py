from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from govern.errors import InputError
from govern.evidence import UNKNOWN_NAME
from govern.inputs.bands import BandCoder, Quartiles
from govern.inputs.coders import Coder, control_coders, sensitive_coders
from govern.inputs.config import load_settings
from govern.inputs.datasets import DataSource, open_data
from govern.inputs.levels import LevelCoder
from govern.inputs.settings import DataSettings


def texts(coder: Coder, *arrays: pa.Array) -> list[str | None]:
    """The coded values as their final level names."""
    codes = np.concatenate([coder.codes(a) for a in arrays])
    levels, places = coder.ordered()
    return [None if c < 0 else levels[places[c]] for c in codes]


def test_bands_of_whole_numbers() -> None:
    coder = BandCoder("age", [25, 35, 36, 60])
    ages = [25, 26, 35, 36, 37, 60, 61, None]
    assert texts(coder, pa.array(ages)) == [
        "25 or less", "26–35", "26–35", "36", "37–60", "37–60", "61 or more", None]
    assert coder.ordered()[0] == ("25 or less", "26–35", "36", "37–60", "61 or more")
    assert texts(BandCoder("age", [25.5, 40]), pa.array([25.0, 26.0, 41.0])) == ["25 or less", "26–40", "41 or more"]


def test_bands_of_other_numbers() -> None:
    coder = BandCoder("x", [0.5, 2], unknown=["-1", "none"])
    assert texts(coder, pa.array([0.5, 0.51, 2.0, 2.01, float("nan"), -1.0, float("inf"), None])) == [
        "0.5 or less", "over 0.5 to 2", "over 0.5 to 2", "over 2", None, UNKNOWN_NAME, "over 2", None]
    assert coder.statuses()[UNKNOWN_NAME] == "unknown"


@pytest.mark.parametrize("kind", [pa.int8(), pa.int64(), pa.uint16(), pa.float32(), pa.float64()])
@pytest.mark.parametrize("n_cuts", [1, 3, 25])
def test_every_way_of_banding_agrees_with_a_search(kind: pa.DataType, n_cuts: int) -> None:
    rng = np.random.default_rng(n_cuts)
    values = rng.integers(0, 100, 500)
    cuts = np.sort(rng.choice(np.arange(1, 99), n_cuts, replace=False)).astype(float)
    array = pa.array([None if i % 17 == 0 else v for i, v in enumerate(values.tolist())], kind)
    expected = [-1 if i % 17 == 0 else int(np.searchsorted(cuts, v)) for i, v in enumerate(values)]
    assert BandCoder("x", cuts.tolist()).codes(array).tolist() == expected


def test_bands_of_numbers_beyond_the_table() -> None:
    coder = BandCoder("x", [10.0])
    assert texts(coder, pa.array([2**62, 2**62 + 1]), pa.array([1, 10**9])) == [
        "11 or more", "11 or more", "10 or less", "11 or more"]


def test_a_band_nobody_is_in_is_empty() -> None:
    coder = BandCoder("age", [10, 20], unknown=["99"])
    coder.codes(pa.array([5, 5]))
    assert coder.statuses() == {"10 or less": "ok", "11–20": "empty", "21 or more": "empty"}
    coder.codes(pa.array([15, 99]))
    assert coder.statuses() == {"10 or less": "ok", "11–20": "ok", "21 or more": "empty", UNKNOWN_NAME: "unknown"}


def test_text_cannot_be_banded() -> None:
    with pytest.raises(InputError, match='column "x" holds string values, not numbers'):
        BandCoder("x", [1.0]).codes(pa.array(["1"]))


def source(tmp_path: Path, **columns: pa.Array) -> DataSource:
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    return open_data(tmp_path / "t.parquet")


def settings(sensitive: Any = (), bands: dict[str, list[float]] | None = None, **more: Any) -> DataSettings:
    flags = {"data.path": "t.parquet", "data.target": "y", "data.prediction": "p"} | more
    text = {"sensitive": sensitive} if isinstance(sensitive, dict) else {}
    if not text:
        flags["data.sensitive"] = list(sensitive)
    folder = Path("no-such-folder")
    if bands:
        flags["data.bands"] = [f"{k}={','.join(map(str, v))}" for k, v in bands.items()]
    return load_settings(flags, config=None, cwd=folder).data


def test_numbers_of_many_values_are_banded_at_quartiles(tmp_path: Path) -> None:
    ages = [20 + i % 40 for i in range(400)]
    data = source(tmp_path, age=pa.array([*ages, None]))
    coder = sensitive_coders(settings(["age"]), data)["age"]
    assert isinstance(coder, BandCoder) and coder.cuts == (29.0, 39.0, 49.0) and coder.asked
    assert "banded at its quartiles (29, 39, 49)" in coder.notes()[0] and "--band age=" in coder.notes()[0]
    again = sensitive_coders(settings(["age"]), source(tmp_path, age=pa.array([None, *reversed(ages)])))["age"]
    assert isinstance(again, BandCoder) and again.cuts == coder.cuts


def test_chosen_bands_are_asked_and_quarters_are_shown_beside(tmp_path: Path) -> None:
    data = source(tmp_path, age=pa.array([20 + i % 40 for i in range(400)]), sex=pa.array(["f", "m"] * 200))
    coders = sensitive_coders(settings(["age", "sex"], {"age": [30]}), data)
    assert list(coders) == ["age", "sex", "age (quarters)"]
    chosen, quarters = coders["age"], coders["age (quarters)"]
    assert isinstance(chosen, BandCoder) and chosen.cuts == (30.0,) and chosen.asked and chosen.notes() == []
    assert isinstance(quarters, BandCoder) and quarters.cuts == (29.0, 39.0, 49.0) and quarters.column == "age"
    assert not quarters.asked and quarters.notes() == [] and coders["sex"].asked
    assert list(sensitive_coders(settings(["age"], {"age": [29, 39, 49]}), data)) == ["age"]
    few = source(tmp_path, age=pa.array([1, 2, 3] * 9))
    assert list(sensitive_coders(settings(["age"], {"age": [1]}), few)) == ["age"]


def test_control_features_are_coded_alike_without_quarters(tmp_path: Path) -> None:
    data = source(tmp_path, age=pa.array(range(60)), region=pa.array(["n", "s"] * 30))
    found = control_coders(settings([], {"age": [30]}, **{"data.control": ["region", "age"]}), data)
    assert list(found) == ["region", "age"] and isinstance(found["region"], LevelCoder)
    assert isinstance(found["age"], BandCoder) and found["age"].cuts == (30.0,)
    assert control_coders(settings(), data) == {}


def test_quartiles_leave_out_declared_unknown_values() -> None:
    found = Quartiles(["999"])
    found.add(pa.array([20 + i % 40 for i in range(400)] + [999] * 500), "age")
    assert found.cuts() == (29.0, 39.0, 49.0)


def test_quartiles_of_skewed_values_never_leave_an_empty_band(tmp_path: Path) -> None:
    data = source(tmp_path, x=pa.array([0.0] * 900 + [float(i) for i in range(1, 101)]))
    coder = sensitive_coders(settings(["x"]), data)["x"]
    assert isinstance(coder, BandCoder) and coder.cuts == (0.0,)
    top = source(tmp_path, x=pa.array([float(i) for i in range(30)] + [99.0] * 900))
    assert isinstance(sensitive_coders(settings(["x"]), top)["x"], LevelCoder)


def test_few_numbers_text_and_named_levels_stay_levels(tmp_path: Path) -> None:
    data = source(tmp_path, few=pa.array([1.0, 2.0, None] * 20), many=pa.array(range(60)),
                  text=pa.array([str(i % 30) for i in range(60)]))
    coders = sensitive_coders(settings(["few", "text"]), data)
    assert all(isinstance(c, LevelCoder) for c in coders.values())
    (tmp_path / "c.yaml").write_text("data: {sensitive: {many: {levels: {'1': one}}}}")
    named = load_settings({"data.path": "t", "data.target": "y", "data.prediction": "p"},
                          config=Path("c.yaml"), cwd=tmp_path)
    assert isinstance(sensitive_coders(named.data, data)["many"], LevelCoder)
    with pytest.raises(InputError, match="bands need numbers; leave out --band text"):
        sensitive_coders(settings(["text"], {"text": [1.0]}), data)


def quartiles(values: np.ndarray[Any, Any], size: int) -> tuple[float, ...]:
    found = Quartiles()
    for start in range(0, len(values), size):
        found.add(pa.array(values[start : start + size]), "x")
    return found.cuts()


@pytest.mark.parametrize("values", [
    np.random.default_rng(0).lognormal(10, 1, 9_001), np.random.default_rng(1).normal(size=3_000),
    np.random.default_rng(2).integers(-500, 500, 5_000), np.arange(21.0),
])
def test_quartiles_are_those_of_all_values(values: np.ndarray[Any, Any]) -> None:
    expected = tuple(np.quantile(values, [0.25, 0.5, 0.75], method="inverted_cdf").tolist())
    assert quartiles(values, 700) == quartiles(values[::-1], 512) == expected


def test_quartiles_of_very_many_values_are_close_and_do_not_depend_on_order() -> None:
    values = np.random.default_rng(3).normal(0, 1000, 150_000)
    found = quartiles(values, 65_536)
    assert found == quartiles(np.sort(values), 10_000) == quartiles(values[::-1], 150_000)
    share = [float(np.mean(values <= cut)) for cut in found]
    assert np.allclose(share, [0.25, 0.5, 0.75], atol=1e-3)


def test_quartiles_are_named_in_few_digits_and_keep_apart() -> None:
    cuts = (-0.45844341101477715, 0.0123456789, 0.01234999)
    coder = BandCoder("x", cuts, chosen=False)
    coder.codes(pa.array([-1.0, 0.5]))
    names, _ = coder.ordered()
    assert names == ("-0.45844 or less", "over -0.45844 to 0.012346", "over 0.012346 to 0.01235", "over 0.01235")
    typed = BandCoder("x", cuts[:1])
    typed.codes(pa.array([0.5]))
    assert typed.ordered()[0][0] == "-0.45844341101477715 or less"
