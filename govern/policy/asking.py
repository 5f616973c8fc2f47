"""What a rule asks and what it gets: all questions first, so that the family is known, then the answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from govern.errors import InputError
from govern.evidence import OVERALL, Compute, Evidence
from govern.metrics import declarable, gap, own
from govern.policy.decide import Levels, Limits
from govern.policy.fields import DECLARED, PRIMARY, Relative, Rule
from govern.policy.quantities import Bound
from govern.policy.tasks import OF_SCORES, Asked, primary_of, row_of
from govern.verdict import Comparison, PolicyInfo, RuleOutcome, Settle, ToSign

NO_BASELINE = "no --baseline was given"


@dataclass(frozen=True)
class Item:
    """What a repeated rule speaks of: a group (`feature` and `name`), or an item of a card list (`value`)."""

    name: str
    feature: str = ""
    value: Any = None


@dataclass(frozen=True)
class Documents:
    """What is judged, and what it is held against.

    `baseline` is the evidence of the version in service, `policies` are those judged and `policy` the name of the one
    that asks, `lock` is the digest of a lock file given when judging. `settling`: answers say what would settle them.
    `item` is set for a repeated rule.
    """

    evidence: Evidence
    compute: Compute | None = None
    settling: bool = True
    baseline: Evidence | None = None
    today: date = date.min
    policies: tuple[PolicyInfo, ...] = ()
    policy: str = ""
    lock: str | None = None
    item: Item | None = None

    @property
    def rows(self) -> int:
        """Rows used."""
        return self.evidence.groups_by_id[OVERALL].n

    @property
    def scored(self) -> bool:
        """Whether there are scores, not labels only."""
        return any(
            m.metric in OF_SCORES and m.group == OVERALL and m.value is not None for m in self.evidence.measurements
        )


@dataclass(frozen=True)
class Answer:
    """The outcome of one question.

    `presses`: an insufficient that counts as REVIEW under lean. `applies` is False for an n/a that is no want of an
    input, so that `absent` says nothing about it. `to_sign` is what people must sign, `valid_until` the last day on
    which the answer holds.
    """

    outcome: RuleOutcome
    reason: str | None = None
    comparisons: tuple[Comparison, ...] = ()
    seen: Comparison | None = None
    presses: bool = False
    minimum: Bound | None = None
    maximum: Bound | None = None
    compare: str | None = None
    decide: str | None = None
    settle: Settle | None = None
    missing: tuple[str, ...] = ()
    applies: bool = True
    to_sign: ToSign | None = None
    valid_until: date | None = None


@dataclass(frozen=True)
class Question:
    """One metric of a rule for one feature or the whole sample; `answer` takes the size of the family.

    `uncertain`: decided by an interval, so that it counts in the family. `label`: the class of a multiclass task
    that is held against all others. `decision`: the decision column that is judged instead of the predictions.
    `each`: what a repeated rule, or one of several demands of a rule, speaks of.
    """

    answer: Callable[[int], Answer]
    metric: str | None = None
    features: tuple[str, ...] = ()
    uncertain: bool = False
    label: str | None = None
    decision: str | None = None
    each: str | None = None


def settled(
    outcome: RuleOutcome,
    reason: str,
    *,
    metric: str | None = None,
    features: tuple[str, ...] = (),
    presses: bool = False,
    label: str | None = None,
    decision: str | None = None,
    each: str | None = None,
    applies: bool = True,
) -> Question:
    """A question whose answer does not need the size of the family."""
    answer = Answer(outcome, reason, presses=presses, applies=applies)
    return Question(always(answer), metric, features, label=label, decision=decision, each=each)


def always(answer: Answer) -> Callable[[int], Answer]:
    """A function of the size of the family that gives this answer for every size."""
    return lambda _family: answer


def limits_of(rule: Rule, metric: str, evidence: Evidence, low: Bound | None = None,
              high: Bound | None = None) -> Limits:
    """The rule's limits, `declared` replaced by what the owner declared for `metric`, or for the gap in it where
    groups are compared (of the primary metric what stands beside it). A limit relative to the baseline adds to `low`
    (min) or `high` (max), the baseline's values; a side without such a value is open."""
    compares = rule.fields.kind == "disparity" and rule.fields.metric != PRIMARY
    name = gap(metric, rule.fields.compare) if compares else metric

    def side(limit: Decimal | str | Relative | None, end: str, reference: Bound | None) -> Bound | None:
        if isinstance(limit, Relative):
            return None if reference is None else Fraction(reference) + Fraction(limit.by)
        return limit if isinstance(limit, Decimal) else _declared(evidence, name, end) if limit == DECLARED else None

    return Limits(side(rule.minimum, "min", low), side(rule.maximum, "max", high))


