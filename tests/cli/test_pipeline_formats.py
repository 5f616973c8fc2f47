"""Formats for pipelines through `report`, `check` and `render`, and what GitHub Actions is told by itself."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from govern.formats.ci import FILES

ROOT = Path(__file__).parent.parent.parent
FAILING = ROOT / "policies" / "baseline.fail.json"
PASSING = ROOT / "policies" / "baseline.pass.json"
DAY = ("--today", "2026-11-22")
HOUSE = """\
schema: govern.policy/1
name: house
version: "1"
title: {en: House}
status: in_force
as_of: 2026-01-01
rules:
  - {id: H-1, kind: bound, title: {en: Accuracy}, metric: accuracy, min: 0.999, severity: block, basis: house}
"""
Govern = Callable[..., Any]


def asked(*names: str) -> list[str]:
    return [part for name in names for part in ("--format", name)]


@pytest.fixture
def actions(monkeypatch: pytest.MonkeyPatch, govern: Govern, tmp_path: Path) -> Path:
    """The environment of a step of GitHub Actions; the file of its summary."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    (tmp_path / "summary.md").write_text("# An earlier step\n")
    return tmp_path / "summary.md"


def test_check_writes_every_format_beside_the_verdict(govern: Govern, tmp_path: Path) -> None:
    ran = govern("check", FAILING, *DAY, "--out", "checked", *asked(*FILES))
    plain = govern("check", FAILING, *DAY, "--quiet")
    assert ran.code == plain.code in (1, 3) and ran.err == ""
    assert {p.name for p in (tmp_path / "checked").iterdir()} == {"verdict.json", *FILES.values()}
    for name in FILES.values():
        assert name in ran.out
    sarif = ran.document("results.sarif", "checked")["runs"][0]
    verdict = ran.document("verdict.json", "checked")
    assert len(sarif["results"]) == len(verdict["findings"])
    assert sarif["properties"]["verdict"] == verdict["outcome"] and sarif["invocations"][0]["exitCode"] == ran.code
    places = {r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in sarif["results"]}
    assert places == {"govern/_data/policies/baseline.yaml"}


def test_report_check_and_render_write_the_same(govern: Govern, logistic: Any, tmp_path: Path) -> None:
    for name in ("model.pkl", "eval.csv"):
        shutil.copy(logistic.folder / name, tmp_path / name)
    ran = govern("report", *logistic.arguments, "--compute", "skip", "--quiet", *asked(*FILES))
    made = tmp_path / "govern-report"
    assert {p.name for p in made.iterdir()} == {"evidence.json", "verdict.json", *FILES.values()}, ran.err
    govern("check", made / "evidence.json", "--out", "checked", "--quiet", *asked(*FILES))
    govern("render", made / "evidence.json", made / "verdict.json", "--out", "rendered", "--quiet", *asked(*FILES))
    for name in FILES.values():
        data = (made / name).read_bytes()
        assert data == (tmp_path / "checked" / name).read_bytes() == (tmp_path / "rendered" / name).read_bytes(), name
        assert str(tmp_path).encode() not in data
    # A report that asks for other formats leaves none of these behind.
    assert govern("report", *logistic.arguments, "--compute", "skip", "--quiet", *asked("tap")).code == ran.code
    assert {p.name for p in made.iterdir()} == {"evidence.json", "verdict.json", "results.tap"}


def test_check_leaves_no_file_of_an_older_verdict(govern: Govern, tmp_path: Path) -> None:
    govern("check", FAILING, *DAY, "--out", "checked", *asked("junit", "md"))
    govern("check", PASSING, *DAY, "--out", "checked", *asked("md"))
    assert {p.name for p in (tmp_path / "checked").iterdir()} == {"verdict.json", "card.md"}


def test_formats_of_the_settings_file(govern: Govern, tmp_path: Path) -> None:
    """check writes those that are not the card, and only into a folder that was named."""
    (tmp_path / "govern.yaml").write_text("report: {formats: [html, junit, md]}\n")
    assert govern("check", PASSING, *DAY).code == 0
    assert [p.name for p in tmp_path.iterdir()] == ["govern.yaml"]
    assert govern("check", PASSING, *DAY, "--out", "checked").code == 0
    assert {p.name for p in (tmp_path / "checked").iterdir()} == {"verdict.json", "junit.xml", "card.md"}


