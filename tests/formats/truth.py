"""What a card may say: the numbers of the documents in the ways a card writes them, and the numbers on a page.

Independent of `govern/formats` but for the rules of rounding (`numbers.py`): here are only fractions of counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import unescape
from math import isfinite
from typing import Any

from govern.codec import document
from govern.evidence import Evidence
from govern.formats.numbers import amount, count, decimal, percent

NUMBER = re.compile(r"(?<![A-Za-z0-9_.,])[−-]?\d[\d,]*(?:\.\d+)?(?:e[−-]?\d+)?")
HIDDEN = re.compile(r"<(style|script)\b.*?</\1>", re.DOTALL)
# The ticks of the axes: of the picture, not of the documents.
PICTURE = re.compile(r"<text\b.*?</text>", re.DOTALL)
CELLS = ("tp", "fp", "fn", "tn")
# Sums and shares of the confusion counts that a card shows.
SUMS = (("tp", "fp"), ("fn", "tn"), ("tp", "fn"), ("fp", "tn"), CELLS)
PERCENT_DIGITS, DIGITS = range(4), range(7)


def shown(page: str) -> list[str]:
    """The text nodes of a page, titles of pictures among them, without what is not shown."""
    page = PICTURE.sub("", HIDDEN.sub("", page))
    return [text for node in re.split(r"<[^>]*>", page) if (text := " ".join(unescape(node).split()))]


def numbers(text: str) -> list[str]:
    """The numbers in a text, without separators of thousands: `-0.12`, `1475`."""
    return [plain(found) for found in NUMBER.findall(text)]


def plain(number: str) -> str:
    """A number as written, without separators and with a plain minus."""
    return number.rstrip(",").replace(",", "").replace("−", "-")


def forms(value: float) -> Iterator[str]:
    """The ways a card may write a number of a document."""
    if not isfinite(value):
        return
    yield f"{value:.4g}"
    for digits in DIGITS:
        yield plain(decimal(value, digits))
    for digits in (3, 4, 5, 6):
        yield plain(amount(value, "", digits))
    yield plain(count(value))
    if abs(value) <= 10:  # a share, or a ratio or difference of shares
        for digits in PERCENT_DIGITS:
            yield plain(percent(value, digits)).removesuffix("%")
            yield plain(decimal(100 * value, digits))
        yield f"{100 * value:.10g}"


def leaves(node: Any) -> Iterator[float | str]:
    """Every number and text of a document, keys among them."""
    if isinstance(node, bool) or node is None:
        return
    if isinstance(node, int | float | str):
        yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield key
            yield from leaves(value)
    else:
        for value in node:
            yield from leaves(value)


def derived(node: Any) -> Iterator[float]:
    """Plain arithmetic on the counts of a document: rates of confusion counts, lengths of lists, rows left out."""
    if isinstance(node, dict):
        if all(isinstance(node.get(c), int | float) for c in CELLS):
            yield from _rates(node)
        elif all(isinstance(node.get(c), list) for c in CELLS):
            for i in range(len(node["tp"])):
                yield from _rates({c: node[c][i] for c in CELLS} | {"selected": None})
        if {"numerator", "denominator"} <= set(node) and node["denominator"]:
            yield (node["numerator"] or 0) / node["denominator"]
        if {"numerator", "n"} <= set(node) and node["n"] and node["numerator"] is not None:
            yield node["numerator"] / node["n"]
            if node.get("reference_n") and node.get("reference_numerator") is not None:
                yield node["reference_numerator"] / node["reference_n"]
        if {"read", "used"} <= set(node):
            yield node["read"] - node["used"]
        for value in node.values():
            yield from derived(value)
    elif isinstance(node, list):
        yield len(node)
        for value in node:
            yield from derived(value)


def _rates(counts: dict[str, Any]) -> Iterator[float]:
    every = sum(counts[c] for c in CELLS)
    yield from (sum(counts[c] for c in cells) for cells in SUMS)
    for part in (("tp",), ("tn",), ("tp", "fp"), ("fn", "tn"), ("tp", "fn"), ("tp", "tn")):
        yield sum(counts[c] for c in part) / every if every else 0.0
    for top, bottom in (("tp", ("tp", "fn")), ("fp", ("fp", "tn")), ("tp", ("tp", "fp"))):
        if total := sum(counts[c] for c in bottom):
            yield counts[top] / total
    if counts.get("selected") is not None and every:
        yield counts["selected"] / every


@dataclass(frozen=True)
class Known:
    """The numbers that a text may hold."""

    written: frozenset[str]

    def unknown(self, text: str) -> list[str]:
        """The numbers of a text that none of the sources gives."""
        return [n for n in numbers(text) if n not in self.written]


def known(*sources: Any, texts: Iterable[str] = (), extra: Iterable[float] = ()) -> Known:
    """The numbers of documents (dataclasses or plain values), with their arithmetic, those in `texts`, and `extra`."""
    found: set[str] = set()
    for source in sources:
        node = json.loads(document(source))
        for leaf in (*leaves(node), *derived(node)):
            found |= set(numbers(leaf)) | pieces(leaf) if isinstance(leaf, str) else set(forms(leaf))
    for text in texts:
        found |= set(numbers(text))
    for value in extra:
        found |= set(forms(value))
    return Known(frozenset(found | {n.removeprefix("-") for n in found}))


def pieces(text: str) -> set[str]:
    """Parts of a text that a card prints apart: digests in fours, days and times."""
    parts = set(numbers(text.replace("T", " ").replace("Z", " ")))
    if re.fullmatch("[0-9a-f]{64}", text):
        parts |= set(numbers(f"{text[:4]} {text[4:8]} {text[:16]} {text}"))
    return parts


def remainders(evidence: Evidence) -> list[float]:
    """What the parts of gaps that are not drawn, and the features of single rows that are not listed, come to."""
    found, more = [], evidence.explanation
    if more is not None:
        for gap in more.gaps:
            ranked = sorted((p.value for p in gap.parts), key=abs, reverse=True)
            found += [sum(ranked[shown:]) + (gap.others.value if gap.others else 0.0) for shown in (3, 4)]
            found += [len(ranked) - shown + gap.others_n for shown in (3, 4)]
        for one in more.locals:
            found.append(one.rest + sum(p.contribution for p in one.parts[4:]))
    return found


def shares(evidence: Evidence) -> list[float]:
    """The share of the rows that each group is."""
    return [g.n / evidence.population.used for g in evidence.groups if evidence.population.used]


def known_rows(evidence: Evidence) -> list[float]:
    """The rows of each feature whose value is known, and those whose value is not."""
    return [float(sum(g.n for g in groups if g.missing == missing)) for groups in evidence.feature_groups.values()
            for missing in (False, True)]


def shortfalls(evidence: Evidence) -> list[float]:
    """Persons a group lacks at the rate of the largest of its feature."""
    counts = {(c.group, c.label): c for c in evidence.counts}
    found = []
    for groups in evidence.feature_groups.values():
        largest = max((g for g in groups if not g.missing and g.n), key=lambda g: g.n, default=None)
        for g in groups:
            for label in {label for _, label in counts}:
                a, b = counts.get((g.id, label)), counts.get((largest.id, label)) if largest else None
                if a is not None and b is not None and largest is not None:
                    found.append(float(round(g.n * b.selected / largest.n - a.selected)))
    return found
