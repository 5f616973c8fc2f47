"""`govern policy show`: a policy as it is written, once it has been checked."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from govern.cli.params import takes
from govern.errors import ExitCode


@takes("policy show")
def show(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A shipped policy or a file.", show_default=False)],
    given: dict[str, Any],
) -> int:
    """Check a policy and print it as it is written; the name of a shipped one or a file.

    Example: govern policy show baseline
    """
    from govern.cli.reading import policy_of
    from govern.policy.packs import find

    policy_of(name, given)
    typer.echo(find(name).read_text(encoding="utf-8"), nl=False)
    return ExitCode.PASS
