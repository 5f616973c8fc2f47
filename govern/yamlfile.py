"""YAML files read with positions, and data models checked against them with errors that name the place.

What is read is the YAML 1.2 core schema and no more: one document of mappings, lists and plain scalars.
Anchors, aliases, tags, merge keys and duplicate keys are refused, because each of them lets a file say
something else than it shows; `no`, `on` and dates stay text; `010` is ten. Every key and item keeps its
line and column. The parser's events are read directly, so depth is counted before anything recurses.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from govern.codec import digest, read_bytes
from govern.errors import InputError, printable

if TYPE_CHECKING:
    from pydantic import BaseModel

M = TypeVar("M", bound="BaseModel")
Place = tuple[str | int, ...]
MAX_DEPTH = 32
MAX_VALUES = 50_000
MAX_DIGITS = 18

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True)
class YamlDoc:
    """A file's data as dict, list, str, int, float, bool or None; `name` is the file as typed."""

    name: str
    value: Any
    sha256: str
    _places: Mapping[Place, tuple[int, int]] = field(default_factory=dict, repr=False, compare=False)
    _texts: Mapping[Place, str] = field(default_factory=dict, repr=False, compare=False)

    def at(self, path: Sequence[str | int]) -> tuple[int, int]:
        """Line and column, from 1, of the key or list item at `path`, or of its nearest existing parent."""
        where = tuple(path)
        while where and where not in self._places:
            where = where[:-1]
        return self._places.get(where, (1, 1))

    def text(self, path: Sequence[str | int]) -> str:
        """The scalar at `path` as it is written, without quotes. Raises KeyError when there is none."""
        return self._texts[tuple(path)]

    def error(self, path: Sequence[str | int], what: str, fix: str = "",
              rule: str | None = None) -> InputError:
        """The error that says `what` is wrong at `path`, with file, line and column."""
        line, column = self.at(path)
        return InputError(what, fix=fix, where=self.name, line=line, column=column, rule=rule)


def read_yaml(path: Path, *, max_bytes: int = 1_000_000) -> YamlDoc:
    """The data of a YAML file of at most `max_bytes`. Raises InputError."""
    return parse_yaml(read_bytes(path, max_bytes), str(path))


def parse_yaml(data: bytes, name: str) -> YamlDoc:
    """The data of YAML text in UTF-8; an empty text is `{}`. Raises InputError with `name:line:column`."""
    reader = _Reader(name)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        before = data[: err.start]
        place = (before.count(b"\n"), err.start - (before.rfind(b"\n") + 1))
        raise reader.refuse("is not UTF-8 text", "save the file as UTF-8", place) from None
    value = reader.read(text)
    return YamlDoc(name, {} if value is None else value, digest(data), reader.places, reader.texts)


