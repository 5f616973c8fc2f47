"""The sentences of the card, the terminal and pipelines, from one folder a language: `templates/strings/LANG/`.

Every language has the same files with the same keys. `{name}` is filled in by govern. A sentence that counts is a table
of the plural forms that the language declares in `language.toml`, of which `{n}` chooses; Japanese has `other` alone.

What English says elsewhere, the names of metrics (`metrics.py`) and the fixed phrases of documents (reasons, notes),
other languages translate in two files of their own: `metrics.toml` by name, `phrases.toml` by the English text.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from govern.metrics import METRICS
from govern.resources import resource

FIELD = re.compile(r"\{(\w+)\}")
DEEP = 3
RAW = ("name", "names")  # fields of phrases that hold words of the user
BAND = re.compile(r"\S+ or (less|more)")  # as bands of numbers are named, beside `26–35`


class Strings:
    """The sentences of one language; called with a dotted key and the values to fill in."""

    def __init__(self, table: dict[str, Any]) -> None:
        self.table = table
        self.language: Mapping[str, Any] = table["language"]
        self.plural: tuple[str, ...] = tuple(self.language["plural"])
        phrases: dict[str, str] = dict(table.get("phrases", {}))
        phrases |= {METRICS[k].title: v["title"] for k, v in table.get("metrics", {}).items() if k in METRICS}
        self._fixed = {k: v for k, v in phrases.items() if not FIELD.search(k)}
        self._patterns = [(_pattern(k), v) for k, v in phrases.items() if FIELD.search(k)]

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

    def phrase(self, text: str) -> str:
        """A fixed phrase of a document in this language: a reason, a note; the text itself where it is none."""
        return self._phrase(text, DEEP) if self._fixed or self._patterns else text

    def _phrase(self, text: str, deep: int) -> str:
        if text in self._fixed:
            return self._fixed[text]
        head, semicolon, tail = text.partition("; ")
        if semicolon:
            return self.clauses((self._phrase(head, deep), self._phrase(tail, deep)))
        for pattern, translated in self._patterns if deep else ():
            if found := pattern.fullmatch(text):
                return translated.format(**{k: self._raw(v) if k in RAW else self._phrase(v, deep - 1)
                                            for k, v in found.groupdict().items()})
        parts = text.split(", ")
        return self.list(self._fixed[p] for p in parts) if all(p in self._fixed for p in parts) else text

    def _raw(self, text: str) -> str:
        items = text.split(", ")
        return ", ".join(self._phrase(item, 1) if BAND.fullmatch(item) else item for item in items)

    def capital(self, text: str) -> str:
        """The text as a sentence or label begins: with a capital letter where the language does so."""
        return text[:1].upper() + text[1:] if self.language["capital"] else text

    def list(self, items: Iterable[str]) -> str:
        """`a, b, c`; items that are empty are left out."""
        return str(self.language["list"]).join(i for i in items if i)

    def clauses(self, items: Iterable[str]) -> str:
        """`a; b; c`; items that are empty are left out."""
        return str(self.language["clause"]).join(i for i in items if i)

    def text(self, sentences: Iterable[str]) -> str:
        """Sentences one after the other; those that are empty are left out."""
        return str(self.language["space"]).join(s for s in sentences if s)

    def sentence(self, text: str) -> str:
        """The text with the stop of a sentence."""
        return text + str(self.language["stop"])


def _pattern(phrase: str) -> re.Pattern[str]:
    parts = FIELD.split(phrase)
    return re.compile("".join(f"(?P<{p}>.*?)" if i % 2 else re.escape(p) for i, p in enumerate(parts)), re.DOTALL)


@lru_cache
def strings(lang: str = "en") -> Strings:
    """The catalogue of a language. Raises GovernError when none is shipped for it."""
    table: dict[str, Any] = {}
    for file in sorted(resource("templates", "strings", lang).glob("*.toml")):
        table |= tomllib.loads(file.read_text("utf-8"))
    return Strings(table)
