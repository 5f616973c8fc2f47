"""Calibration of probabilities: bins of equal mass, a debiased error, a test, and the parts of the Brier score."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from govern.stats.estimate import Estimate
from govern.stats.intervals import Pair, chi2_sf, transformed
from govern.stats.means import Share, effective_rows
from govern.stats.ranked import NOTHING, FloatArray, IntArray, Ranked, Repeats
from govern.stats.score_means import too_few_rows

BINS = 15
ROWS_IN_BIN = 10
EXPECTED = 5.0
ALPHA = 0.025
FEW_EVENTS = "too few expected events for a test"
NO_TEST_OF_REPEATS = "rows repeat persons, and the test is for independent rows"


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows of neighbouring scores: how many, their mean score and the observed rate of the positive label."""

    n: int
    mean_score: float
    observed: float


@dataclass(frozen=True, slots=True)
class BrierParts:
    """The Brier score as reliability − resolution + uncertainty + within, each over the calibration bins.

    reliability: mean squared gap of mean score and observed rate (0 to 1, lower is better); resolution: mean
    squared distance of the observed rates from the overall rate (0 to ¼); uncertainty: rate · (1 − rate); within:
    what scores that differ inside a bin add, their variance minus twice their covariance with the label. The
    first two are plug-in values, too high in small samples.

    `bounds` are 95 % bounds of the first three, empty below 30 rows: of reliability the squares of those of the
    calibration error, its debiased root; of resolution normal ones of the debiased
    Σ w ((rate − overall rate)² − v (1 − w)), with the variance of the calibration error's T; both reach up to the
    plug-in value where that lies above. Of uncertainty they are those of the overall rate.
    Source: Murphy 1973, J. Appl. Meteorol. 12:595–600; within: Stephenson, Coelho & Jolliffe 2008, Weather and
    Forecasting 23:752–757; debiasing: Bröcker 2012, Clim. Dyn. 39:655–667; Ferro & Fricker 2012, QJRMS 138:1954–1960.
    """

    reliability: float
    resolution: float
    uncertainty: float
    within: float
    bounds: Mapping[str, Pair]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Calibration error, p-value of perfect calibration (None: `p_reason` says why), bins, parts of Brier.

    Where scores are not probabilities there is only the reason.
    """

    error: Estimate
    p_value: float | None
    p_reason: str | None
    bins: tuple[Bin, ...]
    brier: BrierParts | None


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums over a bin: rows, Σw, Σwy, Σws, Σws², Σwsy; those with w²: Σw², Σw²y, Σw²s, Σw²(y − s)², Σw²s(1 − s).

    The last is the variance of Σw(y − s) if the scores are right. `parts` counts the bins it was joined from.
    """

    n: float
    w: float
    y: float
    s: float
    ss: float
    sy: float
    w2: float
    y2: float
    s2: float
    squares2: float
    implied: float
    parts: int = 1

    def plus(self, other: _Sums) -> _Sums:
        """The sums of both bins together."""
        return _Sums(*(getattr(self, k) + getattr(other, k) for k in _Sums.__slots__))

    @property
    def gap(self) -> float:
        """Observed rate − mean score."""
        return (self.y - self.s) / self.w

    @property
    def expected(self) -> tuple[float, float]:
        """Positive and other labels the scores expect, in effective rows (rows without weights)."""
        scale = self.w / self.w2 if self.w2 else 0.0
        return self.s * scale, (self.w - self.s) * scale


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
    With weights mass, shares, gaps and v are weighted and rows that decide on sizes are effective rows. Where rows
    repeat persons v comes from the sums of persons, Var T also holds the covariances of the bins, and there is no
    p-value.
    Source: debiasing Kumar, Liang & Ma 2019, NeurIPS 32 (Verified uncertainty calibration); test after Hosmer
    & Lemeshow 1980, Comm. Stat. A 9:1043–1069; joining Cochran 1954, Biometrics 10:417–451.
    """
    to, sums = _binned(r, bins)
    two = _joined(sums, lambda b: b.n >= 2 and b.w > 0)
    found = tuple(Bin(int(b.n), b.s / b.w, b.y / b.w) for b in two)
    error = _error(two, r, _covariance(two, to, r, r.repeats) if r.repeats else None)
    p_value = _p_value(sums) if r.repeats is None else None
    reason = None if p_value is not None else FEW_EVENTS if r.repeats is None else NO_TEST_OF_REPEATS
    return Calibration(error, p_value, reason, found, _brier_parts(two, to, r, error))


def _binned(r: Ranked, bins: int) -> tuple[IntArray, list[_Sums]]:
    """The bin of each distinct score, numbered from 0 without gaps, and the sums of each bin."""
    mass = r.pos + r.neg
    total = r.positive + r.negative
    wanted = max(1, min(bins, int(r.effective[2] + 1e-9) // ROWS_IN_BIN))
    # A distinct score goes where the middle of its rows falls: whole numbers without weights, so ties stay together.
    through = np.cumsum(mass)
    to = (wanted * (2 * through - mass) // (2 * total)).clip(0, wanted - 1)
    to = to.astype(np.int64)
    s, one = r.score, 1 - r.score
    w2 = r.pos2 + r.neg2
    each = np.column_stack([r.rows, mass, r.pos, mass * s, mass * s * s, r.pos * s, w2, r.pos2, w2 * s,
                            r.pos2 * one**2 + r.neg2 * s**2, w2 * s * one])
    new = np.diff(to, prepend=-1) != 0
    sums = np.add.reduceat(each, np.flatnonzero(new), axis=0)
    return np.cumsum(new) - 1, [_Sums(*row) for row in sums.tolist()]


def _joined(sums: list[_Sums], enough: Callable[[_Sums], bool]) -> list[_Sums]:
    """Neighbours added up until each sum is `enough`; what is left at the end joins the last one."""
    out: list[_Sums] = []
    open_: _Sums | None = None
    for row in sums:
        open_ = row if open_ is None else open_.plus(row)
        if enough(open_):
            out.append(open_)
            open_ = None
    if open_ is not None:
        out.append(out.pop().plus(open_) if out else open_)
    return out


def _error(bins: list[_Sums], r: Ranked, covariance: tuple[FloatArray, FloatArray] | None) -> Estimate:
    noise, units = covariance or _independent(bins)
    spread = [max(float(noise[i, i]), b.implied * (units[i] / b.w2) / b.w / b.w) for i, b in enumerate(bins)]
    shares = np.array([b.w for b in bins]) / (r.positive + r.negative)
    total, variance = _squared(shares, np.array([b.gap for b in bins]), noise, np.array(spread),
                               float((shares * np.diag(noise)).sum()))
    value, se = math.sqrt(max(total, 0.0)), math.sqrt(variance)
    few = too_few_rows(r)
    return Estimate(value, se, "square", "too_few" if few else "ok", few)


def _squared(share: FloatArray, off: FloatArray, noise: FloatArray, spread: FloatArray, chance: float
             ) -> tuple[float, float]:
    """Σ share · off² without what chance adds to it, and its variance, for `off` (k,) with covariances `noise` (k, k)
    and variances `spread` (k,) that are surely not too small: Σ share² (2 v² + 4 v δ²), the covariances likewise."""
    beyond = np.maximum(off**2 - np.diag(noise), 0.0)
    variance = float((share**2 * (2 * spread**2 + 4 * spread * beyond)).sum())
    apart = noise - np.diag(np.diag(noise))
    if apart.any():
        true = np.copysign(np.sqrt(beyond), off)
        joint = 2 * apart**2 + 4 * apart * np.outer(true, true)
        variance = max(variance, variance + float(np.einsum("i,ij,j->", share, joint, share)))
    return float((share * off**2).sum()) - chance, variance


def _independent(bins: list[_Sums]) -> tuple[FloatArray, FloatArray]:
    """As `_covariance`, of rows that are independent."""
    noise = []
    for b in bins:
        gap, free = b.gap, b.w - b.w2 / b.w
        # Σw²(y − s − gap)²; the last term, what weights that go with y − s add, is exactly 0 without weights.
        uneven = (b.y2 - b.s2) - b.w2 / b.w * (b.y - b.s)
        squares = b.squares2 - b.w2 * gap * gap - 2 * gap * uneven
        noise.append(max(0.0, squares) / b.w / free if free > NOTHING * b.w else 0.0)
    return np.diag(noise), np.array([b.w2 for b in bins])


def _covariance(bins: list[_Sums], to: IntArray, r: Ranked, rows: Repeats, *, of_rates: bool = False
                ) -> tuple[FloatArray, FloatArray]:
    """Covariances of the gaps (or of the observed rates) of the joined bins, (n_bins, n_bins), from the sums of each
    person in each bin, and Σ over persons of (Σw)² in each bin, (n_bins,)."""
    joined = np.repeat(np.arange(len(bins)), [b.parts for b in bins])[to]
    k = len(bins)
    centre, w = np.array([b.y / b.w if of_rates else b.gap for b in bins]), np.array([b.w for b in bins])
    bin_ = joined[rows.place]
    off = rows.w * (rows.y - (0.0 if of_rates else r.score[rows.place]) - centre[bin_])
    persons, person = np.unique(rows.unit, return_inverse=True)
    code = person * k + bin_
    sums = np.bincount(code, off, len(persons) * k).reshape(-1, k) / w
    mass = np.bincount(code, rows.w, len(persons) * k).reshape(-1, k) / w
    # Σw / (Σw − units/Σw), as in a variance with n − 1; a bin of one person says nothing of its own noise.
    units = (mass**2).sum(axis=0)
    free = 1 - units
    scale = np.where(free > 1e-12, 1 / np.sqrt(np.where(free > 1e-12, free, 1.0)), 0.0)
    # einsum, not a matrix product: that may depend on the number of threads.
    return np.asarray(np.einsum("ij,ik->jk", sums, sums) * np.outer(scale, scale), np.float64), units * w * w


def _p_value(sums: list[_Sums]) -> float | None:
    bins = _joined(sums, lambda b: min(b.expected) >= EXPECTED)
    if min(bins[0].expected) < EXPECTED:
        return None
    # Scores of exactly 0 and 1 imply no variance: any gap then refutes them.
    terms = (0.0 if b.y == b.s else (b.y - b.s) ** 2 / b.implied if b.implied else math.inf for b in bins)
    return chi2_sf(math.fsum(terms), len(bins))


def _brier_parts(bins: list[_Sums], to: IntArray, r: Ranked, error: Estimate) -> BrierParts:
    n = math.fsum(b.w for b in bins)
    mean = math.fsum(b.y for b in bins) / n
    reliability = math.fsum(b.w * b.gap**2 for b in bins) / n
    resolution = math.fsum(b.w * (b.y / b.w - mean) ** 2 for b in bins) / n
    within = math.fsum(b.ss - b.s * b.s / b.w - 2 * (b.sy - b.s * b.y / b.w) for b in bins) / n
    bounds = {}
    if error.status == "ok" and error.value is not None and error.se is not None:
        low, high = transformed(error.value, error.se, error.transform, ALPHA)
        bounds = {"reliability": (low * low, min(1.0, max(high * high, reliability))),
                  "resolution": _of_resolution(bins, to, r, mean, resolution), "uncertainty": _of_uncertainty(r)}
    return BrierParts(reliability, resolution, mean * (1 - mean), within, bounds)


def _of_resolution(bins: list[_Sums], to: IntArray, r: Ranked, mean: float, resolution: float) -> Pair:
    if r.repeats is not None:
        noise, units = _covariance(bins, to, r, r.repeats, of_rates=True)
    else:
        own = [(b.w - b.w2 / b.w, b.y2 * (1 - b.y / b.w) ** 2 + (b.w2 - b.y2) * (b.y / b.w) ** 2) for b in bins]
        noise = np.diag([max(0.0, squares) / b.w / free if free > NOTHING * b.w else 0.0
                         for b, (free, squares) in zip(bins, own, strict=True)])
        units = np.array([b.w2 for b in bins])
    w, y = np.array([b.w for b in bins]), np.array([b.y for b in bins])
    # Half an effective row more with either label, so that a bin of equal labels is not taken as certain.
    rows = w * w / units
    rates = (y / w * rows + 0.5) / (rows + 1)
    spread = np.maximum(np.diag(noise), rates * (1 - rates) / rows)
    share = w / w.sum()
    chance = float((share * np.diag(noise)).sum() - np.einsum("i,ij,j->", share, noise, share))
    total, variance = _squared(share, y / w - mean, noise, spread, chance)
    reach = NormalDist().inv_cdf(1 - ALPHA) * math.sqrt(variance)
    return max(0.0, min(total - reach, resolution)), max(total + reach, resolution)


def _of_uncertainty(r: Ranked) -> Pair:
    """The bounds of p (1 − p) that follow from those of the rate p."""
    n = r.positive + r.negative
    p = r.positive / n
    plain = r.repeats is None and r.positive == r.n_positive and n == r.n
    variance = r.squares(np.full(len(r.score), 1 - p), np.full(len(r.score), -p)) / (n * n)
    low, high = Share(r.positive, n, None if plain else effective_rows(p, variance, n, r.units[2])).bounds(ALPHA)
    ends = (low * (1 - low), high * (1 - high))
    return min(ends), 0.25 if low <= 0.5 <= high else max(ends)
