"""The card as PDF, from the same HTML: its parts are laid out apart, the second half in a process of its own."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

from govern.errors import InputError
from govern.formats import pdfprocess
from govern.formats.html import paper_style
from govern.formats.pdfjoin import Tree, take_in
from govern.formats.pdflayout import (
    FEET,
    VARIANT,
    Page,
    PdfUnavailable,
    fetcher,
    laid_out,
    making,
    moment,
    read,
    weasyprint,
)
from govern.formats.pdfobjects import Compressing, compressing, packed, scopes, written
from govern.formats.pdfparts import anchors, feet, lead, number, parts, referred, smaller, stand

__all__ = ["PdfUnavailable", "pdf_available", "prepare", "render_pdf"]

NOW = "2000-01-01T00:00:00Z"
FRONT_PAGES = 2
TRIES = 6
ONE_ROW = """<html lang="en"><title>-</title><h1>-</h1><table class="t"><thead><tr><th scope="col">-</th></tr></thead>
<tbody><tr><td class="r n strong">-</td></tr></tbody></table><svg width="9" height="9" viewBox="0 0 9 9" role="img">
<title>-</title><path d="M0 0V9" stroke="#5a6672"/><circle cx="4" cy="4" r="3"/><text x="0" y="9">-</text></svg>
</html>"""


def pdf_available() -> str | None:
    """None when a PDF can be made here, else one line with the reason and the command that mends it."""
    try:
        weasyprint()
    except PdfUnavailable as err:
        return err.one_line()
    return None


def prepare() -> None:
    """Does what every card needs, so that none waits for it: reads fonts and style sheet, makes a PDF of one row.

    Changes no byte of a later PDF. Raises PdfUnavailable when Pango is missing.
    """
    with making(NOW):
        laid_out(read(f"<style>{paper_style()}</style>{ONE_ROW}"), "a4").write_pdf(pdf_variant=VARIANT)


def render_pdf(html: str, *, identifier: bytes, created: str, notes: list[str] | None = None, paper: str = "a4",
               attachments: Mapping[str, bytes] | None = None, packing: Compressing | None = None) -> bytes:
    """The PDF of a card's HTML on `paper` (a4 or letter), with the files `attachments` in it by name; equal arguments
    give equal bytes.

    `identifier` is 16 bytes of the evidence's digest, `created` its ISO 8601 time. What WeasyPrint complains of is
    reported in `notes`; `packing` is what `compressing` gives for the attachments, where that was begun before. Nothing
    is fetched: only data URIs are read. Raises PdfUnavailable when Pango is missing, and InputError for a character
    that no font has a glyph of, or when the process that draws the second half ends.
    """
    files = attachments or {}
    packing, data = compressing(files.values()) if packing is None else packing, b""
    with making(created) as heard:
        page = read(html)
        part = parts(page.root)
        with contextlib.nullcontext() if part.second is None else pdfprocess.drawer() as beside:
            behind, places = 0, dict[str, int]()
            if beside:
                beside.say((html, paper, created))
            body = laid_out(page.part(part.first), paper)
            if beside:
                behind, places = beside.hear()
            front = [] if part.front is None else _front(page.part(part.front), body.pages, places, paper)
            pages = [*front, *body.pages]
            total = len(pages) + behind
            if beside:
                beside.say((total, [*anchors(pages)]))
                lead(pages, places)
            rules = FEET.format(first=1, total=total)
            stand(pages, laid_out(page.part(feet(page.root, len(pages))), paper, rules).pages)
            document = body.copy(pages)
            document.metadata.created = document.metadata.modified = created

            def finish(_: Any, pdf: Any) -> None:
                nonlocal data
                pdf.add_object(pdf.info)
                waiting: dict[int, Any] = {}
                if beside:
                    tree = Tree(pdf)
                    beside.say(tree.end)
                    waiting = {one.number: one for one in tree.naming}
                scopes(pdf)
                packs = [packed([one for one in pdf.objects if one.number not in waiting], packing)]
                if beside:
                    take_in(pdf, beside.hear())
                    packs.append(packed([*waiting.values()], packing))
                    pack, lines = beside.hear()
                    packs.append(pack)
                    heard.extend(lines)
                data = written(packs, pdf.catalog.reference, pdf.info.reference, identifier)
                pdf.objects.clear()  # or WeasyPrint would write them too

            document.write_pdf(finisher=finish, pdf_variant=VARIANT, attachments=_attached(files, created))
            _left(document, body, page, part)
    if boxes := [line for line in heard if line.startswith(".notdef")]:
        raise InputError(f"the PDF has no glyph of a character: {boxes[0].rpartition(': ')[2]}",
                         fix="write it in letters that the fonts of the card have")
    if notes is not None:
        notes.extend(dict.fromkeys(heard))
    return data


def _left(*used: Any) -> None:
    """Leaves what was laid out to the garbage collector, which the command line does without: to free it takes a tenth
    of a second."""
    held: list[Any] = [used]
    held.append(held)


def _front(front: Page, body: Sequence[Any], places: Mapping[str, int], paper: str) -> list[Any]:
    """The pages of the front, which name the pages of the rest: those of the `body`, and the `places` behind it by the
    page of the second half that they are on. Page one is in the largest type, not larger than asked, in which it is one
    page."""
    rest = {name: len(body) + page for name, page in places.items()} | anchors(body)
    before, inside = FRONT_PAGES, dict.fromkeys(referred(front.root), 0)
    for _ in range(TRIES):
        number(front.root, inside | {name: before + page for name, page in rest.items()})
        pages = laid_out(front, paper).pages
        found = anchors(pages)
        if found.get("contents", 1) > 1 and smaller(front.root):
            continue
        if len(pages) == before and all(inside[name] == found[name] for name in inside if name in found):
            return list(pages)
        before, inside = len(pages), {**inside, **found}
    number(front.root, {})  # numbers that move what they count are left out
    return list(laid_out(front, paper).pages)


def _attached(files: Mapping[str, bytes], created: str) -> list[Any]:
    """WeasyPrint's attachments, each of which it uses up; their dates would be those of the clock."""
    at = moment(created)
    return [weasyprint().Attachment(file_obj=io.BytesIO(data), name=name, created=at, modified=at,
                                    url_fetcher=fetcher()) for name, data in files.items()]
