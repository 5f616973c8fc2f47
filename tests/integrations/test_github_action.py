"""`action.yml`: its fields are those GitHub documents, and its steps run as a runner would run them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent.parent
HERE = Path(__file__).parent
ACTION = YAML(typ="safe", pure=True).load((ROOT / "action.yml").read_text(encoding="utf-8"))
# The command of `shell: bash`, as GitHub documents it for jobs.<job_id>.steps[*].shell.
BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="the steps are bash, which is not installed")


@dataclass(frozen=True)
class Step:
    """What a run of the action left."""

    code: int
    outputs: dict[str, str]
    summary: str
    said: str
    errors: str


def value(text: str, inputs: dict[str, str]) -> str:
    """`text` with its expressions evaluated; only inputs are known here, so that a new kind of expression fails."""
    return re.sub(r"\$\{\{ inputs\.([a-z-]+) }}", lambda m: inputs[m.group(1)], text)


def holds(condition: str, inputs: dict[str, str]) -> bool:
    match = re.fullmatch(r"inputs\.([a-z-]+) == '([^']*)'", condition)
    assert match is not None, condition
    return inputs[match.group(1)] == match.group(2)


def act(folder: Path, **given: str) -> Step:
    """The steps of the action in `folder`, one after the other until one fails, in a runner's environment."""
    inputs = {k: str(v.get("default", "")) for k, v in ACTION["inputs"].items()} | {
        "install": "false", **{k.replace("_", "-"): v for k, v in given.items()}}
    files = {name: folder.parent / f"{folder.name}-{name}" for name in ("output", "summary", "script")}
    for name in ("output", "summary"):
        files[name].write_text("")
    # `govern` of the path is the one under test, wherever it is installed.
    shim = folder.parent / "bin" / "govern"
    shim.parent.mkdir(exist_ok=True)
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m govern "$@"\n')
    shim.chmod(0o755)
    environment = {
        **os.environ, "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_ACTION_PATH": str(ROOT),
        "GITHUB_OUTPUT": str(files["output"]), "GITHUB_STEP_SUMMARY": str(files["summary"]), "NO_COLOR": "1",
        "PATH": f"{shim.parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    code, said, errors = 0, "", ""
    for step in ACTION["runs"]["steps"]:
        if "if" in step and not holds(step["if"], inputs):
            continue
        assert step["shell"] == "bash"
        files["script"].write_text(step["run"])
        env = {k: value(v, inputs) for k, v in step.get("env", {}).items()}
        assert not any("${{" in v for v in env.values()) and "${{" not in step["run"]
        done = subprocess.run([*BASH, str(files["script"])], cwd=folder, env={**environment, **env}, text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=300)
        code, said, errors = done.returncode, said + done.stdout, errors + done.stderr
        if code:
            break
    lines = files["output"].read_text().splitlines()
    return Step(code, dict(line.split("=", 1) for line in lines), files["summary"].read_text(encoding="utf-8"), said,
                errors)


@pytest.fixture
def folder(logistic: Any, tmp_path: Path) -> Path:
    """A repository with a model, its data and a govern.yaml."""
    place = tmp_path / "repository"
    place.mkdir()
    for name in ("model.pkl", "eval.csv"):
        shutil.copy(logistic.folder / name, place / name)
    (place / "govern.yaml").write_text("data: {path: eval.csv, target: y, sensitive: [group]}\n")
    return place


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


def test_its_fields_are_the_documented_ones() -> None:
    schema = json.loads((HERE / "schemas" / "github-action.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(ACTION)
    steps = {step.get("id") for step in ACTION["runs"]["steps"]}
    for name, output in ACTION["outputs"].items():
        step, written = re.fullmatch(r"\$\{\{ steps\.([a-z]+)\.outputs\.([a-z-]+) }}", output["value"]).groups()  # type: ignore[union-attr]
        assert step in steps and written == name
    used = set(re.findall(r"inputs\.([a-z-]+)", json.dumps(ACTION["runs"])))
    assert used == set(ACTION["inputs"])


def test_a_pass(folder: Path) -> None:
    ran = act(folder, model="model.pkl", args="--compute\nskip")
    assert (ran.code, ran.outputs) == (0, {"verdict": "PASS", "exit-code": "0", "report": "govern-report"}), ran.errors
    assert {p.name for p in (folder / "govern-report").iterdir()} == {
        "evidence.json", "verdict.json", "card.html", "card.md", "junit.xml", "results.sarif"}
    assert ran.summary.startswith("## ● PASS")
    assert ran.summary == (folder / "govern-report" / "card.md").read_text(encoding="utf-8")


def test_a_block_fails_the_step(folder: Path) -> None:
    (folder / "house.yaml").write_text(RULE.format(severity="block"))
    ran = act(folder, model="model.pkl", policy="baseline\nhouse.yaml\n", args="--compute\nskip", out="a report")
    assert (ran.code, ran.outputs) == (1, {"verdict": "BLOCK", "exit-code": "1", "report": "a report"}), ran.errors
    assert "::error title=house/H-1" in ran.said and ran.summary.startswith("## ✕ BLOCK")


def test_a_review_stops_unless_a_job_waits_for_it(folder: Path) -> None:
    (folder / "house.yaml").write_text(RULE.format(severity="review"))
    given = {"model": "model.pkl", "policy": "house.yaml", "args": "--compute\nskip", "formats": "github"}
    ran = act(folder, **given)
    assert (ran.code, ran.outputs["verdict"], ran.outputs["exit-code"]) == (3, "REVIEW", "3"), ran.errors
    ran = act(folder, **given, on_review="wait")
    assert (ran.code, ran.outputs["verdict"], ran.outputs["exit-code"]) == (0, "REVIEW", "3")
    assert "::warning title=house/H-1" in ran.said


def test_what_cannot_be_used_stops_in_any_case(folder: Path) -> None:
    ran = act(folder, model="no-such.pkl", on_review="wait")
    assert (ran.code, ran.outputs["verdict"], ran.outputs["exit-code"]) == (2, "", "2")
    ran = act(folder, model="model.pkl", on_review="ignore")
    assert ran.code == 2 and ran.outputs == {} and "on-review is fail or wait" in ran.said


def test_values_stay_values(folder: Path) -> None:
    """Quotes, dollar signs and spaces of an input are arguments, never commands."""
    name = "m$(touch broken) \"x\"; 'y' `z`.pkl"
    shutil.copy(folder / "model.pkl", folder / name)
    ran = act(folder, model=name, args="--compute\nskip\n--name\n$(touch broken) & co", formats="tap")
    assert ran.code == 0, ran.errors
    evidence = json.loads((folder / "govern-report" / "evidence.json").read_bytes())
    assert evidence["settings"]["model"]["name"] == "$(touch broken) & co"
    assert not (folder / "broken").exists()
