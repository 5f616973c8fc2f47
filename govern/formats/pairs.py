"""The gaps between pairs of groups, the widest first: each a picture, a number and what the policy decided on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from govern.errors import printable
from govern.evidence import Evidence, Measurement
from govern.formats.affected import FEW_ROWS
from govern.formats.cells import Cell, Part, Picture, Table, heads
from govern.formats.charts import MarkName, Scale, glyph, scale
from govern.formats.counted import decision_label, found
from govern.formats.judged import judged
from govern.formats.naming import name_of, reading_level
from govern.formats.numbers import decimal, with_interval
from govern.formats.strings import Strings
from govern.formats.words import MARKS
from govern.verdict import Finding, Verdict

METRIC = "selection_rate"
SHOWN = 6
WIDTH = 160


def pairs(evidence: Evidence, verdict: Verdict | None, asked: Sequence[tuple[str, ...]], t: Strings) -> Part | None:
    """The widest gaps in selection rate of each feature with three groups or more; None without such a feature.

    Groups of fewer than 30 rows are left out: their gaps are wide by chance.
    """
    tables = [table for features in asked if (table := _table(evidence, verdict, features, t)) is not None]
    note = t("charts.pairs_note", level=reading_level(evidence))
    return Part(t("charts.pairs"), note, tuple(tables)) if tables else None


def _table(evidence: Evidence, verdict: Verdict | None, features: tuple[str, ...], t: Strings) -> Table | None:
    groups = [g for g in evidence.feature_groups[features] if not g.missing and g.n >= FEW_ROWS]
    if len(groups) < 3:
        return None
    gaps = [m for i, a in enumerate(groups) for b in groups[i + 1:] if (m := _gap(evidence, a.id, b.id)) is not None]
    gaps.sort(key=lambda m: (-abs(m.value or 0.0), m.group, m.reference or ""))
    if not gaps:
        return None
    name = {g.id: name_of(g, t) for g in groups}
    finding = judged(verdict, features, METRIC, decision_label(evidence))
    on = scale([0.0, *(v for m in gaps[:SHOWN] for v in _ends(m))], WIDTH, floor=-1.0, ceiling=1.0)
    rows = tuple(_row(m, name[m.group], name[m.reference or ""], finding, on, t) for m in gaps[:SHOWN])
    more = len(gaps) - SHOWN
    titles = (printable(":".join(features)), t("charts.second"),
              t("charts.pair", low=decimal(on.low, 2), high=decimal(on.high, 2)), t("charts.change"),
              t("policy.result"))
    return Table(heads(titles, ("w17", "w17", "w24", "w24")), rows, left=5,
                 after=t("charts.pairs_more", n=more) if more > 0 else "")


def _gap(evidence: Evidence, a: str, b: str) -> Measurement | None:
    for group, reference in ((a, b), (b, a)):
        m = found(evidence, METRIC, group, reference, "difference")
        if m is not None and m.value is not None:
            return m
    return None


def _ends(m: Measurement) -> tuple[float | None, float | None, float | None]:
    return (m.value, m.interval.low, m.interval.high) if m.interval else (m.value, None, None)


def _row(m: Measurement, first: str, second: str, finding: Finding | None, on: Scale, t: Strings
         ) -> tuple[str | Cell | Picture, ...]:
    value, low, high = _ends(m)
    number = with_interval(value, low, high, [0.0])
    mark = _decided(m, finding)
    most = finding.bound_max if finding is not None and finding.compare == "difference" else None
    least = (finding.bound_min or f"-{most}") if finding is not None and most is not None else None
    picture = glyph(value, low, high, minimum=least, maximum=most, mark=mark, on=on,
                    title=t("charts.pair_title", first=first, second=second, number=number))
    picture = replace(picture, ticks=(*picture.ticks, (on(0.0), "0")))
    return first, second, picture, number, Cell(t(f"mark.{mark}"), "", mark) if mark != "none" else ""


def _decided(m: Measurement, finding: Finding | None) -> MarkName:
    """What the policy made of a pair, whichever way round and by difference or ratio it asked."""
    pair = {m.group, m.reference}
    return next((MARKS[c.outcome] for c in (finding.comparisons if finding else ())
                 if {c.group, c.reference} == pair), "none")
