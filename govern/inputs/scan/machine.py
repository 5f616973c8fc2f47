"""The standard library's own pickle machine made inert: it reads a stream and calls nothing.

Subclassing the parser that loads such files leaves no second parser to disagree with it. Names become
`Global`, constructions `Made`, and every use is recorded at the moment it happens, so that nothing a
stream does later (POP, memo tricks) can take it back.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from struct import unpack
from typing import Any

from govern.inputs.scan.arrays import array_bytes, is_wrapper
from govern.inputs.scan.nodes import Array, Blob, Global, Made, Mapping, Members, Refused
from govern.inputs.scan.source import Source

PICKLE: Any = pickle  # its pure-Python machine has no public name; joblib builds on the same one
MAX_OPCODES = 20_000_000
MAX_FRAME = 16 * 1024**2
MAX_MEMO = 2**26
KEPT = 64 * 1024

# What CPython's picklers write at protocols 2 to 5 and what has no use in a model file.
REFUSED_OPCODES = {
    pickle.PERSID: "PERSID", pickle.BINPERSID: "BINPERSID", pickle.INST: "INST", pickle.OBJ: "OBJ",
    pickle.EXT1: "EXT1", pickle.EXT2: "EXT2", pickle.EXT4: "EXT4", pickle.LONG4: "LONG4",
    pickle.NEXT_BUFFER: "NEXT_BUFFER", pickle.READONLY_BUFFER: "READONLY_BUFFER", pickle.INT: "INT",
    pickle.LONG: "LONG", pickle.FLOAT: "FLOAT", pickle.STRING: "STRING", pickle.UNICODE: "UNICODE",
    pickle.BINSTRING: "BINSTRING", pickle.SHORT_BINSTRING: "SHORT_BINSTRING", pickle.GET: "GET",
    pickle.PROTO: "PROTO", pickle.PUT: "PUT", pickle.LIST: "LIST", pickle.DICT: "DICT", pickle.DUP: "DUP",
}  # fmt: skip


@dataclass
class Trace:
    """Everything a stream refers to and would do, in order."""

    names: dict[tuple[str, str], Global] = field(default_factory=dict)
    made: list[Made] = field(default_factory=list)


class Machine(PICKLE._Unpickler):  # type: ignore[misc]
    """Reads one pickle from a source into `trace`; `arrays` says whether joblib's raw arrays may follow."""

    def __init__(self, source: Source, trace: Trace, arrays: bool) -> None:
        super().__init__(source)
        self._source, self._trace, self._arrays = source, trace, arrays

    def load(self) -> Any:
        """The inert root object. Raises Refused, or whatever the standard parser raises on broken input."""
        self.read, self.readline = self._source.read, self._source.readline
        self.metastack: list[list[Any]] = []
        self.stack: list[Any] = []
        self.append = self.stack.append
        read, steps = self.read, STEPS
        try:
            if read(1) != pickle.PROTO:
                raise Refused("PROTO", "the pickle header is missing; save the model with protocol 2 to 5")
            _proto(self)
            for _ in range(MAX_OPCODES):
                steps[read(1)[0]](self)
        except PICKLE._Stop as stop:
            if self._source.framed():
                raise Refused("trailing bytes", "bytes follow the end of the pickle") from None
            self._source.unframe()
            return stop.value
        raise Refused("size", f"more than {MAX_OPCODES:,} pickle operations")

    def find_class(self, module: str, name: str) -> Global:
        """The inert name, under the spelling by which the loader would import it."""
        if self.proto < 3 and self.fix_imports:
            compat = PICKLE._compat_pickle
            if (module, name) in compat.NAME_MAPPING:
                module, name = compat.NAME_MAPPING[(module, name)]
            elif module in compat.IMPORT_MAPPING:
                module = compat.IMPORT_MAPPING[module]
        return self._trace.names.setdefault((module, name), Global(module, name))

    def _make(self, maker: Any, how: str, args: Any) -> None:
        if not isinstance(maker, Global):
            raise Refused("REDUCE" if how == "call" else "NEWOBJ", "calls something that is not a name")
        made = Made(maker, how, args)
        self._trace.made.append(made)
        self.append(made)

    def _passed(self, size: int, kind: str) -> None:
        if size <= KEPT or self._source.framed():
            data = self.read(size)
            self.append(str(data, "utf-8", "surrogatepass") if kind == "text" else data)
        else:
            self._source.skip(size)
            self.append(Blob(kind))


def _refuse(name: str) -> Callable[[Machine], None]:
    def step(machine: Machine) -> None:
        raise Refused(name, "a pickle operation that no model file needs")

    return step


def _proto(m: Machine) -> None:
    m.proto = m.read(1)[0]
    if not 2 <= m.proto <= 5:
        raise Refused("PROTO", f"pickle protocol {m.proto}; save the model with protocol 2 to 5")


