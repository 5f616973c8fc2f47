"""What the explanation of the model must show: that it adds up, that certain features do not lead it, that features
point where they are expected to.

How it is computed: `metric` holds a number of the explanation against `min` or `max`. `top` and `features` ask that
none of the named features (`sensitive`: the columns of the sensitive features) is among the first `top` by mean
absolute contribution. `signs` asks that a contribution rises or falls with its feature: the rank correlation of the
two has that sign. Where it is weaker than 0.3 either way the direction is not judged: insufficient.

How to read it: the finding lists each feature with its rank or its correlation. A feature that the model does not have
is named and counts as not leading it.

Strengths: one rule each for three plain questions; ranks and signs can be asked for before the model exists.

Limits: contributions describe the model, not the world, and those of features that go together can be shared out in
other ways. They come from a sample of rows, and no interval is drawn around a rank. A sensitive feature that is no
input can still act through others that stand for it.

Source: Lundberg & Lee 2017, NeurIPS 30, for contributions that add up; the strength of 0.3 is ours (Cohen 1988 calls a
correlation of .30 medium).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from govern.errors import nearest
from govern.evidence import Evidence, Measurement
from govern.metrics import METRICS
from govern.policy.asking import Answer, Documents, Question, always, limits_of, settled
from govern.policy.decide import Limits
from govern.policy.fields import Limit, MetricNames, Rule, RuleFields, check_limits
from govern.policy.groups import ROLES
from govern.policy.measured import named
from govern.policy.quantities import Score
from govern.policy.tasks import setting
from govern.verdict import Comparison, RuleOutcome, Settle
from govern.yamlcheck import ProblemAt

CLEAR = 0.3
RANK, DIRECTION = "attribution_rank", "attribution_direction"


class ExplanationFields(RuleFields):
    """What the explanation must show: a number within its limit, features that do not lead, directions."""

    kind: Literal["explanation"]
    metric: Annotated[
        str, MetricNames(("explanation",), "explanation", only=("attribution_residual", "proxy_auc"))
    ] | None = Field(None, description="attribution_residual or proxy_auc, held against min or max")
    min: Limit | None = Field(None, description="the least allowed value of metric: a number, or declared")
    max: Limit | None = Field(None, description="the greatest allowed value of metric: a number, or declared")
    top: int | None = Field(None, ge=1, description="how many of the first features none of `features` may be among")
    features: list[str] | Literal["sensitive"] | None = Field(
        None, description="names of features, or sensitive: the columns of the sensitive features; with top"
    )
    signs: dict[str, Literal["rises", "falls"]] | None = Field(
        None, description="the expected direction of contributions by feature: {income: rises, debt: falls}"
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
    """One question; of proxies one for each sensitive feature."""
    fields = rule.fields
    metric = fields.metric or (RANK if fields.top else DIRECTION)
    found = [m for m in documents.evidence.measurements if m.metric == metric and m.reference is None]
    if not found:
        return [settled(*_not_there(documents, metric), metric=metric)]
    if fields.metric is not None:
        return _numbers(rule, documents.evidence, metric, found)
    of = {named(m): m for m in found}
    return [_not_leading(rule, documents.evidence, of) if fields.top else _directions(rule, documents.evidence, of)]


def _not_there(documents: Documents, metric: str) -> tuple[RuleOutcome, str]:
    evidence = documents.evidence
    if evidence.model is None:
        return "n/a", "predictions only, there is no model to explain"
    if metric == "proxy_auc":
        return "n/a", f"{METRICS[metric].title} is not measured by this version"
    if evidence.attributions is None:
        if evidence.task != "binary":
            return "n/a", f"the model of a {evidence.task} task was not explained"
        if not documents.scored:
            return "n/a", "the model gives labels only, which have no contributions"
    return "not_run", f"{METRICS[metric].title} was not measured"


def _numbers(rule: Rule, evidence: Evidence, metric: str, found: list[Measurement]) -> list[Question]:
    limits = limits_of(rule, metric, evidence)
    if not limits.tails:
        return [settled("n/a", f"no limit is declared for {METRICS[metric].title}", metric=metric)]
    asked = []
    for m in found:
        if m.value is None:
            why = f"{METRICS[metric].title}: {m.reason or m.status.replace('_', ' ')}"
            asked.append(settled("not_run", why, metric=metric, features=m.features))
        else:
            asked.append(Question(partial(_number, named(m), m.value, limits), metric, m.features))
    return asked


def _number(name: str, value: float, limits: Limits, _family: int) -> Answer:
    outcome: RuleOutcome = "fail" if limits.excluded(Score(value)) else "pass"
    seen = Comparison(name, outcome, value)
    settle = Settle(name, gap=-limits.margin(value)) if outcome == "fail" else None
    return Answer(outcome, None, (seen,), seen, minimum=limits.minimum, maximum=limits.maximum, decide="point",
                  settle=settle)


def sensitive_columns(evidence: Evidence) -> list[str]:
    """The columns of the sensitive features, from the settings."""
    given = setting(evidence, "sensitive")
    found: list[str] = []
    for item in given if isinstance(given, list | tuple) else ():
        if isinstance(item, Mapping):
            found += [str(v["column"]) if isinstance(v, Mapping) and "column" in v else str(k) for k, v in item.items()]
        elif isinstance(item, str) and ":" not in item:
            found.append(item)
    return found


def _not_leading(rule: Rule, evidence: Evidence, ranks: Mapping[str, Measurement]) -> Question:
    top, wanted = rule.fields.top, rule.fields.features
    names = sensitive_columns(evidence) if wanted == "sensitive" else wanted
    if not names:
        return settled("n/a", "no sensitive feature was given", metric=RANK)
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
    there, absent = _known(rule, found, list(rule.fields.signs), "signs")
    if not there:
        return settled("n/a", absent or "", metric=DIRECTION)
    rows = evidence.attributions.rows if evidence.attributions else None
    seen = [_direction(name, rule.fields.signs[name], found[name].value, rows) for name in there]
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
        if name not in (*found, *ROLES) and given != "sensitive" and nearest(name, list(found)):
            place = (key, i) if isinstance(given, list) else (key,)
            raise rule.error(place, f'{key}: "{name}" is not a feature of the model', nearest(name, list(found)))
    absent = [name for name in names if name not in found]
    return there, f"not a feature of the model: {', '.join(absent)}" if absent else None
