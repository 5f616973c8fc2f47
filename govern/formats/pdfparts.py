"""A card in parts that are laid out apart: the front with the contents, and what follows it in two halves.

The halves are laid out at the same time in two processes (`pdfsecond.py`). The front comes last, for it names the
pages of the rest; and the feet of all pages come after it, for they name the number of pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, SubElement

# The second half opens on a new page, so it opens where the reading for a committee ends, with a further policy of the
# checklist, or after it; and only a card that is worth a process has one.
CHECKLIST = "checklist"
OPENING = (CHECKLIST, "crosswalk")
POLICY = "part"
WORTH = 1500
LETTERS = 24  # that take about as long to lay out and draw as an element does
SMALLER = ("tight", "tighter")


@dataclass(frozen=True)
class Parts:
    """Pages to lay out: without a `second` half the card is short, without a `front` the page is no card."""

    front: Element | None
    first: Element
    second: Element | None


def parts(root: Element) -> Parts:
    """The parts of a page; the same for equal pages."""
    main = root.find("body/main")
    blocks = [] if main is None else list(main)
    contents = next((i for i, block in enumerate(blocks) if block.get("id") == "contents"), None)
    if contents is None or contents + 1 == len(blocks):
        return Parts(None, root, None)
    front, rest = blocks[:contents + 1], [part for block in blocks[contents + 1:] for part in _policies(block)]
    cut = _half(_size(front), rest)
    return Parts(_page(root, front), _page(root, rest[:cut]), _page(root, rest[cut:]) if cut < len(rest) else None)


def _policies(block: Element) -> list[Element]:
    """A section, that of the checklist as one for each policy."""
    if block.get("id") != CHECKLIST:
        return [block]
    found = [Element(block.tag, block.attrib)]
    for child in block:
        if child.get("class") == POLICY and any(other.get("class") == POLICY for other in found[-1]):
            found.append(Element(block.tag, {"class": POLICY}))
        found[-1].append(child)
    return found


def _half(before: float, blocks: Sequence[Element]) -> int:
    """The place among the blocks at which the second half opens so that the larger half is as small as can be, `before`
    being the size of what the first has besides; the end of the blocks where there is to be one half."""
    if before + _size(blocks) < WORTH:
        return len(blocks)
    places = [i for i, block in enumerate(blocks) if i and (block.get("id") in OPENING or block.get("class") == POLICY)]
    return min(places, key=lambda i: max(before + _size(blocks[:i]), _size(blocks[i:])), default=len(blocks))


def _size(blocks: Sequence[Element]) -> float:
    """About how long blocks take, in elements."""
    return sum(1 + len(element.text or "") / LETTERS for block in blocks for element in block.iter())


def _page(root: Element, blocks: Sequence[Element]) -> Element:
    """A page with the head of that of `root` and these blocks."""
    page = Element(root.tag, root.attrib)
    if (head := root.find("head")) is not None:
        page.append(head)
    SubElement(SubElement(page, "body"), "main").extend(blocks)
    return page


def feet(root: Element, pages: int) -> Element:
    """As many empty pages, which have the feet of the page."""
    blocks = [copy(block) for block in root.findall("body/div") if block.get("class") == "running"]
    page = _page(root, ())
    body = page[-1]
    body[:] = [*blocks, *(Element("div", {"class": "foot"}) for _ in range(pages))]
    return page


def stand(pages: Sequence[Any], feet: Sequence[Any]) -> None:
    """Puts under WeasyPrint's pages, which have none, the feet of others of the same size."""
    from weasyprint.formatting_structure.boxes import MarginBox

    for page, foot in zip(pages, feet, strict=True):
        box = page._page_box
        box.children = (*box.children, *(child for child in foot._page_box.children if isinstance(child, MarginBox)))


def anchors(pages: Sequence[Any]) -> dict[str, int]:
    """The names of places that pages can be opened at, with the page that each is on, counted from 0."""
    found: dict[str, int] = {}
    for i, page in enumerate(pages):
        for name in page.anchors:
            found.setdefault(name, i)
    return found


def lead(pages: Sequence[Any], elsewhere: Iterable[str]) -> None:
    """Lets links lead to places that are in the other half: they stand on the first page until the halves are joined,
    for WeasyPrint drops a link to a place that it does not find."""
    own = anchors(pages)
    pages[0].anchors.update({name: (0, 0, 0, 0) for name in elsewhere if name not in own})


def number(front: Element, pages: Mapping[str, int]) -> None:
    """Says in each reference of the front on which page what it names is, `pages` being counted from 0; nothing where
    that is not known."""
    for element in front.iter():
        to = element.get("data-to", "").removeprefix("#")
        if to in pages:
            element.set("data-page", str(pages[to] + 1))
        else:
            element.attrib.pop("data-page", None)


def smaller(front: Element) -> bool:
    """Sets page one in the next smaller type, if there is one."""
    page = front.find("body/main/section")
    now = [] if page is None else page.get("class", "").split()
    left = [look for look in SMALLER if look not in now]
    if page is not None and left:
        page.set("class", " ".join([*now, left[0]]))
    return bool(left)


def referred(front: Element) -> set[str]:
    """The names of the places whose pages the front names."""
    return {to.removeprefix("#") for element in front.iter() if (to := element.get("data-to"))}
