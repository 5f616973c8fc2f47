"""What is done with the objects of a drawn PDF: heads of tables are told apart, bytes are made, the file is written.

pydyf makes the bytes of an object twice, to write them and for a digest of all, and compressing is most of that work;
here they are made once, beside other work, and those of the second half where that is drawn.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import md5
from typing import Any

LEVEL = 7  # half the time of pydyf's 9, for a fiftieth more bytes
HEAD = b"%PDF-1.7\n%\xf0\x9f\x96\xa4\n"  # the version that PDF/UA-1 is made for; a comment that is no text
SCOPES = {"/THead": "/Column", "/TBody": "/Row"}
Compressing = Mapping[bytes, Future[bytes]]


@dataclass(frozen=True)
class Pack:
    """Objects as bytes: streams, each with its number, and one stream `others` that holds the rest, whose numbers are
    `within` in their order."""

    streams: tuple[tuple[int, bytes], ...]
    within: tuple[int, ...]
    others: bytes


def compressing(files: Iterable[bytes]) -> Compressing:
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


def packed(objects: Sequence[Any], files: Compressing) -> Pack:
    """pydyf's objects as bytes. As zlib holds no lock, streams are compressed beside the rest of it."""
    import pydyf

    used = [one for one in objects if one.free != "f"]
    with ThreadPoolExecutor(1) as beside:
        streams = [(one.number, beside.submit(_data, one, files)) for one in used if isinstance(one, pydyf.Stream)]
        others = [(one.number, one.data) for one in used if not isinstance(one, pydyf.Stream)]
        places, place = [], 0
        for number, data in others:
            places.append(b"%d %d" % (number, place))
            place += len(data) + 1
        head = b" ".join(places)
        extra = {"Type": "/ObjStm", "N": len(others), "First": len(head) + 1, "Filter": "/FlateDecode"}
        held = pydyf.Stream([zlib.compress(b"\n".join([head, *(data for _, data in others)]), LEVEL)], extra)
        return Pack(tuple((number, data.result()) for number, data in streams),
                    tuple(number for number, _ in others), bytes(held.data))


def written(packs: Sequence[Pack], root: bytes, info: bytes, identifier: bytes) -> bytes:
    """The file of these objects, which have all numbers from 1 on; `root` and `info` are references."""
    import pydyf

    entries = {0: (0, 0, 65535)}
    parts, at = [HEAD], len(HEAD)

    def stands(number: int, data: bytes) -> None:
        nonlocal at
        entries[number] = (1, at, 0)
        parts.append(b"%d 0 obj\n" % number + data + b"\nendobj\n")
        at += len(parts[-1])

    for pack in packs:
        for number, data in pack.streams:
            stands(number, data)
    free = 1 + sum(len(pack.streams) + len(pack.within) for pack in packs)
    for held, pack in enumerate(packs, free):
        stands(held, pack.others)
        entries |= {number: (2, held, i) for i, number in enumerate(pack.within)}
    last = free + len(packs)
    entries[last] = (1, at, 0)
    widths = (1, (at.bit_length() + 7) // 8, 3)
    shifts = (8 * (widths[1] + widths[2]), 8 * widths[2])
    rows = (entries[number] for number in range(last + 1))
    table = b"".join([(a << shifts[0] | b << shifts[1] | c).to_bytes(sum(widths), "big") for a, b, c in rows])
    content = md5(b"".join(parts), usedforsecurity=False).hexdigest()
    extra = {"Type": "/XRef", "Size": last + 1, "W": pydyf.Array(widths), "Root": root, "Info": info,
             "ID": pydyf.Array([pydyf.String(identifier), pydyf.String(content)]), "Filter": "/FlateDecode"}
    parts.append(b"%d 0 obj\n" % last + pydyf.Stream([zlib.compress(table, LEVEL)], extra).data + b"\nendobj\n")
    return b"".join([*parts, b"startxref\n%d\n%%%%EOF\n" % at])


def _data(stream: Any, files: Compressing) -> bytes:
    content = stream.stream[0] if len(stream.stream) == 1 else None
    if stream.compress and isinstance(content, bytes) and content in files:
        stream.stream, stream.compress = [files[content].result()], False
        stream.extra["Filter"] = "/FlateDecode"
    return bytes(stream.data)
