"""GitHub Actions: an annotation for each open finding, as workflow commands on standard output.

Source: https://docs.github.com/actions/reference/workflow-commands-for-github-actions; of a value `%`, CR and LF are
written as `%25`, `%0D`, `%0A`, of a property `:` and `,` too.
"""

from __future__ import annotations

from collections.abc import Mapping

from govern.evidence import Evidence
from govern.formats.results import Result, results, urgent
from govern.verdict import Verdict

COMMANDS = {"block": "error", "review": "warning", "warn": "notice", "not_settled": "notice", "info": "notice",
            "to_sign": "notice", "waived": "notice"}


def github(evidence: Evidence, verdict: Verdict, digests: Mapping[str, str]) -> str:
    """Workflow commands, a line each, the most urgent first; empty where nothing is open."""
    found = urgent(results(evidence, verdict))
    return "".join(_command(r) + "\n" for r in found if r.sort in COMMANDS)


def _command(result: Result) -> str:
    effect = f" ({result.finding.counts_as})" if result.binds else ""
    properties = {"title": f"{result.id}: {result.word}{effect}"}
    if not result.shipped:
        properties |= {"file": result.path, "line": str(result.line)}
    shown = ",".join(f"{k}={_property(v)}" for k, v in properties.items())
    return f"::{COMMANDS[result.sort]} {shown}::{_value(chr(10).join([result.title, *result.parts]))}"


def _value(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _value(text).replace(":", "%3A").replace(",", "%2C")
