"""`.pre-commit-hooks.yaml`: the hook as pre-commit runs it, and the files that it is given."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from govern.policy.packs import shipped

ROOT = Path(__file__).parent.parent.parent
YAML_12 = YAML(typ="safe", pure=True)
(HOOK,) = YAML_12.load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))


def has_lint() -> bool:
    """Whether `govern policy lint` is there."""
    import typer.main

    from govern.cli.app import app

    return "lint" in typer.main.get_command(app).commands["policy"].commands  # type: ignore[attr-defined]


def test_its_fields_are_the_documented_ones() -> None:
    """https://pre-commit.com/#new-hooks: id, name, entry and language are required."""
    assert set(HOOK) == {"id", "name", "description", "entry", "language", "types", "files"}
    assert (HOOK["id"], HOOK["language"], HOOK["types"]) == ("govern-policy", "python", ["yaml"])


@pytest.mark.parametrize(("path", "given"), [
    ("policies/house.yaml", True), ("risk/policies/house.yml", True), ("policies/credit/house.yaml", True),
    ("policies/house.test.yaml", True), ("govern.yaml", False), (".github/workflows/ci.yml", False)])
def test_the_files_that_it_is_given(path: str, given: bool) -> None:
    assert bool(re.search(HOOK["files"], path)) is given


@pytest.mark.skipif(not has_lint(), reason="`govern policy lint` is not in this version")
@pytest.mark.skipif(importlib.util.find_spec("pre_commit") is None or shutil.which("git") is None,
                    reason="pre-commit or git is not installed: pip install pre-commit")
def test_pre_commit_runs_it(tmp_path: Path) -> None:
    """As a hook of the repository itself, with the govern of this Python instead of one that it would install."""
    shim = tmp_path / "bin" / "govern"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m govern "$@"\n')
    shim.chmod(0o755)
    place = tmp_path / "repository"
    (place / "policies").mkdir(parents=True)
    hook: dict[str, Any] = {**HOOK, "language": "system"}
    with (place / ".pre-commit-config.yaml").open("w") as file:
        YAML_12.dump({"repos": [{"repo": "local", "hooks": [hook]}]}, file)
    (place / "policies" / "house.yaml").write_bytes(shipped()[0].path.read_bytes())
    environment = {**os.environ, "PATH": f"{shim.parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT),
                   "PRE_COMMIT_HOME": str(tmp_path / "home"), "GIT_CONFIG_GLOBAL": os.devnull}

    def ran(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=120)

    assert ran("git", "init", "--quiet").returncode == 0
    ran("git", "add", "--all")
    check = (sys.executable, "-m", "pre_commit", "run", "--all-files", "--color", "never")
    done = ran(*check)
    assert done.returncode == 0 and "Passed" in done.stdout, done.stdout + done.stderr
    text = (place / "policies" / "house.yaml").read_text(encoding="utf-8")
    (place / "policies" / "house.yaml").write_text(text.replace("severity:", "severty:", 1), encoding="utf-8")
    ran("git", "add", "--all")
    done = ran(*check)
    assert done.returncode == 1 and "Failed" in done.stdout, done.stdout + done.stderr
    assert "severty" in done.stdout and "policies/house.yaml:" in done.stdout