def _frame(m: Machine) -> None:
    (size,) = unpack("<Q", m.read(8))
    if size > MAX_FRAME:
        raise Refused("FRAME", "a frame longer than any pickler writes")
    m._source.frame(size)


def _text(code: str, width: int, kind: str) -> Callable[[Machine], None]:
    def step(m: Machine) -> None:
        m._passed(unpack(code, m.read(width))[0], kind)

    return step


def _reduce(m: Machine) -> None:
    args = m.stack.pop()
    m._make(m.stack.pop(), "call", args)


def _newobj(m: Machine) -> None:
    args = m.stack.pop()
    m._make(m.stack.pop(), "new", args)


def _newobj_ex(m: Machine) -> None:
    keywords, args = m.stack.pop(), m.stack.pop()
    if not isinstance(keywords, Mapping) or keywords.items:
        raise Refused("NEWOBJ_EX", "makes an object with keyword arguments")
    m._make(m.stack.pop(), "new", args)


def _build(m: Machine) -> None:
    state = m.stack.pop()
    made = m.stack[-1]
    if not isinstance(made, Made):
        name = made.name if isinstance(made, Global) else "BUILD"
        raise Refused(name, "sets attributes on something that the file did not make")
    if made.built:
        raise Refused("BUILD", "sets the state of one object twice")
    made.built, made.state = True, state
    if not is_wrapper(made):
        return
    if not m._arrays:
        raise Refused("joblib.numpy_pickle.NumpyArrayWrapper", "a joblib array where none can be")
    size, padded = array_bytes(made)
    m._source.unframe()
    content = None
    if size is None:
        content = Machine(m._source, m._trace, arrays=False).load()
    else:
        m._source.skip(m._source.read(1)[0] if padded else 0)
        m._source.skip(size)
    m.stack[-1] = Array(content)


def _dict(m: Machine) -> None:
    m.append(Mapping([]))


def _set(m: Machine) -> None:
    m.append(Members([]))


def _frozenset(m: Machine) -> None:
    items = m.pop_mark()
    m.append(Members(items))


def _put_into(target: Any, items: list[Any], kind: Any, what: str) -> None:
    if isinstance(target, kind):
        (target if kind is list else target.items).extend(items)
    elif isinstance(target, Made) and what != "ADDITEMS":
        target.items = target.items or []
        target.items.extend(items)
    else:
        raise Refused(what, "adds to something that holds no items")


def _one(m: Machine) -> None:
    value = m.stack.pop()
    _put_into(m.stack[-1], [value], list, "APPEND")


def _many(m: Machine) -> None:
    items = m.pop_mark()
    _put_into(m.stack[-1], items, list, "APPENDS")


def _setitem(m: Machine) -> None:
    value, key = m.stack.pop(), m.stack.pop()
    _put_into(m.stack[-1], [key, value], Mapping, "SETITEM")


def _setitems(m: Machine) -> None:
    items = m.pop_mark()
    if len(items) % 2:
        raise Refused("SETITEMS", "a key without a value")
    _put_into(m.stack[-1], items, Mapping, "SETITEMS")


def _additems(m: Machine) -> None:
    items = m.pop_mark()
    _put_into(m.stack[-1], items, Members, "ADDITEMS")


def _long_binput(m: Machine) -> None:
    (index,) = unpack("<I", m.read(4))
    if index > MAX_MEMO:
        raise Refused("LONG_BINPUT", "a memo place that no pickler uses")
    m.memo[index] = m.stack[-1]


STEPS: dict[int, Callable[[Machine], None]] = {
    **Machine.dispatch,
    **{code[0]: _refuse(name) for code, name in REFUSED_OPCODES.items()},
    pickle.FRAME[0]: _frame,
    pickle.BINUNICODE[0]: _text("<I", 4, "text"),
    pickle.BINUNICODE8[0]: _text("<Q", 8, "text"),
    pickle.BINBYTES[0]: _text("<I", 4, "bytes"),
    pickle.BINBYTES8[0]: _text("<Q", 8, "bytes"),
    pickle.BYTEARRAY8[0]: _text("<Q", 8, "bytes"),
    pickle.REDUCE[0]: _reduce,
    pickle.NEWOBJ[0]: _newobj,
    pickle.NEWOBJ_EX[0]: _newobj_ex,
    pickle.BUILD[0]: _build,
    pickle.EMPTY_DICT[0]: _dict,
    pickle.EMPTY_SET[0]: _set,
    pickle.FROZENSET[0]: _frozenset,
    pickle.APPEND[0]: _one,
    pickle.APPENDS[0]: _many,
    pickle.SETITEM[0]: _setitem,
    pickle.SETITEMS[0]: _setitems,
    pickle.ADDITEMS[0]: _additems,
    pickle.LONG_BINPUT[0]: _long_binput,
}  # fmt: skip
