"""`govern policy lock`, and what a run and a later check make of the lock and of a baseline."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from govern.codec import digest

HOUSE = """\
schema: govern.policy/1
name: house
version: "2"
title: House rules
status: in_force
as_of: 2026-11-01
rules:
  - {id: H-1, kind: integrity, title: Fixed before the run, require: [lock], severity: block, basis: house}
  - {id: H-2, kind: integrity, title: Digests, require: [digests], severity: block, basis: house}
  - {id: H-3, kind: bound, title: Accuracy, metric: accuracy, min: declared, severity: block, basis: house}
  - {id: H-4, kind: bound, title: Not worse, metric: accuracy, min: {baseline: -0.05}, severity: block, basis: house}
"""
SETTINGS = """\
data: {path: e.csv, target: y, prediction: p, sensitive: [g]}
policies: [./house.yaml]
declared: {primary: {metric: accuracy, min: 0.60}}
"""
BEFORE, AFTER = "2026-11-20T14:02:00Z", "2026-11-21T09:10:00Z"
Govern = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Stored predictions, right for two rows of three."""
    rows = [f"{'ab'[i % 2]},{i % 2},{(i % 2) ^ (i % 3 == 0)}" for i in range(1200)]
    (tmp_path / "e.csv").write_text("g,y,p\n" + "\n".join(rows) + "\n")
    (tmp_path / "house.yaml").write_text(HOUSE)
    (tmp_path / "govern.yaml").write_text(SETTINGS)
    return tmp_path


def findings(folder: Path, out: str = "govern-report") -> dict[str, Any]:
    verdict = json.loads((folder / out / "verdict.json").read_bytes())
    return {f["rule"]: f for f in verdict["findings"]}


def report(govern: Govern, *more: object) -> int:
    code: int = govern("report", "--timestamp", AFTER, "--format", "html", "--quiet", *more).code
    return code


def test_locked_before_the_run_and_recorded_by_it(govern: Govern, folder: Path) -> None:
    ran = govern("policy", "lock", "--timestamp", BEFORE)
    assert ran.code == 0 and ran.err == "" and "house 2; 1 declared, locked 2026-11-20T14:02:00Z" in ran.out
    lock = json.loads((folder / "govern.lock").read_bytes())
    assert lock["schema"] == "govern.lock/1" and lock["locked"] == BEFORE
    assert lock["policies"] == [{"name": "house", "version": "2", "sha256": digest(HOUSE.encode())}]
    assert lock["declared"] == {"primary": {"metric": "accuracy", "min": 0.6}}
    assert report(govern) == 0
    evidence = json.loads((folder / "govern-report" / "evidence.json").read_bytes())
    subject = next(s for s in evidence["subjects"] if s["role"] == "policy-lock")
    assert subject["sha256"] == digest((folder / "govern.lock").read_bytes()) and evidence["lock"] == lock
    found = findings(folder)
    assert found["H-1"]["outcome"] == found["H-2"]["outcome"] == "pass" and found["H-4"]["outcome"] == "n/a"


def test_the_same_lock_is_left_and_another_needs_replace(govern: Govern, folder: Path) -> None:
    assert govern("policy", "lock", "--timestamp", BEFORE, "--quiet").out == ""
    first = (folder / "govern.lock").read_bytes()
    assert "unchanged, locked 2026-11-20" in govern("policy", "lock", "--timestamp", AFTER).out
    (folder / "govern.yaml").write_text(SETTINGS.replace("0.60", "0.55"))
    ran = govern("policy", "lock", "--timestamp", AFTER)
    assert ran.code == 2 and ran.err.count("\n") == 1
    assert "govern.lock: holds another lock: declared primary.min is 0.55, locked 0.6; --replace writes it" in ran.err
    ran = govern("policy", "lock", "--policy", "baseline", "--timestamp", AFTER)
    assert ran.code == 2 and "policy baseline is not locked and 2 more" in ran.err
    assert (folder / "govern.lock").read_bytes() == first
    assert govern("policy", "lock", "--timestamp", AFTER, "--replace").code == 0
    assert json.loads((folder / "govern.lock").read_bytes())["declared"]["primary"]["min"] == 0.55


def test_what_was_changed_after_the_lock_fails_and_is_named(govern: Govern, folder: Path) -> None:
    govern("policy", "lock", "--timestamp", BEFORE)
    (folder / "house.yaml").write_text(HOUSE + "  # a comment is another file too\n")
    (folder / "govern.yaml").write_text(SETTINGS.replace("0.60", "0.55"))
    assert report(govern) == 1
    reason = findings(folder)["H-1"]["reason"]
    assert reason.startswith("policy house is another file than was locked (")
    assert reason.endswith("declared primary.min is 0.55, locked 0.6")


