"""One measurement as text: rates in percent, numbers of the target's own scale with the digits they deserve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from govern.evidence import Measurement
from govern.formats.axes import Figure
from govern.formats.beams import Beam, Dumbbell, Waterfall
from govern.formats.charts import Glyph, MarkName
from govern.formats.numbers import digits_of, with_interval
from govern.metrics import METRICS

Look = Literal["percent", "plain", "own"]
Picture = Glyph | Beam | Dumbbell


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: text, a second line, and the mark of an outcome."""

    text: str
    under: str = ""
    mark: MarkName | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table: heads as (text, class of the width), rows of as many cells, the first `left` columns set left."""

    heads: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str | Cell | Picture, ...], ...]
    left: int = 1
    fine: bool = False
    after: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A titled part of a section: a note, pictures, tables, and the numbers that pictures show as tables; `id` is the
    anchor that links lead to."""

    title: str
    note: str
    tables: tuple[Table, ...] = ()
    pictures: tuple[Figure | Waterfall, ...] = ()
    after: str = ""
    numbers: tuple[Table, ...] = ()
    id: str = ""


def row(*cells: str | Cell | Picture) -> tuple[str | Cell | Picture, ...]:
    """The cells of one row of a table."""
    return cells


def heads(texts: Sequence[str], widths: Sequence[str] = ()) -> tuple[tuple[str, str], ...]:
    """Heads with their width classes; texts without one share what is left."""
    return tuple((text, widths[i] if i < len(widths) else "") for i, text in enumerate(texts))


def abreast(rows: Sequence[tuple[str, ...]], sets: int) -> tuple[tuple[str, ...], ...]:
    """Short rows of one width set side by side in `sets` sets of columns, to be read down each; the last set is filled
    up with empty cells."""
    deep = -(-len(rows) // sets)
    filled = [*rows, *([("",) * len(rows[0])] * (deep * sets - len(rows)) if rows else [])]
    return tuple(tuple(text for j in range(sets) for text in filled[j * deep + i]) for i in range(deep))


def look(metric: str) -> Look:
    """How values of a metric are written: shares in percent, others with three decimals or on their own scale."""
    row = METRICS.get(metric)
    if row is not None and row.family in ("count", "share"):
        return "percent"
    own = row is None or (row.family == "regression" and metric != "r2_score")
    return "own" if own else "plain"


def shown(m: Measurement | None) -> tuple[str, str]:
    """(value, interval in brackets) of a measurement; rates in percent without the sign, their differences and
    ratios as decimals, `–` when undefined."""
    if m is None or m.value is None:
        return "–", ""
    how = look(m.metric)
    if m.compare == "ratio" or (how == "percent" and m.compare is not None):
        how = "plain"
    by = 100.0 if how == "percent" else 1.0
    number = m.value * by
    low, high = (m.interval.low, m.interval.high) if m.interval else (None, None)
    low, high = None if low is None else low * by, None if high is None else high * by
    digits = 1 if how == "percent" else 3 if how == "plain" else digits_of(number, low, high)
    return with_interval(number, None, None, digits=digits), with_interval(None, low, high, digits=digits)


def value(m: Measurement | None) -> str:
    """The value alone, rates with the percent sign."""
    text, _ = shown(m)
    rate = m is not None and m.value is not None and m.compare is None and look(m.metric) == "percent"
    return text + "%" if rate else text


def cell(m: Measurement | None) -> str:
    """A value with its interval on one line."""
    return " ".join(text for text in shown(m) if text)


def tall(m: Measurement | None, mark: MarkName | None = None) -> Cell:
    """A value with its interval under it."""
    return Cell(*shown(m), mark)
