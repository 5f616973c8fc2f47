"""`compute.json`: what the model costs on this machine, at this minute."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from govern.evidence import COMPUTE_SCHEMA, Compute, Measurement
from govern.worker.processors import cores

PERCENTILES = (50, 95, 99)


def compute_document(*, load_seconds: float, single_ms: NDArray[np.float64], batch_ms: NDArray[np.float64],
                     batch_rows: int, predict_rows: int, predict_seconds: float, peak_memory_bytes: int,
                     file_bytes: int, evidence_sha256: str) -> Compute:
    """The compute document from timings in the worker; percentiles are those of the repeats (nearest above)."""
    found = [Measurement("load_time_s", load_seconds),
             *_percentiles("latency", single_ms), *_percentiles("batch_latency", batch_ms)]
    if predict_seconds > 0:
        found.append(Measurement("throughput_rows_s", predict_rows / predict_seconds))
    found += [Measurement("peak_memory_mb", peak_memory_bytes / 1e6), Measurement("file_size_mb", file_bytes / 1e6)]
    return Compute(COMPUTE_SCHEMA, evidence_sha256, machine(), tuple(found),
                   {"single_rows": len(single_ms), "batches": len(batch_ms), "batch_rows": batch_rows})


def _percentiles(name: str, times: NDArray[np.float64]) -> Iterator[Measurement]:
    for p in PERCENTILES:
        if len(times):
            value = float(np.percentile(times, p, method="higher"))
            yield Measurement(f"{name}_p{p}_ms", value)
        else:
            yield Measurement(f"{name}_p{p}_ms", None, "error", "not timed")


def machine() -> Mapping[str, Any]:
    """The kind of machine, without its name: system, processor, cores, Python."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor() or platform.machine(),
        "cores": cores(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    except OSError:
        return platform.processor()
