"""Columns of days: dates and times as Arrow holds them, or texts that start like 2026-11-03."""

from __future__ import annotations

import datetime
import re

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from govern.errors import InputError, printable
from govern.inputs.arrays import indices, raw, valid

NO_DAY = 0  # days count from 1, 1 January of the year 1
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ].*)?", re.DOTALL)
_EPOCH = datetime.date(1970, 1, 1).toordinal()


def day_of(text: str) -> int | None:
    """The day a text says, as `datetime.date.toordinal` counts; None where it says none."""
    found = _DAY.fullmatch(text)
    try:
        return None if found is None else datetime.date.fromisoformat(found[1]).toordinal()
    except ValueError:
        return None


class DayReader:
    """Reads the days of one column, batch by batch."""

    def __init__(self, column: str, where: str) -> None:
        self.column, self._where = column, where
        self._known: dict[str, int] = {}

    def read(self, array: pa.Array) -> NDArray[np.int64]:
        """The day of each value, (n_rows,), NO_DAY for a missing one; of times with a zone that in the zone.

        Raises InputError for a text that is no date, and for numbers.
        """
        kind = array.type
        if array.null_count == len(array):
            return np.zeros(len(array), np.int64)
        if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
            days = raw(array.cast(pa.date32(), safe=False).cast(pa.int32())).astype(np.int64) + _EPOCH
            return np.where(valid(array), days, NO_DAY) if array.null_count else days
        coded = array if pa.types.is_dictionary(kind) else array.dictionary_encode()
        if not pa.types.is_string(coded.type.value_type):
            raise InputError(f'column "{printable(self.column)}" holds {kind} values, not dates', where=self._where,
                             fix="name a column of dates, or of texts such as 2026-11-03")
        texts = coded.dictionary.to_pylist()
        table = np.array([NO_DAY if t is None else self._day(t) for t in texts] + [NO_DAY], np.int64)
        return table[indices(coded, len(texts))]

    def _day(self, text: str) -> int:
        day = self._known.get(text[:10]) if len(text) == 10 or text[10:11] in ("T", " ") else None
        if day is None:
            day = day_of(text)
            if day is None:
                raise InputError(f'column "{printable(self.column)}" holds "{printable(text, 24)}", which is no date',
                                 where=self._where, fix="write dates as 2026-11-03")
            self._known[text[:10]] = day
        return day
