"""Gaps and proxies in the evidence of real models: sums, what rules may judge, any order of rows."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from govern.codec import load
from govern.evidence import EVIDENCE_SCHEMA, Evidence
from govern.explanations import Explanation

N = 600


def people(seed: int = 0) -> pd.DataFrame:
    """Groups of team a, b and c; `near` is a noisy copy of team b, `far` is noise."""
    rng = np.random.default_rng(seed)
    team = rng.choice(["a", "b", "c"], N, p=[0.5, 0.3, 0.2])
    rows = pd.DataFrame({"near": (team == "b") * 2 + rng.normal(size=N), "far": rng.normal(size=N), "team": team})
    score = rows.near + rows.far + rng.normal(size=N)
    return rows.assign(yes=(score > 0.5).astype(int), pay=1000 + 100 * score,
                       tier=np.select([score < -0.5, score < 1], ["low", "mid"], "top"))


def read(folder: Path) -> Evidence:
    return load(folder / "govern-report" / "evidence.json", Evidence, EVIDENCE_SCHEMA)[0]


def measured(govern: Callable[..., Any], folder: Path, rows: pd.DataFrame, target: str, *more: str) -> Evidence:
    kind = LinearRegression if target == "pay" else LogisticRegression
    (folder / "m.pkl").write_bytes(pickle.dumps(kind().fit(people()[["near", "far"]], people()[target])))
    rows.to_csv(folder / "e.csv", index=False)
    done = govern("measure", "m.pkl", "--data", "e.csv", "--target", target, "--sensitive", "team", "--compute", "skip",
                  "--timestamp", "2026-01-01T00:00:00Z", *more, cwd=folder)
    assert done.code == 0, done.err
    return read(folder)


def explanation(evidence: Evidence) -> Explanation:
    assert evidence.explanation is not None
    for gap in evidence.explanation.gaps:
        parts = math.fsum([*(p.value for p in gap.parts), gap.others.value if gap.others else 0.0, gap.residual])
        assert parts == pytest.approx(gap.value, abs=1e-9)
    return evidence.explanation


def test_a_binary_model(govern: Callable[..., Any], tmp_path: Path) -> None:
    evidence = measured(govern, tmp_path, people(), "yes")
    found, names = explanation(evidence), {g.id: g.name for g in evidence.groups}
    of = {(g.of, names[g.group], names[g.reference]): g for g in found.gaps}
    assert set(of) == {(what, *pair) for what in ("output", "selection")
                       for pair in (("b", "a"), ("c", "a"), ("c", "b"))}
    gap = of["selection", "b", "a"]
    # All rows are explained, so that the gap is that of the counts.
    rate = {c.group: c.selected / (c.tp + c.fp + c.fn + c.tn) for c in evidence.counts}
    assert gap.value == pytest.approx(rate[gap.group] - rate[gap.reference])
    assert gap.parts[0].feature == "near" and gap.parts[0].value > 0.8 * gap.value and (gap.revealing or 0) > 0.7
    proxies = {p.column: p for p in found.proxies}
    assert proxies["near"].listed and not proxies["far"].revealing and proxies["near"].group == "b"
    assert evidence.attributions is not None
    assert sum(p.used for p in found.proxies if p.used is not None) == pytest.approx(1)
    together = evidence.find("proxy_auc", features=("team",))
    alone = evidence.find("proxy_auc", features=("team",), slice="column: near")
    assert together is not None and alone is not None
    assert (together.value, alone.value) == (proxies[None].value, proxies["near"].value)


def test_several_classes_and_numbers(govern: Callable[..., Any], tmp_path: Path) -> None:
    of_tiers = explanation(measured(govern, tmp_path, people(), "tier", "--favourable", "top"))
    assert {g.label for g in of_tiers.gaps} == {"low", "mid", "top"} and {g.of for g in of_tiers.gaps} == {"output"}
    of_pay = explanation(measured(govern, tmp_path, people(), "pay"))
    assert [g.label for g in of_pay.gaps] == [None, None]
    gap = of_pay.gaps[0]
    assert gap.parts[0].feature == "near" and gap.value > 100
    # What the data reveal is the same whatever the task, but for which rows meet in a fold.
    assert [(p.column, p.revealing) for p in of_pay.proxies] == [(p.column, p.revealing) for p in of_tiers.proxies]
    assert [p.value for p in of_pay.proxies] == pytest.approx([p.value for p in of_tiers.proxies], abs=0.03)


def test_the_order_of_rows_changes_nothing(govern: Callable[..., Any], tmp_path: Path) -> None:
    rows = people().assign(person=np.arange(N) // 2, w=np.arange(N) % 3 + 1)
    more = ("--weight", "w", "--cluster", "person")
    one = measured(govern, tmp_path, rows, "yes", *more)
    two = measured(govern, tmp_path, rows.sample(frac=1, random_state=1), "yes", *more)
    assert explanation(one) == explanation(two)


def test_the_own_column_is_named_and_reveals(govern: Callable[..., Any], tmp_path: Path) -> None:
    rows = people().assign(team=lambda r: (r.team == "b").astype(int))
    model = LogisticRegression().fit(rows[["near", "far", "team"]], rows.yes)
    (tmp_path / "own.pkl").write_bytes(pickle.dumps(model))
    rows.to_csv(tmp_path / "e.csv", index=False)
    done = govern("measure", "own.pkl", "--data", "e.csv", "--target", "yes", "--sensitive", "team", cwd=tmp_path)
    assert done.code == 0, done.err
    found = explanation(read(tmp_path))
    own = next(p for p in found.proxies if p.column == "team")
    assert own.revealing and own.value is None and own.used is not None
    assert (next(p for p in found.proxies if p.column is None).value or 1) < 0.98  # not told by itself
