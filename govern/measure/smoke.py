"""Smoke checks: does the model load, and does it answer as a model must."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from govern.evidence import Measurement, SmokeCheck

BATCH_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Seen:
    """What prediction showed: rows sent and answered, outputs that were not finite, rows with invalid
    probabilities (None without probabilities), distinct outputs counted to 2, and the largest differences
    between two predictions of the same rows and between a batch and single rows (of numbers a and b, where the
    model predicts `numbers`, |a − b| / max(1, |a|))."""

    rows_sent: int
    rows_answered: int
    not_finite: int
    invalid_rows: int | None
    distinct: int
    repeat_difference: float | None
    batch_difference: float | None
    numbers: bool = False


def checks(seen: Seen) -> tuple[SmokeCheck, ...]:
    """All smoke checks of a model that was loaded and called."""
    return tuple(_checks(seen))


def _checks(seen: Seen) -> Iterable[SmokeCheck]:
    yield SmokeCheck("smoke_loads", True, 1.0, 1.0)
    gap = seen.rows_sent - seen.rows_answered
    yield SmokeCheck("smoke_shape", gap == 0, float(gap), 0.0)
    yield SmokeCheck("smoke_finite", seen.not_finite == 0, float(seen.not_finite), 0.0)
    if seen.invalid_rows is None:
        why = "the model predicts numbers" if seen.numbers else "the model gives labels only"
        yield SmokeCheck("smoke_probability", None, None, 0.0, why)
    else:
        yield SmokeCheck("smoke_probability", seen.invalid_rows == 0, float(seen.invalid_rows), 0.0)
    for metric, value, limit in (("smoke_repeatable", seen.repeat_difference, 0.0),
                                 ("smoke_batch", seen.batch_difference, BATCH_TOLERANCE)):
        if value is None:
            yield SmokeCheck(metric, None, None, limit, "not measured")
        else:
            yield SmokeCheck(metric, value <= limit, value, limit)
    yield SmokeCheck("smoke_constant", seen.distinct > 1, float(seen.distinct), 2.0)


def constant_only(distinct: int) -> tuple[SmokeCheck, ...]:
    """The one check that stored predictions allow without a model."""
    return (SmokeCheck("smoke_constant", distinct > 1, float(distinct), 2.0),)


def measurements(found: tuple[SmokeCheck, ...]) -> Iterable[Measurement]:
    """The checks as measurements, so that a rule can judge them like any other number."""
    for check in found:
        if check.seen is None:
            yield Measurement(check.metric, None, "error", check.reason)
        else:
            yield Measurement(check.metric, check.seen)
