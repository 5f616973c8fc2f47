"""Waivers: a person takes a finding out of the outcome, for one model, for a reason, for a limited time."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from govern.errors import nearest, printable
from govern.evidence import Evidence
from govern.verdict import Finding, WaiverState

WAIVABLE = ("fail", "insufficient", "not_run")
REQUIRED = ("rule", "owner", "reason", "approver", "expires")
KNOWN = (*REQUIRED, "subject", "lineage")


@dataclass(frozen=True)
class Waived:
    """Findings after the waivers, and the state of each waiver."""

    findings: tuple[Finding, ...]
    states: tuple[WaiverState, ...]


def apply(waivers: Sequence[Mapping[str, Any]], findings: Sequence[Finding], evidence: Evidence, today: date,
          days: Mapping[str, int]) -> Waived:
    """The findings with those under a valid waiver marked "waived", which no longer count.

    A waiver that is not valid has no effect and says why. `expires` is the last day on which it holds; `days` is how
    far ahead that may lie, by policy.
    """
    states = [_state(w, findings, evidence, today, days) for w in waivers]
    out = list(findings)
    for i, state in enumerate(states):
        for j, finding in enumerate(out):
            if state.valid and finding.outcome in WAIVABLE and _names(state.rule, finding):
                out[j] = replace(finding, outcome="waived", counts_as="PASS", waiver=i)
                states[i] = replace(states[i], used=True)
    return Waived(tuple(out), tuple(states))


def _names(rule: str, finding: Finding) -> bool:
    """Whether a bare or qualified (policy/id) rule name means this finding's rule."""
    return rule in (finding.rule, finding.qualified)


def _state(waiver: Mapping[str, Any], findings: Sequence[Finding], evidence: Evidence, today: date,
           days: Mapping[str, int]) -> WaiverState:
    text = {key: _text(waiver.get(key)) for key in KNOWN}
    try:
        end: date | None = date.fromisoformat(text["expires"])
    except ValueError:
        end = None
    left = (end - today).days if end else None
    why = _why_not(waiver, text, left, findings, evidence, days)
    return WaiverState(
        text["rule"],
        text["owner"],
        text["reason"],
        text["approver"],
        end.isoformat() if end else text["expires"],
        valid=why is None,
        days_left=left or 0,
        used=False,
        subject=text["subject"] or None,
        lineage=text["lineage"] or None,
        why_not=why,
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _why_not(
    waiver: Mapping[str, Any],
    text: Mapping[str, str],
    left: int | None,
    findings: Sequence[Finding],
    evidence: Evidence,
    days: Mapping[str, int],
) -> str | None:
    missing = [key for key in REQUIRED if not text[key] or (key in ("owner", "approver") and not _words(text[key]))]
    if missing:
        return f"{', '.join(missing)} not given"
    unknown = next((key for key in waiver if key not in KNOWN), None)
    if unknown is not None:
        return f'unknown key "{printable(unknown)}"'
    if left is None:
        return f'expires "{printable(text["expires"])}" is not a day (2026-11-03)'
    if left < 0:
        return f"expired {-left} {'day' if left == -1 else 'days'} ago"
    named = [f for f in findings if _names(text["rule"], f)]
    # Of several policies that have the rule the strictest decides; a qualified name means one of them.
    most = min((days[f.policy] for f in named), default=None)
    if most is not None and left > most:
        return f"expires {left} days ahead, more than {most}"
    if _same_person(text["owner"], text["approver"]):
        return "owner and approver are the same person"
    if not text["subject"] and not text["lineage"]:
        return "says neither a subject nor a lineage, so that it would hold for every model"
    if text["subject"] and not _is_subject(text["subject"], evidence):
        return f"is for another subject ({printable(text['subject'])})"
    if text["lineage"] and (why := _not_of(text["lineage"], evidence)):
        return why
    if not named:
        known = sorted({f.qualified if "/" in text["rule"] else f.rule for f in findings})
        said = nearest(text["rule"], known)
        return f'no rule "{printable(text["rule"])}" was judged' + (f"; {said}" if said else "")
    return None


def _words(name: str) -> list[str]:
    """The words of a name, in one form of Unicode, without capitals, signs and invisible characters."""
    plain = "".join(c if c.isalnum() or unicodedata.category(c)[0] == "M" else "" if unicodedata.category(c) == "Cf"
                    else " " for c in unicodedata.normalize("NFKC", name).casefold())
    return plain.split()


def _same_person(one: str, other: str) -> bool:
    """Whether two names are the same, in whatever order and however spaced their words are."""
    a, b = _words(one), _words(other)
    return sorted(a) == sorted(b) or "".join(a) == "".join(b)


def _is_subject(name: str, evidence: Evidence) -> bool:
    """Whether a subject of the evidence has this file name or digest (whole, or its first 8 digits or more)."""
    model = evidence.settings.get("model")
    if isinstance(model, Mapping) and name == model.get("name"):
        return True
    digest = name.removeprefix("sha256:").lower()
    return any(name == s.name or (len(digest) >= 8 and s.sha256.startswith(digest)) for s in evidence.subjects)


def _not_of(lineage: str, evidence: Evidence) -> str | None:
    """Why the model is not of a lineage, None when it is.

    A lineage is the name of a model, `credit-approval`: all its versions; or the name, @ and the beginning of a
    version, `credit-approval@3` or `credit-approval@3.2`: the versions 3, 3.0, 3.2.1, not 30.
    """
    model = evidence.settings.get("model")
    name, version = (model.get("name"), model.get("version")) if isinstance(model, Mapping) else (None, None)
    if not name:
        return f"is for the lineage {printable(lineage)}, and the evidence does not name its model"
    if lineage == name:
        return None
    wanted, at, prefix = lineage.rpartition("@")
    if at and wanted == name and version is not None and prefix and f"{version}.".startswith(f"{prefix}."):
        return None
    given = f"{name}@{version}" if version is not None else name
    return f"is for another lineage ({printable(lineage)}; this is {printable(given)})"
