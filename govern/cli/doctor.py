"""`govern doctor`: what this machine can do, and the line that mends what is missing."""

from __future__ import annotations

from typing import Any

import typer

from govern.cli.params import takes
from govern.errors import ExitCode


@takes("doctor")
def doctor(given: dict[str, Any]) -> int:
    """Say what this machine can do, and the line that mends what is missing: 0 all needed is there, 1 not.

    Example: govern doctor
    """
    from govern.machine import checks

    found = checks()
    for check in found if not given.get("quiet") else ():
        state = "ok     " if check.ok else "missing" if check.needed else "without"
        typer.echo(f"{state} {check.name}: {check.found}")
        if not check.ok and check.mend:
            typer.echo(f"        {check.mend}")
    return ExitCode.PASS if all(c.ok or not c.needed for c in found) else ExitCode.BLOCK
