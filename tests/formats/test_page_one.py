"""Page one is one page: in both languages, on both papers, however many waivers, changes and signers there are."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import policy_sample
import sample
from test_html import Reader

from govern.formats import pdf as drawing
from govern.formats.edition import Brand, Edition
from govern.formats.html import render_html
from govern.formats.pdf import pdf_available, render_pdf
from govern.formats.pdfparts import smaller
from govern.formats.strings import strings
from govern.verdict import Since, SinceRow, ToSign, Verdict

E = policy_sample.evidence()
V = policy_sample.verdict(E)
STATEMENT = {"en": "I have read this card and know of nothing it leaves out. " * 3,
             "ja": "本カードを読み、記載のない事項を知らない。" * 5}
ROLES = ("developer", "reviewer", "owner", "approver", "author", "checker", "counsel", "auditor")
REASON = "the new label definition takes effect in January and is measured again then; " * 3
pdf = pytest.mark.skipif(pdf_available() is not None, reason=str(pdf_available()))


def verdict(waivers: int, signers: int, changes: int) -> Verdict:
    women, men = (next(g for g in E.feature_groups["sex",] if g.values == (v,)) for v in sample.SEX)
    ratio = SinceRow("selection_rate", 0.92, 0.9, -0.02, -0.04, -0.01, 0.95, "worse", women.id, men.id, "ratio",
                     ("sex",))
    old, valid = replace(V.waivers[0], rule="OLD", valid=False, days_left=-9), replace(V.waivers[0], reason=REASON)
    people = ToSign("BASE-16", "baseline", {}, ROLES[:signers], True, STATEMENT)
    since = Since("credit", "3.1.4", "2026-05-01T00:00:00Z", (ratio,) * changes) if changes else None
    return replace(V, waivers=(old, *(replace(valid, rule=f"HC-{i}") for i in range(waivers - 1))),
                   to_sign=(people,), since=since)


def page(v: Verdict, edition: Edition | None = None) -> str:
    return render_html(E, v, None, digests=sample.DIGESTS, edition=edition)


@pdf
@pytest.mark.parametrize("paper", ["a4", "letter"])
@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("held", [(1, 1, 0), (3, 2, 5), (7, 8, 7)])
def test_page_one_ends_with_the_boxes_and_is_one_page(held: tuple[int, int, int], lang: str, paper: str) -> None:
    pypdf = pytest.importorskip("pypdf")
    summary = Edition(lang, "summary", brand=Brand("Bank of Examples", "#1d5b94"))
    made = render_pdf(page(verdict(*held), summary), identifier=b"0" * 16, created=E.created, paper=paper)
    first, second = (" ".join(p.extract_text().split()) for p in pypdf.PdfReader(io.BytesIO(made)).pages[:2])
    t = strings(lang)
    assert t("page1.sign") in first and t("page1.not_covered")[:5] in first
    assert second.lower().startswith(t("contents.title").lower())


@pdf
def test_the_type_is_as_small_as_what_the_page_holds_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    usual, made = drawing.smaller, []
    monkeypatch.setattr(drawing, "smaller", lambda front: made.append(usual(front)) or made[-1])
    for held, times in (((1, 1, 0), 0), ((7, 8, 7), 1)):
        made.clear()
        render_pdf(page(verdict(*held), Edition("ja")), identifier=b"0" * 16, created=E.created, paper="letter")
        assert made == [True] * times, held


def test_there_are_three_sizes_of_type() -> None:
    front = ElementTree.fromstring('<html><body><main><section class="front"/></main></body></html>')
    looks = []
    while smaller(front):
        looks.append(front.find("body/main/section").get("class"))  # type: ignore[union-attr]
    assert looks == ["front tight", "front tight tighter"]
    css = (Path(__file__).parents[2] / "templates" / "card.css").read_text("utf-8")
    assert ".front.tight {" in css and ".front.tighter {" in css


def test_three_waivers_stand_on_page_one_those_in_force_first() -> None:
    said = Reader(page(verdict(5, 2, 0))).text
    front, _, rest = said.partition("To be signed")
    boxes = front.partition("Exceptions")[2]
    assert [x for x in ("HC-0", "HC-1", "HC-2", "HC-3", "OLD") if x in boxes] == ["HC-0", "HC-1", "HC-2"]
    assert "2 further waivers are in section 18." in boxes
    assert REASON.strip() in rest and "OLD" in rest.partition("Waivers")[2]
    assert "further waiver" not in Reader(page(verdict(3, 2, 0))).text


def test_of_more_signers_than_stand_in_a_row_the_statements_are_in_section_21() -> None:
    four, five = (Reader(page(verdict(1, n, 0))).text.partition("Not covered")[0] for n in (4, 5))
    assert "I have read" in four and "section 21" not in four
    assert "I have read" not in five and "Statements are in section 21 of the full edition." in five
