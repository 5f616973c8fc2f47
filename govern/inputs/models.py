"""Model files: opened once, told apart by their content, held as the bytes that are scanned and loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from govern.codec import digest, read_bytes
from govern.errors import InputError
from govern.inputs.scan.source import sniff

MAX_MODEL = 4 * 1024**3


@dataclass(frozen=True)
class ModelFile:
    """A model file: `format` is "pickle" or "joblib" by its content, `size` in bytes, `sha256` in hex.

    The worker is given `data`, the very bytes that were scanned, never the path again.
    """

    name: str
    data: bytes
    sha256: str
    size: int
    format: str


def read_model(path: Path) -> ModelFile:
    """The model file at `path`. Raises InputError: missing, a folder, empty, over 4 GiB, no known format."""
    data = read_bytes(path, MAX_MODEL)
    if not data:
        raise InputError("is empty", where=str(path), fix="save the model again")
    format_, what = sniff(data)
    if not format_:
        raise InputError(f"is {what}", where=str(path),
                         fix="give a model saved with pickle (protocol 2 to 5) or joblib.dump")
    return ModelFile(path.name, data, digest(data), len(data), format_)
