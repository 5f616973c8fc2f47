"""`govern policy schema`: the JSON Schemas of what is written and read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from govern.errors import ExitCode, InputError, nearest, printable

FOLDER = Path(__file__).parent.parent / "schemas"
SUFFIX = ".schema.json"


def schema(
    name: Annotated[str, typer.Argument(
        metavar="[NAME]", show_default=True,
        help="policy, policy-test, config, evidence, compute, verdict or lock.")] = "policy",
) -> int:
    """Print the JSON Schema (2020-12) of policy files, or of another file that is read or written.

    Examples: govern policy schema > policy.schema.json; govern policy schema evidence
    """
    known = sorted(path.name.removesuffix(SUFFIX) for path in FOLDER.glob(f"*{SUFFIX}"))
    if name not in known:
        raise InputError(f'no schema "{printable(name)}"', fix=nearest(name, known) or f"there are {', '.join(known)}")
    typer.echo((FOLDER / f"{name}{SUFFIX}").read_text(encoding="utf-8"), nl=False)
    return ExitCode.PASS
