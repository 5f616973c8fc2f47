"""A metric of the whole sample, or of every group of `by`, held against a limit."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from govern.evidence import OVERALL
from govern.metrics import METRICS
from govern.policy.asking import (
    Answer,
    Documents,
    Question,
    in_family,
    levels_of,
    limits_of,
    metrics_of,
    not_measured,
    settled,
)
from govern.policy.decide import Limits, combine, judge_one
from govern.policy.fields import LimitFields, MetricNames, Rule
from govern.policy.groups import compared, gated, is_exempt, left_out
from govern.policy.quantities import of_group
from govern.verdict import Settle


class BoundFields(LimitFields):
    """A metric of the whole sample, or of every group of `by`, held against a limit."""

    kind: Literal["bound"]
    metric: Annotated[str | list[str], MetricNames(("count", "score"), "bound", primary=True)] = Field(
        description="a metric, primary (the declared one), or a list of metrics"
    )
    by: list[str] = Field(
        default_factory=list, description="features whose groups are judged; omitted: the whole sample"
    )
    missing: Literal["show", "include"] | None = Field(
        None, description="show: groups with a missing value are not judged; include: like any other"
    )

    @model_validator(mode="after")
    def _limited(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("a bound needs min or max; add one")
        return self


def questions(rule: Rule, documents: Documents) -> list[Question]:
    """One question for each metric, and for each feature of `by`."""
    asked: list[Question] = []
    metrics = metrics_of(rule, documents.evidence)
    if not metrics:
        return [settled("n/a", "no primary metric is declared", metric="primary")]
    for metric in metrics:
        limits = limits_of(rule, metric.name, documents.evidence)
        if not limits.tails:
            asked.append(settled("n/a", f"no limit is declared for {METRICS[metric.name].title}", metric=metric.name))
            continue
        where: list[tuple[tuple[str, ...], str | None]] = [((), None)]
        if rule.fields.by:
            where = gated(rule, documents.evidence)
        for features, why in where:
            groups = (
                [OVERALL]
                if not features
                else []
                if why
                else [g.id for g in compared(rule, documents.evidence, features)]
            )
            if why or not groups:
                asked.append(
                    settled("n/a", why or "no group has rows", metric=metric.name, features=features)
                )
            elif all(of_group(documents.evidence, metric.name, g) is None for g in groups):
                asked.append(not_measured(metric.name, documents))
            else:
                judge: Any = partial(_judge, rule, documents, metric.name, features, groups, limits)
                asked.append(Question(judge, metric.name, features, uncertain=in_family(rule)))
    return asked


def _judge(
    rule: Rule,
    documents: Documents,
    metric: str,
    features: tuple[str, ...],
    groups: list[str],
    limits: Limits,
    family: int,
) -> Answer:
    evidence, point = documents.evidence, rule.fields.decide == "point"
    levels = levels_of(rule, len(groups), limits.tails, family)
    judged = []
    for group in groups:
        quantity = of_group(evidence, metric, group)
        if quantity is None:
            continue
        n = evidence.groups_by_id[group].n
        denominator = getattr(quantity, "n", n)
        judged.append(
            judge_one(
                quantity,
                limits,
                levels,
                point=point,
                group=group,
                rows=n,
                exempt=group != OVERALL and is_exempt(rule, denominator, n, documents.rows),
            )
        )
    outcome, worst, presses = combine(judged)
    reason = worst.comparison.reason or (left_out(rule, evidence, features) if features else None)
    return Answer(
        outcome,
        reason,
        tuple(j.comparison for j in judged),
        worst.comparison,
        presses,
        limits.minimum,
        limits.maximum,
        decide=rule.fields.decide,
        settle=_settle(outcome, worst.comparison, limits),
    )


def _settle(outcome: str, seen: Any, limits: Limits) -> Settle | None:
    """Further rows that would decide a ratio of counts, at the observed rate."""
    if outcome != "insufficient" or seen.numerator is None or not seen.n or seen.level_pass is None:
        return None
    from govern.stats.sizes import rows_to_settle

    rows = rows_to_settle(
        seen.numerator,
        seen.n,
        None,
        None,
        compare=None,
        minimum=limits.minimum,
        maximum=limits.maximum,
        alpha_pass=seen.level_pass,
        alpha_fail=seen.level_fail,
    )
    return Settle(seen.group, rows=rows) if rows else None
