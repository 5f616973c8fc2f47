"""Whether the distribution of features, or of what the model gives out, has moved: against the training data, or
against the data of the version in service.

How it is computed: the population stability index, the sum over cells of (share − reference share) × ln(share /
reference share): numbers in about 10 cells of equal mass of the reference, texts by their levels, missing values as a
cell, ½ row added to each. The index itself is compared with `max`; the worst column decides, all are listed. Where it
lies above `max`, but not above what samples of these sizes show in 95 of 100 cases when nothing moved, the rule is
insufficient instead of fail.

How to read it: below 0.10 is customarily called stable, above 0.25 moved; the number says how far shares lie apart, not
in which direction nor whether it matters. Look at the column's bins in both data sets.

Strengths: the same cells for both data sets without opening either again; small samples alone do not fail.

Limits: it sees each column alone, no changes of how columns go together, and nothing of the labels. Cells are coarse:
a shift inside one is not seen. The margin for chance is a normal approximation, and a column of many is above it more
often than 5 times in 100.

Source: Siddiqi 2006, Credit Risk Scorecards, ch. 9, for the index and its customary lines; Yurdakul 2018, Statistical
Properties of Population Stability Index, Western Michigan University, for its mean and spread when nothing moved.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Literal, Self

from pydantic import Field, model_validator

from govern.dataset import Column, DataFacts
from govern.errors import nearest
from govern.evidence import OVERALL, Evidence
from govern.policy.asking import NO_BASELINE, Answer, Documents, Question, settled
from govern.policy.decide import Limits
from govern.policy.fields import Rule, RuleFields
from govern.policy.quantities import Score
from govern.policy.tasks import setting
from govern.stats.stability import expected, shared, stability
from govern.verdict import Comparison, RuleOutcome, Settle
from govern.yamlcheck import ProblemAt

METRIC = "population_stability"
OUTPUT, TRAIN = "output", "train"
Z95 = 1.6448536269514722  # the normal quantile of 95 of 100
NO_CELLS = "its values have no cells in common with the reference"


class DriftFields(RuleFields):
    """Whether the distribution of features or of the output has moved, by the population stability index."""

    kind: Literal["drift"]
    against: Literal["train", "baseline"] = Field(
        description="train: the training data; baseline: the data of the evidence given as --baseline"
    )
    of: Literal["features", "output", "both"] = Field("both", description="features, output (scores) or both")
    columns: list[str] = Field(default_factory=list, description="columns that are judged; omitted: every feature")
    max: float = Field(gt=0, description="the greatest allowed population stability index")

    @model_validator(mode="after")
    def _columns_of_features(self) -> Self:
        if self.columns and self.of == "output":
            raise ProblemAt("columns", "columns are features; write of: features or both, or remove columns")
        return self


@dataclass(frozen=True)
class Moved:
    """A column's index, and the index that 95 of 100 samples stay below when nothing moved; None where unknown.
    `exempt`: there is nothing to compare it with, so that it is listed and holds up nothing."""

    name: str
    value: float | None = None
    chance: float | None = None
    rows: int | None = None
    reference_rows: int | None = None
    reason: str | None = None
    exempt: bool = False


def questions(rule: Rule, documents: Documents) -> list[Question]:
    """One question for the features and one for the output."""
    against, of = rule.fields.against, rule.fields.of
    parts = [part for part in ("features", OUTPUT) if of in (part, "both")]
    evidence = documents.evidence
    if against == "baseline" and documents.baseline is None:
        return [settled("n/a", NO_BASELINE, metric=METRIC, each=part) for part in parts]
    if against == "train" and not setting(evidence, "train") and evidence.train is None:
        return [settled("n/a", "no --train was given", metric=METRIC, each=part) for part in parts]
    return [_features(rule, documents) if part == "features" else _output(rule, documents) for part in parts]


def _features(rule: Rule, documents: Documents) -> Question:
    evidence, wanted = documents.evidence, rule.fields.columns
    here = {c.name: c for c in evidence.data.columns}
    for i, name in enumerate(wanted):
        if name not in here and nearest(name, list(here)):
            what = f'columns: "{name}" is not a column of the data'
            raise rule.error(("columns", i), what, nearest(name, list(here)))
    names = wanted or [c.name for c in evidence.data.columns if "feature" in c.role.split(", ")]
    absent = [name for name in names if name not in here]
    said = f"not in the data: {', '.join(absent)}" if absent else None
    if len(absent) == len(names):
        return settled("n/a", said or "no features are known", metric=METRIC, each="features")
    there = {c.name: c for c in _reference(rule, documents).columns}
    moved = [_moved(rule, evidence, name, f"column: {name}", here[name], there.get(name)) for name in names
             if name in here]
    return _asked(rule, [m for m in moved if m], "features", said)


def _output(rule: Rule, documents: Documents) -> Question:
    evidence = documents.evidence
    moved = _moved(rule, evidence, OVERALL, OUTPUT, evidence.data.output, _reference(rule, documents).output)
    return _asked(rule, [moved] if moved else [], OUTPUT, None)


def _reference(rule: Rule, documents: Documents) -> DataFacts:
    """What is known of the data that these are held against."""
    found = documents.evidence.train
    if rule.fields.against == "baseline":
        found = documents.baseline.data if documents.baseline else None
    return found or DataFacts()


def _moved(rule: Rule, evidence: Evidence, name: str, where: str, here: Column | None, there: Column | None
           ) -> Moved | None:
    """How far a column has moved; against the training data as it was measured. None where it was not measured."""
    cells = shared(there, here) if here is not None and there is not None else None
    moved = Moved(name)
    if cells is not None:
        moved = Moved(name, stability(*cells), _chance(*cells), sum(cells[1]), sum(cells[0]))
    elif here is not None and there is not None and here.kind != there.kind:
        moved = Moved(name, reason=f"it is a {here.kind} here and a {there.kind} in the reference")
    elif here is not None:
        moved = Moved(name, reason="the reference does not have it" if there is None else NO_CELLS, exempt=True)
    if rule.fields.against == "baseline":
        return moved if here is not None else None
    found = evidence.find(METRIC, reference=TRAIN, slice=where)
    if found is None:
        return None
    if found.status == "ok":
        return replace(moved, value=found.value, reason=None, exempt=False)
    return replace(moved, value=None, reason=moved.reason or found.reason or found.status.replace("_", " "))


def _chance(reference: list[int], counts: list[int]) -> float:
    """The index that two samples of these sizes stay below in 95 of 100 cases when nothing moved: mean and 1.64
    standard deviations √(2 / (k − 1)) of it, k cells with rows."""
    cells = sum(1 for x, y in zip(reference, counts, strict=True) if x or y)
    return expected(reference, counts) * (1 + Z95 * math.sqrt(2 / (cells - 1))) if cells > 1 else 0.0


def _asked(rule: Rule, moved: list[Moved], part: str, absent: str | None) -> Question:
    if not moved:
        return settled("not_run", f"how far the {part} moved was not measured", metric=METRIC, each=part)
    return Question(partial(_judge, rule, moved, absent), METRIC, each=part)


def _judge(rule: Rule, moved: list[Moved], absent: str | None, _family: int) -> Answer:
    limits = Limits(maximum=rule.maximum if isinstance(rule.maximum, Decimal) else None)
    seen = [_compare(m, rule.fields.against, limits) for m in moved]
    counted = [c for c in seen if not c.exempt]
    # What fails, else what cannot be told, and of these the farthest.
    order = ("fail", "insufficient", "pass")
    worst = min(counted or seen, key=lambda c: (order.index(c.outcome), c.value is None, -(c.value or 0.0)))
    failed = worst.value if worst.outcome == "fail" else None
    return Answer(
        worst.outcome,
        "; ".join(filter(None, (worst.reason, absent))) or None,
        tuple(seen),
        worst,
        all(c.value is None for c in seen),
        maximum=limits.maximum,
        decide="point",
        settle=None if failed is None else Settle(worst.group, gap=-limits.margin(failed)),
    )


def _compare(m: Moved, against: str, limits: Limits) -> Comparison:
    outcome: RuleOutcome = "insufficient"
    reason = m.reason
    if m.value is not None:
        above = limits.excluded(Score(m.value))
        by_chance = m.chance is not None and m.value <= m.chance
        outcome = "pass" if not above else "insufficient" if by_chance else "fail"
        if above and by_chance:
            reason = f"samples of these sizes show up to {m.chance:.3f} in 95 of 100 cases when nothing moved"
    return Comparison(m.name, outcome, m.value, reference=against, n=m.rows, reference_n=m.reference_rows,
                      exempt=m.exempt, reason=reason)
