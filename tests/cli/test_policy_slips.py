"""Slips in policies and in how they are asked for: one line, exit 2 or a person, and never PASS."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Govern = Callable[..., Any]
EVIDENCE = Path(__file__).parents[2] / "policies" / "baseline.pass.json"
HEAD = """\
schema: govern.policy/1
name: house
version: "1"
title: House rules
status: in_force
as_of: 2026-11-03
"""
RULE = "  - {id: H-1, kind: bound, title: Accuracy, metric: accuracy, min: 0.60, severity: block, basis: house}\n"
ACCURACY = HEAD + "rules:\n" + RULE


@pytest.mark.parametrize(("text", "said"), [
    (ACCURACY.replace("min: 0.60", "mim: 0.60"), ["house.yaml:8:", "H-1", '"mim"', 'did you mean "min"']),
    (ACCURACY.replace("metric: accuracy", "metric: acuracy"), ["house.yaml:8:", "H-1", 'did you mean "accuracy"']),
    (ACCURACY.replace("kind: bound", "kind: bond"), ["house.yaml:8:", 'did you mean "bound"']),
    (ACCURACY.replace("min: 0.60", "min: 60"), ["house.yaml:8:", "H-1", "0.8 for 80 %"]),
    (ACCURACY.replace("min: 0.60", "min: 60%"), ["house.yaml:8:", "H-1", '"min"']),
    (ACCURACY.replace("block", "bloc"), ["house.yaml:8:", '"severity"']),
    (ACCURACY.replace("basis: house", "basis: hous"), ["house.yaml:8:", '"basis"']),
    ("", ["house.yaml:1:1", "is not a policy"]),
    (HEAD, ["house.yaml:1:1", "has no rules"]),
    (HEAD + "rules: []\n", ["house.yaml:7:1", "has no rules"]),
    (HEAD + "extends: [baselin]\n", ["house.yaml:7:", 'did you mean "baseline"']),
    (ACCURACY + RULE, ["house.yaml:9:", 'two rules "H-1"']),
    (ACCURACY.replace("block,", "block, when: {fase: team},"), ["house.yaml:8:", "fase"]),
    (ACCURACY.replace("block,", "block, when: {rule: H-2, outcome: [fail]},"), ["house.yaml:8:", "H-2"]),
])
def test_a_slip_is_one_line_and_exit_2(govern: Govern, tmp_path: Path, text: str, said: list[str]) -> None:
    (tmp_path / "house.yaml").write_text(text, encoding="utf-8")
    ran = govern("check", EVIDENCE, "--policy", "house.yaml", "--out", "judged")
    assert ran.code == 2 and ran.out == "" and len(ran.err.splitlines()) == 1
    assert all(part in ran.err for part in said), ran.err
    assert not (tmp_path / "judged").exists()


@pytest.mark.parametrize("phase", ["prod", "Team", ""])
def test_a_wrong_phase_is_one_line_and_exit_2(govern: Govern, tmp_path: Path, phase: str) -> None:
    ran = govern("check", EVIDENCE, "--phase", phase, "--out", "judged")
    assert ran.code == 2 and len(ran.err.splitlines()) == 1 and "--phase" in ran.err and "company" in ran.err
    assert not (tmp_path / "judged").exists()


@pytest.mark.parametrize("text", [
    HEAD + "rules:\n" + RULE.replace("block,", "block, when: {task: regression},"),
    HEAD + "rules:\n" + RULE.replace("metric: accuracy", "metric: multiclass_accuracy"),
    HEAD + "rules:\n" + RULE.replace("bound", "disparity").replace(
        "min: 0.60", "compare: ratio, against: any, min: 0.8, by: [religion]"),
    HEAD + "applies_when: {task: regression}\nrules:\n" + RULE,
])
def test_a_policy_that_matches_nothing_is_no_pass(govern: Govern, tmp_path: Path, text: str) -> None:
    """No rule applies to this evidence, so a person must decide."""
    (tmp_path / "house.yaml").write_text(text, encoding="utf-8")
    ran = govern("check", EVIDENCE, "--policy", "house.yaml")
    assert ran.code == 3 and "REVIEW" in ran.out and "PASS" not in ran.out


@pytest.mark.parametrize(("field", "value"), [("fairness_level", "AIFL2"), ("performance_level", "2")])
def test_a_misspelt_level_does_not_set_a_pack_aside(govern: Govern, tmp_path: Path, field: str, value: str) -> None:
    """No rule of japan-mlqm would wait for a level of this name."""
    stored = json.loads((EVIDENCE.parent / "japan-mlqm.pass.json").read_bytes())
    stored["card"]["mlqm"][field] = value
    (tmp_path / "evidence.json").write_text(json.dumps(stored), encoding="utf-8")
    ran = govern("check", "evidence.json", "--policy", "japan-mlqm", "--out", "judged")
    assert ran.code == 1
    finding = next(f for f in ran.document("verdict.json", "judged")["findings"] if f["rule"] == "ML-0")
    assert finding["outcome"] == "fail" and f'mlqm.{field} is "{value}", not one of' in finding["reason"]
