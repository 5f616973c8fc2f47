"""Errors and scores of each group, and the disparities over all groups of a feature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from govern.errors import printable
from govern.evidence import Evidence, Group
from govern.formats.cells import Cell, Part, Table, cell, heads, row, shown
from govern.formats.counted import counts_of, decision_label, found
from govern.formats.judged import marked
from govern.formats.naming import name_of, reading_level
from govern.formats.strings import Strings
from govern.verdict import Verdict

TALLY = "/\u200b"  # a long row of counts may break after a slash, never inside a number
RATES = ("true_positive_rate", "false_positive_rate", "precision", "accuracy")
SCORES = ("roc_auc",)
DISPARITIES = ("demographic_parity", "equalized_odds", "equal_opportunity", "predictive_parity")


def errors(evidence: Evidence, verdict: Verdict | None, asked: Mapping[tuple[str, ...], Sequence[Group]], t: Strings
           ) -> Part:
    """A table for each feature: rates, scores and confusion counts of its groups."""
    data, label = evidence.settings.get("data", {}), decision_label(evidence)
    metrics = (*RATES, *(m for m in SCORES if found(evidence, m) is not None))
    widths = ("w11", *("rate" if m in RATES else "w14" for m in metrics))
    tables = []
    for features, groups in asked.items():
        rows: list[tuple[str | Cell, ...]] = []
        for g in groups:
            c = counts_of(evidence, g.id)
            if c is None or (g.missing and len(features) > 1):
                continue
            cells = (marked(evidence, verdict, features, m, g.id, label) for m in metrics)
            rows.append((name_of(g, t), *cells, TALLY.join(str(v) for v in (c.tp, c.fp, c.fn, c.tn))))
        names = [printable(":".join(features)), *(t(f"metric.{m}") for m in metrics), t("fairness.tally")]
        tables.append(Table(heads(names, widths), tuple(rows), fine=True))
    note = t("fairness.errors_note", target=printable(data.get("target", "")), level=reading_level(evidence),
             positive=printable(label if label is not None else data.get("positive", "")))
    return Part(t("fairness.errors"), note, tuple(tables))


def disparities(evidence: Evidence, asked: Sequence[tuple[str, ...]], t: Strings) -> Part | None:
    """fairlearn's disparities of each feature, difference over ratio, with the variance between groups."""
    label = decision_label(evidence)
    of = {(m.metric, m.features): m for m in evidence.measurements
          if m.features and m.group == "overall" and m.label == label}
    names = [d for d in DISPARITIES if any((f"{d}_difference", k) in of for k in asked)]
    more = ["between_group_variance"] if any(("between_group_variance", k) in of for k in asked) else []
    if not names:
        return None
    rows = tuple(row(printable(":".join(k)),
                     *(Cell(cell(of.get((f"{d}_difference", k))), cell(of.get((f"{d}_ratio", k)))) for d in names),
                     *(shown(of.get((m, k)))[0] for m in more)) for k in asked)
    titles = [t("fairness.feature"), *(t(f"metric.{m}") for m in (*names, *more))]
    table = Table(heads(titles, ("w14", *("" for _ in names), "w12")), rows)
    return Part(t("fairness.disparities"), t("fairness.disparities_note", level=reading_level(evidence)), (table,))
