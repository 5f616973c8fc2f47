"""The calibration error of the whole sample, or of every group of `by`, held against a maximum.

It leans outside only when perfect calibration itself is rejected: even a perfectly calibrated model shows
some error in a small sample.
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
