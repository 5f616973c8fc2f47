"""`govern policy lint`: what is wrong in policy files, errors and mistakes alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from govern.cli.params import takes
from govern.errors import ExitCode


@takes("policy lint")
def lint(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", show_default=False,
                                               help="Policy files, files of policy tests, or shipped policies.")],
    given: dict[str, Any],
) -> int:
    """Check policy files: 0 clean, 1 something to mend, 2 a file that cannot be read.

    One line for each finding: file:line:column, the check, what was found, how to mend it. All errors of all files
    are listed, not the first alone.

    Example: govern policy lint house.yaml house.test.yaml
    """
    from govern.cli.clock import created, today
    from govern.cli.reading import own_metrics
    from govern.policy.lint import ERROR, lint, lint_tests
    from govern.policy.packs import TESTS

    day, own = today(given, created({})), own_metrics(given)
    found = [one for file in dict.fromkeys(files)
             for one in (lint_tests(Path(file), file) if file.endswith(TESTS) else lint(file, own=own, today=day))]
    for one in found if not given.get("quiet") else ():
        typer.echo(one.one_line())
    if any(one.check == ERROR for one in found):
        return ExitCode.UNUSABLE
    return ExitCode.BLOCK if found else ExitCode.PASS
