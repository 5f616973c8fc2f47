"""What the answer of a rule makes of the verdict at a phase."""

from __future__ import annotations

from govern.policy.asking import Answer
from govern.policy.fields import Rule, at_phase
from govern.verdict import Outcome, Phase, RuleOutcome, Severity

BINDING = ("block", "review")


def effect(rule: Rule, answer: Answer, phase: Phase) -> tuple[RuleOutcome, Outcome]:
    """The outcome of a rule's question, and what it makes of the verdict."""
    outcome: RuleOutcome = answer.outcome
    severity: Severity = at_phase(rule.fields.severity, phase)
    if outcome == "n/a" and answer.applies:
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
