"""Writes `govern/schemas/` from the code: the JSON Schemas (draft 2020-12) of the documents that govern writes and of
the files that it reads.

    python tools/make_schemas.py

tests/test_schemas.py fails while a file differs from what this would write. Documents are frozen dataclasses: a field
with a default may be left out, no other field is allowed, and descriptions are their docstrings.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from govern.evidence import COMPUTE_SCHEMA, EVIDENCE_SCHEMA, Compute, Evidence
from govern.inputs.schema import config_schema
from govern.lock import LOCK_SCHEMA, Lock
from govern.policy.schema import json_schema
from govern.policy.testing import TEST_SCHEMA, CaseFile
from govern.verdict import VERDICT_SCHEMA, Verdict

FOLDER = Path(__file__).parent.parent / "govern" / "schemas"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
SCALARS: dict[Any, dict[str, Any]] = {
    str: {"type": "string"}, int: {"type": "integer"}, float: {"type": "number"}, bool: {"type": "boolean"},
    type(None): {"type": "null"}, Any: {},
}


def schemas() -> dict[str, dict[str, Any]]:
    """Every schema by the name of what it describes."""
    tests = CaseFile.model_json_schema(by_alias=True)
    return {
        "evidence": of_document(Evidence, EVIDENCE_SCHEMA),
        "compute": of_document(Compute, COMPUTE_SCHEMA),
        "verdict": of_document(Verdict, VERDICT_SCHEMA),
        "config": config_schema(),
        "policy": json_schema(),
        "lock": of_document(Lock, LOCK_SCHEMA),
        "policy-test": {"$schema": DRAFT, "$id": TEST_SCHEMA, **tests, "title": TEST_SCHEMA},
    }


def of_document(cls: Any, name: str) -> dict[str, Any]:
    """The schema of a document, which says `name` under `schema`."""
    parts: dict[str, Any] = {}
    found = _object(cls, parts)
    found["properties"]["schema"] = {"const": name}
    return {"$schema": DRAFT, "$id": name, "title": name, **found, "$defs": dict(sorted(parts.items()))}


def _object(cls: Any, parts: dict[str, Any]) -> dict[str, Any]:
    hints, fields = typing.get_type_hints(cls), dataclasses.fields(cls)
    missing = dataclasses.MISSING
    return {
        "description": " ".join(inspect.getdoc(cls).split()),  # type: ignore[union-attr]
        "type": "object",
        "properties": {field.name: _of(hints[field.name], parts) for field in fields},
        "required": [f.name for f in fields if f.default is missing and f.default_factory is missing],
        "additionalProperties": False,
    }


def _of(kind: Any, parts: dict[str, Any]) -> dict[str, Any]:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        name = kind.__name__  # type: ignore[union-attr]
        if name not in parts:
            parts[name] = {}
            parts[name] = _object(kind, parts)
        return {"$ref": f"#/$defs/{name}"}
    if kind in SCALARS:
        return dict(SCALARS[kind])
    if origin is typing.Literal:
        return {"enum": list(args)}
    if origin is tuple:
        return {"type": "array", "items": _of(args[0], parts)}
    if origin in (types.UnionType, typing.Union):
        return _either([_of(one, parts) for one in args])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _of(args[1], parts)}
    raise TypeError(f"no schema for {kind}")


def _either(options: list[dict[str, Any]]) -> dict[str, Any]:
    """One of several; plain types are told in one list."""
    if all(list(option) == ["type"] and isinstance(option["type"], str) for option in options):
        named = list(dict.fromkeys(option["type"] for option in options))
        return {"type": [n for n in named if not (n == "integer" and "number" in named)]}
    return {"anyOf": options}


def text(schema: Mapping[str, Any]) -> str:
    """The schema as its file holds it."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, schema in schemas().items():
        (FOLDER / f"{name}.schema.json").write_text(text(schema), encoding="utf-8")
