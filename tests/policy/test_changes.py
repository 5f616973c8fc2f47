"""What changed between two policies, and whether it demands more."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from govern.policy.changes import Changes, changes
from govern.policy.schema import Policy

Write = Callable[..., Policy]
BOUND = "- {{id: {0}, kind: bound, title: t, metric: accuracy, {1}, basis: house}}\n"


@pytest.fixture
def changed(house: Write) -> Callable[..., Changes]:
    def make(old: str, new: str, head: str = "") -> Changes:
        return changes(house(old, name="old"), house(new, head, name="new"))

    return make


@pytest.mark.parametrize(("old", "new", "expected"), [
    ("min: 0.7", "min: 0.70", []),
    ("min: 0.7", "min: 0.8", [("min", "0.7", "0.8", "stricter")]),
    ("min: 0.8", "min: 0.7", [("min", "0.8", "0.7", "looser")]),
    ("max: 0.1", "max: 0.08", [("max", "0.1", "0.08", "stricter")]),
    ("min: 0.7", "min: 0.7, max: 0.9", [("max", "not given", "0.9", "stricter")]),
    ("min: 0.7, max: 0.9", "min: 0.7", [("max", "0.9", "not given", "looser")]),
    ("min: 0.7", "min: declared", [("min", "0.7", "declared", None)]),
    ("min: {baseline: -0.02}", "min: {baseline: -0.01}",
     [("min", "the baseline's value − 0.02", "the baseline's value − 0.01", "stricter")]),
    ("min: 0.7", "min: 0.7, decide: point", [("decide", "interval", "point", None)]),
    ("min: 0.7", "min: 0.7, insufficient: block",
     [("insufficient", "desk, poc, team: lean; company: review", "block", "stricter")]),
    ("min: 0.7, insufficient: review", "min: 0.7, insufficient: {desk: lean, poc: lean, team: lean, company: block}",
     [("insufficient", "review", "desk, poc, team: lean; company: block", "mixed")]),
    ("min: 0.7", "min: 0.7, absent: fail", [("absent", "n/a", "fail", "stricter")]),
    ("min: 0.7", "min: 0.7, min_n: 50", [("min_n", "30", "50", None)]),
])
def test_fields_and_their_effect(changed: Callable[..., Changes], old: str, new: str,
                                 expected: list[tuple[str, str, str, str | None]]) -> None:
    found = changed(*(BOUND.format("R", f"severity: review, {x}") for x in (old, new)))
    assert [(f.field, f.old, f.new, f.effect) for c in found.changed for f in c.fields] == expected
    assert found.same == (0 if expected else 1)
    assert [c.effect for c in found.changed] == [effect for *_, effect in expected]


def test_severities_by_phase(changed: Callable[..., Changes]) -> None:
    one, all_phases = "severity: review", "severity: {desk: review, poc: review, team: review, company: review}"
    later = "severity: {desk: info, poc: review, team: review, company: block}"
    rules = [BOUND.format("R", f"{s}, min: 0.7") for s in (one, all_phases, later, one.replace("review", "block"))]
    assert changed(rules[0], rules[1]).changed == ()
    for old, new, effect in ((0, 2, "mixed"), (0, 3, "stricter"), (3, 0, "looser")):
        (change,) = changed(rules[old], rules[new]).changed
        assert [(f.field, f.effect) for f in change.fields] == [("severity", effect)]
    (change,) = changed(rules[0], rules[3].replace("0.7", "0.6")).changed
    assert change.effect == "mixed"


def test_rules_added_and_removed_keep_their_order(changed: Callable[..., Changes]) -> None:
    rules = {name: BOUND.format(name, "severity: info, min: 0.7") for name in "ABCD"}
    found = changed(rules["A"] + rules["B"] + rules["C"], rules["D"] + rules["B"])
    assert [r.id for r in found.added] == ["D"] and [r.id for r in found.removed] == ["A", "C"] and found.same == 1


def test_defaults_reach_the_rules_that_do_not_say_otherwise(changed: Callable[..., Changes]) -> None:
    rules = BOUND.format("A", "severity: info, min: 0.7") + BOUND.format("B", "severity: info, min: 0.7, error: 0.05")
    found = changed(rules, rules, "defaults: {error: 0.01}\n")
    assert [(c.new.id, [(f.field, f.old, f.new) for f in c.fields]) for c in found.changed] == [
        ("A", [("error", "0.05", "0.01")])]


def test_another_kind_and_another_head(changed: Callable[..., Changes]) -> None:
    found = changed(BOUND.format("R", "severity: info, min: 0.7"),
                    "- {id: R, kind: support, title: {en: t}, severity: info, basis: house}\n")
    fields = {f.field: (f.old, f.new) for f in found.changed[0].fields}
    assert fields["kind"] == ("bound", "support") and fields["metric"] == ("accuracy", "not given")
    assert "title" not in fields
    assert [(f.field, f.old, f.new) for f in found.head] == [("name", "old", "new")]


def test_extending_and_overriding_is_resolved_first(house: Write) -> None:
    from govern.policy.packs import load_policy

    base = load_policy("baseline")
    new = house("- {id: BASE-09, override: {max: 0.08}, reason: agreed}\n", "extends: [baseline]\n")
    found = changes(base, new)
    assert [(c.new.id, c.effect) for c in found.changed] == [("BASE-09", "stricter")]
    assert found.same == len(base.rules) - 1 and not found.added and not found.removed
    assert changes(base, base).head == ()
