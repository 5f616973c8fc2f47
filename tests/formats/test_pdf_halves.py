"""A full card is drawn in two halves by two processes: that it is one document, and what happens when one fails."""

from __future__ import annotations

import io
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import sample

from govern.errors import InputError
from govern.formats import pdfparts, pdfprocess
from govern.formats.edition import Edition
from govern.formats.html import render_html
from govern.formats.pdf import pdf_available, render_pdf

pytestmark = pytest.mark.skipif(pdf_available() is not None, reason=str(pdf_available()))
CREATED = "2026-11-21T09:10:00Z"
FOOT = re.compile(r"credit-approval 3\.2\.0 · evidence.*? \d+ / \d+$")


def card(lang: str = "en", extent: str = "full") -> str:
    e = sample.evidence()
    return render_html(e, sample.verdict(e), sample.compute(), digests=sample.DIGESTS, edition=Edition(lang, extent))


def made(page: str, notes: list[str] | None = None) -> bytes:
    return render_pdf(page, identifier=b"0" * 16, created=CREATED, notes=notes)


@pytest.fixture(scope="module")
def page() -> str:
    return card()


@pytest.fixture(scope="module")
def reader(page: str) -> Any:
    import pypdf

    return pypdf.PdfReader(io.BytesIO(made(page)), strict=True)


def words(reader: Any) -> Counter[str]:
    return Counter(word for p in reader.pages for word in FOOT.sub("", " ".join(p.extract_text().split())).split())


def objects(reader: Any) -> Iterator[tuple[Any, Any]]:
    """Every object with a dictionary or a list, and the reference that leads to it."""
    from pypdf.generic import IndirectObject

    def within(value: Any) -> Iterator[Any]:
        if isinstance(value, IndirectObject):
            yield value
        elif isinstance(value, dict):
            for part in value.values():
                yield from within(part)
        elif isinstance(value, list):
            for part in value:
                yield from within(part)

    waiting, seen = [*within(dict(reader.trailer))], set[tuple[int, int]]()
    while waiting:
        reference = waiting.pop()
        if (reference.idnum, reference.generation) not in seen:
            seen.add((reference.idnum, reference.generation))
            found = reference.get_object()
            yield reference, found
            waiting.extend(within(found))


def test_a_half_is_drawn_in_another_process(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Any] = []
    usual = pdfprocess.Drawer.hear

    def hear(drawer: pdfprocess.Drawer) -> Any:
        said.append(usual(drawer))
        return said[-1]

    monkeypatch.setattr(pdfprocess.Drawer, "hear", hear)
    made(page)
    (pages, places), second, (pack, heard) = said
    assert pages == len(second.pages) > 2 and "annex-data" in places
    assert len(pack.within) > 500 and len(pack.streams) >= pages and heard == []


def test_every_reference_leads_to_an_object(reader: Any) -> None:
    from pypdf.generic import NullObject

    found = [(r.idnum, o) for r, o in objects(reader)]
    assert len(found) > 1000
    assert [number for number, o in found if o is None or isinstance(o, NullObject)] == []
    # Nothing is carried that nothing leads to, but the objects that the format itself needs.
    assert len(found) > 0.98 * (reader.trailer["/Size"] - 3)


def test_pages_are_one_list(reader: Any) -> None:
    root = reader.trailer["/Root"]["/Pages"]
    assert root["/Count"] == len(root["/Kids"]) == len(reader.pages)
    assert all(p["/Parent"] == root for p in reader.pages)


def test_every_tag_has_one_owner(reader: Any) -> None:
    tree = reader.trailer["/Root"]["/StructTreeRoot"]
    numbers = tree["/ParentTree"]["/Nums"]
    keys = [int(key) for key in numbers[::2]]
    assert keys == sorted(set(keys))
    owners = dict(zip(keys, numbers[1::2], strict=True))
    marked = [int(p["/StructParents"]) for p in reader.pages]
    links = [int(o["/StructParent"]) for _, o in objects(reader) if isinstance(o, dict) and "/StructParent" in o]
    assert sorted([*marked, *links]) == keys
    for p in reader.pages:
        for tag in owners[p["/StructParents"]].get_object():
            assert tag.get_object()["/Pg"].get_object() == p
    document = tree["/K"][0].get_object()
    assert document["/S"] == "/Document"
    tags = [k.get_object() for k in document["/K"]]
    assert all(tag["/P"].get_object() == document for tag in tags)
    pages = [next(i for i, p in enumerate(reader.pages) if p == tag["/Pg"].get_object()) for tag in tags]
    assert pages == sorted(pages) and pages[-1] == len(reader.pages) - 1


