"""What is done with the objects of a PDF before it is written: heads of tables are told apart, bytes are made once."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

LEVEL = 9  # pydyf's
SCOPES = {"/THead": "/Column", "/TBody": "/Row"}


def finisher(files: Iterable[bytes]) -> Callable[[Any, Any], None]:
    """WeasyPrint's finisher of a card with these attachments, which are compressed from now on, beside its layout."""
    beside = ThreadPoolExecutor(1)
    packed = {data: beside.submit(zlib.compress, data, LEVEL) for data in files}
    beside.shutdown(wait=False)

    def finish(document: Any, pdf: Any) -> None:
        _scopes(pdf)
        _once(pdf, packed)

    return finish


def _scopes(pdf: Any) -> None:
    """Says of each head of a table in the tags whether it heads a column or a row, which WeasyPrint does not."""
    elements: list[Any] = [o for o in pdf.objects if isinstance(o, dict) and o.get("Type") == "/StructElem"]
    tags = {element.reference: element for element in elements}
    for tag in tags.values():
        if tag["S"] == "/TH":
            group = tags[tags[tag["P"]]["P"]]
            tag["A"]["Scope"] = SCOPES.get(group["S"], "/Column")


def _once(pdf: Any, packed: Mapping[bytes, Future[bytes]]) -> None:
    """Replaces the objects by their bytes. pydyf makes those of each twice, to write them and for a digest of all, and
    compressing is most of that work; here it is done once and, as zlib holds no lock, beside the rest of it."""
    import pydyf

    class Made(pydyf.Object):  # type: ignore[misc]
        data = b""

    class MadeStream(pydyf.Stream):  # type: ignore[misc]
        data = b""

    def stored(old: Any, kind: type[Any], data: bytes) -> Any:
        new = kind()
        new.number, new.generation, new.data = old.number, old.generation, data
        return new

    with ThreadPoolExecutor(1) as beside:
        streams = [(place, old, beside.submit(_data, old, packed)) for place, old in enumerate(pdf.objects)
                   if isinstance(old, pydyf.Stream)]
        pdf.objects[:] = [old if old.free == "f" or isinstance(old, pydyf.Stream) else stored(old, Made, old.data)
                          for old in pdf.objects]
        for place, old, waiting in streams:
            pdf.objects[place] = stored(old, MadeStream, waiting.result())


def _data(stream: Any, packed: Mapping[bytes, Future[bytes]]) -> bytes:
    content = stream.stream[0] if len(stream.stream) == 1 else None
    if stream.compress and isinstance(content, bytes) and content in packed:
        stream.stream, stream.compress = [packed[content].result()], False
        stream.extra["Filter"] = "/FlateDecode"
    return bytes(stream.data)
