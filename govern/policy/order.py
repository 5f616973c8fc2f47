"""Which rules look at the outcomes of others, and the order in which they can be answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter

from govern.errors import nearest, printable
from govern.policy.fields import Rule, as_list

Path = tuple[str | int, ...]


def references(rule: Rule) -> Iterator[tuple[Path, str]]:
    """The rules whose outcomes this one looks at, by id, each with the key that names it."""
    each = getattr(rule.fields, "each", None)
    named = {"when": (rule.fields.when or {}).get("rule"), "each": each.rule if each else None}
    for key, names in named.items():
        for name in as_list(names) if names is not None else []:
            yield (key, "rule"), name


def check_references(rules: Sequence[Rule]) -> None:
    """Raises InputError for a rule that names one which the policy does not have, and for rules that wait for each
    other."""
    known = {rule.id: rule for rule in rules}
    for rule in rules:
        for place, name in references(rule):
            if name not in known:
                raise rule.error(place, f'no rule "{printable(name)}" in this policy',
                                 nearest(name, list(known)) or f"rules: {', '.join(list(known)[:8])}")
    try:
        in_order(rules)
    except CycleError as err:
        circle = list(reversed(err.args[1]))
        first = known[circle[0]]
        place = next(place for place, name in references(first) if name == circle[1])
        raise first.error(place, f"rules wait for each other in a circle: {' → '.join(circle)}",
                          "remove one of the conditions") from None


def in_order(rules: Sequence[Rule]) -> list[Rule]:
    """The rules, each after those whose outcomes it looks at. Raises CycleError."""
    known = {rule.id: rule for rule in rules}
    graph = {rule.id: [name for _, name in references(rule)] for rule in rules}
    return [known[name] for name in TopologicalSorter(graph).static_order()]