def test_heads_of_tables_have_names_of_their_own(reader: Any) -> None:
    cells = [o for _, o in objects(reader) if isinstance(o, dict) and o.get("/S") in ("/TH", "/TD")]
    names = [str(o["/ID"]) for o in cells if "/ID" in o]
    assert len(names) == len(set(names)) > 50
    named = {str(head) for o in cells for head in o["/A"].get("/Headers", ())}
    assert len(named) > 50 and named <= set(names)


def test_links_lead_across_the_halves(reader: Any) -> None:
    places = reader.named_destinations
    number = {name: reader.get_destination_page_number(place) for name, place in places.items()}
    first = [str(a.get_object()["/Dest"]) for a in reader.pages[1]["/Annots"]]
    assert "s25" in first and set(first) <= set(number)
    for i, p in enumerate(reader.pages):
        for a in p.get("/Annots", ()):
            if "/Dest" in (link := a.get_object()):
                assert str(link["/Dest"]) in number, (i, link["/Dest"])
    back = [str(a.get_object()["/Dest"]) for p in reader.pages[number["s20"]:] for a in p.get("/Annots", ())]
    assert {"s9", "s10"} <= set(back) and number["s10"] < number["s20"]


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_contents_name_the_page_of_each_section(lang: str) -> None:
    import pypdf

    reader = pypdf.PdfReader(io.BytesIO(made(card(lang))))
    bookmarks = [(b.title, reader.get_destination_page_number(b) + 1)
                 for b in reader.outline if not isinstance(b, list)]
    assert [page for _, page in bookmarks] == sorted(page for _, page in bookmarks)
    lines = [re.sub(r"\s", "", line) for line in reader.pages[1].extract_text().splitlines()]
    for title, page in bookmarks:
        line = next(line for line in lines if line.startswith(re.sub(r"\s", "", title)))
        assert line.endswith(f"{page}") and not line.endswith(f"1{page}"), line


def test_halves_show_what_the_whole_shows(page: str, reader: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import pypdf

    monkeypatch.setattr(pdfparts, "WORTH", 10**9)
    monkeypatch.setattr(pdfprocess, "drawer", None)
    whole = pypdf.PdfReader(io.BytesIO(made(page)))
    numbers = re.compile(r"\d+")
    apart, one = words(reader), words(whole)
    # Pages after the break have other numbers, and a table that it falls on another place for its repeated head.
    differ = {w for w in (apart - one) + (one - apart) if not numbers.fullmatch(w)}
    assert len(whole.pages) <= len(reader.pages) <= len(whole.pages) + 1
    assert sum(one.values()) > 3000 and len(differ) < 20, differ


def test_a_short_card_needs_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdfprocess, "drawer", None)
    assert made("<html lang=en><title>-</title><main><section id=top><h1>-</h1></section><nav id=contents></nav>"
                "<section id=checklist>-</section></main></html>").startswith(b"%PDF")


def test_a_process_that_dies_is_one_line_and_the_next_card_is_drawn(page: str) -> None:
    with pdfprocess.drawer() as one:
        pass
    os.kill(one._process.pid, signal.SIGKILL)
    with pytest.raises(InputError) as refused:
        made(page)
    assert "the process that draws half of the PDF was ended by signal 9" in refused.value.one_line()
    assert pdfprocess._ready == []
    assert made(page).startswith(b"%PDF")


def test_a_process_is_ended_where_drawing_fails(page: str) -> None:
    with pytest.raises(KeyboardInterrupt), pdfprocess.drawer() as one:
        raise KeyboardInterrupt
    assert one._process.returncode == -signal.SIGKILL
    assert not Path(one._folder).exists()
    assert pdfprocess._ready == []


def test_what_fails_in_the_process_fails_here(page: str) -> None:
    with pytest.raises(RuntimeError, match="Traceback"), pdfprocess.drawer() as one:
        one.say("no page")
        one.hear()


def test_a_character_without_a_glyph_is_refused_in_the_second_half_too(page: str) -> None:
    cut = page.index('id="annex-data"')
    with pytest.raises(InputError, match="no glyph"):
        made(page[:cut] + page[cut:].replace("</h2>", "\U00013000</h2>", 1))


def test_what_is_said_of_the_second_half_is_noted(page: str) -> None:
    notes: list[str] = []
    cut = page.index('id="annex-data"')
    made(page[:cut] + page[cut:].replace("</h2>", '<a href="#nowhere">-</a></h2>', 1), notes)
    assert notes == ["No anchor #nowhere for internal URI reference"]
