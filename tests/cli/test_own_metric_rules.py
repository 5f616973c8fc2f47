"""A metric of the user's own from its function file to the verdict and the card, and the files that name it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

Govern = Callable[..., Any]
COST = "def cost(y_true, y_pred, score, weight):\n    return float(5 * ((y_true == 1) & (y_pred == 0)).mean())\n"
CONFIG = """\
model: {path_extra: [own]}
data:
  path: eval.csv
  target: y
  score: p
  threshold: 0.5
  sensitive: [sex]
  metrics: {cost: {function: "mine:cost", better: lower, low: 0}}
declared: {primary: {metric: cost, max: 2}}
policies: [house.yaml]
"""
HOUSE = """\
schema: govern.policy/1
name: house
version: "1"
title: House rules
status: in_force
as_of: 2026-11-03
defaults: {min_share: 0}
rules:
  - {id: H-1, kind: bound, title: Cost, metric: primary, max: declared, severity: block, basis: house}
  - {id: H-2, kind: bound, title: Cost by group, metric: cost, by: [sex], max: 0.001, severity: block, basis: house}
  - {id: H-3, kind: disparity, title: Gap, metric: cost, compare: difference, against: best, max: 2, severity: review,
     basis: house}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"sex": rng.choice(["men", "women"], 600), "p": rng.random(600).round(3)})
    data["y"] = (rng.random(600) < data.p).astype(int)
    data.to_csv(tmp_path / "eval.csv", index=False)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine.py").write_text(COST)
    (tmp_path / "govern.yaml").write_text(CONFIG)
    (tmp_path / "house.yaml").write_text(HOUSE)
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def verdict(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "verdict.json").read_bytes())
    return found


def test_it_is_judged_shown_and_judged_again_from_the_evidence_alone(govern: Govern, folder: Path) -> None:
    ran = govern("report", "--format", "html", "--compute", "skip", cwd=folder)
    assert ran.code == 1, ran.err
    found = {f["rule"]: f for f in verdict(folder / "govern-report")["findings"]}
    assert {rule: f["outcome"] for rule, f in found.items()} == {"H-1": "pass", "H-2": "fail", "H-3": "pass"}
    rows = pd.read_csv(folder / "eval.csv")
    missed = 5 * ((rows.y == 1) & (rows.p < 0.5))
    assert found["H-1"]["seen"]["value"] == pytest.approx(missed.mean())
    by_sex = missed.groupby(rows.sex).mean()
    gap = found["H-3"]["seen"]["value"]
    assert gap == pytest.approx(by_sex.max() - by_sex.min())
    assert "Sex men: cost 0." in (folder / "govern-report" / "card.html").read_text(encoding="utf-8")

    other = folder / "elsewhere"  # no settings, no function, no data
    other.mkdir()
    again = govern("check", "../govern-report/evidence.json", "--policy", "../house.yaml", "--out", ".", cwd=other)
    assert again.code == 1, again.err
    assert [f["outcome"] for f in verdict(other)["findings"]] == [f["outcome"] for f in found.values()]


def test_evidence_measured_without_it_leaves_its_rules_not_run(govern: Govern, folder: Path) -> None:
    change(folder / "govern.yaml", 'metrics: {cost: {function: "mine:cost", better: lower, low: 0}}', "task: binary")
    change(folder / "govern.yaml", "metric: cost, max: 2", "metric: accuracy, max: 1")
    assert govern("measure", "--compute", "skip", cwd=folder).code == 0
    refused = govern("check", "govern-report/evidence.json", cwd=folder)
    assert refused.code == 2 and 'house.yaml:10:50: H-2: "metric": unknown metric "cost"' in refused.err
    (folder / "govern.yaml").write_text(CONFIG)
    ran = govern("check", "govern-report/evidence.json", "--out", ".", cwd=folder)
    assert ran.code == 3, ran.err
    found = {f["rule"]: (f["outcome"], f.get("reason")) for f in verdict(folder)["findings"]}
    assert found["H-2"] == found["H-3"] == ("not_run", "cost was not measured")


def test_a_function_that_fails_leaves_its_rules_not_run(govern: Govern, folder: Path) -> None:
    (folder / "own" / "mine.py").write_text("def cost(y_true, y_pred, score, weight):\n    return 1 / 0\n")
    ran = govern("report", "--format", "html", "--compute", "skip", cwd=folder)
    assert ran.code == 3, ran.err
    for finding in verdict(folder / "govern-report")["findings"]:
        assert finding["outcome"] == "not_run" and "ZeroDivisionError" in finding["reason"]


@pytest.mark.parametrize(("file", "old", "new", "said"), [
    ("house.yaml", "metric: cost, by", "metric: csot, by",
     'house.yaml:10:50: H-2: "metric": unknown metric "csot"; did you mean "cost"?'),
    ("govern.yaml", "metric: cost", "metric: csot",
     'govern.yaml:9:22: "metric": unknown metric "csot"; did you mean "cost"?'),
    ("govern.yaml", "better: lower, ", "", "which side of the primary metric \"cost\" is better is not said"),
])
def test_slips_are_one_line_before_anything_is_measured(govern: Govern, folder: Path, file: str, old: str, new: str,
                                                        said: str) -> None:
    change(folder / file, old, new)
    ran = govern("report", cwd=folder)
    assert ran.code == 2 and said in ran.err and len(ran.err.splitlines()) == 1
    assert not (folder / "govern-report").exists()


def test_policy_show_checks_against_the_metrics_of_a_config(govern: Govern, folder: Path) -> None:
    ran = govern("policy", "show", "house.yaml", cwd=folder)
    assert ran.code == 0 and ran.out == HOUSE
    (folder / "govern.yaml").rename(folder / "other.yaml")
    assert govern("policy", "show", "house.yaml", cwd=folder).code == 2
    ran = govern("policy", "show", "house.yaml", "--config", "other.yaml", cwd=folder)
    assert ran.code == 0 and ran.out == HOUSE
