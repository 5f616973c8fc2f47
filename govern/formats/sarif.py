"""SARIF 2.1.0: a rule for each policy rule, a result for each finding.

Whatever binds has kind fail, at level error (BLOCK) or warning (REVIEW), an undecided one too: the kinds for what a
person must look at have level none by the standard, which readers hide. What is not settled is open, what people must
sign review, a pass pass, what does not apply notApplicable. A waived finding keeps its level and carries the waiver as
an external suppression.

Source: SARIF 2.1.0, OASIS Standard, sections 3.27.9 (kind), 3.27.10 (level), 3.27.17 (partialFingerprints), 3.35
(suppression).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from govern import __version__
from govern.codec import dumps
from govern.errors import printable
from govern.evidence import Evidence
from govern.formats.naming import pick
from govern.formats.results import Result, results
from govern.formats.strings import strings
from govern.formats.words import LONG
from govern.verdict import Finding, Verdict

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
KINDS = {"not_settled": "open", "to_sign": "review", "pass": "pass", "n/a": "notApplicable"}
# Of what a finding makes of the verdict; the same words are severities, for a rule's own level and a waived finding's.
LEVELS = {"block": "error", "review": "warning", "warn": "note", "info": "note"}


def sarif(evidence: Evidence, verdict: Verdict, digests: Mapping[str, str]) -> str:
    """The results as a SARIF log with one run."""
    found = results(evidence, verdict)
    rules = list(dict.fromkeys(r.id for r in found))
    first = {r.id: r for r in reversed(found)}
    run = {
        "tool": {"driver": {"name": "govern", "version": __version__, "rules": [_rule(first[id]) for id in rules]}},
        "invocations": [{"executionSuccessful": True, "exitCode": int(verdict.exit_code),
                         "exitCodeDescription": verdict.outcome}],
        "columnKind": "unicodeCodePoints",
        "results": [_result(r, rules.index(r.id)) for r in found],
        "properties": {"verdict": verdict.outcome, "phase": verdict.phase, "decidedOn": printable(verdict.decided_on),
                       "counts": dict(verdict.counts), "sha256": dict(digests)},
    }
    return dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}).decode()


def _rule(result: Result) -> dict[str, Any]:
    finding = result.finding
    return {
        "id": result.id, "name": printable(finding.rule), "shortDescription": {"text": result.title},
        "fullDescription": {"text": _about(finding, "says") or result.title}, "help": {"text": _help(result)},
        "defaultConfiguration": {"level": LEVELS[finding.severity]},
        "properties": {"kind": finding.kind, "basis": printable(finding.basis), "severity": finding.severity,
                       "tags": [printable(tag) for tag in finding.tags]},
    }


def _help(result: Result) -> str:
    """Whose the rule is, what its source says, and what the policy added."""
    t, finding = strings(), result.finding
    basis = f"{result.policy} ({t(f'basis.{finding.basis}')})"
    parts = (basis, printable(finding.cite or "", LONG), _about(finding, "says"), _about(finding, "ours"))
    return "\n".join([result.title, *(p for p in parts if p)])


def _about(finding: Finding, what: str) -> str:
    return printable(pick(getattr(finding, what), strings()("lang")), LONG)


def _result(result: Result, rule: int) -> dict[str, Any]:
    finding, seen = result.finding, result.finding.seen
    waived = result.sort == "waived"
    out: dict[str, Any] = {
        "ruleId": result.id, "ruleIndex": rule, "message": {"text": "\n".join(result.parts)},
        "kind": KINDS.get(result.sort, "fail"),
        "level": LEVELS[finding.severity] if waived else LEVELS.get(result.sort, "none"),
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": quote(result.path)},
                                            "region": {"startLine": result.line}}}],
        # Code scanning tells results of one line apart by the second name only.
        "partialFingerprints": {"govern/v1": result.key, "primaryLocationLineHash": f"{result.key}:1"},
        "properties": {"outcome": finding.outcome, "countsAs": finding.counts_as, "severity": finding.severity,
                       **{k: v for k, v in (("value", seen and seen.value), ("low", seen and seen.low),
                                            ("high", seen and seen.high), ("boundMin", finding.bound_min),
                                            ("boundMax", finding.bound_max)) if v is not None}},
    }
    if waived:
        out["suppressions"] = [{"kind": "external", "status": "accepted", "justification": result.aside}]
    return out
