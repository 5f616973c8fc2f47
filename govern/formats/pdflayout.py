"""WeasyPrint as the card uses it: imported when a PDF is made, with the card's fonts and style sheet, and heard.

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
from collections.abc import Generator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree

from govern.errors import InputError, printable
from govern.formats.fonts import faces_in
from govern.formats.html import on_paper, paper_style

VARIANT = "pdf/ua-1"
# A card's own sheet names no size, so that a reader prints on the paper there is.
PAPERS = {"a4": "A4", "letter": "letter"}
NO_FEET = "@page { @bottom-left { content: none !important } @bottom-right { content: none !important } }"
# The numbers of the pages begin after those of another half, and the number of all is given.
FEET = (".foot + .foot {{ break-before: page }} @page :first {{ counter-reset: page {first} }} "
        '@page {{ @bottom-right {{ content: counter(page) " / {total}" !important }} }}')
SVG = "http://www.w3.org/2000/svg"
VOID = re.compile(r"<((?:br|col|img|link|meta)\b[^>]*)>")
INSTALL = {
    "linux": "sudo apt-get install -y libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0",
    "darwin": "brew install pango",
}


class PdfUnavailable(InputError):
    """The libraries a PDF needs are not on this machine; the message holds the line that installs them."""


@dataclass(frozen=True)
class Page:
    """A page to lay out: its elements, the sheet of its own fonts, and whether it is in the card's style sheet; neither
    sheet is among the elements, so that each is parsed once."""

    root: ElementTree.Element
    fonts: str
    styled: bool

    def part(self, root: ElementTree.Element) -> Page:
        """One with these elements of it."""
        return replace(self, root=root)


def read(html: str) -> Page:
    """A card's HTML as the page that it is on paper."""
    fonts, html = faces_in(html), on_paper(html)
    styled = paper_style() in html
    for text in (paper_style(), fonts):
        html = html.replace(text, "", 1) if text else html
    return Page(_elements(html), fonts, styled)


def _elements(html: str) -> ElementTree.Element:
    """Read by the C parser where it can be: WeasyPrint's own takes a twelfth of the time of a PDF."""
    try:
        return ElementTree.fromstring(as_xml(html))  # noqa: S314 - text is escaped, so no entity is declared
    except ElementTree.ParseError:
        root: ElementTree.Element = weasyprint().HTML(string=html, url_fetcher=fetcher()).etree_element
        return root


def as_xml(html: str) -> str:
    """A card as XML, which it is but for the elements without an end and the namespace of its pictures."""
    return VOID.sub(r"<\1/>", html.removeprefix("<!doctype html>")).replace("<svg ", f'<svg xmlns="{SVG}" ')


def laid_out(page: Page, paper: str, feet: str = NO_FEET) -> Any:
    """WeasyPrint's document of the page on `paper`, with the rules of its `feet`."""
    import cssselect2

    fonts, sheets = _fonts_and_sheets(page.fonts, page.styled)
    html = weasyprint().HTML(string="", url_fetcher=fetcher())
    html.wrapper_element = cssselect2.ElementWrapper.from_html_root(page.root, content_language=None)
    html.etree_element = page.root
    sheets = [*sheets, _sheet(f"@page {{ size: {PAPERS[paper]} }}"), _sheet(feet)]
    return html.render(font_config=fonts, stylesheets=sheets, pdf_variant=VARIANT)


@lru_cache(maxsize=2)
def _fonts_and_sheets(own: str, styled: bool) -> tuple[Any, list[Any]]:
    """The fonts and the style sheet of the card, as WeasyPrint holds them; pages with other fonts of their `own` have
    others, for a name stands for all fonts of that name.

    WeasyPrint unpacks fonts into a folder that it removes once its objects are collected, which they are not where
    the process ends without looking for cycles: so the folder lies in one that is removed at the end. Those that are
    collected must be so while the interpreter is whole.
    """
    atexit.register(_fonts_and_sheets.cache_clear)
    fonts = weasyprint().text.fonts.FontConfiguration()
    folder = tempfile.mkdtemp(prefix="govern-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    usual, tempfile.tempdir = tempfile.tempdir, folder
    try:
        return fonts, [_css(text, font_config=fonts) for text in (paper_style() if styled else "", own) if text]
    finally:
        tempfile.tempdir = usual


@lru_cache(maxsize=8)
def _sheet(text: str) -> Any:
    return _css(text)


def _css(text: str, **more: Any) -> Any:
    return weasyprint().CSS(string=text, url_fetcher=fetcher(), **more)


def fetcher() -> Any:
    """Nothing is fetched: only data URIs are read."""
    return weasyprint().urls.URLFetcher(allowed_protocols=("data",), fail_on_errors=False)


@lru_cache
def weasyprint() -> Any:
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
def making(created: str) -> Generator[list[str]]:
    """What holds while a PDF of that ISO 8601 moment is made; gives the lines that WeasyPrint logs meanwhile."""
    with _listening() as heard, _no_collection(), _fonts_dated(created):
        yield heard


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
    epoch = str(int(moment(created).timestamp()))
    was = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = epoch
    try:
        yield
    finally:
        if was is None:
            del os.environ["SOURCE_DATE_EPOCH"]
        else:
            os.environ["SOURCE_DATE_EPOCH"] = was


def moment(created: str) -> datetime:
    """An ISO 8601 time with its zone, UTC where it names none."""
    at = datetime.fromisoformat(created)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


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
