"""`govern policy list`: the policies that are shipped."""

from __future__ import annotations

import typer

from govern.errors import ExitCode


def list_() -> int:
    """List the shipped policies.

    Example: govern policy list
    """
    from govern.policy.packs import shipped

    for pack in shipped():
        typer.echo(f"{pack.name:24} {pack.version:10} {pack.status:10} as of {pack.as_of}  {pack.title['en']}")
    return ExitCode.PASS
