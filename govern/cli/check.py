"""`govern check`: judge stored evidence, without model, data or a heavy import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from govern.cli.params import takes


@takes("check")
def check(
    evidence: Annotated[Path, typer.Argument(metavar="EVIDENCE", help="An evidence.json.", show_default=False)],
    given: dict[str, Any],
) -> int:
    """Judge stored evidence by policy; the exit code is the verdict's. Writes verdict.json with --out.

    Example: govern check govern-report/evidence.json --policy baseline --policy house.yaml
    """
    from govern.cli import steps
    from govern.codec import document, write_files
    from govern.inputs.config import load_settings
    from govern.inputs.lockfile import read_lock

    settings = load_settings(given, config=given.get("config"), cwd=Path(), measuring=False)
    facts = steps.stored(evidence, given)
    policies = steps.policies_of(settings, facts.evidence)
    lock = read_lock(given["lock"]).subject.sha256 if "lock" in given else None
    verdict = steps.judged(facts, settings, policies, given, steps.baseline_of(given), lock)
    files = {}
    if "report.out" in given:
        files = {"verdict.json": document(verdict)}
        write_files(settings.report.out, files)
    if not given.get("quiet"):
        steps.show(facts.evidence, verdict, files, settings.report.out)
    return verdict.exit_code
