"""Where a gap between two groups comes from: their difference in mean output, or in the selection rate, split into what
each feature contributes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from govern.evidence import Group
from govern.explain.decided import cut_of, decided
from govern.explain.explained import ExplainedRows, Output
from govern.explanations import Gap, GapPart, Proxy
from govern.stats.intervals import Pair
from govern.stats.means import Share, difference_bounds
from govern.stats.units import by_unit

FEW = 10
MOST_PARTS = 20
MOST_CLASSES = 3
ROUNDING = 1e-10  # what the sums of the parts may lack, as a share of their size
OUTPUT, SELECTION = "output", "selection"
OF_OUTPUT = "difference of mean contributions"
OF_DECISION = "difference of mean Shapley values of the decision at the threshold, over {n} orders of the contributions"
NO_CUT = ("Gaps in the selection rate were not split into features: the explained output does not tell at which number "
          "the decision changes.")
NOT_FINITE = "Gaps were not split into features: outputs or contributions are not finite."
MANY = "Gaps in the selection rate were not split into features: of several classes no threshold decides."

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Question:
    """What is split: `values` (n_rows, n_features) are the parts of each row's `total` (n_rows,) but for a constant."""

    of: str
    method: str
    values: Floats
    total: Floats
    label: str | None = None


@dataclass(frozen=True)
class _Rows:
    """The rows of a group: their places, weights (mean 1), the persons they are of where rows repeat them, and how many
    independent rows would say as much."""

    at: NDArray[np.intp]
    weight: Floats
    unit: NDArray[np.uint64] | None
    effective: float


def gaps(rows: ExplainedRows, groups: Sequence[Group], proxies: Sequence[Proxy], *, level: float, seed: int
         ) -> tuple[tuple[Gap, ...], tuple[str, ...]]:
    """The gaps of every group, with a sentence for each thing that was left out.

    Each of `groups` is compared with the largest of its feature (most rows in all the data), and where that is another
    one, with the group of the highest selection rate among the explained rows; missing and unknown groups, and those
    with fewer than 10 explained rows, are left out. Asked are the mean of the output and, where a threshold on one
    output decides, the selection rate; of several classes those three whose mean outputs differ most. The parts, the
    others and the residual of a gap add up to it. The 20 largest parts are given, all others together. Intervals, at
    `level`, are of other rows of the same kind, linearised, of weighted rows and of persons where rows repeat them;
    of a selection rate the whole has the interval of a difference of two rates.
    Source: Binder 1983, Int. Stat. Rev. 51:279–292.
    """
    notes: list[str] = []
    held = {g.id: _held(rows, g) for g in groups if not g.missing and g.id in rows.groups}
    usable = [g for g in groups if g.id in held and held[g.id].effective >= FEW]
    small = [g.name for g in groups if g.id in held and g not in usable and g.n]
    if small:
        notes.append(f"Gaps of {', '.join(small)} were not split into features: fewer than {FEW} of their rows were "
                     "explained.")
    asked = [_of_output(output) for output in rows.outputs]
    if not all(np.isfinite(q.values).all() and np.isfinite(q.total).all() for q in asked):
        return (), (NOT_FINITE,)
    decision = _of_decision(rows, seed)
    if decision is not None:
        asked.append(decision)
    elif rows.selected is not None and 0 < rows.selected.sum() < rows.n:
        notes.append(NO_CUT if len(rows.outputs) == 1 else MANY)
    revealing = _revealing(proxies)
    gaps = [gap for own, other in _pairs(rows, usable, held)
            for gap in _chosen(rows, asked, held, own, other, level, revealing)]
    return tuple(gaps), tuple(notes)


def _held(rows: ExplainedRows, group: Group) -> _Rows:
    at = np.flatnonzero(rows.groups[group.id])
    weight = np.ones(len(at)) if rows.weight is None else rows.weight[at]
    unit = None if rows.cluster is None else rows.cluster[at]
    of_units = weight if unit is None else by_unit(weight[:, None], unit)[:, 0]
    squares = float((of_units * of_units).sum())
    return _Rows(at, weight, unit, float(weight.sum()) ** 2 / squares if squares > 0 else 0.0)


def _of_output(output: Output) -> _Question:
    return _Question(OUTPUT, OF_OUTPUT, output.values, output.outputs, output.label)


def _of_decision(rows: ExplainedRows, seed: int) -> _Question | None:
    output, selected = rows.outputs[0], rows.selected
    cut = None if selected is None or len(rows.outputs) > 1 else cut_of(output.outputs, selected, rows.threshold)
    if selected is None or cut is None:
        return None
    values, orders = decided(output.values, output.base, selected, cut, seed)
    return _Question(SELECTION, OF_DECISION.format(n=orders), values, selected.astype(np.float64), output.label)


def _revealing(proxies: Sequence[Proxy]) -> dict[str, set[str]]:
    """The columns that reveal each sensitive feature of which that was measured."""
    found: dict[str, set[str]] = {}
    for p in proxies:
        if p.value is not None or p.revealing:
            columns = found.setdefault(p.sensitive, set())
            if p.revealing and p.column is not None:
                columns.add(p.column)
    return found


def _pairs(rows: ExplainedRows, groups: Sequence[Group], held: Mapping[str, _Rows]) -> Iterator[tuple[Group, Group]]:
    """Each group with those that it is compared with, a pair only once."""
    by_feature: dict[tuple[str, ...], list[Group]] = {}
    for g in groups:
        by_feature.setdefault(g.features, []).append(g)
    for members in by_feature.values():
        largest = max(members, key=lambda g: g.n)
        references = [largest]
        if rows.selected is not None:
            chosen = rows.selected.astype(np.float64)
            rates = {g.id: _mean(chosen[:, None], held[g.id])[0] for g in members}
            best = max(members, key=lambda g: rates[g.id])
            references += [best] if best is not largest and rates[best.id] > rates[largest.id] else []
        for g in members:
            # The largest is not compared with the best once the best is with the largest.
            yield from ((g, other) for other in references if other is not g and g is not largest)


