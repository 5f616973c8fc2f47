"""The model's process is started before the command line is parsed, and never left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# Prints, when typer is first imported, whether the process is there; at the end, which children are left.
PROBE = """
import os, sys
sys.path.insert(0, {here!r})
children = lambda: open(f"/proc/self/task/{{os.getpid()}}/children").read().split()
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            sys.stderr.write(f"\\ntyper {{len(children())}}\\n")
sys.meta_path.insert(0, Watch())
from govern.cli import run
code = run(sys.argv[1:])
sys.stderr.write(f"\\nend {{code}} {{len(children())}}\\n")
"""
ROOT = Path(__file__).parent.parent.parent


def watched(cwd: Path, *arguments: str) -> tuple[str, str]:
    done = subprocess.run([sys.executable, "-c", PROBE.format(here=str(ROOT)), *arguments], cwd=cwd,
                          capture_output=True, text=True, timeout=120)
    lines = done.stderr.splitlines()
    typer, = (line for line in lines if line.startswith("typer "))
    end, = (line for line in lines if line.startswith("end "))
    return typer, end


@pytest.mark.skipif(sys.platform != "linux", reason="children are read from /proc")
@pytest.mark.parametrize(("arguments", "at_start", "code"), [
    (["report", "no.pkl", "--data", "no.csv"], 1, 2),
    (["measure", "no.pkl", "--data", "no.csv"], 1, 2),
    (["report", "no.pkl", "--no-such-option"], 1, 2),
    (["report", "--help"], 0, 0),
    (["measure", "no.pkl", "-h"], 0, 0),
    (["check", "no.json"], 0, 2),
    (["--version"], 0, 0),
    ([], 0, 2),
])
def test_it_waits_where_it_is_needed_and_is_gone_at_the_end(tmp_path: Path, arguments: list[str], at_start: int,
                                                          code: int) -> None:
    assert watched(tmp_path, *arguments) == (f"typer {at_start}", f"end {code} 0")
