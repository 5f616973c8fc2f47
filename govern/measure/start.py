"""The model's file, scanned and on its way into the process that waits for it. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass

from govern.errors import InputError
from govern.inputs.config import Settings
from govern.inputs.models import ModelFile, read_model
from govern.inputs.scan import ScanResult, modules_needed, scan
from govern.worker.client import Worker


@dataclass(frozen=True)
class Started:
    """A model file that passed the static scan, and the process in which it is going to be loaded."""

    file: ModelFile
    scanned: ScanResult
    worker: Worker


def start(worker: Worker, settings: Settings) -> Started | None:
    """The model of the settings, scanned, its libraries being imported in `worker`; None, and the worker ended,
    where stored predictions are judged.

    Raises InputError for a file that cannot be read or that the scan refuses.
    """
    if settings.model.path is None:
        worker.close()
        return None
    file = read_model(settings.model.path)
    scanned = scan(file.data, settings.model.trust)
    refuse(scanned, str(settings.model.path))
    worker.preload(modules_needed(scanned), settings.model.path_extra)
    return Started(file, scanned, worker)


def refuse(found: ScanResult, where: str) -> None:
    """Raises InputError when a scanned file names what is not allowed, with the first name and what to do."""
    if found.ok:
        return
    first = found.refused[0]
    more = f" and {len(found.refused) - 1} more" if len(found.refused) > 1 else ""
    trust = f"if it is yours, --trust {first.trust}; " if first.trust else ""
    raise InputError(f"refused: {first.name}: {first.why}{more}", where=where,
                     fix=f"{trust}govern scan {where} lists all")