def _chosen(rows: ExplainedRows, asked: Sequence[_Question], held: Mapping[str, _Rows], own: Group, other: Group,
            level: float, revealing: Mapping[str, set[str]]) -> Iterator[Gap]:
    """The gaps of one pair; of several classes those with the largest, in the order of the classes."""
    a, b = held[own.id], held[other.id]
    size = [abs(float(_mean(q.total[:, None], a)[0] - _mean(q.total[:, None], b)[0])) for q in asked]
    most = MOST_CLASSES if len(rows.outputs) > 1 else len(asked)
    known = all(f in revealing for f in own.features)
    columns = set().union(*(revealing[f] for f in own.features)) if known else None
    for place in sorted(sorted(range(len(asked)), key=lambda i: -size[i])[:most]):
        yield _gap(rows.features, asked[place], a, b, level, columns, own, other)


def _gap(features: Sequence[str], asked: _Question, a: _Rows, b: _Rows, level: float, revealing: set[str] | None,
         own: Group, other: Group) -> Gap:
    parts = _mean(asked.values, a) - _mean(asked.values, b)
    total = float(_mean(asked.total[:, None], a)[0] - _mean(asked.total[:, None], b)[0])
    order = sorted(range(len(features)), key=lambda j: (-abs(parts[j]), features[j]))
    shown, rest = order[:MOST_PARTS], sorted(order[MOST_PARTS:])
    columns = [asked.values[:, shown], asked.values[:, rest].sum(axis=1)[:, None], asked.total[:, None]]
    bounds = _bounds([np.hstack([c[r.at] for c in columns]) for r in (a, b)], a, b, level)
    found = [GapPart(features[j], float(parts[j]), *ends) for j, ends in zip(shown, bounds, strict=False)]
    others = GapPart("", float(parts[rest].sum()), *bounds[-2]) if rest else None
    size = float(np.abs(parts).sum())
    share = None if revealing is None or not size > 0 else \
        float(np.abs(parts[[j for j, name in enumerate(features) if name in revealing]]).sum()) / size
    low, high = bounds[-1] if asked.of == OUTPUT else _of_rates(asked.total, a, b, level)
    gap = Gap(asked.of, asked.method, own.id, other.id, len(a.at), len(b.at), total, low, high, level, tuple(found),
              share, asked.label, others, len(rest))
    left = total - math.fsum([*(p.value for p in found), others.value if others else 0.0])
    return replace(gap, residual=left) if abs(left) > ROUNDING * (size + abs(total)) else gap


def _mean(x: Floats, rows: _Rows) -> Floats:
    """The weighted mean of each column over the rows of a group, (n_columns,)."""
    # Not as a matrix product: that may depend on the number of threads.
    found: Floats = (rows.weight[:, None] * x[rows.at]).sum(axis=0) / rows.weight.sum()
    return found


def _bounds(sides: Sequence[Floats], a: _Rows, b: _Rows, level: float) -> list[Pair]:
    """The interval of the difference of the means of each column of two sides, both (n_rows, n_columns)."""
    influence, variance = [], []
    for x, r in zip(sides, (a, b), strict=True):
        share = r.weight[:, None] / r.weight.sum()
        centred = share * (x - (share * x).sum(axis=0)) * math.sqrt(r.effective / (r.effective - 1))
        influence.append(centred)
        variance.append(np.square(centred if r.unit is None else by_unit(centred, r.unit)).sum(axis=0))
    means = [(r.weight[:, None] / r.weight.sum() * x).sum(axis=0) for x, r in zip(sides, (a, b), strict=True)]
    found = variance[0] + variance[1]
    freedom = np.divide(found * found, sum(v * v / (r.effective - 1) for v, r in zip(variance, (a, b), strict=True)),
                        out=np.full(len(found), np.inf), where=found > 0)
    if a.unit is not None and b.unit is not None:
        # A person may have rows in both groups.
        both = by_unit(np.vstack([influence[0], -influence[1]]), np.concatenate([a.unit, b.unit]))
        found = np.square(both).sum(axis=0)
    reach = np.sqrt(found) * [_student((1 - level) / 2, f) for f in freedom.tolist()]
    value = means[0] - means[1]
    return list(zip((value - reach).tolist(), (value + reach).tolist(), strict=True))


def _of_rates(selected: Floats, a: _Rows, b: _Rows, level: float) -> Pair:
    """The interval of the difference of two selection rates."""
    shares = []
    for r in (a, b):
        rate = float(_mean(selected[:, None], r)[0])
        if r.unit is None and bool((r.weight == r.weight[0]).all()):
            shares.append(Share(round(rate * len(r.at)), len(r.at)))
            continue
        centred = r.weight[:, None] / r.weight.sum() * (selected[r.at][:, None] - rate)
        variance = float(np.square(centred if r.unit is None else by_unit(centred, r.unit)).sum())
        effective = rate * (1 - rate) / variance if variance > 1e-12 else r.effective
        shares.append(Share(rate, 1.0, effective))
    return difference_bounds(shares[0], shares[1], (1 - level) / 2)


def _student(alpha: float, freedom: float) -> float:
    """The number that Student's T exceeds with probability `alpha`, to .001 from 9 degrees of freedom on.

    Source: Abramowitz & Stegun 1964, 26.7.5.
    """
    z = -NormalDist().inv_cdf(alpha)
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom * freedom)
