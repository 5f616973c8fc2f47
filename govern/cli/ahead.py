"""The model's process, started before the command line is parsed: it imports while this one does."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from govern.worker.client import Worker

COMMANDS = ("report", "measure", "demo")
ALWAYS = ("numpy", "pandas")

_ready: list[Worker] = []


@contextmanager
def started(arguments: Sequence[str]) -> Generator[None]:
    """Starts the process at once where the command in `arguments` is going to use it, and leaves none behind."""
    if not arguments or arguments[0] not in COMMANDS or {"--help", "-h"} & set(arguments):
        yield
        return
    with _new() as worker:
        _ready.append(worker)
        try:
            yield
        finally:
            _ready.clear()


def model_process() -> Worker:
    """The process for the model, a context manager: the one started ahead, or a new one."""
    return _ready.pop() if _ready else _new()


def _new() -> Worker:
    from govern.worker.client import Worker

    worker = Worker()
    worker.preload(ALWAYS)
    return worker
