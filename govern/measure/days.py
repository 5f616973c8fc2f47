"""Which days the rows are of, and how many of them lie outside the period that was declared."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import numpy as np

from govern.evidence import Measurement
from govern.inputs.days import NO_DAY, DayReader


class Days:
    """Days in the making; nothing where no column of dates was named. `period` are its first and last day."""

    def __init__(self, column: str | None, period: tuple[str, str] | None, where: str) -> None:
        self._reader = None if column is None else DayReader(column, where)
        self._ends = None if period is None else tuple(datetime.date.fromisoformat(d).toordinal() for d in period)
        self._first = self._last = NO_DAY
        self._dated = self._missing = self._outside = 0

    def add(self, batch: Any) -> None:
        """Count a pyarrow RecordBatch. Raises InputError for values that are no dates."""
        if self._reader is None:
            return
        days = self._reader.read(batch.column(self._reader.column))
        known = days[days != NO_DAY]
        self._missing += len(days) - len(known)
        self._dated += len(known)
        if not len(known):
            return
        first, last = int(known.min()), int(known.max())
        self._first = first if self._first == NO_DAY else min(self._first, first)
        self._last = max(self._last, last)
        if self._ends is not None:
            self._outside += int(np.count_nonzero((known < self._ends[0]) | (known > self._ends[1])))

    @property
    def period(self) -> tuple[str, ...]:
        """First and last day of the rows; () where no row has one."""
        if self._first == NO_DAY:
            return ()
        return tuple(datetime.date.fromordinal(d).isoformat() for d in (self._first, self._last))

    def measurements(self) -> Iterator[Measurement]:
        """out_of_period_share of the rows that have a date, where a period was declared."""
        if self._ends is None:
            return
        if not self._dated:
            yield Measurement("out_of_period_share", None, "undefined", "no row has a date", numerator=0, denominator=0)
            return
        why = f"without {self._missing:,} rows that have no date" if self._missing else None
        yield Measurement("out_of_period_share", self._outside / self._dated, reason=why, numerator=self._outside,
                          denominator=self._dated)
