"""Selection rates of groups against the group with the highest rate, by the four-fifths convention: a ratio below the
limit counts when it is statistically significant too. Use it where the convention itself is asked for; `disparity`
with an interval controls its errors and suits every other purpose.

How it is computed: the rate of each group is divided by that of the group with the highest rate, and the ratio is
compared with `min` (0.80) in whole numbers, so that 44 of 100 against 55 of 100 is not below it. Two rates are tested
for being equal by the pooled z; where one common rate would lead to expect fewer than 5 in one of the four cells, by
Fisher's exact test, two-sided. Because the highest group is chosen from the data, p-values are adjusted by Holm over
all pairs of groups (`correction: none` leaves them). Significant means an adjusted p-value below `alpha`. Below the
limit and significant: fail. Below and not significant: insufficient. At or above: pass, with a note where the
difference is significant. With `decisions` each declared decision column is judged on its own, among the rows that
reached it, since a good end result does not make up for a step before it.

How to read it: beside each ratio stand both counts, z (group − reference), p and adjusted p, how many selections the
group lacks at the pooled rate of the two (shortfall), and whether moving one selection between the two would put the
ratio on the other side of the limit (flip); both are shown and change nothing. Groups below `min_n` or `min_share` are
listed, are never the reference and do not hold up a pass. Insufficient means: collect more, and look at the flip.

Strengths: it is what practitioners and agencies compute, with exact counts; small numbers alone never fail.

Limits: its error rates are not controlled: at a true ratio equal to the limit it fails in about half of large samples,
and a small sample is hardly ever significant. No text asks for this very combination of ratio, test and correction.
Weighted rows are tested with their effective number, and not at all where an expected count is below 5.

Source: 29 CFR 1607.4(D) (1978) for the ratio of four fifths and for small numbers; Questions and Answers, 44 FR 11996
(1979), for exactly 80 % not being below and for the flip; Castaneda v. Partida, 430 U.S. 482 (1977), note 17, for
standard deviations; Connecticut v. Teal, 457 U.S. 440 (1982), for steps; Fisher 1935; Holm 1979.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from govern.errors import nearest
from govern.evidence import Evidence
from govern.policy.asking import Answer, Documents, Question, not_measured, not_there, settled
from govern.policy.decide import bound_text
from govern.policy.fields import ByPhase, Insufficient, MetricNames, Rule, RuleFields, as_list
from govern.policy.fifths import SIGNIFICANT, Held, Member, combine, highest, hold, settle
from govern.policy.groups import SHOWN, compared, gated, is_exempt, joined, left_out
from govern.policy.measured import decisions_of, of_group
from govern.policy.quantities import Rate, Ratio
from govern.policy.tasks import Asked, metrics_of
from govern.verdict import RuleOutcome
from govern.yamlcheck import ProblemAt

RATED = ("selection_rate", "scoring_rate", "share_above_median")
FOUR_FIFTHS = Decimal("0.80")
SMALL_REFERENCE = (100, Fraction(2, 100))  # rows, and share of the rows, below which a reference is said to be small


class FourFifthsFields(RuleFields):
    """Rates of groups against the group with the highest rate, by the four-fifths convention: ratio and significance
    together."""

    kind: Literal["four-fifths"]
    metric: Annotated[str | list[str], MetricNames(("count", "share"), "four-fifths", only=RATED)] = Field(
        "selection_rate", description="selection_rate, scoring_rate or share_above_median, or a list"
    )
    by: list[str] = Field(
        default_factory=list,
        description="features and intersections; omitted: every sensitive feature and asked intersection",
    )
    decisions: list[str] | Literal["all", "none"] = Field(
        "none",
        description="decision columns whose selections are judged: names, all (each one, and the predictions), or none "
        "(the predictions alone)",
    )
    min: float = Field(float(FOUR_FIFTHS), description="the ratio to the highest rate below which a group counts")
    alpha: float = Field(0.05, gt=0, lt=0.5, description="two-sided level of significance")
    correction: Literal["holm", "none"] = Field("holm", description="of the p-values, over all pairs of groups")
    min_n: int = Field(1, ge=0, description="groups with a smaller denominator are listed, never the reference")
    min_share: float | None = Field(
        None, ge=0, lt=1, description="groups with a smaller share of the rows are listed, never the reference"
    )
    missing: Literal["show", "include"] | None = Field(
        None,
        description="show: rows with a missing value stand outside the comparisons; include: a group like any other",
    )
    label: str | None = Field(
        None,
        description="a class of a multiclass task, held against all others; omitted: the favourable one where it was "
        "given, else every class",
    )
    insufficient: Insufficient | ByPhase[Insufficient] | None = Field(
        None,
        description="what data that cannot decide does at severity block or review: lean, review or block",
    )

    @model_validator(mode="after")
    def _checked(self) -> Self:
        if not 0 < self.min <= 1:
            raise ProblemAt("min", "min of a ratio lies above 0 and is at most 1; write 0.8 for 80 %")
        if self.decisions != "none" and "selection_rate" not in as_list(self.metric):
            raise ProblemAt("decisions", "decisions are selections; write metric: selection_rate, or remove decisions")
        steps = self.decisions
        if isinstance(steps, list) and (not steps or len(set(steps)) < len(steps)):
            raise ProblemAt("decisions", "decisions names none, or one twice; name each once, or write all")
        return self


def questions(rule: Rule, documents: Documents) -> list[Question]:
    """One question for each metric (and decision column) and each feature."""
    evidence = documents.evidence
    if not evidence.feature_groups:
        return [settled("n/a", "no sensitive feature was given")]
    features = gated(rule, evidence)
    return [_question(rule, documents, metric, decision, of, why)
            for metric, decision in _steps(rule, evidence) for of, why in features]


def _steps(rule: Rule, evidence: Evidence) -> list[tuple[Asked, str | None]]:
    """What is judged: the decision columns asked for, then the predictions."""
    wanted, known = rule.fields.decisions, decisions_of(evidence)
    found: list[tuple[Asked, str | None]] = []
    for i, name in enumerate(known if wanted == "all" else wanted if isinstance(wanted, list) else []):
        if name not in known and nearest(name, known):
            raise rule.error(("decisions", i), f'decisions: "{name}" is not a decision of the evidence',
                             nearest(name, known))
        why = None if name in known else f"decision {name} was not measured (measured: {', '.join(known) or 'none'})"
        found.append((Asked("selection_rate", absent=why), name))
    alone = isinstance(wanted, list)
    return found + [(m, None) for m in metrics_of(rule, evidence) if not alone or m.name != "selection_rate"]


def _question(rule: Rule, documents: Documents, metric: Asked, decision: str | None, features: tuple[str, ...],
              why: str | None) -> Question:
    evidence, say = documents.evidence, partial(settled, metric=metric.name, features=features, label=metric.label,
                                                decision=decision)
    if metric.absent:
        return say("n/a", metric.absent) if decision else not_there(metric, features)
    groups = compared(rule, evidence, features) if why is None else []
    if why is None and len(groups) < 2:
        why = joined(f"{':'.join(features)} has fewer than two groups to compare", left_out(rule, evidence, features))
    if why:
        return say("n/a", why)
    rates = [of_group(evidence, metric.name, g.id, metric.label, decision) for g in groups]
    everyone = of_group(evidence, metric.name, label=metric.label, decision=decision)
    known = [(g, rate) for g, rate in zip(groups, rates, strict=True) if isinstance(rate, Rate)]
    if len(known) < len(groups) or not isinstance(everyone, Rate):
        if decision is None:
            return not_measured(rule, metric, documents, features)
        return say("not_run", f"decision {decision} was not measured for every group of {':'.join(features)}")
    members = [Member(g, rate, is_exempt(rule, rate.size, rate.size, everyone.size)) for g, rate in known]
    judge = partial(_judge, rule, documents, features, members, everyone.size)
    return Question(judge, metric.name, features, label=metric.label, decision=decision)


def _judge(rule: Rule, documents: Documents, features: tuple[str, ...], members: list[Member], rows: int,
           _family: int) -> Answer:
    limit = rule.minimum if isinstance(rule.minimum, Decimal) else FOUR_FIFTHS
    alpha, apart = rule.fields.alpha, left_out(rule, documents.evidence, features)
    best = highest(members)
    if best is None or not best.rate.x:
        undefined = best is not None or not any(m.rate.n for m in members)
        why = "no group large enough to be the reference has a rate above 0"
        why = why if best else "every group is too small to be the reference"
        said = members[0].rate.why if best is None and undefined else None
        return Answer("insufficient", joined(said or why, apart), presses=undefined, minimum=limit, compare="ratio")
    held = hold(members, best, limit, alpha, rule.fields.correction == "holm")
    outcome, worst = combine(held)
    parts = (_said(held, outcome, worst, limit), _small(members, worst, rows), apart)
    return Answer(
        outcome,
        "; ".join(filter(None, parts)) or None,
        tuple(h.comparison for h in held),
        worst.comparison,
        minimum=limit,
        compare="ratio",
        settle=settle(worst, outcome, limit, alpha) if documents.settling else None,
    )


def _said(held: list[Held], outcome: RuleOutcome, worst: Held, limit: Decimal) -> str | None:
    """What ratio and significance say together."""
    seen, line = worst.comparison, bound_text(limit)
    if outcome == "fail":
        return f"below {line} and statistically significant: {_names(held, 'fail')}"
    if outcome == "pass":
        names = _names([h for h in held if h.comparison.reason], "pass")
        return f"{SIGNIFICANT}: {names}" if names else None
    if seen.value is None:
        return seen.reason
    if seen.outcome == "pass":
        return "every other group is too small to hold up a decision"
    flip = "; moving one selection between the two groups would change the side" if seen.flips else ""
    why = "no test is valid for so few rows with weights" if seen.p_value is None else "not statistically significant"
    return f"below {line}, but {why}: {_names(held, 'insufficient')}{flip}"


def _names(held: list[Held], outcome: RuleOutcome) -> str:
    names = [h.member.group.name for h in held if h.comparison.outcome == outcome and h.comparison.value is not None]
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _small(members: list[Member], worst: Held, rows: int) -> str | None:
    """What is said of a small reference: its rows, and the ratio to the group with most rows."""
    best, (few, share) = worst.reference, SMALL_REFERENCE
    if best.rate.size >= few and best.rate.size >= share * rows:
        return None
    said = f"the reference {best.group.name} has only {best.rate.size:,} {'row' if best.rate.size == 1 else 'rows'}"
    largest = max(members, key=lambda m: m.rate.size)
    ratio = Ratio(worst.member.rate, largest.rate).value
    if largest in (best, worst.member) or ratio is None:
        return said
    return f"{said}; against {largest.group.name}, with most rows, {worst.member.group.name} has a ratio of {ratio:.3f}"
