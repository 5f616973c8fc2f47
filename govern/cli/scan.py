"""`govern scan`: static inspection of model files; nothing is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from govern.cli.params import takes
from govern.errors import ExitCode, printable


@takes("scan")
def scan(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Model files.", show_default=False)],
    given: dict[str, Any],
) -> int:
    """Say what model files would run when loaded, without loading them: 0 clean, 1 refused.

    Example: govern scan model.pkl --trust ourlib.Encoder
    """
    from govern.inputs.models import read_model
    from govern.inputs.scan import scan as inspect

    refused = False
    for path in files:
        model = read_model(path)
        result = inspect(model.data, tuple(given.get("model.trust", ())))
        refused |= not result.ok
        if given.get("quiet"):
            continue
        state = "clean" if result.ok else f"refused: {len(result.refused)} not allowed"
        typer.echo(f"{path}: {state} ({result.format}, {model.size:,} bytes, {len(result.names)} names)")
        for item in result.refused:
            typer.echo(f"  {printable(item.name, 80)}: {printable(item.why, 120)}")
            if item.trust:
                typer.echo(f"    if it is yours: --trust {item.trust}")
        if given.get("verbose"):
            for name in result.names:
                typer.echo(f"  names {printable(name, 120)}")
    return ExitCode.BLOCK if refused else ExitCode.PASS
