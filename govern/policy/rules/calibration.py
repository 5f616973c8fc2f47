"""The calibration error of the whole sample, or of every group of `by`, held against a maximum: do scores of 0.3 come
true in about 30 of 100 cases?

How it is computed: rows are sorted by score into at most 15 bins of equal mass; the error is the root of the mean
squared gap between mean score and observed rate, the part that chance alone explains taken off. Its square is treated
as normal. It leans outside only where a chi-square test over the same bins rejects perfect calibration.

How to read it: 0.05 is a gap of 5 points in the root mean square. Insufficient with an estimate above the maximum is
common in small samples and says nothing against the model.

Strengths: unlike the plain calibration error of 15 bins, which exceeds .05 in most samples of 300 from a perfectly
calibrated model, it does not grow as samples shrink.

Limits: gaps that cancel within a bin are not seen; scores that are no probabilities should not be judged by it. What
is calibrated over all rows need not be in each group: ask with `by`.

Source: Kumar, Liang & Ma 2019, NeurIPS 32, for taking chance off; the maximum is the policy's.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from govern.policy.asking import Documents, Question
from govern.policy.fields import LimitFields, RelativeLimit, Rule, check_limits
from govern.policy.rules import bound


class CalibrationFields(LimitFields):
    """The calibration error of the whole sample, or of every group of `by`, held against a maximum."""

    kind: Literal["calibration"]
    metric: Literal["calibration_error"] = Field("calibration_error", description="the metric; need not be given")
    min: None = Field(None, description="not used by this kind")
    max: RelativeLimit = Field(description="the greatest allowed value: a number, declared, or {baseline: 0.02}")
    calibrate: None = Field(None, description="not used by this kind")
    by: list[str] = Field(
        default_factory=list, description="features whose groups are judged; omitted: the whole sample"
    )
    missing: Literal["show", "include"] | None = Field(
        None, description="show: groups with a missing value are not judged; include: like any other"
    )

    @model_validator(mode="after")
    def _limited(self) -> Self:
        check_limits(None, self.max, 0.0, 1.0)
        return self


def questions(rule: Rule, documents: Documents) -> list[Question]:
    """One question, or one for each feature of `by`; the test of perfect calibration comes with the number."""
    return bound.questions(rule, documents)
