"""How the output moves with a feature: partial dependence, by group, held against the direction that is expected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from govern.evidence import OVERALL, Measurement
from govern.explain.explained import ExplainedRows, Floats
from govern.explain.varied import Answers, Points, features_of, points, varied
from govern.explanations import Shape, ShapeLine
from govern.inputs.labels import Target

SHOWN: Final = 6
DECLARED: Final = 30
POINTS: Final = 12
GROUPS: Final = 12
GROUP_ROWS: Final = 20
LEAST_ROWS: Final = 50
CLASSES: Final = 3
EVALUATIONS: Final = 20_000
# A step below this share of the range of the answers is rounding: libraries add in single precision.
FLAT: Final = 1e-6
NO_NUMBERS: Final = "it holds no numbers"
SEVERAL: Final = "no class is the favourable one, so that the direction speaks of none"
NO_SHAPE: Final = "it has one value only, or the answers to its other values are not finite"


def shapes(rows: ExplainedRows, ask: Answers, order: Sequence[str], directions: Mapping[str, str], target: Target, *,
           evaluations: int = EVALUATIONS) -> tuple[Shape, ...]:
    """The shapes of the first 6 features of `order` (by falling contribution) and of those with a declared direction.

    A shape sets the feature of each row to 12 values that rows have, numbers or the most frequent levels, and takes
    the mean of the model's answers over everyone and over each of the 12 largest groups with at least 20 of the rows.
    It takes `evaluations` answers, by which the rows, the first of the sample, follow; at least 50. With several
    classes it speaks of the favourable one, else of the 3 most often predicted.
    Source: Friedman 2001, Ann. Statist. 29:1189–1232, section 8.2; Goldstein et al. 2015, J. Comput. Graph. Stat.
    24:44–65, for the single rows whose steps are held against the direction.
    """
    declared = [name for name in order if name in directions][:DECLARED]
    wanted = [name for name in order if name in (*order[:SHOWN], *declared)]
    every = np.arange(rows.n)
    known = {name: points(rows, name, every, POINTS, missing=False) for name in wanted}
    wanted = [name for name in wanted if len(known[name].at) > 1]
    if not wanted:
        return ()
    n = min(rows.n, max(LEAST_ROWS, evaluations // sum(len(known[name].at) for name in wanted)))
    base = every[:n]
    changes = [(name, known[name].at) for name in wanted]
    lines = _Lines(rows, base)
    outputs = _outputs(rows, target)
    found: list[Shape] = []
    for (name, _), answer in zip(changes, varied(features_of(rows), base, changes, ask), strict=True):
        if np.isfinite(answer).all():
            found += [_shape(name, known[name], answer[:, :, place], lines, ask.unit, directions.get(name),
                             rows.outputs[place].label, len(outputs) == 1) for place in outputs]
    return tuple(found)


def measurements(found: Sequence[Shape], directions: Mapping[str, str]) -> Iterator[Measurement]:
    """shape_violation_share of each feature with a declared direction: the share of the steps that go against it."""
    of = {shape.feature: shape for shape in found}
    for name in directions:
        shape, what = of.get(name), f"column: {name}"
        if shape is not None and shape.against is not None:
            yield Measurement("shape_violation_share", shape.against, numerator=round(shape.against * shape.steps),
                              denominator=shape.steps, slice=what)
        else:
            why = NO_SHAPE if shape is None else SEVERAL if shape.numeric else NO_NUMBERS
            yield Measurement("shape_violation_share", None, "undefined", why, slice=what)


@dataclass(frozen=True)
class _Lines:
    """Whose means are taken over the rows `base`."""

    rows: ExplainedRows
    base: NDArray[np.int64]

    def of(self, answer: Floats) -> tuple[ShapeLine, ...]:
        """The mean answers (n_points, n_rows) of everyone and of the larger groups."""
        weight = None if self.rows.weight is None else self.rows.weight[self.base]
        sizes = {id: int(member[self.base].sum()) for id, member in self.rows.groups.items()}
        shown = sorted((id for id, n in sizes.items() if n >= GROUP_ROWS), key=lambda id: -sizes[id])[:GROUPS]
        members = {OVERALL: np.ones(len(self.base), bool), **{id: m[self.base] for id, m in self.rows.groups.items()
                                                             if id in shown}}
        return tuple(ShapeLine(id, int(m.sum()), tuple(_means(answer[:, m], None if weight is None else weight[m])))
                     for id, m in members.items())


def _means(answer: Floats, weight: Floats | None) -> list[float]:
    # Not as a matrix product: that may depend on the number of threads.
    found = answer.mean(axis=1) if weight is None else (weight * answer).sum(axis=1) / weight.sum()
    return [float(y) for y in found]


def _shape(name: str, at: Points, answer: Floats, lines: _Lines, unit: str, expected: str | None, label: str | None,
           only: bool) -> Shape:
    steps, against = 0, None
    if expected is not None and at.numeric and only:
        step = np.diff(answer, axis=0) * (1 if expected == "rises" else -1)
        steps = step.size
        against = float((step < -FLAT * max(1e-300, float(np.ptp(answer)))).sum() / steps)
    return Shape(name, at.numeric, at.texts, lines.of(answer), unit, expected, against, label, steps)


def _outputs(rows: ExplainedRows, target: Target) -> list[int]:
    """The places of the outputs that shapes speak of."""
    labels = [output.label for output in rows.outputs]
    if len(labels) == 1:
        return [0]
    if target.favourable in labels:
        return [labels.index(target.favourable)]
    first = np.bincount(np.argmax(np.column_stack([o.outputs for o in rows.outputs]), axis=1), minlength=len(labels))
    return sorted(sorted(range(len(labels)), key=lambda i: (-first[i], i))[:CLASSES])
