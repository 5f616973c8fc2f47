"""What a model file is, judged by its content, and its bytes unpacked piece by piece within limits."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Iterator
from typing import Any

from govern.inputs.scan.nodes import Refused

MAX_UNPACKED = 8 * 1024**3
MAX_RATIO = 200
RATIO_FROM = 256 * 1024**2
MAX_LINE = 64 * 1024
CHUNK = 1024**2
LZMA_MEMORY = 512 * 1024**2
WRAPPER = b"NumpyArrayWrapper"

# The magic numbers by which joblib itself chooses a decompressor.
CODECS = (
    ("gzip", b"\x1f\x8b"),
    ("bz2", b"BZh"),
    ("xz", b"\xfd7zXZ"),
    ("lzma", b"\x5d\x00"),
    ("lz4", b"\x04\x22\x4d\x18"),
)
OTHERS = (
    (b"PK\x03\x04", "a zip archive (skops, PyTorch, npz or Keras)"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"ZF", "a joblib file written before joblib 0.10"),
    (b"\x93NUMPY", "a NumPy array (.npy)"),
    (b"\x89HDF", "an HDF5 file (Keras)"),
    (b"PAR1", "a Parquet file, which is data"),
    (b"ARROW1", "an Arrow file, which is data"),
    (b"tree\n", "a LightGBM text model"),
    (b"{", "JSON (an XGBoost native model, perhaps)"),
    (b"\x08", "an ONNX model, perhaps"),
    (b"<", "XML or HTML (a PMML model, perhaps)"),
)


def sniff(data: bytes) -> tuple[str, str]:
    """Format ("pickle" | "joblib" | "") and codec of a model file; "" with a description when unknown.

    A plain stream is joblib when joblib's array wrapper is named in it; a compressed one always is.
    The file's extension plays no part.
    """
    if data[:1] == b"\x80" and len(data) > 1 and 2 <= data[1] <= 5:
        return ("joblib" if WRAPPER in data else "pickle"), "none"
    if data[:1] == b"\x78" and len(data) > 1 and int.from_bytes(data[:2], "big") % 31 == 0:
        return "joblib", "zlib"
    for codec, magic in CODECS:
        if data.startswith(magic):
            return "joblib", codec
    for magic, what in OTHERS:
        if data.startswith(magic):
            return "", what
    if data[-1:] == b"." and data[:1] in b"(cilpd]}IKXV":
        return "", "a pickle of protocol 0 or 1, perhaps"
    return "", "not a model file"


class Source:
    """The bytes of a model file as a stream: exact reads, skips, frames, and a limit on what unpacking yields.

    A frame (pickle protocol 4) bounds reads as the standard parser bounds them: no object crosses its end.
    """

    def __init__(self, data: bytes, codec: str, cap: int = MAX_UNPACKED) -> None:
        self._buffer = data if codec == "none" else b""
        self._at, self._end, self._framed = 0, len(self._buffer), False
        self._more = iter(()) if codec == "none" else _limited(_unpack(data, codec), len(data), cap)

    def _fill(self) -> bool:
        for piece in self._more:
            if piece:
                self._buffer = self._buffer[self._at :] + piece
                self._at, self._end = 0, len(self._buffer)
                return True
        return False

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes (≥ 0). Raises Refused when the stream or its frame is shorter."""
        at = self._at
        end = at + size
        if end <= self._end:
            self._at = end
            return self._buffer[at:end]
        return self._read_over(size)

    def _read_over(self, size: int) -> bytes:
        if self._framed:
            self.unframe()
            return self.read(size)
        pieces = [self._buffer[self._at :]]
        wanted = size - len(pieces[0])
        self._at = self._end
        while wanted > 0:
            if not self._fill():
                raise Refused("truncated", "the file ends in the middle of an object")
            piece = self._buffer[:wanted]
            self._at = len(piece)
            wanted -= len(piece)
            pieces.append(piece)
        return b"".join(pieces)

    def frame(self, size: int) -> None:
        """Begin a frame of `size` bytes. Raises Refused inside another one, or when the stream is shorter."""
        self.unframe()
        while self._end - self._at < size:
            if not self._fill():
                raise Refused("truncated", "the file ends in the middle of a frame")
        self._end, self._framed = self._at + size, True

    def unframe(self) -> None:
        """Leave a frame that was read to its end. Raises Refused when something of it is left."""
        if self._framed:
            if self._at < self._end:
                raise Refused("FRAME", "an object crosses the end of its frame, or bytes are left in it")
            self._end, self._framed = len(self._buffer), False

    def framed(self) -> bool:
        """True while something of a frame is left to read."""
        return self._framed and self._at < self._end

    def readline(self) -> bytes:
        """One line with its line end, at most 64 KiB. Raises Refused when there is none."""
        while True:
            end = self._buffer.find(b"\n", self._at, min(self._end, self._at + MAX_LINE))
            if end >= 0:
                return self.read(end + 1 - self._at)
            if self._framed:
                self.unframe()
            elif self._end - self._at >= MAX_LINE or not self._fill():
                raise Refused("truncated", "a line of the stream does not end")

    def skip(self, size: int) -> None:
        """Pass over `size` bytes (≥ 0) outside frames without keeping them. Raises Refused when there are fewer."""
        self.unframe()
        while True:
            step = min(size, self._end - self._at)
            self._at += step
            size -= step
            if size == 0:
                return
            if not self._fill():
                raise Refused("truncated", "the file ends in the middle of an array or text")

    def at_end(self) -> bool:
        """True when nothing is left, the end of a compressed stream and its checksum included."""
        return not self.framed() and self._at == len(self._buffer) and not self._fill()


def _limited(pieces: Iterator[bytes], packed: int, cap: int) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > cap:
            raise Refused("size", f"unpacks to more than {cap / 1024**3:g} GiB")
        if total > RATIO_FROM and total > MAX_RATIO * packed:
            raise Refused("size", f"unpacks to more than {MAX_RATIO} times its size")
        yield piece


def _unpack(data: bytes, codec: str) -> Iterator[bytes]:
    if codec == "lz4":
        raise Refused("lz4", "compressed with lz4, which cannot be inspected here; save it with another codec")
    at, tail = 0, b""
    unpacker: Any
    if codec in ("zlib", "gzip"):
        unpacker = zlib.decompressobj(15 if codec == "zlib" else 31)
    else:
        unpacker = bz2.BZ2Decompressor() if codec == "bz2" else lzma.LZMADecompressor(memlimit=LZMA_MEMORY)
    while not unpacker.eof:
        needs = not tail if codec in ("zlib", "gzip") else unpacker.needs_input
        if needs:
            tail = data[at : at + CHUNK]
            at += len(tail)
        try:
            piece = unpacker.decompress(tail, CHUNK)
        except (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError):
            raise Refused(codec, f"its {codec} compression is damaged") from None
        if needs and not tail and not piece and not unpacker.eof:
            raise Refused("truncated", f"its {codec} compression ends too early")
        tail = unpacker.unconsumed_tail if codec in ("zlib", "gzip") else b""
        yield piece
    if unpacker.unused_data or tail or at < len(data):
        raise Refused("trailing bytes", f"bytes follow the end of the {codec} stream")
