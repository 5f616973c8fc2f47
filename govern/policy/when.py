"""Conditions as policy files write them: a flat mapping, all of whose entries must hold.

`conditions.py` looks whether they do; what can be wrong about them is said here, when the file is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from govern.errors import nearest, printable
from govern.evidence import Task
from govern.inputs.options import KEYED
from govern.metrics import declarable
from govern.verdict import Phase

# Outcomes a condition may ask for: those of rules before any waiver.
OUTCOMES = ("pass", "fail", "insufficient", "not_run", "n/a")
WORDS: dict[str, tuple[str, ...]] = {"task": get_args(Task), "phase": get_args(Phase), "outcome": OUTCOMES}
PLACES = ("settings", "declared", "card")
PLAIN = (*WORDS, "rule")

# Settings the evidence records; `negative` is found out, and libraries have names of their own.
SETTINGS = (*(o.key for o in KEYED if o.key.split(".")[0] in ("model", "data", "seed")), "data.negative", "versions")
DECLARED = ("primary.metric", "primary.min", "primary.max", *declarable())

Scalar = str | int | float | bool


def _key(key: str) -> str:
    place, dot, path = key.partition(".")
    if key in PLAIN:
        return key
    if place not in PLACES:
        known = [*PLAIN, *(f"{p}.…" for p in PLACES)]
        close = nearest(place, [*PLAIN, *PLACES])
        raise ValueError(f"is no condition; {close or 'use one of ' + ', '.join(known)}")
    if not dot or not all(path.split(".")):
        raise ValueError(f"names nothing; write {place}.NAME")
    known_names = {"settings": SETTINGS, "declared": DECLARED}.get(place)
    if known_names is not None and not any(path == k or path.startswith(f"{k}.") or k.startswith(f"{path}.")
                                           for k in known_names):
        known = [f"{place}.{k}" for k in known_names]
        close = nearest(key, known) or f"known: {', '.join(known[:6])} …"
        raise ValueError(f"there is no such {'setting' if place == 'settings' else 'declared limit'}; {close}")
    return key


def _values(value: Any) -> Any:
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(v, Scalar) for v in values):
        raise ValueError("is no value; give a text, number, true, false, or a list of them")
    return value


_ONE = {"type": ["string", "number", "boolean"]}
_SCHEMA = {
    "type": "object",
    "minProperties": 1,
    "properties": {
        **{key: {"anyOf": [{"enum": words}, {"type": "array", "items": {"enum": words}, "minItems": 1}]}
           for key, words in ((k, list(w)) for k, w in WORDS.items())},
        "rule": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]},
    },
    "patternProperties": {
        rf"^({'|'.join(PLACES)})\..+": {"anyOf": [_ONE, {"type": "array", "items": _ONE, "minItems": 1}]}},
    "additionalProperties": False,
    "dependentRequired": {"rule": ["outcome"], "outcome": ["rule"]},
}
When = Annotated[
    dict[Annotated[str, AfterValidator(_key)], Annotated[Any, BeforeValidator(_values)]], WithJsonSchema(_SCHEMA)
]


def problem(when: Mapping[str, Any], *, of_policy: bool = False) -> tuple[str, str, str] | None:
    """The key, what is wrong there and how to mend it, for the first value of a condition that cannot be meant; None
    when all can. `of_policy`: the condition says when a whole policy applies."""
    if not when:
        return "", "is an empty condition", "remove it"
    for key, value in when.items():
        if of_policy and key in ("rule", "outcome"):
            return key, "a policy does not wait for the outcome of a rule", "write it under when of the rules it is for"
        words = WORDS.get(key)
        wrong = next((v for v in as_values(value) if words and v not in words), None)
        if words and wrong is not None:
            return key, f'"{printable(wrong)}" is not one of {", ".join(words)}', \
                nearest(str(wrong), words) or "use one of them"
        if key == "rule" and not all(isinstance(v, str) for v in as_values(value)):
            return key, "a rule id is a text", "put it in quotes"
    missing = {"rule": "outcome", "outcome": "rule"}
    lone = next((k for k in missing if k in when and missing[k] not in when), None)
    if lone:
        return lone, f'key "{missing[lone]}" is missing beside it', "write {rule: ID, outcome: [fail]}"
    return None


def as_values(value: Any) -> list[Any]:
    """One value or several as a list."""
    return value if isinstance(value, list) else [value]
