"""The grid phase × category: which rules there are, which bind, and which were decided on this evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import get_args

from govern.policy.answering import Put
from govern.policy.effects import BINDING
from govern.policy.fields import Rule, at_phase
from govern.policy.schema import Policy
from govern.verdict import Coverage, Phase

CATEGORIES = ("technology", "process", "culture")
UNTAGGED = "untagged"
PHASES: tuple[Phase, ...] = get_args(Phase)


def coverage(policies: Sequence[Policy], puts: Sequence[Put]) -> tuple[Coverage, ...]:
    """A cell for every phase and category, empty ones included.

    A rule counts once in each phase, under the first of its tags that is a category, so that the cells of a phase add
    up to the rules of all policies; one that two policies extend counts in both. `binding` are those of severity
    block or review at that phase whose own condition does not exclude it. `evidenced` and `open` come from this
    judgement and are the same at every phase: evidenced are rules of which every question that applies passed or
    failed, at least one; all others are open: not applicable, not supplied, not run, not enough data, to be signed.
    """
    answers: dict[tuple[str, str], list[str]] = {}
    for put in puts:
        answers.setdefault((put.policy, put.rule.id), []).append(put.answer.outcome)
    rules = [(policy.info.name, rule) for policy in policies for rule in policy.rules]
    every = Counter(_category(rule) for _, rule in rules)
    evidenced = Counter(_category(rule) for name, rule in rules if _decided(answers.get((name, rule.id), ())))
    cells = []
    for phase in PHASES:
        binding = Counter(_category(rule) for _, rule in rules if _binds(rule, phase))
        cells += [Coverage(phase, c, every[c], binding[c], evidenced[c], every[c] - evidenced[c])
                  for c in (*CATEGORIES, UNTAGGED)]
    return tuple(cells)


def _category(rule: Rule) -> str:
    return next((tag for tag in rule.fields.tags if tag in CATEGORIES), UNTAGGED)


def _binds(rule: Rule, phase: Phase) -> bool:
    asked = (rule.fields.when or {}).get("phase", phase)
    return at_phase(rule.fields.severity, phase) in BINDING and phase in (asked if isinstance(asked, list) else [asked])


def _decided(outcomes: Sequence[str]) -> bool:
    applied = [o for o in outcomes if o != "n/a"]
    return bool(applied) and all(o in ("pass", "fail") for o in applied)
