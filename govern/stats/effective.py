"""Weighted rates from confusion cells: how many independent rows would make them as sure. Standard library only."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from itertools import combinations_with_replacement

CELLS = ("tp", "fp", "fn", "tn")
# Places of the ten stored products: tp·tp, tp·fp … tn·tn.
PLACES = {pair: place for place, pair in enumerate(combinations_with_replacement(range(4), 2))}


def effective_rows(sums: Sequence[float], moments: Sequence[float], numerator: Collection[str],
                   denominator: Collection[str]) -> float:
    """Rows that, each independent and counted once, would give the rate numerator / denominator its variance.

    `sums` (4,) are Σ of weights of tp, fp, fn, tn; `moments` (10,) the sums of products of the units' cell sums
    (see `evidence.Sampling`); `numerator` and `denominator` name cells. With p the rate and var its linearised
    variance, p(1 − p)/var; where p is 0 or 1, or no variance is left to see, (Σw)² / Σw² of the denominator.
    0 for a denominator without weight.
    Source: Binder 1983, Int. Stat. Rev. 51:279–292, for var; Kish 1965, Survey Sampling, section 8.2.
    """
    top = math.fsum(s for s, cell in zip(sums, CELLS, strict=True) if cell in numerator)
    bottom = math.fsum(s for s, cell in zip(sums, CELLS, strict=True) if cell in denominator)
    if bottom <= 0:
        return 0.0
    p = top / bottom
    ones = [float(cell in denominator) for cell in CELLS]
    spread = quadratic(ones, moments)
    if 0 < p < 1:
        variance = quadratic([((cell in numerator) - p * one) / bottom for cell, one in zip(CELLS, ones, strict=True)],
                             moments)
        # Rounding leaves about 1e-16 of the terms that cancel: less than that is no variance at all.
        if variance > 1e-14 * spread / (bottom * bottom):
            return p * (1 - p) / variance
    return bottom * bottom / spread if spread > 0 else 0.0


def quadratic(gradient: Sequence[float], moments: Sequence[float]) -> float:
    """gradientᵀ · M · gradient for the symmetric M (4, 4) whose ten products are `moments`."""
    terms = ((1 if a == b else 2) * gradient[a] * gradient[b] * moments[place] for (a, b), place in PLACES.items())
    return math.fsum(terms)
