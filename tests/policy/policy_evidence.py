"""Small evidence documents made from confusion counts; those beside the packs are in pack_evidence.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from govern.dataset import DataFacts, Population
from govern.evidence import (
    COMPUTE_SCHEMA,
    EVIDENCE_SCHEMA,
    OVERALL,
    REST,
    TRIVIAL,
    Compute,
    Containment,
    Counts,
    Evidence,
    Group,
    Measurement,
    Model,
    SmokeCheck,
    Subject,
)
from govern.metrics import METRICS, SMOKE_METRICS

HEAD = """\
schema: govern.policy/1
name: house
version: "1"
title: House rules
status: in_force
as_of: 2026-11-03
"""

Cells = tuple[int, int, int, int]  # tp, fp, fn, tn
SHA = "ab" * 32
RECORDED = (Subject("model", "model.pkl", SHA, 1000, "joblib"), Subject("data", "eval.csv", "cd" * 32, 2000, "csv"),
            Subject("config", "govern.yaml", "ef" * 32, 300, "yaml"))
CARD: dict[str, Any] = {
    "purpose": "Rank applications for a second look", "out_of_scope": "Setting limits", "owner": "A. Owner",
    "contact": "models@example.org", "users": "Credit officers", "affected_people": "Applicants",
    "data_source": "Applications of two years", "data_period": "2024-01 to 2025-12",
    "label_definition": "90 days late within a year", "metric_rationale": "Officers work from the top down",
    "limitations": ["Untested outside the country"], "human_oversight": "An officer decides",
    "monitoring_plan": {"metric": "roc_auc", "frequency": "monthly", "owner": "A. Owner", "trigger": "below 0.72"},
    "licence": "internal",
}


def smoke(**seen: float | None) -> tuple[SmokeCheck, ...]:
    """All smoke checks passed, except those given with what was seen; None: not run."""
    good = {"smoke_loads": 1.0, "smoke_constant": 2.0}
    found = []
    for name in SMOKE_METRICS:
        limit = 1e-6 if name == "smoke_batch" else good.get(name, 0.0)
        value = seen.get(name, good.get(name, 0.0))
        higher = METRICS[name].better == "higher"
        passed = None if value is None else value >= limit if higher else value <= limit
        found.append(SmokeCheck(name, passed, value, limit, "not measured" if value is None else None))
    return tuple(found)


def evidence(features: Mapping[str, Mapping[str | None, Cells]], *, asked: tuple[str, ...] = (),
             scores: tuple[Measurement, ...] = (), favourable_is_positive: bool = True,
             everyone: Cells | None = None, **changes: Any) -> Evidence:
    """Evidence with the groups of each feature; `a:b` is an intersection whose values are joined by a colon, a value
    that is missing there a question mark.

    Everyone is the sum over the first feature.
    """
    total = everyone or tuple(map(sum, zip(*next(iter(features.values())).values(), strict=True)))
    groups, counts = [], []

    def add(id: str, of: tuple[str, ...], values: tuple[str | None, ...], cells: Any, is_asked: bool) -> None:
        tp, fp, fn, tn = cells
        n, positive = tp + fp + fn + tn, tp + fn
        favourable = positive if favourable_is_positive else n - positive
        groups.append(Group(id, of, values, n, positive, favourable, is_asked))
        counts.append(Counts(id, tp, fp, fn, tn, tp + fp if favourable_is_positive else fn + tn))

    add(OVERALL, (), (), total, True)
    for feature, members in features.items():
        names = tuple(feature.split(":"))
        for value, cells in members.items():
            values = (None,) if value is None else tuple(None if v == "?" else v for v in value.split(":"))
            add(f"g{len(groups)}", names, values, cells, len(names) == 1 or feature in asked)
    made = Evidence(
        EVIDENCE_SCHEMA, "2026-11-22T00:00:00Z", RECORDED[:1],
        {"model": {"name": "credit"}}, Containment("clean"), Population(groups[0].n, groups[0].n), DataFacts(),
        tuple(groups), tuple(counts), scores, model=Model("sklearn.tree.DecisionTreeClassifier", {}, ("x",)),
        smoke=smoke())
    return replace(made, **changes)


def rate(selected: int, n: int) -> Cells:
    """Counts of n rows without the positive label, `selected` of them predicted positive."""
    return 0, selected, 0, n - selected


def score(metric: str, value: float | None, se: float | None = None, *, group: str = OVERALL,
          transform: str = "identity", status: Any = "ok", rest: bool = False) -> Measurement:
    """A score metric of a group, or of the rows outside it."""
    return Measurement(metric, value, status, None if status == "ok" else "why not", group,
                       REST if rest else None, se=se, transform=transform)


def counted(found: Evidence, metric: str, features: Mapping[str, Mapping[str | None, tuple[int, int]]], *,
            decision: str | None = None, everyone: tuple[int, int] | None = None) -> Evidence:
    """The evidence with a ratio of counts of every group given, and of everyone: their sum over the first feature."""
    first = next(iter(features.values())).values()
    total = everyone or (sum(x for x, _ in first), sum(n for _, n in first))
    of = {OVERALL: total}
    for feature, members in features.items():
        for value, counts in members.items():
            values = (None,) if value is None else tuple(None if v == "?" else v for v in value.split(":"))
            group = next(g for g in found.groups if g.features == tuple(feature.split(":")) and g.values == values)
            of[group.id] = counts
    made = tuple(Measurement(metric, x / n if n else None, "ok" if n else "undefined",
                             None if n else "nobody got there", group, numerator=x, denominator=n, decision=decision)
                 for group, (x, n) in of.items())
    return replace(found, measurements=(*found.measurements, *made))


def compute(**values: float | None) -> Compute:
    """A compute document for any evidence."""
    found = tuple(Measurement(k, v, "ok" if v is not None else "error", None if v is not None else "not timed")
                  for k, v in values.items())
    return Compute(COMPUTE_SCHEMA, "e" * 64, {}, found)


def pack_pass() -> Evidence:
    """Evidence on which `baseline` passes at phase team: equal groups, everything filled in."""
    cells = (480, 180, 120, 720)
    scores = [score("calibration_error", 0.012, 0.0004, transform="square"),
              score("calibration_p_value", 0.31), *_auc(0.83, 0.83), *about(trivial=0.33, overlap=3, residual=0.0)]
    return evidence({"sex": {"men": cells, "women": cells}}, scores=tuple(scores), card=CARD,
                    declared={"primary": {"metric": "roc_auc", "min": 0.75}}, subjects=RECORDED,
                    settings=TRAINED, data=DataFacts(period=("2026-05-01", "2026-10-31")))


def pack_fail() -> Evidence:
    """Evidence on which `baseline` blocks at phase team: a declared limit missed, gaps, old rows seen in training,
    settings without a digest."""
    scores = [score("calibration_error", 0.11, 0.002, transform="square"), score("calibration_p_value", 0.0),
              *_auc(0.66, 0.78), *about(trivial=-0.02, overlap=90, residual=0.04, stable=0.6, revealed=0.93)]
    return evidence({"sex": {"men": (480, 360, 120, 540), "women": (300, 90, 300, 810)}}, scores=tuple(scores),
                    declared={"primary": {"metric": "roc_auc", "min": 0.75}}, subjects=RECORDED[:2],
                    card={**CARD, "owner": "TBD"}, settings=TRAINED,
                    data=DataFacts(period=("2025-05-01", "2025-10-31")))


TRAINED = {"model": {"name": "credit"}, "data": {"train": "train.csv"}}


def about(*, trivial: float, overlap: int, residual: float, stable: float = 0.96, revealed: float = 0.62
          ) -> tuple[Measurement, ...]:
    """How far the ROC AUC lies above that of a constant score, rows of 3,000 that stand in the training data, the
    additivity residual and stability, and how well features reveal the sex, one alone a little less than all."""
    return (Measurement("roc_auc", trivial, reference=TRIVIAL, compare="difference", se=0.008, transform="identity"),
            Measurement("train_overlap_share", overlap / 3000, numerator=overlap, denominator=3000),
            Measurement("attribution_residual", residual), Measurement("attribution_stability", stable),
            Measurement("proxy_auc", revealed, features=("sex",)),
            Measurement("proxy_auc", revealed - 0.05, features=("sex",), slice="column: occupation"))


def _auc(one: float, two: float) -> tuple[Measurement, ...]:
    found = [score("roc_auc", (one + two) / 2, 0.05, transform="logit")]
    for group, own, rest in (("g1", one, two), ("g2", two, one)):
        found += [score("roc_auc", own, 0.07, group=group, transform="logit"),
                  score("roc_auc", rest, 0.07, group=group, transform="logit", rest=True)]
    return tuple(found)
