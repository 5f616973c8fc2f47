"""The shipped figures of the gate's error rates, at fewer runs."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture(scope="module")
def bench() -> dict[str, Any]:
    return runpy.run_path(str(Path(__file__).parents[2] / "bench" / "error_rates.py"))


def test_exact_errors_keep_their_aims(bench: dict[str, Any]) -> None:
    found = list(bench["enumerate_pairs"]((14, 20, 50)))
    assert [f[:2] for f in found] == [(c, limit) for c, of in bench["LIMITS"].items() for limit in of]
    for _, _, everywhere, plain, calibrated in found:
        assert 0 < plain <= 0.065
        assert plain <= everywhere + 1e-3
        assert 0.03 < calibrated <= 0.05


def test_the_truths_stand_at_the_limits(bench: dict[str, Any]) -> None:
    for kind, gap in (("fail", 1.0), ("pass", 1.0), ("equal", 0.0)):
        tp, fp, fn, tn = bench["truths"](kind, 5).T
        assert tp + fp + fn + tn == pytest.approx(1)
        rates = {"selection_rate": tp + fp, "true_positive_rate": tp / (tp + fn),
                 "false_positive_rate": fp / (fp + tn), "accuracy": tp + tn}
        for name, limit in bench["RULES"].items():
            assert np.ptp(rates[name]) == pytest.approx(gap * limit)


def test_the_gate_errs_seldom_at_the_limit(bench: dict[str, Any]) -> None:
    """200 runs: three standard errors above 5.5 % is 10.3 %."""
    for k, metrics in ((2, 4), (5, 1)):
        fail, wrong, equal = (bench["simulate"]((kind, k, metrics, 200, 3)) for kind in ("fail", "pass", "equal"))
        assert fail.failed <= 0.103 and wrong.passed <= 0.103 and equal.failed <= 0.02
        assert equal.pass_verdict > 0.9
        assert 0 < fail.pass_verdict < equal.pass_verdict


def test_the_stored_interval_covers_zero_and_the_bootstrap_does_not(bench: dict[str, Any]) -> None:
    stored, drawn = bench["coverage"]((5, 100, 100, 3))
    assert stored >= 0.945
    assert drawn == 0


def test_the_script_prints_its_tables(bench: dict[str, Any], capsys: pytest.CaptureFixture[str],
                                      monkeypatch: pytest.MonkeyPatch) -> None:
    # Its functions are sent to other processes, which import them from the script.
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "bench"))
    import error_rates

    try:
        assert error_rates.main(["--runs", "40", "--quick", "--processes", "1"]) in (0, 1)
    finally:
        del sys.modules["error_rates"]
    shown = capsys.readouterr().out
    assert shown.count("difference") == 6 and "percentile bootstrap" in shown
