"""Reading and writing documents: canonical JSON, digests, and files that appear whole or not at all.

Format: UTF-8, keys sorted, one space of indentation a level, shortest round-trip floats, a final
newline; an object or list that holds only scalars (and one level of lists of scalars) stands on one
line. A document's digest is the SHA-256 of its file's bytes. Changing the layout changes every digest:
do it only together with a new schema version.

Round trip: `decode(Evidence, loads(dumps(encode(e)))) == e`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
import tempfile
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from govern.errors import InputError

T = TypeVar("T")
Plain = Any
MAX_DOCUMENT = 512 * 1024 * 1024
MAX_DEPTH = 64
AS_IT_IS = frozenset({str, int, bool, type(None)})
NESTED = (dict, list)


def encode(value: Any) -> Plain:
    """`value` as plain JSON data; dataclass fields equal to their default are left out.

    Raises ValueError for NaN or infinity: a number is finite, or None with a status beside it.
    """
    if type(value) in AS_IT_IS or isinstance(value, str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a document cannot hold NaN or infinity")
        return value + 0.0
    if isinstance(value, int):
        return int(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        found = {}
        for name, default in _fields(type(value)):
            part = getattr(value, name)
            if part != default:
                found[name] = part if type(part) in AS_IT_IS else encode(part)
        return found
    if isinstance(value, Mapping):
        return {str(k): encode(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [encode(v) for v in value]
    raise TypeError(f"cannot write {type(value).__name__} to a document")


@lru_cache
def _fields(cls: type) -> tuple[tuple[str, Any], ...]:
    def default(f: dataclasses.Field[Any]) -> Any:
        if f.default_factory is not dataclasses.MISSING:
            return f.default_factory()
        return f.default

    return tuple((f.name, default(f)) for f in dataclasses.fields(cls))


def dumps(plain: Plain) -> bytes:
    """Canonical bytes of plain JSON data."""
    out: list[str] = []
    _write(plain, "\n", out)
    out.append("\n")
    return "".join(out).encode()


_one_line = json.JSONEncoder(ensure_ascii=False, sort_keys=True, allow_nan=False, separators=(", ", ": ")).encode


def _flat(value: Plain, depth: int = 0) -> bool:
    if isinstance(value, dict):
        return depth < 2 and all(_flat(v, depth + 1) for v in value.values() if isinstance(v, NESTED))
    if isinstance(value, list):
        return depth < 2 and not any(isinstance(v, NESTED) for v in value)
    return True


def _write(value: Plain, newline: str, out: list[str]) -> None:
    if not isinstance(value, NESTED) or not value or (newline != "\n" and _flat(value)):
        out.append(_one_line(value))
        return
    inner = newline + " "
    if isinstance(value, dict):
        out.append("{")
        for i, key in enumerate(sorted(value)):
            out.append(("," if i else "") + inner + _one_line(key) + ": ")
            _write(value[key], inner, out)
        out.append(newline + "}")
        return
    out.append("[")
    for i, item in enumerate(value):
        out.append(("," if i else "") + inner)
        _write(item, inner, out)
    out.append(newline + "]")


def document(value: Any) -> bytes:
    """The file bytes of an Evidence, Compute or Verdict."""
    return dumps(encode(value))


def as_stored(value: T) -> tuple[T, bytes]:
    """An Evidence, Compute or Verdict as a reader of its file will find it, and the file's bytes.

    What is judged or shown is taken from here, so that a card made now and one made from the stored documents
    are the same to the byte.
    """
    data = document(value)
    return decode(type(value), json.loads(data)), data


def digest(data: bytes) -> str:
    """SHA-256 in hex, as `sha256sum` shows it."""
    return hashlib.sha256(data).hexdigest()


def decode(cls: type[T], plain: Plain) -> T:
    """The dataclass `cls` from plain JSON data. Raises ValueError naming the field that does not fit."""
    kind: Any = cls
    return typing.cast(T, _decoder(kind)(plain))


@lru_cache
def _decoder(kind: Any) -> Callable[[Plain], Any]:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        parts = {f.name: _decoder(hints[f.name]) for f in dataclasses.fields(kind)}
        plainly = {name: leaf for name in parts if (leaf := _leaf(hints[name])) is not None}
        return lambda plain: _decode_object(kind, parts, plainly, plain)
    if origin is tuple:
        inner = _decoder(args[0])
        return lambda plain: tuple([inner(v) for v in _expect(list, plain)])
    if origin in (types.UnionType, typing.Union):
        inner = _decoder(next(a for a in args if a is not type(None)))
        scalars = [a for a in args if a is not type(None)]
        if len(scalars) == 1:
            return lambda plain: None if plain is None else inner(plain)
        return lambda plain: plain
    if origin is typing.Literal:
        def literal(plain: Plain) -> Any:
            if plain not in args:
                raise ValueError(f"{plain!r} is not one of {', '.join(map(str, args))}")
            return plain
        return literal
    if kind is float:
        def number(plain: Plain) -> float:
            if type(plain) is float:
                return plain
            if isinstance(plain, bool) or not isinstance(plain, int | float):
                raise ValueError(f"{plain!r} is not a number")
            return float(plain)
        return number
    if kind in (int, str, bool):
        return lambda plain: plain if type(plain) is kind else _expect(kind, plain)
    if origin is not None:
        return lambda plain: dict(_shallow(_expect(dict, plain)))
    return lambda plain: plain


def _expect(kind: type, plain: Plain) -> Any:
    if not isinstance(plain, kind) or (kind is int and isinstance(plain, bool)):
        raise ValueError(f"{str(plain)[:40]!r} is not {kind.__name__}")
    return plain


def _shallow(plain: Plain) -> Plain:
    """A free mapping (settings, the card) that is not nested so deep that readers would run out of stack."""
    level = [plain]
    for _ in range(MAX_DEPTH):
        level = [v for box in level for v in (box.values() if isinstance(box, dict) else box)
                 if isinstance(v, dict | list)]
        if not level:
            return plain
    raise ValueError(f"is nested deeper than {MAX_DEPTH} levels")


def _leaf(kind: Any) -> type | None:
    """The type of plain data that a field of this type takes as it is, without being read; None where it must be."""
    kinds = [a for a in typing.get_args(kind) if a is not type(None)] or [kind]
    return kinds[0] if len(kinds) == 1 and kinds[0] in (str, int, float, bool) else None


def _decode_object(cls: Any, parts: dict[str, Callable[[Plain], Any]], plainly: dict[str, type], plain: Plain) -> Any:
    values = {}
    name = ""
    try:
        for name, value in _expect(dict, plain).items():
            values[name] = value if type(value) is plainly.get(name) else parts[name](value)
    except KeyError:
        if name in parts:
            raise
        raise ValueError(f"unknown field {name!r}") from None
    except ValueError as err:
        raise ValueError(f"{name}: {err}" if name else str(err)) from None
    try:
        return cls(**values)
    except TypeError as err:
        raise ValueError(str(err).split(".__init__() ")[-1]) from None


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not a number a document may hold")


def load(path: Path, cls: type[T], schema: str, limit: int = MAX_DOCUMENT) -> tuple[T, str]:
    """A document and its digest from a file of at most `limit` bytes. Raises InputError when it is not one of this
    schema."""
    data = read_bytes(path, limit)
    try:
        plain = json.loads(data, parse_constant=_no_constant)
    except (ValueError, RecursionError) as err:
        raise InputError(f"is not JSON ({err})", where=str(path), fix=f"give a {schema} document") from None
    found = plain.get("schema") if isinstance(plain, dict) else None
    if found != schema:
        raise InputError(f'has schema "{found}", not "{schema}"', where=str(path),
                         fix=f"give a file written by govern with schema {schema}")
    try:
        return decode(cls, plain), digest(data)
    except ValueError as err:
        raise InputError(f"does not fit {schema}: {err}", where=str(path),
                         fix="it was edited or written by another version of govern") from None


def read_bytes(path: Path, limit: int) -> bytes:
    """The bytes of a file of at most `limit` bytes. Raises InputError with the reason it cannot be read."""
    try:
        if path.is_dir():
            raise InputError("is a folder, not a file", where=str(path), fix="name the file")
        if path.stat().st_size > limit:
            raise InputError(f"is larger than {limit:,} bytes", where=str(path), fix="give a smaller file")
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError("no such file", where=str(path), fix="check the path") from None
    except OSError as err:
        raise InputError(f"cannot be read ({err.strerror})", where=str(path), fix="check its permissions") from None


def write_files(folder: Path, files: Mapping[str, bytes], *, replaces: Sequence[str] = ()) -> None:
    """Write all `files` (name → bytes) into `folder`, each one whole or not at all.

    Of the names in `replaces` those not written now are removed: they would speak of another run.

    Every file is first written beside its place and synced, then all are renamed: a failure before the
    renames leaves the folder as it was. Raises InputError when the folder cannot be written.
    """
    staged: list[tuple[str, Path]] = []
    made: Path | None = None
    try:
        missing = [p for p in (folder, *folder.parents) if not p.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        made = missing[-1] if missing else None
        for name, data in files.items():
            handle, temporary = tempfile.mkstemp(prefix=".govern-tmp-", dir=folder)
            staged.append((temporary, folder / name))
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).chmod(0o666 & ~_umask())
        for temporary, place in staged:
            Path(temporary).replace(place)
        for name in set(replaces) - set(files):
            (folder / name).unlink(missing_ok=True)
    except OSError as err:
        for temporary, _ in staged:
            Path(temporary).unlink(missing_ok=True)
        if made is not None and folder.exists() and not any(folder.iterdir()):
            folder.rmdir()
        raise InputError(f"cannot be written ({err.strerror})", where=str(folder),
                         fix="choose another folder with --out") from None


@lru_cache
def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
