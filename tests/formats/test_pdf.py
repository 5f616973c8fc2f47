from __future__ import annotations

import hashlib
import html
import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import sample

from govern.formats.html import render_html
from govern.formats.pdf import PdfUnavailable, pdf_available, render_pdf

pytestmark = pytest.mark.skipif(pdf_available() is not None, reason=str(pdf_available()))
IDENTIFIER = bytes.fromhex(sample.SHA["evidence"][:32])
CREATED = "2026-11-21T09:10:00Z"
FILES = {"evidence.json": b'{"schema": "govern.evidence/1"}\n', "verdict.json": b'{"schema": "govern.verdict/1"}\n'}

MAKE = f"""
import hashlib, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import sample
from govern.formats.html import render_html
from govern.formats.pdf import render_pdf
e = sample.evidence()
page = render_html(e, sample.verdict(e), sample.compute(), digests=sample.DIGESTS)
made = render_pdf(page, identifier={IDENTIFIER!r}, created={CREATED!r}, attachments={FILES!r})
print(hashlib.sha256(made).hexdigest())
"""


@pytest.fixture(scope="module")
def made() -> tuple[bytes, list[str]]:
    e = sample.evidence()
    notes: list[str] = []
    page = render_html(e, sample.verdict(e), sample.compute(), digests=sample.DIGESTS)
    return render_pdf(page, identifier=IDENTIFIER, created=CREATED, notes=notes, attachments=FILES), notes


@pytest.fixture(scope="module")
def reader(made: tuple[bytes, list[str]]) -> Any:
    import pypdf

    return pypdf.PdfReader(io.BytesIO(made[0]))


@pytest.fixture(scope="module")
def pages(made: tuple[bytes, list[str]]) -> list[str]:
    pypdf = pytest.importorskip("pypdf")
    return [" ".join(p.extract_text().split()) for p in pypdf.PdfReader(io.BytesIO(made[0])).pages]


def test_page_one_holds_what_a_decision_needs(pages: list[str]) -> None:
    first = pages[0]
    for text in ("credit-approval", "BLOCK", "Why", "at least 0.92", "Who is affected", "How sure", "Exceptions",
                 "To be signed", "Not covered"):
        assert text in first
    assert pages[1].startswith("CONTENTS")


def test_every_page_has_digests_and_its_number(pages: list[str]) -> None:
    assert 8 <= len(pages) <= 16
    for i, text in enumerate(pages, 1):
        assert "evidence 41ab 09e2 · verdict 7c11 f0d3" in text
        assert f"{i} / {len(pages)}" in text


def test_no_page_is_nearly_empty(pages: list[str]) -> None:
    assert min(len(p) for p in pages[:-1]) > 400


def test_title_language_dates_and_fonts(made: tuple[bytes, list[str]]) -> None:
    pypdf = pytest.importorskip("pypdf")
    reader = pypdf.PdfReader(io.BytesIO(made[0]))
    assert reader.metadata.title == "credit-approval 3.2.0 · BLOCK"
    assert reader.metadata.get("/CreationDate") == "D:20261121091000Z"
    root = reader.trailer["/Root"]
    assert root["/Lang"] == "en"
    assert "/StructTreeRoot" in root
    fonts = {str(f.get_object()["/BaseFont"]) for p in reader.pages for f in p["/Resources"]["/Font"].values()}
    assert fonts and all("Inter" in f for f in fonts)


def test_every_font_is_the_one_that_is_shipped_and_is_embedded(reader: Any) -> None:
    """By name and by file: a font of this machine would hide one that is missing elsewhere."""
    for page in reader.pages:
        for font in (f.get_object() for f in page["/Resources"]["/Font"].values()):
            kind = font["/DescendantFonts"][0].get_object()
            descriptor = kind["/FontDescriptor"].get_object()
            assert re.fullmatch(r"/[A-Z]{6}\+Inter[A-Za-z-]*", str(font["/BaseFont"]))
            assert {"/FontFile2", "/FontFile3"} & set(descriptor)


