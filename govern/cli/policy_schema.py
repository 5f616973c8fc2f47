"""`govern policy schema`: the JSON Schemas of what is written and read."""

from __future__ import annotations

import typer

from govern.errors import ExitCode


def schema() -> int:
    """Print the JSON Schema of policy files, for editors.

    Example: govern policy schema > policy.schema.json
    """
    import json

    from govern.policy.schema import json_schema

    typer.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    return ExitCode.PASS
