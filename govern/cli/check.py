"""`govern check`: judge stored evidence, without model, data or a heavy import."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from govern.cli.params import takes
from govern.errors import InputError

if TYPE_CHECKING:
    from govern.inputs.settings import Settings


@takes("check")
def check(
    evidence: Annotated[Path, typer.Argument(metavar="EVIDENCE", help="An evidence.json.", show_default=False)],
    given: dict[str, Any],
) -> int:
    """Judge stored evidence by policy; the exit code is the verdict's. Writes verdict.json with --out.

    Examples:

    govern check govern-report/evidence.json --policy baseline --policy house.yaml

    govern check govern-report/evidence.json --format junit --format sarif --out checked
    """
    from govern.cli import actions, steps
    from govern.codec import as_stored, digest, write_files
    from govern.formats.ci import FILES
    from govern.inputs.config import load_settings
    from govern.inputs.lockfile import read_lock

    settings = load_settings(given, config=given.get("config"), cwd=Path(), measuring=False)
    formats = _formats(settings, given)
    facts = steps.stored(evidence, given)
    policies = steps.policies_of(settings, facts.evidence)
    lock = read_lock(given["lock"]).subject.sha256 if "lock" in given else None
    verdict, data = as_stored(steps.judged(facts, settings, policies, given, steps.baseline_of(given), lock))
    judged, files = (verdict, digest(data)), {}
    if "report.out" in given:
        files = {"verdict.json": data, **steps.pipeline_files(facts.evidence, judged, formats)}
        write_files(settings.report.out, files, replaces=tuple(FILES.values()))
    if not given.get("quiet"):
        steps.show(facts.evidence, verdict, files, settings.report.out)
    actions.tell_github(settings, facts.evidence, judged, quiet=bool(given.get("quiet")))
    return verdict.exit_code


def _formats(settings: Settings, given: dict[str, Any]) -> tuple[str, ...]:
    """The formats to write: those asked for, without the cards that a settings file may name.

    Raises InputError for a flag that asks for a card, or for a file without a folder.
    """
    from govern.formats.ci import FILES, FORMATS

    asked = settings.report.formats if settings.formats_asked else ()
    for name in asked if settings.source["report.formats"] == "flag" else ():
        if name not in FORMATS:
            raise InputError("is the card, which check does not draw", where=f"--format {name}",
                             fix="use govern render on the evidence and the verdict")
        if name in FILES and "report.out" not in given:
            raise InputError(f"is the file {FILES[name]}, and no folder was given", where=f"--format {name}",
                             fix="add --out DIR")
    return tuple(f for f in asked if f in FORMATS)
