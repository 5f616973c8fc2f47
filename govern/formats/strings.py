"""The sentences of the card, the terminal and pipelines, from one folder a language: `templates/strings/LANG/`.

Every language has the same files with the same keys. `{name}` is filled in by govern. A sentence that counts is a table
of the plural forms that the language declares in `language.toml`, of which `{n}` chooses; Japanese has `other` alone.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from typing import Any

from govern.resources import resource


class Strings:
    """The sentences of one language; called with a dotted key and the values to fill in."""

    def __init__(self, table: dict[str, Any]) -> None:
        self.table = table
        self.plural: tuple[str, ...] = tuple(table["language"]["plural"])

    def __call__(self, key: str, /, **values: object) -> str:
        """The sentence of `key`; a plural one is chosen by `n`, which may be a number or its text.

        Raises KeyError when the catalogue has no such key or a value is not given.
        """
        found = self.get(key)
        if isinstance(found, dict):
            found = found["one" if str(values["n"]) == "1" and "one" in self.plural else "other"]
        return str(found).format(**values) if values else str(found)

    def get(self, key: str) -> Any:
        """The entry of `key` as it stands: text, a plural, a table or a list. Raises KeyError."""
        node: Any = self.table
        for part in key.split("."):
            node = node[part]
        return node

    def has(self, key: str) -> bool:
        """Whether the catalogue has an entry of this key."""
        try:
            self.get(key)
        except (KeyError, TypeError):
            return False
        return True


@lru_cache
def strings(lang: str = "en") -> Strings:
    """The catalogue of a language. Raises GovernError when none is shipped for it."""
    table: dict[str, Any] = {}
    for file in sorted(resource("templates", "strings", lang).glob("*.toml")):
        table |= tomllib.loads(file.read_text("utf-8"))
    return Strings(table)
