"""`docs/ci/gitlab.yml`: GitLab's own schema takes it, and its scripts do what the verdict asks for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent.parent
HERE = Path(__file__).parent
TEMPLATE = YAML(typ="safe", pure=True).load((ROOT / "docs" / "ci" / "gitlab.yml").read_text(encoding="utf-8"))
RULE = """\
schema: govern.policy/1
name: house
version: "1"
title: {{en: House}}
status: in_force
as_of: 2026-01-01
rules:
  - {{id: H-1, kind: bound, title: {{en: Accuracy}}, metric: accuracy, min: 0.999, severity: {severity}, basis: house}}
"""

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="the scripts are bash, which is not installed")


def job(name: str) -> dict[str, Any]:
    """A job with what it extends."""
    found = TEMPLATE[name]
    return {**(job(found["extends"]) if "extends" in found else {}), **found}


def run(name: str, folder: Path, *parts: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The lines of a job's `parts` (script, before_script) in one shell that stops at the first failure, as GitLab's
    runner joins them."""
    lines = [line for part in parts for line in job(name)[part]]
    shim = folder.parent / "bin" / "govern"
    shim.parent.mkdir(exist_ok=True)
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m govern "$@"\n')
    shim.chmod(0o755)
    environment = {**os.environ, **TEMPLATE["variables"], **variables, "CI": "true", "GITLAB_CI": "true",
                   "NO_COLOR": "1", "PATH": f"{shim.parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    return subprocess.run(["bash", "-eo", "pipefail", "-c", "\n".join(lines)], cwd=folder, env=environment, text=True,
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=300)


@pytest.fixture
def folder(logistic: Any, tmp_path: Path) -> Path:
    """A repository with a model, its data, a govern.yaml and a script that deploys."""
    place = tmp_path / "repository"
    place.mkdir()
    for name in ("model.pkl", "eval.csv"):
        shutil.copy(logistic.folder / name, place / name)
    (place / "govern.yaml").write_text("data: {path: eval.csv, target: y, sensitive: [group]}\n")
    (place / "deploy.sh").write_text("#!/bin/sh\necho deployed\n")
    (place / "deploy.sh").chmod(0o755)
    return place


def test_gitlab_takes_it() -> None:
    schema = json.loads((HERE / "schemas" / "gitlab-ci.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(TEMPLATE)
    broken = {**TEMPLATE, "govern": {**TEMPLATE["govern"], "allow_failure": {"exit_code": "three"}}}
    assert not jsonschema.Draft7Validator(schema).is_valid(broken)


@pytest.mark.parametrize(("severity", "code"), [("info", 0), ("review", 3), ("block", 1)])
def test_each_verdict_goes_its_way(folder: Path, severity: str, code: int) -> None:
    (folder / "house.yaml").write_text(RULE.format(severity=severity))
    judged = run("govern", folder, "script", GOVERN_ARGS="--policy house.yaml --policy baseline --compute skip")
    assert judged.returncode == code, judged.stderr
    reports = TEMPLATE["govern"]["artifacts"]["reports"]
    files = [path.replace("$GOVERN_OUT", TEMPLATE["variables"]["GOVERN_OUT"]) for path in reports.values()]
    assert all((folder / path).is_file() for path in files), files
    name, _, said = (folder / "govern.env").read_text().strip().partition("=")
    assert (name, said) == ("GOVERN_EXIT_CODE", str(code))

    goes_on = code == 0 or code in TEMPLATE["govern"]["allow_failure"]["exit_codes"]
    assert goes_on == (code != 1)
    if not goes_on:
        return
    deploys = {name: run(name, folder, "before_script", "script", GOVERN_EXIT_CODE=said)
               for name in ("deploy", "deploy-after-review")}
    assert ("deployed" in deploys["deploy"].stdout) == (code == 0)
    assert ("deployed" in deploys["deploy-after-review"].stdout) == (code == 3)
    assert deploys["deploy"].returncode == code
    assert TEMPLATE["deploy-after-review"]["when"] == "manual"


def test_a_model_that_cannot_be_used_stops_the_pipeline(folder: Path) -> None:
    judged = run("govern", folder, "script", GOVERN_MODEL="no-such.pkl")
    assert judged.returncode == 2 and 2 not in TEMPLATE["govern"]["allow_failure"]["exit_codes"]
    assert run("deploy", folder, "before_script", "script", GOVERN_EXIT_CODE="").returncode == 3
