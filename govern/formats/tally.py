"""The order in which a reader needs the findings."""

from __future__ import annotations

from govern.formats.words import bounds
from govern.verdict import Finding, Verdict

# The keys of Verdict.counts in the order they are shown, and the word of the catalogue for each.
SHOWN = (("block", "block"), ("review", "review"), ("warn", "warn"), ("not_settled", "unsettled"),
         ("waived", "waived"), ("pass", "passed"))


def tally(verdict: Verdict) -> list[tuple[int, str]]:
    """(number, word) of each sort of finding, then of the rules that were not assessed."""
    return [*((verdict.counts.get(key, 0), word) for key, word in SHOWN),
            (len(verdict.not_assessed), "not_assessed")]


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
