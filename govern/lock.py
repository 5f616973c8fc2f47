"""The lock: which policies and declared limits were fixed, and when. Standard library only.

`govern policy lock` writes it before a run, the run records its digest and content in the evidence, and the gate
compares what it judges by with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from govern.codec import digest, document, dumps
from govern.verdict import PolicyInfo

LOCK_SCHEMA = "govern.lock/1"


@dataclass(frozen=True, slots=True)
class LockedPolicy:
    """A policy as it was when it was locked; `extends` names those it extends with their digests."""

    name: str
    version: str
    sha256: str
    extends: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lock:
    """Policies and declared limits as they were at the time `locked` (ISO 8601, UTC)."""

    schema: str
    locked: str
    policies: tuple[LockedPolicy, ...]
    declared: Mapping[str, Any]
    declared_sha256: str


def lock_of(policies: Sequence[PolicyInfo], declared: Mapping[str, Any], locked: str) -> Lock:
    """The lock of policies and declared limits; the order in which policies are named does not matter."""
    found = sorted((LockedPolicy(p.name, p.version, p.sha256, p.extends) for p in policies), key=lambda p: p.name)
    return Lock(LOCK_SCHEMA, locked, tuple(dict.fromkeys(found)), dict(declared), digest(dumps(dict(declared))))


def flaw(lock: Lock, sha256: str) -> str | None:
    """What shows that a lock is not as `govern policy lock` wrote it, None when nothing does; `sha256` is the digest
    of its file."""
    if _moment(lock.locked) is None:
        return "its time is not a time"
    if digest(dumps(dict(lock.declared))) != lock.declared_sha256:
        return "its declared limits are not those of its digest"
    return None if digest(document(lock)) == sha256 else "its digest is not that of its content"


def later(lock: Lock, created: str) -> bool:
    """Whether the lock was made after the time `created` of the evidence. A time that cannot be read proves nothing,
    so it counts as later."""
    then, now = _moment(lock.locked), _moment(created)
    return then is None or now is None or then > now


def _moment(text: str) -> datetime | None:
    """A time with its zone, None for any other text."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def differences(lock: Lock, policies: Sequence[PolicyInfo], declared: Mapping[str, Any]) -> list[str]:
    """How policies and declared limits differ from the lock, each in a few words; policies that are in the lock alone
    are no difference."""
    return [*_policies(lock, policies), *_limits(lock, declared)]


def _policies(lock: Lock, policies: Sequence[PolicyInfo]) -> Iterator[str]:
    locked = {p.name: p for p in lock.policies}
    for policy in policies:
        then = locked.get(policy.name)
        if then is None:
            yield f"policy {policy.name} is not locked"
        elif then.sha256 != policy.sha256:
            yield f"policy {policy.name} is another file than was locked ({policy.sha256[:8]}, not {then.sha256[:8]})"
        elif then.extends != policy.extends:
            changed = {e.partition("@")[0] for e in {*then.extends} ^ {*policy.extends}}
            yield f"policy {policy.name} extends what was changed after it was locked ({', '.join(sorted(changed))})"


def _limits(lock: Lock, declared: Mapping[str, Any]) -> Iterator[str]:
    then, now = dict(_flat(lock.declared)), dict(_flat(declared))
    for key in sorted({*then, *now}):
        if key not in then:
            yield f"declared {key} is not locked"
        elif key not in now:
            yield f"declared {key} was locked and is not declared"
        elif then[key] != now[key]:
            yield f"declared {key} is {_shown(now[key])}, locked {_shown(then[key])}"


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
