"""The lock as a document: what it holds, what shows that it was edited, what differs from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from govern.codec import decode, digest, document, dumps, encode
from govern.lock import LOCK_SCHEMA, Lock, LockedPolicy, differences, flaw, later, lock_of
from govern.verdict import PolicyInfo

ONE = PolicyInfo("one", "1", "aa" * 32, "in_force", "2026-11-01", extends=("base@" + "bb" * 32,))
TWO = PolicyInfo("two", "3", "cc" * 32, "guidance", "2026-11-01")
DECLARED = {"primary": {"metric": "roc_auc", "min": 0.75}, "latency_p95_ms": 50.0}
LOCK = lock_of([TWO, ONE, TWO], DECLARED, "2026-11-20T14:02:00Z")


def test_a_lock_holds_policies_by_name_and_declared_limits() -> None:
    assert LOCK.schema == LOCK_SCHEMA and LOCK.declared_sha256 == digest(dumps(DECLARED))
    assert LOCK.policies == (LockedPolicy("one", "1", "aa" * 32, ("base@" + "bb" * 32,)),
                             LockedPolicy("two", "3", "cc" * 32))
    assert decode(Lock, encode(LOCK)) == LOCK
    assert document(LOCK) == document(lock_of([ONE, TWO], DECLARED, LOCK.locked))


@pytest.mark.parametrize(("changes", "said"), [
    ({}, None), ({"locked": "2026-11-20"}, "its time is not a time"), ({"locked": "soon"}, "its time is not a time"),
    ({"declared": {}}, "its declared limits are not those of its digest"),
    ({"policies": LOCK.policies[:1]}, "its digest is not that of its content")])
def test_an_edited_lock(changes: dict[str, object], said: str | None) -> None:
    assert flaw(replace(LOCK, **changes), digest(document(LOCK))) == said  # type: ignore[arg-type]


@pytest.mark.parametrize(("created", "expected"), [
    ("2026-11-20T14:02:00Z", False), ("2026-11-20T14:01:59Z", True), ("2026-11-20T15:02:00+01:00", False),
    ("2026-11-20T14:02:00+01:00", True), ("then", True), ("2026-11-21T00:00:00", True)])
def test_times_are_compared_as_moments(created: str, expected: bool) -> None:
    assert later(LOCK, created) is expected


def test_what_differs() -> None:
    assert differences(LOCK, [ONE, TWO], DECLARED) == differences(LOCK, [ONE], DECLARED) == []
    assert differences(LOCK, [replace(ONE, extends=("base@" + "dd" * 32, "more@" + "ee" * 32))], DECLARED) == [
        "policy one extends what was changed after it was locked (base, more)"]
    assert differences(LOCK, [replace(TWO, name="three"), replace(TWO, sha256="ff" * 32)], DECLARED) == [
        "policy three is not locked", "policy two is another file than was locked (ffffffff, not cccccccc)"]
    assert differences(LOCK, [], {"primary": {"metric": "accuracy", "min": 0.75, "max": 1.0}}) == [
        "declared latency_p95_ms was locked and is not declared", "declared primary.max is not locked",
        "declared primary.metric is accuracy, locked roc_auc"]
