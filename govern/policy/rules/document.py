"""Words that only people can supply: fields of the card that must be filled, placeholder words refused.

How it is computed: each field is looked up in `card` of `govern.yaml` (`a.b` is the field b inside a). Empty values
and placeholders count as missing: TODO, TBD, “[More Information Needed]”, 未定 always; N/A, None, なし and their like
unless a reason follows. Where `values` lists the words that may stand in a field, any other counts as missing too, so
that a slip cannot set aside the rules that wait for them.

How to read it: the finding names the fields that are missing. A pass says that something is written there, not that
it is right: people must read it.

Strengths: a form that was never filled in is not taken for documentation.

Limits: it cannot tell a careful answer from an empty phrase.

Source: the placeholders of the Hugging Face model card template and of common forms; which fields, the policy's own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from govern.errors import printable
from govern.policy.asking import Answer, Documents, Item, Question
from govern.policy.fields import Each, Rule, RuleFields
from govern.policy.words import filled, in_card, inside
from govern.yamlcheck import ProblemAt


class DocumentFields(RuleFields):
    """Words that only people can supply: fields of the card that must be filled, placeholder words refused."""

    kind: Literal["document"]
    fields: list[str] = Field(min_length=1, description="fields of the card; a.b is the field b inside a")
    values: dict[str, list[str]] = Field(
        default_factory=dict, description="of fields that other rules ask for by `when`: the words that may stand there"
    )
    each: Each | None = Field(
        None,
        description="repeats the rule: {rule: ID} for every group that failed it, whose fields stand in the item of "
        "`in` that names the group under `key`; {card: NAME} for every item of a list of the card",
    )
    in_: str | None = Field(None, alias="in", description="the list of the card that speaks of groups: card.NAME")
    key: str | None = Field(None, description="the field of its items that names the group")

    @field_validator("in_")
    @classmethod
    def _names_a_list(cls, value: str | None) -> str | None:
        if value is not None and not in_card(value):
            raise ValueError(f'"{printable(value)}" names no list of the card; write card.NAME')
        return value

    @model_validator(mode="after")
    def _values_of_fields(self) -> Self:
        for name, words in self.values.items():
            if name not in self.fields:
                raise ProblemAt("values", f'"{printable(name)}" is not among the fields; add it there')
            if not words:
                raise ProblemAt("values", f"{name} may hold nothing; list the words that may stand there")
        return self

    @model_validator(mode="after")
    def _groups_are_looked_up(self) -> Self:
        over_groups = self.each is not None and self.each.rule is not None
        if over_groups != (self.in_ is not None) or over_groups != (self.key is not None):
            raise ProblemAt("in" if self.in_ is not None else "key" if self.key is not None else "each",
                            "in and key say where the card speaks of a group; write both with each: {rule: ID}, "
                            "and only then")
        return self


def questions(rule: Rule, documents: Documents) -> list[Question]:
    """One question over all fields, of the card or of what the rule is repeated over."""
    return [Question(partial(_judge, rule, documents))]


def _judge(rule: Rule, documents: Documents, _family: int) -> Answer:
    fields, item = rule.fields, documents.item
    where: Any = documents.evidence.card
    if item is not None:
        where = item.value if fields.in_ is None else _about(item, where, fields.in_, fields.key)
    if where is None and item is not None:
        reason = f"no item of {fields.in_} names {item.feature}: {item.name} under {fields.key}"
        return Answer("fail", reason, missing=tuple(fields.fields))
    missing = tuple(f for f in fields.fields if not filled(inside(where, f)))
    other = [f for f in fields.fields if f not in missing and not _allowed(inside(where, f), fields.values.get(f))]
    if not missing and not other:
        return Answer("pass")
    said = [f"{len(missing)} of {len(fields.fields)} fields are not filled"] if missing else []
    said += [f'{f} is "{printable(inside(where, f))}", not one of {", ".join(fields.values[f])}' for f in other]
    return Answer("fail", "; ".join(said), missing=missing)


def _allowed(value: Any, words: list[str] | None) -> bool:
    return words is None or (isinstance(value, str | int | float) and str(value).strip() in words)


def _about(group: Item, card: Mapping[str, Any], place: str, key: str) -> Mapping[str, Any] | None:
    """The items of a card list that name a group as one mapping, the first to fill a field wins; None without any.

    A group is named as the report names it, with its feature before it or without; spaces, capitals, dashes and the
    signs between its parts do not matter.
    """
    names = {_plain(group.name), _plain(group.feature + group.name)}
    listed = inside(card, place.removeprefix("card."))
    found: dict[str, Any] = {}
    named = False
    for item in listed if isinstance(listed, list | tuple) else ():
        said = item.get(key) if isinstance(item, Mapping) else None
        if any(_plain(s) in names for s in (said if isinstance(said, list | tuple) else [said]) if s is not None):
            named = True
            found = {**item, **{k: v for k, v in found.items() if filled(v)}}
    return found if named else None


def _plain(name: Any) -> str:
    """A name in one form of Unicode, without capitals, spaces and what stands between its parts."""
    return re.sub(r"[‐‑‒–—−]", "-", re.sub(r"[\s·,:;]", "", unicodedata.normalize("NFKC", str(name)).casefold()))
