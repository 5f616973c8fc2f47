"""The fonts of a card: what they have, that a card holds what it shows, and that nothing is a box."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

sys.path.insert(0, str(Path(__file__).parent))
import sample

from govern.errors import InputError
from govern.formats.edition import Edition
from govern.formats.fonts import FAMILY, SECOND, faces_in, inter, japanese, with_glyphs
from govern.formats.html import render_html
from govern.formats.pdf import pdf_available, render_pdf
from govern.resources import resource

FONTS = resource("templates", "fonts")
NEEDS_PANGO = pytest.mark.skipif(pdf_available() is not None, reason=f"no PDF can be made here: {pdf_available()}")
PAGE = '<meta content="style-src \'sha256-x\'"><style>p {}</style><p>%s</p>'


def renamed(name: str) -> str:
    """The English card of the sample with a group of this name."""
    e = sample.evidence()
    groups = tuple(replace(g, values=tuple(name if v == "women" else v for v in g.values)) for g in e.groups)
    e = replace(e, groups=groups)
    return render_html(e, sample.verdict(e), None, digests=sample.SHA)


def pdf(page: str) -> bytes:
    return render_pdf(page, identifier=b"0" * 16, created="2026-11-21T09:10:00Z")


def embedded(data: bytes, folder: Path) -> set[str]:
    (folder / "card.pdf").write_bytes(data)
    listed = subprocess.run(["pdffonts", folder / "card.pdf"], capture_output=True, text=True, check=True).stdout
    return {line.split()[0].partition("+")[2] for line in listed.splitlines()[2:]}


def test_the_list_of_what_inter_has_is_what_it_has() -> None:
    for face in ("Inter-Regular.woff2", "Inter-SemiBold.woff2"):
        assert {chr(p) for p in TTFont(FONTS / face).getBestCmap()} == inter()


def test_the_fonts_have_every_character_of_the_catalogues_and_the_policies() -> None:
    known = inter() | japanese() | {"\n"}
    for folder in (resource("templates", "strings"), resource("policies")):
        for file in (*folder.rglob("*.toml"), *folder.glob("*.yaml")):
            assert not set(file.read_text("utf-8")) - known, file


def test_the_fonts_have_what_japanese_names_are_written_with() -> None:
    rows = [bytes([a, b]) for a in (*range(0x81, 0xA0), *range(0xE0, 0xFD)) for b in range(0x40, 0xFD) if b != 0x7F]
    cp932 = {c for row in rows for c in row.decode("cp932", "ignore") if not 0xE000 <= ord(c) < 0xF900}
    assert len(cp932) > 7000
    lacking = (cp932 | set("髙﨑𠮷𠮟塡剝頰俠繫蔣醬①㈱Ⅳ")) - japanese() - inter()
    assert lacking - {"\x80"} == {"≒"}  # the public font has none


def test_the_japanese_font_is_small_and_says_whose_it_is() -> None:
    font = TTFont(FONTS / "GovernSansJP.woff2")
    assert (FONTS / "GovernSansJP.woff2").stat().st_size < 2_310_000
    names = {n.nameID: str(n) for n in font["name"].names}
    assert names[1] == FAMILY and "Adobe" in names[0] and "Open Font License" in names[13]
    assert "Adobe" in (FONTS / "OFL-GovernSansJP.txt").read_text("utf-8")


def test_a_page_of_inter_alone_is_left_as_it_is() -> None:
    page = PAGE % "Çalışan − “x” ≥ 3"
    assert with_glyphs(page, {}) == page and faces_in(page) == ""
    assert SECOND not in render_html(sample.evidence(), None, None, digests=sample.SHA)


def test_a_page_holds_the_characters_it_shows_in_two_weights() -> None:
    page = with_glyphs(PAGE % "性別 женщины Nguyễn", {})
    css = faces_in(page)
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}' 'sha256-x'" in page
    cut = [TTFont(BytesIO(base64.b64decode(data))) for data in re.findall(r"base64,([^)]+)\)", css)]
    assert [set(map(chr, f.getBestCmap())) for f in cut] == [set("性別 женщиыễ\u00a0")] * 2
    assert list(re.findall(r"font-weight: (\d+)", css)) == ["400", "600"]
    outlines = [f["glyf"][f.getBestCmap()[ord("性")]].getCoordinates(f["glyf"])[0] for f in cut]
    assert len(outlines[0]) == len(outlines[1]) and outlines[0] != outlines[1]
    assert not any("fvar" in f or "gvar" in f for f in cut) and len(page) < 20_000


def test_a_character_of_no_font_is_refused_and_said_where_it_stands() -> None:
    with pytest.raises(InputError) as refused:
        renamed("여성")
    assert str(refused.value) == (
        'evidence.json groups[2].values[0]: no font of the card has "성" (U+C131 HANGUL SYLLABLE SEONG), in "여성"; '
        "write it in Latin, Greek, Cyrillic or Japanese letters")
    with pytest.raises(InputError, match=r'U\+1F600 GRINNING FACE'):
        with_glyphs(PAGE % "😀", {})


@NEEDS_PANGO
@pytest.mark.skipif(shutil.which("pdffonts") is None, reason="poppler's pdffonts is not on this machine")
def test_a_japanese_name_in_an_english_card_is_drawn_by_the_shipped_font(tmp_path: Path) -> None:
    data = pdf(renamed("女性𠮷"))
    assert embedded(data, tmp_path) == {"Inter", "Inter-Semi-Bold", "Govern-Sans-JP", "Govern-Sans-JP-Semi-Bold"}
    shown = subprocess.run(["pdftotext", tmp_path / "card.pdf", "-"], capture_output=True, text=True, check=True).stdout
    assert "女性𠮷" in shown and "\ufffd" not in shown


@NEEDS_PANGO
@pytest.mark.skipif(shutil.which("pdffonts") is None, reason="poppler's pdffonts is not on this machine")
def test_a_japanese_card_has_the_shipped_fonts_only_and_the_same_bytes_again(tmp_path: Path) -> None:
    e = sample.evidence()
    page = render_html(e, sample.verdict(e), sample.compute(), digests=sample.SHA, edition=Edition("ja"))
    first = pdf(page)
    assert embedded(first, tmp_path) == {"Inter", "Inter-Semi-Bold", "Govern-Sans-JP", "Govern-Sans-JP-Semi-Bold"}
    pdf(with_glyphs(PAGE % "別の文字", {}))  # other fonts of the same name, in the same process
    assert pdf(page) == first


@NEEDS_PANGO
def test_a_glyph_that_is_missing_all_the_same_is_no_box() -> None:
    with pytest.raises(InputError, match=r"no glyph of a character: .*U\+F0000"):
        pdf("<html lang='en'><title>x</title><p>\U000f0000</p></html>")
