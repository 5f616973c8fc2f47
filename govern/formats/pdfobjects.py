"""What is done with the objects of a PDF before it is written: heads of tables are told apart, bytes are made once."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Any

LEVEL = 9  # pydyf's
SCOPES = {"/THead": "/Column", "/TBody": "/Row"}
Packed = Mapping[bytes, Future[bytes]]


def packing(files: Iterable[bytes]) -> Packed:
    """The files, each with its compressed bytes, which are made from now on, beside the layout."""
    beside = ThreadPoolExecutor(1)
    packed = {data: beside.submit(zlib.compress, data, LEVEL) for data in files}
    beside.shutdown(wait=False)
    return packed


def scopes(pdf: Any) -> None:
    """Says of each head of a table in the tags whether it heads a column or a row, which WeasyPrint does not."""
    elements: list[Any] = [o for o in pdf.objects if isinstance(o, dict) and o.get("Type") == "/StructElem"]
    tags = {element.reference: element for element in elements}
    for tag in tags.values():
        if tag["S"] == "/TH":
            group = tags[tags[tag["P"]]["P"]]
            tag["A"]["Scope"] = SCOPES.get(group["S"], "/Column")


@lru_cache
def _kinds() -> tuple[type[Any], type[Any]]:
    """pydyf's object and its stream, which it writes elsewhere, with their bytes made."""
    import pydyf

    class Made(pydyf.Object):  # type: ignore[misc]
        data = b""

    class MadeStream(pydyf.Stream):  # type: ignore[misc]
        data = b""

    return Made, MadeStream


def made(data: bytes, *, stream: bool, number: int | None = None) -> Any:
    """An object as its bytes."""
    new = _kinds()[stream]()
    new.number, new.data = number, data
    return new


def once(pdf: Any, packed: Packed) -> None:
    """Replaces the objects by their bytes. pydyf makes those of each twice, to write them and for a digest of all, and
    compressing is most of that work; here it is done once and, as zlib holds no lock, beside the rest of it."""
    import pydyf

    with ThreadPoolExecutor(1) as beside:
        streams = [(place, old, beside.submit(_data, old, packed)) for place, old in enumerate(pdf.objects)
                   if isinstance(old, pydyf.Stream)]
        pdf.objects[:] = [old if old.free == "f" or isinstance(old, pydyf.Stream) else
                          made(old.data, stream=False, number=old.number) for old in pdf.objects]
        for place, old, waiting in streams:
            pdf.objects[place] = made(waiting.result(), stream=True, number=old.number)


def _data(stream: Any, packed: Packed) -> bytes:
    content = stream.stream[0] if len(stream.stream) == 1 else None
    if stream.compress and isinstance(content, bytes) and content in packed:
        stream.stream, stream.compress = [packed[content].result()], False
        stream.extra["Filter"] = "/FlateDecode"
    return bytes(stream.data)