@pytest.mark.parametrize(("arguments", "says"), [
    (["check", FAILING, "--format", "html", "--out", "x"], ["--format html", "govern render"]),
    (["check", FAILING, "--format", "junit"], ["--format junit", "junit.xml", "add --out DIR"]),
    (["check", FAILING, "--format", "junitxml", "--out", "x"], ["junitxml", "junit"]),
    (["check", FAILING, "--format", "hf", "--out", "x"], ["hf", "later version"]),
    (["render", FAILING, "--format", "sarif"], ["--format sarif", "VERDICT"]),
    (["render", FAILING, "--format", "github"], ["--format github", "VERDICT"])])
def test_what_cannot_be_written_is_one_line(govern: Govern, arguments: list[Any], says: list[str],
                                            tmp_path: Path) -> None:
    ran = govern(*arguments)
    assert ran.code == 2 and ran.out == "" and list(tmp_path.iterdir()) == []
    (line,) = ran.err.splitlines()
    assert all(part in line for part in says), line


def test_statements_and_waivers_of_a_real_run(govern: Govern, tmp_path: Path) -> None:
    (tmp_path / "house.yaml").write_text(HOUSE + """\
  - {id: H-2, kind: attest, title: {en: Approval}, roles: [validator, approver], severity: block, basis: house}
""")
    (tmp_path / "govern.yaml").write_text("""\
waivers:
  - {rule: H-1, subject: credit, owner: A. Lin, reason: pilot, approver: K. Wu, expires: 2026-12-31}
""")
    ran = govern("check", PASSING, *DAY, "--policy", "house.yaml", "--policy", "baseline", "--out", "checked",
                 *asked("junit", "md", "tap"))
    assert ran.code == 0, ran.out
    junit = (tmp_path / "checked" / "junit.xml").read_text(encoding="utf-8")
    assert 'type="to_sign" message="To be signed by validator, approver: Approval."' in junit
    assert 'type="waived" message="Waived: pilot: owner A. Lin, approved by K. Wu, until 2026-12-31 (39 days left)."' \
        in junit
    card = (tmp_path / "checked" / "card.md").read_text(encoding="utf-8")
    assert card.index("Waiver H-1: pilot") < card.index("<details>") < card.index("To be signed by validator")


def test_annotations_after_the_summary_when_asked_for(govern: Govern, tmp_path: Path) -> None:
    (tmp_path / "house.yaml").write_text(HOUSE)
    ran = govern("check", PASSING, *DAY, "--policy", "house.yaml", "--format", "github")
    assert ran.code == 1
    *summary, last = ran.out.splitlines()
    assert last.startswith("::error title=house/H-1%3A outside (BLOCK),file=house.yaml,line=8::Accuracy%0A")
    assert "stop-commands" not in ran.out and "BLOCK" in "\n".join(summary)
    quiet = govern("check", PASSING, *DAY, "--policy", "house.yaml", "--format", "github", "--quiet")
    assert quiet.out == last + "\n"
    assert list(tmp_path.iterdir()) == [tmp_path / "house.yaml"]


def test_actions_are_told_without_being_asked(govern: Govern, actions: Path, tmp_path: Path) -> None:
    (tmp_path / "house.yaml").write_text(HOUSE)
    ran = govern("check", PASSING, *DAY, "--policy", "house.yaml")
    assert ran.code == 1
    lines = ran.out.splitlines()
    assert lines[0].startswith("::stop-commands::")
    token = lines[0].removeprefix("::stop-commands::")
    assert lines[-2] == f"::{token}::" and ran.out.count(token) == 2
    assert lines[-1].startswith("::error title=house/H-1")
    summary = actions.read_text(encoding="utf-8")
    assert summary.startswith("# An earlier step\n## ✕ BLOCK · ") and "**H-1** Accuracy" in summary
    # Quiet means no annotation; the summary is a file of its own.
    assert govern("check", PASSING, *DAY, "--policy", "house.yaml", "--quiet").out == ""
    assert actions.read_text(encoding="utf-8").count("## ✕ BLOCK") == 2


