"""The policy section: every finding with what was seen, the bound and whose it is, and what was not assessed."""

from __future__ import annotations

from typing import Any

from govern.errors import printable
from govern.evidence import Evidence
from govern.formats.naming import pick
from govern.formats.strings import Strings
from govern.formats.tally import open_findings
from govern.formats.words import reason
from govern.verdict import Finding, Verdict

View = dict[str, Any]
LONG = 300


def policy_section(evidence: Evidence, verdict: Verdict | None, t: Strings) -> View:
    """The section's rows: what is open first, in the order of page 1, then what passed or was waived."""
    if verdict is None:
        return {"none": t("policy.none"), "decided": "", "applied": [], "rows": [], "not_assessed": []}
    first = open_findings(verdict)
    rest = [f for f in verdict.reasons if f not in first and f.outcome != "n/a"]
    return {
        "none": "" if verdict.findings else t("verdict.no_reason_none"),
        "decided": t("policy.decided", date=printable(verdict.decided_on), phase=printable(verdict.phase)),
        "applied": [_policy(p, t) for p in verdict.policies],
        "rows": [_row(f, evidence, t) for f in (*first, *rest)],
        "not_assessed": [(printable(n.rule), printable(pick(n.title, t("lang")), LONG), printable(n.reason, LONG))
                         for n in verdict.not_assessed],
    }


def _policy(info: Any, t: Strings) -> str:
    return t("policy.applied", name=printable(info.name), version=printable(info.version), sha=info.sha256[:16],
             status=printable(info.status).replace("_", " "), as_of=printable(info.as_of))


def _row(finding: Finding, evidence: Evidence, t: Strings) -> View:
    found = reason(finding, evidence, t)
    plain = finding.seen is None or finding.seen.value is None or finding.kind == "document"
    whose = f"{printable(finding.policy)}, {t(f'basis.{finding.basis}')}"
    if finding.cite and finding.outcome != "pass":
        whose += f", {printable(finding.cite)}"
    return {
        "rule": found.rule, "title": found.title, "mark": found.mark, "word": found.word,
        "subject": "" if plain else found.subject, "seen": found.sentence if plain else found.number,
        "limit": found.limit, "whose": whose,
        "counts_as": t("policy.counts_as", outcome=finding.counts_as) if finding.counts_as != "PASS" else "",
        "waived": finding.waiver is not None,
    }
