"""The gap between groups of a sensitive feature, as a difference or a ratio, held against a limit: are groups treated
alike, or near enough?

How it is computed: `against` chooses the pairs: the group with most rows, the one with the most favourable rate, all
rows outside the group, a named group, or every pair (`any`, in absolute size). Differences of rates have Newcombe's
interval, ratios that of Donner and Zou, from the counts; other metrics combine the intervals of the two groups. All
pairs must lie inside at the level `error` for a pass; one pair outside at that level, divided by pairs, sides and (with
`family: policy`) the rules that bind, is a fail.

How to read it: the finding names the worst pair with both counts, the ends of the interval and the limit. Insufficient
means that these groups are too small to tell; it counts as REVIEW (under `insufficient: lean`) only where the estimate
lies outside and the data exclude that there is no gap at all.

Strengths: errors of a pass and of a fail are controlled over all pairs; few rows do not make a gap, and many do not
hide one. Bounds on ratios of counts are compared in whole numbers.

Limits: the largest gap of many small groups is seldom decided. A gap can be right where groups differ in need; why it
is there, no number says. Ratios exist for rates alone.

Source: Newcombe 1998, Stat. Med. 17:873–890, method 10; Donner & Zou 2012, Stat. Methods Med. Res. 21:347–359; Berger
1982, Technometrics 24:295–300. Error rates: bench/error_rates.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import combinations
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, model_validator

from govern.errors import nearest
from govern.evidence import REST, Group
from govern.metrics import Metric
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
from govern.policy.baseline import exactly
from govern.policy.decide import Limits, absolute, combine, judge_one
from govern.policy.fields import (
    DECLARED,
    PRIMARY,
    Baseline,
    Fields,
    LimitFields,
    MetricNames,
    Rule,
    as_list,
    check_limits,
    rows_known,
)
from govern.policy.groups import compared, gated, is_exempt, joined, left_out
from govern.policy.measured import against_rest, failure, of_group
from govern.policy.quantities import Bound, Quantity, Rate, Score, between
from govern.policy.settle import settle
from govern.policy.tasks import JUDGED, Asked, metrics_of, own_scale, row_of
from govern.yamlcheck import ProblemAt

# A ratio beyond this is a percentage or a slip.
MOST_RATIO = 10.0


class NamedGroup(Fields):
    """A group by its name."""

    group: str


class DisparityFields(LimitFields):
    """The gap between groups of a sensitive feature, as a difference or a ratio, held against a limit."""

    kind: Literal["disparity"]
    metric: Annotated[str | list[str], MetricNames(JUDGED, "disparity", primary=True)] = Field(
        description="a metric, primary (the declared one, its difference counted so that positive is better), or a list"
    )
    compare: Literal["difference", "ratio"] = Field(description="group − reference, or group / reference")
    against: Literal["largest", "best", "overall", "any"] | NamedGroup = Field(
        description="the reference: the group with most rows, that with the most favourable rate, all rows outside "
        "the group, every other group (the absolute difference; the smaller rate divided by the larger), "
        "or a group by name"
    )
    by: list[str] = Field(
        default_factory=list,
        description="features and intersections; omitted: every sensitive feature and asked intersection",
    )
    missing: Literal["show", "include"] | None = Field(
        None,
        description="show: rows with a missing value stand outside the comparisons; include: a group like any other",
    )

    @model_validator(mode="after")
    def _limited(self, info: ValidationInfo) -> Self:
        names, rows = as_list(self.metric), rows_known(info)
        if self.compare == "ratio":
            check_limits(self.min, self.max, 0.0, MOST_RATIO)
            if isinstance(self.min, float) and not 0 < self.min <= 1:
                raise ProblemAt("min", "of a ratio lies above 0 and is at most 1; write 0.8 for 80 %")
            far = next((k for k, v in (("min", self.min), ("max", self.max))
                        if isinstance(v, Baseline) and abs(v.baseline) > 1), None)
            if far:
                raise ProblemAt(far, "of a ratio moves by at most 1 from the baseline; write -0.02 for 2 points less")
            scores = [n for n in names if n == PRIMARY or rows[n].family not in ("count", "share")]
            if scores:
                raise ProblemAt("compare", f"{scores[0]} is compared by difference only; write compare: difference")
        else:
            shares = all(n != PRIMARY and (rows[n].low, rows[n].high) == (0.0, 1.0) for n in names)
            least = 0.0 if self.against == "any" else -1.0 if shares else None
            check_limits(self.min, self.max, least, 1.0 if shares else None)
        no_side = [n for n in names if n != PRIMARY and rows[n].family == "custom" and rows[n].better == "neither"]
        if self.against == "best" and no_side:
            raise ProblemAt("against", f"which group is best needs a better side of {no_side[0]}; "
                            f"write better: higher or better: lower beside its function in data.metrics")
        if self.against == "any" and self.compare == "difference" and self.min is not None:
            raise ProblemAt("min", "with against: any a difference is an absolute value; give max alone")
        if self.against == "any" and self.compare == "ratio" and self.max is not None:
            raise ProblemAt("max", "with against: any a ratio is the smaller rate by the larger; give min alone")
        return self


@dataclass(frozen=True)
class Member:
    """A group that takes part, with its metric and whether it is too small to hold up a pass."""

    group: Group
    own: Rate | Score
    exempt: bool


@dataclass(frozen=True)
class Pair:
    """A comparison to decide; `partner` is None against the rest."""

    member: Member
    quantity: Quantity
    partner: Member | None = None

    @property
    def exempt(self) -> bool:
        """Whether one of the two is too small."""
        return self.member.exempt or (self.partner is not None and self.partner.exempt)


def questions(rule: Rule, documents: Documents) -> list[Question]:
    """One question for each metric and each feature."""
    evidence = documents.evidence
    if not evidence.feature_groups:
        return [settled("n/a", "no sensitive feature was given")]
    metrics = metrics_of(rule, evidence)
    if not metrics:
        return [settled("n/a", "no primary metric is declared", metric="primary")]
    features = gated(rule, evidence)
    named = rule.fields.against.group if isinstance(rule.fields.against, NamedGroup) else None
    if named is not None:
        _check_named(rule, documents, named, [f for f, why in features if why is None])
    return [_question(rule, documents, metric, of, why, named) for metric in metrics for of, why in features]


def _question(
    rule: Rule,
    documents: Documents,
    metric: Asked,
    features: tuple[str, ...],
    why: str | None,
    named: str | None,
) -> Question:
    if metric.absent:
        return not_there(metric, features)
    evidence = documents.evidence
    row = row_of(metric.name, evidence)
    shares = (row.low, row.high) == (0.0, 1.0)
    if rule.fields.compare == "difference":
        check_primary(rule, metric, -1.0 if shares else None, 1.0 if shares else None)
    turned = metric.primary and row.better == "lower"
    low, high = _in_baseline(rule, documents, metric, features, named, turned)
    limits = limits_of(rule, metric.name, evidence, low, high)
    groups = compared(rule, evidence, features) if why is None else []
    if relative(rule) and documents.baseline is None:
        why = why or NO_BASELINE
    elif relative(rule) and why is None and (low is None or high is None):
        return settled("not_run", f"the baseline has no comparison of {row.title} for {':'.join(features)}",
                       metric=metric.name, features=features, label=metric.label)
    elif not limits.tails:
        why = f"no limit is declared for {row.title}"
    elif why is None and metric.primary and own_scale(row) and DECLARED not in (rule.minimum, rule.maximum):
        why = f"{row.title} is {own_scale(row)}, for which the limit was not written"
    elif why is None and len(groups) < 2:
        why = joined(f"{':'.join(features)} has fewer than two groups to compare", left_out(rule, evidence, features))
    elif why is None and named is not None and named not in [g.name for g in groups]:
        why = f"{':'.join(features)} has no group {named}"
    if why:
        return settled("n/a", why, metric=metric.name, features=features, label=metric.label)
    members = _members(rule, documents, metric, groups)
    failed = members and _not_run(documents, row, members, rule.fields.against)
    if failed:
        return settled("not_run", failed, metric=metric.name, features=features)
    pairs = None if members is None else _pairs(rule, documents, metric, members, named)
    if members is None or pairs is None:
        return not_measured(rule, metric, documents, features)
    if not pairs:
        undefined = all(m.own.value is None for m in members)
        small = f"{named} is too small to be the reference" if named else "every group is too small to be a reference"
        why = members[0].own.why if undefined else None
        said = why or joined(small, left_out(rule, evidence, features))
        return settled("insufficient", said, metric=metric.name, features=features, presses=undefined,
                       label=metric.label)
    if turned:
        limits = Limits(_minus(limits.maximum), _minus(limits.minimum))
    judge = partial(_judge, rule, documents, metric.name, features, pairs, limits)
    return Question(judge, metric.name, features, uncertain=in_family(rule), label=metric.label)


def _in_baseline(rule: Rule, documents: Documents, metric: Asked, features: tuple[str, ...], named: str | None,
                 turned: bool) -> tuple[Bound | None, Bound | None]:
    """The smallest and the largest comparison of the same kind in the baseline, those of small groups left out; None
    where no limit is relative to them or there are none. `turned`: counted so that positive is better."""
    baseline = documents.baseline
    if baseline is None or not relative(rule):
        return None, None
    before = replace(documents, evidence=baseline, baseline=None)
    same = next((f for f in baseline.feature_groups if sorted(f) == sorted(features)), None)
    members = _members(rule, before, metric, compared(rule, baseline, same)) if same else None
    pairs = _pairs(rule, before, metric, members, named) if members else None
    values = [v for p in pairs or () if not p.exempt and (v := exactly(p.quantity)) is not None]
    low, high = min(values, default=None), max(values, default=None)
    return (_minus(high), _minus(low)) if turned else (low, high)


def _members(rule: Rule, documents: Documents, metric: Asked, groups: list[Group]) -> list[Member] | None:
    """The groups with their metric, None when it was not measured for one of them."""
    members = []
    for g in groups:
        own = of_group(documents.evidence, metric.name, g.id, metric.label)
        if own is None:
            return None
        members.append(Member(g, own, is_exempt(rule, getattr(own, "size", g.n), g.n, documents.rows)))
    return members


def _not_run(documents: Documents, row: Metric, members: list[Member], against: object) -> str | None:
    """Why the metric was not measured where it is needed, None where it was."""
    if row.family == "custom" and against == "overall":
        return f"{row.title} of all rows outside a group is not measured: it is a function of the user's own, " \
               "compared with largest, best, any or a group"
    return failure(documents.evidence, row.name, [m.group for m in members if not m.exempt])


def _minus(limit: Decimal | Fraction | None) -> Decimal | Fraction | None:
    return None if limit is None else -limit


def _check_named(rule: Rule, documents: Documents, named: str, features: list[tuple[str, ...]]) -> None:
    names = [g.name for f in features for g in documents.evidence.feature_groups[f]]
    if features and named not in names:
        raise rule.error(
            ("against",),
            f'against: no group is named "{named}"',
            nearest(named, names) or f"groups: {', '.join(names)}",
        )


def _pairs(
    rule: Rule, documents: Documents, metric: Asked, members: list[Member], named: str | None
) -> list[Pair] | None:
    """The comparisons of one feature, None when one was not measured. A group that is too small is never
    the reference of the others, and two that are too small are not compared."""
    compare, against = rule.fields.compare, rule.fields.against
    if against == "overall":
        rest = [against_rest(documents.evidence, metric.name, m.group.id, compare, metric.label) for m in members]
        pairs = [Pair(m, quantity) for m, quantity in zip(members, rest, strict=True) if quantity is not None]
        return pairs if len(pairs) == len(members) else None
    if against == "any":
        ordered = [_ordered(one, two, compare) for one, two in combinations(members, 2)]
        return [Pair(a, between(a.own, b.own, compare), b) for a, b in ordered if not (a.exempt and b.exempt)]
    reference = _reference(row_of(metric.name, documents.evidence), members, against, named)
    if reference is None:
        return []
    return [Pair(m, between(m.own, reference.own, compare), reference) for m in members if m is not reference]


def _reference(row: Metric, members: list[Member], against: object, named: str | None) -> Member | None:
    large = [m for m in members if not m.exempt]
    if named is not None:
        return next((m for m in large if m.group.name == named), None)
    if against == "largest":
        return max(large, key=lambda m: m.group.n, default=None)
    sign = -1 if row.better == "lower" else 1
    best: Member | None = None
    for m in large:
        if m.own.value is not None and (best is None or sign * _compare(m.own, best.own) > 0):
            best = m
    return best


def _compare(a: Rate | Score, b: Rate | Score) -> int:
    """−1, 0 or 1 as the estimate of `a` is below, at or above that of `b`; exact for ratios of counts."""
    if isinstance(a, Rate) and isinstance(b, Rate):
        (one_x, one_n), (two_x, two_n) = a.exact, b.exact
        return (one_x * two_n > two_x * one_n) - (one_x * two_n < two_x * one_n)
    one, two = a.value, b.value
    return 0 if one is None or two is None else (one > two) - (one < two)


def _ordered(one: Member, two: Member, compare: str) -> tuple[Member, Member]:
    """(group, reference) of an unordered pair: the larger estimate minus the smaller, or the smaller by the
    larger; of equals, the group with fewer rows against that with more, then the later against the earlier."""
    order = _compare(one.own, two.own)
    if order == 0:
        return (one, two) if one.group.n < two.group.n else (two, one)
    higher, lower = (one, two) if order > 0 else (two, one)
    return (higher, lower) if compare == "difference" else (lower, higher)


def _judge(
    rule: Rule,
    documents: Documents,
    metric: str,
    features: tuple[str, ...],
    pairs: list[Pair],
    limits: Limits,
    family: int,
) -> Answer:
    compare, against = rule.fields.compare, rule.fields.against
    inner = absolute(limits, compare) if against == "any" else limits
    # The best group is chosen from the data: as many comparisons as there are pairs, in both directions.
    chosen = len(pairs) * (len(pairs) + 1) // 2 if against == "best" else len(pairs)
    levels = levels_of(rule, chosen, 2 if against == "best" else inner.tails, family)
    judged = [
        judge_one(
            p.quantity,
            inner,
            levels,
            point=rule.fields.decide == "point",
            calibrate=calibrates(rule),
            exempt=p.exempt,
            group=p.member.group.id,
            reference=p.partner.group.id if p.partner else REST,
            compare=compare,
            rows=p.member.group.n,
            reference_rows=p.partner.group.n if p.partner else documents.rows - p.member.group.n,
        )
        for p in pairs
    ]
    outcome, worst, presses = combine(judged)
    said = [s for s in (worst.comparison.reason or left_out(rule, documents.evidence, features), relative_text(rule))
            if s]
    return Answer(
        outcome,
        "; ".join(said) or None,
        tuple(j.comparison for j in judged),
        worst.comparison,
        presses,
        limits.minimum,
        limits.maximum,
        compare,
        rule.fields.decide,
        settle(metric, outcome, worst, inner) if documents.settling else None,
    )
