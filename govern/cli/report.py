"""`govern report`: measure, check and render in one go."""

from __future__ import annotations

from typing import Any

from govern.cli.params import takes


@takes("report")
def report(given: dict[str, Any]) -> int:
    """Measure a model, judge it by policy and write the card: the main job.

    Examples:

    govern report model.pkl   (a govern.yaml in this folder says the rest)

    govern report model.pkl --data eval.parquet --target default --sensitive sex
    """
    from govern.cli import steps
    from govern.cli.ahead import model_process

    with model_process() as worker:
        return steps.report(steps.settings_of(given), given, worker).exit_code
