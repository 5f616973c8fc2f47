from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govern.inputs.datasets import open_data
from govern.inputs.rows import row_keys

TABLE = pa.table({"n": [1, 2, None, 1], "x": [0.5, None, 2.0, 0.5], "s": ["a", None, "b", "a"],
                  "b": [True, False, None, True]})


def keys(table: pa.Table, seed: int = 0, size: int = 100) -> list[int]:
    return [int(k) for b in table.to_batches(max_chunksize=size) for k in row_keys(b, seed)]


def test_equal_rows_have_equal_keys_and_others_do_not() -> None:
    found = keys(TABLE)
    assert found[0] == found[3] and len(set(found)) == 3
    assert found == keys(TABLE, size=1) and found != keys(TABLE, seed=1)


def test_same_values_from_any_file_give_the_same_keys(tmp_path: Path) -> None:
    arrow_csv.write_csv(TABLE, tmp_path / "t.csv")
    coded = TABLE.set_column(2, "s", TABLE["s"].combine_chunks().dictionary_encode())
    pq.write_table(coded, tmp_path / "t.parquet")
    pq.write_table(TABLE.cast(pa.schema([("n", pa.float64()), ("x", pa.float64()), ("s", pa.large_string()),
                                         ("b", pa.bool_())])), tmp_path / "u.parquet")
    for name in ("t.csv", "t.parquet", "u.parquet"):
        found = [int(k) for b in open_data(tmp_path / name).batches(TABLE.column_names, 3) for k in row_keys(b, 0)]
        assert found == keys(TABLE), name


def one(*arrays: pa.Array) -> list[int]:
    names = [f"c{i}" for i in range(len(arrays))]
    return [int(k) for k in row_keys(pa.RecordBatch.from_arrays(list(arrays), names), 7)]


def test_numbers_by_value() -> None:
    assert one(pa.array([0.0])) == one(pa.array([-0.0])) == one(pa.array([0])) == one(pa.array([0], pa.uint8()))
    assert one(pa.array([1.5], pa.float32())) == one(pa.array([1.5]))
    assert one(pa.array([float("nan")])) == one(pa.array([None], pa.float64())) == one(pa.array([None], pa.string()))
    assert one(pa.array([2**53])) == one(pa.array([float(2**53)])) != one(pa.array([2**53 + 1]))
    assert one(pa.array([2**64 - 1], pa.uint64())) != one(pa.array([2**64 - 2], pa.uint64()))
    assert one(pa.array([2**63 - 1])) != one(pa.array([2**63 - 2]))


def splitmix(value: int) -> int:
    """SplitMix64's output function in whole numbers."""
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) % 2**64
    return value ^ (value >> 31)


def key_of(row: list[float | str | None], seed: int) -> int:
    """A row's key by its definition, one value after the other."""
    key = splitmix(seed)
    for value in row:
        if value is None:
            found = 0x9AE16A3B2F90404F
        elif isinstance(value, str):
            found = int.from_bytes(hashlib.blake2b(value.encode(), digest_size=8).digest(), "little")
        else:
            found = splitmix(int.from_bytes(struct.pack("<d", value + 0.0), "little"))
        key = splitmix(((key + 0x9E3779B97F4A7C15) % 2**64) ^ found)
    return key


@pytest.mark.parametrize("kind", [pa.int8(), pa.int32(), pa.int64(), pa.uint64(), pa.float32(), pa.float64()])
@pytest.mark.parametrize("values", [[0, 1, 5, None, 100], [127, 0, 64], [None, None], []])
def test_keys_are_those_of_their_definition(kind: pa.DataType, values: list[float | None]) -> None:
    words = ["a", "é", None, "a", "z"][: len(values)]
    batch = pa.record_batch({"n": pa.array(values, kind), "s": pa.array(words, pa.string())})
    assert row_keys(batch, 7).tolist() == [key_of([n, s], 7) for n, s in zip(values, words, strict=True)]


def test_keys_of_wide_ranges_are_those_of_their_definition() -> None:
    wide = [-(2**53), 2**53, 12_345_678, -1, 0]
    assert row_keys(pa.record_batch({"n": pa.array(wide)}), 1).tolist() == [key_of([float(n)], 1) for n in wide]


def test_columns_do_not_trade_places() -> None:
    assert one(pa.array([1, 2]), pa.array([2, 1]))[0] != one(pa.array([1, 2]), pa.array([2, 1]))[1]
    assert one(pa.array(["1"])) != one(pa.array([1]))
    assert one(pa.array(["a", "x"]).slice(1)) == one(pa.array(["x"]))
    assert one(pa.array([5, None, 6]).slice(1)) == one(pa.array([None, 6], pa.int64()))


def test_keys_are_spread_evenly() -> None:
    found = row_keys(pa.record_batch({"n": pa.array(np.arange(20_000))}), 0)
    assert len(np.unique(found)) == 20_000
    share = float(np.mean(found < np.uint64(2**63)))
    assert abs(share - 0.5) < 0.02


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.one_of(st.none(), st.integers(-3, 3)), st.one_of(st.none(), st.sampled_from("ab"))),
                min_size=1, max_size=20))
def test_keys_tell_rows_apart_exactly_as_values_do(rows: list[tuple[int | None, str | None]]) -> None:
    numbers, words = pa.array([r[0] for r in rows], pa.int64()), pa.array([r[1] for r in rows], pa.string())
    found = keys(pa.table({"n": numbers, "s": words}), size=3)
    assert len(set(found)) == len(set(rows)) == len(set(zip(rows, found, strict=True)))
