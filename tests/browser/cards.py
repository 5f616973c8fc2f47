"""Documents for the browser tests: a sweep beside the sample's evidence, a feature of many groups."""

from __future__ import annotations

import random
from dataclasses import replace

import sample

from govern.evidence import OVERALL, Counts, Evidence, Group, ThresholdCounts
from govern.formats.html import render_html
from govern.verdict import RuleOutcome, Sweep, SweepPoint, SweptQuestion, Verdict

GRID = (0.1, 0.25, 0.4, 0.6)
OUTCOMES: tuple[tuple[RuleOutcome, RuleOutcome], ...] = (
    ("fail", "fail"), ("fail", "pass"), ("insufficient", "pass"), ("pass", "pass"))


def swept(e: Evidence, v: Verdict) -> tuple[Evidence, Verdict]:
    """Both documents with counts at four thresholds, of which 0.25 is in force, and what two rules say there."""
    counts = []
    for c in e.counts:
        p, q = c.tp + c.fn, c.fp + c.tn
        tp, fp = ([had, *(had * part // 10 for part in (6, 3))] for had in (c.tp, c.fp))
        tp, fp = [min(p, c.tp + c.fn // 2), *tp], [min(q, c.fp + c.tn // 2), *fp]
        counts.append(ThresholdCounts(c.group, tuple(tp), tuple(fp), tuple(p - x for x in tp),
                                      tuple(q - x for x in fp)))
    everyone = counts[0]
    n = e.groups_by_id[OVERALL].n
    points = tuple(
        SweepPoint(x, "BLOCK" if "fail" in o else "REVIEW" if "insufficient" in o else "PASS", o, 0.5 + x / 10,
                   1 - (everyone.tp[i] + everyone.fp[i]) / n)
        for i, (x, o) in enumerate(zip(GRID, OUTCOMES, strict=True)))
    features = next(g.features for g in e.groups if g.features)
    questions = (SweptQuestion("HC-02", "house-credit", "selection_rate", features),
                 SweptQuestion("BASE-04", "baseline", "balanced_accuracy"))
    return (replace(e, thresholds=GRID, threshold_counts=tuple(counts)),
            replace(v, sweep=Sweep("balanced_accuracy", 0.25, questions, points, (0.6,), 0.6)))


def many(n: int, rows: int = 400) -> Evidence:
    """Evidence in which a feature `branch` has `n` groups."""
    draw = random.Random(5)
    groups, counts = [Group(OVERALL, (), (), n * rows, 0, 0)], []
    for i in range(n):
        tp, fp, fn = (draw.randint(20, 60) for _ in range(3))
        counts.append(Counts(f"b{i}", tp, fp, fn, rows - tp - fp - fn, rows - tp - fp))
        groups.append(Group(f"b{i}", ("branch",), (f"branch {i}",), rows, tp + fn, rows - tp - fn))
    everyone = Counts(OVERALL, *(sum(getattr(c, k) for c in counts) for k in ("tp", "fp", "fn", "tn", "selected")))
    e = sample.evidence(features=())
    kept = tuple(m for m in e.measurements if m.metric in ("roc_auc", "trivial_accuracy"))
    rates = tuple(m for c in (everyone, *counts) for m in sample.rates(c))
    return replace(e, groups=tuple(groups), counts=(everyone, *counts), measurements=kept + rates)


def card(e: Evidence, v: Verdict | None) -> str:
    """The card's HTML."""
    return render_html(e, v, sample.compute(), digests=sample.DIGESTS)
