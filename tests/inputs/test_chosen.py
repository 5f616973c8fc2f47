"""Rows that settings ask to explain, found by value, and names that are held against the model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from govern.errors import InputError
from govern.inputs.chosen import Cases, cases_in, check_named
from govern.inputs.datasets import open_data
from govern.inputs.settings import ExplainSettings

BIG = 2**60
ROWS = pd.DataFrame({
    "id": [BIG, BIG + 1, 3, 3], "share": [0.5, None, 0.25, 0.1], "paid": [True, False, True, True],
    "day": pd.to_datetime(["2026-01-05", "2026-01-06", None, "2026-01-05"]).date, "kind": ["a", "b", None, "b"]})
FEATURES = ("kind", "share")


def cases(folder: Path, *asked: Mapping[str, str], rows: pd.DataFrame = ROWS, seed: int = 0) -> Cases:
    table = pa.Table.from_pandas(rows, preserve_index=False)
    table = table.set_column(4, "kind", table.column("kind").dictionary_encode())
    pq.write_table(table, folder / "eval.parquet")
    found = cases_in(open_data(folder / "eval.parquet"), FEATURES, asked, seed)
    assert found is not None
    return found


@pytest.mark.parametrize(("case", "row"), [
    ({"id": str(BIG + 1)}, ("b", None)), ({"id": str(BIG)}, ("a", 0.5)), ({"share": "0.25"}, (None, 0.25)),
    ({"paid": "false"}, ("b", None)), ({"day": "2026-01-06"}, ("b", None)), ({"kind": "a"}, ("a", 0.5)),
    ({"id": "3", "share": "0.1"}, ("b", 0.1)), ({"id": "3.0", "kind": "b"}, ("b", 0.1))])
def test_a_row_is_found_by_values_of_any_type(tmp_path: Path, case: dict[str, str], row: tuple[Any, ...]) -> None:
    found = cases(tmp_path, case)
    assert found.names == (", ".join(f"{k}={v}" for k, v in case.items()),) and found.notes == ()
    assert found.batch.schema.names == list(FEATURES)
    assert tuple(found.batch.to_pylist()[0].values()) == row


def test_cases_come_in_the_order_asked(tmp_path: Path) -> None:
    found = cases(tmp_path, {"kind": "b", "paid": "true"}, {"id": str(BIG)})
    assert [r["share"] for r in found.batch.to_pylist()] == [0.1, 0.5]


def test_of_several_rows_the_same_is_taken_in_any_order(tmp_path: Path) -> None:
    taken = set()
    for rows in (ROWS, ROWS.iloc[::-1]):
        found = cases(tmp_path, {"id": "3"}, rows=rows)
        assert found.notes == ("2 rows have id=3: one of them is explained.",)
        taken.add(found.batch.to_pylist()[0]["share"])
    assert len(taken) == 1


@pytest.mark.parametrize("case", [{"id": "4"}, {"id": "three"}, {"id": "1e400"}, {"id": str(2**70)}, {"paid": "yes"},
                                  {"day": "soon"}, {"kind": "c"}, {"share": "half"}, {"kind": "a", "share": "0.25"}])
def test_a_case_that_no_row_is(tmp_path: Path, case: dict[str, str]) -> None:
    with pytest.raises(InputError, match=r"eval.parquet: explain.cases: no row has .*; name a row by the values"):
        cases(tmp_path, case)


def test_a_column_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'has no column "idd".*did you mean "id"'):
        cases(tmp_path, {"idd": "3"})


def test_nothing_asked(tmp_path: Path) -> None:
    ROWS.to_csv(tmp_path / "eval.csv", index=False)
    assert cases_in(open_data(tmp_path / "eval.csv"), FEATURES, (), 0) is None


@pytest.mark.parametrize(("given", "said"), [
    ({"directions": {"shre": "rises"}}, 'explain.directions: "shre" is not a feature of the model; did you mean'),
    ({"reasons": {"zzz": "New"}}, 'explain.reasons: "zzz" is not a feature of the model; its features: kind, share'),
    ({"prohibited": ("sexx",)}, 'explain.prohibited: "sexx" is neither a feature of the model nor a column; did you')])
def test_names_that_are_held_against_the_model(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as refused:
        check_named(ExplainSettings(**given), FEATURES, ("sex", "kind", "share"), "model.pkl")
    assert said in refused.value.one_line()
    check_named(ExplainSettings(directions={"kind": "rises"}, prohibited=("sex",)), FEATURES, ("sex",), "model.pkl")
