"""The process that draws the second half of a PDF (`pdfsecond.py`) while this one draws the first: drawing has one
thread. It is ours, so what the two say to each other goes over its standard input and output as pickles.
"""

from __future__ import annotations

import atexit
import contextlib
import pickle
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import IO, Any, cast

from govern.errors import InputError

# -P: nothing is imported from the working directory; our own package need not be installed.
START = ("import sys; sys.path.insert(0, sys.argv[1]); from govern.formats.pdfsecond import main; del sys.path[0]; "
         "main(sys.argv[2])")
PIPE_BYTES = 1 << 20  # a card can be sent to a process that does not read yet
HOME = str(Path(__file__).resolve().parents[2])

_ready: list[Drawer] = []


class Drawer:
    """The process, as the one that draws the first half holds it."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="govern-")
        try:
            self._process = subprocess.Popen([sys.executable, "-P", "-c", START, HOME, self._folder],
                                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                             pipesize=PIPE_BYTES)
        except OSError as err:
            shutil.rmtree(self._folder)
            raise InputError(f"the process that draws half of a PDF cannot be started: {err.strerror}",
                             fix="ask for html only") from err
        self._told = False
        self._to, self._from = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)

    def say(self, what: Any) -> None:
        """Sends something; nothing where the process has ended, which the next `hear` tells."""
        with contextlib.suppress(BrokenPipeError):
            pickle.dump(what, self._to)
            self._to.flush()

    def hear(self) -> Any:
        """What it sends next. Raises the InputError that it ended in, or one that says that it has ended."""
        self.ready()
        return self._next()

    def ready(self) -> None:
        """Waits until it can draw. Raises PdfUnavailable where it cannot."""
        if not self._told:
            self._told = True
            self._next()

    def _next(self) -> Any:
        try:
            failed, heard = pickle.load(self._from)  # noqa: S301 - from our own process
        except (EOFError, OSError, pickle.UnpicklingError):
            code = self._process.wait()
            how = f"by signal {-code}" if code < 0 else f"with {code}"
            raise InputError(f"the process that draws half of the PDF was ended {how}",
                             fix="give it more memory, or ask for html only") from None
        if not failed:
            return heard
        if isinstance(heard, InputError):
            raise heard
        raise RuntimeError(heard)

    def end(self) -> None:
        """Ends the process, and what it leaves."""
        self._process.kill()
        self._process.communicate()
        shutil.rmtree(self._folder, ignore_errors=True)


def start() -> None:
    """Starts the process, if none is ready, so that it imports what it needs meanwhile."""
    if not _ready:
        _ready.append(Drawer())


def refused() -> str | None:
    """Why the process that was started can draw no PDF, in one line; None when it can."""
    try:
        with drawer() as one:
            one.ready()
    except InputError as err:
        return err.one_line()
    return None


@contextlib.contextmanager
def drawer() -> Generator[Drawer]:
    """The process; it is kept for the next PDF where this one succeeds."""
    one = _ready.pop() if _ready else Drawer()
    try:
        yield one
    except BaseException:
        one.end()
        raise
    _ready.append(one)


@atexit.register
def _end() -> None:
    while _ready:
        _ready.pop().end()
