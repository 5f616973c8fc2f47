"""The wire between `govern` and the model's process: messages of a JSON header and raw buffers.

Standard library only: both ends import it, and the model's own environment may hold nothing else of ours.
Nothing is ever unpickled. A message is `MAGIC`, the header's length, the payload's length (big-endian
4s I Q), the header (UTF-8 JSON with `sizes`, the length of each buffer) and the buffers one after another.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from typing import Any, Final

MAGIC: Final = b"gvn1"
HEAD: Final = struct.Struct("!4sIQ")
MAX_HEADER: Final = 16 << 20
CHUNK: Final = 1 << 20

Header = dict[str, Any]
Buffer = bytes | bytearray | memoryview


class ProtocolError(Exception):
    """The other end sent something that is not a message, or one larger than allowed."""


class EndOfStream(Exception):
    """The other end closed the pipe."""


def pack(header: Header, buffers: Sequence[Buffer] = ()) -> list[memoryview]:
    """The pieces of one message, to be written in order; `unpack` of them gives header and buffers back."""
    views = [memoryview(b).cast("B") for b in buffers if memoryview(b).nbytes]
    sizes = [memoryview(b).nbytes for b in buffers]
    text = json.dumps({**header, "sizes": sizes}, allow_nan=False).encode()
    return [memoryview(HEAD.pack(MAGIC, len(text), sum(sizes)) + text), *views]


def unpack(
    read: Callable[[int], bytearray], max_payload: Callable[[], int], max_header: int = MAX_HEADER
) -> tuple[Header, list[bytearray]]:
    """The next message; `read(n)` gives exactly n bytes.

    Raises ProtocolError on anything malformed or larger than `max_payload()` bytes.
    """
    magic, header_length, payload = HEAD.unpack(read(HEAD.size))
    if magic != MAGIC or header_length > max_header or payload > max_payload():
        raise ProtocolError("not a message of this protocol, or too large")
    try:
        header = json.loads(bytes(read(header_length)))
    except (ValueError, RecursionError) as e:
        raise ProtocolError("the header is not JSON") from e
    sizes = header.get("sizes") if isinstance(header, dict) else None
    if not isinstance(sizes, list) or not all(type(s) is int and s >= 0 for s in sizes):
        raise ProtocolError("the header does not say what the message holds")
    if sum(sizes) != payload:
        raise ProtocolError("the header does not say what the message holds")
    return header, [read(size) if size else bytearray() for size in sizes]


class Failure(Exception):
    """What went wrong in the child, as a kind and details; the parent alone words it for the user."""

    def __init__(self, kind: str, **details: str) -> None:
        super().__init__(kind)
        self.kind, self.details = kind, details
