"""Means and shares of rows that may have weights or repeat persons, with what their variance needs.

Sums of disjoint sets of rows add up and can be taken off again, so that the rest of a group costs nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govern.stats.estimate import Estimate, undefined
from govern.stats.intervals import Pair, mover_difference, mover_ratio, rate, small_cell

MIN_ROWS = 30
NO_ROWS = "no rows"
NO_WEIGHT = "the weight of the rows is lost beside that of all others"
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Share:
    """x of n (weighted) rows; `effective` is None where every row counts once and stands for itself,
    else the number of independent rows that would make the share as sure."""

    x: float
    n: float
    effective: float | None = None

    @property
    def value(self) -> float:
        """The share, 0 to 1; only where n is not 0."""
        return self.x / self.n

    @property
    def sample(self) -> tuple[float, float]:
        """(x, n) of independent rows that would make the share as sure: what closed forms take."""
        return (self.x, self.n) if self.effective is None else (self.value * self.effective, self.effective)

    def bounds(self, alpha: float) -> Pair:
        """Bounds of the share for reading, each at the one-sided error `alpha`; only where n is not 0."""
        return rate(*self.sample, alpha)

    @property
    def method(self) -> str:
        """What `bounds` are: jeffreys in a small cell, else wilson."""
        return "jeffreys" if small_cell(*self.sample) else "wilson"


def difference_bounds(a: Share, b: Share, alpha: float) -> Pair:
    """Bounds of a − b for reading, from those of the two shares; both have rows."""
    return mover_difference(a.value, a.bounds(alpha), b.value, b.bounds(alpha))


def ratio_bounds(a: Share, b: Share, alpha: float) -> Pair:
    """Bounds of a / b for reading, from those of the two shares; b is not 0."""
    return mover_ratio(a.value, a.bounds(alpha), b.value, b.bounds(alpha))


def pair_method(name: str, a: Share, b: Share) -> str:
    """The name of such bounds, with that of the small cell's where there is one."""
    return name if a.method == b.method == "wilson" else f"{name}, jeffreys"


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over `n` rows of a number x, held against `centre`.

    `w` is Σ weight, `wx` Σ weight · (x − centre). With u and v the two sums over one independent unit (a row, or a
    person where rows repeat persons), `uu`, `uv` and `vv` are Σ u², Σ u·v and Σ v² over the units.
    """

    n: int
    w: float
    wx: float
    uu: float
    uv: float
    vv: float
    centre: float = 0.0

    def without(self, part: Sums) -> Sums:
        """The sums over the rows that are not in `part`, which has the same centre; exact for whole numbers.

        Where a person has rows on both sides, the products of her two sums are missing.
        """
        return Sums(self.n - part.n, self.w - part.w, self.wx - part.wx, self.uu - part.uu, self.uv - part.uv,
                    self.vv - part.vv, self.centre)

    def squares(self, mean: float) -> float:
        """Σ over units of (Σ weight · (x − mean))², at least 0."""
        d = mean - self.centre
        return max(0.0, self.vv - 2 * d * self.uv + d * d * self.uu)

    def mean(self) -> Estimate:
        """The mean of x in its own unit, with the standard error of a mean (n − 1 in place of n).

        Undefined without rows; too few below 30 rows or effective rows, (Σw)² / Σu².
        Source: Binder 1983, Int. Stat. Rev. 51:279–292 (linearised variance); Kish 1965, Survey Sampling, 8.2.
        """
        if not self.n or not self.w > 0:
            return undefined(NO_ROWS)
        if not self.uu > 0:
            return undefined(NO_WEIGHT)
        value = self.centre + self.wx / self.w
        few = too_few(self.n, self.w * self.w / self.uu)
        free = self.w - self.uu / self.w
        if self.n < 2 or not free > 1e-12 * self.w:
            return Estimate(value, None, "identity", "too_few", few or "all rows repeat one person")
        se = math.sqrt(self.squares(value) / free / self.w)
        return Estimate(value, se, "identity", "too_few" if few else "ok", few)

    def share(self, *, plain: bool) -> Share:
        """The mean of an x that is 0 or 1 (centre 0) as a share; `plain`: every row counts once.

        Effective rows: p(1 − p) / variance, and at p of 0 or 1 (Σw)² / Σu². Source: as `mean`.
        """
        if plain:
            return Share(round(self.wx), round(self.w))
        if not self.n or not self.w > 0 or not self.uu > 0:
            return Share(0.0, 0.0, 0.0)
        p = min(1.0, max(0.0, self.wx / self.w))
        return Share(p * self.w, self.w, effective_rows(p, self.squares(p) / self.w**2, self.w, self.uu))


def effective_rows(p: float, variance: float, w: float, uu: float) -> float:
    """Independent rows that give a share p (0 to 1) its variance: p(1 − p) / variance; (Σw)² / Σu² at p of 0 or 1,
    or where no variance is left to see. `w` > 0 is Σ weight, `uu` > 0 the Σ over units of their squared weight."""
    if 0 < p < 1 and variance > 1e-14 * uu / (w * w):
        return p * (1 - p) / variance
    return w * w / uu


def too_few(n: int, effective: float) -> str | None:
    """Why there is no interval of a mean of `n` rows, fewer than 30 or effectively so; else None."""
    if n < MIN_ROWS:
        return f"fewer than {MIN_ROWS} rows"
    # A hair below, so that rounding of weights that are nearly equal does not decide.
    if effective < MIN_ROWS * (1 - 1e-9):
        return f"weights or repeated persons leave fewer than {MIN_ROWS} effective rows"
    return None


def sums_of(x: Floats, weight: Floats | None, unit: NDArray[np.int64] | None, centre: float = 0.0) -> Sums:
    """The sums over rows x (n,), their weights (n,) or 1, and their persons' codes (n,), or each a person of its
    own. Depends on the order of the rows in the last bits: give them in one that follows from their values."""
    n = len(x)
    d = x - centre
    u = np.ones(n) if weight is None else weight
    v = d if weight is None else d * weight
    w, wx = float(u.sum()), float(v.sum())
    if unit is not None and n:
        u, v = (np.bincount(unit, a).astype(np.float64) for a in (u, v))
    return Sums(n, w, wx, float((u * u).sum()), float((u * v).sum()), float((v * v).sum()), centre)
