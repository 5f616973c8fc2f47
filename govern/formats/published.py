"""The tables that policies ask to be published: every group with its counts, rate and ratio, small ones too."""

from __future__ import annotations

from collections.abc import Sequence

from govern.errors import printable
from govern.evidence import Evidence
from govern.formats.cells import Cell, Part, Table, abreast, heads
from govern.formats.naming import group_name, metric_name, pick
from govern.formats.numbers import count, decimal, percent
from govern.formats.strings import Strings
from govern.formats.words import p_text
from govern.verdict import Comparison, Finding, Verdict

KINDS = ("table", "four-fifths")
ABREAST = 3
NOTHING = "–"


def published(evidence: Evidence, verdict: Verdict | None, t: Strings) -> list[Part]:
    """A part for each rule that asks for a table, in the order of the policies, with a table for each feature."""
    rules: dict[tuple[str | None, ...], list[Finding]] = {}
    for f in verdict.findings if verdict else ():
        if f.kind in KINDS and f.comparisons:
            rules.setdefault((f.qualified, f.metric, f.compare, f.decision), []).append(f)
    return [_part(found, evidence, t) for found in rules.values()]


def _part(findings: Sequence[Finding], evidence: Evidence, t: Strings) -> Part:
    first = findings[0]
    head = f"{printable(first.rule)} {printable(pick(first.title, t('lang')), 200)}"
    if first.kind == "table" and first.compare is None:
        return Part(head, "", tuple(_shares(f, evidence, t) for f in findings))
    what = [metric_name(first.metric, t)] if first.metric else []
    what += [t("published.decision", decision=printable(first.decision))] if first.decision else []
    return Part(head, t.list(what), tuple(_groups(f, evidence, t) for f in findings))


def _groups(finding: Finding, evidence: Evidence, t: Strings) -> Table:
    """Every group with its counts, rate and ratio, and tests where there are any."""
    tested = any(c.p_value is not None for c in finding.comparisons)
    titles = [_feature(finding, t), t("published.people"), t("published.reached"), t("published.rate"),
              t("published.ratio")]
    titles += [t("published.p"), t("published.p_all"), t("published.short")] if tested else []
    every = _with_reference(finding.comparisons)
    rows = tuple(_row(c, finding.comparisons, evidence, tested, t) for c in every)
    return Table(heads(titles, ("w24",)), rows, fine=tested)


def _shares(finding: Finding, evidence: Evidence, t: Strings) -> Table:
    """How many of all rows are in each group, groups side by side."""
    rows = [(group_name(evidence, c.group, t), _people(c, t)) for c in finding.comparisons]
    titles = (_feature(finding, t), t("published.people_share"))
    return Table(heads(titles * ABREAST, ("w17", "w16") * ABREAST), abreast(rows, ABREAST), left=2 * ABREAST)


def _people(c: Comparison, t: Strings) -> str:
    n = count(c.numerator or 0)
    return t("published.of_all", n=n, share=percent(c.numerator / c.n)) if c.n and c.numerator is not None else n


def _feature(finding: Finding, t: Strings) -> str:
    return printable(":".join(finding.features)) or t("fairness.group")


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
