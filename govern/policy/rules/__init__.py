"""The rule kinds: each a module with its fields and its questions, and one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from govern.policy.asking import Documents, Question
from govern.policy.fields import Rule, RuleFields
from govern.policy.rules import (
    attest,
    bound,
    calibration,
    compare,
    compute,
    data,
    disparity,
    document,
    drift,
    explanation,
    four_fifths,
    fresh,
    integrity,
    smoke,
    support,
    table,
)


@dataclass(frozen=True)
class Kind:
    """A rule kind: the fields its rules may have, and the questions one asks of the documents. `swept`: it can be
    judged at other thresholds, from the counts of groups alone."""

    fields: type[RuleFields]
    questions: Callable[[Rule, Documents], list[Question]]
    swept: bool = False


KINDS: dict[str, Kind] = {
    "bound": Kind(bound.BoundFields, bound.questions, swept=True),
    "disparity": Kind(disparity.DisparityFields, disparity.questions, swept=True),
    "four-fifths": Kind(four_fifths.FourFifthsFields, four_fifths.questions, swept=True),
    "support": Kind(support.SupportFields, support.questions),
    "calibration": Kind(calibration.CalibrationFields, calibration.questions),
    "compare": Kind(compare.CompareFields, compare.questions),
    "explanation": Kind(explanation.ExplanationFields, explanation.questions),
    "smoke": Kind(smoke.SmokeFields, smoke.questions),
    "document": Kind(document.DocumentFields, document.questions),
    "table": Kind(table.TableFields, table.questions),
    "compute": Kind(compute.ComputeFields, compute.questions),
    "data": Kind(data.DataFields, data.questions),
    "drift": Kind(drift.DriftFields, drift.questions),
    "attest": Kind(attest.AttestFields, attest.questions),
    "fresh": Kind(fresh.FreshFields, fresh.questions),
    "integrity": Kind(integrity.IntegrityFields, integrity.questions),
}
