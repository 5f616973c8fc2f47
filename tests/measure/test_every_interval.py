"""Every number that is measured has an interval whose method is named, or a reason why there is none."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from test_order import SAMPLING, TASKS, measured, rows

from govern.metrics import METRICS

__all__ = ["rows"]

# What is not an estimate of anything: a p-value, what was seen of the model itself, what describes the rows at hand.
NO_ESTIMATES = {"calibration_p_value", "smoke_constant",
                *(m.name for m in METRICS.values() if m.family == "data" and m.name != "trivial_accuracy")}
METHODS = {
    "wilson", "jeffreys", "newcombe", "square-and-add", "MOVER", "mean", "linearised", "DeLong", "order statistics",
    "all pairs", "over all groups", "over all classes", "quadratic form", "uniform band", "influence", "sandwich",
    "debiased", "band over the bins", "of the rate", "Mantel–Haenszel", "infinitesimal jackknife", "mean of squares",
    "paired", "the trivial value taken as fixed"}


@pytest.mark.parametrize("sampling", SAMPLING)
@pytest.mark.parametrize("task", TASKS)
def test_every_number_has_an_interval_or_a_reason(task: str, sampling: str, rows: pd.DataFrame,
                                                  tmp_path: Path) -> None:
    found = measured(tmp_path / "run", rows, {**TASKS[task], **SAMPLING[sampling]})["measurements"]
    held = [m for m in found if m.get("interval")]
    assert len(held) > 500
    for m in held:
        method, low, high = m["interval"]["method"], m["interval"]["low"], m["interval"]["high"]
        assert any(method.startswith(known) for known in METHODS), method
        assert m["interval"]["level"] == 0.95 and low <= m["value"] <= high, (m["metric"], m)
    # Nor is the trivial model, a yardstick; the model's difference from it is.
    bare = [m for m in found if not m.get("interval") and m["value"] is not None
            and (m.get("reference") != "trivial" or "compare" in m)]
    for m in bare:
        assert m["metric"] in NO_ESTIMATES or (m.get("status") == "too_few" and m["reason"]) or (
            "_group_m" in m["metric"] and m["reason"]), m
