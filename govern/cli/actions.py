"""GitHub Actions, found by its environment: annotations on standard output, and the step summary."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from govern.evidence import Evidence
from govern.verdict import Verdict

if TYPE_CHECKING:
    from govern.inputs.settings import Settings


def in_actions() -> bool:
    """Whether this is a step of GitHub Actions."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def tell_github(settings: Settings, evidence: Evidence, judged: tuple[Verdict, str], *, quiet: bool) -> None:
    """Print annotations and append the Markdown to the step summary, where there is one.

    Done when the format was asked for, and in a step of Actions when no format was; then `quiet` leaves the summary.
    A summary that cannot be written is a warning: nothing here changes an exit code.
    """
    asked = settings.formats_asked
    if not ("github" in settings.report.formats if asked else in_actions()):
        return
    from govern.formats.ci import tell

    told = tell(("github", "md"), evidence, judged)
    if asked or not quiet:
        encoding = sys.stdout.encoding or "utf-8"
        typer.echo(told["github"].encode(encoding, "backslashreplace").decode(encoding), nl=False)
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        try:
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(told["md"])
        except OSError as err:
            typer.echo(f"govern: the step summary cannot be written ({err.strerror})", err=True)


def guard(text: str) -> tuple[str, str]:
    """Lines to print before and after `text` so that Actions reads no command in it; empty outside Actions.

    A name in somebody's data may look like a command. The token is a digest of the text, which the text cannot hold.
    """
    from govern.codec import digest

    if not in_actions():
        return "", ""
    token = digest(text.encode("utf-8", "backslashreplace"))[:32]
    return f"::stop-commands::{token}\n", f"::{token}::\n"
