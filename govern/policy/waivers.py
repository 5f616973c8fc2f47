"""Waivers: a person takes a finding out of the outcome, for a reason, for at most 90 days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from govern.errors import nearest
from govern.evidence import Evidence
from govern.verdict import Finding, WaiverState

MOST_DAYS = 90
WAIVABLE = ("fail", "insufficient", "not_run")
REQUIRED = ("rule", "owner", "reason", "approver", "expires")
KNOWN = (*REQUIRED, "subject", "lineage")


@dataclass(frozen=True)
class Waived:
    """Findings after the waivers, and the state of each waiver."""

    findings: tuple[Finding, ...]
    states: tuple[WaiverState, ...]


def apply(waivers: Sequence[Mapping[str, Any]], findings: Sequence[Finding], evidence: Evidence, today: date) -> Waived:
    """The findings with those under a valid waiver marked "waived", which no longer count.

    A waiver that is not valid has no effect and says why. `expires` is the last day on which it holds.
    """
    states = [_state(w, findings, evidence, today) for w in waivers]
    out = list(findings)
    for i, state in enumerate(states):
        for j, finding in enumerate(out):
            if state.valid and finding.outcome in WAIVABLE and _names(state.rule, finding):
                out[j] = replace(finding, outcome="waived", counts_as="PASS", waiver=i)
                states[i] = replace(states[i], used=True)
    return Waived(tuple(out), tuple(states))


def _names(rule: str, finding: Finding) -> bool:
    """Whether a bare or qualified (policy/id) rule name means this finding's rule."""
    return rule in (finding.rule, f"{finding.policy}/{finding.rule}")


def _state(waiver: Mapping[str, Any], findings: Sequence[Finding], evidence: Evidence, today: date) -> WaiverState:
    text = {key: _text(waiver.get(key)) for key in KNOWN}
    try:
        days: int | None = (date.fromisoformat(text["expires"]) - today).days
    except ValueError:
        days = None
    why = _why_not(waiver, text, days, findings, evidence)
    return WaiverState(
        text["rule"],
        text["owner"],
        text["reason"],
        text["approver"],
        text["expires"],
        valid=why is None,
        days_left=days or 0,
        used=False,
        subject=text["subject"] or None,
        why_not=why,
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _why_not(
    waiver: Mapping[str, Any],
    text: Mapping[str, str],
    days: int | None,
    findings: Sequence[Finding],
    evidence: Evidence,
) -> str | None:
    missing = [key for key in REQUIRED if not text[key]]
    if missing:
        return f"{', '.join(missing)} not given"
    unknown = next((key for key in waiver if key not in KNOWN), None)
    if unknown is not None:
        return f'unknown key "{unknown}"'
    if days is None:
        return f'expires "{text["expires"]}" is not a day (2026-11-03)'
    if days < 0:
        return f"expired {-days} {'day' if days == -1 else 'days'} ago"
    if days > MOST_DAYS:
        return f"expires {days} days ahead, more than {MOST_DAYS}"
    if text["owner"].casefold() == text["approver"].casefold():
        return "owner and approver are the same person"
    if text["lineage"]:
        return "lineage is not read by this version; name a subject"
    if text["subject"] and not _is_subject(text["subject"], evidence):
        return f"is for another subject ({text['subject']})"
    if not any(_names(text["rule"], f) for f in findings):
        known = sorted({f.rule for f in findings})
        said = nearest(text["rule"], known)
        return f'no rule "{text["rule"]}" was judged' + (f"; {said}" if said else "")
    return None


def _is_subject(name: str, evidence: Evidence) -> bool:
    """Whether a subject of the evidence has this file name or digest (whole, or its first 8 digits or more)."""
    model = evidence.settings.get("model")
    if isinstance(model, Mapping) and name == model.get("name"):
        return True
    digest = name.removeprefix("sha256:").lower()
    return any(name == s.name or (len(digest) >= 8 and s.sha256.startswith(digest)) for s in evidence.subjects)
