"""A rule in words: what it judges, its limits and whose they are, as rows of a label and a text."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, get_args

from pydantic import BaseModel

from govern.policy.fields import DECLARED, ByPhase, Defaults, Relative, Rule, Texts, texts
from govern.verdict import Change, Phase

PHASES: tuple[Phase, ...] = get_args(Phase)
# Said in rows of their own, or in the heading.
_APART = ("id", "kind", "title", "min", "max", "severity", "basis", "cite", "says", "ours", "tags")


def as_text(value: Any) -> str:
    """A value of a policy file in one line, as it would be written but without quotes."""
    if value is None:
        return "not given"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Relative):
        return f"the baseline's value {'−' if value.by < 0 else '+'} {as_text(abs(value.by))}"
    if isinstance(value, Texts):
        return value.en
    if isinstance(value, ByPhase):
        return by_phase(value)
    if isinstance(value, BaseModel):
        value = {info.alias or name: getattr(value, name) for name, info in type(value).model_fields.items()}
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {as_text(v)}" for k, v in value.items() if v is not None)
    return ", ".join(map(as_text, value)) if isinstance(value, list | tuple) else str(value)


def by_phase(value: Any) -> str:
    """One value, or the values of the phases, those that follow each other alike together: `desk, poc warn; team,
    company block`."""
    if not isinstance(value, ByPhase):
        return str(value)
    runs: list[tuple[list[str], str]] = []
    for phase in PHASES:
        one = str(getattr(value, phase))
        if runs and runs[-1][1] == one:
            runs[-1][0].append(phase)
        else:
            runs.append(([phase], one))
    return runs[0][1] if len(runs) == 1 else "; ".join(f"{', '.join(phases)}: {one}" for phases, one in runs)


def limit_of(rule: Rule, side: str) -> Decimal | str | Relative | None:
    """The limit of the side `min` or `max` as it is in force: as written, else the default of its kind."""
    written = rule.minimum if side == "min" else rule.maximum
    default = getattr(rule.fields, side, None)
    return Decimal(repr(default)) if written is None and isinstance(default, float) else written


def limits_text(rule: Rule) -> str:
    """`at least 0.80`, `at most 0.10`, `at least what the owner declares`; empty where the rule has no limit."""
    said = []
    for word, side in (("at least", "min"), ("at most", "max")):
        limit = limit_of(rule, side)
        if limit is not None:
            said.append(f"{word} {'what the owner declares' if limit == DECLARED else as_text(limit)}")
    return " and ".join(said)


def effective(rule: Rule) -> dict[str, Any]:
    """Every field of the rule with its value in force: limits exact, and where it says nothing the file's default."""
    found: dict[str, Any] = {name: getattr(rule.fields, name) for name in type(rule.fields).model_fields}
    for name in Defaults.model_fields:
        if name in found and found[name] is None:
            found[name] = getattr(rule.terms, name)
    found |= {side: limit_of(rule, side) for side in ("min", "max") if side in found}
    return found | {"applies_when": [dict(when) for _, when in rule.conditions]}


def written_name(rule: Rule, field: str) -> str:
    """The key of a field in a policy file: some are words of Python."""
    info = type(rule.fields).model_fields.get(field)
    return (info.alias if info is not None else None) or field


def rows(rule: Rule) -> list[tuple[str, str]]:
    """What the rule says of itself, its title and kind apart: its own fields, its limits, the severity by phase,
    whose it is, what the source says and what was added, what was overridden, where it stands."""
    fields = rule.fields
    said = [(written_name(rule, name), as_text(getattr(fields, name))) for name in type(fields).model_fields
            if name in fields.model_fields_set and name not in _APART]
    said += [("applies when", f"{as_text(when)} ({policy})") for policy, when in rule.conditions]
    source, ours = texts(fields.says).get("en", ""), texts(fields.ours).get("en", "")
    apart = [("limits", limits_text(rule)), ("severity", by_phase(fields.severity)), ("basis", fields.basis),
             ("cite", fields.cite or ""), ("says", source), ("ours", ours), ("tags", ", ".join(fields.tags)),
             ("changed", "; ".join(map(_change, rule.changes))), ("where", f"{rule.file}:{rule.line}")]
    return [*said, *((label, text) for label, text in apart if text)]


def _change(change: Change) -> str:
    old, new = (text or "not given" for text in (change.old, change.new))
    return f"{change.field}: {old} → {new} ({change.by}: {change.reason})"
