"""`govern policy`: policies that are shipped, and the form of a policy file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from govern.cli.policy_lock import lock
from govern.errors import ExitCode

policy = typer.Typer(help="List, show, describe and lock policies.", no_args_is_help=True)
policy.command("lock")(lock)


@policy.command("list")
def list_() -> int:
    """List the shipped policies."""
    from govern.policy.packs import shipped

    for pack in shipped():
        typer.echo(f"{pack.name:24} {pack.version:10} {pack.status:10} as of {pack.as_of}  {pack.title['en']}")
    return ExitCode.PASS


@policy.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A shipped policy or a file.", show_default=False)],
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="A govern.yaml whose own metrics the rules may "
                                                "name.", show_default=False)] = None,
) -> int:
    """Check a policy and print it as it is written; the name of a shipped one or a file.

    Example: govern policy show baseline
    """
    from govern.inputs.config import load_settings
    from govern.metrics import own
    from govern.policy.packs import NO_OWN, find, load_policy

    load_policy(name, own=own(load_settings({}, config=config, cwd=Path(), measuring=False).plain()) if config
                else NO_OWN)
    typer.echo(find(name).read_text(encoding="utf-8"), nl=False)
    return ExitCode.PASS


@policy.command()
def schema() -> int:
    """Print the JSON Schema of policy files, for editors.

    Example: govern policy schema > policy.schema.json
    """
    import json

    from govern.policy.schema import json_schema

    typer.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    return ExitCode.PASS
