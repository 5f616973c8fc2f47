"""The gate: evidence and policies in, a verdict out. A pure function; it opens no file and needs no numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from govern.errors import InputError
from govern.evidence import OVERALL, Compute, Evidence
from govern.policy import waivers as waiving
from govern.policy.asking import Answer, Documents, Question
from govern.policy.decide import bound_text
from govern.policy.fields import Rule, at_phase, texts
from govern.policy.rules import KINDS
from govern.policy.schema import Policy
from govern.verdict import (
    VERDICT_SCHEMA,
    Finding,
    NotAssessed,
    Outcome,
    Phase,
    RuleOutcome,
    Severity,
    Verdict,
    count_findings,
)

BINDING = ("block", "review")
NOTHING_EVALUATED = "no rule was evaluated, so a person must decide"


def judge(
    evidence: Evidence,
    *,
    judged: Mapping[str, str],
    policies: Sequence[Policy],
    phase: Phase,
    today: date,
    compute: Compute | None = None,
    waivers: Sequence[Mapping[str, Any]] = (),
) -> Verdict:
    """The verdict on `evidence` under `policies`; `judged` holds the digests of the documents by role.

    Raises InputError for documents that do not belong together or contradict themselves, for two policies of
    one name, and for names in rules that the evidence shows to be slips.
    """
    _check(evidence, judged, compute)
    distinct = _distinct(policies)
    documents = Documents(evidence, compute)
    found = [f for policy in distinct for f in _findings(policy, documents, phase)]
    waived = waiving.apply(waivers, found, evidence, today)
    findings = _shown_once(waived.findings)
    outcome, notes = _outcome(findings)
    used = [w.expires for w in waived.states if w.used]
    return Verdict(
        VERDICT_SCHEMA,
        outcome,
        phase,
        today.isoformat(),
        dict(judged),
        tuple(p.info for p in distinct),
        findings,
        count_findings(findings),
        valid_until=min(used, default=None),
        not_assessed=_not_assessed(findings),
        waivers=waived.states,
        notes=notes,
    )


def _check(evidence: Evidence, judged: Mapping[str, str], compute: Compute | None) -> None:
    if OVERALL not in evidence.groups_by_id or OVERALL not in evidence.counts_by_group:
        raise InputError("has no counts over all rows", where="evidence", fix="measure again")
    for c in evidence.counts:
        group = evidence.groups_by_id.get(c.group)
        if (
            group is None
            or min(c.tp, c.fp, c.fn, c.tn) < 0
            or c.tp + c.fp + c.fn + c.tn != group.n
            or not 0 <= c.selected <= group.n
        ):
            raise InputError(
                f"the counts of group {c.group} contradict its rows",
                where="evidence",
                fix="it was edited; measure again",
            )
    if compute is not None and judged.get("evidence", compute.evidence_sha256) != compute.evidence_sha256:
        raise InputError("was measured with other evidence", where="compute", fix="give the two files of one run")


def _distinct(policies: Sequence[Policy]) -> list[Policy]:
    """The policies without repetitions. Raises InputError when two different ones have one name."""
    found: dict[str, Policy] = {}
    for policy in policies:
        first = found.setdefault(policy.info.name, policy)
        if first.info != policy.info:
            raise InputError(f'two policies have the name "{policy.info.name}"', fix="rename one of them")
    return list(found.values())


def _findings(policy: Policy, documents: Documents, phase: Phase) -> list[Finding]:
    """All findings of a policy: questions first, because a fail is corrected for how many bind."""
    asked = [
        (rule, question) for rule in policy.rules for question in KINDS[rule.fields.kind].questions(rule, documents)
    ]
    family = sum(q.uncertain and at_phase(rule.fields.severity, phase) in BINDING for rule, q in asked)
    return [_finding(policy, rule, question, question.answer(max(1, family)), phase) for rule, question in asked]


def _finding(policy: Policy, rule: Rule, question: Question, answer: Answer, phase: Phase) -> Finding:
    fields = rule.fields
    severity: Severity = at_phase(fields.severity, phase)
    outcome, counts_as = _effect(rule, answer, severity, phase)
    ours = texts(fields.ours)
    if rule.changes:
        said = "Changed: " + "; ".join(rule.changes)
        ours = {language: f"{text} {said}".strip() for language, text in {"en": "", **ours}.items()}
    return Finding(
        rule.id,
        policy.info.name,
        fields.kind,
        texts(fields.title),
        outcome,
        severity,
        fields.basis,
        counts_as,
        file=rule.file,
        line=rule.line,
        metric=question.metric,
        features=question.features,
        compare=answer.compare,
        bound_min=bound_text(answer.minimum),
        bound_max=bound_text(answer.maximum),
        decide=answer.decide,
        seen=answer.seen,
        comparisons=answer.comparisons,
        settle=answer.settle,
        reason=answer.reason,
        cite=fields.cite,
        says=texts(fields.says),
        ours=ours,
        tags=tuple(fields.tags),
        missing=answer.missing,
    )


def _effect(rule: Rule, answer: Answer, severity: Severity, phase: Phase) -> tuple[RuleOutcome, Outcome]:
    """The outcome of a rule's question, and what it makes of the verdict."""
    outcome = answer.outcome
    if outcome == "n/a":
        absent = at_phase(rule.fields.absent or rule.terms.absent, phase)
        if absent == "review":
            # The policy demands the input itself, whatever the severity of a fail.
            return "not_run", "REVIEW"
        outcome = "fail" if absent == "fail" else outcome
    if outcome == "fail":
        return outcome, {"block": "BLOCK", "review": "REVIEW"}.get(severity, "PASS")  # type: ignore[return-value]
    if severity not in BINDING or outcome not in ("not_run", "insufficient"):
        return outcome, "PASS"
    if outcome == "not_run":
        return outcome, "REVIEW"
    mode = at_phase(getattr(rule.fields, "insufficient", None) or rule.terms.insufficient, phase)
    if mode == "lean":
        return outcome, "REVIEW" if answer.presses else "PASS"
    return outcome, "BLOCK" if mode == "block" else "REVIEW"


def _shown_once(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Findings without those that differ only in the policy under which they were judged."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        same = found.setdefault(finding.rule, [])
        if not any(replace(finding, policy=f.policy) == f for f in same):
            same.append(finding)
    return tuple(f for same in found.values() for f in same)


def _outcome(findings: Sequence[Finding]) -> tuple[Outcome, tuple[str, ...]]:
    """BLOCK over REVIEW over PASS; a run in which nothing was evaluated is REVIEW."""
    effects = {f.counts_as for f in findings}
    outcome: Outcome = "BLOCK" if "BLOCK" in effects else "REVIEW" if "REVIEW" in effects else "PASS"
    if outcome == "PASS" and not any(f.outcome in ("pass", "fail", "insufficient", "waived") for f in findings):
        return "REVIEW", (NOTHING_EVALUATED,)
    return outcome, ()


def _not_assessed(findings: Sequence[Finding]) -> tuple[NotAssessed, ...]:
    """Rules that did not apply, each reason once."""
    title = {f.rule: f.title for f in findings}
    reasons = dict.fromkeys((f.rule, f.reason or "") for f in findings if f.outcome == "n/a")
    return tuple(NotAssessed(rule, title[rule], reason) for rule, reason in reasons)
