"""The points of a curve as text: the table beside a picture."""

from __future__ import annotations

from collections.abc import Sequence

from govern.formats.numbers import decimal

SHOWN = 6
DIGITS = 2
SEPARATOR = " · "


def evenly(n: int, shown: int = SHOWN) -> list[int]:
    """At most `shown` of the places 0 … n − 1, spread evenly, the ends among them."""
    return sorted({round(i * (n - 1) / (shown - 1)) for i in range(shown)}) if n > 1 else list(range(n))


def points(curve: Sequence[tuple[float, float]], shown: int = SHOWN) -> str:
    """Some of the points of a curve: `0.05 0.31 · 0.20 0.55`; none is made up between two."""
    return SEPARATOR.join(f"{decimal(x, DIGITS)} {decimal(y, DIGITS)}"
                          for x, y in (curve[i] for i in evenly(len(curve), shown)))
