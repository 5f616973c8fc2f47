"""Metrics of numeric predictions by group, with standard errors: from rows up to a stated number, beyond it from sums.

Residuals are prediction − outcome. Nothing depends on the order of rows or batches, to the last bit: kept rows are
put into an order of their values, sums are exact (`stats/regression_sums.py`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from govern.errors import InputError
from govern.stats.estimate import Estimate, undefined
from govern.stats.means import NO_ROWS, Sums, sums_of, too_few
from govern.stats.quantiles import Quantile, quantile
from govern.stats.regression_fit import MEANS, ONE_OUTCOME, QUANTILES, RegressionFit
from govern.stats.regression_sums import ResidualSums

LARGEST: Final = 1e75  # fourth powers stay finite

Floats = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class _Batch:
    cells: NDArray[np.integer]
    y: Floats
    pred: Floats
    weight: Floats | None
    cluster: NDArray[np.uint64] | None


@dataclass(frozen=True)
class _Rows:
    """Rows by rising residual, those with equal ones in an order of their values; all arrays are (n_rows,)."""

    cells: IntArray
    y: Floats
    pred: Floats
    weight: Floats | None
    unit: IntArray | None

    def take(self, which: NDArray[np.intp]) -> _Rows:
        unit = None if self.unit is None else np.unique(self.unit[which], return_inverse=True)[1].astype(np.int64)
        return _Rows(self.cells[which], self.y[which], self.pred[which],
                     None if self.weight is None else self.weight[which], unit)

    @property
    def w(self) -> Floats:
        return np.ones(len(self.y)) if self.weight is None else self.weight

    def squares(self, influence: Floats) -> float:
        """Σ over units of (Σ weight · influence)²."""
        each = influence * self.w
        if self.unit is not None and len(each):
            each = np.bincount(self.unit, each).astype(np.float64)
        return float((each * each).sum())


class Residuals:
    """Outcomes and predictions of a regression, in the making, by cell of the cube.

    Rows are kept up to `exact_rows`, and all of them where rows repeat persons. `threshold` is that of
    share_above_threshold. Weights must be given with every batch or with none, and so must clusters.
    """

    def __init__(self, *, exact_rows: int, threshold: float | None = None) -> None:
        self.exact_rows, self.threshold = exact_rows, threshold
        self.n = 0
        self._kept: list[_Batch] = []
        self._sums: ResidualSums | None = None
        # The sums without weights, as long as all rows have had one and the same.
        self._weight: float | None = None
        self._even: ResidualSums | None = None

    def add(self, cells: NDArray[np.integer], y: Floats, pred: Floats, weight: Floats | None = None,
            cluster: NDArray[np.uint64] | None = None) -> None:
        """Take a batch: cell, outcome, prediction, weight and key of the person of each row, all (n_rows,).

        Raises: InputError for numbers beyond ±1e75, ValueError for numbers that are not finite.
        """
        y, pred = np.asarray(y, np.float64), np.asarray(pred, np.float64)
        for what, values in (("the target holds", y), ("the model predicts", pred)):
            if not np.isfinite(values).all():
                raise ValueError(f"{what} numbers that are not finite")
            if len(values) and max(-float(values.min()), float(values.max())) > LARGEST:
                raise InputError(f"{what} numbers beyond {LARGEST:g}, too large to square", fix="leave these rows out")
        for known in ("_rows", "_median"):
            self.__dict__.pop(known, None)
        self.n += len(y)
        self._kept.append(_Batch(cells, y, pred, weight, cluster))
        if self.n > self.exact_rows and cluster is None:
            self._add_up()

    def _add_up(self) -> None:
        """Turn the rows that are kept into sums."""
        if self._sums is None:
            weighted = self._kept[0].weight is not None
            self._sums = ResidualSums(weighted=weighted, threshold=self.threshold)
            self._even = ResidualSums(weighted=False, threshold=self.threshold) if weighted else None
        for b in self._kept:
            self._sums.add(b.cells, b.y, b.pred, b.weight)
            if self._even is not None and b.weight is not None and len(b.weight):
                self._weight = float(b.weight[0]) if self._weight is None else self._weight
                if (b.weight == self._weight).all():
                    self._even.add(b.cells, b.y, b.pred, None)
                else:
                    self._even = None
        self._kept = []

    @property
    def exact(self) -> bool:
        """Whether rows are kept. Else quantiles, the median of predictions and standard errors come from bins of
        near values (`stats/floatbins.py`), and the standard error of R² is an upper bound."""
        return self._sums is None

    def by_group(self, of_cell: IntArray, k: int) -> list[RegressionFit]:
        """The metrics of groups 0 … k − 1; `of_cell` (n_cells,) is the group of each cell, −1 for none."""
        if self._sums is None and self.n > self.exact_rows and self._rows.unit is None:
            self._add_up()
        if self._sums is not None:
            return (self._even or self._sums).by_group(of_cell, k)
        rows = self._rows
        centres = [_about(x, rows) for x in _measured(rows)]
        return [self._fit(rows.take(part), centres) for part in self._parts(of_cell, k)]

    def sums(self, of_cell: IntArray, k: int, metrics: Sequence[str]) -> dict[str, list[Sums]]:
        """The sums of some of MEANS in groups 0 … k − 1 alone; `of_cell` as in `by_group`."""
        if self._sums is None and self.n > self.exact_rows and self._rows.unit is None:
            self._add_up()
        if self._sums is not None:
            return (self._even or self._sums).sums(of_cell, k, metrics)
        rows = self._rows
        measured = dict(zip(MEANS, _measured(rows), strict=True))
        centres = {name: _about(measured[name], rows) for name in metrics}
        found: dict[str, list[Sums]] = {name: [] for name in metrics}
        for part in self._parts(of_cell, k):
            weight = None if rows.weight is None else rows.weight[part]
            unit = None if rows.unit is None else np.unique(rows.unit[part], return_inverse=True)[1].astype(np.int64)
            for name in metrics:
                found[name].append(sums_of(measured[name][part], weight, unit, centres[name]))
        return found

    def _parts(self, of_cell: IntArray, k: int) -> list[NDArray[np.intp]]:
        """The rows of each group."""
        # Small whole numbers are sorted several times as fast.
        group = of_cell[self._rows.cells].astype(np.int16 if k < 1 << 15 else np.int64)
        order = np.argsort(group, kind="stable")
        ends = np.searchsorted(group[order], np.arange(k + 1))
        return [order[a:b] for a, b in pairwise(ends)]

    def about_mean(self) -> tuple[float, float]:
        """Mean absolute and mean squared distance of the outcomes from their mean, weighted where rows are."""
        if self._sums is not None:
            return self._sums.about_mean()
        rows = self._rows
        far, w = rows.y - _about(rows.y, rows), rows.w
        return float((w * np.abs(far)).sum() / w.sum()), float((w * far * far).sum() / w.sum())

    @cached_property
    def _rows(self) -> _Rows:
        if not self._kept:
            none = np.empty(0)
            return _Rows(np.empty(0, np.int64), none, none, None, None)
        y, pred = (np.concatenate(c) for c in ([b.y for b in self._kept], [b.pred for b in self._kept]))
        cells = np.concatenate([b.cells for b in self._kept])
        weights = [b.weight for b in self._kept if b.weight is not None]
        clusters = [b.cluster for b in self._kept if b.cluster is not None]
        weight = np.concatenate(weights) if weights else None
        if weight is not None and weight.min() == weight.max():
            weight = None
        unit: IntArray | None = None
        if clusters:
            found, codes = np.unique(np.concatenate(clusters), return_inverse=True)
            unit = None if len(found) == len(codes) else codes.astype(np.int64)
        keys = [k for k in (unit, weight, pred, y, pred - y) if k is not None]
        order = np.lexsort(keys)
        return _Rows(cells.astype(np.int64), y + 0.0, pred + 0.0, weight, unit).take(order)

    @cached_property
    def _median(self) -> float:
        rows = self._rows
        order = np.argsort(rows.pred, kind="stable")
        plain = None if rows.weight is None else 0.0
        return quantile(rows.pred[order], rows.w[order], Fraction(1, 2), variance=plain).estimate.value or 0.0

    def _fit(self, rows: _Rows, centres: Sequence[float]) -> RegressionFit:
        found = {name: sums_of(x, rows.weight, rows.unit, c)
                 for name, x, c in zip(MEANS, _measured(rows), centres, strict=True)}
        found["share_above_median"] = sums_of((rows.pred > self._median).astype(np.float64), rows.weight, rows.unit)
        if self.threshold is not None:
            above = (rows.pred >= self.threshold).astype(np.float64)
            found["share_above_threshold"] = sums_of(above, rows.weight, rows.unit)
        plain = self._rows.weight is None and self._rows.unit is None
        return RegressionFit(len(rows.y), plain, found, _r2(rows), _quantiles(rows, plain))


def _measured(rows: _Rows) -> tuple[Floats, Floats, Floats, Floats]:
    residual = rows.pred - rows.y
    return rows.pred, residual, np.abs(residual), residual * residual


def _about(x: Floats, rows: _Rows) -> float:
    """The weighted mean of x, 0 without rows."""
    w = rows.w
    return float((x * w).sum() / w.sum()) if len(x) else 0.0


def _r2(rows: _Rows) -> Estimate:
    """1 − Σw·residual² / Σw·(outcome − mean)²; se by linearisation, n − 1 in place of n."""
    if not len(rows.y):
        return undefined(NO_ROWS)
    w = rows.w
    far = (rows.y - _about(rows.y, rows)) ** 2
    if rows.y.min() == rows.y.max():
        return undefined(ONE_OUTCOME)
    residual = rows.pred - rows.y
    total, spread = float(w.sum()), float((w * far).sum())
    value = 1 - float((w * residual * residual).sum()) / spread
    units = rows.squares(np.ones(len(w)))
    few = too_few(len(w), total * total / units)
    free = 1 - units / (total * total)
    if free <= 1e-12:
        return Estimate(value, None, "identity", "too_few", few)
    se = math.sqrt(rows.squares(residual * residual - (1 - value) * far) / free) / spread
    return Estimate(value, se, "identity", "too_few" if few else "ok", few)


def _quantiles(rows: _Rows, plain: bool) -> dict[str, Quantile]:
    x, w = rows.pred - rows.y, rows.w
    found = {}
    for name, share in QUANTILES.items():
        variance = None
        if not plain and len(x):
            middle = quantile(x, w, share, variance=0.0).estimate.value or 0.0
            below = (x <= middle).astype(np.float64) - float(share)
            variance = rows.squares(below) / float(w.sum()) ** 2
        found[name] = quantile(x, w, share, variance=variance)
    return found
