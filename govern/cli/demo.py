"""`govern demo`: a report on real data, with a model trained for it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from govern.cli.params import takes
from govern.errors import ExitCode

HOW_TO_READ = """
 How to read it
   {card}  page 1 is the verdict and its reasons; the rest shows where they come from
   {out}/evidence.json  every number; {out}/verdict.json  every rule
   {out}/model/  the model, its data and the govern.yaml that led here. Try, in that folder:
     {govern} report model.pkl --phase company
     {govern} report model.pkl --threshold 0.2
 Exit codes of govern report: 0 PASS, 1 BLOCK, 3 REVIEW; the demo itself ends with 0."""


@takes("demo")
def demo(given: dict[str, Any]) -> int:
    """Train a model on the shipped credit data, report on it and say how to read the report.

    Example: govern demo --out govern-demo
    """
    from govern.cli import steps
    from govern.cli.ahead import model_process
    from govern.demo.train import prepare
    from govern.inputs.config import load_settings

    out = Path(given.get("report.out", "govern-demo"))
    folder = out / "model"
    prepare(folder)
    look = {key: value for key, value in given.items() if key.startswith("report.") and key != "report.out"}
    settings = load_settings({**look, "model.path": folder / "model.pkl"}, config=folder / "govern.yaml", cwd=Path())
    with model_process() as worker:
        steps.report(settings, given, worker, out)
    if not given.get("quiet"):
        formats = [f for f in ("card.pdf", "card.html") if (out / f).exists()]
        # After `sh dev.sh demo` the command is not on the PATH.
        command = "govern" if shutil.which("govern") else Path(sys.argv[0]).resolve()
        steps.say(HOW_TO_READ.format(card=out / formats[0], out=out, govern=command))
    return ExitCode.PASS
