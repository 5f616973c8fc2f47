"""What an organisation adds to a card can neither load nor run anything, and changes nothing else."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import sample
from test_html import Reader

from govern.formats.brand import markup
from govern.formats.edition import Brand, Edition, Section
from govern.formats.html import on_paper, paper_style, render_html
from govern.formats.pdflayout import as_xml

LOGO = ("data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
        "rkJggg==")
HOSTILE = """<script>alert(1)</script> <img src=x onerror=alert(2)>

[a](https://example.org) ![b](https://example.org/x.png) <https://example.org> [c]

[c]: https://example.org

<div onclick="x">

| a | b |
|:-:|--:|
| <b>1</b> | 2 |

3. three
4. `{{ config }}` & *more*

***

# One
"""


def made(brand: Brand) -> str:
    e = sample.evidence()
    return render_html(e, sample.verdict(e), None, digests=sample.DIGESTS, edition=Edition(brand=brand))


def test_name_bar_logo_and_sections_are_shown() -> None:
    page = made(Brand("Bank & Sons", "#1d5b94", LOGO, (Section("House <rules>", "We *always* ask."),)))
    seen = Reader(page)
    assert "Bank & Sons · Model card" in seen.text and "From Bank & Sons House <rules> We always ask." in seen.text
    assert ("img", "alt", "Logo of Bank & Sons") in seen.attributes and ("rect", "fill", "#1d5b94") in seen.attributes
    assert '<a href="#own">' in page


def test_without_a_brand_nothing_of_it_is_there() -> None:
    page = made(Brand())
    assert "<img" not in page and 'class="bar"' not in page and 'id="own"' not in page


def test_text_of_sections_loads_and_runs_nothing() -> None:
    page = made(Brand("", "", "", (Section("x", HOSTILE),)))
    seen = Reader(page)
    assert not {"img", "iframe"} & set(seen.tags)
    assert seen.tags.count("script") == Reader(made(Brand())).tags.count("script")
    for tag, name, value in seen.attributes:
        assert name not in ("style", "src") and not name.startswith("on")
        assert name != "href" or (value or "").startswith("#"), tag
    for text in ("<script>alert(1)</script>", "<img src=x onerror=alert(2)>", "[a](https://example.org)",
                 "{{ config }}"):
        assert text in seen.text
    assert ("ol", "start", "3") in seen.attributes
    ElementTree.fromstring(as_xml(on_paper(page).replace(paper_style(), "")))


@pytest.mark.parametrize(("text", "tag"), [("# a", "h4"), ("## a", "h5"), ("### a", "h6"), ("###### a", "h6")])
def test_headings_stand_below_those_of_the_card(text: str, tag: str) -> None:
    assert markup(text).strip() == f"<{tag}>a</{tag}>"