def test_the_documents_are_attached_as_they_are_with_their_moment(reader: Any, made: tuple[bytes, list[str]]) -> None:
    assert {name: found[0] for name, found in reader.attachments.items()} == FILES
    names = reader.trailer["/Root"]["/Names"]["/EmbeddedFiles"]["/Names"]
    for spec in (x.get_object() for x in names[1::2]):
        stored = spec["/EF"]["/F"].get_object()
        assert stored["/Params"]["/CreationDate"] == stored["/Params"]["/ModDate"] == "D:20261121091000Z"
        assert stored["/Subtype"] == "/application/json"


def test_without_documents_nothing_is_attached() -> None:
    import pypdf

    made = render_pdf('<html lang="en"><title>t</title><p>x</p></html>', identifier=IDENTIFIER, created=CREATED)
    assert not pypdf.PdfReader(io.BytesIO(made)).attachments


def test_bookmarks_lead_to_every_section(reader: Any, pages: list[str]) -> None:
    found = {item.title: reader.get_destination_page_number(item) for item in _flat(reader.outline)}
    e = sample.evidence()
    titles = re.findall(r'<h2[^>]* data-name="([^"]+)"',
                        render_html(e, sample.verdict(e), sample.compute(), digests=sample.DIGESTS))
    assert len(titles) > 20
    for title in map(html.unescape, titles):
        assert title in pages[found[title]]


def _flat(items: list[Any]) -> list[Any]:
    return [x for item in items for x in (_flat(item) if isinstance(item, list) else [item])]


def _tags(reader: Any) -> list[Any]:
    """Every element of the structure tree."""
    waiting, found = [reader.trailer["/Root"]["/StructTreeRoot"]], []
    while waiting:
        tag = waiting.pop().get_object()
        found.append(tag)
        kids = tag.get("/K", [])
        waiting += [k for k in (kids if isinstance(kids, list) else [kids]) if not isinstance(k, int)
                    and "/S" in k.get_object()]
    return found


def test_tags_say_what_each_head_is_the_head_of_and_what_pictures_show(reader: Any) -> None:
    tags = _tags(reader)
    heads = [t for t in tags if t.get("/S") == "/TH"]
    groups = {"/THead": "/Column", "/TBody": "/Row"}
    assert {str(t["/P"]["/P"]["/S"]) for t in heads} == set(groups)
    for head in heads:
        assert head["/A"]["/Scope"] == groups[head["/P"]["/P"]["/S"]]
    pictures = [t for t in tags if t.get("/S") == "/Figure"]
    assert len(pictures) > 20
    assert all(str(t["/Alt"]).strip() for t in pictures)


def test_heads_of_tables_are_repeated_on_every_page_of_it() -> None:
    import pypdf

    from govern.formats.cells import Part, Table, heads
    from govern.formats.html import _environment, paper_style
    from govern.formats.strings import strings

    rows = tuple((f"row {i}", "1") for i in range(150))
    part = Part("Long", "", (Table(heads(("first head", "second head")), rows),))
    template = "{% from 'tables.html.j2' import part with context %}{{ part(p) }}"
    body = _environment().from_string(template).render(p=part, t=strings())
    page = f'<html lang="en"><head><title>t</title><style>{paper_style()}</style></head><body>{body}</body></html>'
    made = pypdf.PdfReader(io.BytesIO(render_pdf(page, identifier=IDENTIFIER, created=CREATED)))
    texts = [" ".join(p.extract_text().split()) for p in made.pages]
    assert len(texts) > 2
    assert all("first head second head" in text for text in texts)
    assert sum(text.count("row ") for text in texts) == 150


def test_a_checker_of_accessible_pdf_finds_nothing(made: tuple[bytes, list[str]], tmp_path: Path) -> None:
    """The part of PDF/UA-1 that a program can check without a person; no claim of conformance follows from it."""
    import pdfua

    (tmp_path / "card.pdf").write_bytes(made[0])
    report = pdfua.validate(tmp_path / "card.pdf")
    assert [(f.rule_id, f.message) for f in report.findings] == []


