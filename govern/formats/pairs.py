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
from govern.formats.naming import group_name, reading_level
from govern.formats.numbers import decimal, with_interval
from govern.formats.strings import Strings
from govern.formats.words import MARKS
from govern.verdict import Finding, Verdict

METRIC = "selection_rate"
SHOWN = 6
WITHIN = 3  # of those that the policy found within its bound
WIDTH = 160


def pairs(evidence: Evidence, verdict: Verdict | None, asked: Sequence[tuple[str, ...]], t: Strings) -> Part | None:
    """The widest gaps in selection rate of each feature with three groups or more, all on one scale; None without such
    a feature.

    Groups of fewer than 30 rows are left out: their gaps are wide by chance.
    """
    kept, more = [], 0
    for features in asked:
        finding = judged(verdict, features, METRIC, decision_label(evidence))
        gaps = _gaps(evidence, features)
        shown = [m for i, m in enumerate(gaps[:SHOWN]) if i < WITHIN or _decided(m, finding) != "within"]
        kept += [(features, finding, m) for m in shown]
        more += len(gaps) - len(shown)
    if not kept:
        return None
    on = scale([0.0, *(v for _, _, m in kept for v in _ends(m))], WIDTH, floor=-1.0, ceiling=1.0)
    rows = tuple((printable(":".join(features)), *_row(evidence, m, finding, on, t)) for features, finding, m in kept)
    titles = (t("fairness.feature"), t("fairness.group"), t("charts.second"),
              t("charts.pair", low=decimal(on.low, 2), high=decimal(on.high, 2)), t("charts.change"),
              t("policy.result"))
    table = Table(heads(titles, ("w12", "w14", "w14", "w24", "w20")), rows, left=6,
                  after=t("charts.pairs_more", n=more) if more else "")
    return Part(t("charts.pairs"), t("charts.pairs_note", level=reading_level(evidence)), (table,))


def _gaps(evidence: Evidence, features: tuple[str, ...]) -> list[Measurement]:
    """The differences of all pairs of a feature with three groups or more, the widest first."""
    groups = [g for g in evidence.feature_groups[features] if not g.missing and g.n >= FEW_ROWS]
    if len(groups) < 3:
        return []
    gaps = [m for i, a in enumerate(groups) for b in groups[i + 1:] if (m := _gap(evidence, a.id, b.id)) is not None]
    return sorted(gaps, key=lambda m: (-abs(m.value or 0.0), m.group, m.reference or ""))


def _gap(evidence: Evidence, a: str, b: str) -> Measurement | None:
    for group, reference in ((a, b), (b, a)):
        m = found(evidence, METRIC, group, reference, "difference")
        if m is not None and m.value is not None:
            return m
    return None


def _ends(m: Measurement) -> tuple[float | None, float | None, float | None]:
    return (m.value, m.interval.low, m.interval.high) if m.interval else (m.value, None, None)


def _row(evidence: Evidence, m: Measurement, finding: Finding | None, on: Scale, t: Strings
         ) -> tuple[str | Cell | Picture, ...]:
    first, second = group_name(evidence, m.group, t), group_name(evidence, m.reference, t)
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
