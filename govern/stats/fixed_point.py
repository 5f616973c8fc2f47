"""Weights as whole numbers of a few units: their sums are exact, so that the order of rows changes no bit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# Each part of a number below 2⁴⁰ is below 2²⁶, so that 2²⁷ of them add up exactly in a float. Weights that add up to 1
# over 10⁸ rows, and their squares, are still held to 2⁻³⁷ of their size.
UNITS = (2.0**14, 2.0**-12, 2.0**-38, 2.0**-64, 2.0**-90)


def in_units(values: Floats) -> list[Floats]:
    """Numbers of 0 or more as whole numbers of each unit, from the largest on, each of what those before it leave."""
    parts, rest = [], values
    for unit in UNITS[:-1]:
        parts.append(np.floor(rest / unit))
        rest = rest - parts[-1] * unit
    return [*parts, np.rint(rest / UNITS[-1])]


def from_units(parts: Sequence[NDArray[np.float64] | NDArray[np.int64]]) -> Floats:
    """Numbers from whole numbers of each unit, in the order of `in_units`."""
    total = np.zeros(len(parts[0]))
    for part, unit in zip(reversed(parts), reversed(UNITS), strict=True):
        total += part * unit
    return total
