"""The commands of the README run as they stand there, on the demonstration's model and data."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("## Your own model")[2].partition("\n## ")[0]
SHELL = [
    line
    for block in re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)
    for line in block.replace("\\\n", "").splitlines()
    if line.startswith("govern ")
]
REPORT, MEASURE, CHECK, RENDER = SHELL
(SETTINGS,) = re.findall(r"```yaml\n(.*?)```", SECTION, re.DOTALL)
VERDICT_CODES = {"PASS": 0, "BLOCK": 1, "REVIEW": 3}
FILES = {"evidence.json", "compute.json", "verdict.json", "card.html", "card.pdf"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from govern.demo.train import prepare

    place = tmp_path_factory.mktemp("readme")
    prepare(place)
    (place / "govern.yaml").unlink()
    return place


def run(line: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """One line of the README; its comment is not passed on."""
    _, *arguments = shlex.split(line, comments=True)
    environment = {**os.environ, "CI": "true", "NO_COLOR": "1"}
    return subprocess.run([sys.executable, "-m", "govern", *arguments], cwd=cwd, env=environment,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180)


@pytest.fixture(scope="module")
def report(folder: Path) -> subprocess.CompletedProcess[str]:
    return run(REPORT, folder)


def test_commands_run_one_after_the_other(folder: Path, report: subprocess.CompletedProcess[str]) -> None:
    made = folder / "govern-report"
    assert {p.name for p in made.iterdir()} >= FILES, report.stderr
    verdict = json.loads((made / "verdict.json").read_text(encoding="utf-8"))
    assert report.returncode == VERDICT_CODES[verdict["outcome"]], report.stderr
    assert verdict["outcome"] in report.stdout

    check = run(CHECK, folder)
    assert check.returncode == report.returncode, check.stderr
    assert verdict["outcome"] in check.stdout

    for name in ("card.html", "card.pdf"):
        (made / name).unlink()
    render = run(RENDER, folder)
    assert render.returncode == 0, render.stderr
    assert {p.name for p in made.iterdir()} >= FILES


@pytest.mark.usefixtures("report")
def test_file_and_flags_say_the_same(folder: Path) -> None:
    """The `govern.yaml` of the README measures what its flags measure."""
    by_flags = json.loads((folder / "govern-report" / "evidence.json").read_text(encoding="utf-8"))
    (folder / "govern.yaml").write_text(SETTINGS, encoding="utf-8")
    measure = run(MEASURE, folder)
    assert measure.returncode == 0, measure.stderr
    by_file = json.loads((folder / "govern-report" / "evidence.json").read_text(encoding="utf-8"))
    for part in ("groups", "counts", "measurements", "population"):
        assert by_file[part] == by_flags[part], part
    assert by_file["settings"]["data"] == by_flags["settings"]["data"]
    assert by_file["declared"]["primary"] == {"metric": "roc_auc", "min": 0.75}


def test_without_settings_one_line_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"")
    done = run("govern report model.pkl", tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "--data" in line and "--target" in line and "govern.yaml" in line
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.pkl"]
