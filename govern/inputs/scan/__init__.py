"""Static scan of model files: what a pickle or joblib file would use, found without loading it.

Layer one of three: a file that passes is still loaded only in the worker process. The scan reads with
the standard library's pickle machine made inert (machine.py) and holds what it finds against an exact
allow-list (allowed.json, made by tools/make_allowlist.py). It cannot stop a native crash inside an
allowed class, a loop inside allowed code, or a model that is wrong on purpose.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from govern.errors import printable
from govern.inputs.scan.allowlist import allowed, join, trust_of
from govern.inputs.scan.machine import Machine, Trace
from govern.inputs.scan.nodes import Refused
from govern.inputs.scan.rules import Refusal, judge
from govern.inputs.scan.source import Source, sniff

__all__ = ["Refusal", "ScanResult", "modules_needed", "scan"]


@dataclass(frozen=True)
class ScanResult:
    """What a file uses and why it is refused.

    `format` is "pickle", "joblib" or "unknown", `codec` none, zlib, gzip, bz2, xz, lzma or lz4; `names`
    are the sorted names the file refers to, `trusted` the `--trust` texts it made use of.
    """

    format: str
    codec: str
    names: tuple[str, ...]
    refused: tuple[Refusal, ...]
    trusted: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True when nothing is refused: the file may be loaded in the worker."""
        return not self.refused


def scan(data: bytes, trust: Sequence[str] = ()) -> ScanResult:
    """What a model file would use and do, without importing or running anything of it.

    Raises InputError only for a `trust` text that would open a library; anything wrong with the file,
    a failure of the reader included, is a Refusal.
    """
    allow = allowed()
    granted = trust_of(trust, allow)
    format_, codec = sniff(data)
    if not format_:
        return ScanResult("unknown", "none", (), (Refusal("format", f"is {codec}"),))
    trace, root, broken = Trace(), None, None
    try:
        source = Source(data, codec)
        root = Machine(source, trace, arrays=format_ == "joblib").load()
        if not source.at_end():
            raise Refused("trailing bytes", "bytes follow the end of the pickle")
    except Refused as refused:
        broken = Refusal(printable(refused.name), refused.why)
    except (RecursionError, MemoryError):
        broken = Refusal("size", "is too deep or too large to inspect")
    except Exception as error:
        broken = Refusal("damaged", f"cannot be read as a {format_} file ({_reason(error)})")
    refused_names: list[Refusal] = []
    used: set[str] = set()
    try:
        refused_names, used = judge(trace, root, allow, granted)
    except Exception as error:
        broken = broken or Refusal("damaged", f"cannot be judged ({_reason(error)})")
    if broken is not None and not any(broken.name == one.name for one in refused_names):
        refused_names.append(broken)
    return ScanResult(format_, codec, join(trace.names), tuple(refused_names), tuple(sorted(used)))


def _reason(error: Exception) -> str:
    words: dict[type[Any], str] = {
        IndexError: "it takes more than was put in, or ends early",
        KeyError: "an operation or memo place that does not exist",
        EOFError: "it ends early",
    }
    return words.get(type(error)) or printable(error) or "broken"


def modules_needed(result: ScanResult) -> tuple[str, ...]:
    """Sorted top-level packages, known and outside the standard library, that loading the file will import.

    Modules the user trusts are left out: they are imported only when the model is loaded.
    """
    known = set(result.names) - set(result.trusted)
    tops = {name.partition(".")[0] for name in known} - set(sys.stdlib_module_names) - {"__main__"}
    if result.format == "joblib":
        tops.add("joblib")
    return tuple(sorted(top for top in tops if top.isidentifier() and not top.startswith("_")))
