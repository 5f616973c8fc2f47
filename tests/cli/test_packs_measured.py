"""The packs on evidence as it is measured: no rule asks for a number that measuring does not give."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

Govern = Callable[..., Any]
PACKS = ("baseline", "eeoc-four-fifths", "japan-ai-business-guideline", "japan-mlqm", "nyc-ll144")
SETTINGS = """\
data:
  path: eval.csv
  train: train.csv
  target: y
  features: [x, z]
  sensitive: {sex: {column: group}, race_ethnicity: {column: race, unknown: ["?"]}}
  control: [site]
  date: day
  period: 2026-05-01..2026-10-31
  shares: {sex: {a: 0.5, b: 0.5}}
  cases: [{sex: a}, {sex: b}]
  pairs: [group, site]
  decisions: {screening: {column: screened, selected: "1"}}
policies: [baseline, eeoc-four-fifths, japan-ai-business-guideline, japan-mlqm, nyc-ll144]
declared:
  primary: {metric: roc_auc, min: 0.70}
  selection_rate_ratio: 0.75
  true_positive_rate_difference: 0.25
  group_share_gap: 0.10
  pair_coverage: 0.90
  missing_share: 0.10
  latency_p95_ms: 500
  peak_memory_mb: 5000
  file_size_mb: 5
card:
  tool_output: selects and scores
  audit_data: historical
  audit_date: 2026-09-15
  mlqm: {fairness_level: AIFL-2, performance_level: AIPL-2, level_reason: personal data}
"""
# Of these only people or a later version can say something.
NOT_MEASURED = {"BASE-15", "BASE-16", "EEOC-9", "JB-3c", "JB-S", "LL144-10"}


def put(folder: Path, logistic: Any) -> None:
    """Model, evaluation and training data with the columns that the packs read, and settings."""
    shutil.copy(logistic.folder / "model.pkl", folder / "model.pkl")
    header, *lines = (logistic.folder / "eval.csv").read_text().splitlines()
    for name, part in (("eval.csv", lines[:1200]), ("train.csv", lines[1200:])):
        rows = [f"{line},{'WBA?'[i % 40 % 4]},{'ns'[i // 7 % 2]},2026-{5 + i % 6:02d}-{1 + i % 28:02d},{int(i % 3 > 0)}"
                for i, line in enumerate(part)]
        (folder / name).write_text("\n".join([f"{header},race,site,day,screened", *rows]) + "\n")
    (folder / "govern.yaml").write_text(SETTINGS)


def test_every_pack_finds_what_it_reads(govern: Govern, logistic: Any, tmp_path: Path) -> None:
    put(tmp_path, logistic)
    time = ("--timestamp", "2026-11-22T00:00:00Z")
    assert govern("policy", "lock", "--timestamp", "2026-11-21T00:00:00Z", "--quiet").code == 0
    ran = govern("measure", "model.pkl", "--compute", "measure", "--quiet", *time)
    assert (ran.code, ran.err) == (0, "")
    ran = govern("check", "govern-report/evidence.json", "--compute", "govern-report/compute.json", "--baseline",
                 "govern-report/evidence.json", "--out", "judged", "--quiet")
    assert ran.code == 1 and ran.err == ""
    findings = ran.document("verdict.json", "judged")["findings"]
    assert {f["policy"] for f in findings} == set(PACKS)
    assert [(f["rule"], f.get("metric"), f.get("reason")) for f in findings if f["outcome"] == "not_run"] == []
    # What does not apply waits for a condition, or for people.
    silent = {f["rule"]: f["reason"] for f in findings if f["outcome"] == "n/a"}
    waits = (" is not given", ", not ", "no group came out")
    assert {r: why for r, why in silent.items() if r not in NOT_MEASURED and not any(w in why for w in waits)} == {}
    failed = {f["rule"] for f in findings if f["outcome"] == "fail" and f["kind"] != "document"}
    # The categories here are not those of EEO-1.
    assert failed == {"LL144-1", "LL144-2"}
