"""What changed between two policies, after everything they extend and override: rules added, removed and changed.

For limits and severities it can be told whether a rule has become stricter or looser: a least value that rises, a
greatest one that falls, a limit that is added, a severity that rises, demands more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from govern.policy.describe import PHASES, as_text, by_phase, effective, written_name
from govern.policy.fields import ByPhase, Relative, Rule, at_phase, texts
from govern.policy.schema import Policy

Effect = Literal["stricter", "looser", "mixed"]
# Words by how much they demand.
SCALES: dict[str, tuple[str, ...]] = {
    "severity": ("info", "warn", "review", "block"),
    "insufficient": ("lean", "review", "block"),
    "absent": ("n/a", "review", "fail"),
}


@dataclass(frozen=True)
class FieldChange:
    """A field with its value before and after as text, and what the change does where that can be told."""

    field: str
    old: str
    new: str
    effect: Effect | None = None


@dataclass(frozen=True)
class RuleChange:
    """A rule of both policies that differs."""

    old: Rule
    new: Rule
    fields: tuple[FieldChange, ...]

    @property
    def effect(self) -> Effect | None:
        """What all changes together do; None where it cannot be told of any."""
        known = {change.effect for change in self.fields} - {None}
        return None if not known else known.pop() if len(known) == 1 else "mixed"


@dataclass(frozen=True)
class Changes:
    """Everything that differs between two policies; `same` counts the rules that do not."""

    head: tuple[FieldChange, ...]
    added: tuple[Rule, ...]
    removed: tuple[Rule, ...]
    changed: tuple[RuleChange, ...]
    same: int


def changes(old: Policy, new: Policy) -> Changes:
    """What differs between two policies, rules by id in the order of the new one, removed ones in that of the old."""
    before, after = ({rule.id: rule for rule in policy.rules} for policy in (old, new))
    both = [RuleChange(before[id], rule, tuple(_fields(before[id], rule)))
            for id, rule in after.items() if id in before]
    return Changes(
        tuple(_head(old, new)),
        tuple(rule for id, rule in after.items() if id not in before),
        tuple(rule for id, rule in before.items() if id not in after),
        tuple(change for change in both if change.fields),
        sum(not change.fields for change in both),
    )


def _head(old: Policy, new: Policy) -> Iterator[FieldChange]:
    """What policies say of themselves; digests are left out, since they follow from everything else."""
    for name in ("name", "version", "title", "status", "as_of", "applies_from", "sunset"):
        one, two = getattr(old.info, name), getattr(new.info, name)
        if one != two:
            yield FieldChange(name.replace("_", " "), _shown(one), _shown(two))
    if old.waiver_days != new.waiver_days:
        yield FieldChange("waiver days", str(old.waiver_days), str(new.waiver_days))


def _fields(old: Rule, new: Rule) -> Iterator[FieldChange]:
    one, two = effective(old), effective(new)
    for name in dict.fromkeys((*one, *two)):
        before, after = one.get(name), two.get(name)
        if not _same(before, after):
            shown = written_name(new if name in two else old, name).replace("_when", " when")
            yield FieldChange(shown, _shown(before), _shown(after), _effect(name, before, after))


def _same(one: Any, two: Any) -> bool:
    """Whether two values say the same; of texts and severities that are written in another form too."""
    if isinstance(one, ByPhase) or isinstance(two, ByPhase):
        return by_phase(one) == by_phase(two)
    return bool(one == two) or (_is_text(one) and _is_text(two) and texts(one) == texts(two))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) or hasattr(value, "en")


def _shown(value: Any) -> str:
    """A value as text; a text with its Japanese."""
    if isinstance(value, Mapping) or hasattr(value, "en"):
        return " / ".join((dict(value) if isinstance(value, Mapping) else texts(value)).values())
    return as_text(value) or "none"


def _effect(name: str, old: Any, new: Any) -> Effect | None:
    if name in ("min", "max"):
        return _limit_effect(name, old, new)
    if name not in SCALES or old is None or new is None:
        return None
    ranks = [(SCALES[name].index(at_phase(old, phase)), SCALES[name].index(at_phase(new, phase))) for phase in PHASES]
    up, down = any(b > a for a, b in ranks), any(b < a for a, b in ranks)
    return "mixed" if up and down else "stricter" if up else "looser"


def _limit_effect(side: str, old: Any, new: Any) -> Effect | None:
    """A limit added is stricter, one removed looser; of two numbers it depends on the side. What the owner declares
    and what a baseline holds is not known here."""
    if old is None or new is None:
        return "stricter" if old is None else "looser"
    if isinstance(old, Relative) and isinstance(new, Relative):
        old, new = old.by, new.by
    if not isinstance(old, Decimal) or not isinstance(new, Decimal):
        return None
    return "stricter" if (new > old) == (side == "min") else "looser"
