"""What a rule kind says about itself: the manual in its module, its fields, its example. Nothing is typed here twice.

The manual is the docstring of the kind's module: first what the kind is for, then paragraphs that each start with
the word of a section. A paragraph that starts with none belongs to the section before it.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from govern.policy.fields import LimitFields, RuleFields
from govern.policy.rules import KINDS
from govern.resources import resource

PURPOSE = "Purpose"
SECTIONS = ("How it is computed", "How to read it", "Strengths", "Limits", "Source")


@dataclass(frozen=True)
class FieldRow:
    """A field of a rule: its name, whether it must be given, its default as it would be written, what it means."""

    name: str
    required: bool
    default: str
    meaning: str


@dataclass(frozen=True)
class Manual:
    """What there is to know about a kind.

    `sections` maps `PURPOSE` and those of `SECTIONS` that its module holds to their text; `fields` are those of its
    own, `shared` those it has in common with others, by whom; `example` is the text of a policy that uses it, empty
    without one.
    """

    kind: str
    sections: Mapping[str, str]
    fields: tuple[FieldRow, ...]
    shared: Mapping[str, tuple[FieldRow, ...]]
    example: str

    @property
    def purpose(self) -> str:
        """What the kind is for, in a sentence or two."""
        return self.sections[PURPOSE]


def manual(kind: str) -> Manual:
    """The manual of a kind. Raises KeyError for a kind that does not exist."""
    model = KINDS[kind].fields
    shared = {"every rule": field_rows(RuleFields, None)}
    if issubclass(model, LimitFields):
        shared = {"rules with a limit": field_rows(LimitFields, RuleFields), **shared}
    parent = LimitFields if issubclass(model, LimitFields) else RuleFields
    module = sys.modules[KINDS[kind].questions.__module__]
    return Manual(kind, sections_of(module.__doc__ or ""), field_rows(model, parent), shared, _example(kind))


def sections_of(docstring: str) -> dict[str, str]:
    """The sections of a module's docstring by name, in its order; each paragraph on one line, paragraphs of one
    section apart by an empty line."""
    found: dict[str, list[str]] = {PURPOSE: []}
    section = PURPOSE
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(docstring)):
        text = " ".join(paragraph.split())
        name, colon, rest = text.partition(":")
        if colon and name in SECTIONS:
            section, text = name, rest.strip()
            text = text[:1].upper() + text[1:]
        found.setdefault(section, []).append(text)
    return {name: "\n\n".join(texts) for name, texts in found.items()}


def field_rows(model: type[BaseModel], parent: type[BaseModel] | None) -> tuple[FieldRow, ...]:
    """The fields that `model` adds to `parent` or describes otherwise, `kind` left out."""
    known = parent.model_fields if parent else {}
    rows = []
    for name, info in model.model_fields.items():
        if name == "kind" or (name in known and known[name].description == info.description):
            continue
        default = None if info.is_required() else info.get_default(call_default_factory=True)
        rows.append(FieldRow(info.alias or name, info.is_required(), _written(default), info.description or ""))
    return tuple(rows)


def _written(default: Any) -> str:
    """A default as it would be written in a policy; nothing for none."""
    if isinstance(default, BaseModel):
        return "{" + ", ".join(f"{k}: {v}" for k, v in default.model_dump().items()) + "}"
    if isinstance(default, bool):
        return str(default).lower()
    return "" if default in (None, [], "") else str(default)


def _example(kind: str) -> str:
    path = resource("policies") / "kinds" / f"{kind}.yaml"
    return path.read_text(encoding="utf-8") if path.is_file() else ""
