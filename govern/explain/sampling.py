"""How sure mean contributions are that come from a sample of the rows, and how many of the first places are settled.

A feature's contribution depends mostly on its own value, and how often each value occurs in all the data is known from
the pass. So the mean of each feature is taken within bins or levels of its own values and these are weighted by their
rows in all the data (post-stratification); what the sample happened to hold of each value then adds no error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from govern.dataset import Column

TOP: Final = 10
LEAST: Final = 20  # explained rows of a stratum, so that its spread is known

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Strata:
    """The stratum of each explained row, (n_rows,), and the rows of all the data in each stratum, (n_strata,)."""

    of_row: Ints
    rows: Ints

    def merged(self, n: int) -> Strata | None:
        """The strata of the first `n` rows, of which each holds at least 20: neighbours are put together until it does.
        None where that leaves one."""
        of_stratum, groups, sampled = [], 0, 0
        for held in np.bincount(self.of_row[:n], minlength=len(self.rows)).tolist():
            of_stratum.append(groups)
            sampled += held
            if sampled >= LEAST:
                groups, sampled = groups + 1, 0
        if groups < 2:
            return None
        # What is left over after the last full stratum belongs to it.
        joined = np.minimum(of_stratum, groups - 1)
        return Strata(joined[self.of_row[:n]], np.bincount(joined, self.rows, minlength=groups).astype(np.int64))


@dataclass(frozen=True)
class Sampled:
    """What explained rows are a sample of: `total` rows of the data, the strata of each feature that has any, and
    weight and cluster of the explained rows, (n_rows,), with which there are no strata."""

    total: int
    strata: Mapping[int, Strata]
    weight: Floats | None = None
    cluster: NDArray[np.uint64] | None = None

    def part(self, rows: slice | NDArray[np.bool_]) -> Sampled:
        """The same of some of the explained rows, without strata."""
        return Sampled(self.total, {}, None if self.weight is None else self.weight[rows],
                       None if self.cluster is None else self.cluster[rows])


@dataclass(frozen=True)
class Means:
    """Means over all rows (k,) of k columns, estimated from n explained rows.

    `own` (n, k) is what each explained row adds to the error of a mean, `between` (n, k) how far the mean of its
    stratum lies from the mean of all, over the rows; `left` (n, k) is the share of its stratum that was not explained.
    """

    value: Floats
    own: Floats
    between: Floats
    left: Floats
    total: int
    cluster: NDArray[np.uint64] | None

    def errors(self) -> Floats:
        """Standard errors of the means as those of rows like these, (k,); NaN where all rows are of one person."""
        return self._error(self.own, self.between)

    def errors_of_gaps(self, j: int, others: Sequence[int]) -> Floats:
        """Standard errors of the mean of column `j` less those of `others`, (len(others),)."""
        rest = list(others)
        return self._error(self.own[:, [j]] - self.own[:, rest], self.between[:, [j]] - self.between[:, rest])

    def sampling_errors(self) -> Floats:
        """Standard errors of the means as estimates of what explaining all rows of the data would give, (k,)."""
        found: Floats = np.sqrt((self.own * self.own * self.left).sum(axis=0))
        return found

    def _error(self, own: Floats, between: Floats) -> Floats:
        # Rows in two phases: strata are weighted by all `total` rows, their means are of the explained n of them.
        n = len(own)
        phases = by_person(own + between / self.total, self.cluster)
        rest = (self.total - n) / self.total**2 * (between * between).sum(axis=0) / n
        found: Floats = np.sqrt((phases * phases).sum(axis=0) + rest)
        return found


def strata(column: Column, values: Floats | Sequence[str | None], total: int) -> Strata | None:
    """The bin or level of sampled rows by their `values` (n_rows,) of a column of the data: numbers with NaN for
    missing, else the text of their level, None for missing. None where the column's levels were too many to be counted.
    """
    if column.kind == "number":
        lows, rows = [b.low for b in column.bins], [b.n for b in column.bins]
        numbers = np.asarray(values, np.float64)
        place = np.maximum(np.searchsorted(lows, numbers, side="right") - 1, 0)
        place[np.isnan(numbers)] = len(lows)
        rows = [*rows, column.missing]
    else:
        known = {level.value: i for i, level in enumerate(column.levels)}
        rows = [*(level.n for level in column.levels), column.others, column.missing]
        place = np.array([len(known) + 1 if v is None else known.get(v, len(known)) for v in values], np.int64)
    return Strata(place, np.array(rows, np.int64)) if sum(rows) == total else None


def means(x: Floats, sampled: Sampled) -> Means:
    """Means of the columns of `x` (n_rows, k) over all rows of the data, of which these are a sample.

    Source: Cochran 1977, Sampling Techniques, sections 5A.9 (strata after sampling) and 12.2 (two phases); Binder
    1983, Int. Stat. Rev. 51:279–292, with weights or persons.
    """
    n, k = x.shape
    value = np.empty(k)
    own, between, left = np.empty((n, k)), np.zeros((n, k)), np.empty((n, k))
    if sampled.weight is not None or sampled.cluster is not None:
        w = np.ones(n) if sampled.weight is None else sampled.weight
        units = by_person(w[:, None], sampled.cluster)[:, 0]
        total = float(w.sum())
        free = total - float((units * units).sum()) / total
        value[:] = (w[:, None] * x).sum(axis=0) / total
        own[:] = w[:, None] * (x - value) * (np.sqrt(1 / (free * total)) if free > 1e-12 * total else np.nan)
        left[:] = 1 - n / sampled.total
        return Means(value, own, between, left, n, sampled.cluster)
    value[:] = x.mean(axis=0)
    own[:] = (x - value) / np.sqrt(n * max(1, n - 1))
    left[:] = 1 - n / sampled.total
    for j, s in sampled.strata.items():
        share = s.rows / s.rows.sum()
        rows = np.bincount(s.of_row, minlength=len(s.rows)).astype(np.float64)
        middle = np.bincount(s.of_row, x[:, j], minlength=len(s.rows)) / rows
        value[j] = (share * middle).sum()
        # A stratum's rows count as much as its rows in the data; its spread is over one row less.
        scale = share / rows * np.sqrt(rows / np.maximum(1, rows - 1))
        own[:, j] = (x[:, j] - middle[s.of_row]) * scale[s.of_row]
        between[:, j] = (middle - value[j])[s.of_row]
        left[:, j] = np.clip(1 - rows / s.rows, 0, 1)[s.of_row]
    return Means(value, own, between, left, sampled.total, None)


def by_person(x: Floats, cluster: NDArray[np.uint64] | None) -> Floats:
    """The rows of `x` (n_rows, k) summed by person, (n_persons, k); as they are without `cluster` (n_rows,)."""
    if cluster is None:
        return x
    # Of each person in the order of the sample, which no order of rows changes.
    order = np.argsort(cluster, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], np.diff(cluster[order]) != 0]))
    found: Floats = np.add.reduceat(x[order], starts, axis=0)
    return found


def places(found: Means) -> int:
    """The places that can be settled: the first ten, of features that contribute at all."""
    return min(TOP, int((found.value > 0).sum()))


def settled(found: Means, order: Sequence[int], level: float, looks: int = 1) -> int:
    """How many of the first places of `order` (columns by falling mean) are settled, at most ten.

    A place is settled when its mean exceeds that of every later one, each place tested at the error 1 − `level` divided
    by ten and by the `looks` at a growing sample; counting ends at the first that is not. So the chance that any of the
    places counted is wrong is at most 1 − `level`.
    Source: Bonferroni; that a place needs no correction over the later ones: Berger 1982, Technometrics 24:295–300.
    """
    z = NormalDist().inv_cdf(1 - (1 - level) / (2 * TOP * looks))
    most = places(found)
    for place in range(most):
        later = list(order[place + 1:])
        gaps = found.value[order[place]] - found.value[later]
        if not (gaps > z * found.errors_of_gaps(order[place], later)).all():
            return place
    return most


def error(found: Means, order: Sequence[int], level: float) -> float | None:
    """How far any of the ten largest means may be from what explaining all rows would give, as a share of it: the
    largest half-width at `level` for all of them together (Bonferroni); None where nothing contributes."""
    first = list(order[: places(found)])
    if not first:
        return None
    z = NormalDist().inv_cdf(1 - (1 - level) / (2 * len(first)))
    return float((z * found.sampling_errors()[first] / found.value[first]).max())
