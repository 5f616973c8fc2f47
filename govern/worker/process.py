"""The model's process as the parent holds it: start, send, wait, end. What is asked is `client`'s matter."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from govern.errors import InputError
from govern.worker import failures
from govern.worker.protocol import Buffer, EndOfStream, Header, ProtocolError, pack, unpack

T = TypeVar("T")
Reader = Callable[[Header, Sequence[Buffer]], T]

GIB: Final = 1 << 30
LEAST_MEMORY: Final = 4 * GIB  # linear algebra libraries reserve address space that they do not use
MAX_NOISE: Final = 1 << 20
MAX_ANSWER_HEADER: Final = 8 << 20
PIPE_BYTES: Final = 1 << 20
SHORT_BYTES: Final = 1 << 16
START: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); from govern.worker.child import main; "
    "del sys.path[0]; main(sys.argv[2:])"
)
KEPT: Final = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


@dataclass(frozen=True)
class Limits:
    """What the model's process may use: address space (at least 4 GiB), processor time in all, and the time
    the parent waits for each answer.
    """

    memory_bytes: int = 8 * GIB
    cpu_seconds: int = 3600
    wall_seconds: float = 1800.0


class Pending(Generic[T]):
    """An answer that is under way; the parent may do other work until it calls `result`."""

    def __init__(self, process: Process, doing: str, read: Reader[T], max_bytes: int) -> None:
        self.doing, self.read, self.max_bytes = doing, read, max_bytes
        self.submitted = time.monotonic()
        self.arrived = threading.Event()
        self.answer: tuple[Header, list[bytearray]] | None = None
        self._process = process

    def result(self) -> T:
        """The checked answer. Raises InputError if the model raised, crashed, hung or answered nonsense."""
        return self._process.result(self)


class Process:
    """The child and the pipes to it. Answers come in the order of the requests.

    Two threads take what the child sends, answers and noise, so that neither end ever waits for the other
    to read. All other methods belong to one thread.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.name = "model"
        self.noise = bytearray()
        self._lock = threading.Lock()
        self._waiting: deque[Pending[Any]] = deque()
        self._over = False
        self._nonsense = False
        self._last_answer = 0.0
        self._fatal: InputError | None = None
        self.hello: Pending[tuple[tuple[str, ...], tuple[str, ...]]]
        self.hello = Pending(self, failures.STARTING, _read_hello, 0)
        self._waiting.append(self.hello)
        self._start()

    def _start(self) -> None:
        requests, self._to_child = os.pipe()
        self._from_child, replies = os.pipe()
        noise, noise_end = os.pipe()
        settings = {
            "memory_bytes": self._memory_bytes,
            "cpu_seconds": self.limits.cpu_seconds,
            "parent": os.getpid(),
        }
        home = str(Path(__file__).resolve().parents[2])
        # -P: nothing is imported from the working directory; the environment is ours, so -E is not needed.
        command = [sys.executable, "-P", "-c", START, home, str(requests), str(replies), json.dumps(settings)]
        try:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=noise_end,
                stderr=noise_end,
                pass_fds=(requests, replies),
                env=_environment(),
                cwd="/",
                start_new_session=True,
            )
        except OSError as e:
            for handle in (self._to_child, self._from_child, noise):
                os.close(handle)
            raise InputError(f"the model's process cannot be started: {e.strerror}", where=self.name) from e
        finally:
            for handle in (requests, replies, noise_end):
                os.close(handle)
        os.set_blocking(self._to_child, False)
        _widen(self._to_child, self._from_child)
        self._threads = [
            threading.Thread(target=self._listen, daemon=True),
            threading.Thread(target=self._keep_noise, args=(noise,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End the process and everything it started; further requests raise InputError."""
        if self._to_child < 0:
            return
        if self._fatal is None:
            self._fatal = InputError("the model's process is closed", where=self.name)
        self._kill()
        for thread in self._threads:
            thread.join(timeout=5)
        for handle in (self._to_child, self._from_child):
            os.close(handle)
        self._to_child = self._from_child = -1

    def submit(
        self, header: Header, buffers: Sequence[Buffer], doing: str, read: Reader[T], max_bytes: int
    ) -> Pending[T]:
        """The answer to a request, under way; an answer of more than `max_bytes` of buffers is refused."""
        pending = Pending(self, doing, read, max_bytes)
        with self._lock:
            if self._over:
                pending.arrived.set()
            else:
                self._waiting.append(pending)
        self.send(header, buffers, doing)
        pending.submitted = time.monotonic()
        return pending

    def send(self, header: Header, buffers: Sequence[Buffer], doing: str) -> None:
        """Write a request; waits only while the child is busy with earlier ones and the pipe is full."""
        if self._fatal is not None:
            raise self._fatal
        poll = select.poll()
        poll.register(self._to_child, select.POLLOUT)
        moved = time.monotonic()
        for piece in pack(header, buffers):
            done = 0
            while done < len(piece):
                try:
                    done += os.write(self._to_child, piece[done:])
                    moved = time.monotonic()
                except BlockingIOError:
                    poll.poll(1000 * min(1.0, self._left(moved, doing)))
                except BrokenPipeError:
                    raise self._died(doing) from None

    def result(self, pending: Pending[T]) -> T:
        """The checked answer of `pending`, waiting for it if it has not come."""
        while not pending.arrived.is_set():
            pending.arrived.wait(self._left(pending.submitted, pending.doing))
        if pending.answer is None:
            raise self._died(pending.doing)
        answer, buffers = pending.answer
        if "error" in answer:
            raise failures.reported(answer, pending.doing, self.name, self._memory_bytes)
        try:
            return pending.read(answer, buffers)
        except ProtocolError:
            raise self._end(failures.unreadable(pending.doing, self.name)) from None

    @property
    def room(self) -> int:
        """Bytes that the pipe takes before the child reads, beside a few short requests; 0 where nothing says."""
        if sys.platform != "linux":
            return 0
        import fcntl

        return max(0, fcntl.fcntl(self._to_child, fcntl.F_GETPIPE_SZ) - SHORT_BYTES)

    @property
    def _memory_bytes(self) -> int:
        return max(self.limits.memory_bytes, LEAST_MEMORY)

    def _left(self, since: float, doing: str) -> float:
        """Seconds left of the time for an answer, counted from the last sign of life; ends the child at 0."""
        left = max(since, self._last_answer) + self.limits.wall_seconds - time.monotonic()
        if left <= 0:
            raise self._end(failures.silent(self.limits.wall_seconds, doing, self.name))
        return left

    def _died(self, doing: str) -> InputError:
        if self._fatal is not None:
            return self._fatal
        if self._nonsense:
            return self._end(failures.unreadable(doing, self.name))
        try:
            code: int | None = self._child.wait(timeout=2)
        except subprocess.TimeoutExpired:
            code = None
        return self._end(failures.ended(code, doing, self.name))

    def _end(self, error: InputError) -> InputError:
        if self._fatal is None:
            self._fatal = error
        self._kill()
        return self._fatal

    def _kill(self) -> None:
        if self._child.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()

    def _listen(self) -> None:
        """Take answers off the pipe as they come, until it ends; then nobody waits any longer."""
        try:
            while True:
                answer = unpack(self._read, self._allowed, MAX_ANSWER_HEADER)
                with self._lock:
                    if not self._waiting:
                        raise ProtocolError("an answer to nothing")
                    pending = self._waiting.popleft()
                pending.answer = answer
                self._last_answer = time.monotonic()
                pending.arrived.set()
        except EndOfStream:
            pass
        except (ProtocolError, OSError, MemoryError):
            self._nonsense = True
        with self._lock:
            self._over = True
        for pending in self._waiting:
            pending.arrived.set()

    def _allowed(self) -> int:
        with self._lock:
            return self._waiting[0].max_bytes if self._waiting else 0

    def _read(self, count: int) -> bytearray:
        data = bytearray(count)
        view, got = memoryview(data), 0
        while got < count:
            more = os.readv(self._from_child, [view[got:]])
            if more == 0:
                raise EndOfStream
            got += more
        return data

    def _keep_noise(self, handle: int) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(handle, 1 << 16):
                self.noise += data[: max(0, MAX_NOISE - len(self.noise))]
        os.close(handle)


def _read_hello(answer: Header, buffers: Sequence[Buffer]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    layers, left_open = answer.get("layers"), answer.get("open")
    if not isinstance(layers, list) or not isinstance(left_open, list):
        raise ProtocolError("not a greeting")
    return tuple(map(str, layers)), tuple(map(str, left_open))


def _widen(*handles: int) -> None:
    """Larger pipes where the system allows it: fewer turns between the processes for the same bytes."""
    if sys.platform == "linux":
        import fcntl

        for handle in handles:
            with contextlib.suppress(OSError):
                fcntl.fcntl(handle, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _environment() -> dict[str, str]:
    """The child's whole environment: no tokens, no home; one thread, threads that do not spin while they
    wait, fixed hashing, no process pools."""
    kept = {k: v for k, v in os.environ.items() if k in KEPT or k.startswith("OPENBLAS_")}
    return kept | {
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "NUMBA_NUM_THREADS": "1",
        "VECLIB_MAXIMUM_THREADS": "1",
        "LOKY_MAX_CPU_COUNT": "1",
        "JOBLIB_MULTIPROCESSING": "0",
    }
