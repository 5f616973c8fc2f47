"""What the quick commands import: a slow start is a bug that no other test would notice."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

HEAVY = {
    "numpy", "pandas", "sklearn", "scipy", "shap", "fairlearn", "pyarrow", "weasyprint", "lightgbm",
    "xgboost", "matplotlib",
}
HELP_ONLY = {"pydantic", "jinja2", "ruamel"}
COMMANDS = ("report", "measure", "check", "render", "demo", "scan", "selftest", "doctor", "policy")

# Runs the command line in a fresh process and writes the top-level modules it imported to a file.
PROBE = """
import json, sys
code = None
try:
    from govern.cli import run
    code = run(sys.argv[2:])
finally:
    loaded = sorted({name.partition(".")[0] for name in sys.modules})
    with open(sys.argv[1], "w") as file:
        json.dump({"code": code, "modules": loaded}, file)
"""


def imported(tmp_path: Path, *arguments: str) -> tuple[int, set[str]]:
    """(exit code, top-level modules) of one command line, run away from the checkout."""
    report = tmp_path / "modules.json"
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(report), *arguments],
        cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )
    assert report.exists(), done.stderr
    found = json.loads(report.read_text(encoding="utf-8"))
    assert found["code"] is not None, done.stderr
    assert found["code"] != 70, done.stderr
    return found["code"], set(found["modules"])


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_imports_nothing_heavy(tmp_path: Path, arguments: list[str]) -> None:
    code, modules = imported(tmp_path, *arguments)
    assert code == 0
    assert sorted(modules & (HEAVY | HELP_ONLY)) == []
    assert "typer" in modules


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_imports_nothing_heavy(tmp_path: Path, command: str) -> None:
    code, modules = imported(tmp_path, command, "--help")
    assert code == 0
    assert sorted(modules & HEAVY) == []


@pytest.mark.parametrize(("evidence", "codes"), [("baseline.pass.json", {0}), ("baseline.fail.json", {1, 3})])
def test_check_runs_without_the_numeric_libraries(tmp_path: Path, evidence: str, codes: set[int]) -> None:
    stored = ROOT / "policies" / evidence
    code, modules = imported(tmp_path, "check", str(stored), "--policy", "baseline", "--today", "2026-11-22")
    assert code in codes
    assert sorted(modules & HEAVY) == []
    assert list(tmp_path.iterdir()) == [tmp_path / "modules.json"], "check writes nothing unless asked"


@pytest.mark.parametrize("arguments", [
    ["doc"], ["doc", "disparity"], ["doc", "baseline"], ["explain", "BASE-08", "--evidence", "EVIDENCE"],
    ["lint", "baseline"], ["test", "baseline"], ["diff", "baseline", "baseline"], ["schema", "evidence"]],
    ids=lambda a: a[0] + "".join(f" {x}" for x in a[1:2]))
def test_policy_commands_run_without_the_numeric_libraries(tmp_path: Path, arguments: list[str]) -> None:
    evidence = str(ROOT / "policies" / "baseline.fail.json")
    code, modules = imported(tmp_path, "policy", *(evidence if a == "EVIDENCE" else a for a in arguments))
    assert code == 0
    assert sorted(modules & HEAVY) == []


def test_usage_error_imports_nothing_heavy(tmp_path: Path) -> None:
    code, modules = imported(tmp_path, "report", "model.pkl", "--no-such-option")
    assert code == 2
    assert sorted(modules & HEAVY) == []


def test_formats_for_pipelines_need_the_standard_library_only(tmp_path: Path) -> None:
    from govern.formats.ci import FILES, FORMATS

    stored = ROOT / "policies" / "baseline.fail.json"
    asked = [part for name in FORMATS for part in ("--format", name)]
    code, modules = imported(tmp_path, "check", str(stored), "--out", "checked", "--today", "2026-11-22", *asked)
    assert code in {1, 3}
    assert sorted(modules & (HEAVY | {"jinja2", "markupsafe"})) == []
    assert {p.name for p in (tmp_path / "checked").iterdir()} == {"verdict.json", *FILES.values()}
