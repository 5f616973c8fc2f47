"""At least one sensitive feature with two groups large enough to compare: can any question about groups be answered?

How it is computed: for each single sensitive feature the groups with at least `min_n` rows are counted, those with a
missing or unknown value left aside. Two in one feature are a pass.

How to read it: a fail says which groups were too small, missing or without rows. It is no reproach to the model; the
other rules about groups then say little or nothing.

Strengths: leaving sensitive columns out cannot make a verdict greener.

Limits: it counts rows, not rows with a given label; a rate with few rows in its denominator can still be undecided.

Source: none; the number is the policy's.
"""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Literal

from pydantic import Field

from govern.evidence import OVERALL
from govern.policy.asking import Answer, Documents, Question
from govern.policy.fields import Rule, RuleFields
from govern.policy.groups import joined, left_out
from govern.verdict import Comparison


class SupportFields(RuleFields):
    """At least one sensitive feature with two groups large enough to compare."""

    kind: Literal["support"]
    min_n: int | None = Field(None, ge=1, description="rows that make a group large enough")


def questions(rule: Rule, documents: Documents) -> list[Question]:
    """One question for the whole evidence."""
    return [Question(partial(_judge, rule, documents), "support")]


def _judge(rule: Rule, documents: Documents, _family: int) -> Answer:
    least = rule.fields.min_n if rule.fields.min_n is not None else rule.terms.min_n
    evidence = documents.evidence
    single = {features: groups for features, groups in evidence.feature_groups.items() if len(features) == 1}
    most = max((sum(g.n >= least and not g.missing for g in groups) for groups in single.values()), default=0)
    outcome: Literal["pass", "fail"] = "pass" if most >= 2 else "fail"
    reason = None if single else "no sensitive feature was given"
    if single and outcome == "fail":
        apart = [f"{f[0]}: {said}" for f in single if (said := left_out(rule, evidence, f))]
        reason = joined(f"no sensitive feature has two groups of at least {least} rows", "; ".join(apart) or None)
    seen = Comparison(OVERALL, outcome, float(most), n=documents.rows)
    return Answer(outcome, reason, (seen,), seen, minimum=Decimal(2), decide="point")
