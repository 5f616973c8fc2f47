"""The gate: evidence and policies in, a verdict out. A pure function; it opens no file and needs no numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from govern.errors import InputError
from govern.evidence import Compute, Evidence
from govern.policy import waivers as waiving
from govern.policy.asking import Answer, Documents
from govern.policy.checks import check
from govern.policy.decide import bound_text
from govern.policy.fields import Rule, at_phase, texts
from govern.policy.rules import KINDS
from govern.policy.schema import Policy
from govern.policy.sweep import Put, sweep, with_thresholds
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
    baseline: Evidence | None = None,
) -> Verdict:
    """The verdict on `evidence` under `policies`; `judged` holds the digests of the documents by role, `baseline` is
    the evidence of the version in service.

    Raises InputError for documents that do not belong together or contradict themselves, for two policies of
    one name, and for names in rules that the evidence shows to be slips.
    """
    check(evidence, judged, compute)
    distinct = _distinct(policies)
    infos = tuple(p.info for p in distinct)
    documents = Documents(evidence, compute, baseline=baseline, today=today, policies=infos, lock=judged.get("lock"))
    puts = [put for policy in distinct for put in _put(policy, documents, phase)]
    explored = sweep(evidence, puts, lambda rule, answer: _effect(rule, answer, phase)[1])
    found = with_thresholds([_finding(put, phase) for put in puts], explored)
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
        infos,
        findings,
        count_findings(findings),
        valid_until=min(used, default=None),
        not_assessed=_not_assessed(findings),
        waivers=waived.states,
        sweep=explored,
        notes=notes,
    )


def _distinct(policies: Sequence[Policy]) -> list[Policy]:
    """The policies without repetitions. Raises InputError when two different ones have one name."""
    found: dict[str, Policy] = {}
    for policy in policies:
        first = found.setdefault(policy.info.name, policy)
        if first.info != policy.info:
            raise InputError(f'two policies have the name "{policy.info.name}"', fix="rename one of them")
    return list(found.values())


def _put(policy: Policy, documents: Documents, phase: Phase) -> list[Put]:
    """All questions of a policy with their answers: questions first, because a fail is corrected for how many
    bind."""
    asked = [
        (rule, place, question, at_phase(rule.fields.severity, phase))
        for rule in policy.rules
        for place, question in enumerate(KINDS[rule.fields.kind].questions(rule, documents))
    ]
    family = max(1, sum(q.uncertain and severity in BINDING for _, _, q, severity in asked))
    return [
        Put(policy.info.name, rule, place, q, q.answer(family), family, shown=severity == "info")
        for rule, place, q, severity in asked
    ]


def _finding(put: Put, phase: Phase) -> Finding:
    rule, question, answer, fields = put.rule, put.question, put.answer, put.rule.fields
    outcome, counts_as = _effect(rule, answer, phase)
    return Finding(
        rule.id,
        put.policy,
        fields.kind,
        texts(fields.title),
        outcome,
        at_phase(fields.severity, phase),
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
        ours=texts(fields.ours),
        tags=tuple(fields.tags),
        missing=answer.missing,
        label=question.label,
        decision=question.decision,
        each=question.each,
        changes=rule.changes,
    )


def _effect(rule: Rule, answer: Answer, phase: Phase) -> tuple[RuleOutcome, Outcome]:
    """The outcome of a rule's question, and what it makes of the verdict."""
    outcome: RuleOutcome = answer.outcome
    severity: Severity = at_phase(rule.fields.severity, phase)
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
