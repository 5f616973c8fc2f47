"""Days of columns of dates, times and texts."""

from __future__ import annotations

import datetime

import pyarrow as pa
import pytest

from govern.errors import InputError
from govern.inputs.days import NO_DAY, DayReader, day_of

DAY = datetime.date(2026, 1, 31)


def read(values: pa.Array) -> list[int]:
    return DayReader("d", "eval.csv").read(values).tolist()


@pytest.mark.parametrize("values", [
    pa.array([DAY, None]), pa.array(["2026-01-31", None]), pa.array(["2026-01-31T23:59:00Z", None]),
    pa.array(["2026-01-31 08:00", None]).dictionary_encode(),
    pa.array([datetime.datetime(2026, 1, 31, 23, 59), None]), pa.array([DAY, None], pa.date64()),
    pa.array([datetime.datetime(2026, 1, 30, 23), None], pa.timestamp("ms", tz="Asia/Tokyo"))])
def test_days_of_every_type(values: pa.Array) -> None:
    assert read(values) == [DAY.toordinal(), NO_DAY]


def test_a_column_without_any_value_has_no_days() -> None:
    assert read(pa.array([None, None], pa.float64())) == [NO_DAY, NO_DAY]


def test_days_before_the_epoch() -> None:
    times = [datetime.datetime(1960, 5, 4, 12), datetime.datetime(1, 1, 1), datetime.datetime(2026, 1, 31)]
    assert read(pa.array(times)) == [t.date().toordinal() for t in times]
    assert read(pa.array([t.date() for t in times])) == [t.date().toordinal() for t in times]


@pytest.mark.parametrize("text", ["03/11/2026", "2026-02-30", "20260131", "2026-01-31x", "", "soon"])
def test_texts_that_are_no_dates(text: str) -> None:
    assert day_of(text) is None
    with pytest.raises(InputError) as caught:
        read(pa.array(["2026-01-31", text]))
    assert f'column "d" holds "{text}", which is no date; write dates as 2026-11-03' in str(caught.value)


@pytest.mark.parametrize("values", [pa.array([20260131]), pa.array([1.5]), pa.array([True])])
def test_numbers_are_no_dates(values: pa.Array) -> None:
    with pytest.raises(InputError, match="values, not dates"):
        read(values)
