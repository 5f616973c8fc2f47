"""How many findings there are of each sort, and the order in which a reader needs them."""

from __future__ import annotations

from dataclasses import dataclass

from govern.formats.words import bounds
from govern.verdict import Finding, Verdict


@dataclass(frozen=True, slots=True)
class Tally:
    """How many findings block, ask for review, warn, are not settled, are waived, pass; and rules not assessed."""

    block: int
    review: int
    warn: int
    unsettled: int
    waived: int
    passed: int
    not_assessed: int


def tally(verdict: Verdict) -> Tally:
    """The numbers beside the verdict word; a finding that was not decided and not blocked for it is `unsettled`."""
    found = verdict.findings

    def number(*, outcomes: tuple[str, ...], counts_as: str | None = None) -> int:
        return sum(f.outcome in outcomes and (counts_as is None or f.counts_as == counts_as) for f in found)

    open_ = ("fail", "insufficient", "not_run")
    return Tally(
        number(outcomes=open_, counts_as="BLOCK"), number(outcomes=open_, counts_as="REVIEW"),
        number(outcomes=("fail", "not_run"), counts_as="PASS"), number(outcomes=("insufficient",), counts_as="PASS"),
        number(outcomes=("waived",)), number(outcomes=("pass",)), len(verdict.not_assessed))


def open_findings(verdict: Verdict) -> list[Finding]:
    """What a reader must know first: blocks, reviews, then what is not settled, then warnings and notes."""
    found = [f for f in verdict.findings if f.outcome in ("fail", "insufficient", "not_run")]
    return sorted(found, key=lambda f: (_stage(f), _distance(f), f.rule, f.metric or "", f.features))


def _stage(finding: Finding) -> int:
    decided = finding.outcome == "fail"
    if finding.counts_as != "PASS":
        return {"BLOCK": 0, "REVIEW": 2}[finding.counts_as] + (not decided)
    return 5 if decided else 4


def _distance(finding: Finding) -> float:
    """Negative share by which the estimate misses its bound, so that the clearest finding comes first."""
    if finding.seen is None or finding.seen.value is None:
        return 0.0
    low, high = bounds(finding)
    missed = max((low - finding.seen.value) if low is not None else 0.0,
                 (finding.seen.value - high) if high is not None else 0.0)
    size = max(abs(low or 0.0), abs(high or 0.0)) or 1.0
    return -missed / size
