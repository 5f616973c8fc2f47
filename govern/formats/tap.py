"""TAP version 13: a test line for each finding, what was seen as its YAML block.

A binding finding is `not ok`. One that failed without binding, or is not settled, is `not ok … # TODO`, which a harness
shows and does not count; one that is waived or does not apply is `ok … # SKIP` with the reason.

Source: https://testanything.org/tap-version-13-specification.html; `#` and `\\` are escaped as version 14 says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from govern.evidence import Evidence
from govern.formats.results import Result, results
from govern.verdict import Verdict

ASIDE = ("to_sign", "waived", "n/a")


def tap(evidence: Evidence, verdict: Verdict, digests: Mapping[str, str]) -> str:
    """The results as lines of TAP; digests of the documents as comments."""
    found = results(evidence, verdict)
    lines = ["TAP version 13", f"1..{len(found)}", f"# {verdict.outcome}"]
    lines += [f"# {name} sha256 {sha}" for name, sha in digests.items()]
    for number, result in enumerate(found, 1):
        lines += _lines(number, result)
    return "\n".join(lines) + "\n"


def _lines(number: int, result: Result) -> list[str]:
    good = result.sort in ("pass", *ASIDE)
    line = f"{'ok' if good else 'not ok'} {number} - {_escaped(f'{result.policy} {result.name}')}"
    if result.sort in ASIDE:
        line += f" # SKIP {_escaped(result.aside or result.seen)}"
    elif not good and not result.binds:
        line += f" # TODO {_escaped(result.word)}, does not bind"
    block = {"outcome": result.word, "severity": result.finding.severity, "counts_as": result.finding.counts_as,
             "message": result.seen, "bound": result.bound, "settle": result.settle, "waiver": result.aside,
             "at": f"{result.path}:{result.line}"}
    return [line, "  ---", *(f"  {k}: {_quoted(v)}" for k, v in block.items() if v), "  ..."]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("#", "\\#")


def _quoted(text: str) -> str:
    """A double-quoted YAML scalar: JSON strings are that."""
    return json.dumps(text, ensure_ascii=False)
