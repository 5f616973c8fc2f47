"""The points of curves as text: the table beside a picture."""

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
    """Some of the points of a curve of shares, in percent: `5 31, 20 55`; none is made up between two."""
    return ", ".join(f"{_whole(x)} {_whole(y)}" for x, y in (curve[i] for i in evenly(len(curve), shown)))


def shares(curve: Sequence[tuple[float, float]], at: Sequence[float]) -> str:
    """The shares of a curve at some of its places, in percent: `31 · 55`; `–` where it has none."""
    found = dict(curve)
    return SEPARATOR.join(_whole(found[x]) if x in found else "–" for x in at)


def places(at: Sequence[float]) -> str:
    """Places of an axis one after the other: `0.05 · 0.20`."""
    return SEPARATOR.join(decimal(x, DIGITS) for x in at)


def _whole(share: float) -> str:
    return decimal(100 * share, 0)
