"""The model's process: enter the sandbox, then answer requests in order until the pipe closes.

Started by `client.Worker` with two private pipes; its standard output and error are noise that the parent
keeps for `--verbose`, never part of an answer.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from govern.worker import later, sandbox
from govern.worker.load import Loaded, load
from govern.worker.protocol import Buffer, EndOfStream, Failure, Header, pack, unpack

MAX_TEXT: Final = 500
MAX_REQUEST: Final = 1 << 40

Reply = tuple[Header, Sequence[Buffer]]


def main(arguments: Sequence[str]) -> NoReturn:
    """Serve; `arguments` are the descriptors to read and to write and the settings as JSON."""
    requests, replies, settings = int(arguments[0]), int(arguments[1]), json.loads(arguments[2])
    layers, left_open = sandbox.enter(settings["memory_bytes"], settings["cpu_seconds"], settings["parent"])
    _write(replies, pack({"layers": layers, "open": left_open}))
    later.install()
    server = _Server()
    with contextlib.suppress(EndOfStream, BrokenPipeError):
        while True:
            request, buffers = unpack(lambda n: _read(requests, n), lambda: MAX_REQUEST)
            if request["op"] == "preload":
                server.find_in(request["path"])
                server.preload(request["modules"])
            else:
                _write(replies, server.answer(request, buffers))
    os._exit(0)


class _Server:
    """What is kept between requests: the loaded model, the folders of the user's own modules."""

    def __init__(self) -> None:
        self.loaded: Loaded | None = None
        self.folders: list[str] = []

    def find_in(self, folders: Sequence[str]) -> None:
        """Look for modules of the model and of the user in these folders too."""
        self.folders += folders
        sys.path += folders

    def preload(self, modules: Sequence[str]) -> None:
        """Import modules ahead of their use; what cannot be imported shows when it is needed."""
        # Imports leave few cycles; looking for them takes a tenth of their time. scikit-learn tries rich for the
        # progress of fits, of which there are none here.
        gc.disable()
        with later.absent("rich.progress"):
            for name in modules:
                with contextlib.suppress(Exception):
                    _import(name)
        gc.enable()

    def answer(self, request: Header, buffers: Sequence[Buffer]) -> list[memoryview]:
        """The reply to one request, an error being a reply too."""
        try:
            return pack(*self._answer(request, buffers))
        except Failure as e:
            return pack({"error": e.kind, **{k: v[:MAX_TEXT] for k, v in e.details.items()}})
        except MemoryError:
            return pack({"error": "memory"})
        except BaseException as e:
            # The model's code may raise anything, SystemExit included; the trace goes to the noise.
            traceback.print_exc()
            return pack({"error": "raised", "text": _message(e)[:MAX_TEXT]})

    def _answer(self, request: Header, buffers: Sequence[Buffer]) -> Reply:
        if request["op"] == "load":
            return self._load(buffers[0], request["format"])
        if request["op"] == "custom":
            return self._custom(request, buffers)
        if self.loaded is None:
            raise Failure("unsupported", text="no model is loaded")
        return _ON_BATCH[request["op"]](self.loaded, request, buffers)

    def _load(self, data: Buffer, format: str) -> Reply:
        layer = self._forbid_writing()
        self.loaded, description = load(data, format)
        return {**description, "layer": layer}, []

    def _forbid_writing(self) -> str | None:
        # numpy and joblib reserve shared memory at import, which needs files that grow: import them before.
        self.preload(["numpy", "joblib"])
        sys.dont_write_bytecode = True
        return sandbox.forbid_writing()

    def _custom(self, request: Header, buffers: Sequence[Buffer]) -> Reply:
        self._forbid_writing()
        from govern.worker import custom

        function = custom.find(request["function"], self.folders)
        rows = custom.rows_of(request, buffers)
        try:
            value, *arrays = custom.measure(function, rows, request["replicates"], request["blocks"], request["seed"])
        except ValueError as e:
            return {"reason": str(e)[:MAX_TEXT]}, []
        return {"value": value}, [a.data for a in arrays]


def _batch(loaded: Loaded, batch: Header, buffers: Sequence[Buffer]) -> Any:
    from govern.worker.frames import decode

    return decode(batch, buffers, frame=loaded.names is not None)


def _predict(loaded: Loaded, request: Header, buffers: Sequence[Buffer]) -> Reply:
    from govern.worker.predict import predict

    x = _batch(loaded, request["batch"], buffers)
    started, loading = time.perf_counter(), later.seconds()
    found = predict(loaded, x, request["batch"]["rows"], request["positive"])
    seconds = time.perf_counter() - started - (later.seconds() - loading)
    answer = {"invalid_rows": found.invalid_rows, "not_finite": found.not_finite, "seconds": seconds}
    return answer, [a.data for a in (found.labels, found.score, found.values) if a is not None]


def _smoke(loaded: Loaded, request: Header, buffers: Sequence[Buffer]) -> Reply:
    from govern.worker.predict import smoke

    x = _batch(loaded, request["batch"], buffers)
    repeat, batch = smoke(loaded, x, request["batch"]["rows"], request["positive"])
    return {"repeat_difference": repeat, "batch_difference": batch}, []


def _explain(loaded: Loaded, request: Header, buffers: Sequence[Buffer]) -> Reply:
    import numpy as np

    from govern.worker.explain import explain

    here = sum(c["parts"] for c in request["batch"]["columns"])
    x = _batch(loaded, request["batch"], buffers[:here])
    background = _batch(loaded, request["background"], buffers[here:])
    found = explain(loaded, x, background, request["positive"], request["seed"], request["rows_budget"],
                    request["evaluations_budget"], request["declared"])
    answer = {
        "method": found.method,
        "space": found.space,
        "exact": found.exact,
        "background": found.background,
        "background_rows": found.background_rows,
        "evaluations": found.evaluations,
    }
    return answer, [np.ascontiguousarray(a).data for a in (found.values, found.outputs, found.bases)]


def _time(loaded: Loaded, request: Header, buffers: Sequence[Buffer]) -> Reply:
    from govern.worker.timing import peak_memory_bytes, time_calls

    x = _batch(loaded, request["batch"], buffers)
    rows = request["batch"]["rows"]
    single, batch = time_calls(
        loaded, x, rows, request["single_repeats"], request["batch_repeats"], request["budget_seconds"]
    )
    return {"peak_memory_bytes": peak_memory_bytes()}, [single.data, batch.data]


_ON_BATCH: Final = {"predict": _predict, "smoke": _smoke, "explain": _explain, "time": _time}


def _import(name: str) -> None:
    if name == "shap":
        from govern.worker.trees import import_shap

        import_shap()
    else:
        importlib.import_module(name)


def _message(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return "it asked to exit"
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = ""
    return text or f"{type(error).__name__} without a message"


def _read(handle: int, count: int) -> bytearray:
    data = bytearray(count)
    view = memoryview(data)
    got = 0
    while got < count:
        more = os.readv(handle, [view[got:]])
        if more == 0:
            raise EndOfStream
        got += more
    return data


def _write(handle: int, pieces: Sequence[memoryview]) -> None:
    for piece in pieces:
        done = 0
        while done < len(piece):
            done += os.write(handle, piece[done:])
