"""The model's file, scanned and on its way into the process that waits for it. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from govern.errors import InputError
from govern.inputs.models import ModelFile, read_model
from govern.inputs.scan import ScanResult, modules_needed, scan
from govern.inputs.settings import Settings
from govern.worker.client import Pending, Worker
from govern.worker.processors import cores

if TYPE_CHECKING:
    from govern.worker.replies import Described


@dataclass(frozen=True)
class Started:
    """A model file that passed the static scan, and the process that is going to load it or does so already."""

    file: ModelFile
    scanned: ScanResult
    worker: Worker
    loading: Pending[Described] | None = None

    def described(self) -> Described:
        """The description of the loaded model, waited for. Raises InputError where it cannot be loaded."""
        loading = self.loading or self.worker.submit_load(self.file.data, self.file.format, self.file.name)
        return loading.result()


def start(worker: Worker, settings: Settings) -> Started | None:
    """The model of the settings, scanned, its libraries being imported in `worker`; None, and the worker ended,
    where stored predictions are judged. A model that can be sent without waiting is loaded as soon as they are there,
    except on one processor, where loading it would be timed beside this process.

    Raises InputError for a file that cannot be read or that the scan refuses.
    """
    if settings.model.path is None:
        worker.close()
        return None
    file = read_model(settings.model.path)
    scanned = scan(file.data, settings.model.trust)
    refuse(scanned, str(settings.model.path))
    worker.preload(modules_needed(scanned), settings.model.path_extra)
    if len(file.data) > worker.room or cores() == 1:
        return Started(file, scanned, worker)
    return Started(file, scanned, worker, worker.submit_load(file.data, file.format, file.name))


def refuse(found: ScanResult, where: str) -> None:
    """Raises InputError when a scanned file names what is not allowed, with the first name and what to do."""
    if found.ok:
        return
    first = found.refused[0]
    more = f" and {len(found.refused) - 1} more" if len(found.refused) > 1 else ""
    trust = f"if it is yours, --trust {first.trust}; " if first.trust else ""
    raise InputError(f"refused: {first.name}: {first.why}{more}", where=where,
                     fix=f"{trust}govern scan {where} lists all")
