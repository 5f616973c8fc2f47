"""What is done with the objects of a PDF before they are written: heads of tables are told apart, bytes are made once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

SCOPES = {"/THead": "/Column", "/TBody": "/Row"}


def finish(document: Any, pdf: Any) -> None:
    """WeasyPrint's finisher of the card."""
    _scopes(pdf)
    _once(pdf)


def _scopes(pdf: Any) -> None:
    """Says of each head of a table in the tags whether it heads a column or a row, which WeasyPrint does not."""
    elements: list[Any] = [o for o in pdf.objects if isinstance(o, dict) and o.get("Type") == "/StructElem"]
    tags = {element.reference: element for element in elements}
    for tag in tags.values():
        if tag["S"] == "/TH":
            group = tags[tags[tag["P"]]["P"]]
            tag["A"]["Scope"] = SCOPES.get(group["S"], "/Column")


def _once(pdf: Any) -> None:
    """Replaces the objects by their bytes. pydyf makes those of each twice, to write them and for a digest of all, and
    compressing is most of that work; here it is done once and, as zlib holds no lock, beside the rest of it."""
    import pydyf

    class Made(pydyf.Object):  # type: ignore[misc]
        data = b""

    class MadeStream(pydyf.Stream):  # type: ignore[misc]
        data = b""

    with ThreadPoolExecutor(1) as beside:
        found = [(beside.submit(_data, o) if isinstance(o, pydyf.Stream) else None, o) for o in pdf.objects]
        for place, (waiting, old) in enumerate(found):
            if old.free == "f":
                continue
            new = Made() if waiting is None else MadeStream()
            new.number, new.generation = old.number, old.generation
            new.data = old.data if waiting is None else waiting
            pdf.objects[place] = new
        for new in pdf.objects:
            if isinstance(new, MadeStream):
                new.data = new.data.result()


def _data(stream: Any) -> bytes:
    return bytes(stream.data)
