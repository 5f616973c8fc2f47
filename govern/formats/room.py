"""How large the type of page one can be, so that the page holds it on A4 and on Letter."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any


@dataclass(frozen=True)
class Type:
    """A size of type: the classes that ask for it, the millimetres of a line, how many more letters a line holds than
    one of the largest type, and the share of the largest type's margins."""

    classes: str
    line: float
    letters: float
    margins: float


TYPES = (Type("", 4.1, 1.0, 1.0), Type(" tight", 3.46, 1.1, 0.86))
TWO_SCRIPTS = 6  # what lines of two scripts add, in all
LABEL = 18 * " "  # as long as what the page says before it
SMALLEST = " tight tighter"
ROOM = 247.0  # of the 252 mm that the lower paper has for text


def look(view: Mapping[str, Any]) -> str:
    """The classes of page one besides its own: those of the largest type in which the page holds it by an estimate."""
    return next((size.classes for size in TYPES if height(view, size) <= ROOM), SMALLEST)


def height(view: Mapping[str, Any], size: Type) -> float:
    """About how many millimetres page one takes, from the number of letters on the narrower paper."""
    head, since, affected, sure = view["head"], view["since"], view["affected"], view["sure"]
    ids = [max(lines(text, 40) for _, text in head["ids"][i:i + 3]) for i in (0, 3)]
    left = [" ".join(map(str, r.values())) for r in affected["rows"]] or [affected["none"]]
    left += [affected["few"] and LABEL + affected["few"], *(" ".join(x) for x in affected["apart"])]
    right = [sure["population"] + sure["rows"] + sure["headline"], sure["decided"] + sure["gaps"], LABEL + sure["lock"]]
    other = " · ".join(" ".join(x) for x in since["lines"]) + since["more"]
    waivers = [w["rule"] + w["line"] + w["state"] for w in view["waivers"]] + [view["more_waivers"]]
    changes = 12 + 6 * len(since["short"]) if since["short"] else 0
    boxes = [max(signed(r, len(row)) for r in row) for row in view["sign"]["rows"]]
    fixed = 58 + changes + 12 * len(boxes) + 4 * bool(view["brand"]["colour"]) + 8 * bool(view["brand"]["logo"])
    return float(TWO_SCRIPTS * (head["lang"] == "ja") + lines(head["purpose"], 100) * 4 + sum(ids) * 4
            + 4.5 * (len(head["states"]) + bool(view["waived"])) + size.margins * fixed + verdict(view["verdict"], size)
            + paragraphs([other] if since["short"] else [], 135, size) + paragraphs(waivers, 135, size)
            + max(paragraphs(left, 62, size), paragraphs(right, 62, size)) + sum(boxes) * 3.3)


def verdict(view: Mapping[str, Any], size: Type) -> float:
    """Millimetres of the block of the verdict: of its counts or of its reasons, whichever takes more."""
    counts = 24 + 5.5 * len(view["counts"]) + 4 * lines(view["unsettled"] + view["valid_until"], 18)
    reasons = size.margins * 18
    for r in view["reasons"]:
        found, room = r["found"], (70 if r["found"].glyph else 100) * size.letters
        reasons += 2.7 * size.margins + lines(found.sentence, room) * size.line
        reasons += lines(f"{found.rule} {found.bound} {found.settle}", room * 1.18) * size.line * 0.8
    return float(max(counts, reasons))


def signed(role: Mapping[str, str], beside: int) -> int:
    """Lines of a sign box above its line, where `beside` boxes stand in a row."""
    return lines(role["role"] + role["says"], 110 / beside) + lines(role["statement"], 130 / beside)


def paragraphs(texts: Iterable[str], room: float, size: Type) -> float:
    """Millimetres of paragraphs, each with its margin; one without text takes none."""
    return sum(lines(text, room * size.letters) * size.line + size.margins for text in texts if text)


def lines(text: str, room: float) -> int:
    """Lines of a text where `room` letters of middle width stand in one; an East Asian one takes a little over two."""
    return ceil(sum(2.2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text) / room)
