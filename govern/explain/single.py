"""What is asked of the explained rows about single decisions and single features: reasons, rows, shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from govern.evidence import Measurement
from govern.explain import reasons, shape
from govern.explain.explained import ExplainedRows
from govern.explain.local import Chosen, local
from govern.explain.reference import reference
from govern.explain.varied import Answers
from govern.explanations import Local, ReasonCodes, Shape
from govern.inputs.labels import Target
from govern.inputs.settings import ExplainSettings


@dataclass(frozen=True)
class Single:
    """What was found; `measurements` are what rules may judge of it."""

    reason_codes: ReasonCodes | None
    locals: tuple[Local, ...]
    shapes: tuple[Shape, ...]
    measurements: tuple[Measurement, ...]


def single(rows: ExplainedRows, ask: Answers, order: Sequence[str], settings: ExplainSettings, target: Target,
           chosen: Chosen | None = None) -> Single:
    """Reason codes, local explanations and shapes of the explained rows.

    `order` are the features by falling contribution, `chosen` the rows that were asked for, explained against the same
    background. The model is asked for about 30,000 answers, the same on every machine. Raises InputError where it
    fails.
    """
    compared = reference(rows, target, settings.background)
    codes = None if compared is None else reasons.reason_codes(rows, compared, settings, ask)
    shapes = shape.shapes(rows, ask, order, settings.directions, target)
    measured = (*reasons.measurements(codes, settings), *shape.measurements(shapes, settings.directions))
    return Single(codes, local(rows, compared, settings, target, chosen), shapes, measured)
