from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import sample

from govern.formats.html import render_html
from govern.formats.pdf import PdfUnavailable, pdf_available, render_pdf

pytestmark = pytest.mark.skipif(pdf_available() is not None, reason=str(pdf_available()))
IDENTIFIER = bytes.fromhex(sample.SHA["evidence"][:32])
CREATED = "2026-11-21T09:10:00Z"

MAKE = f"""
import hashlib, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import sample
from govern.formats.html import render_html
from govern.formats.pdf import render_pdf
e = sample.evidence()
page = render_html(e, sample.verdict(e), sample.compute(), digests=sample.DIGESTS)
print(hashlib.sha256(render_pdf(page, identifier={IDENTIFIER!r}, created={CREATED!r})).hexdigest())
"""


@pytest.fixture(scope="module")
def made() -> tuple[bytes, list[str]]:
    e = sample.evidence()
    notes: list[str] = []
    page = render_html(e, sample.verdict(e), sample.compute(), digests=sample.DIGESTS)
    return render_pdf(page, identifier=IDENTIFIER, created=CREATED, notes=notes), notes


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
    assert 8 <= len(pages) <= 14
    for i, text in enumerate(pages, 1):
        assert "evidence 41ab 09e2 · verdict 7c11 f0d3" in text
        assert f"{i} / {len(pages)}" in text


def test_no_page_is_nearly_empty(pages: list[str]) -> None:
    assert min(len(p) for p in pages) > 400


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


def test_the_style_sheet_parsed_ahead_gives_the_bytes_of_the_one_in_the_page(made: tuple[bytes, list[str]]) -> None:
    from govern.formats.html import style

    e = sample.evidence()
    page = render_html(e, sample.verdict(e), sample.compute(), digests=sample.DIGESTS)
    assert style() in page
    own = page.replace(style(), style() + " ")
    assert render_pdf(own, identifier=IDENTIFIER, created=CREATED) == made[0]


def test_a_card_read_as_xml_gives_the_bytes_of_the_one_read_as_html(
        made: tuple[bytes, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """What the fast parser reads must be what WeasyPrint's own parser reads; a card must be well-formed for it."""
    from xml.etree.ElementTree import ParseError

    import weasyprint

    from govern.formats import pdf

    e = sample.evidence()
    page = render_html(e, sample.verdict(e), sample.compute(), digests=sample.DIGESTS)
    given: list[str] = []

    class Watched(weasyprint.HTML):
        def __init__(self, *, string: str, **more: object) -> None:
            given.append(string)
            super().__init__(string=string, **more)

    monkeypatch.setattr(weasyprint, "HTML", Watched)
    assert render_pdf(page, identifier=IDENTIFIER, created=CREATED) == made[0]
    assert given == [""]

    def refuse(text: str) -> None:
        raise ParseError

    monkeypatch.setattr(pdf.ElementTree, "fromstring", refuse)
    assert render_pdf(page, identifier=IDENTIFIER, created=CREATED) == made[0]
    assert given[1].startswith("<!doctype html>")


def test_a_missing_glyph_is_reported_and_nothing_is_fetched(tmp_path: Path) -> None:
    notes: list[str] = []
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"x")
    page = f'<html lang="en"><title>t</title><p>\U0001f9a9</p><img alt="x" src="{secret.as_uri()}"></html>'
    assert render_pdf(page, identifier=IDENTIFIER, created=CREATED, notes=notes).startswith(b"%PDF")
    assert any("notdef" in n for n in notes)
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
