"""Values that break a contract, type by type."""

from __future__ import annotations

import datetime
from typing import Any

import pyarrow as pa
import pytest

from govern.inputs.expected import Contract
from govern.measure.contracts import Contracts, broken

TEXTS = pa.array(["18", "abc", None, "true", "2026-01-31", "1e3"])
NUMBERS = pa.array([18.0, 1.0, None, 0.0, float("nan"), -5.0])


def breaks(values: pa.Array, **said: Any) -> list[bool]:
    found = broken(values, Contract("c", **said)).tolist()
    if pa.types.is_string(values.type):
        assert broken(values.dictionary_encode(), Contract("c", **said)).tolist() == found
    return found


@pytest.mark.parametrize(("values", "said", "expected"), [
    (TEXTS, {"kind": "number"}, [0, 1, 0, 1, 1, 0]),
    (TEXTS, {"kind": "number", "missing": False}, [0, 1, 1, 1, 1, 0]),
    (TEXTS, {"low": 20}, [1, 1, 0, 1, 1, 0]),
    (TEXTS, {"kind": "boolean"}, [1, 1, 0, 0, 1, 1]),
    (TEXTS, {"kind": "date"}, [1, 1, 0, 1, 0, 1]),
    (TEXTS, {"kind": "text"}, [0, 0, 0, 0, 0, 0]),
    (TEXTS, {"levels": ("18", "true")}, [0, 1, 0, 0, 1, 1]),
    (NUMBERS, {"kind": "number", "low": 0, "high": 18}, [0, 0, 0, 0, 0, 1]),
    (NUMBERS, {"high": 17.9, "missing": False}, [1, 0, 1, 0, 1, 0]),
    (NUMBERS, {"kind": "boolean"}, [1, 0, 0, 0, 0, 1]),
    (NUMBERS, {"levels": ("18", "1", "0")}, [0, 0, 0, 0, 0, 1]),
    (NUMBERS, {"levels": ("18.0", "01")}, [1, 1, 0, 1, 0, 1]),  # 18 and 1 are what level texts are
    (NUMBERS, {"kind": "text"}, [1, 1, 0, 1, 0, 1]),
    (pa.array([1, 2, None], pa.int8()), {"levels": ("1",), "missing": False}, [0, 1, 1]),
    (pa.array([True, False, None]), {"kind": "boolean"}, [0, 0, 0]),
    (pa.array([True, False, None]), {"kind": "number"}, [1, 1, 0]),
    (pa.array([True, False, None]), {"levels": ("true",)}, [0, 1, 0]),
    (pa.array([datetime.date(2026, 1, 31), None]), {"kind": "date"}, [0, 0]),
    (pa.array([datetime.date(2026, 1, 31), None]), {"kind": "text"}, [1, 0]),
    (pa.array([datetime.date(2026, 1, 31), None]), {"levels": ("2026-01-31",)}, [0, 0]),
    (pa.array([None, None], pa.float64()), {"kind": "text", "missing": False}, [1, 1]),
])
def test_what_breaks(values: pa.Array, said: dict[str, Any], expected: list[int]) -> None:
    assert breaks(values, **said) == [bool(e) for e in expected]


def test_shares_are_of_all_rows_in_any_batches() -> None:
    for size in (1, 4):
        found = Contracts([Contract("c", kind="number"), Contract("d", missing=False)])
        table = pa.table({"c": ["1", "x", None, "2"], "d": [1, None, None, 4]})
        for batch in table.to_batches(max_chunksize=size):
            found.add(batch)
        assert [(m.slice, m.numerator, m.denominator, m.value) for m in found.measurements()] == [
            ("column: c", 1, 4, 0.25), ("column: d", 2, 4, 0.5)]