def test_locked_after_the_run_is_too_late(govern: Govern, folder: Path) -> None:
    assert report(govern) == 0
    assert findings(folder)["H-1"]["reason"] == "not proven: no lock was recorded when measuring"
    govern("policy", "lock", "--timestamp", AFTER)
    evidence = "govern-report/evidence.json"
    ran = govern("check", evidence, "--lock", "govern.lock", "--out", "again", "--quiet")
    assert ran.code == 0 and findings(folder, "again")["H-1"]["outcome"] == "n/a"
    assert "the lock file given now was not" in findings(folder, "again")["H-1"]["reason"]
    govern("policy", "lock", "--timestamp", "2026-11-22T00:00:00Z", "--lock", "late.lock")
    assert report(govern, "--lock", "late.lock") == 1
    assert findings(folder)["H-1"]["reason"].startswith("locked 2026-11-22T00:00:00Z, after the evidence was made")


def test_check_compares_with_the_recorded_lock_alone(govern: Govern, folder: Path) -> None:
    govern("policy", "lock", "--timestamp", BEFORE)
    assert report(govern) == 0
    evidence = "govern-report/evidence.json"
    assert govern("check", evidence, "--quiet").code == 0
    assert govern("check", evidence, "--lock", "govern.lock", "--out", "again", "--quiet").code == 0
    verdict = json.loads((folder / "again" / "verdict.json").read_bytes())
    assert verdict["judged"]["lock"] == digest((folder / "govern.lock").read_bytes())
    # A lock written anew is not the recorded one, whatever it holds.
    govern("policy", "lock", "--timestamp", "2026-11-19T00:00:00Z", "--lock", "other.lock")
    assert govern("check", evidence, "--lock", "other.lock", "--quiet").code == 1
    (folder / "house.yaml").write_text(HOUSE.replace("-0.05", "-0.06"))
    assert govern("check", evidence, "--quiet").code == 1
    (folder / "govern.lock").write_bytes(b"{}")
    ran = govern("check", evidence, "--lock", "govern.lock")
    assert ran.code == 2 and ran.err.startswith("govern: govern.lock: has schema")
    # The file in the folder is not looked at by check, and one that is broken stops a run before it begins.
    assert govern("check", evidence, "--policy", "baseline", "--quiet").code in (0, 3)
    assert report(govern, "--out", "never") == 2 and not (folder / "never").exists()


def test_a_baseline_for_report_and_check(govern: Govern, folder: Path) -> None:
    assert report(govern, "--out", "before") == 0
    assert report(govern, "--baseline", "before/evidence.json") == 0
    verdict = json.loads((folder / "govern-report" / "verdict.json").read_bytes())
    assert verdict["judged"]["baseline"] == digest((folder / "before" / "evidence.json").read_bytes())
    assert findings(folder)["H-4"]["outcome"] == "pass" and findings(folder)["H-4"]["bound_min"].startswith("0.6166666")
    worse = [f"{'ab'[i % 2]},{i % 2},{(i % 2) ^ (i % 5 < 3)}" for i in range(1200)]
    (folder / "e.csv").write_text("g,y,p\n" + "\n".join(worse) + "\n")
    assert report(govern, "--out", "after") in (0, 1, 3)
    for decide, code in (("interval", 1), ("point", 1)):
        (folder / "house.yaml").write_text(HOUSE.replace("min: {baseline: -0.05}",
                                                         f"min: {{baseline: -0.05}}, decide: {decide}"))
        ran = govern("check", "after/evidence.json", "--baseline", "before/evidence.json", "--out", "v", "--quiet")
        assert (ran.code, findings(folder, "v")["H-4"]["outcome"]) == (code, "fail")
    for bad, said in (("absent.json", "absent.json: no such file"), ("govern.yaml", "govern.yaml: is not JSON")):
        ran = govern("check", "after/evidence.json", "--baseline", bad)
        assert ran.code == 2 and said in ran.err and ran.err.count("\n") == 1


def test_the_lock_cannot_be_written(govern: Govern, folder: Path) -> None:
    (folder / "file").write_text("")
    ran = govern("policy", "lock", "--lock", "file/govern.lock")
    assert ran.code == 2 and "choose another place with --lock" in ran.err and ran.err.count("\n") == 1
    assert govern("policy", "lock", "--policy", "baselin").code == 2
    assert govern("policy", "lock", "--timestamp", "soon").code == 2
    assert not (folder / "govern.lock").exists()
