"""What a reader must know about the state of a policy on the day of the decision."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from govern.verdict import PolicyInfo

# After so many days without a look at its sources a policy gets a note. A default of this tool: no source asks for it.
STALE_DAYS = 180
STATUSES = {
    "proposed": "proposed: its source is not in force",
    "in_flux": "in flux: its source is being changed",
    "superseded": "superseded: another text has taken its place",
}


def notes_on(policy: PolicyInfo, today: date) -> tuple[str, ...]:
    """Notes on a policy that is not simply in force, does not apply yet or any more, or was not looked at for long."""
    return tuple(_notes(policy, today))


def _notes(policy: PolicyInfo, today: date) -> Iterator[str]:
    if policy.status in STATUSES:
        yield STATUSES[policy.status]
    if policy.applies_from and today < date.fromisoformat(policy.applies_from):
        yield f"applies from {policy.applies_from}, after the day of the decision"
    if policy.sunset and today > date.fromisoformat(policy.sunset):
        yield f"applied until {policy.sunset}, before the day of the decision"
    days = (today - date.fromisoformat(policy.as_of)).days
    if days > STALE_DAYS:
        yield (f"state of its sources as of {policy.as_of}, {days} days before the decision: look whether they changed "
               f"(said after {STALE_DAYS} days, a default of this tool)")
