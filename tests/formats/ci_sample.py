"""A verdict with a finding of every outcome, for the formats of pipelines: numbers written by hand, on the sample's
groups."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sample

from govern.evidence import OVERALL, Evidence
from govern.verdict import Comparison, Finding, Settle, ToSign, Verdict, count_findings


def _group(e: Evidence, *values: str) -> str:
    return next(g.id for g in e.groups if g.values == values)


def _pair(outcome: str, value: float, low: float | None, high: float | None, group: str, reference: str,
          counts: tuple[int, int, int, int], compare: str = "ratio", **more: Any) -> Comparison:
    x, n, x2, n2 = counts
    return Comparison(group, outcome, value, low, high, reference, compare, n, n2, x, x2, **more)  # type: ignore[arg-type]


def findings(e: Evidence, young: str = "25 or less") -> tuple[Finding, ...]:
    """A finding of each sort; `young` is what the youngest group is called in `e`."""
    small, large = _group(e, young), _group(e, "26–35")
    men, women = _group(e, "men"), _group(e, "women")
    old = _group(e, "61 or more")
    bad = _pair("fail", 0.769, 0.707, 0.832, small, large, (241, 504, 1475, 2371))
    gap = _pair("fail", 0.071, 0.052, 0.09, small, large, (98, 402, 330, 1910), "difference")
    leaning = _pair("insufficient", -0.031, -0.058, -0.004, men, women, (1416, 2350, 2286, 3612), "difference",
                    leans=True)
    open_ = _pair("insufficient", 0.01, -0.079, 0.092, old, large, (55, 87, 1475, 2371), "difference")
    good = _pair("pass", 0.966, 0.933, 1.0, men, women, (1416, 2350, 2253, 3612))
    plain: dict[str, Any] = {"compare": None, "bound_min": None}
    house, base = {"policy": "house-credit"}, {"policy": "baseline", "basis": "govern", "file": "baseline"}
    return (
        sample.finding(features=("age",), seen=bad, comparisons=(bad,), settle=Settle(small, selections=58),
                       cite="Credit policy 7.3", says={"en": "Approvals must not depend on age."}),
        sample.finding(features=("sex",), outcome="pass", counts_as="PASS", seen=good, comparisons=(good,)),
        sample.finding(rule="HC-03", title={"en": "False alarms"}, line=22, features=("age",), severity="review",
                       counts_as="REVIEW", metric="false_positive_rate", compare="difference", bound_min=None,
                       bound_max="0.05", seen=gap, comparisons=(gap,), settle=Settle(small, gap=0.021)),
        sample.finding(rule="HC-05", title={"en": "Approval gap"}, line=31, features=("sex",), severity="review",
                       outcome="insufficient", counts_as="REVIEW", compare="difference", bound_min="-0.02",
                       seen=leaning, comparisons=(leaning,), settle=Settle(men, rows=4100)),
        sample.finding(rule="HC-05", title={"en": "Approval gap"}, line=31, features=("age",), severity="review",
                       outcome="insufficient", counts_as="PASS", compare="difference", bound_min=None,
                       bound_max="0.05", seen=open_, comparisons=(open_,), settle=Settle(old, rows=190)),
        sample.finding(rule="HC-06", title={"en": "Latency"}, line=38, kind="compute", outcome="not_run",
                       severity="review", counts_as="REVIEW", metric="latency_p95_ms", bound_max="50",
                       reason="no compute document was given", **plain),
        sample.finding(rule="HC-07", title={"en": "Memory"}, line=44, kind="compute", outcome="waived",
                       counts_as="PASS", metric="peak_memory_mb", bound_max="200", waiver=0,
                       seen=Comparison(OVERALL, "fail", 231.4), **plain, **house),
        sample.finding(rule="HC-08", title={"en": "Accuracy"}, line=50, kind="bound", severity="info",
                       counts_as="PASS", metric="accuracy", compare=None, bound_min="0.9",
                       seen=Comparison(OVERALL, "fail", 0.846, 0.837, 0.855), **house),
        sample.finding(rule="HC-10", title={"en": "Approval of the committee"}, line=56, kind="attest", outcome="n/a",
                       counts_as="PASS", metric=None, reason="to be signed by validator, approver", **plain, **house),
        sample.finding(rule="BASE-04", kind="bound", title={"en": "Primary metric"}, line=30, outcome="pass",
                       counts_as="PASS", metric="roc_auc", compare=None, bound_min="0.6",
                       seen=Comparison(OVERALL, "pass", 0.777, 0.762, 0.791), tags=("technology",), **base),
        sample.finding(rule="BASE-09", title={"en": "Error rates"}, line=70, kind="disparity", outcome="n/a",
                       severity="review", counts_as="PASS", metric="true_positive_rate",
                       reason="no rows with the positive label", **plain, **base),
        sample.finding(rule="BASE-14", title={"en": "Words people supply"}, line=90, kind="document",
                       counts_as="PASS", severity="warn", metric=None, missing=("users", "contact", "licence"),
                       **plain, **base),
    )


def verdict(e: Evidence, outcome: str = "BLOCK", **change: Any) -> Verdict:
    """A verdict with those findings."""
    sign = ToSign("HC-10", "house-credit", {"en": "Approval of the committee"}, ("validator", "approver"))
    made = sample.verdict(e, outcome, findings(e), **{"to_sign": (sign,), "not_assessed": (), **change})
    return replace(made, counts=count_findings(made.findings, made.to_sign))
