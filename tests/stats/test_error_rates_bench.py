"""The shipped simulation of the gate's error rates, at fewer runs."""

from __future__ import annotations

import random
import runpy
from pathlib import Path

import pytest

SCRIPT = runpy.run_path(str(Path(__file__).parents[2] / "bench" / "error_rates.py"))


def test_the_script_reports_and_agrees(capsys: pytest.CaptureFixture[str]) -> None:
    assert SCRIPT["main"](["--runs", "400"]) == 0
    assert capsys.readouterr().out.count("ratio .80") == 4


def test_the_interval_errs_less_than_the_point() -> None:
    truth = SCRIPT["truths"]("difference", 5, 0.5)
    assert truth == pytest.approx([0.30, 0.2875, 0.275, 0.2625, 0.25])
    seen = SCRIPT["simulate"]("difference", 200, truth, 500, random.Random(3))
    assert seen.failed <= 0.01
    assert seen.point_failed > 0.2
    assert seen.point_failed + seen.point_passed == pytest.approx(1)


def test_it_sees_a_gap_far_outside() -> None:
    seen = SCRIPT["simulate"]("difference", 1000, [0.5, 0.3], 200, random.Random(4))
    assert seen.failed > 0.9
    assert seen.passed == 0
