"""`govern measure`: only the facts."""

from __future__ import annotations

from typing import Any

from govern.cli.params import takes
from govern.errors import ExitCode


@takes("measure")
def measure(given: dict[str, Any]) -> int:
    """Measure a model on evaluation data: writes evidence.json and compute.json.

    Example: govern measure model.pkl --data eval.parquet --target default --sensitive sex
    """
    from govern.cli import steps
    from govern.cli.ahead import model_process
    from govern.cli.progress import progress
    from govern.codec import write_files
    from govern.measure.start import start

    with model_process() as worker:
        settings = steps.settings_of(given)
        model = start(worker, settings)
        with progress(bool(given.get("quiet"))) as tell:
            facts = steps.measured(settings, given, model, tell)
    write_files(settings.report.out, facts.files, replaces=steps.REPORT_FILES)
    if not given.get("quiet"):
        steps.say(steps.files_line(settings.report.out, facts.files))
    return ExitCode.PASS
