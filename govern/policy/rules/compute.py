"""What the model costs to run, held against a limit: latency, memory, file size.

How it is computed: the numbers stand in `compute.json`, measured in the process that ran the model; the value itself is
compared with the limit.

How to read it: they depend on the machine and the minute, which the document describes; compare with limits made for
such a machine.

Strengths: timings never mix with the facts, which stay the same to the byte.

Limits: one machine, one run; no interval. Without a compute document the rule does not apply.

Source: none; limits are declared by the owner.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from govern.evidence import OVERALL
from govern.metrics import METRICS
from govern.policy.asking import Answer, Documents, Question, limits_of, settled
from govern.policy.decide import Limits
from govern.policy.fields import Limit, MetricNames, Rule, RuleFields, as_list, check_limits
from govern.policy.quantities import Score
from govern.verdict import Comparison, RuleOutcome


class ComputeFields(RuleFields):
    """What the model costs to run, held against a limit: latency, memory, file size."""

    kind: Literal["compute"]
    metric: Annotated[str | list[str], MetricNames(("compute",), "compute")] = Field(
        description="a metric of the compute document, or a list"
    )
    min: Limit | None = Field(None, description="the least allowed value: a number, or declared")
    max: Limit | None = Field(None, description="the greatest allowed value: a number, or declared")

    @model_validator(mode="after")
    def _limited(self) -> Self:
        check_limits(self.min, self.max, 0.0, None)
        return self


def questions(rule: Rule, documents: Documents) -> list[Question]:
    """One question for each metric; the estimate decides, because it depends on machine and minute."""
    asked = []
    for name in as_list(rule.fields.metric):
        limits = limits_of(rule, name, documents.evidence)
        found = documents.compute.find(name) if documents.compute else None
        if not limits.tails:
            asked.append(settled("n/a", f"no limit is declared for {METRICS[name].title}", metric=name))
        elif documents.compute is None:
            asked.append(settled("n/a", "compute was not measured", metric=name))
        elif found is None or found.value is None:
            why = found.reason if found is not None and found.reason else "was not measured"
            asked.append(settled("not_run", f"{METRICS[name].title}: {why}", metric=name))
        else:
            asked.append(Question(partial(_judge, found.value, limits), name))
    return asked


def _judge(value: float, limits: Limits, _family: int) -> Answer:
    outcome: RuleOutcome = "fail" if limits.excluded(Score(value)) else "pass"
    seen = Comparison(OVERALL, outcome, value)
    return Answer(outcome, None, (seen,), seen, minimum=limits.minimum, maximum=limits.maximum, decide="point")
