"""The tables that policies ask to be published: every group with its counts, rate and ratio, small ones too."""

from __future__ import annotations

from collections.abc import Sequence

from govern.errors import printable
from govern.evidence import Evidence
from govern.formats.cells import Cell, Part, Table, heads
from govern.formats.naming import group_name, metric_name, pick
from govern.formats.numbers import count, decimal, percent
from govern.formats.strings import Strings
from govern.formats.words import p_text
from govern.verdict import Comparison, Finding, Verdict

KINDS = ("table", "four-fifths")
NOTHING = "–"


def published(evidence: Evidence, verdict: Verdict | None, t: Strings) -> list[Part]:
    """A part for each finding whose rule asks for a table, in the order of the policies."""
    found = [f for f in (verdict.findings if verdict else ()) if f.kind in KINDS and f.comparisons]
    return [_part(f, evidence, t) for f in found]


def _part(finding: Finding, evidence: Evidence, t: Strings) -> Part:
    if finding.kind == "table" and finding.compare is None:
        return _shares(finding, evidence, t)
    tested = any(c.p_value is not None for c in finding.comparisons)
    what = [metric_name(finding.metric, t)] if finding.metric else []
    what += [printable(":".join(finding.features))] if finding.features else []
    what += [t("published.decision", decision=printable(finding.decision))] if finding.decision else []
    titles = [t("fairness.group"), t("published.people"), t("published.reached"), t("published.rate"),
              t("published.ratio")]
    titles += [t("published.p"), t("published.p_all"), t("published.short")] if tested else []
    head = f"{printable(finding.rule)} {printable(pick(finding.title, t('lang')), 200)}"
    every = _with_reference(finding.comparisons)
    rows = tuple(_row(c, finding.comparisons, evidence, tested, t) for c in every)
    return Part(head, t.list(what), (Table(heads(titles, ("w24",)), rows, fine=tested),))


def _shares(finding: Finding, evidence: Evidence, t: Strings) -> Part:
    """A table of rows: how many of all are in each group."""
    rows = tuple((group_name(evidence, c.group, t), count(c.numerator or 0),
                  percent(c.numerator / c.n) if c.n and c.numerator is not None else NOTHING)
                 for c in finding.comparisons)
    titles = [t("fairness.group"), t("published.people"), t("published.share")]
    return Part(f"{printable(finding.rule)} {printable(pick(finding.title, t('lang')), 200)}",
                printable(":".join(finding.features)), (Table(heads(titles, ("w30",)), rows),))


def _with_reference(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The comparisons, with a row of its own for a reference that has none."""
    own = {c.group for c in comparisons}
    missing = {c.reference: c for c in comparisons if c.reference is not None and c.reference not in own}
    first = [Comparison(reference, "pass", None, n=c.reference_n, numerator=c.reference_numerator)
             for reference, c in missing.items() if reference is not None]
    return [*first, *comparisons]


def _row(c: Comparison, every: Sequence[Comparison], evidence: Evidence, tested: bool, t: Strings
         ) -> tuple[str | Cell, ...]:
    is_reference = c.value is None and any(o.reference == c.group for o in every)
    rate = percent(c.numerator / c.n) if c.n and c.numerator is not None else NOTHING
    ratio = t("fairness.reference") if is_reference else decimal(c.value) if c.value is not None else NOTHING
    name = group_name(evidence, c.group, t)
    under = printable(t.phrase(c.reason), 80) if c.reason else t("published.small") if c.exempt else ""
    cells: list[str | Cell] = [Cell(name, under) if under else name, NOTHING if c.n is None else count(c.n),
                               NOTHING if c.numerator is None else count(c.numerator), rate, ratio]
    if tested:
        test = t(f"published.{c.test}") if c.test else ""
        cells += [Cell(p_text(c.p_value), test), p_text(c.p_adjusted),
                  NOTHING if c.shortfall is None else decimal(c.shortfall, 1)]
    return tuple(cells)
