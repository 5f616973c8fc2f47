"""What the explanation of the model must show: that it adds up and is stable, that certain features do not lead it,
that features point where they are expected to, that adverse decisions have reasons.

How it is computed: `metric` holds a number of the explanation against `min` or `max`: additivity, stability, how well
features reveal a sensitive one (`proxy_auc`), how much of a gap runs through one feature (`gap_share`, of gaps beyond
chance), steps against a declared direction, and of reason codes how many decisions have all their reasons in words,
how many lose one that may not be given, and how often a direct method agrees. Where a number is of several columns or
groups all are held against the limit and the worst decides. `top` and `features` ask that none of the named features
(`sensitive`: the columns of the sensitive features; `proxies`: those that the model uses and that reveal one) is among
the first `top` by mean absolute contribution. `signs` asks that a contribution rises or falls with its feature
(`declared`: as `explain.directions` says): the rank correlation of the two has that sign. Where it is weaker than 0.3
either way the direction is not judged: insufficient.

How to read it: the finding lists each feature with its rank, its correlation or its number, a gap with the feature
that it mostly runs through, a sensitive feature with the columns that reveal it most. A feature that the model does not
have is named and counts as not leading it.

Strengths: one rule each for plain questions; ranks, signs and reasons can be asked for before the model exists.

Limits: contributions describe the model, not the world, and those of features that go together can be shared out in
other ways. They come from a sample of rows, and the number itself is compared, no interval. A sensitive feature that is
no input can still act through others that stand for it. Whether a sentence tells the applicant the true reason is for a
person to judge; only sentences that name no reason at all are recognised.

Source: Lundberg & Lee 2017, NeurIPS 30, for contributions that add up; the strength of 0.3 is ours (Cohen 1988 calls a
correlation of .30 medium); 12 CFR 1002.9(b)(2) with comment 5 for reasons and their selection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from govern.errors import nearest
from govern.evidence import Evidence, Measurement
from govern.metrics import METRICS
from govern.policy.asking import Answer, Documents, Question, always, limits_of, settled
from govern.policy.decide import Limits
from govern.policy.explained import NO_SENSITIVE, asked, not_there, proxies, sensitive_columns
from govern.policy.fields import Limit, MetricNames, Rule, RuleFields, check_limits
from govern.policy.groups import ROLES
from govern.policy.measured import named
from govern.policy.quantities import Rate, Score
from govern.verdict import Comparison, RuleOutcome, Settle
from govern.yamlcheck import ProblemAt

CLEAR = 0.3
RANK, DIRECTION = "attribution_rank", "attribution_direction"
# Judged by `top` and `signs`; every other number of an explanation by a limit.
NUMBERS = tuple(m.name for m in METRICS.values() if m.family == "explanation" and m.name not in (RANK, DIRECTION))
REVEALING = 3


class ExplanationFields(RuleFields):
    """What the explanation must show: a number within its limit, features that do not lead, directions."""

    kind: Literal["explanation"]
    metric: Annotated[
        str, MetricNames(("explanation",), "explanation", only=NUMBERS)
    ] | None = Field(None, description="a number of the explanation, held against min or max")
    min: Limit | None = Field(None, description="the least allowed value of metric: a number, or declared")
    max: Limit | None = Field(None, description="the greatest allowed value of metric: a number, or declared")
    top: int | None = Field(None, ge=1, description="how many of the first features none of `features` may be among")
    features: list[str] | Literal["sensitive", "proxies"] | None = Field(
        None, description="names of features; sensitive: the columns of the sensitive features; proxies: features that "
        "the model uses and that reveal a sensitive one; with top"
    )
    signs: dict[str, Literal["rises", "falls"]] | Literal["declared"] | None = Field(
        None, description="the expected direction of contributions by feature: {income: rises, debt: falls}; declared: "
        "those of explain.directions"
    )

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        asked = [name for name in ("metric", "top", "signs") if getattr(self, name) is not None]
        if len(asked) != 1:
            raise ValueError(f"needs exactly one of metric, top and signs, not {' and '.join(asked) or 'none'}; "
                             "write a rule for each")
        if self.metric is not None:
            check_limits(self.min, self.max, METRICS[self.metric].low, METRICS[self.metric].high)
        elif self.min is not None or self.max is not None:
            key = "max" if self.min is None else "min"
            raise ProblemAt(key, f"is for metric; remove it from a rule with {asked[0]}")
        if (self.features is not None) != (self.top is not None):
            raise ProblemAt("features" if self.top is None else "top", "top and features belong together; give both")
        if self.signs == {} or self.features == []:
            raise ProblemAt("signs" if self.signs == {} else "features", "names no feature; name at least one")
        return self


def questions(rule: Rule, documents: Documents) -> list[Question]:
    """One question; of proxies and of gaps one for each sensitive feature."""
    fields, evidence = rule.fields, documents.evidence
    metric = fields.metric or (RANK if fields.top else DIRECTION)
    found = [m for m in evidence.measurements if m.metric == metric]
    if not found:
        return [settled(*not_there(documents, metric), metric=metric)]
    if fields.metric is not None:
        limits = limits_of(rule, metric, evidence)
        if not limits.tails:
            return [settled("n/a", f"no limit is declared for {METRICS[metric].title}", metric=metric)]
        return [_number(metric, of, features, limits) for features, of in _by_features(evidence, found)]
    ranked = {named(m): m for m in found}
    return [_not_leading(rule, evidence, ranked) if fields.top else _directions(rule, evidence, ranked)]


def _by_features(evidence: Evidence, found: list[Measurement]) -> Iterator[tuple[tuple[str, ...], list[Measurement]]]:
    """The measurements of each sensitive feature that they speak of, of all together where they speak of none."""
    of: dict[tuple[str, ...], list[Measurement]] = {}
    for m in found:
        groups = evidence.groups_by_id
        features = m.features or (groups[m.group].features if m.group in groups else ())
        of.setdefault(features, []).append(m)
    yield from of.items()


def _number(metric: str, found: list[Measurement], features: tuple[str, ...], limits: Limits) -> Question:
    """One number, or several of which the worst decides; of how well features reveal a sensitive one that of all
    together, beside which the columns that reveal it most are named."""
    together = [m for m in found if m.slice is None]
    columns = [m for m in found if m.slice is not None] if metric == "proxy_auc" and together else []
    known = [m for m in (together if columns else found) if m.value is not None]
    if not known:
        why = f"{METRICS[metric].title}: {found[0].reason or found[0].status.replace('_', ' ')}"
        return settled("not_run", why, metric=metric, features=features)
    seen = [_compared(m, limits) for m in known]
    worst = min(seen, key=lambda c: limits.margin(c.value or 0.0))
    reason = "; ".join(filter(None, (worst.reason, _revealing(columns), *_unknown(found, columns)))) or None
    settle = Settle(worst.group, gap=-limits.margin(worst.value or 0.0)) if worst.outcome == "fail" else None
    answer = Answer(worst.outcome, reason, tuple(seen), worst, minimum=limits.minimum, maximum=limits.maximum,
                    decide="point", settle=settle)
    return Question(always(answer), metric, features)


def _compared(m: Measurement, limits: Limits) -> Comparison:
    counts = Rate(m.numerator, m.denominator) if m.numerator is not None and m.denominator else None
    outcome: RuleOutcome = "fail" if limits.excluded(counts or Score(m.value)) else "pass"
    through = f"mostly through {named(m)}" if m.reference is not None and m.slice is not None else None
    return Comparison(named(m) if m.reference is None else m.group, outcome, m.value, reference=m.reference,
                      n=int(counts.n) if counts else None, numerator=int(counts.x) if counts else None, reason=through)


def _revealing(columns: list[Measurement]) -> str | None:
    """The columns that reveal a sensitive feature most."""
    known = sorted((m for m in columns if m.value is not None), key=lambda m: (-(m.value or 0.0), named(m)))
    most = ", ".join(f"{named(m)} {m.value:.2f}" for m in known[:REVEALING])
    return f"most revealing: {most}" if most else None


def _unknown(found: list[Measurement], columns: list[Measurement]) -> Iterator[str]:
    """What is said of numbers that do not exist."""
    for m in found:
        if m.value is None and m not in columns:
            yield f"{named(m)}: {m.reason or m.status.replace('_', ' ')}"


def _not_leading(rule: Rule, evidence: Evidence, ranks: Mapping[str, Measurement]) -> Question:
    top, names = rule.fields.top, rule.fields.features
    if names == "proxies":
        revealing = proxies(evidence)
        if not revealing:
            why = "proxies were not looked for" if sensitive_columns(evidence) else NO_SENSITIVE
            return settled("n/a", why, metric=RANK) if revealing is None else \
                settled("pass", "no feature that the model uses reveals a sensitive one", metric=RANK)
        names = revealing
    names = sensitive_columns(evidence) if names == "sensitive" else names
    if not names:
        return settled("n/a", NO_SENSITIVE, metric=RANK)
    there, absent = _known(rule, ranks, names, "features")
    if not there:
        return settled("pass", absent or "")
    seen = []
    for name in there:
        rank = ranks[name].value
        outcome: RuleOutcome = "insufficient" if rank is None else "fail" if rank <= top else "pass"
        seen.append(Comparison(name, outcome, rank, reason=ranks[name].reason if rank is None else None))
    first = min(seen, key=lambda c: float("inf") if c.value is None else c.value)
    unknown = [c for c in seen if c.value is None]
    worst = unknown[0] if unknown and first.outcome != "fail" else first
    answer = Answer(worst.outcome, worst.reason or absent, tuple(seen), worst, len(unknown) == len(seen),
                    minimum=Decimal(top + 1), decide="point")
    return Question(always(answer), RANK)


def _directions(rule: Rule, evidence: Evidence, found: Mapping[str, Measurement]) -> Question:
    expected = asked(evidence, "directions") if rule.fields.signs == "declared" else rule.fields.signs
    if not expected:
        return settled("n/a", "no explain.directions were given", metric=DIRECTION)
    there, absent = _known(rule, found, list(expected), "signs")
    if not there:
        return settled("n/a", absent or "", metric=DIRECTION)
    rows = evidence.attributions.rows if evidence.attributions else None
    seen = [_direction(name, expected[name], found[name].value, rows) for name in there]
    order = ("fail", "insufficient", "pass")
    # The clearest against what was expected, else the least clear.
    worst = min(seen, key=lambda c: (order.index(c.outcome), abs(c.value or 0) * (-1 if c.outcome == "fail" else 1)))
    said = "; ".join(f"{c.group}: {c.reason}" for c in seen if c.outcome == worst.outcome and c.outcome != "pass")
    reason = "; ".join(filter(None, (said, absent))) or None
    presses = all(c.value is None for c in seen)
    answer = Answer(worst.outcome, reason, tuple(seen), worst, presses, decide="point")
    return Question(always(answer), DIRECTION)


def _direction(name: str, expected: str, value: float | None, rows: int | None) -> Comparison:
    if value is None or abs(value) < CLEAR:
        why = "it is no number, or constant" if value is None else "no clear direction"
        return Comparison(name, "insufficient", value, n=rows, reason=f"{why}, expected: {expected}")
    seen = "rises" if value > 0 else "falls"
    outcome: RuleOutcome = "pass" if seen == expected else "fail"
    return Comparison(name, outcome, value, n=rows, reason=f"{seen}, as expected" if outcome == "pass" else
                      f"{seen}, expected: {expected}")


def _known(rule: Rule, found: Mapping[str, Measurement], names: list[str], key: str) -> tuple[list[str], str | None]:
    """The names that are features of the model, and what is said of the others. Raises InputError for a slip."""
    there, given = [name for name in names if name in found], getattr(rule.fields, key)
    for i, name in enumerate(names):
        if name not in (*found, *ROLES) and not isinstance(given, str) and nearest(name, list(found)):
            place = (key, i) if isinstance(given, list) else (key,)
            raise rule.error(place, f'{key}: "{name}" is not a feature of the model', nearest(name, list(found)))
    absent = [name for name in names if name not in found]
    return there, f"not a feature of the model: {', '.join(absent)}" if absent else None
