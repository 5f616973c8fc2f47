"""The inert values a scanned stream is made of: names, objects and containers that do nothing."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """The stream cannot be read on: `name` is the token at fault, the message says why."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(why)
        self.name, self.why = name, why


class Global:
    """A name a stream refers to: `module` and `qualname`, never imported. One object a name."""

    __slots__ = ("module", "qualname")

    def __init__(self, module: str, qualname: str) -> None:
        self.module, self.qualname = module, qualname

    @property
    def name(self) -> str:
        return f"{self.module}.{self.qualname}"


class Made:
    """What NEWOBJ (`how` "new") or REDUCE ("call") would make of `maker` and `args`; nothing is called."""

    __slots__ = ("args", "built", "how", "items", "maker", "state")

    def __init__(self, maker: Any, how: str, args: Any) -> None:
        self.maker, self.how, self.args = maker, how, args
        self.built = False
        self.state: Any = None
        self.items: list[Any] | None = None


class Mapping:
    """A dict as the list of everything ever put into it: keys and values in turn, nothing hashed.

    Hashing is left out on purpose: a key of nested shared tuples takes exponential time to hash.
    """

    __slots__ = ("items",)

    def __init__(self, items: list[Any]) -> None:
        self.items = items

    def pairs(self) -> list[tuple[Any, Any]]:
        """Key and value of every assignment, in order, overwritten ones included."""
        keys, values = self.items[::2], self.items[1::2]
        return list(zip(keys, values, strict=True))


class Members:
    """A set or frozenset as the list of its members, nothing hashed."""

    __slots__ = ("items",)

    def __init__(self, items: list[Any]) -> None:
        self.items = items


class Blob:
    """A byte string or text that was skipped, not read: `kind` "bytes" or "text"."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind


class Array:
    """A NumPy array whose raw bytes followed its joblib wrapper in the stream."""

    __slots__ = ("content",)

    def __init__(self, content: Any = None) -> None:
        self.content = content
