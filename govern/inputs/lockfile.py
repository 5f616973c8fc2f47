"""The lock file: found, read and checked before anything is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from govern.codec import encode, load
from govern.errors import InputError
from govern.evidence import Subject
from govern.inputs.settings import Settings
from govern.lock import LOCK_SCHEMA, Lock, flaw

LOCK_NAME = "govern.lock"
MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class LockFile:
    """A lock file as the evidence records it: the subject with its digest, and what it says."""

    lock: Lock
    subject: Subject

    @property
    def content(self) -> Mapping[str, Any]:
        """The content as plain data."""
        content: Mapping[str, Any] = encode(self.lock)
        return content


def place_of(given: Mapping[str, Any], settings: Settings) -> Path:
    """Where the lock file of a run is: `--lock`, else beside the settings file, else in the working folder."""
    if "lock" in given:
        return Path(given["lock"])
    return (settings.config_file.parent if settings.config_file else Path()) / LOCK_NAME


def find_lock(given: Mapping[str, Any], settings: Settings) -> LockFile | None:
    """The lock file of a run; None where none was asked for and none lies at its usual place. Raises InputError."""
    path = place_of(given, settings)
    return read_lock(path) if "lock" in given or path.exists() else None


def read_lock(path: Path) -> LockFile:
    """The lock in a file of at most a million bytes. Raises InputError for one that `govern policy lock` did not
    write so."""
    lock, sha256 = load(path, Lock, LOCK_SCHEMA, MAX_BYTES)
    wrong = flaw(lock, sha256)
    if wrong is not None:
        raise InputError(f"was edited: {wrong}", where=str(path), fix="write it anew: govern policy lock --replace")
    return LockFile(lock, Subject("policy-lock", path.name, sha256, path.stat().st_size, "json"))