class _Reader:
    """Builds plain data from parser events on a stack of its own; keeps positions and scalars as written."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.places: dict[Place, tuple[int, int]] = {}
        self.texts: dict[Place, str] = {}
        self.values = 0

    def refuse(self, what: str, fix: str, mark: Any = (0, 0)) -> InputError:
        line, column = mark if isinstance(mark, tuple) else (mark.line, mark.column)
        return InputError(what, fix=fix, where=self.name, line=line + 1, column=column + 1)

    def events(self, text: str) -> Iterator[Any]:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import MarkedYAMLError, YAMLError

        try:
            yield from YAML(typ="safe", pure=True).parse(text)
        except MarkedYAMLError as err:
            what = " ".join(p for p in (err.context, err.problem) if p).replace("\n", " ")
            raise self.refuse(f"is not valid YAML: {what}", "mend the line or put the text in quotes",
                              err.problem_mark or err.context_mark or (0, 0)) from None
        except YAMLError as err:
            at = getattr(err, "position", None)
            before = text[: at if isinstance(at, int) else 0]
            raise self.refuse("is not valid YAML: control characters are not allowed", "remove the character",
                              (before.count("\n"), len(before) - before.rfind("\n") - 1)) from None
        except (ValueError, OverflowError, IndexError, AssertionError):
            # the scanner lets malformed escapes and directives through to Python's own conversions
            raise self.refuse("is not valid YAML", "check escapes and the lines that start with %") from None

    def read(self, text: str) -> Any:
        root: list[Any] = []
        stack: list[tuple[dict[str, Any] | list[Any], Place]] = [(root, ())]
        key: list[str | None] = [None]
        documents = 0
        for event in self.events(text):
            kind, mark = type(event).__name__, event.start_mark
            if kind == "DocumentStartEvent":
                documents += 1
                if documents > 1:
                    raise self.refuse("holds a second document", "keep one document to a file", mark)
                if event.tags or (event.version and tuple(event.version) != (1, 2)):
                    raise self.refuse("directives (% lines) are not read", "remove the line")
            elif kind in ("ScalarEvent", "MappingStartEvent", "SequenceStartEvent", "AliasEvent"):
                self.check(event, kind)
                box, path = stack[-1]
                name = key[-1]
                if isinstance(box, dict) and name is None:
                    key[-1] = name = self.key(event, kind, box)
                    self.places[(*path, name)] = (mark.line + 1, mark.column + 1)
                    continue
                value: Any = self.scalar(event) if kind == "ScalarEvent" else {} if kind[0] == "M" else []
                if isinstance(box, dict) and name is not None:
                    here: Place = (*path, name)
                    box[name], key[-1] = value, None
                elif isinstance(box, list):
                    here = (*path, len(box)) if len(stack) > 1 else ()
                    box.append(value)
                    self.places[here] = (mark.line + 1, mark.column + 1)
                if kind == "ScalarEvent":
                    self.texts[here] = event.value
                    continue
                if len(stack) > MAX_DEPTH:
                    raise self.refuse(f"is nested deeper than {MAX_DEPTH} levels", "flatten it", mark)
                stack.append((value, here))
                key.append(None)
            elif kind in ("MappingEndEvent", "SequenceEndEvent"):
                stack.pop()
                key.pop()
        return root[0] if root else None

    def check(self, event: Any, kind: str) -> None:
        """Refuses what makes a file say something else than it shows."""
        mark = event.start_mark
        self.values += 1
        if self.values > MAX_VALUES:
            raise self.refuse(f"holds more than {MAX_VALUES:,} values", "split the file", mark)
        if kind == "AliasEvent":
            raise self.refuse(f'alias "*{printable(event.anchor)}" is not read', "write the value out", mark)
        if event.anchor is not None:
            raise self.refuse(f'anchor "&{printable(event.anchor)}" is not read', "write the value out", mark)
        if event.tag is not None and event.tag != "!":
            raise self.refuse(f'tag "{printable(event.tag)}" is not read', "remove the tag", mark)

    def key(self, event: Any, kind: str, box: dict[str, Any]) -> str:
        mark = event.start_mark
        if kind != "ScalarEvent":
            raise self.refuse("a key must be text, not a list or mapping", "write a plain key", mark)
        text: str = event.value
        shown = printable(text)
        if event.style is None and text == "<<":
            raise self.refuse('merge key "<<" is not read', "write the keys out", mark)
        if not isinstance(self.scalar(event), str):
            raise self.refuse(f'key "{shown}" is not text', f'put it in quotes: "{shown}"', mark)
        if any(unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") for c in text):
            raise self.refuse(f'key "{shown}" holds invisible or control characters', "remove them", mark)
        if text in box:
            raise self.refuse(f'duplicate key "{shown}"', "keep one of the two", mark)
        return text

    def scalar(self, event: Any) -> Any:
        """The value of a plain scalar by the core schema; quoted and block scalars are text."""
        text: str = event.value
        if event.style is not None or event.tag == "!":
            if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in text):
                raise self.refuse(f'"{printable(text)}" holds control characters', "remove them",
                                  event.start_mark)
            return text
        if text in _WORDS:
            return _WORDS[text]
        shown = printable(text, 24)
        if _INT.fullmatch(text):
            if len(text) > MAX_DIGITS + 1:
                raise self.refuse(f"number {shown} has more than {MAX_DIGITS} digits",
                                  "put it in quotes if it is a label", event.start_mark)
            return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
        if _FLOAT.fullmatch(text):
            number = float(text)
            if number not in (float("inf"), float("-inf")):
                return number
        elif not _NOT_FINITE.fullmatch(text):
            return text
        raise self.refuse(f"{shown} is not a finite number", "give a finite number, or put it in quotes",
                          event.start_mark)


def validate(model: type[M], doc: YamlDoc, path: Sequence[str | int] = (), rule: str | None = None) -> M:
    """The data at `path` of `doc` as an instance of the pydantic `model`.

    Raises InputError for the first problem by position: unknown key with the nearest valid one, missing key,
    allowed values, expected type. A validator of the model may say `what; how to mend it` in a ValueError.
    """
    from pydantic import ValidationError

    value = doc.value
    for step in path:
        value = value[step]
    try:
        return model.model_validate(value)
    except ValidationError as err:
        from govern.yamlcheck import first_problem

        errors = err.errors(include_url=False)
    at, what, fix = first_problem(model, value, errors, lambda inner: doc.at((*path, *inner)))
    raise doc.error((*path, *at), what, fix, rule)
