"""The rules of one policy put to the documents: all questions first, then the answers, those of rules that look at
the outcomes of others last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from govern.errors import printable
from govern.evidence import OVERALL, Evidence
from govern.policy.asking import Answer, Documents, Item, Question, settled
from govern.policy.conditions import Unmet, unmet, unmet_outcome
from govern.policy.effects import BINDING, effect
from govern.policy.fields import Each, Rule, as_list, at_phase
from govern.policy.order import in_order
from govern.policy.rules import KINDS
from govern.policy.schema import Policy
from govern.policy.tasks import row_of
from govern.policy.words import inside
from govern.verdict import Comparison, Phase, RuleOutcome

NOTHING_TO_ASK = "the evidence has nothing that the rule asks about"
# Keys under which an item of a card list says what it is called.
NAMES = ("name", "title", "id", "groupAtRisk")


@dataclass(frozen=True)
class Put:
    """A question with its answer and the size of the family it was decided in. `shown`: a fail of the rule is only
    shown, so that it does not matter to a choice of thresholds."""

    policy: str
    rule: Rule
    question: Question
    answer: Answer
    family: int
    shown: bool = False

    @property
    def metric(self) -> str:
        """The metric, empty for a question about none."""
        return self.question.metric or ""


def answered(policy: Policy, documents: Documents, phase: Phase) -> list[Put]:
    """All questions of a policy with their answers, in the order of its rules.

    A fail is corrected for how many questions bind. A rule that waits for the outcome of another counts as if it were
    asked: whether it is depends on the data, and a correction must not.
    """
    documents = replace(documents, policy=policy.info.name)
    evidence = documents.evidence
    closed = {rule.id: why for rule in policy.rules if (why := _closed(rule, evidence, phase))}
    asked = {rule.id: _questions(rule, documents) for rule in policy.rules if rule.id not in closed}
    binds = {rule.id: at_phase(rule.fields.severity, phase) in BINDING for rule in policy.rules}
    family = max(1, sum(q.uncertain and binds[rule] for rule, questions in asked.items() for q in questions))
    found: dict[str, list[Put]] = {}
    outcomes: dict[str, list[RuleOutcome]] = {}
    for rule in in_order(policy.rules):
        waiting = None if rule.id in closed else unmet_outcome(rule.fields.when or {}, outcomes)
        each = getattr(rule.fields, "each", None)
        if rule.id in closed or waiting is not None:
            questions = [settled("n/a", closed[rule.id] if waiting is None else waiting.why, applies=False)]
        elif each is not None and each.rule is not None:
            questions = _over_groups(rule, documents, each, found)
        else:
            questions = asked[rule.id] or [settled("n/a", NOTHING_TO_ASK)]
        shown = at_phase(rule.fields.severity, phase) == "info"
        found[rule.id] = [Put(policy.info.name, rule, q, q.answer(family), family, shown) for q in questions]
        outcomes[rule.id] = [effect(rule, put.answer, phase)[0] for put in found[rule.id]]
    return [put for rule in policy.rules for put in found[rule.id]]


def set_aside(policy: Policy, evidence: Evidence, phase: Phase) -> Unmet | None:
    """Why no rule of a policy applies by what it and the policies it extends say about themselves, None where one
    does."""
    found = [next((u for _, when in rule.conditions if (u := unmet(when, evidence, phase))), None)
             for rule in policy.rules]
    return next((u for u in found if u and u.silent), found[0]) if all(found) else None


def _closed(rule: Rule, evidence: Evidence, phase: Phase) -> str | None:
    """Why the rule does not apply whatever others come out as, None where it does."""
    for by, when in rule.conditions:
        if why := unmet(when, evidence, phase):
            return f"{by} does not apply: {why.why}"
    why = unmet(rule.fields.when or {}, evidence, phase)
    return why.why if why else None


def _questions(rule: Rule, documents: Documents) -> list[Question]:
    """What a rule asks as far as it can be said before others are answered."""
    each: Each | None = getattr(rule.fields, "each", None)
    if each is None:
        return KINDS[rule.fields.kind].questions(rule, documents)
    if each.card is None:
        return []
    listed = inside(documents.evidence.card, each.card)
    if not isinstance(listed, list | tuple) or not listed:
        return [settled("n/a", f"card.{each.card} {'is no list' if listed else 'is not given'}")]
    return _repeated(rule, documents, [Item(_name(value, i), value=value) for i, value in enumerate(listed)])


def _over_groups(rule: Rule, documents: Documents, each: Each, found: dict[str, list[Put]]) -> list[Question]:
    named = as_list(each.rule or [])
    groups: dict[Item, tuple[str, ...]] = {}
    for put in (put for name in named for put in found[name]):
        for comparison in put.answer.comparisons:
            if comparison.outcome in each.outcome and comparison.group != OVERALL:
                group = documents.evidence.groups_by_id.get(at_risk(put, comparison, documents.evidence))
                item = Item(group.name, group.feature) if group else Item(comparison.group)
                groups.setdefault(item, group.features if group else ())
    if not groups:
        return [settled("n/a", f"no group came out {' or '.join(each.outcome)} under {', '.join(named)}",
                        applies=False)]
    return [replace(q, features=features) for item, features in groups.items()
            for q in _repeated(rule, documents, [item])]


def _repeated(rule: Rule, documents: Documents, items: Sequence[Item]) -> list[Question]:
    return [replace(q, each=item.name) for item in items
            for q in KINDS[rule.fields.kind].questions(rule, replace(documents, item=item))]


def at_risk(put: Put, comparison: Comparison, evidence: Evidence) -> str:
    """The group a comparison is about; of a pair without a fixed reference the one with the worse metric, of metrics
    without a better side the one with the lower."""
    if getattr(put.rule.fields, "against", None) != "any" or comparison.reference is None:
        return comparison.group
    # A difference counts from the higher, a ratio from the lower of the two.
    higher, lower = (comparison.group, comparison.reference) if comparison.compare == "difference" else \
        (comparison.reference, comparison.group)
    return higher if row_of(put.metric, evidence).better == "lower" else lower


def _name(item: object, place: int) -> str:
    """What an item of a card list is called, else its number in the list."""
    said = [item.get(key) for key in NAMES] if isinstance(item, Mapping) else [item]
    return next((printable(v) for v in said if isinstance(v, str) and v.strip()), f"item {place + 1}")
