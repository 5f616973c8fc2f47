"""Principal reasons of adverse decisions through the command line, on a published worked number and on real data.

The worked number (A14): weights of 1, a cut-off of 10, means of everyone (5, 4, 3); the applicant (2, 4, 1) falls short
by (3, 0, 2), so that the reasons are x1 and x3, in this order, and never x2. Of those approved the means are (6, 5, 4):
then x2 is a third reason. That is why the rows compared with are declared and printed.
"""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from govern.inputs.config import load_settings

Govern = Callable[..., Any]
X = ["x1", "x2", "x3"]
APPROVED = [(6 + d, 5 - d, 4) for d in (-1, 0, 1)] * 20
OTHERS = [(2, 4, 1), (4, 0, 1)] + [(3, 2, 1)] * 28
SETTINGS: dict[str, Any] = {
    "data": {"path": "data.csv", "target": "y", "positive": 1, "favourable": 1, "features": X},
    "explain": {"cases": [{"id": 1}], "reasons": {"x1": {"low": "Too few years at the present address"},
                                                  "x2": "Too many recent inquiries", "x3": "Too few accounts"}}}
RULES = """\
schema: govern.policy/1
name: house
version: "1"
title: House
status: in_force
as_of: 2026-11-03
rules:
  - {id: R-1, kind: explanation, title: Words, metric: reason_coverage, min: 1, severity: block, basis: house}
  - {id: R-2, kind: explanation, title: Dropped, metric: reason_dropped_share, max: 0, severity: block, basis: house}
  - {id: R-3, kind: explanation, title: Direct, metric: reason_agreement, min: 0.75, severity: block, basis: house}
  - {id: R-4, kind: explanation, title: Shape, metric: shape_violation_share, max: 0.01, severity: block, basis: house}
  - {id: R-5, kind: explanation, title: Signs, signs: declared, severity: block, basis: house}
"""


def put(folder: Path, explain: Mapping[str, Any] | None = None) -> None:
    """The published applicants, the model whose log-odds are x1 + x2 + x3 − 10, and settings."""
    rows = pd.DataFrame([*OTHERS, *APPROVED], columns=X)
    y = np.arange(len(rows)) % 2
    rows.assign(y=y, id=range(1, len(rows) + 1)).to_csv(folder / "data.csv", index=False)
    model = LogisticRegression().fit(rows, y)
    model.coef_, model.intercept_ = np.ones((1, 3)), np.array([-10.0])
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    given = {**SETTINGS, "explain": {**SETTINGS["explain"], **(explain or {})}}
    (folder / "govern.yaml").write_text(json.dumps(given))  # JSON is YAML


def measured(govern: Govern, folder: Path, **explain: Any) -> Any:
    put(folder, explain)
    ran = govern("measure", "model.pkl", "--compute", "skip", "--quiet", "--timestamp", "2026-11-22T00:00:00Z")
    assert (ran.code, ran.err) == (0, "")
    return ran.document("evidence.json")


@pytest.mark.parametrize(("background", "behind", "reasons"), [
    ("all", 90, ["Too few years at the present address", "Too few accounts"]),
    ("near-cutoff", 30, ["Too few years at the present address", "Too few accounts", "Too many recent inquiries"])])
def test_a14_reasons_of_the_applicant(govern: Govern, tmp_path: Path, background: str, behind: int,
                                      reasons: list[str]) -> None:
    found = measured(govern, tmp_path, background=background)["explanation"]
    codes = found["reason_codes"]
    assert (codes["background"], codes["background_rows"]) == (background, behind)
    assert (codes["rows"], codes["covered"]) == (30, 30)
    assert codes["agreement"] == 1  # the direct method gives the same
    applicant = found["locals"][0]
    assert (applicant["kind"], applicant["name"], applicant["decision"]) == ("chosen", "id=1", "0")
    assert applicant["reasons"] == reasons
    assert {p["feature"]: p["value"] for p in applicant["parts"]} == {"x1": "2", "x2": "4", "x3": "1"}
    assert applicant["output"] == pytest.approx(-3)
    total = applicant["base"] + sum(p["contribution"] for p in applicant["parts"]) + applicant["rest"]
    assert total == pytest.approx(-3, abs=1e-9)


