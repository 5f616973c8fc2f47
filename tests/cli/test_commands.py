"""The commands as people and pipelines use them."""

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

import pytest

from govern.codec import digest

FILES = ["card.html", "card.pdf", "compute.json", "evidence.json", "verdict.json"]
ROOT = Path(__file__).parents[2]
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def reported(logistic: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with govern.yaml and a full report of the logistic case, made as README says."""
    folder = tmp_path_factory.mktemp("reported")
    for name in ("model.pkl", "eval.csv"):
        shutil.copy(logistic.folder / name, folder / name)
    (folder / "govern.yaml").write_text("data: {path: eval.csv, target: y, sensitive: [group]}\n")
    done = subprocess.run([sys.executable, "-m", "govern", "report", "model.pkl"], cwd=folder, text=True,
                          capture_output=True, env={**os.environ, "CI": "true", "NO_COLOR": "1", "COLUMNS": "80"})
    (folder / "said.txt").write_text(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return folder


def test_report_with_the_settings_file_alone_is_a_pass_at_phase_team(reported: Path) -> None:
    """Model, data, target and a sensitive column: a PASS under baseline where groups do not differ."""
    verdict = json.loads((reported / "govern-report" / "verdict.json").read_bytes())
    assert (verdict["outcome"], verdict["phase"], [p["name"] for p in verdict["policies"]]) == \
        ("PASS", "team", ["baseline"])
    assert sorted(p.name for p in (reported / "govern-report").iterdir()) == FILES
    assert not any(f["counts_as"] != "PASS" for f in verdict["findings"] if "counts_as" in f)


def test_summary_fits_80_columns_and_names_verdict_and_files(reported: Path) -> None:
    said = (reported / "said.txt").read_text()
    assert "PASS" in said and "evidence.json" in said and "\x1b" not in said
    assert max(map(len, said.splitlines())) <= 80


def test_digests_are_those_of_the_files(reported: Path) -> None:
    folder = reported / "govern-report"
    evidence = (folder / "evidence.json").read_bytes()
    verdict = json.loads((folder / "verdict.json").read_bytes())
    compute = (folder / "compute.json").read_bytes()
    assert verdict["judged"] == {"evidence": digest(evidence), "compute": digest(compute)}
    assert json.loads(compute)["evidence_sha256"] == digest(evidence)
    subjects = {s["role"]: s for s in json.loads(evidence)["subjects"]}
    assert subjects["model"]["sha256"] == digest((reported / "model.pkl").read_bytes())
    assert subjects["data"]["sha256"] == digest((reported / "eval.csv").read_bytes())
    assert subjects["config"]["sha256"] == digest((reported / "govern.yaml").read_bytes())
    for name in ("card.html", "said.txt"):
        text = ((folder if name == "card.html" else reported) / name).read_text()
        assert digest(evidence)[:8] in text.replace(" ", "").replace("\n", "")


def test_documents_hold_no_path_of_this_machine(reported: Path) -> None:
    for name in FILES:
        data = (reported / "govern-report" / name).read_bytes()
        assert str(reported).encode() not in data and str(Path.home()).encode() + b"/" not in data, name


def test_check_gives_the_same_verdict_and_writes_only_when_asked(govern: Callable[..., Any], reported: Path,
                                                                 tmp_path: Path) -> None:
    folder = reported / "govern-report"
    ran = govern("check", folder / "evidence.json", "--policy", "baseline", cwd=tmp_path)
    assert ran.code == 0 and "PASS" in ran.out and list(tmp_path.iterdir()) == []
    ran = govern("check", folder / "evidence.json", "--policy", "baseline", "--out", "again", cwd=tmp_path)
    assert (tmp_path / "again" / "verdict.json").read_bytes() == (folder / "verdict.json").read_bytes()


def test_check_judges_by_another_policy_and_phase(govern: Callable[..., Any], reported: Path, tmp_path: Path) -> None:
    (tmp_path / "strict.yaml").write_text("""\
schema: govern.policy/1
name: strict
version: "1"
title: {en: Strict}
status: in_force
as_of: 2026-01-01
rules:
  - {id: S-1, kind: bound, title: {en: Accuracy}, metric: accuracy, min: 0.99, severity: block, basis: house}
""")
    evidence = reported / "govern-report" / "evidence.json"
    ran = govern("check", evidence, "--policy", "strict.yaml", cwd=tmp_path)
    assert ran.code == 1 and "BLOCK" in ran.out and "at least 0.99" in ran.out and "strict.yaml:8" in ran.out
    # At phase company the card words are demanded and an unsettled comparison needs a person.
    assert govern("check", evidence, "--phase", "company", "--quiet", cwd=tmp_path).code == 1


def test_render_makes_the_same_cards_from_the_documents(govern: Callable[..., Any], reported: Path,
                                                        tmp_path: Path) -> None:
    folder = reported / "govern-report"
    ran = govern("render", folder / "evidence.json", folder / "verdict.json", "--out", "cards", cwd=tmp_path)
    assert ran.code == 0, ran.err
    for name in ("card.html", "card.pdf"):
        assert (tmp_path / "cards" / name).read_bytes() == (folder / name).read_bytes(), name


def test_a_pdf_holds_the_documents_unless_it_suppresses_small_groups(govern: Callable[..., Any], reported: Path,
                                                                     tmp_path: Path) -> None:
    pypdf = pytest.importorskip("pypdf")
    folder = reported / "govern-report"
    asked = ("render", folder / "evidence.json", folder / "verdict.json", "--format", "pdf", "--paper", "letter")
    for out, more, held in (("all", (), {"evidence.json", "verdict.json"}), ("few", ("--suppress-below", "10"), set())):
        ran = govern(*asked, "--out", out, *more, cwd=tmp_path)
        assert ran.code == 0, ran.err
        made = pypdf.PdfReader(tmp_path / out / "card.pdf")
        assert {name: data[0] for name, data in made.attachments.items()} == {
            name: (folder / name).read_bytes() for name in held}
        assert round(made.pages[0].mediabox.height) == 792


def test_render_refuses_a_verdict_on_other_evidence(govern: Callable[..., Any], reported: Path, tmp_path: Path) -> None:
    folder = reported / "govern-report"
    other = json.loads((folder / "evidence.json").read_bytes())
    other["notes"] = ["edited"]
    (tmp_path / "evidence.json").write_text(json.dumps(other))
    ran = govern("render", "evidence.json", folder / "verdict.json", "--format", "html", cwd=tmp_path)
    assert ran.code == 2 and "other evidence" in ran.err


def test_two_runs_are_byte_identical(govern: Callable[..., Any], german: Any) -> None:
    for out in ("one", "two"):
        ran = govern("report", *german.arguments, "--compute", "skip", "--out", out, "--quiet", cwd=german.folder)
        assert ran.code in (0, 1, 3) and ran.out == ran.err == ""
    names = sorted(p.name for p in (german.folder / "one").iterdir())
    assert names == [n for n in FILES if n != "compute.json"]
    for name in names:
        assert (german.folder / "one" / name).read_bytes() == (german.folder / "two" / name).read_bytes(), name


def test_a_new_report_leaves_no_file_of_an_older_one(govern: Callable[..., Any], reported: Path,
                                                     tmp_path: Path) -> None:
    for name in ("model.pkl", "eval.csv", "govern.yaml"):
        shutil.copy(reported / name, tmp_path / name)
    shutil.copytree(reported / "govern-report", tmp_path / "govern-report")
    (tmp_path / "govern-report" / "notes.txt").write_text("the user's own")
    assert govern("report", "model.pkl", "--format", "html", "--compute", "skip", "--quiet").code == 0
    assert sorted(p.name for p in (tmp_path / "govern-report").iterdir()) == [
        "card.html", "evidence.json", "notes.txt", "verdict.json"]


def test_a_block_and_its_reason(govern: Callable[..., Any], tmp_path: Path) -> None:
    """Group b is granted half as often: with a blocking rule of the house this is exit 1."""
    lines = [f"{'ab'[i % 2]},{int(i % 3 == 0)},{int((i % 4 != 1 and i % 3 == 0) or i % 2 == 0)}" for i in range(2000)]
    (tmp_path / "e.csv").write_text("g,y,p\n" + "\n".join(lines) + "\n")
    (tmp_path / "house.yaml").write_text("""\
schema: govern.policy/1
name: house
version: "2"
title: {en: House rules}
status: in_force
as_of: 2026-01-01
rules:
  - id: H-1
    kind: disparity
    title: {en: Selection ratio}
    metric: selection_rate
    compare: ratio
    against: any
    min: 0.9
    severity: block
    basis: house
""")
    arguments = ["report", "--data", "e.csv", "--target", "y", "--prediction", "p", "--sensitive", "g",
                 "--format", "html"]
    ran = govern(*arguments, "--policy", "house.yaml")
    assert ran.code == 1 and "BLOCK" in ran.out and "H-1" in ran.out and "at least 0.9" in ran.out
    assert govern(*arguments).code == 3  # under baseline alone the same gap asks for review


def test_scan_lists_everything_refused_with_its_trust_line(govern: Callable[..., Any], tmp_path: Path,
                                                           reported: Path) -> None:
    (tmp_path / "own.pkl").write_bytes(b"\x80\x02cown_model\nModel\n)\x81.")
    (tmp_path / "bad.pkl").write_bytes(b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R.")
    assert govern("scan", reported / "model.pkl").code == 0
    ran = govern("scan", "own.pkl", "bad.pkl")
    assert ran.code == 1 and "--trust own_model.Model" in ran.out and "os.system" in ran.out
    assert "--trust os" not in ran.out
    assert govern("scan", "own.pkl", "--trust", "own_model.Model").code == 0
    assert govern("scan", "none.pkl").code == 2


def test_policy_commands(govern: Callable[..., Any], tmp_path: Path) -> None:
    import jsonschema
    from ruamel.yaml import YAML

    assert "baseline" in govern("policy", "list").out
    shown = govern("policy", "show", "baseline").out
    schema = json.loads(govern("policy", "schema").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    policy = json.loads(json.dumps(YAML(typ="safe", pure=True).load(shown), default=str))
    jsonschema.Draft202012Validator(schema).validate(policy)
    policy["rules"][0]["severty"] = "block"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(policy)
    assert govern("policy", "show", "nothing").code == 2


def test_doctor_says_what_is_there(govern: Callable[..., Any]) -> None:
    ran = govern("doctor")
    assert ran.code == 0, ran.out
    assert "PDF" in ran.out and "Python" in ran.out


def test_without_pdf_libraries_html_is_written_and_the_code_still_tells(reported: Path, tmp_path: Path) -> None:
    """In processes in which the import fails, as it does on a machine without Pango."""
    evidence = reported / "govern-report" / "evidence.json"
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "sitecustomize.py").write_text("import sys; sys.modules['weasyprint'] = None\n")
    paths = [str(tmp_path / "without"), str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}

    def ran(*arguments: object, cwd: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "govern", *map(str, arguments)], cwd=cwd, text=True,
                              capture_output=True, env=environment)

    done = ran("render", evidence, "--out", "cards")
    assert done.returncode == 0 and sorted(p.name for p in (tmp_path / "cards").iterdir()) == ["card.html"]
    assert "install" in done.stderr and done.stderr.count("\n") == 1
    done = ran("render", evidence, "--out", "asked", "--format", "pdf")
    assert done.returncode == 2 and "install" in done.stderr and not (tmp_path / "asked").exists()
    shutil.copytree(reported, tmp_path / "copy", ignore=shutil.ignore_patterns("govern-report"))
    done = ran("report", "model.pkl", "--out", "r", cwd=tmp_path / "copy")
    assert done.returncode == 0 and "PASS" in done.stdout, done.stderr
    assert sorted(p.name for p in (tmp_path / "copy" / "r").iterdir()) == [f for f in FILES if f != "card.pdf"]


def test_colour_on_a_terminal_and_none_with_no_color(reported: Path) -> None:
    command = [sys.executable, "-m", "govern", "check", "govern-report/evidence.json"]
    environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "CI")}
    coloured = subprocess.run(command, cwd=reported, text=True, capture_output=True,
                              env={**environment, "FORCE_COLOR": "1", "COLUMNS": "80"}).stdout
    plain = subprocess.run(command, cwd=reported, text=True, capture_output=True,
                           env={**environment, "NO_COLOR": "1", "COLUMNS": "80"}).stdout
    assert "\x1b[" in coloured and "\x1b" not in plain
    assert ESCAPE.sub("", coloured) == plain


def test_plain_lines_in_ci_and_silence_with_quiet(govern: Callable[..., Any], reported: Path) -> None:
    ran = govern("measure", "model.pkl", "--out", "other", "--compute", "skip", cwd=reported)
    assert ran.err.splitlines()[0].startswith("govern: ") and "\x1b" not in ran.err
    ran = govern("measure", "model.pkl", "--out", "other", "--compute", "skip", "--quiet", cwd=reported)
    assert (ran.out, ran.err) == ("", "")


def test_time_comes_from_the_flag_then_source_date_epoch(govern: Callable[..., Any], reported: Path,
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    arguments = ["measure", "model.pkl", "--out", "timed", "--compute", "skip", "--quiet"]
    govern(*arguments, cwd=reported)
    assert json.loads((reported / "timed" / "evidence.json").read_bytes())["created"] == "1970-01-01T00:00:00Z"
    govern(*arguments, "--timestamp", "2026-11-22T09:00:00+09:00", cwd=reported)
    assert json.loads((reported / "timed" / "evidence.json").read_bytes())["created"] == "2026-11-22T00:00:00Z"


def test_a_closed_pipe_is_no_crash(reported: Path) -> None:
    done = subprocess.run(f"{sys.executable} -m govern policy schema | head -c 10", shell=True, cwd=reported,
                          capture_output=True, text=True)
    assert "Traceback" not in done.stderr and "internal error" not in done.stderr


def test_a_terminated_run_leaves_nothing_and_tells_its_signal(reported: Path) -> None:
    import signal
    import time

    running = subprocess.Popen([sys.executable, "-m", "govern", "report", "model.pkl", "--out", "killed"],
                               cwd=reported, stderr=subprocess.PIPE, text=True, env={**os.environ, "CI": "true"})
    assert running.stderr is not None
    assert running.stderr.readline().startswith("govern: ")  # it has started to work
    running.send_signal(signal.SIGTERM)
    start = time.monotonic()
    assert running.wait(timeout=30) == 128 + signal.SIGTERM
    assert time.monotonic() - start < 30 and not (reported / "killed").exists()
    assert "Traceback" not in running.stderr.read()
    running.stderr.close()
