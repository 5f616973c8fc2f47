"""The gate: evidence and policies in, a verdict out. A pure function; it opens no file and needs no numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from govern.errors import InputError
from govern.evidence import Compute, Evidence
from govern.policy import waivers as waiving
from govern.policy.answering import Put, answered, set_aside
from govern.policy.asking import Documents
from govern.policy.checks import check
from govern.policy.coverage import coverage
from govern.policy.decide import bound_text
from govern.policy.effects import effect
from govern.policy.fields import at_phase, texts
from govern.policy.schema import Policy
from govern.policy.since import since
from govern.policy.standing import notes_on
from govern.policy.sweep import sweep, with_thresholds
from govern.verdict import (
    VERDICT_SCHEMA,
    Finding,
    NotAssessed,
    Outcome,
    Phase,
    PolicyInfo,
    ToSign,
    Verdict,
    count_findings,
)

EVALUATED = ("pass", "fail", "insufficient", "waived")
NOTHING_EVALUATED = "no rule was evaluated, so a person must decide"
IDLE = "no rule of the policy {policy} was evaluated, so a person must decide"


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
    baseline_compute: Compute | None = None,
) -> Verdict:
    """The verdict on `evidence` under `policies`; `judged` holds the digests of the documents by role, `baseline` is
    the evidence of the version in service, `baseline_compute` its times and sizes where they are known.

    Raises InputError for documents that do not belong together or contradict themselves, for two policies of
    one name, and for names in rules that the evidence shows to be slips.
    """
    check(evidence, judged, compute, baseline)
    distinct = _distinct(policies)
    documents = Documents(evidence, compute, baseline=baseline, today=today,
                          policies=tuple(p.info for p in distinct), lock=judged.get("lock"))
    puts = [put for policy in distinct for put in answered(policy, documents, phase)]
    explored = sweep(documents, puts, lambda rule, answer: effect(rule, answer, phase)[1])
    found = with_thresholds([_finding(put, phase) for put in puts], explored)
    days = {policy.info.name: policy.waiver_days for policy in distinct}
    waived = waiving.apply(waivers, found, evidence, today, days)
    findings = _shown_once(waived.findings)
    aside = {p.info.name: why.why for p in distinct if (why := set_aside(p, evidence, phase)) and not why.silent}
    asked = [put.answer.to_sign for put in puts if put.answer.to_sign]
    to_sign = tuple(s for s in asked if any((s.policy, s.rule) == (f.policy, f.rule) for f in findings))
    outcome, notes = _outcome(findings, _idle(distinct, waived.findings, asked, aside))
    ends = [w.expires for w in waived.states if w.used]
    ends += [put.answer.valid_until.isoformat() for put in puts if put.answer.valid_until]
    return Verdict(
        VERDICT_SCHEMA,
        outcome,
        phase,
        today.isoformat(),
        dict(judged),
        tuple(_noted(p, aside.get(p.info.name), today) for p in distinct),
        findings,
        count_findings(findings, to_sign),
        valid_until=min(ends, default=None),
        not_assessed=_not_assessed(findings, to_sign),
        to_sign=to_sign,
        waivers=waived.states,
        sweep=explored,
        coverage=coverage(distinct, puts),
        since=since(evidence, baseline, compute, baseline_compute) if baseline is not None else None,
        notes=notes,
    )


def _noted(policy: Policy, aside: str | None, today: date) -> PolicyInfo:
    """What a policy is, with notes on its state and that of those it extends."""
    notes = [f"does not apply: {aside}"] if aside else []
    notes += notes_on(policy.info, today)
    notes += [f"extends {p.name}: {note}" for p in policy.extended for note in notes_on(p, today)]
    return replace(policy.info, notes=tuple(notes))


def _distinct(policies: Sequence[Policy]) -> list[Policy]:
    """The policies without repetitions. Raises InputError when two different ones have one name."""
    found: dict[str, Policy] = {}
    for policy in policies:
        first = found.setdefault(policy.info.name, policy)
        if first.info != policy.info:
            raise InputError(f'two policies have the name "{policy.info.name}"', fix="rename one of them")
    return list(found.values())


def _finding(put: Put, phase: Phase) -> Finding:
    rule, question, answer, fields = put.rule, put.question, put.answer, put.rule.fields
    outcome, counts_as = effect(rule, answer, phase)
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


def _shown_once(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Findings without those that differ only in the policy under which they were judged."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        same = found.setdefault(finding.rule, [])
        if not any(replace(finding, policy=f.policy) == f for f in same):
            same.append(finding)
    return tuple(f for same in found.values() for f in same)


def _outcome(findings: Sequence[Finding], idle: Sequence[str]) -> tuple[Outcome, tuple[str, ...]]:
    """BLOCK over REVIEW over PASS; where nothing was evaluated, in the run or under a policy (`idle`), REVIEW."""
    effects = {f.counts_as for f in findings}
    outcome: Outcome = "BLOCK" if "BLOCK" in effects else "REVIEW" if "REVIEW" in effects else "PASS"
    notes = tuple(IDLE.format(policy=name) for name in idle)
    if not any(f.outcome in EVALUATED for f in findings):
        notes = (NOTHING_EVALUATED,)
    return "REVIEW" if outcome == "PASS" and notes else outcome, notes


def _idle(policies: Sequence[Policy], findings: Sequence[Finding], to_sign: Sequence[ToSign],
          aside: Mapping[str, str]) -> list[str]:
    """Policies under which nothing was asked of this evidence, though they apply by what they say themselves."""
    busy = {f.policy for f in findings if f.outcome != "n/a"} | {s.policy for s in to_sign}
    return [p.info.name for p in policies if p.info.name not in busy and p.info.name not in aside]


def _not_assessed(findings: Sequence[Finding], to_sign: Sequence[ToSign]) -> tuple[NotAssessed, ...]:
    """Rules that did not apply, each reason once; what is to be signed is listed elsewhere."""
    signed = {(s.policy, s.rule) for s in to_sign}
    title = {f.rule: f.title for f in findings}
    reasons = dict.fromkeys((f.rule, f.reason or "") for f in findings
                            if f.outcome == "n/a" and (f.policy, f.rule) not in signed)
    return tuple(NotAssessed(rule, title[rule], reason) for rule, reason in reasons)
