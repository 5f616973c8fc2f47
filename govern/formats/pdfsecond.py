"""What the process does that draws the second half of a PDF: it says that it can; and for each page that comes it lays
out the half, says how many pages that has and where its places are, hears of the other half, draws, hears where its
objects go, and hands them over. `pdf.py` is the other side.
"""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from govern.errors import InputError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def main(folder: str) -> None:
    """Answers until there is no more to read; temporary files are in `folder`."""
    tempfile.tempdir = folder
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the other process ends this one
    asked, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer

    def hear() -> Any:
        return pickle.load(asked)  # noqa: S301 - from the process that started this one

    def say(what: Any, failed: bool = False) -> None:
        pickle.dump((failed, what), answers)
        answers.flush()

    try:
        _prepare(say)
        while True:
            _draw(hear, say)
    except EOFError:
        return
    except InputError as err:
        say(err, True)
    except Exception:
        say(traceback.format_exc(), True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _prepare(say: Callable[[Any], None]) -> None:
    from govern.formats.pdf import prepare
    from govern.formats.pdflayout import weasyprint

    weasyprint()
    say(None)
    prepare()


def _draw(hear: Callable[[], Any], say: Callable[[Any], None]) -> None:
    from govern.formats.pdfjoin import HandOver
    from govern.formats.pdflayout import FEET, VARIANT, laid_out, making, read
    from govern.formats.pdfparts import anchors, feet, lead, parts, stand

    html, paper, created = hear()
    with making(created) as heard:
        page = read(html)
        half = cast("Element", parts(page.root).second)  # a page without one is not sent
        document = laid_out(page.part(half), paper)
        pages, places = document.pages, anchors(document.pages)
        say((len(pages), places))
        total, elsewhere = hear()
        rules = FEET.format(first=total - len(pages) + 1, total=total)
        stand(pages, laid_out(page.part(feet(page.root, len(pages))), paper, rules).pages)
        lead(pages, elsewhere)

        def finish(_: Any, pdf: Any) -> None:
            over = HandOver(pdf, hear(), places)
            say(over.second)
            say((over.objects(), heard))

        document.write_pdf(pdf_variant=VARIANT, finisher=finish)
