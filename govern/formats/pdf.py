"""The card as PDF, from the same HTML; WeasyPrint is imported when a PDF is made.

Traps: without Pango the import fails with OSError and prints a banner to stdout; a missing glyph is only
a log line; bytes are equal between runs only with a fixed identifier and fixed dates, in fonts too.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes.util
import gc
import io
import logging
import os
import re
import shutil
import sys
import tempfile
import warnings
from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree

from govern.errors import InputError, printable
from govern.formats.fonts import faces_in
from govern.formats.html import on_paper, paper_style
from govern.formats.pdfobjects import finisher

VARIANT = "pdf/ua-1"
# A card's own sheet names no size, so that a reader prints on the paper there is.
PAPERS = {"a4": "A4", "letter": "letter"}
SVG = "http://www.w3.org/2000/svg"
VOID = re.compile(r"<((?:br|col|img|link|meta)\b[^>]*)>")
ONE_ROW = """<html lang="en"><title>-</title><h1>-</h1><table class="t"><thead><tr><th scope="col">-</th></tr></thead>
<tbody><tr><td class="r n strong">-</td></tr></tbody></table><svg width="9" height="9" viewBox="0 0 9 9" role="img">
<title>-</title><path d="M0 0V9" stroke="#5a6672"/><circle cx="4" cy="4" r="3"/><text x="0" y="9">-</text></svg>
</html>"""
INSTALL = {
    "linux": "sudo apt-get install -y libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0",
    "darwin": "brew install pango",
}


class PdfUnavailable(InputError):
    """The libraries a PDF needs are not on this machine; the message holds the line that installs them."""


def pdf_available() -> str | None:
    """None when a PDF can be made here, else one line with the reason and the command that mends it."""
    try:
        _weasyprint()
    except PdfUnavailable as err:
        return err.one_line()
    return None


def render_pdf(html: str, *, identifier: bytes, created: str, notes: list[str] | None = None, paper: str = "a4",
               attachments: Mapping[str, bytes] | None = None) -> bytes:
    """The PDF of a card's HTML on `paper` (a4 or letter), with the files `attachments` in it by name; equal arguments
    give equal bytes.

    `identifier` is 16 bytes of the evidence's digest, `created` its ISO 8601 time. What WeasyPrint complains of is
    reported in `notes`. Nothing is fetched: only data URIs are read. Raises PdfUnavailable when Pango is missing, and
    InputError for a character that no font has a glyph of.
    """
    finish = finisher((attachments or {}).values())
    with _listening() as heard, _no_collection(), _fonts_dated(created):
        document = _laid_out(html, paper)
        document.metadata.created = document.metadata.modified = created
        data = document.write_pdf(pdf_identifier=identifier, pdf_variant=VARIANT, finisher=finish,
                                  attachments=_attached(attachments or {}, created))
    if boxes := [line for line in heard if line.startswith(".notdef")]:
        raise InputError(f"the PDF has no glyph of a character: {boxes[0].rpartition(': ')[2]}",
                         fix="write it in letters that the fonts of the card have")
    if notes is not None:
        notes.extend(dict.fromkeys(heard))
    return bytes(data)


def prepare() -> None:
    """Does what every card needs, so that none waits for it: reads fonts and style sheet, makes a PDF of one row.

    Changes no byte of a later PDF. Raises PdfUnavailable when Pango is missing.
    """
    with _listening(), _no_collection():
        _laid_out(f"<style>{paper_style()}</style>{ONE_ROW}", "a4").write_pdf(pdf_variant=VARIANT)


def _laid_out(html: str, paper: str) -> Any:
    """WeasyPrint's document of a page; the card's style sheet in it is not parsed again."""
    fonts, sheet = _fonts_and_sheet(faces_in(html))
    html = on_paper(html)
    sheets = [*([sheet] if paper_style() in html else []), _paper(paper)]
    page = _page(html.replace(paper_style(), ""))
    return page.render(font_config=fonts, stylesheets=sheets, pdf_variant=VARIANT)


def _page(html: str) -> Any:
    """WeasyPrint's view of a page, read by the C parser where it can be: WeasyPrint's own takes a twelfth of the time
    of a PDF."""
    import cssselect2

    weasyprint = _weasyprint()
    try:
        root = ElementTree.fromstring(as_xml(html))  # noqa: S314 - text is escaped, so no entity is declared
    except ElementTree.ParseError:
        return weasyprint.HTML(string=html, url_fetcher=_fetcher())
    page = weasyprint.HTML(string="", url_fetcher=_fetcher())
    page.wrapper_element = cssselect2.ElementWrapper.from_html_root(root, content_language=None)
    page.etree_element = root
    return page


def as_xml(html: str) -> str:
    """A card as XML, which it is but for the elements without an end and the namespace of its pictures."""
    return VOID.sub(r"<\1/>", html.removeprefix("<!doctype html>")).replace("<svg ", f'<svg xmlns="{SVG}" ')


@lru_cache(maxsize=2)
def _fonts_and_sheet(own: str) -> tuple[Any, Any]:
    """The fonts and the style sheet of the card, as WeasyPrint holds them; pages with other fonts of their `own` have
    others, for a name stands for all fonts of that name.

    WeasyPrint unpacks fonts into a folder that it removes once its objects are collected, which they are not where
    the process ends without looking for cycles: so the folder lies in one that is removed at the end. Those that are
    collected must be so while the interpreter is whole.
    """
    atexit.register(_fonts_and_sheet.cache_clear)
    weasyprint = _weasyprint()
    fonts = weasyprint.text.fonts.FontConfiguration()
    folder = tempfile.mkdtemp(prefix="govern-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    usual, tempfile.tempdir = tempfile.tempdir, folder
    try:
        return fonts, weasyprint.CSS(string=paper_style(), url_fetcher=_fetcher(), font_config=fonts)
    finally:
        tempfile.tempdir = usual


@lru_cache
def _paper(paper: str) -> Any:
    return _weasyprint().CSS(string=f"@page {{ size: {PAPERS[paper]} }}")


def _attached(files: Mapping[str, bytes], created: str) -> list[Any]:
    """WeasyPrint's attachments, each of which it uses up; their dates would be those of the clock."""
    moment = _moment(created)
    return [_weasyprint().Attachment(file_obj=io.BytesIO(data), name=name, created=moment, modified=moment,
                                     url_fetcher=_fetcher()) for name, data in files.items()]


