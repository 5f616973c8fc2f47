"""Calibration of probabilities: bins of equal mass, a debiased error, a test of perfect calibration."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from govern.stats.intervals import chi2_sf
from govern.stats.ranked import Estimate, FloatArray, Ranked

BINS = 15
MIN_ROWS = 30
ROWS_IN_BIN = 10
EXPECTED = 5.0


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows of neighbouring scores: how many, their mean score and the observed rate of the positive label."""

    n: int
    mean_score: float
    observed: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Calibration error, p-value of perfect calibration (None: too few expected events) and the bins."""

    error: Estimate
    p_value: float | None
    bins: tuple[Bin, ...]


def calibration_of(r: Ranked, bins: int = BINS) -> Calibration:
    """Calibration of probabilities that have rows (the caller has checked both).

    Bins: at most `bins`, of equal mass as far as ties allow (equal scores share a bin), of about 10 rows or
    more. With the gap of bin b = observed rate − mean score, w its share of rows and v the estimated variance
    of the gap, T = Σ w (gap² − v) has mean 0 under perfect calibration and estimates the mean squared gap; v
    is the variance of the mean of label − score: the spread of scores in a bin is not taken for noise.
    The error is √max(T, 0), 0 to 1, its se is that of T (transform "square"):
    Var T = Σ w² (2 v² + 4 v δ²), δ² = max(gap² − v, 0), with the larger of the estimated variance and the one
    the scores imply, so that a bin of equal labels is not taken as certain. Too few below 30 rows.
    The p-value is that of Σ gap² / (variance implied by the scores), chi-square with one degree of freedom
    a bin, over neighbouring bins joined until each expects 5 events and 5 non-events; None when the whole
    sample expects fewer.
    Source: debiasing Kumar, Liang & Ma 2019, NeurIPS 32 (Verified uncertainty calibration); test after Hosmer
    & Lemeshow 1980, Comm. Stat. A 9:1043–1069; joining Cochran 1954, Biometrics 10:417–451.
    """
    sums = _bin_sums(r, bins)
    two = _joined(sums, lambda b: b[0] >= 2)
    found = tuple(Bin(int(b[0]), float(b[2] / b[0]), float(b[1] / b[0])) for b in two)
    return Calibration(_error(two, r.n), _p_value(sums), found)


def _bin_sums(r: Ranked, bins: int) -> FloatArray:
    """Per bin, (n_bins, 5): rows, positives, Σ score, Σ score·(1 − score), Σ (label − score)²."""
    n, rows = r.n, r.pos + r.neg
    wanted = max(1, min(bins, n // ROWS_IN_BIN))
    # A distinct score goes where the middle of its rows falls: whole numbers, so ties stay together.
    through = np.cumsum(rows)
    to = (wanted * (2 * through - rows) // (2 * n)).clip(0, wanted - 1)
    s = r.score
    each = np.column_stack([rows, r.pos, rows * s, rows * s * (1 - s), r.pos * (1 - s) ** 2 + r.neg * s**2])
    starts = np.flatnonzero(np.diff(to, prepend=-1))
    return np.asarray(np.add.reduceat(each, starts, axis=0), np.float64)


def _joined(sums: FloatArray, enough: Callable[[FloatArray], bool]) -> list[FloatArray]:
    """Neighbours added up until each sum is `enough`; what is left at the end joins the last one."""
    out: list[FloatArray] = []
    open_ = np.zeros(sums.shape[1])
    for row in sums:
        open_ = open_ + row
        if enough(open_):
            out.append(open_)
            open_ = np.zeros(sums.shape[1])
    if open_[0]:
        out.append(out.pop() + open_ if out else open_)
    return out


def _error(bins: list[FloatArray], n: int) -> Estimate:
    total = variance = 0.0
    for rows, positives, score, implied, squares in bins:
        gap = (positives - score) / rows
        w = rows / n
        noise = max(0.0, squares - rows * gap * gap) / rows / (rows - 1) if rows > 1 else 0.0
        total += w * (gap * gap - noise)
        spread = max(noise, implied / rows / rows)
        variance += w * w * (2 * spread * spread + 4 * spread * max(gap * gap - noise, 0.0))
    value, se = math.sqrt(max(total, 0.0)), math.sqrt(variance)
    if n < MIN_ROWS:
        return Estimate(value, se, "square", "too_few", f"fewer than {MIN_ROWS} rows")
    return Estimate(value, se, "square")


def _p_value(sums: FloatArray) -> float | None:
    bins = _joined(sums, lambda b: b[2] >= EXPECTED and b[0] - b[2] >= EXPECTED)
    if bins[0][2] < EXPECTED or bins[0][0] - bins[0][2] < EXPECTED:
        return None
    # Scores of exactly 0 and 1 imply no variance: any gap then refutes them.
    terms = (0.0 if b[1] == b[2] else float((b[1] - b[2]) ** 2 / b[3]) if b[3] else math.inf for b in bins)
    return chi2_sf(math.fsum(terms), len(bins))