def test_a14_contributions_against_everyone_are_the_shortfalls(govern: Govern, tmp_path: Path) -> None:
    applicant = measured(govern, tmp_path)["explanation"]["locals"][0]
    assert {p["feature"]: p["contribution"] for p in applicant["parts"]} == pytest.approx(
        {"x1": -3.0, "x2": 0.0, "x3": -2.0}, abs=1e-9)
    assert applicant["base"] == pytest.approx(2)


def test_rules_on_reasons(govern: Govern, tmp_path: Path) -> None:
    (tmp_path / "house.yaml").write_text(RULES)

    def outcomes(**explain: Any) -> dict[str, str]:
        measured(govern, tmp_path, **explain)
        ran = govern("check", "govern-report/evidence.json", "--policy", "house.yaml", "--out", "judged", "--quiet")
        assert ran.code in (0, 1, 3)
        return {f["rule"]: f["outcome"] for f in ran.document("verdict.json", "judged")["findings"]}

    rising = {"x1": "rises", "x2": "rises", "x3": "rises"}
    assert outcomes(prohibited=["x2"], directions=rising) == {
        "R-1": "pass", "R-2": "fail", "R-3": "pass", "R-4": "pass", "R-5": "pass"}
    assert outcomes(directions={**rising, "x2": "falls"}, reasons={"x1": "Too few years", "x3": "Score too low"}) == {
        "R-1": "fail", "R-2": "n/a", "R-3": "pass", "R-4": "fail", "R-5": "fail"}


def test_prohibited_features_are_no_reason(govern: Govern, tmp_path: Path) -> None:
    found = measured(govern, tmp_path, prohibited=["x1"])["explanation"]
    assert "x1" not in {r["feature"] for r in found["reason_codes"]["reasons"]}
    assert found["reason_codes"]["dropped"] == 30
    assert found["locals"][0]["reasons"] == ["Too few accounts"]


def test_the_order_of_rows_changes_nothing(govern: Govern, tmp_path: Path) -> None:
    first = measured(govern, tmp_path, cases=[{"id": 1}, {"x1": 3}])
    header, *lines = (tmp_path / "data.csv").read_text().splitlines()
    (tmp_path / "data.csv").write_text("\n".join([header, *reversed(lines)]) + "\n")
    ran = govern("measure", "model.pkl", "--compute", "skip", "--quiet", "--timestamp", "2026-11-22T00:00:00Z")
    second = ran.document("evidence.json")
    assert ran.code == 0 and second["explanation"] == first["explanation"]
    assert second["notes"] == first["notes"]
    assert "28 rows have x1=3: one of them is explained." in first["notes"]


def test_the_settings_of_the_readme_are_read(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (block,) = [b for b in re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL) if b.startswith("explain:")]
    (tmp_path / "govern.yaml").write_text(block, encoding="utf-8")
    flags = {"data.path": tmp_path / "eval.csv", "data.target": "y", "data.prediction": "p"}
    found = load_settings(flags, config=None, cwd=tmp_path).explain
    assert found.directions["utilisation"] == "rises" and found.reasons["income"]["low"] == "Income too low"
    assert (found.prohibited, found.cases) == (("age",), ({"application_id": "1017"},))


@pytest.mark.parametrize(("explain", "said"), [
    ({"prohibited": ["x11"]}, 'model.pkl: explain.prohibited: "x11" is neither a feature of the model nor a column'),
    ({"directions": {"y": "rises"}}, 'model.pkl: explain.directions: "y" is not a feature of the model'),
    ({"reasons": {"x4": "Too new"}}, 'model.pkl: explain.reasons: "x4" is not a feature of the model; its feat'),
    ({"cases": [{"id": 1000}]}, "data.csv: explain.cases: no row has id=1000; name a row by the values that the file"),
    ({"cases": [{"ident": 1}]}, 'data.csv: has no column "ident"')])
def test_what_is_refused_at_once(govern: Govern, tmp_path: Path, explain: dict[str, Any], said: str) -> None:
    put(tmp_path, explain)
    ran = govern("report", "model.pkl", "--compute", "skip", "--quiet")
    assert ran.code == 2 and said in ran.err and len(ran.err.splitlines()) == 1
    assert not (tmp_path / "govern-report").exists()
