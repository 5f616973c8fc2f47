"""Numbers of two versions beside each other, as pictures: a ring for the version in service, a dot for this one."""

from __future__ import annotations

from collections.abc import Sequence

from govern.formats.beams import WIDTH, dumbbell
from govern.formats.cells import Picture
from govern.formats.charts import MarkName, Scale, scale
from govern.metrics import METRICS
from govern.verdict import SinceRow

MARKS: dict[str, MarkName] = {"better": "within", "worse": "outside"}
SHARES = ("count", "share")


def dumbbells(rows: Sequence[SinceRow], titles: Sequence[str]) -> list[Picture]:
    """A picture of old and new for each row, with its text; rows of one metric are on one scale."""
    scales = {key: _scale([r for r in rows if _kind(r) == key]) for key in map(_kind, rows)}
    return [dumbbell(r.old, r.new, scales[_kind(r)], title, MARKS.get(r.state, "none"))
            for r, title in zip(rows, titles, strict=True)]


def _kind(row: SinceRow) -> tuple[str, str | None]:
    return row.metric, row.compare


def _scale(rows: Sequence[SinceRow]) -> Scale:
    """Shares of one pair alone stand between 0 and 1, so that a small change looks small; else from the data."""
    given = [v for r in rows for v in (r.old, r.new)]
    row = METRICS.get(rows[0].metric)
    share = row is not None and row.family in SHARES and rows[0].compare is None
    if len(rows) == 1 and share:
        return Scale(0.0, 1.0, WIDTH)
    return scale([*given, *([0.0] if not share else [])], WIDTH)
