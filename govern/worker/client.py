"""What the parent asks the model's process: load, predict, check, explain, time, own metrics; checked answers.

Imports nothing heavy: the process is started before the parent imports numpy to read the answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final

from govern.errors import InputError
from govern.worker import failures
from govern.worker.process import Limits, Pending, Process
from govern.worker.protocol import Buffer, Header

if TYPE_CHECKING:
    import pyarrow as pa

    from govern.worker.replies import CustomReply, Described, Explained, Prediction, SmokeReply, Timed

__all__ = ["Limits", "Pending", "Worker"]

SMOKE_ROWS: Final = 20
EXPLAIN_ROWS: Final = 1000
EXPLAIN_EVALUATIONS: Final = 150_000


class Worker:
    """A process in which a model is loaded and called; a context manager that leaves no process behind.

    It starts at once, so that it can import while the parent goes on reading. Requests are answered in
    order. On Linux the process ends with the thread that started it: start it from one that lives on.
    """

    def __init__(self, limits: Limits | None = None, model_path: Sequence[Path] = ()) -> None:
        self._process = Process(limits or Limits())
        self._described: Described | None = None
        self._file_layer: tuple[str, ...] = ()
        if model_path:
            self.preload((), model_path)

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process and everything it started; further requests raise InputError."""
        self._process.close()

    @property
    def layers(self) -> tuple[str, ...]:
        """The containment in force, by name: "no network (seccomp)", "address space 8 GiB" …"""
        return self._process.hello.result()[0] + self._file_layer

    @property
    def open(self) -> tuple[str, ...]:
        """What this platform or this version does not close off, by name."""
        return self._process.hello.result()[1]

    @property
    def output(self) -> str:
        """What the model's process wrote to its standard output and error so far, cut after a limit."""
        return bytes(self._process.noise).decode(errors="replace")

    def preload(self, modules: Sequence[str], model_path: Sequence[Path] = ()) -> None:
        """Ask the process to import libraries now, in order with the other requests; returns at once.

        `model_path` are further folders in which it finds the model's own modules.
        """
        folders = [str(p.resolve()) for p in model_path]
        self._process.send({"op": "preload", "modules": list(modules), "path": folders}, (), failures.STARTING)

    def load(self, data: bytes, format: str, name: str) -> Described:
        """The description of the model in `data`, the very bytes scanned; `name` is used in messages."""
        return self.submit_load(data, format, name).result()

    def submit_load(self, data: bytes, format: str, name: str) -> Pending[Described]:
        """As `load`, without waiting for the answer; waits until the process reads where `data` exceeds `room`."""
        self._process.name = name
        request = {"op": "load", "format": format}
        return self._process.submit(request, [data], failures.LOADING, self._read_loaded, 0)

    @property
    def room(self) -> int:
        """Bytes that can be sent to a process that does not read yet."""
        return self._process.room

    def predict(self, batch: pa.RecordBatch, positive: str | None) -> Prediction:
        """The predictions for `batch`, which has exactly the feature columns in the model's order.

        `positive` is the class whose scores are given back, None for those of all classes (and a regressor).
        """
        return self.submit_predict(batch, positive).result()

    def submit_predict(self, batch: pa.RecordBatch, positive: str | None) -> Pending[Prediction]:
        """As `predict`, without waiting for the answer."""
        described, rows = self._model_with(positive), batch.num_rows
        n_classes = len(described.classes)

        def read(answer: Header, buffers: Sequence[Buffer]) -> Prediction:
            from govern.worker.replies import read_prediction

            return read_prediction(answer, buffers, rows, n_classes, described.has_score, positive is None)

        header, buffers = _batch_request("predict", batch, positive)
        size = rows * (4 + 8 * (n_classes if positive is None and n_classes else 1))
        return self._process.submit(header, buffers, failures.PREDICTING, read, size)

    def smoke(self, batch: pa.RecordBatch, positive: str | None) -> SmokeReply:
        """Whether the first 20 rows at most give the same answer twice, and alone as in a batch."""
        return self.submit_smoke(batch, positive).result()

    def submit_smoke(self, batch: pa.RecordBatch, positive: str | None) -> Pending[SmokeReply]:
        """As `smoke`, without waiting for the answer."""
        self._model_with(positive)
        batch = batch.slice(0, SMOKE_ROWS)
        header, buffers = _batch_request("smoke", batch, positive)

        def read(answer: Header, buffers: Sequence[Buffer]) -> SmokeReply:
            from govern.worker.replies import read_smoke

            return read_smoke(answer, buffers, batch.num_rows)

        return self._process.submit(header, buffers, failures.CHECKING, read, 0)

    def explain(self, rows: pa.RecordBatch, background: pa.RecordBatch, positive: str | None, seed: int = 0, *,
                rows_budget: int = EXPLAIN_ROWS, evaluations_budget: int = EXPLAIN_EVALUATIONS,
                declared: bool = False) -> Explained:
        """Attributions for the first of `rows`, as many as the budgets allow and at least one."""
        return self.submit_explain(rows, background, positive, seed, rows_budget=rows_budget,
                                   evaluations_budget=evaluations_budget, declared=declared).result()

    def submit_explain(self, rows: pa.RecordBatch, background: pa.RecordBatch, positive: str | None, seed: int = 0, *,
                       rows_budget: int = EXPLAIN_ROWS, evaluations_budget: int = EXPLAIN_EVALUATIONS,
                       declared: bool = False) -> Pending[Explained]:
        """As `explain`, without waiting for the answer.

        What explains the model is kept, so that rows may be sent part by part with the same background and seed.
        `positive` is the class whose output is explained, None for all classes and for numbers. `evaluations_budget`
        counts rows given to the model; an exact explainer of trees counts its work in them, so that the budget gives
        the same rows on every machine. Where the background is `declared`, all methods compare with these rows;
        otherwise trees are compared with what they counted in training.
        """
        described = self._model_with(positive)
        features, n = tuple(rows.schema.names), rows.num_rows
        labels: tuple[str | None, ...] = (described.classes or (None,)) if positive is None else (None,)
        header, buffers = _batch_request("explain", rows, positive)
        behind, more = _batch_request("explain", background, positive)
        header |= {"background": behind["batch"], "seed": seed, "rows_budget": rows_budget,
                   "evaluations_budget": evaluations_budget, "declared": declared}

        def read(answer: Header, buffers: Sequence[Buffer]) -> Explained:
            from govern.worker.replies import read_explained

            return read_explained(answer, buffers, min(n, max(1, rows_budget)), features, labels)

        size = 8 * len(labels) * (n * (len(features) + 1) + 1)
        return self._process.submit(header, [*buffers, *more], failures.EXPLAINING, read, size)

    def time(
        self,
        batch: pa.RecordBatch,
        positive: str | None,
        single_repeats: int = 100,
        batch_repeats: int = 5,
        budget_seconds: float = 0.5,
    ) -> Timed:
        """How long the model takes for one row and for the batch, and the peak memory of its process."""
        return self.submit_time(batch, positive, single_repeats, batch_repeats, budget_seconds).result()

    def submit_time(
        self,
        batch: pa.RecordBatch,
        positive: str | None,
        single_repeats: int = 100,
        batch_repeats: int = 5,
        budget_seconds: float = 0.5,
    ) -> Pending[Timed]:
        """As `time`, without waiting for the answer."""
        self._model_with(positive)
        header, buffers = _batch_request("time", batch, positive)
        header |= {"single_repeats": single_repeats, "batch_repeats": batch_repeats}
        header |= {"budget_seconds": budget_seconds}

        def read(answer: Header, buffers: Sequence[Buffer]) -> Timed:
            from govern.worker.replies import read_timed

            return read_timed(answer, buffers, batch.num_rows)

        return self._process.submit(header, buffers, failures.TIMING, read, 8 * (single_repeats + batch_repeats))

    def submit_custom(self, function: str, header: Header, buffers: Sequence[Buffer], replicates: int, blocks: int,
                      seed: int) -> Pending[CustomReply]:
        """The value of a metric of the user's own, `module:function`, its bootstrap replicates and its values without
        one of some blocks of the rows, under way; a model need not be loaded. `header` and `buffers` are rows as
        `custom.rows_of` reads them.
        """

        def read(answer: Header, buffers: Sequence[Buffer]) -> CustomReply:
            from govern.worker.replies import read_custom

            return read_custom(answer, buffers, replicates, blocks)

        request = {"op": "custom", "function": function, "replicates": replicates, "blocks": blocks, "seed": seed,
                   **header}
        return self._process.submit(request, buffers, failures.MEASURING, read, 8 * (replicates + blocks))

    def _model_with(self, positive: str | None) -> Described:
        if self._described is None:
            raise InputError("no model is loaded", where=self._process.name)
        known = self._described.classes
        if known and positive is not None and positive not in known:
            labels = ", ".join(known[:10])
            what = f'the model has no class "{positive}"; its classes are {labels}'
            raise InputError(what, where=self._process.name, fix="name one of them with --positive")
        return self._described

    def _read_loaded(self, answer: Header, buffers: Sequence[Buffer]) -> Described:
        self._file_layer = ("no writing to files",) if answer.get("layer") else ()
        from govern.worker.replies import read_described

        self._described = read_described(answer, buffers)
        return self._described


def _batch_request(operation: str, batch: pa.RecordBatch, positive: str | None) -> tuple[Header, list[Buffer]]:
    from govern.worker.frames import encode

    described, buffers = encode(batch)
    return {"op": operation, "batch": described, "positive": positive}, buffers
