"""`govern render`: cards from stored documents."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from govern.cli.params import takes
from govern.errors import ExitCode


@takes("render")
def render(
    evidence: Annotated[Path, typer.Argument(metavar="EVIDENCE", help="An evidence.json.", show_default=False)],
    given: dict[str, Any],
    verdict: Annotated[Path | None, typer.Argument(metavar="VERDICT", show_default=False,
                                                   help="The verdict.json that was made from it.")] = None,
) -> int:
    """Write cards and files for pipelines from stored documents.

    A compute.json beside the evidence is shown when it belongs to it.

    Example: govern render govern-report/evidence.json govern-report/verdict.json --format html
    """
    from govern.cli import actions, steps
    from govern.codec import write_files
    from govern.formats import html
    from govern.inputs.config import load_settings

    settings = load_settings(given, config=given.get("config"), cwd=Path(), measuring=False)
    edition = steps.edition_of(settings.report)
    drawing = steps.start_drawing(settings.report.formats, edition)
    facts = steps.stored(evidence, given)
    judged = steps.stored_verdict(verdict, facts.evidence_sha256)
    if drawing:
        html.prepare()  # the other process is not there yet
    formats = steps.formats_of(settings, drawing=drawing)
    documents = steps.stored_files(facts, evidence, judged, verdict) if "pdf" in formats else {}
    files = steps.cards(facts, judged, formats, edition, documents)
    if files:
        write_files(settings.report.out, files)
    if files and not given.get("quiet"):
        steps.say(steps.files_line(settings.report.out, files))
    if judged is not None and "github" in formats:
        actions.tell_github(settings, facts.evidence, judged, quiet=False)
    return ExitCode.PASS
