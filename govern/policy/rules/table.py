"""A table that must be published: the counts of every group, whatever they show. It has no limit and judges no number;
it fails where the evidence does not hold what the table needs.

How it is computed: `groups` lists each group's rows, how many of them are predicted favourable, the rate and its ratio
to the highest rate of the same table; `scores` the same for scores above the median of all rows, `decisions` for each
decision column among the rows that reached it, `controls` the favourable predictions within each level of a control
feature, with a highest rate of its own; `unknown` counts the rows with a missing or unknown value, `shares` the rows of
each group. `levels` are names that must be there, with nobody in them too. Groups below `exclude_below` of the
rows may be left out of the ratios by a reason in the card under `reason_in`: a text for all of them, or a list whose
items name a group as `category` and give its `justification`. They stay in the table with rows and rate and are never
the reference. A larger group that is named there fails the rule.

How to read it: the rows are the finding's comparisons. A pass says that the table is complete, not that its numbers are
good: `four-fifths` or `disparity` judge them.

Strengths: what a law asks to be published cannot be forgotten: a rule of this kind fails when its input is absent
(`absent` says otherwise), and small groups cannot be dropped without words.

Limits: it does not know whether the levels are those the law means; name them. Of weighted rows there are no counts of
persons, and such a table is not given.

Source: made for 6 RCNY 5-301 to 5-303 (New York City, Local Law 144 of 2021), which asks for exactly such tables, a
median of the full sample, the number of unknown, and a reason for leaving out categories below 2 %.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from govern.evidence import OVERALL, Evidence, Group
from govern.policy.asking import Answer, Documents, Question, not_measured, not_there, settled
from govern.policy.fields import Absent, ByPhase, Rule, RuleFields
from govern.policy.fifths import Member, highest
from govern.policy.groups import gated, joined, left_out
from govern.policy.measured import decisions_of, of_group
from govern.policy.quantities import Rate, Ratio
from govern.policy.tasks import Asked, for_task
from govern.policy.words import filled, inside
from govern.verdict import Comparison, RuleOutcome, Settle
from govern.yamlcheck import ProblemAt

RATED = ("groups", "scores", "decisions", "controls")


class TableFields(RuleFields):
    """A table that must be published: rows, rates and ratios of every group, unknown rows, or shares."""

    kind: Literal["table"]
    of: Literal["groups", "scores", "decisions", "controls", "unknown", "shares"] = Field(
        description="groups: favourable predictions; scores: scores above the median of all rows; decisions: each "
        "decision column; controls: favourable predictions within each level of the control features; unknown: rows "
        "with a missing or unknown value; shares: rows of each group"
    )
    by: list[str] = Field(
        default_factory=list,
        description="features and intersections; omitted: every sensitive feature and asked intersection",
    )
    levels: list[str] = Field(
        default_factory=list, description="groups that must be in the table; of an intersection, values that must be"
    )
    exclude_below: float | None = Field(
        None, gt=0, lt=1, description="groups with a smaller share of the rows may be left out of the ratios"
    )
    reason_in: str | None = Field(
        None, description="the field of the card that leaves groups out by saying why: a text for all that are small "
        "enough, or a list of {category, justification}; a.b is the field b inside a"
    )
    label: str | None = Field(
        None,
        description="a class of a multiclass task; omitted: the favourable one where it was given, else every class",
    )
    absent: Absent | ByPhase[Absent] | None = Field(
        "fail", description="what it means that the table's input was not given or does not exist: n/a, review or fail"
    )

    @model_validator(mode="after")
    def _excluded_with_reason(self) -> Self:
        if (self.exclude_below is None) != (self.reason_in is None):
            raise ProblemAt("exclude_below" if self.reason_in is None else "reason_in",
                            "exclude_below and reason_in belong together; give both")
        if self.exclude_below is not None and self.of not in RATED:
            raise ProblemAt("exclude_below", f"is for tables with ratios, of {', '.join(RATED)}; remove it")
        if self.levels and self.of == "unknown":
            raise ProblemAt("levels", "levels are those of known groups; remove levels")
        return self


def questions(rule: Rule, documents: Documents) -> list[Question]:
    """One question for each feature (and decision column, control feature and class)."""
    evidence, of = documents.evidence, rule.fields.of
    if not evidence.feature_groups:
        return [settled("n/a", "no sensitive feature was given")]
    features = gated(rule, evidence)
    if of not in RATED:
        return [_counted(rule, documents, feature, why) for feature, why in features]
    metric = _metric(rule, evidence)
    if of == "decisions":
        steps = decisions_of(evidence)
        if not steps:
            return [settled("n/a", "no decision column was given", metric=metric.name)]
        return [_rated(rule, documents, metric, feature, why, decision=step) for step in steps
                for feature, why in features]
    controls: list[str | None] = [None]
    if of == "controls":
        controls = [*dict.fromkeys(g.within[0][0] for g in evidence.groups if g.within)]
        if not controls:
            return [settled("n/a", "no control feature was given", metric=metric.name)]
    return [_rated(rule, documents, m, feature, why, control=control) for m in for_task(rule, evidence, [metric])
            for control in controls for feature, why in features]


def _metric(rule: Rule, evidence: Evidence) -> Asked:
    scores = "share_above_median" if evidence.task == "regression" else "scoring_rate"
    return Asked(scores if rule.fields.of == "scores" else "selection_rate")


def _counted(rule: Rule, documents: Documents, features: tuple[str, ...], why: str | None) -> Question:
    """A table of rows: of the unknown groups, or of all."""
    if why:
        return settled("n/a", why, features=features)
    evidence, rows = documents.evidence, documents.rows
    unknown = rule.fields.of == "unknown"
    groups = [g for g in evidence.feature_groups[features] if g.missing or not unknown]
    seen = [Comparison(g.id, "pass", g.n / rows if rows else None, n=rows, numerator=g.n) for g in groups]
    missing = () if unknown else _lacking(rule, groups)
    n = sum(g.n for g in groups)
    said = f"{n:,} {'row' if n == 1 else 'rows'} with a missing or unknown value" if unknown else None
    lowest = None if unknown else min(seen, key=_value, default=None)
    judge = partial(_judge, missing, None, said, seen, lowest, None)
    return Question(judge, None if unknown else "group_share", features)


def _rated(rule: Rule, documents: Documents, metric: Asked, features: tuple[str, ...], why: str | None, *,
           decision: str | None = None, control: str | None = None) -> Question:
    """A table of rates and their ratios to the highest, within each level of `control` where it is given."""
    evidence, fields = documents.evidence, rule.fields
    say = partial(settled, metric=metric.name, features=features, label=metric.label, decision=decision, each=control)
    if why:
        return say("n/a", why)
    if metric.absent:
        return not_there(metric, features)
    parts = _parts(evidence, features, control)
    if not parts:
        return say("n/a", f"{':'.join(features)} was not counted within {control}")
    groups = [evidence.groups_by_id[OVERALL], *(g for part in parts for g in part if not g.missing)]
    of = {g.id: of_group(evidence, metric.name, g.id, metric.label, decision) for g in groups}
    known = {group: rate for group, rate in of.items() if isinstance(rate, Rate)}
    if len(known) < len(of):
        if decision is None:
            return not_measured(rule, metric, documents, features)
        return say("not_run", f"decision {decision} was not measured for every group of {':'.join(features)}")
    if any(rate.count is None for rate in known.values()):
        return say("not_run", "rows are weighted or repeat persons, so that there are no counts of persons")
    reasons = _reasons(inside(evidence.card, fields.reason_in)) if fields.reason_in else {}
    members, seen, large = [], [], []
    for part in parts:
        rows = known[OVERALL].size if control is None else sum(g.n for g in part)
        below = Decimal(str(fields.exclude_below or 0)) * rows
        why_out = {g.id: reasons.get(g.name, reasons.get(None)) for g in part}
        of_part = [Member(g, known[g.id], known[g.id].size < below and why_out[g.id] is not None)
                   for g in part if not g.missing]
        best = highest(of_part)
        seen += [_row(m, best, why_out[m.group.id]) for m in of_part]
        large += [m.group.name for m in of_part if m.group.name in reasons and not m.exempt]
        members += of_part
    out = [m.group.name for m in members if m.exempt]
    said = left_out(rule, evidence, features)
    said = joined(f"left out of the ratios: {', '.join(dict.fromkeys(out))}", said) if out else said
    lowest = min((c for c in seen if c.group != c.reference), key=_value, default=seen[0] if seen else None)
    named = ", ".join(dict.fromkeys(large))
    wrong = f"not below {fields.exclude_below:g} of the rows, so not to be left out: {named}" if large else None
    judge = partial(_judge, _lacking(rule, groups[1:]), wrong, said, seen, lowest, "ratio")
    return Question(judge, metric.name, features, label=metric.label, decision=decision, each=control)


def _parts(evidence: Evidence, features: tuple[str, ...], control: str | None) -> list[list[Group]]:
    """The groups of a feature, all together or those within each level of a control feature."""
    if control is None:
        return [list(evidence.feature_groups[features])]
    found: dict[str | None, list[Group]] = {}
    for g in evidence.groups:
        if g.features == features and len(g.within) == 1 and g.within[0][0] == control:
            found.setdefault(g.within[0][1], []).append(g)
    return list(found.values())


def _reasons(said: Any) -> dict[str | None, str]:
    """Why groups are left out, by the group's name, None for all that are small enough. An item without a reason
    that says something leaves nothing out."""
    if isinstance(said, str):
        return {None: said} if filled(said) else {}
    items = [item for item in said if isinstance(item, Mapping)] if isinstance(said, list | tuple) else []
    return {str(item.get("category")): str(item["justification"]) for item in items
            if filled(item.get("category")) and filled(item.get("justification"))}


def _row(member: Member, best: Member | None, why_out: str | None) -> Comparison:
    """A group's row: its counts, and the ratio to the highest rate unless it is left out of the ratios."""
    own = member.rate
    ratio = None if best is None else Ratio(own, best.rate)
    why = why_out if member.exempt else ratio.why if ratio else own.why
    return Comparison(
        member.group.id,
        "pass",
        None if ratio is None or member.exempt else ratio.value,
        reference=best.group.id if best else None,
        compare="ratio",
        n=own.size,
        reference_n=best.rate.size if best else None,
        numerator=own.count,
        reference_numerator=best.rate.count if best else None,
        exempt=member.exempt,
        reason=why,
    )


def _lacking(rule: Rule, groups: list[Group]) -> tuple[str, ...]:
    """The levels that no group has."""
    there = {g.name for g in groups} | {v for g in groups for v in g.values if v is not None}
    return tuple(level for level in rule.fields.levels if level not in there)


def _value(seen: Comparison) -> float:
    return float("inf") if seen.value is None else seen.value


def _judge(levels: tuple[str, ...], wrong: str | None, said: str | None, rows: list[Comparison],
           seen: Comparison | None, compare: str | None, _family: int) -> Answer:
    """`levels` are those that are not there, `wrong` what else is."""
    found = [f"the table lacks {', '.join(levels)}"] if levels else []
    found += [wrong] if wrong else []
    outcome: RuleOutcome = "fail" if found else "pass"
    settle = Settle(text="Declare the levels in data.sensitive, so that those nobody has are listed with 0 rows.")
    return Answer(outcome, "; ".join([*found, *([said] if said else [])]) or None, tuple(rows), seen, compare=compare,
                  missing=levels, settle=settle if levels else None)
