"""Every page as it is drawn, checked by the boxes of its letters: nothing beyond the page, no letter on another, no
heading at the foot of a page, no page that ends in a blank."""

from __future__ import annotations

import ctypes
import re
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import sample
import task_sample

from govern.formats.html import render_html
from govern.formats.pdf import pdf_available, render_pdf
from govern.verdict import Verdict

pytestmark = pytest.mark.skipif(pdf_available() is not None, reason=str(pdf_available()))

E = task_sample.with_curves(sample.evidence())
MM = 72 / 25.4
SIDE, FOOT = 13 * MM, 15 * MM
HEADING = 9.0  # points: larger than any text that is no heading
BLANK = 0.25  # of a page's height at its foot


@dataclass(frozen=True)
class Letter:
    """A letter with its box in points from the lower left corner, and the size of its font."""

    text: str
    left: float
    bottom: float
    right: float
    top: float
    size: float

    @property
    def area(self) -> float:
        return (self.right - self.left) * (self.top - self.bottom)


def letters(page: Any) -> list[Letter]:
    """The letters of a page that leave ink."""
    import pypdfium2.raw as raw

    text = page.get_textpage()
    found = []
    for i in range(text.count_chars()):
        left, bottom, right, top = text.get_charbox(i)
        sign = chr(raw.FPDFText_GetUnicode(text, i))
        matrix = raw.FS_MATRIX()
        raw.FPDFText_GetMatrix(text, i, ctypes.byref(matrix))
        if sign.strip() and right > left and top > bottom:
            size = raw.FPDFText_GetFontSize(text, i) * max(abs(matrix.a), abs(matrix.b))
            found.append(Letter(sign, left, bottom, right, top, size))
    return found


def overlaps(found: list[Letter]) -> list[tuple[str, str]]:
    """Pairs of letters of which one covers more than half of the other."""
    near: dict[tuple[int, int], list[Letter]] = defaultdict(list)
    pairs = []
    for x in found:
        cells = {(int(a / 20), int(b / 20)) for a in (x.left, x.right) for b in (x.bottom, x.top)}
        for y in {id(y): y for cell in cells for y in near[cell]}.values():
            wide = min(x.right, y.right) - max(x.left, y.left)
            high = min(x.top, y.top) - max(x.bottom, y.bottom)
            if wide > 0 and high > 0 and wide * high > 0.5 * min(x.area, y.area):
                pairs.append((x.text, y.text))
        for cell in cells:
            near[cell].append(x)
    return pairs


def verdict(outcome: str) -> Verdict:
    found = sample.findings(E)
    kept = {"BLOCK": found, "REVIEW": found[1:], "PASS": tuple(f for f in found if f.outcome == "pass")}[outcome]
    return sample.verdict(E, outcome, found=kept, sweep=task_sample.sweep())


@pytest.fixture(scope="module", params=[("BLOCK", "a4"), ("REVIEW", "letter"), ("PASS", "a4"), ("BLOCK", "letter")],
                ids=lambda p: f"{p[0]}-{p[1]}")
def pages(request: pytest.FixtureRequest) -> list[tuple[Any, list[Letter]]]:
    pypdfium2 = pytest.importorskip("pypdfium2")
    outcome, paper = request.param
    v = verdict(outcome)
    page = render_html(E, v, sample.compute(), digests=sample.DIGESTS)
    made = render_pdf(page, identifier=b"0" * 16, created=E.created, paper=paper)
    document = pypdfium2.PdfDocument(made)
    return [(p, letters(p)) for p in document]


def test_nothing_is_beyond_the_margins(pages: list[tuple[Any, list[Letter]]]) -> None:
    for number, (page, found) in enumerate(pages, 1):
        width, height = page.get_size()
        out = [x for x in found if x.left < SIDE or x.right > width - SIDE or x.bottom < 0 or x.top > height - 10 * MM]
        assert out == [], number


def test_no_letter_stands_on_another(pages: list[tuple[Any, list[Letter]]]) -> None:
    for number, (_, found) in enumerate(pages, 1):
        assert overlaps(found) == [], number


def test_letters_that_stand_on_each_other_would_be_found() -> None:
    x = Letter("a", 10, 10, 14, 18, 8)
    assert overlaps([x, Letter("b", 14, 10, 18, 18, 8)]) == []
    assert overlaps([x, Letter("b", 11, 11, 15, 19, 8)]) == [("b", "a")]


def test_no_heading_stands_at_the_foot_of_a_page(pages: list[tuple[Any, list[Letter]]]) -> None:
    for number, (_, found) in enumerate(pages, 1):
        body = [x for x in found if x.bottom > FOOT]
        lowest = min(x.bottom for x in body)
        assert max(x.size for x in body if x.bottom < lowest + 3) < HEADING, number
    assert any(x.size > HEADING for _, found in pages for x in found)


def test_no_page_ends_in_a_blank_but_the_last_of_a_half(pages: list[tuple[Any, list[Letter]]]) -> None:
    opening, last = re.compile("(19Policychecklist|20Crosswalk)"), 0
    for number, (page, found) in enumerate(pages[1:-1], 2):
        if opening.match("".join(x.text for x in pages[number][1])):
            last += 1
            continue
        _, height = page.get_size()
        lowest = min(x.bottom for x in found if x.bottom > FOOT)
        assert lowest - FOOT < BLANK * height, number
    assert last <= 1


def test_page_one_is_one_page(pages: list[tuple[Any, list[Letter]]]) -> None:
    first, second = ("".join(x.text for x in found) for _, found in pages[:2])
    assert "Notcovered" in first and "Tobesigned" in first
    assert "CONTENTS" in second.upper()
    assert "2Identity" not in first and "".join(x.text for x in pages[2][1]).startswith("2Identity")
