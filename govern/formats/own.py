"""A user's own metrics by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from govern.errors import printable
from govern.evidence import Evidence, Group
from govern.formats.cells import Part, Table, heads, row
from govern.formats.judged import marked
from govern.formats.naming import metric_name, name_of, reading_level
from govern.formats.numbers import count
from govern.formats.strings import Strings
from govern.metrics import METRICS
from govern.verdict import Verdict

SHOWN = 5


def own_metrics(evidence: Evidence, verdict: Verdict | None, asked: Mapping[tuple[str, ...], Sequence[Group]],
                t: Strings) -> Part | None:
    """The first five metrics of the user's own, by group of each asked feature; None without any."""
    measured = {m.metric for m in evidence.measurements if m.metric not in METRICS and m.group != "overall"}
    metrics = sorted(measured)[:SHOWN]
    if not metrics or not asked:
        return None
    tables = []
    for features, groups in asked.items():
        rows = tuple(row(name_of(g, t), count(g.n),
                         *(marked(evidence, verdict, features, m, g.id) for m in metrics)) for g in groups)
        titles = [printable(":".join(features)), t("fairness.rows"), *(metric_name(m, t) for m in metrics)]
        tables.append(Table(heads(titles, ("w20", "w8")), rows))
    return Part(t("fairness.own"), t("fairness.own_note", level=reading_level(evidence)), tuple(tables))
