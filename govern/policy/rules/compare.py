"""A metric of these rows against that of the version in service, or against always giving the same answer: is the new
model better, or at least not worse by more than the rule allows?

How it is computed: the difference is this evidence − reference, counted so that positive is better; for a metric whose
better side is the lower one the limits are turned, so that the difference is shown as it is. Against `baseline` (the
evidence given as --baseline) rates are compared by Newcombe's interval from the counts of both, other metrics by the
two standard errors, squared and added; `by` compares each group with the same group there. Against `trivial` (always
the more frequent label, the prevalence as score, or the mean) the difference was measured on the same rows, with its
own standard error. The interval decides, at the level `error`.

How to read it: `min: 0` asks for an improvement that is sure, `min: -0.02` for "not worse by more than 2 points". Where
data cannot tell, more rows are needed, or both versions on the same rows in one measurement.

Strengths: what is asked is the change itself, with its uncertainty, not two numbers side by side; it needs the stored
evidence of the old version alone, neither its model nor its data.

Limits: the two evidences are treated as independent samples. Where the same rows were used for both, the true interval
is narrower and the rule decides too seldom, never too often; the finding says so. A baseline of another task or with
another positive or favourable label is refused.

Source: Newcombe 1998, Stat. Med. 17:873–890, method 10; Zou & Donner 2008, Stat. Med. 27:1693–1702, for other metrics.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, model_validator

from govern.evidence import BASELINE, OVERALL, TRIVIAL, Evidence, Group
from govern.policy.asking import (
    NO_BASELINE,
    Answer,
    Documents,
    Question,
    calibrates,
    check_primary,
    in_family,
    levels_of,
    limits_of,
    not_measured,
    not_there,
    settled,
)
from govern.policy.baseline import same_group
from govern.policy.decide import Limits, combine, judge_one
from govern.policy.fields import PRIMARY, LimitFields, MetricNames, Rule, as_list, check_limits, rows_known
from govern.policy.groups import compared, gated, is_exempt, joined, left_out
from govern.policy.measured import failure, of_group
from govern.policy.quantities import Quantity, Rate, Score, ScoreDifference, between
from govern.policy.settle import settle
from govern.policy.tasks import JUDGED, Asked, metrics_of, row_of
from govern.yamlcheck import ProblemAt

NO_SUCH_GROUP = "the baseline has no such group"
SAME_ROWS = "the same data were measured for both: the interval is wider than one from pairs of predictions would be"
AS_TRIVIAL = "the model answers as the trivial one does on every row"


class CompareFields(LimitFields):
    """A metric against the baseline evidence, or against always giving the same answer."""

    kind: Literal["compare"]
    metric: Annotated[str | list[str], MetricNames(JUDGED, "compare", primary=True)] = Field(
        description="a metric, primary (the declared one), or a list of metrics"
    )
    against: Literal["baseline", "trivial"] = Field(
        description="baseline: the evidence given as --baseline; trivial: always the same answer"
    )
    by: list[str] = Field(
        default_factory=list,
        description="features whose groups are compared with those of the baseline; omitted: the whole sample",
    )
    min: float | None = Field(None, description="the least allowed difference, counted so that positive is better")
    max: float | None = Field(None, description="the greatest allowed difference, counted so that positive is better")
    missing: Literal["show", "include"] | None = Field(
        None, description="show: groups with a missing value are not judged; include: like any other"
    )

    @model_validator(mode="after")
    def _limited(self, info: ValidationInfo) -> Self:
        names, rows = as_list(self.metric), rows_known(info)
        shares = all(n != PRIMARY and (rows[n].low, rows[n].high) == (0.0, 1.0) for n in names)
        check_limits(self.min, self.max, -1.0 if shares else None, 1.0 if shares else None)
        if self.by and self.against == "trivial":
            raise ProblemAt("by", "by needs against: baseline; the trivial answer is not measured for groups")
        return self


@dataclass(frozen=True)
class Pair:
    """A comparison to decide: a group and its rows here and in the reference."""

    group: Group
    quantity: Quantity
    reference_rows: int | None
    exempt: bool = False


def questions(rule: Rule, documents: Documents) -> list[Question]:
    """One question for each metric, and for each feature of `by`."""
    metrics = metrics_of(rule, documents.evidence)
    if not metrics:
        return [settled("n/a", "no primary metric is declared", metric=PRIMARY)]
    for metric in metrics:
        row = row_of(metric.name, documents.evidence)
        if (row.low, row.high) == (0.0, 1.0):
            check_primary(rule, metric, -1.0, 1.0)
    if rule.fields.against == "trivial":
        return [not_there(m) if m.absent else _against_trivial(rule, documents, m) for m in metrics]
    where: list[tuple[tuple[str, ...], str | None]] = [((), None)]
    if rule.fields.by:
        where = gated(rule, documents.evidence)
    return [_against_baseline(rule, documents, metric, features, why) for metric in metrics for features, why in where]


def _against_trivial(rule: Rule, documents: Documents, metric: Asked) -> Question:
    evidence = documents.evidence
    say = partial(settled, metric=metric.name, label=metric.label)
    found = evidence.find(metric.name, reference=TRIVIAL, compare="difference", label=metric.label)
    if found is None:
        if any(m.reference == TRIVIAL for m in evidence.measurements):
            return say("n/a", f"always the same answer has no {row_of(metric.name, evidence).title}")
        return say("not_run", "the trivial answer was not measured")
    if found.value == 0 and found.se == 0:
        return say("insufficient", AS_TRIVIAL, presses=True)
    why = None if found.status == "ok" else found.reason or found.status.replace("_", " ")
    difference = Score(found.value, found.se, found.transform or "identity", why)
    # The trivial answer is fixed: what is uncertain is the difference, whose value of no gap is 0.
    pair = Pair(evidence.groups_by_id[OVERALL], ScoreDifference(difference, Score(0.0, 0.0)), None)
    return Question(partial(_judge, rule, documents, metric, (), [pair]), metric.name, uncertain=in_family(rule),
                    label=metric.label)


def _against_baseline(rule: Rule, documents: Documents, metric: Asked, features: tuple[str, ...],
                      why: str | None) -> Question:
    evidence, baseline = documents.evidence, documents.baseline
    say = partial(settled, metric=metric.name, features=features, label=metric.label)
    if baseline is None:
        return say("n/a", NO_BASELINE)
    if metric.absent:
        return not_there(metric, features)
    if why:
        return say("n/a", why)
    groups = compared(rule, evidence, features) if features else [evidence.groups_by_id[OVERALL]]
    if not groups:
        return say("n/a", "no group has rows")
    if failed := failure(evidence, metric.name, groups) or failure(baseline, metric.name, _same(baseline, groups)):
        return say("not_run", failed)
    pairs = []
    for g in groups:
        own = of_group(evidence, metric.name, g.id, metric.label)
        same = same_group(baseline, g)
        if own is None:
            return not_measured(rule, metric, documents, features)
        theirs = _nobody(own) if same is None else of_group(baseline, metric.name, same.id, metric.label)
        if theirs is None:
            return say("not_run", f"{row_of(metric.name, evidence).title} was not measured in the baseline")
        small = bool(features) and (_small(rule, evidence, own, g) or (
            same is not None and _small(rule, baseline, theirs, same)))
        pairs.append(Pair(g, between(own, theirs, "difference"), same.n if same else 0, small))
    judge = partial(_judge, rule, documents, metric, features, pairs)
    return Question(judge, metric.name, features, uncertain=in_family(rule), label=metric.label)


def _same(baseline: Evidence, groups: list[Group]) -> list[Group]:
    return [same for g in groups if (same := same_group(baseline, g)) is not None]


def _nobody(own: Rate | Score) -> Rate | Score:
    """The metric of a group that the baseline does not have."""
    return Rate(0, 0, NO_SUCH_GROUP) if isinstance(own, Rate) else Score(None, reason=NO_SUCH_GROUP)


def _small(rule: Rule, evidence: Evidence, found: Rate | Score, group: Group) -> bool:
    return is_exempt(rule, getattr(found, "size", group.n), group.n, evidence.groups_by_id[OVERALL].n)


def _judge(rule: Rule, documents: Documents, metric: Asked, features: tuple[str, ...], pairs: list[Pair],
           family: int) -> Answer:
    limits = limits_of(rule, metric.name, documents.evidence)
    if row_of(metric.name, documents.evidence).better == "lower":
        limits = Limits(_minus(limits.maximum), _minus(limits.minimum))
    levels = levels_of(rule, len(pairs), limits.tails, family)
    judged = [
        judge_one(
            p.quantity,
            limits,
            levels,
            point=rule.fields.decide == "point",
            calibrate=calibrates(rule),
            exempt=p.exempt,
            group=p.group.id,
            reference=rule.fields.against,
            compare="difference",
            rows=p.group.n,
            reference_rows=p.reference_rows,
        )
        for p in pairs
    ]
    outcome, worst, presses = combine(judged)
    reason = worst.comparison.reason or (left_out(rule, documents.evidence, features) if features else None)
    if rule.fields.against == BASELINE and _same_data(documents):
        reason = joined(reason, SAME_ROWS) if reason else SAME_ROWS
    return Answer(
        outcome,
        reason,
        tuple(j.comparison for j in judged),
        worst.comparison,
        presses,
        limits.minimum,
        limits.maximum,
        "difference",
        rule.fields.decide,
        settle(metric.name, outcome, worst, limits) if documents.settling else None,
    )


def _same_data(documents: Documents) -> bool:
    """Whether both evidences were measured on the same file of data."""
    one = documents.evidence.subject("data")
    two = documents.baseline.subject("data") if documents.baseline else None
    return one is not None and two is not None and one.sha256 == two.sha256


def _minus(limit: Decimal | Fraction | None) -> Decimal | Fraction | None:
    return None if limit is None else -limit
