"""What settles a finding, and what calibrated mode proves, in words."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import sample

from govern.formats.words import reason
from govern.verdict import Finding, Settle


def finding(**changes: object) -> Finding:
    return replace(sample.findings(sample.evidence())[0], **changes)  # type: ignore[arg-type]


def said(found: Finding) -> str:
    return reason(found, sample.evidence()).settle


def test_a_fail_says_how_far_and_which_threshold() -> None:
    gap = finding(outcome="fail", compare="difference", settle=Settle("g1", gap=0.051, threshold=0.42))
    assert said(gap) == ("It misses the bound by 5.1 points. "
                         "At a score threshold of 0.420 these rows would meet it; confirm on new ones.")
    assert "misses the bound by 0.124." in said(replace(gap, compare="ratio", settle=Settle("g1", gap=0.124)))
    assert "misses" not in said(replace(gap, settle=Settle("g1", selections=5, gap=0.051)))


def test_what_is_not_decided_says_the_gap_it_would_show() -> None:
    open_ = finding(outcome="insufficient", compare="difference", settle=Settle("g1", rows=120, detectable=0.08))
    assert "With these rows a gap of 8.0 points shows in 4 of 5 samples." in said(open_)
    alone = replace(open_, metric="log_loss", compare=None, settle=Settle("g1", times=4, detectable=0.0312))
    assert "a distance of 0.031 from the bound" in said(alone)


def test_calibrated_mode_says_what_is_proved() -> None:
    base = finding(outcome="pass", settle=None)
    assert base.seen is not None and said(base) == ""
    proved = replace(base.seen, calibrated="proved", proved_pass=0.0483, proved_fail=0.0011)
    assert said(replace(base, seen=proved)) == (
        "Enumerated for these sizes: wrong pass in at most 4.83%, wrong fail in at most 0.11% of samples.")
    none = replace(proved, proved_pass=None)
    assert "wrong pass in at most none given" not in said(replace(base, seen=none))
    assert "no level keeps the declared error of a pass" in said(replace(base, seen=none))
    assert "at most 6.5 %" in said(replace(base, seen=replace(base.seen, calibrated="stated")))
