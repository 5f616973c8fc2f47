"""Repeated rows and conflicting labels by keys, against pandas, however many rows repeat each other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from govern.inputs.rows import prefix_keys, row_keys
from govern.measure.rowkeys import Kept, Overlap, RowKeys


@pytest.mark.parametrize("values", [2, 30, 400, 10**6])
def test_duplicates_and_conflicts_equal_pandas(values: int) -> None:
    rng = np.random.default_rng(values)
    rows = pd.DataFrame({"a": rng.integers(0, values, 3000), "b": rng.choice(["x", "y"], 3000),
                         "y": rng.integers(0, 3, 3000), "sex": rng.choice(["w", "m"], 3000)})
    batch = pa.RecordBatch.from_pandas(rows, preserve_index=False)
    features, labelled, whole = prefix_keys(batch, 0, (2, 3, 4))
    kept = Kept(whole, features, labelled)
    assert kept.duplicates == rows.duplicated().sum() == Kept(whole, None, labelled).duplicates
    labels = rows.groupby(["a", "b"])["y"].transform("nunique")
    assert kept.conflicts == (labels > 1).sum()
    assert Kept(whole, None, labelled).conflicts is None
    keys = RowKeys()
    for part in np.array_split(np.arange(3000), 7):
        keys.add(whole[part], features[part], labelled[part])
    again = keys.kept()
    assert again is not None and (again.duplicates, again.conflicts) == (kept.duplicates, kept.conflicts)


def test_keys_of_the_first_columns_are_those_of_a_batch_of_them() -> None:
    batch = pa.RecordBatch.from_pydict({"a": [1, 2], "b": ["x", None], "c": [0.5, -0.0]})
    for end, keys in zip((0, 1, 2, 2, 3), prefix_keys(batch, 5, (0, 1, 2, 2, 3)), strict=True):
        assert (keys == row_keys(batch.select(batch.schema.names[:end]), 5)).all() or end == 0
    assert len(set(prefix_keys(batch, 5, (0,))[0].tolist())) == 1


def test_overlap_counts_rows_of_the_first_set() -> None:
    found = Overlap(np.array([5, 5, 7, 9], np.uint64))
    for part in ([9, 1, 5], [5], []):
        found.mark(np.array(part, np.uint64))
    assert found.rows == 3
