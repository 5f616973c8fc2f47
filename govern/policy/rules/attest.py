"""Statements that people must sign before the model goes on: listed as "to sign", bound to the digests at promotion.

How it is computed: nothing is. The rule lists its roles, each of which signs once, and the statement they sign; the
outcome is n/a, and the verdict carries the entry under `to_sign`.

How to read it: a verdict of PASS with something to sign is not yet a release. With `distinct` no two of the roles may
be the same person.

Strengths: independence of review is asked for as a rule, in the same file as the numbers.

Limits: whether the people who sign are independent of each other, or competent, is theirs to say and no machine's.

Source: a default of this tool; the four-eyes principle of model risk management.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from govern.policy.asking import Answer, Documents, Question, always
from govern.policy.fields import Rule, RuleFields, Texts, texts
from govern.verdict import ToSign
from govern.yamlcheck import ProblemAt


class AttestFields(RuleFields):
    """Statements that people must sign before the model goes on."""

    kind: Literal["attest"]
    roles: list[str] = Field(min_length=1, description="who signs, once each: [developer, reviewer]")
    distinct: bool = Field(True, description="no two of them are the same person")
    statement: Texts | str | None = Field(None, description="what they say by signing")

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        plain = [role.strip().casefold() for role in self.roles]
        if "" in plain or len(set(plain)) < len(plain):
            raise ProblemAt("roles", "names a role twice or not at all; give each a name of its own")
        return self


def questions(rule: Rule, documents: Documents) -> list[Question]:
    """One question, answered by people."""
    roles = tuple(role.strip() for role in rule.fields.roles)
    entry = ToSign(rule.id, documents.policy, texts(rule.fields.title), roles, rule.fields.distinct,
                   texts(rule.fields.statement), rule.fields.basis, rule.fields.cite)
    people = ", ".join(role.replace("_", " ") for role in roles)
    return [Question(always(Answer("n/a", f"to be signed by {people}", applies=False, to_sign=entry)))]