def test_an_explicit_format_is_all_that_actions_get(govern: Govern, actions: Path) -> None:
    ran = govern("check", FAILING, *DAY, "--out", "checked", "--format", "junit")
    assert "::error" not in ran.out and "::warning" not in ran.out
    assert actions.read_text() == "# An earlier step\n"
    assert "::warning" in govern("check", FAILING, *DAY, "--format", "github").out


def test_a_summary_that_cannot_be_written_changes_no_code(govern: Govern, actions: Path,
                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(actions / "no" / "folder.md"))
    ran = govern("check", PASSING, *DAY)
    assert ran.code == 0
    (line,) = ran.err.splitlines()
    assert line.startswith("govern: the step summary cannot be written")


def test_a_pass_prints_no_annotation(govern: Govern, actions: Path) -> None:
    (actions.parent / "easy.yaml").write_text(HOUSE.replace("0.999", "0.001"))
    ran = govern("check", PASSING, *DAY, "--policy", "easy.yaml")
    assert ran.code == 0 and ran.out.splitlines()[-1].startswith("::") and "::error" not in ran.out
    assert "## ● PASS" in actions.read_text(encoding="utf-8")


def test_a_name_in_the_data_is_no_command(govern: Govern, actions: Path, tmp_path: Path) -> None:
    """Between stop-commands and its token the runner reads nothing; outside of it every line is one of ours."""
    evidence = json.loads(FAILING.read_bytes())
    for group in evidence["groups"]:
        if group.get("values"):
            group["values"] = [f"x ::error::{v} ##[error]z" if v else v for v in group["values"]]
    (tmp_path / "evidence.json").write_text(json.dumps(evidence))
    ran = govern("check", "evidence.json", *DAY)
    before, _, after = ran.out.rpartition("\n::" + ran.out.splitlines()[0].removeprefix("::stop-commands::") + "::\n")
    assert "::error::" in before
    titles = [line.partition(" title=")[0] for line in after.splitlines()]
    assert set(titles) <= {"::error", "::warning", "::notice"} and titles


def test_a_terminal_without_unicode_still_gets_its_code(tmp_path: Path) -> None:
    (tmp_path / "house.yaml").write_text(HOUSE)
    done = subprocess.run(
        [sys.executable, "-m", "govern", "check", str(PASSING), *DAY, "--policy", "house.yaml", "--format", "github"],
        cwd=tmp_path, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii", "NO_COLOR": "1"})
    assert done.returncode == 1, done.stderr
    assert done.stdout.isascii() and b"::error title=house/H-1" in done.stdout


EXAMPLES = sorted(p for which in ("pass", "fail") for p in (ROOT / "policies" / "kinds").glob(f"*.{which}.json"))


@pytest.mark.parametrize("evidence", EXAMPLES, ids=lambda p: p.name.removesuffix(".json"))
def test_every_rule_kind_is_told_in_every_format(govern: Govern, evidence: Path, tmp_path: Path) -> None:
    """The examples of the rule kinds: what each finds can be written, and nothing that binds is lost on the way."""
    kind = evidence.name.partition(".")[0]
    beside = {"--baseline": evidence.with_name(f"{kind}.baseline.json"),
              "--compute": evidence.with_suffix(".compute.json")}
    more = [part for flag, path in beside.items() if path.exists() for part in (flag, path)]
    ran = govern("check", evidence, *DAY, "--policy", evidence.with_name(f"{kind}.yaml"), "--out", "checked",
                 *asked(*FILES, "github"), *more)
    verdict = ran.document("verdict.json", "checked")
    assert ran.code in (0, 1, 3), ran.err
    folder = tmp_path / "checked"
    junit = ElementTree.parse(folder / "junit.xml").getroot()
    assert len(list(junit.iter("testcase"))) == len(verdict["findings"])
    red = len(list(junit.iter("failure"))) + len(list(junit.iter("error")))
    binding = [f for f in verdict["findings"] if f.get("counts_as", "PASS") != "PASS"]
    assert red == len(binding) and (ran.code == 0) == (red == 0)
    issues = ran.document("gl-code-quality.json", "checked")
    assert len([i for i in issues if i["severity"] in ("blocker", "critical")]) == red
    for name in FILES.values():
        text = (folder / name).read_text(encoding="utf-8")
        assert "nan" not in re.findall(r"\w+", text.lower()) and "None" not in text, name
