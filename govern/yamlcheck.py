"""What to tell a user about data that does not fit a pydantic model: one problem, the first by position."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from govern.errors import nearest, printable

if TYPE_CHECKING:
    from pydantic import BaseModel

Place = tuple[str | int, ...]


class ProblemAt(ValueError):
    """What a validator of a whole mapping says about one of its keys, so that the line and column are the key's."""

    def __init__(self, key: str, said: str) -> None:
        super().__init__(said)
        self.key = key


def first_problem(model: type[BaseModel], value: Any, errors: Sequence[Any],
                  where: Callable[[Place], tuple[int, int]]) -> tuple[Place, str, str]:
    """Where in `value` the first of pydantic's `errors` is, what is wrong there, and how to mend it.

    `where` gives line and column of a path in the data.
    """
    problems = [_Problem.of(e, value) for e in errors]
    inner = {p.at[:n] for p in problems for n in range(len(p.at))}
    misspelt = {p.at[:-1] for p in problems if p.kind == "extra_forbidden"}
    # an error inside a value says more than "not this type"; a misspelt key more than the missing one
    kept = [p for p in problems if p.at not in inner
            and not (p.kind == "missing" and p.at[:-1] in misspelt)] or problems
    first = min(kept, key=lambda p: where(p.at))
    what, fix = _say(model, value, first, [p for p in kept if p.at == first.at])
    return first.at, what, fix


@dataclass(frozen=True)
class _Problem:
    """One pydantic error; `at` leads through the data (a missing key too), without pydantic's own marks."""

    at: Place
    kind: str
    expected: str
    message: str
    given: Any

    @staticmethod
    def of(error: Any, value: Any) -> _Problem:
        at: list[str | int] = []
        for step in error["loc"]:
            inside = step in value if isinstance(value, dict) else \
                isinstance(value, list) and isinstance(step, int) and step < len(value)
            if inside:
                at.append(step)
                value = value[step]
        kind, ctx = error["type"], error.get("ctx", {})
        if kind == "missing":
            at.append(error["loc"][-1])
        elif kind in ("union_tag_not_found", "union_tag_invalid"):
            at.append(str(ctx["discriminator"]).strip("'"))
            value = value.get(at[-1])
        found = ctx.get("error") if kind == "value_error" else None
        if isinstance(found, ProblemAt) and isinstance(value, dict) and found.key in value:
            at.append(found.key)
        message = str(found) if found is not None else error["msg"]
        expected = str(ctx.get("expected", ctx.get("expected_tags", "")))
        return _Problem(tuple(at), kind, expected, message, value)


_TYPES = {
    "string_type": "text", "bool_type": "true or false", "bool_parsing": "true or false",
    "int_type": "a whole number", "int_parsing": "a whole number", "int_from_float": "a whole number",
    "float_type": "a number", "float_parsing": "a number", "finite_number": "a finite number",
    "list_type": "a list", "tuple_type": "a list", "dict_type": "a mapping", "model_type": "a mapping",
    "model_attributes_type": "a mapping", "none_required": "null", "date_type": "a date (2026-11-03)",
    "date_parsing": "a date (2026-11-03)", "date_from_datetime_parsing": "a date (2026-11-03)",
    "date_from_datetime_inexact": "a date (2026-11-03)",
}


def _say(model: type[BaseModel], value: Any, first: _Problem, same: list[_Problem]) -> tuple[str, str]:
    """What is wrong and how to mend it, for the problems at one place (a union gives one a member)."""
    key = next((s for s in reversed(first.at) if isinstance(s, str)), "")
    name = f'"{printable(key)}"' if key else "the file"
    if first.kind == "extra_forbidden":
        known = _keys_at(model, value, first.at[:-1])
        return f"unknown key {name}", nearest(key, known) or f"known keys: {', '.join(known)}"
    if first.kind in ("missing", "union_tag_not_found"):
        return f"key {name} is missing", "add it"
    said = next((p.message for p in same if p.kind == "value_error"), None)
    if said is not None:
        what, _, fix = said.partition("; ")
        return f"{name}: {what}", fix or "change the value"
    literals: list[str] = []
    kinds: list[str] = []
    for p in same:
        if p.kind in ("literal_error", "enum", "union_tag_invalid"):
            literals += re.findall(r"'([^']*)'", p.expected) or [p.expected]
        elif p.kind in _TYPES and _TYPES[p.kind] not in kinds:
            kinds.append(_TYPES[p.kind])
    shown = _shown(first.given)
    if literals and not kinds:
        close = nearest(str(first.given), literals)
        return f"{name}: {shown} is not one of {', '.join(literals)}", close or "use one of them"
    if kinds == ["a list"] and isinstance(first.given, str | int | float):
        return f"{name} must be a list, not {shown}", f"write it as [{printable(first.given)}]"
    if kinds or literals:
        return f"{name} must be {' or '.join(kinds + literals)}, not {shown}", "change the value"
    return f"{name}: {first.message[0].lower()}{first.message[1:]}, not {shown}", "change the value"


def _shown(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return f'"{printable(value)}"' if isinstance(value, str) else str(value).lower()


def _keys_at(model: type[BaseModel], value: Any, path: Place) -> list[str]:
    """The keys that the models at `path` know; of a union, those whose fixed values fit the data."""
    found: list[Any] = [model]
    for step in path:
        inner: list[Any] = []
        for kind in found:
            if _is_model(kind):
                inner += [_fields(kind)[str(step)].annotation] if step in _fields(kind) else _other(kind)
            else:
                inner += list(typing.get_args(kind)[-1:])
        value = value[step]
        found = [k for k in _members(inner) if not _is_model(k) or _fits(k, value)]
    return sorted({name for kind in found if _is_model(kind) for name in _fields(kind)})


def _members(kinds: Sequence[Any]) -> list[Any]:
    """The types behind unions and `Annotated`."""
    found: list[Any] = []
    for kind in kinds:
        origin, args = typing.get_origin(kind), typing.get_args(kind)
        if origin is typing.Annotated:
            found += _members(args[:1])
        elif origin in (typing.Union, types.UnionType):
            found += _members(args)
        else:
            found.append(kind)
    return found


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and hasattr(kind, "model_fields")


def _other(model: Any) -> list[Any]:
    """The type of the values of keys that the model does not name, where it lets them be."""
    if model.model_config.get("extra") != "allow":
        return []
    return list(typing.get_args(typing.get_type_hints(model)["__pydantic_extra__"])[-1:])


def _fits(model: Any, value: Any) -> bool:
    """Whether no key with fixed values, such as `kind`, tells this member of a union from the data."""
    fixed = {n: typing.get_args(f.annotation) for n, f in _fields(model).items()
             if typing.get_origin(f.annotation) is typing.Literal}
    return not isinstance(value, dict) or all(value[n] in args for n, args in fixed.items() if n in value)


def _fields(model: Any) -> dict[str, Any]:
    return {info.alias or name: info for name, info in model.model_fields.items()}
