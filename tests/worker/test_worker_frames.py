"""Columns survive the way to the model's process."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from govern.errors import InputError
from govern.worker.frames import decode, encode


def through(columns: dict[str, pa.Array], frame: bool = True):
    header, buffers = encode(pa.RecordBatch.from_pydict(columns))
    return decode(header, [bytearray(b) for b in buffers], frame)


def test_kinds_of_columns():
    seen = through(
        {
            "int": pa.array([1, 2, 3]),
            "int_missing": pa.array([1, None, 3]),
            "single": pa.array([1.5, 2.5, None], pa.float32()),
            "flag": pa.array([True, False, True]),
            "flag_missing": pa.array([True, None, False]),
            "text": pa.array(["é", None, ""]),
            "unknown": pa.array([None, None, None], pa.string()),
            "nothing": pa.array([None, None, None]),
            "day": pa.array([date(2020, 1, 2), None, date(1960, 1, 1)]),
            "when": pa.array([datetime(2020, 1, 2, 3), None, datetime(1960, 1, 1)], pa.timestamp("ms", "UTC")),
            "level": pa.array(["b", "a", None]).dictionary_encode(),
            "number_level": pa.DictionaryArray.from_arrays([1, None, 0], [10, 20]),
        }
    )
    assert seen["int"].dtype == np.int64 and seen["int"].tolist() == [1, 2, 3]
    assert seen["int_missing"].dtype == np.float64 and np.isnan(seen["int_missing"][1])
    assert seen["single"].dtype == np.float32 and np.isnan(seen["single"][2])
    assert seen["flag"].dtype == bool and seen["flag_missing"].isna().tolist() == [False, True, False]
    assert seen["text"].dtype == pd.Series(["a", None]).dtype
    assert seen["text"].isna().tolist() == [False, True, False] and seen["text"][0] == "é"
    assert seen["unknown"].isna().all() and seen["unknown"].dtype == seen["text"].dtype
    assert seen["nothing"].isna().all()
    assert seen["day"][0] == pd.Timestamp(2020, 1, 2) and pd.isna(seen["day"][1])
    assert seen["when"][2] == pd.Timestamp(1960, 1, 1, tz="UTC")
    assert seen["level"].cat.categories.tolist() == ["b", "a"] and pd.isna(seen["level"][2])
    assert seen["number_level"].tolist()[0] == 20 and seen["number_level"].cat.categories.tolist() == [10, 20]


def test_slices_and_empty_batches():
    batch = pa.RecordBatch.from_pydict(
        {"n": pa.array([1.0, None, 3.0, 4.0]), "t": ["a", "b", None, "d"], "f": [True, False, True, None]}
    )
    for part in (batch.slice(1, 2), batch.slice(0, 0)):
        header, buffers = encode(part)
        seen = decode(header, [bytearray(b) for b in buffers], True)
        want = part.to_pandas()
        assert seen.shape == want.shape
        assert seen.isna().to_numpy().tolist() == want.isna().to_numpy().tolist()
        assert seen["t"].dropna().tolist() == want["t"].dropna().tolist()


def test_plain_arrays():
    assert through({"a": pa.array([1, 2]), "b": pa.array([3, 4])}, frame=False).dtype == np.int64
    both = through({"a": pa.array([1, 2]), "b": pa.array([True, False])}, frame=False)
    assert both.tolist() == [[1, 1], [2, 0]]
    single = through({"a": pa.array([1, 2], pa.float32())}, frame=False)
    assert single.dtype == np.float32 and single.flags.writeable
    assert isinstance(through({"a": pa.array([1, 2]), "t": pa.array(["x", "y"])}, frame=False), pd.DataFrame)


def test_columns_no_model_is_fed_with():
    with pytest.raises(InputError, match='column "l" has type list'):
        through({"l": pa.array([[1], [2]])})
