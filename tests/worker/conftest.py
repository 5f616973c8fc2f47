"""A worker shared by the tests that do it no harm, and small data of every kind."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from govern.worker.client import Limits, Worker
from govern.worker.replies import Described


@pytest.fixture(scope="session")
def worker() -> Iterator[Worker]:
    with Worker(Limits(wall_seconds=120)) as w:
        w.preload(["sklearn.ensemble", "pandas"])
        yield w


@pytest.fixture(scope="session")
def numbers() -> tuple[pd.DataFrame, np.ndarray]:
    """240 rows of four numeric columns and a 0/1 target with an interaction in it."""
    rng = np.random.default_rng(7)
    x = pd.DataFrame(rng.normal(size=(240, 4)), columns=["a", "b", "c", "d"])
    y = (x["a"] + x["b"] * x["c"] + rng.normal(size=240) > 0).astype(int).to_numpy()
    return x, y


@pytest.fixture(scope="session")
def mixed() -> tuple[pd.DataFrame, np.ndarray]:
    """240 rows with text (with missing values), whole numbers, numbers with missing values, and a text target."""
    rng = np.random.default_rng(8)
    x = pd.DataFrame(
        {
            "job": rng.choice(["clerk", "cook", "smith"], 240),
            "age": rng.integers(18, 80, 240),
            "town": rng.choice(["north", "south"], 240),
            "pay": rng.normal(10, 3, 240),
        }
    )
    high = (x["job"] == "cook") + x["age"] / 40 + x["pay"] / 10 + rng.normal(0, 0.5, 240) > 2.4
    x.loc[::17, "pay"] = np.nan
    x.loc[::19, "job"] = None
    return x, np.where(high, "good", "bad")


def batch(x: Any) -> pa.RecordBatch:
    frame = x if isinstance(x, pd.DataFrame) else pd.DataFrame(x, columns=[f"c{i}" for i in range(x.shape[1])])
    return pa.RecordBatch.from_pandas(frame, preserve_index=False)


def load(worker: Worker, model: Any) -> Described:
    return worker.load(pickle.dumps(model), "pickle", "m.pkl")


@pytest.fixture(scope="session")
def to_batch() -> Any:
    return batch


@pytest.fixture(scope="session")
def loaded() -> Any:
    return load
