"""Groups whose rows are explained otherwise than all others' rows, as far as they survive false-discovery control."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from govern.explain.explained import ExplainedRows, sizes
from govern.explain.sampling import by_person
from govern.explanations import AttributionDifference
from govern.stats.equal_means import student_p
from govern.stats.subgroups import q_values

LEAST: Final = 30
LISTED: Final = 100
SIZE, DIRECTION = "size", "direction"

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Compared:
    """The differences that survived, the most certain first and at most 100; how many survived and how many
    comparisons there were, and the groups that were too small to be compared."""

    listed: tuple[AttributionDifference, ...]
    survived: int
    comparisons: int
    small: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Test:
    feature: str
    group: str
    what: str
    label: str | None
    value: float
    se: float
    free: float
    p: float


def differences(rows: ExplainedRows, groups: Sequence[Sequence[str]], level: float) -> Compared:
    """Each group of each of `groups` (ids of the groups of one sensitive feature or intersection) against all other
    explained rows: mean |contribution| (size) and mean contribution (direction) of every feature.

    Of two groups only the smaller is compared, the other being its mirror; a group needs 30 explained rows, and as
    many outside it. Those are listed whose q-value over all comparisons is at most 1 − `level`; their intervals are
    wide enough for such a choice. In a task of several classes sizes are means over the classes, directions of each.
    Source: Benjamini & Hochberg 1995, JRSS B 57:289–300; Benjamini & Yekutieli 2005, JASA 100:71–81, for the intervals.
    """
    members, small = _members(rows, groups)
    tests = [t for group, mask in members.items() for t in _tests(rows, group, mask)]
    if not tests:
        return Compared((), 0, 0, small)
    q = q_values(np.array([t.p for t in tests])).tolist()
    chosen = sorted((i for i in range(len(tests)) if q[i] <= 1 - level),
                    key=lambda i: (q[i], tests[i].p, -abs(tests[i].value) / tests[i].se, i))
    alpha = (1 - level) * len(chosen) / len(tests)
    listed = []
    for i in chosen[:LISTED]:
        t = tests[i]
        reach = student_quantile(alpha, t.free) * t.se
        listed.append(AttributionDifference(t.feature, t.group, t.what, t.value, t.value - reach, t.value + reach, t.p,
                                            q[i], t.label))
    return Compared(tuple(listed), len(chosen), len(tests), small)


def _members(rows: ExplainedRows, groups: Sequence[Sequence[str]]) -> tuple[dict[str, Mask], tuple[str, ...]]:
    members: dict[str, Mask] = {}
    small: list[str] = []
    for ids in groups:
        known = [(g, rows.groups[g]) for g in ids if g in rows.groups]
        if len(known) == 2:
            known = [min(known, key=lambda item: int(item[1].sum()))]
        for g, mask in known:
            n = int(mask.sum())
            if min(n, len(mask) - n) < LEAST:
                small.append(g)
            else:
                members[g] = mask
    return members, tuple(small)


def _tests(rows: ExplainedRows, group: str, mask: Mask) -> Iterator[_Test]:
    asked: list[tuple[str, str | None, Floats]] = [(SIZE, None, sizes(rows.outputs))]
    asked += [(DIRECTION, o.label, o.values) for o in rows.outputs]
    for what, label, x in asked:
        value, se, free = _apart(x, mask, rows.weight, rows.cluster)
        for j, feature in enumerate(rows.features):
            if se[j] > 0:  # a feature without contributions differs nowhere
                yield _Test(feature, group, what, label, float(value[j]), float(se[j]), float(free[j]),
                            _p_value(abs(value[j]) / se[j], free[j]))


def _apart(x: Floats, mask: Mask, weight: Floats | None, cluster: NDArray[np.uint64] | None
           ) -> tuple[Floats, Floats, Floats]:
    """Mean of the rows of the group less that of all others, its standard error and degrees of freedom, (k,) each.

    The error is the larger of Welch's and of one with the spread of everyone, as in `stats.equal_means`: of skewed
    contributions a group may happen to hold none or much of the long tail.
    """
    w: Floats = np.ones(len(x)) if weight is None else weight
    means, variances, free = [], [], []
    everyone = x - (w[:, None] * x).sum(axis=0) / w.sum()
    for side in (mask, ~mask):
        own, persons = w[side], None if cluster is None else cluster[side]
        total = float(own.sum())
        mean = (own[:, None] * x[side]).sum(axis=0) / total
        each = by_person(own[:, None], persons)[:, 0]
        spare = total - float((each * each).sum()) / total
        if not spare > 1e-12 * total:  # all of one person
            return np.zeros(x.shape[1]), np.zeros(x.shape[1]), np.ones(x.shape[1])
        apart = by_person(own[:, None] * (x[side] - mean), persons)
        means.append(mean)
        variances.append((apart * apart).sum(axis=0) / spare / total)
        free.append(total * total / float((each * each).sum()) - 1)
    units = by_person(w[:, None] * everyone, cluster)
    each = by_person(w[:, None], cluster)[:, 0]
    spread = (units * units).sum(axis=0) / float((each * each).sum())
    k = float(w.sum()) ** 2 / float((each * each).sum())
    pooled = spread * k / (k - 1) * (1 / (free[0] + 1) + 1 / (free[1] + 1))
    welch = variances[0] + variances[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        degrees = np.where(welch > 0, welch**2 / (variances[0] ** 2 / free[0] + variances[1] ** 2 / free[1]), 1.0)
    degrees = np.where(pooled > welch, k - 2, degrees)
    se: Floats = np.sqrt(np.maximum(welch, pooled))
    gap: Floats = means[0] - means[1]
    # Equal contributions of everyone up to rounding differ nowhere.
    return gap, np.where(se > 1e-12 * np.abs(x).max(axis=0, initial=0.0), se, 0.0), degrees


def _p_value(t: float, free: float) -> float:
    p = math.erfc(t / math.sqrt(2))
    # Student's is larger still: what chance explains well enough already need not be known to the digit.
    return p if p > 0.2 else student_p(t, free)


def student_quantile(alpha: float, free: float) -> float:
    """The t that |T| exceeds with probability `alpha`, 0 < alpha < 1, for Student's T."""
    low, high = 0.0, 1.0
    while student_p(high, free) > alpha:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if student_p(middle, free) > alpha else (low, middle)
    return (low + high) / 2

