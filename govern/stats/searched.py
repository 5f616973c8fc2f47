"""What the search of subgroups compares: a rate or a mean in a subgroup and in all other rows, with a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from govern.stats.cube import Cube, Partition
from govern.stats.equal_means import equal_means_p
from govern.stats.equal_rates import equal_rates_p
from govern.stats.intervals import Pair, mover_difference, transformed
from govern.stats.means import Share, Sums, difference_bounds, pair_method
from govern.stats.regression import Residuals

ALPHA = 0.025
LEAST_DENOMINATOR = 10

IntArray = NDArray[np.int64]
Floats = NDArray[np.float64]


class Sample(Protocol):
    """One metric in a subgroup and in all other rows; where the rows are not `enough` for the test, nothing else is
    asked for. `bounds` are those of the difference at 95 %, not corrected for the search; `method` names them."""

    @property
    def enough(self) -> bool: ...

    @property
    def value(self) -> float: ...

    @property
    def rest_value(self) -> float: ...

    @property
    def p_value(self) -> float: ...

    @property
    def bounds(self) -> Pair: ...

    @property
    def method(self) -> str: ...


# By metric, the samples of the groups of a partition, in their order.
Samples = Callable[[Partition], Iterator[tuple[str, Sequence[Sample]]]]


@dataclass(frozen=True, slots=True)
class RateSample:
    """A rate in a subgroup and in all other rows."""

    own: Share
    rest: Share

    @property
    def enough(self) -> bool:
        # A hair below, so that rounding of effective rows does not decide.
        return min(self.own.sample[1], self.rest.sample[1]) >= LEAST_DENOMINATOR * (1 - 1e-9)

    @property
    def value(self) -> float:
        return self.own.value

    @property
    def rest_value(self) -> float:
        return self.rest.value

    @property
    def p_value(self) -> float:
        return equal_rates_p(*_whole(*self.own.sample), *_whole(*self.rest.sample))

    @property
    def bounds(self) -> Pair:
        return difference_bounds(self.own, self.rest, ALPHA)

    @property
    def method(self) -> str:
        return pair_method("newcombe", self.own, self.rest)


@dataclass(frozen=True, slots=True)
class MeanSample:
    """A mean over a subgroup, over all other rows, and the sums of both together."""

    own: Sums
    rest: Sums
    everyone: Sums

    @property
    def enough(self) -> bool:
        return all(s.mean().status == "ok" for s in (self.own, self.rest))

    @property
    def value(self) -> float:
        return self.own.mean().value or 0.0

    @property
    def rest_value(self) -> float:
        return self.rest.mean().value or 0.0

    @property
    def p_value(self) -> float:
        return equal_means_p(self.own, self.rest, self.everyone)

    @property
    def bounds(self) -> Pair:
        one, two = (transformed(e.value or 0.0, e.se or 0.0, "identity", ALPHA)
                    for e in (self.own.mean(), self.rest.mean()))
        return mover_difference(self.value, one, self.rest_value, two)

    @property
    def method(self) -> str:
        return "MOVER"


@dataclass(frozen=True, slots=True)
class CellRate:
    """A rate named `metric`: rows of the `numerator` kinds of cells among those of the `denominator` kinds, which
    hold the former."""

    metric: str
    numerator: tuple[int, ...]
    denominator: tuple[int, ...]


def rate_samples(cube: Cube, kind: IntArray, rates: Sequence[CellRate]) -> Samples:
    """Samples of rates; `kind` (n_cells,) is 0 … 3.

    Where rows have weights or repeat persons, the rows of a side that count are D² / Σ d² for its weight D and the
    weights d of its units (Kish), times what a row is worth in all rows: p(1 − p) Σ d² / Σ (residual of a unit)². The
    variance is thus that of everyone: a few rows of a subgroup that happen to be alike would show too small a one, at
    the small levels of a search up to 700 times too often. Products of a person's rows inside and outside a subgroup
    stay with the rest, whose variance they raise.
    Source: Kish 1965, Survey Sampling, 8.2; Rao & Scott 1981, JASA 76:221–230 (tests from counts divided by a design
    effect).
    """
    sampled = cube.weighted or cube.clustered
    whole = Partition((), ((),), np.zeros(len(cube.n), np.int64))
    everyone = cube.moments(kind, whole.of_cell, 1)[0] if sampled else None
    total = _by_kind(cube, whole, kind)[0]

    def samples(partition: Partition) -> Iterator[tuple[str, Sequence[Sample]]]:
        sums, place = _by_kind(cube, partition, kind), partition.of_cell * 4 + kind
        held = np.bincount(place, cube.n, 4 * len(partition)).reshape(-1, 4)
        moments = cube.moments(kind, partition.of_cell, len(partition)) if sampled else None
        for r in rates:
            x, n = (sums[:, list(k)].sum(axis=1) for k in (r.numerator, r.denominator))
            x_all, n_all = (float(total[list(k)].sum()) for k in (r.numerator, r.denominator))
            rows = held[:, list(r.denominator)].sum(axis=1)
            # What is left of sums of weights where no row is left is rounding.
            n_rest = np.where(rows < rows.sum(), n_all - n, 0.0)
            one, other = np.full(len(partition), np.nan), np.full(len(partition), np.nan)
            if moments is not None and everyone is not None and n_all > 0:
                inside = np.isin(range(4), r.denominator).astype(np.float64)
                residual = np.isin(range(4), r.numerator) - x_all / n_all * inside
                units_all, error = (float(v @ everyone @ v) for v in (inside, residual))
                units = np.einsum("a,gab,b->g", inside, moments, inside)
                worth = x_all / n_all * (1 - x_all / n_all) * units_all / error if error > 0 else 1.0
                one, other = worth * _ratio(n * n, units), worth * _ratio(n_rest * n_rest, units_all - units)
            yield r.metric, [RateSample(_share(*own), _share(*rest)) for own, rest in zip(
                zip(x.tolist(), n.tolist(), one.tolist(), strict=True),
                zip((x_all - x).tolist(), n_rest.tolist(), other.tolist(), strict=True), strict=True)]

    return samples


def mean_samples(cube: Cube, residuals: Residuals, metrics: Sequence[str]) -> Samples:
    """Samples of means of a regression, by the names of `regression_fit.MEANS`."""
    everyone = residuals.sums(np.zeros(len(cube.n), np.int64), 1, metrics)

    def samples(partition: Partition) -> Iterator[tuple[str, Sequence[Sample]]]:
        found = residuals.sums(partition.of_cell, len(partition), metrics)
        for metric in metrics:
            whole = everyone[metric][0]
            yield metric, [MeanSample(own, whole.without(own), whole) for own in found[metric]]

    return samples


def _by_kind(cube: Cube, partition: Partition, kind: IntArray) -> Floats:
    """Σ weight by group and kind, (k, 4)."""
    return cube.sums_at(partition.of_cell * 4 + kind, 4 * len(partition)).reshape(-1, 4)


def _ratio(a: Floats, b: Floats) -> Floats:
    return np.divide(a, b, out=np.zeros(len(a)), where=b > 0)


def _share(x: float, n: float, effective: float) -> Share:
    if np.isnan(effective) or not n > 0:
        return Share(round(x), round(n))
    return Share(max(0.0, min(x, n)), n, effective)


def _whole(x: float, n: float) -> tuple[int, int]:
    """Whole numbers of rows, as many or fewer, with the rate nearest to x / n."""
    rows = int(n * (1 + 1e-9))
    return round(x / n * rows), rows
