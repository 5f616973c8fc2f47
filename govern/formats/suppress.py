"""Copies of the documents for a card that leaves the house: nothing in them is about fewer rows than asked.

Everything a card shows comes from these copies, so what is left out here cannot appear anywhere in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from govern.dataset import Column, DataFacts
from govern.errors import InputError
from govern.evidence import OVERALL, REST, Curve, Evidence, Group, Measurement
from govern.explanations import Attributions, Explanation
from govern.formats.hidden import Hidden, hidden, small
from govern.formats.naming import name_of, names
from govern.formats.strings import Strings
from govern.formats.words import SUPPRESSED
from govern.metrics import METRICS
from govern.verdict import Comparison, Finding, Verdict

NUMBER = re.compile(r"(?<![\w.,])\d+(?![\w%]|[.,]\d)")
NAMES = 8
# Counted from all groups of a feature, though the measurement names one.
OF_SIBLINGS = ("four_fifths_shortfall", "group_share_gap")


@dataclass(frozen=True)
class Suppressed:
    """The copies, and what was left out of them: `gone` groups altogether, `blurred` all numbers of these but their
    rows and, where it is no small cell itself, their selection rate."""

    evidence: Evidence
    verdict: Verdict | None
    gone: tuple[Group, ...]
    blurred: tuple[Group, ...]


def suppressed(evidence: Evidence, verdict: Verdict | None, below: int, t: Strings) -> Suppressed:
    """Copies of the documents that show no group and no cell of 1 to `below` − 1 rows, and none from which one could
    be computed.

    Raises InputError when the whole sample has such a cell: it would have to be hidden in every table.
    """
    out = hidden(evidence, below)
    if OVERALL in out.cells:
        raise InputError(f"the whole sample has an outcome with fewer than {below} rows, which no table could hide",
                         where="--suppress-below", fix="give a smaller number, or more data")
    out = _with_control_levels(evidence, out)
    why = t("screen.suppressed_number", n=below)
    cut = _Cut(out, below, why, frozenset(
        (*g.features, *(c for c, _ in g.within)) for g in evidence.groups if g.id in out.cells))
    facts = replace(
        evidence,
        groups=tuple(g for g in evidence.groups if g.id not in out.rows),
        counts=tuple(c for c in evidence.counts if c.group not in out.cells),
        confusions=tuple(c for c in evidence.confusions if c.group not in out.cells
                         and not any(small(n, below) for row in c.n for n in row)),
        measurements=_measurements(evidence, cut),
        curves=tuple(x for c in evidence.curves if c.group not in out.cells
                     and (x := _coarse(c, evidence, below)) is not None),
        data=_data(evidence.data, evidence, cut),
        train=None if evidence.train is None else _data(evidence.train, evidence, cut),
        attributions=_attributions(evidence.attributions, cut),
        explanation=_explanation(evidence.explanation, cut),
        thresholds=(), threshold_counts=(), subgroups=(),
        notes=tuple(n for n in evidence.notes if not _tells(n, below)),
    )
    found = None if verdict is None else replace(
        verdict, findings=tuple(_finding(f, cut) for f in verdict.findings), sweep=None,
        not_assessed=tuple(replace(n, reason=why) if _tells(n.reason, below) else n for n in verdict.not_assessed),
        since=None if verdict.since is None else replace(
            verdict.since, rows=tuple(r for r in verdict.since.rows if r.group in (None, OVERALL) and not r.features)),
        notes=tuple(n for n in verdict.notes if not _tells(n, below)))
    return Suppressed(facts, found, tuple(g for g in evidence.groups if g.id in out.rows and g.n),
                      tuple(g for g in evidence.groups if g.id in out.cells - out.rows))


@dataclass(frozen=True)
class _Cut:
    """What is hidden, the threshold, the sentence that stands for it, and the features with a hidden group."""

    out: Hidden
    below: int
    why: str
    features: frozenset[tuple[str, ...]]

    def hides(self, group: str | None, metric: str) -> bool:
        """Whether the value of a metric of a group (or of a reference that is none) is hidden."""
        of = METRICS.get(metric)
        ids = self.out.selected if metric == "selection_rate" else \
            self.out.rows if of is not None and of.family == "data" else self.out.cells
        return group in ids


def _with_control_levels(evidence: Evidence, out: Hidden) -> Hidden:
    """With one group within a level of a control feature, all of that feature within that control are hidden: their
    tables and adjusted summaries hold all levels."""
    broken = {(g.features, tuple(c for c, _ in g.within)) for g in evidence.groups if g.within and g.id in out.cells}
    more = {g.id for g in evidence.groups if g.within and (g.features, tuple(c for c, _ in g.within)) in broken}
    return Hidden(out.rows | more, out.selected | more, out.cells | more)


def _measurements(evidence: Evidence, cut: _Cut) -> tuple[Measurement, ...]:
    """Those that are shown. Of decisions, slices and other splits there are no counts to compute with: with one small
    count all groups of its feature are left out."""
    of = {g.id: g.features for g in evidence.groups}
    controls = {f"adjusted: {':'.join(c for c, _ in g.within)}" for g in evidence.groups
                if g.within and g.id in cut.out.rows}

    def table(m: Measurement) -> tuple[str, ...]:
        return (*of.get(m.group, ()), "|", m.metric, m.decision or "", m.slice or "", m.split)

    broken = {table(m) for m in evidence.measurements if of.get(m.group) and _apart(m) and _small(m, cut.below)}
    kept = []
    for m in evidence.measurements:
        features = of.get(m.group, ())
        if any(cut.hides(g, m.metric) for g in (m.group, m.reference) if g not in (None, OVERALL, REST)):
            continue
        if m.features in cut.features or (m.metric in OF_SIBLINGS and features in cut.features):
            continue
        if m.slice in controls or table(m) in broken or (_apart(m) and features in cut.features):
            continue
        if m.metric == "case_rows" and small(m.value, cut.below):
            m = replace(m, value=None, status="too_few", reason=cut.why, numerator=None, denominator=None)
        kept.append(m)
    return tuple(kept)


def _apart(m: Measurement) -> bool:
    return m.decision is not None or m.split != "eval" or m.slice is not None


def _small(m: Measurement, below: int) -> bool:
    if m.numerator is None or m.denominator is None:
        return False
    return any(small(x, below) for x in (m.numerator, m.denominator - m.numerator))


def _coarse(curve: Curve, evidence: Evidence, below: int) -> Curve | None:
    """The curve with at least `below` rows from each point to the next; None where it shows cells that cannot be
    joined."""
    if curve.kind == "calibration":
        return None if any(small(n, below) for n in curve.n) else curve
    counts = evidence.counts_by_label.get((curve.group, curve.label))
    if counts is None:
        return None
    p, q = counts.tp + counts.fn, counts.fp + counts.tn

    def chosen(x: float, y: float) -> float:
        """Rows at or above the threshold of a point: of (fpr, tpr), or of (recall, precision)."""
        return x * q + y * p if curve.kind == "roc" else x * p / y if y else 0.0

    rows = [chosen(x, y) for x, y in zip(curve.x, curve.y, strict=True)]
    order = sorted(range(len(rows)), key=lambda i: (rows[i], i))
    kept: list[int] = []
    for i in order:
        if rows[i] == 0 or rows[i] >= p + q or (rows[i] >= (rows[kept[-1]] if kept else 0) + below
                                                and p + q - rows[i] >= below):
            kept.append(i)
    keep = sorted(kept)
    return replace(curve, x=tuple(curve.x[i] for i in keep), y=tuple(curve.y[i] for i in keep),
                   n=tuple(curve.n[i] for i in keep) if curve.n else ())


def _data(facts: DataFacts, evidence: Evidence, cut: _Cut) -> DataFacts:
    """The columns without their lowest and highest value, which single rows hold, and without counts of levels where
    one is small; those that hidden groups are made of are left out."""
    made_of = {k for features in cut.features for k in features}
    named = evidence.settings.get("data", {}).get("sensitive") or ()
    made_of |= {str(more.get("column")) for s in named if isinstance(s, dict) for role, more in s.items()
              if role in made_of and isinstance(more, dict)}
    return replace(facts, columns=tuple(_column(c, cut.below) for c in facts.columns if c.name not in made_of),
                   output=None if facts.output is None else _column(facts.output, cut.below))


def _column(c: Column, below: int) -> Column:
    tells = any(small(n, below) for n in (*(x.n for x in c.levels), *(x.n for x in c.bins), c.others))
    return replace(c, low=None, high=None, levels=() if tells else c.levels, bins=() if tells else c.bins,
                   others=0 if tells else c.others)


def _attributions(found: Attributions | None, cut: _Cut) -> Attributions | None:
    """Those of everyone, and of groups where no group is hidden or was explained by few rows."""
    if found is None:
        return None
    few = bool(cut.features) or any(small(a.n, cut.below) for a in found.features)
    return replace(found, features=tuple(a for a in found.features if a.group == OVERALL or not few),
                   differences=() if few else found.differences)


def _explanation(found: Explanation | None, cut: _Cut) -> Explanation | None:
    """What is of many rows; explanations of single rows are left out. Of reasons only their totals are kept where a
    count of one is small: it could be computed from the others."""
    if found is None:
        return None
    few = bool(cut.features)
    codes = found.reason_codes
    if codes is not None:
        totals = [n for n in (codes.explained, codes.covered) if n is not None]
        if any(small(n, cut.below) for n in (codes.rows, codes.dropped, *totals, *(codes.rows - n for n in totals))):
            codes = None
        elif any(small(n, cut.below) for r in codes.reasons for n in (r.first, r.any, codes.rows - r.any)):
            codes = replace(codes, reasons=(), without_text=(), generic=())
    return replace(
        found, locals=(), reason_codes=codes,
        gaps=tuple(g for g in found.gaps if not few and not small(g.n, cut.below)
                   and not small(g.reference_n, cut.below)),
        # The best told group gives the value, and it may be a hidden one.
        proxies=tuple(p for p in found.proxies if (p.sensitive,) not in cut.features),
        shapes=tuple(replace(s, lines=tuple(x for x in s.lines if x.group == OVERALL or (
            not few and not small(x.n, cut.below)))) for s in found.shapes))


def _finding(finding: Finding, cut: _Cut) -> Finding:
    """The finding with its outcome; without the numbers of what is hidden."""
    metric = finding.metric or ""

    def shown(c: Comparison) -> bool:
        return not (cut.hides(c.group, metric) or cut.hides(c.reference, metric) or any(
            small(n, cut.below) for n in (c.n, c.reference_n)))

    comparisons = tuple(c for c in finding.comparisons if shown(c))
    told = finding.reason is not None and (_tells(finding.reason, cut.below) or finding.features in cut.features)
    out = replace(finding, comparisons=comparisons, reason=cut.why if told else finding.reason)
    if finding.seen is not None and not shown(finding.seen):
        return replace(out, seen=None, settle=None, reason=SUPPRESSED)
    if finding.settle is not None and cut.hides(finding.settle.group, metric):
        out = replace(out, settle=None)
    if out.seen is not None and out.seen.reason is not None and _tells(out.seen.reason, cut.below):
        out = replace(out, seen=replace(out.seen, reason=cut.why))
    return out


def _tells(text: str, below: int) -> bool:
    """Whether a text holds a number that could be a small count."""
    return any(small(int(n), below) for n in NUMBER.findall(text))


def said(cut: Suppressed, below: int, t: Strings) -> list[str]:
    """The sentences that say on the card what was left out of it."""
    found = [t("screen.suppressed", most=below - 1)]
    for key, groups in (("suppressed_gone", cut.gone), ("suppressed_blurred", cut.blurred)):
        if groups:
            called = dict.fromkeys(t("reason.group_word", feature=g.feature, group=name_of(g, t)) for g in groups)
            found.append(t(f"screen.{key}", n=len(groups), below=below, names=names(called, t, NAMES)))
    return found
