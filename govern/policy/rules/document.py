"""Words that only people can supply: fields of the card that must be filled, placeholder words refused.

How it is computed: each field is looked up in `card` of `govern.yaml` (`a.b` is the field b inside a). Empty values
and placeholders count as missing: TODO, TBD, “[More Information Needed]”, 未定 always; N/A, None, なし and their like
unless a reason follows.

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
from typing import Any, Literal

from pydantic import Field

from govern.policy.asking import Answer, Documents, Question
from govern.policy.fields import Rule, RuleFields

# Words that stand for "nothing here yet"; a reason after one of the second kind makes it an answer.
NEVER = (
    "todo",
    "tbd",
    "tba",
    "tbc",
    "fixme",
    "xxx",
    "lorem ipsum",
    "more information needed",
    "fill in",
    "to be defined",
    "to be determined",
    "未定",
    "未記入",
    "記入予定",
)
WITHOUT_REASON = (
    "n/a",
    "na",
    "none",
    "null",
    "nil",
    "nothing",
    "not applicable",
    "unknown",
    "なし",
    "無し",
    "該当なし",
    "特になし",
    "不明",
)
_REASON = r"[\W_]*(because|since|reason|due to|理由)?[\W_]*"
_EMPTY = re.compile(rf"[\W_]*({'|'.join(map(re.escape, (*NEVER, *WITHOUT_REASON)))})?{_REASON}")
_STARTS = re.compile(rf"[\W_]*({'|'.join(map(re.escape, NEVER))})(?![a-z])")


class DocumentFields(RuleFields):
    """Words that only people can supply: fields of the card that must be filled, placeholder words refused."""

    kind: Literal["document"]
    fields: list[str] = Field(min_length=1, description="fields of the card; a.b is the field b inside a")


def questions(rule: Rule, documents: Documents) -> list[Question]:
    """One question over all fields."""
    return [Question(partial(_judge, rule, documents))]


def _judge(rule: Rule, documents: Documents, _family: int) -> Answer:
    missing = tuple(f for f in rule.fields.fields if not filled(_at(documents.evidence.card, f)))
    if not missing:
        return Answer("pass")
    return Answer("fail", f"{len(missing)} of {len(rule.fields.fields)} fields are not filled", missing=missing)


def _at(card: Mapping[str, Any], path: str) -> Any:
    value: Any = card
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def filled(value: Any) -> bool:
    """Whether a card field says something: not empty, and not a placeholder without a reason.

    Source: the placeholders of the Hugging Face model card template and of common forms.
    """
    if value is None:
        return False
    if isinstance(value, Mapping):
        return any(filled(v) for v in value.values())
    if isinstance(value, list | tuple):
        return any(filled(v) for v in value)
    if not isinstance(value, str):
        return True
    text = unicodedata.normalize("NFKC", value).casefold().strip()
    return not (_EMPTY.fullmatch(text) or _STARTS.match(text))