@pytest.mark.parametrize(("paper", "size"), [("a4", (595, 842)), ("letter", (612, 792))])
def test_paper(paper: str, size: tuple[int, int]) -> None:
    import pypdf

    e = sample.evidence()
    page = render_html(e, sample.verdict(e), sample.compute(), digests=sample.DIGESTS)
    made = pypdf.PdfReader(io.BytesIO(render_pdf(page, identifier=IDENTIFIER, created=CREATED, paper=paper)))
    assert {(round(p.mediabox.width), round(p.mediabox.height)) for p in made.pages} == {size}
    first, second = (" ".join(p.extract_text().split()) for p in made.pages[:2])
    assert "Not covered" in first and "To be signed" in first
    assert "2 Identity" not in first and "2 Identity" in second


def test_nothing_was_heard(made: tuple[bytes, list[str]]) -> None:
    assert made[1] == []


def test_two_processes_give_the_same_bytes(made: tuple[bytes, list[str]]) -> None:
    done = subprocess.run([sys.executable, "-c", MAKE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == hashlib.sha256(made[0]).hexdigest()


def test_preparing_ahead_changes_no_byte_and_leaves_no_folder(made: tuple[bytes, list[str]], tmp_path: Path) -> None:
    code = MAKE.replace("import hashlib, sys", "import hashlib, sys; import govern.formats.pdf as p; p.prepare()")
    # As the command line ends: nothing is collected any more.
    code += "import gc; gc.freeze()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={**os.environ, "TMPDIR": str(tmp_path)})
    assert done.stdout.strip() == hashlib.sha256(made[0]).hexdigest()
    assert list(tmp_path.iterdir()) == []


def test_the_file_holds_what_pydyf_would_write() -> None:
    import pydyf
    import pypdf

    from govern.formats.pdfobjects import compressing, packed, written

    def drawn() -> Any:
        pdf = pydyf.PDF()
        pdf.info["Title"] = pydyf.String("(名) \\ R")
        attached = pydyf.Stream([b"long " * 99], {"Type": "/EmbeddedFile"}, compress=True)
        parts = [pydyf.Dictionary({"Type": "/Page", "Parent": pdf.pages.reference}), attached,
                 pydyf.Stream(["BT", "ET"], {"K": pydyf.Array([1, 0.5, pydyf.String("x")])}),
                 pydyf.Array([attached.reference if attached.number else 0, 2.25])]
        pdf.add_page(parts[0])
        for part in parts[1:]:
            pdf.add_object(part)
        parts[0]["Contents"] = parts[2].reference
        pdf.catalog["Kept"] = parts[3].reference
        return pdf

    def plain(value: Any) -> Any:
        if isinstance(value, pypdf.generic.IndirectObject):
            return value.idnum
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items()}
        return [plain(v) for v in value] if isinstance(value, list) else value

    theirs = io.BytesIO()
    drawn().write(theirs, "1.7", b"0" * 16, compress=True)
    pdf = drawn()
    pdf.add_object(pdf.info)
    halves = [packed(pdf.objects[:4], compressing([b"long " * 99])), packed(pdf.objects[4:], {})]
    ours = written(halves, pdf.catalog.reference, pdf.info.reference, b"0" * 16)
    read, expected = pypdf.PdfReader(io.BytesIO(ours), strict=True), pypdf.PdfReader(theirs, strict=True)
    for number in range(1, len(pdf.objects)):
        one, other = (r.get_object(number) for r in (read, expected))
        assert plain(one) == plain(other), number
        if isinstance(one, pypdf.generic.StreamObject):
            assert one.get_data() == other.get_data()
    assert read.metadata == expected.metadata and len(read.pages) == 1
    assert read.trailer["/ID"][0] == expected.trailer["/ID"][0] != read.trailer["/ID"][1]
    assert ours == written(halves, pdf.catalog.reference, pdf.info.reference, b"0" * 16)


def test_the_style_sheet_parsed_ahead_gives_the_bytes_of_the_one_in_the_page(made: tuple[bytes, list[str]]) -> None:
    from govern.formats.html import style

    e = sample.evidence()
    page = render_html(e, sample.verdict(e), sample.compute(), digests=sample.DIGESTS)
    assert style() in page
    own = page.replace(style(), style().replace("* {", "*  {", 1))
    assert style() not in own
    assert render_pdf(own, identifier=IDENTIFIER, created=CREATED, attachments=FILES) == made[0]


def test_a_card_read_as_xml_gives_the_bytes_of_the_one_read_as_html(
        made: tuple[bytes, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """What the fast parser reads must be what WeasyPrint's own parser reads; a card must be well-formed for it."""
    from xml.etree.ElementTree import ParseError

    import weasyprint

    from govern.formats import pdflayout

    e = sample.evidence()
    page = render_html(e, sample.verdict(e), sample.compute(), digests=sample.DIGESTS)
    given: list[str] = []

    class Watched(weasyprint.HTML):
        def __init__(self, *, string: str, **more: object) -> None:
            given.append(string)
            super().__init__(string=string, **more)

    monkeypatch.setattr(weasyprint, "HTML", Watched)
    assert render_pdf(page, identifier=IDENTIFIER, created=CREATED, attachments=FILES) == made[0]
    assert set(given) == {""}
    given.clear()

    def refuse(text: str) -> None:
        raise ParseError

    monkeypatch.setattr(pdflayout.ElementTree, "fromstring", refuse)
    assert render_pdf(page, identifier=IDENTIFIER, created=CREATED, attachments=FILES) == made[0]
    assert given[0].startswith("<!doctype html>")


def test_nothing_is_fetched(tmp_path: Path) -> None:
    notes: list[str] = []
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"x")
    page = f'<html lang="en"><title>t</title><p>-</p><img alt="x" src="{secret.as_uri()}"></html>'
    assert render_pdf(page, identifier=IDENTIFIER, created=CREATED, notes=notes).startswith(b"%PDF")
    assert any("secret.png" in n for n in notes)


@pytest.mark.skipif(sys.platform != "linux", reason="only there is the search slow")
def test_its_libraries_are_not_searched_for_by_starting_programs() -> None:
    code = """
import subprocess
started = []
class Popen(subprocess.Popen):
    def __init__(self, *a, **k):
        started.append(a)
        super().__init__(*a, **k)
subprocess.Popen = Popen
import ctypes.util
usual = ctypes.util.find_library
from govern.formats.pdf import pdf_available
print(pdf_available(), len(started), ctypes.util.find_library is usual)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["None", "0", "True"]


@pytest.mark.skipif(sys.platform != "linux", reason="only there is the search left out first")
def test_libraries_that_the_loader_does_not_know_are_searched_for() -> None:
    code = """
import _cffi_backend, ctypes.util
usual, load = ctypes.util.find_library, _cffi_backend.load_library
def only_when_searched(name, flags):
    if ctypes.util.find_library is not usual:
        raise OSError(name)
    return load(name, flags)
_cffi_backend.load_library = only_when_searched
from govern.formats.pdf import pdf_available, prepare
print(pdf_available())
prepare()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("None\n", "")


def test_without_pango_one_line_says_what_to_install() -> None:
    code = """
import sys
class NoPango:
    def find_spec(self, name, path=None, target=None):
        if name == "weasyprint":
            print("-----\\nWeasyPrint could not import some external libraries.")
            raise OSError("cannot load library 'libgobject-2.0-0'")
sys.meta_path.insert(0, NoPango())
from govern.formats.pdf import pdf_available
print(pdf_available())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    line = r"no PDF can be made: cannot load library 'libgobject-2.0-0'; install with: .*pango.*\n"
    assert re.fullmatch(line, done.stdout)
    assert issubclass(PdfUnavailable, Exception)
