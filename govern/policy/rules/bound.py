"""A metric of the whole sample, or of every group of `by`, held against a limit: is it good enough, for everyone and
for each group?

How it is computed: ratios of counts get Wilson's score interval from their counts, other metrics the normal interval
on the scale of their transform. The rule passes where the interval lies inside the limit at the one-sided level
`error`, fails where it lies outside at that level divided by groups, sides and (with `family: policy`) the rules that
bind, and is insufficient in between. With `by` every group is held against the same limit and all must pass.
`decide: point` compares the estimate alone.

How to read it: the finding shows the worst value with the ends of its interval and the limit. Insufficient names the
further rows that would decide, and the smallest distance from the limit that these rows can show.

Strengths: a pass and a fail are each wrong with at most about the declared error, whatever the size of the sample.

Limits: it says nothing about gaps between groups (that is `disparity`), and a limit suits only the population that the
rows were drawn from. Groups below `min_n` or `min_share` do not hold up a pass by being few.

Source: Wilson 1927, JASA 22:209–212; Berger 1982, Technometrics 24:295–300, for why a pass needs no correction.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, model_validator

from govern.evidence import OVERALL, Group
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
    relative,
    relative_text,
    settled,
)
from govern.policy.baseline import value_in
from govern.policy.decide import Judged, Limits, bound_text, combine, judge_one
from govern.policy.fields import LimitFields, MetricNames, Rule, as_list, check_limits, rows_known
from govern.policy.groups import compared, gated, is_exempt, left_out
from govern.policy.measured import failure, of_group
from govern.policy.quantities import Rate, Score
from govern.policy.settle import settle
from govern.policy.tasks import JUDGED, Asked, metrics_of, row_of
from govern.verdict import Comparison

NOT_IN_BASELINE = "the baseline has no such group, or no number for it"


class BoundFields(LimitFields):
    """A metric of the whole sample, or of every group of `by`, held against a limit."""

    kind: Literal["bound"]
    metric: Annotated[str | list[str], MetricNames(JUDGED, "bound", primary=True)] = Field(
        description="a metric, primary (the declared one), or a list of metrics"
    )
    by: list[str] = Field(
        default_factory=list, description="features whose groups are judged; omitted: the whole sample"
    )
    missing: Literal["show", "include"] | None = Field(
        None, description="show: groups with a missing value are not judged; include: like any other"
    )

    @model_validator(mode="after")
    def _limited(self, info: ValidationInfo) -> Self:
        rows = rows_known(info)
        for name in as_list(self.metric):
            row = rows.get(name)
            check_limits(self.min, self.max, row.low if row else None, row.high if row else None)
        return self


def questions(rule: Rule, documents: Documents) -> list[Question]:
    """One question for each metric, and for each feature of `by`."""
    metrics = metrics_of(rule, documents.evidence)
    if not metrics:
        return [settled("n/a", "no primary metric is declared", metric="primary")]
    where: list[tuple[tuple[str, ...], str | None]] = [((), None)]
    if rule.fields.by:
        where = gated(rule, documents.evidence)
    return [_question(rule, documents, metric, features, why) for metric in metrics for features, why in where]


def _question(rule: Rule, documents: Documents, metric: Asked, features: tuple[str, ...], why: str | None) -> Question:
    evidence = documents.evidence
    if metric.absent:
        return not_there(metric, features)
    row = row_of(metric.name, evidence)
    check_primary(rule, metric, row.low, row.high)
    limits = limits_of(rule, metric.name, evidence)
    if relative(rule):
        why = why or (NO_BASELINE if documents.baseline is None else None)
    elif not limits.tails:
        why = f"no limit is declared for {row.title}"
    if why:
        return settled("n/a", why, metric=metric.name, features=features, label=metric.label)
    groups = compared(rule, evidence, features) if features else [evidence.groups_by_id[OVERALL]]
    if not groups:
        return settled("n/a", "no group has rows", metric=metric.name, features=features, label=metric.label)
    each = [(g, of_group(evidence, metric.name, g.id, metric.label)) for g in groups]
    found = [(g, quantity) for g, quantity in each if quantity is not None]
    if len(found) < len(groups):
        return not_measured(rule, metric, documents, features)
    counting = [g for g in groups if not features or not is_exempt(rule, g.n, g.n, documents.rows)]
    if failed := failure(evidence, metric.name, counting):
        return settled("not_run", failed, metric=metric.name, features=features, label=metric.label)
    inside = {g.id: _limits(rule, documents, metric, g, limits) for g, _ in found}
    if not any(of.tails for of in inside.values()):
        return settled("not_run", f"the baseline has no {row.title} of the same {'groups' if features else 'rows'}",
                       metric=metric.name, features=features, label=metric.label)
    judge = partial(_judge, rule, documents, metric.name, features, found, inside)
    return Question(judge, metric.name, features, uncertain=in_family(rule), label=metric.label)


def _limits(rule: Rule, documents: Documents, metric: Asked, group: Group, limits: Limits) -> Limits:
    """The limits of one group: where they are relative, to its value in the baseline; none without one there."""
    if documents.baseline is None or not relative(rule):
        return limits
    value = value_in(documents.baseline, metric.name, group, metric.label)
    return Limits() if value is None else limits_of(rule, metric.name, documents.evidence, value, value)


def _judge(
    rule: Rule,
    documents: Documents,
    metric: str,
    features: tuple[str, ...],
    found: list[tuple[Group, Rate | Score]],
    inside: dict[str, Limits],
    family: int,
) -> Answer:
    levels = levels_of(rule, len(found), max(of.tails for of in inside.values()), family)
    judged = []
    for g, quantity in found:
        exempt = bool(features) and is_exempt(rule, getattr(quantity, "size", g.n), g.n, documents.rows)
        if not inside[g.id].tails:
            seen = Comparison(g.id, "insufficient", quantity.value, n=g.n, exempt=exempt, reason=NOT_IN_BASELINE)
            judged.append(Judged(seen, quantity, None))
            continue
        judged.append(judge_one(quantity, inside[g.id], levels, point=rule.fields.decide == "point",
                                calibrate=calibrates(rule), group=g.id, rows=g.n, exempt=exempt))
    outcome, worst, presses = combine(judged)
    limits = inside[worst.comparison.group]
    comparisons = {j.comparison.group: j.comparison for j in judged}
    if relative(rule):
        comparisons = {g: replace(c, bound_min=bound_text(inside[g].minimum), bound_max=bound_text(inside[g].maximum))
                       for g, c in comparisons.items()}
    apart = left_out(rule, documents.evidence, features) if features else None
    said = [s for s in (worst.comparison.reason or apart, relative_text(rule)) if s]
    return Answer(
        outcome,
        "; ".join(said) or None,
        tuple(comparisons.values()),
        comparisons[worst.comparison.group],
        presses,
        limits.minimum,
        limits.maximum,
        decide=rule.fields.decide,
        settle=settle(metric, outcome, worst, limits) if documents.settling else None,
    )
