"""The fonts of a card. Inter is in every card whole; of the Japanese one, which has two megabytes, a card holds the
characters that it shows and Inter lacks, whatever its language: names in data are not of the card's language.

A character that no shipped font has is refused: elsewhere it would be a box, or a font of the reader's machine.
fontTools is imported for a card that shows such a character, and for no other.
"""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any

from govern.errors import InputError, printable
from govern.resources import resource

FAMILY = "Govern Sans JP"
FILE = "GovernSansJP.woff2"
WEIGHTS = (400, 600)
SPACES = " \u00a0"  # taken from the font of the letters before them
LINES = frozenset("\n\r\t")
SECOND = "</style>\n<style>"


def with_glyphs(page: str, documents: Mapping[str, Any]) -> str:
    """The page with what it shows and Inter lacks as fonts of its own, in a style block that its policy allows; the
    page as it is where Inter has everything.

    Raises InputError for a character of no font, naming it and where in the `documents`, by name, it stands.
    """
    lacking = frozenset(page) - inter() - LINES
    if not lacking:
        return page
    try:
        css = faces(lacking)
    except LookupError as unknown:
        raise _refused(str(unknown.args[0]), documents) from None
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    page = page.replace("style-src ", f"style-src 'sha256-{digest}' ", 1)
    return page.replace("</style>", f"{SECOND}{css}</style>", 1)


def faces_in(page: str) -> str:
    """The rules that `with_glyphs` put into the page; empty where it put none."""
    return page.partition(SECOND)[2].partition("</style>")[0]


@lru_cache
def inter() -> frozenset[str]:
    """The characters that Inter has."""
    points: set[str] = set()
    for part in resource("templates", "fonts", "Inter.txt").read_text("ascii").split():
        first, _, last = part.partition("-")
        points |= {chr(p) for p in range(int(first, 16), int(last or first, 16) + 1)}
    return frozenset(points)


def japanese() -> frozenset[str]:
    """The characters that the Japanese font has."""
    return frozenset(map(chr, _read(resource("templates", "fonts", FILE).read_bytes()).getBestCmap()))


@lru_cache(maxsize=4)
def faces(characters: frozenset[str]) -> str:
    """The rules of two static faces, regular and semi-bold, with these characters of the Japanese font as data.

    Raises LookupError with the first character that the font lacks.
    """
    from fontTools import subset
    from fontTools.varLib.instancer import instantiateVariableFont

    font = _read(resource("templates", "fonts", FILE).read_bytes())
    has = font.getBestCmap()
    if unknown := sorted(c for c in characters if ord(c) not in has):
        raise LookupError(unknown[0])
    cutter = subset.Subsetter(subset.Options(layout_features=[], hinting=False, name_IDs=["*"],
                                             recalc_timestamp=False))
    cutter.populate(unicodes=[ord(c) for c in (*characters, *SPACES)])
    cutter.subset(font)
    cut = _bytes(font, None)
    rules = []
    for weight in WEIGHTS:
        face = _read(cut)
        if weight == WEIGHTS[0]:  # as the outlines stand: the others are differences from it
            del face["gvar"], face["fvar"]
        else:
            instantiateVariableFont(face, {"wght": weight}, inplace=True)
        data = base64.b64encode(_bytes(face, "woff")).decode()
        rules.append(f'@font-face {{ font-family: "{FAMILY}"; font-weight: {weight}; font-display: block; '
                     f'src: url(data:font/woff;base64,{data}) format("woff") }}')
    return "\n".join(rules)


def _read(data: bytes) -> Any:
    from fontTools.ttLib import TTFont

    font = TTFont(BytesIO(data), lazy=True, recalcTimestamp=False)
    # No name of a glyph is in the file or will be; left to itself, fontTools makes them from all characters.
    font.setGlyphOrder([f"glyph{i:05}" for i in range(font["maxp"].numGlyphs)])
    return font


def _bytes(font: Any, flavor: str | None) -> bytes:
    font.flavor = flavor
    stream = BytesIO()
    font.save(stream)
    return stream.getvalue()


def _refused(character: str, documents: Mapping[str, Any]) -> InputError:
    found = ((name, at, text) for name, document in documents.items() for at, text in texts(document)
             if character in text)
    name, at, text = next(found, ("", "", ""))
    point = f"U+{ord(character):04X} {unicodedata.name(character, 'without name')}"
    what = f'no font of the card has "{character}" ({point})' + (f', in "{printable(text, 40)}"' if text else "")
    return InputError(what, where=f"{name} {at}".strip() or None,
                      fix="write it in Latin, Greek, Cyrillic or Japanese letters")


def texts(node: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """(where, text) of every text in a document, keys of mappings among them: `groups[2].values[0]`."""
    if isinstance(node, str):
        yield at, node
    elif is_dataclass(node):
        for field in fields(node):
            yield from texts(getattr(node, field.name), f"{at}.{field.name}".removeprefix("."))
    elif isinstance(node, Mapping):
        for key, value in node.items():
            yield at, str(key)
            yield from texts(value, f"{at}.{printable(key)}".removeprefix("."))
    elif isinstance(node, Sequence):
        for i, value in enumerate(node):
            yield from texts(value, f"{at}[{i}]")
