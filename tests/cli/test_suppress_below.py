"""`--suppress-below`: the card is cut, the documents stay whole, and what cannot be hidden is refused."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from govern.formats.pdf import pdf_available


@pytest.mark.skipif(pdf_available() is not None, reason=str(pdf_available()))
def test_a_card_for_outside_holds_no_document_and_no_small_group(
        govern: Callable[..., Any], german: Any) -> None:
    import pypdf

    done = govern("report", *german.arguments, "--compute", "skip", "--suppress-below", 32, cwd=german.folder)
    assert done.code in (0, 1, 3), done.err
    out = german.folder / "govern-report"
    page = (out / "card.html").read_text(encoding="utf-8")
    evidence = done.document("evidence.json")
    small = [g for g in evidence["groups"] if 0 < g["n"] < 32]
    assert small and "no group and no cell of 1 to 31 rows is shown" in page
    for g in small:
        assert f"<td>{' · '.join(g['values'])}</td>" not in page
    assert not pypdf.PdfReader(io.BytesIO((out / "card.pdf").read_bytes())).attachments
    again = govern("render", "govern-report/evidence.json", "govern-report/verdict.json", "--format", "html", "--out",
                   "again", "--suppress-below", 200, cwd=german.folder)
    assert again.code == 2 and again.out == ""
    assert again.err.startswith("govern: --suppress-below: the whole sample has an outcome with fewer than 200 rows")
    assert again.err.count("\n") == 1
    assert not (german.folder / "again").exists()
