"""What an organisation adds to a card is checked when it is read."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from govern.errors import InputError
from govern.inputs.brand import LOGO_BYTES, PNG, checked_colour, contrast, logo_uri, own_section


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000") == pytest.approx(21.0) and contrast("#ffffff") == pytest.approx(1.0)
    # A grey that is known for just reaching 4.5 on white.
    assert contrast("#767676") == pytest.approx(4.54, abs=0.005)


@pytest.mark.parametrize("text", ["red", "#12345", "#1d5b94;", "#GG0000", "url(x)", ""])
def test_what_is_no_colour_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"report\.colour: .* is not a colour; write it as #1d5b94"):
        checked_colour(text)


def test_a_colour_that_is_hardly_seen_is_refused() -> None:
    with pytest.raises(InputError, match=r"#ffee00 has a contrast of 1\.20 to white"):
        checked_colour("#ffee00")
    assert checked_colour("#1D5B94") == "#1d5b94" and checked_colour(None) == ""


def test_a_logo_is_a_small_picture_by_its_content(tmp_path: Path) -> None:
    good, text, large = (tmp_path / name for name in ("logo.png", "logo.svg", "big.png"))
    good.write_bytes(PNG + b"rest")
    text.write_text("<svg onload='x'/>")
    large.write_bytes(PNG + b"0" * LOGO_BYTES)
    assert logo_uri(None) == ""
    assert logo_uri(good) == "data:image/png;base64," + base64.b64encode(PNG + b"rest").decode()
    for path, said in ((text, "logo.svg is no PNG or JPEG"), (large, "big.png is larger than 200 kB"),
                       (tmp_path / "none.png", "none.png cannot be read: No such file")):
        with pytest.raises(InputError, match=f"report.logo: {said}"):
            logo_uri(path)


def test_the_first_heading_of_a_section_is_its_title(tmp_path: Path) -> None:
    path = tmp_path / "our_rules-2.md"
    path.write_text("\ufeff# Our rules #\n\nAll of them.\n", encoding="utf-8")
    assert own_section(path) == ("Our rules", "All of them.")
    path.write_text("All of them.", encoding="utf-8")
    assert own_section(path) == ("our rules 2", "All of them.")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"report\.sections: our_rules-2.md is not UTF-8"):
        own_section(path)
