"""What a data set holds: columns with their levels and bins, and the rows that take part. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Level:
    """A value of a column and how many rows hold it."""

    value: str
    n: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows of a numeric column from `low` up to the next bin's `low`. The ends do not depend on the data, so that the
    bins of two data sets can be laid on each other."""

    low: float
    n: int


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a data set; `distinct` is None above the counted limit (then `levels` is empty). `others` are the
    rows whose level is not among the most frequent ones, which `levels` lists."""

    name: str
    role: str
    kind: str
    missing: int
    distinct: int | None
    low: float | None = None
    high: float | None = None
    levels: tuple[Level, ...] = ()
    bins: tuple[Bin, ...] = ()
    others: int = 0


@dataclass(frozen=True, slots=True)
class DataFacts:
    """What a data set holds; `duplicates` are rows equal to an earlier row in every used column.

    `rows` is set for the training data; `period` holds the first and last day of the date column, `output` the
    distribution of the scores (else of the predictions) of a model or of the decisions that were stored.
    """

    columns: tuple[Column, ...] = ()
    duplicates: int | None = None
    rows: int | None = None
    period: tuple[str, ...] = ()
    output: Column | None = None


@dataclass(frozen=True, slots=True)
class Excluded:
    """Rows read but not used, with the reason."""

    reason: str
    n: int


@dataclass(frozen=True, slots=True)
class Population:
    """Rows: read = used + the sum of excluded."""

    read: int
    used: int
    excluded: tuple[Excluded, ...] = ()
