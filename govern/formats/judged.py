"""Which of the policy's findings and comparisons a table of groups shows."""

from __future__ import annotations

from govern.evidence import Evidence, Measurement
from govern.formats.cells import Cell, cell, tall
from govern.formats.charts import MarkName
from govern.formats.words import MARKS
from govern.verdict import Comparison, Finding, Verdict

URGENCY = ("fail", "insufficient", "not_run", "waived", "pass", "n/a")


def judged(verdict: Verdict | None, features: tuple[str, ...], metric: str, label: str | None = None
           ) -> Finding | None:
    """The most urgent finding that compares groups of a feature by a metric (of a class), or None."""
    found = [f for f in (verdict.findings if verdict else ())
             if f.metric == metric and f.features == features and f.comparisons and f.label == label
             and f.decision is None and f.kind != "table"]
    return min(found, key=lambda f: (URGENCY.index(f.outcome), f.compare != "ratio", f.rule), default=None)


def deciding(finding: Finding | None, group: str) -> Comparison | None:
    """The comparison of `group` that weighs most in a finding: outside or leaning, then undecided, then the
    lowest; one that is exempt because the other group is small only where there is no other."""
    mine = [c for c in finding.comparisons if c.group == group] if finding else []
    return min(mine, key=lambda c: (c.exempt and c.outcome != "fail" and not c.leans, URGENCY.index(c.outcome),
                                    _badness(finding, c)), default=None)


def _badness(finding: Finding | None, c: Comparison) -> float:
    if c.value is None:
        return float("inf")
    return c.value if finding is not None and finding.bound_min is not None else -abs(c.value)


def marked(evidence: Evidence, verdict: Verdict | None, features: tuple[str, ...], metric: str, group: str,
           label: str | None = None, *, two_lines: bool = False) -> Cell:
    """The metric of a group as a cell, with a mark where the policy did not find its comparison within bound."""
    decided = deciding(judged(verdict, features, metric, label), group)
    mark: MarkName | None = MARKS[decided.outcome] if decided is not None and _worth_a_mark(decided) else None
    m: Measurement | None = evidence.find(metric, group, label=label)
    return tall(m, mark) if two_lines else Cell(cell(m), "", mark)


def _worth_a_mark(c: Comparison) -> bool:
    return c.outcome == "fail" or (c.outcome == "insufficient" and (c.leans or not c.exempt))
