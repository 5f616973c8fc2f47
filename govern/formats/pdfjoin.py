"""The objects of the second half of a PDF among those of the first: pages, tags, bookmarks and places to open it at.

Both halves are PDFs of their own, as WeasyPrint draws them, with fonts and pictures of their own. The second is handed
over as bytes under numbers that follow those of the first.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from govern.formats.pdfobjects import Pack, packed, scopes

REFERENCE = re.compile(rb"(\d+) 0 R")
REFERENCE_TO = b"%d 0 R"
PAGES = 1  # pydyf's number of the list of pages
SECOND = "2-"
NOT_HANDED = (0, PAGES, 2)  # what every PDF of pydyf begins with: nothing, the list of pages, the catalogue


@dataclass(frozen=True)
class Place:
    """Where the second half goes: the number of its first object, the first key of its tags, and the objects of the
    first half that hold what is in both."""

    first: int
    key: int
    document: int
    outlines: int
    last: int


@dataclass(frozen=True)
class Second:
    """What the first half must hold of the second: references to its pages, tags and first and last bookmark, with the
    number of bookmarks; the owners of tags by key, and places by name, as bytes."""

    pages: tuple[bytes, ...]
    tags: tuple[bytes, ...]
    owners: tuple[tuple[int, bytes], ...]
    places: dict[str, bytes]
    bookmarks: tuple[bytes, bytes, int]


class Tree:
    """The objects of a drawn PDF that name the others."""

    def __init__(self, pdf: Any) -> None:
        self.pdf = pdf
        self.root = self._at(pdf.catalog["StructTreeRoot"])
        self.owners = self._at(self.root["ParentTree"])
        self.document = self._at(self.root["K"][0])
        self.outlines = self._at(pdf.catalog["Outlines"])

    def _at(self, reference: bytes) -> Any:
        return self.pdf.objects[number_of(reference)]

    @property
    def places(self) -> dict[str, Any]:
        """Names of places, each with where it is."""
        names = self.pdf.catalog["Names"]["Dests"]["Names"]
        return {name.string: place for name, place in zip(names[::2], names[1::2], strict=True)}

    @property
    def naming(self) -> list[Any]:
        """The objects that name what a further half has, which `take_in` changes."""
        last = self._at(self.outlines["Last"])
        return [self.pdf.pages, self.pdf.catalog, self.document, self.owners, self.outlines, last]

    @property
    def end(self) -> Place:
        """Where another half goes."""
        return Place(len(self.pdf.objects), len(self.owners["Nums"]) // 2, self.document.number, self.outlines.number,
                     number_of(self.outlines["Last"]))


def number_of(reference: bytes) -> int:
    """The number of the object that a reference leads to."""
    found = REFERENCE.fullmatch(reference)
    if found is None:
        raise ValueError(f"no reference: {reference!r}")
    return int(found[1])


class HandOver:
    """The second half on its way: what the first half must hold of it, whose places are its `own`, at once, for the
    first half waits for it; and then its objects."""

    def __init__(self, pdf: Any, place: Place, own: Collection[str]) -> None:
        tree = Tree(pdf)
        left = {*NOT_HANDED, tree.root.number, tree.owners.number, tree.document.number, tree.outlines.number,
                number_of(pdf.catalog["Metadata"])}
        self.pdf, self.place = pdf, place
        self.kept = [old for old in pdf.objects if old.number not in left]
        numbers = {PAGES: PAGES, tree.document.number: place.document, tree.outlines.number: place.outlines}
        numbers |= {old.number: place.first + i for i, old in enumerate(self.kept)}
        self.move = move = _Moving(numbers)
        self.opening = pdf.objects[number_of(tree.outlines["First"])]
        owners = tree.owners["Nums"]
        self.second = Second(
            tuple(map(move, pdf.page_references)), tuple(map(move, tree.document["K"])),
            tuple((key + place.key, _bytes(move(owner))) for key, owner in zip(owners[::2], owners[1::2], strict=True)),
            {name: move(at).data for name, at in tree.places.items() if name in own},
            (move(tree.outlines["First"]), move(tree.outlines["Last"]), tree.outlines["Count"]))

    def objects(self) -> Pack:
        """The objects; the PDF is used up."""
        scopes(self.pdf)
        for old in self.kept:
            _apart(old, self.place.key)
            self.move(old)
            old.number = self.move.numbers[old.number]
        self.opening["Prev"] = REFERENCE_TO % self.place.last
        self.pdf.objects.clear()
        return packed(self.kept, {})


def take_in(pdf: Any, second: Second) -> None:
    """Adds to what the first half holds what it must hold of the second."""
    import pydyf

    tree = Tree(pdf)
    places = tree.places | second.places
    pdf.catalog["Names"]["Dests"]["Names"] = pydyf.Array(
        part for name in sorted(places) for part in (pydyf.String(name), places[name]))
    for page in second.pages:
        pdf.pages["Kids"].extend([number_of(page), 0, "R"])
    pdf.pages["Count"] += len(second.pages)
    tree.document["K"].extend(second.tags)
    tree.owners["Nums"].extend(part for pair in second.owners for part in pair)
    first, last, count = second.bookmarks
    pdf.objects[number_of(tree.outlines["Last"])]["Next"] = first
    tree.outlines["Last"] = last
    tree.outlines["Count"] += count


def _apart(old: Any, key: int) -> None:
    """Makes what names an object within a PDF without its number another than in the first half."""
    import pydyf

    if not isinstance(old, dict):
        return
    for name in ("StructParents", "StructParent"):
        if name in old:
            old[name] += key
    if "ID" in old:
        old["ID"] = pydyf.String(SECOND + old["ID"].string)
    if old.get("S") in ("/TD", "/TH") and "Headers" in old["A"]:
        old["A"]["Headers"] = pydyf.Array(pydyf.String(SECOND + head.string) for head in old["A"]["Headers"])


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else bytes(value.data)


class _Moving:
    """References with the numbers that objects have in the first half; what holds some is changed in its place, once,
    for several objects may hold the same."""

    def __init__(self, numbers: Mapping[int, int]) -> None:
        self.numbers = numbers
        self.seen: set[int] = set()

    def __call__(self, value: Any) -> Any:
        if isinstance(value, bytes):
            found = REFERENCE.fullmatch(value)
            return REFERENCE_TO % self.numbers[int(found[1])] if found else value
        held = value.extra if hasattr(value, "extra") else value
        if id(held) not in self.seen and isinstance(held, dict | list):
            self.seen.add(id(held))
            for at, part in held.items() if isinstance(held, dict) else enumerate(held):
                held[at] = self(part)
        return value