def _fetcher() -> Any:
    return _weasyprint().urls.URLFetcher(allowed_protocols=("data",), fail_on_errors=False)


@lru_cache
def _weasyprint() -> Any:
    """The module, imported with its stdout banner held back. Raises PdfUnavailable."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        # It warns that harfbuzz-subset will be required; fontTools does its work until then.
        warnings.filterwarnings("ignore", "HarfBuzz", DeprecationWarning)
        with contextlib.suppress(OSError, ImportError), _by_name_alone():
            return _imported()
        # What was half imported; a None there forbids the import, and stays.
        for half in [name for name, module in sys.modules.items()
                     if name.partition(".")[0] == "weasyprint" and module is not None]:
            del sys.modules[half]
        try:
            return _imported()
        except (OSError, ImportError) as err:
            raise PdfUnavailable(
                f"no PDF can be made: {printable(str(err).splitlines()[0], 90)}",
                fix=f"install with: {INSTALL.get(sys.platform, INSTALL['linux'])}") from None


def _imported() -> Any:
    import weasyprint
    import weasyprint.text.fonts
    import weasyprint.urls

    return weasyprint


@contextlib.contextmanager
def _by_name_alone() -> Generator[None]:
    """On Linux, lets no library be searched for. WeasyPrint tries the names that libraries have on all systems, and for
    each that the loader does not know Python asks ldconfig, a compiler and a linker: fifty processes, a quarter of a
    second. The loader knows them under the last of the names."""
    usual = ctypes.util.find_library
    if sys.platform == "linux":
        ctypes.util.find_library = lambda name: None
    try:
        yield
    finally:
        ctypes.util.find_library = usual


@contextlib.contextmanager
def _no_collection() -> Generator[None]:
    """Pauses cyclic garbage collection: a layout allocates much and frees nothing, which costs a tenth of its time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextlib.contextmanager
def _fonts_dated(created: str) -> Generator[None]:
    """Where fontTools subsets the fonts, for want of harfbuzz-subset, it writes the time into them: ours."""
    epoch = str(int(_moment(created).timestamp()))
    was = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = epoch
    try:
        yield
    finally:
        if was is None:
            del os.environ["SOURCE_DATE_EPOCH"]
        else:
            os.environ["SOURCE_DATE_EPOCH"] = was


def _moment(created: str) -> datetime:
    moment = datetime.fromisoformat(created)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if "HarfBuzz-Subset" in record.msg:
            return  # `govern doctor` says so; the card is the same to look at
        self.lines.append(printable(record.getMessage(), 200))


@contextlib.contextmanager
def _listening() -> Generator[list[str]]:
    """Collects what WeasyPrint logs instead of letting it reach the terminal."""
    logger = logging.getLogger("weasyprint")
    handler, propagate = _Heard(), logger.propagate
    others = logger.handlers[:]
    logger.handlers[:], logger.propagate = [handler], False
    try:
        yield handler.lines
    finally:
        logger.handlers[:], logger.propagate = others, propagate
