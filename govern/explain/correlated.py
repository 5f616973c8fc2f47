"""Pairs of features so alike that how a contribution is split between them is arbitrary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from govern.explain.attributions import rank_correlation, standard_ranks
from govern.explanations import Correlated

FEATURES: Final = 30
ALIKE: Final = 0.7
CLASSES: Final = 5
FEWEST: Final = 30
RANKS, TABLE = "absolute rank correlation", "Cramér's V"

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


def correlated(features: Sequence[str], numbers: Mapping[str, Floats], codes: Mapping[str, Codes]
               ) -> tuple[Correlated, ...]:
    """Pairs of `features` at 0.7 or more, the strongest first: of two numeric ones the absolute rank correlation, else
    Cramér's V, numbers being cut into five classes of equal size.

    `numbers` are the (n_rows,) values of numeric features, NaN where missing, `codes` the (n_rows,) levels of the
    others, −1 where missing. A pair known together in fewer than 30 rows is left out.
    Source: Dormann et al. 2013, Ecography 36:27–46, for 0.7; Bergsma 2013, J. Korean Stat. Soc. 42:323–328.
    """
    found = []
    ranks = {f: standard_ranks(numbers[f][:, None])[:, 0] for f in features
             if f in numbers and len(numbers[f]) >= FEWEST and not np.isnan(numbers[f]).any()}
    for first, second in combinations(features, 2):
        value: float | None
        if first in ranks and second in ranks:
            value, measure = abs(float((ranks[first] * ranks[second]).sum())), RANKS
        elif first in numbers and second in numbers:
            value, measure = _ranks(numbers[first], numbers[second]), RANKS
        else:
            a, b = (_classes(numbers[f]) if f in numbers else codes[f] for f in (first, second))
            value, measure = cramers_v(a, b), TABLE
        if value is not None and value >= ALIKE:
            found.append(Correlated(first, second, min(1.0, value), measure))
    return tuple(sorted(found, key=lambda c: (-c.value, c.first, c.second)))


def _ranks(x: Floats, y: Floats) -> float | None:
    known = ~(np.isnan(x) | np.isnan(y))
    if known.sum() < FEWEST:
        return None
    value = rank_correlation(x[known], y[known])
    return None if value is None else abs(value)


def cramers_v(a: Codes, b: Codes) -> float | None:
    """Cramér's V, 0 to 1, of two coded features, less what chance alone makes of it; None where either has one level
    or too few rows know both.
    Source: Bergsma 2013, equation 3.
    """
    known = (a >= 0) & (b >= 0)
    n = int(known.sum())
    if n < FEWEST:
        return None
    a, b = (np.unique(v[known], return_inverse=True)[1] for v in (a, b))
    r, c = int(a.max()) + 1, int(b.max()) + 1
    if min(r, c) < 2:
        return None
    table = np.bincount(a * c + b, minlength=r * c).reshape(r, c)
    expected = table.sum(axis=1)[:, None] * table.sum(axis=0) / n
    phi = float(((table - expected) ** 2 / expected).sum()) / n
    phi = max(0.0, phi - (r - 1) * (c - 1) / (n - 1))
    few = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1))
    return float(min(1.0, np.sqrt(phi / (few - 1)))) if few > 1 else None


def _classes(x: Floats) -> Codes:
    """Five classes of equal size, fewer where values repeat, −1 where missing, (n_rows,)."""
    known = ~np.isnan(x)
    codes = np.full(len(x), -1, np.int64)
    if known.any():
        ordered = np.sort(x[known])
        ends = ordered[[len(ordered) * i // CLASSES for i in range(1, CLASSES)]]
        codes[known] = np.searchsorted(np.unique(ends), x[known], side="right")
    return codes
