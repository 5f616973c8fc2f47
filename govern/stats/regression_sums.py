"""Sums of a regression in memory that does not grow with rows.

Values (means, R², shares of the threshold) come from exact sums. Standard errors, quantiles and the median of the
predictions come from bins of near values (`stats/floatbins.py`), at most 2¹⁷ of each kind over all cells.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from govern.stats.estimate import Estimate, undefined
from govern.stats.exact_sum import ExactSums
from govern.stats.floatbins import FloatBins
from govern.stats.means import NO_ROWS, Sums, too_few
from govern.stats.quantiles import Quantile, quantile
from govern.stats.regression_fit import ONE_OUTCOME, QUANTILES, RegressionFit

Floats = NDArray[np.float64]
IntArray = NDArray[np.int64]
SPLIT = 2.0**27 + 1


@dataclass(frozen=True)
class _Part:
    """Bins of one group by rising value; all arrays are (n_bins,)."""

    x: Floats
    n: IntArray
    w: Floats
    w2: Floats


class ResidualSums:
    """Sums in the making; see `regression.Residuals`."""

    def __init__(self, *, weighted: bool, threshold: float | None) -> None:
        self.weighted, self.threshold = weighted, threshold
        self._sums = {name: ExactSums(0) for name in ("n", "w", "w2", "prediction", "residual", "absolute", "squared",
                                                      "y", "y2", "above", "above2")}
        self._bins = {name: FloatBins(weighted=weighted) for name in ("prediction", "residual", "y")}

    def add(self, cells: NDArray[np.integer], y: Floats, pred: Floats, weight: Floats | None) -> None:
        """Take a batch: cell, outcome, prediction and weight of each row, all (n_rows,)."""
        if not len(y):
            return
        w = np.ones(len(y)) if weight is None else weight
        residual = pred - y
        squared = residual * residual
        added = [("prediction", w * pred), ("residual", w * residual), ("absolute", w * np.abs(residual)),
                 ("squared", w * squared), ("n", np.ones(len(y)))]
        # Of the outcome exact products: R² takes the small difference of two large sums.
        added += [("y", part) for part in _product(w, y)]
        added += [("y2", part) for first in _product(w, y) for part in _product(first, y)]
        if self.weighted:
            added += [("w", w), ("w2", w * w)]
        if self.threshold is not None:
            above = pred >= self.threshold
            added += [("above", w * above), ("above2", w * w * above)]
        for name, values in added:
            self._sums[name].grow(int(cells.max()) + 1)
            self._sums[name].add(cells, values)
        for name, values in (("prediction", pred), ("residual", residual), ("y", y)):
            self._bins[name].add(cells, values, weight)

    def by_group(self, of_cell: IntArray, k: int) -> list[RegressionFit]:
        """The metrics of groups 0 … k − 1; `of_cell` (n_cells,) is the group of each cell, −1 for none."""
        everyone = next(self._groups(np.zeros(len(of_cell), np.int64), 1))
        bins = everyone.parts["prediction"]
        median = quantile(bins.x, bins.w, Fraction(1, 2), variance=0.0 if self.weighted else None).estimate.value
        centres = self._centres(everyone)
        return [self._fit(group, centres, median or 0.0) for group in self._groups(of_cell, k)]

    def sums(self, of_cell: IntArray, k: int, metrics: Sequence[str]) -> dict[str, list[Sums]]:
        """The sums of some of `regression_fit.MEANS` in groups 0 … k − 1."""
        centres = self._centres(next(self._groups(np.zeros(len(of_cell), np.int64), 1)))
        found: dict[str, list[Sums]] = {name: [] for name in metrics}
        for group in self._groups(of_cell, k):
            own = self._means(group, centres)
            for name in metrics:
                found[name].append(own[name])
        return found

    def about_mean(self) -> tuple[float, float]:
        """See regression.Residuals.about_mean; the absolute distance is that of the bins."""
        everyone = next(self._groups(np.zeros(len(self._sums["n"]), np.int64), 1))
        mean = everyone.exact["y"] / everyone.weight
        squared = (everyone.exact["y2"] - everyone.exact["y"] * mean) / everyone.weight
        y = everyone.parts["y"]
        return float((y.w * np.abs(y.x - float(mean))).sum() / y.w.sum()), float(squared)

    def _groups(self, of_cell: IntArray, k: int) -> Iterator[_Grouped]:
        order = np.argsort(of_cell, kind="stable")
        ends = np.searchsorted(of_cell[order], np.arange(k + 1))
        totals: dict[str, Floats] = {}
        for name, sums in self._sums.items():
            sums.grow(len(of_cell))
            totals[name] = sums.totals()
        left = {name: _left(self._sums[name], totals[name]) for name in ("w" if self.weighted else "n", "y", "y2")}
        parts = {name: _parts(bins, of_cell, k) for name, bins in self._bins.items()}
        for g in range(k):
            own = order[ends[g]:ends[g + 1]]
            exact = {name: sum((Fraction(v) for v in (*totals[name][own].tolist(), *left[name][own].tolist())),
                               Fraction(0)) for name in left}
            yield _Grouped({name: math.fsum(t[own].tolist()) for name, t in totals.items()}, exact,
                           {name: p[g] for name, p in parts.items()})

    def _centres(self, everyone: _Grouped) -> dict[str, float]:
        return {name: everyone.totals[name] / everyone.w for name in ("prediction", "residual", "absolute", "squared")}

    def _size(self, group: _Grouped) -> tuple[int, float, float]:
        """Rows, Σ weight and Σ weight²."""
        return int(group.totals["n"]), group.w, group.totals["w2"] if self.weighted else group.totals["n"]

    def _means(self, group: _Grouped, centres: dict[str, float]) -> dict[str, Sums]:
        n, w, w2 = self._size(group)
        residual = group.parts["residual"]
        of = {"mean_prediction": ("prediction", group.parts["prediction"], group.parts["prediction"].x),
              "mean_residual": ("residual", residual, residual.x),
              "mean_absolute_error": ("absolute", residual, np.abs(residual.x)),
              "mean_squared_error": ("squared", residual, residual.x**2)}
        sums = {}
        for name, (total, bins, x) in of.items():
            centre = centres[total]
            d = x - centre
            sums[name] = Sums(n, w, group.totals[total] - centre * w, w2, float((bins.w2 * d).sum()),
                              float((bins.w2 * d * d).sum()), centre)
        return sums

    def _fit(self, group: _Grouped, centres: dict[str, float], median: float) -> RegressionFit:
        n, w, w2 = self._size(group)
        residual, bins = group.parts["residual"], group.parts["prediction"]
        sums = self._means(group, centres)
        above = bins.x > median
        found, found2 = float(bins.w[above].sum()), float(bins.w2[above].sum())
        sums["share_above_median"] = Sums(n, w, found, w2, found2, found2)
        if self.threshold is not None:
            found, found2 = group.totals["above"], group.totals["above2"]
            sums["share_above_threshold"] = Sums(n, w, found, w2, found2, found2)
        return RegressionFit(n, not self.weighted, sums, self._r2(group, sums["mean_squared_error"]),
                             {name: self._quantile(residual, share) for name, share in QUANTILES.items()}, binned=True)

    def _quantile(self, bins: _Part, share: Fraction) -> Quantile:
        if not self.weighted or not len(bins.x):
            return quantile(bins.x, bins.w, share)
        middle = quantile(bins.x, bins.w, share, variance=0.0).estimate.value or 0.0
        below = (bins.x <= middle) - float(share)
        return quantile(bins.x, bins.w, share,
                        variance=float((bins.w2 * below * below).sum()) / float(bins.w.sum()) ** 2)

    def _r2(self, group: _Grouped, squared: Sums) -> Estimate:
        """R²; the standard error of a difference is at most the sum of those of its parts."""
        if not squared.n:
            return undefined(NO_ROWS)
        mean = group.exact["y"] / group.weight
        spread = float(group.exact["y2"] - group.exact["y"] * mean)
        if spread <= 0:
            return undefined(ONE_OUTCOME)
        value = 1 - group.totals["squared"] / spread
        few = too_few(squared.n, squared.w**2 / squared.uu)
        free = 1 - squared.uu / squared.w**2
        if free <= 1e-12:
            return Estimate(value, None, "identity", "too_few", few)
        y = group.parts["y"]
        far = (y.x - float(mean)) ** 2 - spread / squared.w
        loss = math.sqrt(squared.squares(group.totals["squared"] / squared.w))
        se = (loss + abs(1 - value) * math.sqrt(float((y.w2 * far * far).sum()))) / math.sqrt(free) / spread
        return Estimate(value, se, "identity", "too_few" if few else "ok", few)


@dataclass(frozen=True)
class _Grouped:
    """Sums of a group: rounded once, as fractions (w or n, y, y2), and its bins."""

    totals: dict[str, float]
    exact: dict[str, Fraction]
    parts: dict[str, _Part]

    @property
    def w(self) -> float:
        return float(self.weight)

    @property
    def weight(self) -> Fraction:
        return self.exact["w"] if "w" in self.exact else self.exact["n"]


def _left(sums: ExactSums, totals: Floats) -> Floats:
    """What rounding to `totals` left over of each sum, (n_cells,)."""
    rest = ExactSums(len(totals))
    rest.merge(sums)
    rest.add(np.arange(len(totals)), -totals)
    return rest.totals()


def _parts(bins: FloatBins, of_cell: IntArray, k: int) -> list[_Part]:
    """The bins of each group by rising value, in an order that the numbering of cells does not touch."""
    found = bins.bins()
    group = of_cell[found.cell]
    order = np.lexsort((found.w2, found.w, found.n, found.x, group))
    ends = np.searchsorted(group[order], np.arange(k + 1))
    slices = [order[a:b] for a, b in pairwise(ends)]
    return [_Part(found.x[s], found.n[s], found.w[s], found.w2[s]) for s in slices]


def _product(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """a · b without loss, as two floats that add up to it. Source: Dekker 1971, Numer. Math. 18:224–242."""
    product = a * b
    upper_a, upper_b = ((SPLIT * v) - ((SPLIT * v) - v) for v in (a, b))
    lower_a, lower_b = a - upper_a, b - upper_b
    error = ((upper_a * upper_b - product) + upper_a * lower_b + lower_a * upper_b) + lower_a * lower_b
    return product, error
