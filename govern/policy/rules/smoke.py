"""Smoke checks: the model loads and answers as a model must.

How it is computed: the model was loaded and asked in a process of its own when measuring. Each check has a number and a
limit: it loads; one output for each row; outputs are finite; probabilities lie in 0 to 1 and sum to 1 within 1e-6; the
same rows twice, and in a batch or singly, give the same output; the output is not constant.

How to read it: a fail is a defect of the artefact or of how it was packed, whatever its metrics. Check it by hand
before anything else.

Strengths: cheap, exact, and independent of labels and groups.

Limits: it asks the rows at hand, not every possible input. Without a model (stored predictions) the checks do not
apply, but for the constant output.

Source: none; common practice of release tests.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from pydantic import Field

from govern.evidence import OVERALL, SmokeCheck
from govern.metrics import METRICS
from govern.policy.asking import Answer, Documents, Question, exact, settled
from govern.policy.fields import MetricNames, Rule, RuleFields
from govern.verdict import Comparison, RuleOutcome


class SmokeFields(RuleFields):
    """Smoke checks: the model loads and answers as a model must."""

    kind: Literal["smoke"]
    checks: Annotated[list[str], MetricNames(("smoke",), "smoke")] = Field(
        min_length=1, description="the checks that must have passed"
    )


def questions(rule: Rule, documents: Documents) -> list[Question]:
    """One question for each check."""
    run = {check.metric: check for check in documents.evidence.smoke}
    asked = []
    for name in rule.fields.checks:
        check = run.get(name)
        if check is not None and check.passed is not None:
            asked.append(Question(partial(_judge, check), name))
        elif documents.evidence.model is None:
            asked.append(settled("n/a", "predictions only, there is no model to call", metric=name))
        elif name == "smoke_probability" and not documents.scored:
            regression = documents.evidence.task == "regression"
            why = "a regression has no probabilities" if regression else "the model gives labels only"
            asked.append(settled("n/a", why, metric=name))
        else:
            why = check.reason if check is not None and check.reason else "the check was not run"
            asked.append(settled("not_run", why, metric=name))
    return asked


def _judge(check: SmokeCheck, _family: int) -> Answer:
    outcome: RuleOutcome = "pass" if check.passed else "fail"
    seen = Comparison(OVERALL, outcome, check.seen, reason=check.reason)
    limit = exact(check.limit)
    least = METRICS[check.metric].better == "higher"
    return Answer(
        outcome,
        check.reason,
        (seen,),
        seen,
        minimum=limit if least else None,
        maximum=None if least else limit,
        decide="point",
    )
