"""What a trace may contain: every name, construction, state and value held against the allow-list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from govern.errors import printable
from govern.inputs.scan.allowlist import AllowList, Trust, remedy
from govern.inputs.scan.arrays import dtype_of, is_wrapper
from govern.inputs.scan.machine import Trace
from govern.inputs.scan.nodes import Array, Blob, Global, Made, Mapping, Members, Refused

MAX_REFUSALS = 200
PLAIN = frozenset((int, float, str, bytes, bool, type(None), Blob))


@dataclass(frozen=True)
class Refusal:
    """One reason a file is refused: `trust` is the exact text for `--trust`, None where trust cannot help."""

    name: str
    why: str
    trust: str | None = None


def judge(trace: Trace, root: Any, allow: AllowList, trust: Trust) -> tuple[list[Refusal], set[str]]:
    """All reasons to refuse (at most 200, one a name, first found first) and the trust texts in use."""
    found: dict[str, Refusal] = {}
    used: set[str] = set()
    trusted: set[str] = set()
    unknown: set[str] = set()
    for item in trace.names.values():
        text = trust.of(item.module, item.qualname)
        if "." in item.qualname or item.name not in allow.known:
            if text is not None:
                used.add(text)
                trusted.add(item.name)
                continue
            unknown.add(item.name)
            found.setdefault(item.name, Refusal(printable(item.name, 200), *remedy(item.module, item.qualname, allow)))
    judgement = _Judgement(allow, trusted, unknown)
    for name, why in judgement.problems(trace, root):
        if len(found) >= MAX_REFUSALS:
            break
        found.setdefault(name, Refusal(printable(name, 200), why))
    return list(found.values())[:MAX_REFUSALS], used


class _Judgement:
    def __init__(self, allow: AllowList, trusted: set[str], unknown: set[str]) -> None:
        self.allow, self.trusted, self.unknown = allow, trusted, unknown
        self.seen: dict[str, set[int]] = {}
        self.free = allow.values | trusted | unknown

    def problems(self, trace: Trace, root: Any) -> Iterator[tuple[str, str]]:
        for made in trace.made:
            yield from self._made(made)
        yield from self._inside(root)

    def _made(self, made: Made) -> Iterator[tuple[str, str]]:
        allow, name = self.allow, made.maker.name
        if name in self.unknown:
            return
        if name in self.trusted:
            yield from self._inside(made.args)
            yield from self._inside(made.state)
            yield from self._inside(made.items)
            return
        if type(made.args) is not tuple:
            yield name, "is called without a tuple of arguments"
        elif made.how == "new":
            if name not in allow.new or (made.args and name not in allow.new_args):
                yield name, "is made in a way that no model needs"
            yield from self._inside(made.args)
        elif name not in allow.call:
            yield name, "is called, which no model needs"
        else:
            check = CHECKS.get(name)
            if check is not None and not check(made):
                yield name, "is called with arguments that no model needs"
            yield from self._inside(made.args, self.free | allow.call[name], by=name)
        if made.items is not None and name not in allow.items:
            yield name, "is given items, which it does not hold"
        yield from self._inside(made.items)
        if made.built and not is_wrapper(made):
            yield from self._state(made, name)

    def _state(self, made: Made, name: str) -> Iterator[tuple[str, str]]:
        if made.state is None:
            return
        if not isinstance(made.state, Mapping):
            if name not in self.allow.states:
                yield name, "is given a state that it does not have"
            also = self.allow.call.get(name, frozenset())
            yield from self._inside(made.state, self.free | also, by=name)
            return
        for key, value in made.state.pairs():
            if type(key) is not str:
                yield name, "is given an attribute whose name is no text"
                continue
            here = f"{name}.{key}"
            if type(value) in PLAIN:
                continue
            if isinstance(value, Global):
                held = self.allow.references.get(key, frozenset()) | self.allow.constants
                if value.name in self.unknown or value.name in self.trusted or value.name in held:
                    continue
                yield here, f"holds {printable(value.name, 120)}, which would stand in for code of the model"
            elif isinstance(value, Made) and isinstance(value.maker, Global):
                callable_ = value.maker.name in self.allow.callable
                if callable_ and key not in self.allow.instances:
                    yield here, f"holds {printable(value.maker.name, 120)}, which would stand in for code of the model"
            else:
                yield from self._inside(value)

    def _inside(self, value: Any, free: frozenset[str] | None = None, by: str = "") -> Iterator[tuple[str, str]]:
        """Names inside containers that may not stand there; `Made` objects are judged on their own."""
        free = self.free if free is None else free
        seen = self.seen.setdefault(by, set())
        waiting = [value]
        while waiting:
            one = waiting.pop()
            if type(one) in PLAIN:
                continue
            if isinstance(one, Global):
                if one.name not in free:
                    where = f"given to {by}" if by else "held as a value"
                    yield one.name, f"stands where no model has it, {where}"
                continue
            if isinstance(one, Made) or id(one) in seen:
                continue
            seen.add(id(one))
            if type(one) in (list, tuple):
                waiting.extend(x for x in one if type(x) not in PLAIN)
            elif isinstance(one, Mapping | Members):
                waiting.extend(x for x in one.items if type(x) not in PLAIN)
            elif isinstance(one, Array):
                waiting.append(one.content)


def _is_bytes(value: Any) -> bool:
    return isinstance(value, bytes | Blob) or (isinstance(value, Made) and value.maker.name == "_codecs.encode")


def _dtype(made: Made) -> bool:
    try:
        dtype_of(made)
    except Refused:
        return False
    return True


def _encode(made: Made) -> bool:
    return len(made.args) == 2 and isinstance(made.args[0], str | Blob) and made.args[1] == "latin1"


def _bytearray(made: Made) -> bool:
    args = made.args
    return args == () or (len(args) == 1 and _is_bytes(args[0])) or (
        len(args) == 2 and isinstance(args[0], str | Blob) and args[1] == "latin-1"
    )


def _numbers(made: Made) -> bool:
    return all(isinstance(a, int | float | type(None)) for a in made.args)


def _slice(made: Made) -> bool:
    return all(isinstance(a, int | str | type(None)) for a in made.args)


def _members(made: Made) -> bool:
    return len(made.args) == 1 and type(made.args[0]) is list


def _partial(made: Made) -> bool:
    """HistGradientBoosting's own partial(check_array, …): the state repeats the function."""
    state = made.state
    return (
        len(made.args) == 1 and isinstance(made.args[0], Global)
        and type(state) is tuple and len(state) == 4 and state[0] is made.args[0] and state[1] == ()
        and isinstance(state[2], Mapping) and state[3] is None
    )  # fmt: skip


def _getattr(made: Made) -> bool:
    """HistGradientBoosting's own bound method, left behind by early stopping."""
    return len(made.args) == 2 and isinstance(made.args[0], Made) and made.args[1] == "_raw_predict"


def _reconstruct(made: Made) -> bool:
    return len(made.args) == 3 and made.args[1] == (0,) and _is_bytes(made.args[2])


# Checks of the arguments of reconstructors that could do more than restore a model.
CHECKS: dict[str, Callable[[Made], bool]] = {
    "_codecs.encode": _encode,
    "builtins.bytearray": _bytearray,
    "builtins.bytes": lambda made: made.args == (),
    "builtins.complex": _numbers,
    "builtins.frozenset": _members,
    "builtins.getattr": _getattr,
    "builtins.range": _numbers,
    "builtins.set": _members,
    "builtins.slice": _slice,
    "functools.partial": _partial,
    "numpy._core.multiarray._reconstruct": _reconstruct,
    "numpy.core.multiarray._reconstruct": _reconstruct,
    "numpy.dtype": _dtype,
}
