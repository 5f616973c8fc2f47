"""What `docs/ci.md` and the README say about pipelines: commands run, workflows fit the action, tables the code."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from govern.formats.ci import FILES, FORMATS
from govern.formats.github import COMMANDS
from govern.formats.gitlab import SEVERITIES
from govern.formats.sarif import KINDS, LEVELS

ROOT = Path(__file__).parent.parent.parent
GUIDE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8").partition("## In a pipeline")[2].partition("\n## ")[0]
READ = YAML(typ="safe", pure=True)
ACTION = READ.load((ROOT / "action.yml").read_text(encoding="utf-8"))


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


WORKFLOWS = [w for text in (README, GUIDE) for b in blocks(text, "yaml") if "jobs" in (w := READ.load(b))]


def test_every_format_and_its_file_is_in_the_table() -> None:
    table = dict(re.findall(r"^\| `([a-z0-9]+)` \| `?([^`|]+?)`? \|", GUIDE, re.MULTILINE))
    assert set(FORMATS) <= set(table)
    assert {name: table[name] for name in FILES} == FILES


def test_the_table_of_outcomes_is_what_the_formats_do() -> None:
    part = GUIDE.partition("## What each outcome becomes")[2].partition("Why so")[0]
    rows = [[c.strip() for c in line.strip("|").split("|")] for line in part.strip().splitlines()[2:]]
    sorts = ("block", "review", "review", "warn", "not_settled", "info", "to_sign", "waived", "n/a", "pass")
    assert len(rows) == len(sorts)
    for sort, (_, _, sarif, github, gitlab, _) in zip(sorts, rows, strict=True):
        assert github == COMMANDS.get(sort, "") and gitlab == SEVERITIES.get(sort, "")
        if sort != "waived":
            assert sarif == f"{KINDS.get(sort, 'fail')}, {LEVELS.get(sort, 'none')}"


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda w: "+".join(w["jobs"]))
def test_workflows_use_what_the_action_has(workflow: dict[Any, Any]) -> None:
    steps = [s for job in workflow["jobs"].values() for s in job["steps"]]
    (step,) = [s for s in steps if "/govern@" in s.get("uses", "")]
    assert set(step["with"]) <= set(ACTION["inputs"])
    outputs = re.findall(r"steps\.govern\.outputs\.([a-z-]+)", str(workflow))
    assert step["id"] == "govern" and set(outputs) <= set(ACTION["outputs"])
    # A workflow that lets a REVIEW go on holds the job that waits for it.
    if step["with"].get("on-review") == "wait":
        waits = [job for job in workflow["jobs"].values() if "environment" in job]
        assert waits and "code == '3'" in waits[0]["if"] and "exit-code" in outputs


def test_the_inputs_and_outputs_are_documented() -> None:
    part = GUIDE.partition("## GitHub Actions")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z-]+)` \|", part, re.MULTILINE)) == set(ACTION["inputs"])
    assert all(f"`{name}`" in part for name in ACTION["outputs"])


def test_the_hook_is_documented_as_it_is() -> None:
    (hook,) = READ.load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    ours, local = (READ.load(b)["repos"][0]["hooks"][0] for b in blocks(GUIDE, "yaml") if "repos:" in b)
    assert ours == {"id": hook["id"]}
    assert local == {k: hook[k] for k in ("id", "name", "entry", "types", "files")} | {"language": "system"}


def test_the_commands_run(govern: Callable[..., Any], logistic: Any, tmp_path: Path) -> None:
    for name in ("model.pkl", "eval.csv"):
        shutil.copy(logistic.folder / name, tmp_path / name)
    (tmp_path / "govern.yaml").write_text("data: {path: eval.csv, target: y, sensitive: [group]}\n")
    shutil.copy(ROOT / "policies" / "baseline.yaml", tmp_path / "house.yaml")
    lines = [line for b in blocks(GUIDE, "sh") for line in b.splitlines() if line.startswith("govern ")]
    assert [line.split()[1] for line in lines] == ["report", "check", "render"]
    for line in lines:
        assert govern(*shlex.split(line)[1:]).code == 0, line
    assert {p.name for p in (tmp_path / "checked").iterdir()} == {"verdict.json", "junit.xml", "card.md"}
    assert (tmp_path / "govern-report" / "results.sarif").is_file()


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq, which the documented filter needs, is not installed")
def test_the_filter_keeps_what_failed(govern: Callable[..., Any], tmp_path: Path) -> None:
    import json

    govern("check", ROOT / "policies" / "baseline.fail.json", "--today", "2026-11-22", "--out", "govern-report",
           "--format", "sarif", "--quiet")
    (line,) = (b for b in blocks(GUIDE, "sh") if b.startswith("jq "))
    subprocess.run(["bash", "-ec", line], cwd=tmp_path, check=True, timeout=60)
    (before,), (after,) = (json.loads((tmp_path / name).read_bytes())["runs"]
                           for name in ("govern-report/results.sarif", "upload.sarif"))
    kept = [r for r in before["results"] if r["kind"] == "fail" and "suppressions" not in r]
    assert after["results"] == kept and 0 < len(kept) < len(before["results"])
