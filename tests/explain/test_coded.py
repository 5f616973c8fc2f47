"""Columns as codes: bins of numbers, levels of texts, missing values, dates, decimals."""

from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from govern.explain.coded import BINS, Coded, coded, cuttable


def codes(values: list[object], kind: pa.DataType | None = None, bins: int = BINS) -> list[int]:
    found = coded(pa.array(values, kind), bins)
    assert found is not None
    return found.code.tolist()


def test_few_numbers_are_their_own_bins_and_0_is_missing() -> None:
    assert codes([3.5, -1.0, None, 3.5, float("nan"), 7.0]) == [2, 1, 0, 2, 0, 3]
    assert codes([2, 1, 2]) == [2, 1, 2]


def test_many_numbers_fall_into_bins_of_about_equally_many_rows() -> None:
    x = np.random.default_rng(0).lognormal(size=1600)
    found = coded(pa.array(x))
    assert found is not None and found.number and found.levels == BINS + 1
    assert np.bincount(found.code)[1:].tolist() == [100] * BINS
    assert (np.diff(found.code[np.argsort(x)]) >= 0).all()


def test_equal_numbers_share_a_bin_however_many_they_are() -> None:
    found = coded(pa.array([0.0] * 500 + list(range(1, 501))), 10)
    assert found is not None and len(set(found.code[:500].tolist())) == 1
    assert sorted(set(found.code.tolist())) == list(range(1, found.levels))


@pytest.mark.parametrize("column", [
    pa.array(["b", "a", None, "b"]), pa.array(["b", "a", None, "b"]).dictionary_encode(),
    pa.array([True, False, None, True])])
def test_levels_are_numbered_by_their_text_and_missing_is_one(column: pa.Array) -> None:
    found = coded(column)
    assert found is not None and not found.number and found.code.tolist() == [2, 1, 0, 2]


def test_only_levels_that_rows_hold() -> None:
    column = pa.DictionaryArray.from_arrays(pa.array([2, 2, 0]), pa.array(["a", "b", "c"]))
    found = coded(column)
    assert found is not None and found.code.tolist() == [1, 1, 0] and found.levels == 2


@pytest.mark.parametrize("values", [
    [datetime.date(2024, 5, 1), datetime.date(2023, 1, 1), None], [Decimal("2.50"), Decimal("1.10"), None],
    [datetime.datetime(2024, 1, 2), datetime.datetime(2024, 1, 1), None], [datetime.time(3), datetime.time(2), None],
    [datetime.timedelta(3), datetime.timedelta(2), None]])
def test_dates_and_decimals_are_numbers(values: list[object]) -> None:
    for column in (pa.array(values), pa.array(values).dictionary_encode()):
        found = coded(column)
        assert found is not None and found.number and found.code.tolist() == [2, 1, 0]


def test_other_types_have_no_codes() -> None:
    assert coded(pa.array([[1], [2]])) is None


def test_what_trees_cut() -> None:
    number, = cuttable(Coded(np.array([0, 2, 1]), True))
    assert number.tolist() == [0, 2, 1]
    levels = list(cuttable(Coded(np.array([0] * 12 + [1] * 9 + [2] * 30), False)))
    assert [level.sum() for level in levels] == [30, 12]  # the level of nine rows is too rare
    assert len(list(cuttable(Coded(np.repeat(np.arange(40), 10), False)))) == 16
