"""What changed since the version in service, as pairs of old and new values on one scale a metric."""

from __future__ import annotations

from collections.abc import Sequence

from govern.errors import printable
from govern.evidence import OVERALL, Evidence, Interval, Measurement
from govern.formats.beams import WIDTH, dumbbell
from govern.formats.cells import Cell, Part, Picture, Table, heads, shown, value
from govern.formats.charts import MarkName, Scale, scale
from govern.formats.naming import group_label, metric_name
from govern.formats.numbers import level
from govern.formats.strings import Strings
from govern.metrics import METRICS
from govern.verdict import SinceRow, Verdict

MARKS: dict[str, MarkName] = {"better": "within", "worse": "outside"}
SHARES = ("count", "share")


def since_versions(evidence: Evidence, verdict: Verdict | None, t: Strings) -> Part | None:
    """A row for each number beside that of the version in service; None where no version was given."""
    since = verdict.since if verdict else None
    if since is None or not since.rows:
        return None
    scales = {key: _scale([r for r in since.rows if _kind(r) == key]) for key in map(_kind, since.rows)}
    rows = tuple(_row(r, scales[_kind(r)], evidence, t) for r in since.rows)
    titles = [t(f"charts.{k}") for k in ("metric", "old", "new")] + ["", t("charts.change"), t("charts.state")]
    name = " ".join(printable(x, 60) for x in (since.name, since.version) if x)
    note = t("charts.since_note", level=level(since.rows[0].level))
    return Part(t("charts.since", name=name), note,
                (Table(heads(titles, ("", "w9", "w9", "w24", "w20", "w13")), rows, left=1),))


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


def _row(r: SinceRow, on: Scale, evidence: Evidence, t: Strings) -> tuple[str | Cell | Picture, ...]:
    old, new = (_number(r, v) for v in (r.old, r.new))
    name = metric_name(r.metric, t)
    groups = " – ".join(group_label(evidence, id, t) for id in (r.group, r.reference) if id not in (None, OVERALL))
    mark = MARKS.get(r.state, "none")
    difference = " ".join(x for x in _difference(r) if x)
    title = t("charts.since_title", metric=name, old=old, new=new)
    state = t(f"charts.{r.state.replace(' ', '_')}")
    return (Cell(t.capital(name), groups), old, new, dumbbell(r.old, r.new, on, title, mark), difference,
            Cell(state, "", mark if mark != "none" else None))


def _number(r: SinceRow, number: float | None) -> str:
    return value(Measurement(r.metric, number, compare=r.compare))  # type: ignore[arg-type]


def _difference(r: SinceRow) -> tuple[str, str]:
    ends = Interval(r.low, r.high, r.level, "") if r.low is not None or r.high is not None else None
    return shown(Measurement(r.metric, r.difference, compare="difference", interval=ends))
