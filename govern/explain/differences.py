"""Groups whose rows are explained otherwise than all others' rows, as far as they survive false-discovery control."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
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
    tests = list(_tests(rows, members, 1 - level))
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


def _tests(rows: ExplainedRows, members: Mapping[str, Mask], alpha: float) -> Iterator[_Test]:
    asked: list[tuple[str, str | None, Floats]] = [(SIZE, None, sizes(rows.outputs))]
    asked += [(DIRECTION, o.label, o.values) for o in rows.outputs]
    w: Floats = np.ones(rows.n) if rows.weight is None else rows.weight
    for what, label, x in asked:
        least = 1e-12 * np.abs(x).max(axis=0)  # equal contributions of everyone up to rounding differ nowhere
        x = w[:, None] * (x - (w[:, None] * x).sum(axis=0) / w.sum())
        everyone = _sums(x, w, rows.cluster)
        for group, mask in members.items():
            own = _sums(x[mask], w[mask], None if rows.cluster is None else rows.cluster[mask])
            rest = everyone.less(own) if rows.cluster is None else _sums(x[~mask], w[~mask], rows.cluster[~mask])
            value, se, free = _apart(own, rest, everyone)
            for j in np.flatnonzero(se > least).tolist():
                yield _Test(rows.features[j], group, what, label, float(value[j]), float(se[j]), float(free[j]),
                            _p_value(float(abs(value[j]) / se[j]), float(free[j]), alpha))


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums over rows or persons: of their weights and their squares, and, (k,) each, of their weighted contributions,
    the squares of these, and their products with the weight."""

    w: float
    ww: float
    x: Floats
    xx: Floats
    wx: Floats

    def less(self, other: _Sums) -> _Sums:
        """The sums of the rows that `other` does not hold."""
        return _Sums(self.w - other.w, self.ww - other.ww, self.x - other.x, self.xx - other.xx, self.wx - other.wx)

    @property
    def mean(self) -> Floats:
        """The weighted means, (k,)."""
        return self.x / self.w

    @property
    def variance(self) -> Floats:
        """The variances of the means, (k,), NaN where all rows are of one person."""
        mean, spare = self.mean, self.w - self.ww / self.w
        if not spare > 1e-12 * self.w:
            return np.full(len(mean), np.nan)
        found: Floats = np.maximum(0.0, self.xx - 2 * mean * self.wx + mean * mean * self.ww) / spare / self.w
        return found

    @property
    def units(self) -> float:
        """The independent rows that would make the means as sure."""
        return self.w * self.w / self.ww


def _sums(x: Floats, w: Floats, cluster: NDArray[np.uint64] | None) -> _Sums:
    x, w = by_person(x, cluster), by_person(w[:, None], cluster)[:, 0]
    return _Sums(float(w.sum()), float((w * w).sum()), x.sum(axis=0), (x * x).sum(axis=0), (w[:, None] * x).sum(axis=0))


def _apart(own: _Sums, rest: _Sums, everyone: _Sums) -> tuple[Floats, Floats, Floats]:
    """Mean of the rows of the group less that of all others, its standard error and degrees of freedom, (k,) each.

    The error is the larger of Welch's and of one with the spread of everyone, as in `stats.equal_means`: of skewed
    contributions a group may happen to hold none or much of the long tail.
    """
    one, two = own.variance, rest.variance
    welch = one + two
    k = everyone.units
    pooled = everyone.xx / everyone.ww * k / (k - 1) * (1 / own.units + 1 / rest.units)
    with np.errstate(divide="ignore", invalid="ignore"):
        free = welch**2 / (one**2 / (own.units - 1) + two**2 / (rest.units - 1))
        # NaN where a side is one person: no error is known, and nothing is compared.
        se: Floats = np.sqrt(np.where(np.isnan(welch), np.nan, np.maximum(welch, pooled)))
    return own.mean - rest.mean, se, np.where(pooled > welch, k - 2, free)


def _p_value(t: float, free: float, alpha: float) -> float:
    p = math.erfc(t / math.sqrt(2))
    # Student's is larger still, and what exceeds alpha by itself does so whatever else is compared.
    return p if p > alpha else student_p(t, free)


def student_quantile(alpha: float, free: float) -> float:
    """The t that |T| exceeds with probability `alpha`, 0 < alpha < 1, for Student's T."""
    low, high = 0.0, 1.0
    while student_p(high, free) > alpha:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if student_p(middle, free) > alpha else (low, middle)
    return (low + high) / 2