def relative(rule: Rule) -> bool:
    """Whether a limit of the rule is relative to the baseline."""
    return isinstance(rule.minimum, Relative) or isinstance(rule.maximum, Relative)


def relative_text(rule: Rule) -> str | None:
    """What is said about limits relative to the baseline; None without any."""
    sides = [(side, limit.by) for side, limit in (("min", rule.minimum), ("max", rule.maximum))
             if isinstance(limit, Relative)]
    return ", ".join(f"{side}: that of the baseline {by:+f}" for side, by in sides) or None


def check_primary(rule: Rule, metric: Asked, low: float | None, high: float | None) -> None:
    """Raises InputError for a written limit of the declared primary metric that lies outside `low` to `high`: only
    now is it known which metric that is."""
    for key, limit in (("min", rule.minimum), ("max", rule.maximum)):
        if metric.primary and isinstance(limit, Decimal) \
                and ((low is not None and limit < Decimal(low)) or (high is not None and limit > Decimal(high))):
            raise rule.error((key,), f'"{key}": limit {limit} lies outside the range of {metric.name}, '
                             f"{'−∞' if low is None else f'{low:g}'} to {'∞' if high is None else f'{high:g}'}",
                             "write shares as fractions, 0.8 for 80 %")


def _declared(evidence: Evidence, name: str, side: str) -> Decimal | None:
    """A declared limit of a metric or a gap: `{name: {min: …}}`, `primary: {metric: …, min: …}`, or a bare number,
    which limits it on its worse side. Raises InputError for one that can never decide."""
    low, high, worse = declarable(own(evidence.settings))[name]
    value: Any = evidence.declared.get(name)
    primary = primary_of(evidence)
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = {worse: value}
    elif not isinstance(value, dict):
        value = primary if primary.get("metric") == name else {}
    limit = value.get(side)
    if not isinstance(limit, int | float) or isinstance(limit, bool):
        return None
    if (low is not None and limit < low) or (high is not None and limit > high):
        raise InputError(f"declared {side} {limit:g} of {name} lies outside its range", where="evidence",
                         fix="declare shares as fractions, 0.8 for 80 %, and measure again")
    return exact(limit)


def exact(number: float) -> Decimal:
    """The shortest decimal that reads back as `number`: 50 for 50.0, 0.75 for 0.75."""
    return Decimal(int(number)) if number == int(number) else Decimal(repr(number))


def levels_of(rule: Rule, comparisons: int, tails: int, family: int) -> Levels:
    """The rule's errors; that of a fail is corrected for tails × comparisons, and for the family if asked."""
    error = rule.fields.error if rule.fields.error is not None else rule.terms.error
    scope = rule.fields.family or rule.terms.family
    return Levels(error, error / (max(1, comparisons) * max(1, tails) * (family if scope == "policy" else 1)))


def calibrates(rule: Rule) -> bool:
    """Whether the levels of rates are to be proved for their sizes; never of a kind that has no error to prove."""
    own = getattr(rule.fields, "calibrate", False)
    return bool(own if own is not None else rule.terms.calibrate)


def in_family(rule: Rule) -> bool:
    """Whether the rule's questions count in the family of its policy."""
    return bool(rule.fields.decide == "interval" and (rule.fields.family or rule.terms.family) == "policy")


def not_there(metric: Asked, features: tuple[str, ...] = ()) -> Question:
    """The answer where the task has no such metric: it does not apply, unless the owner promised it."""
    outcome: RuleOutcome = "not_run" if metric.primary else "n/a"
    return settled(outcome, metric.absent or "", metric=metric.name, features=features)


def not_measured(rule: Rule, metric: Asked, documents: Documents, features: tuple[str, ...] = ()) -> Question:
    """The answer where the evidence lacks a metric. Without scores a metric of the score does not exist, unless
    the owner declared it: what was promised and not measured was not run."""
    declared = metric.primary or DECLARED in (rule.minimum, rule.maximum)
    where: Any = {"metric": metric.name, "features": features, "label": metric.label}
    if metric.name in OF_SCORES and not documents.scored and not declared:
        return settled("n/a", "there are no scores, only predicted labels", **where)
    return settled("not_run", f"{row_of(metric.name, documents.evidence).title} was not measured", **where)
