"""Numbers as people read them: the same number looks the same on the card and in the terminal.

A number shown beside a bound never contradicts the decision: where rounding would bring it onto the
bound or across it, more digits are printed.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import floor, log10

from govern.formats.strings import Strings, strings

MINUS = "\u2212"
DIGITS = 3
MOST_DIGITS = 12


def count(n: int | float) -> str:
    """A number of things, with thousands separated: `24,310`."""
    return f"{round(n):,}".replace("-", MINUS)


def percent(value: float, digits: int = 1) -> str:
    """A rate (0 to 1) in percent: `68.1%`. Only 0 is shown as 0% and only 1 as 100%."""
    while digits < MOST_DIGITS and 0 < value < 1 and float(f"{100 * value:.{digits}f}") in (0.0, 100.0):
        digits += 1
    return decimal(100 * value, digits) + "%"


def level(value: float) -> str:
    """A confidence level (0 to 1): `95%`, `99.9%`."""
    return f"{100 * value:.10g}%"


def decimal(value: float, digits: int = DIGITS) -> str:
    """A number with a fixed number of decimals, thousands separated and a true minus sign; never `−0.000`."""
    text = f"{value:,.{digits}f}"
    if text.startswith("-"):
        text = MINUS + text[1:] if float(f"{value:.{digits}f}") else text[1:]
    return text


def digits_beside(values: Iterable[float | None], bounds: Iterable[float | None], digits: int = DIGITS) -> int:
    """The fewest decimals, at least `digits`, at which every value stands on its own side of every bound."""
    given = [v for v in values if v is not None]
    limits = [b for b in bounds if b is not None]
    while digits < MOST_DIGITS and any(_side(float(f"{v:.{digits}f}"), b) != _side(v, b)
                                       for v in given for b in limits):
        digits += 1
    return digits


def _side(value: float, bound: float) -> int:
    return (value > bound) - (value < bound)


def with_interval(value: float | None, low: float | None, high: float | None,
                  bounds: Iterable[float | None] = (), digits: int = DIGITS) -> str:
    """`0.896 [0.878, 0.914]`; one side only: `0.896 [at least 0.878]`; no interval: `0.896`."""
    digits = digits_beside((value, low, high), bounds, digits)
    parts = [decimal(value, digits)] if value is not None else []
    if low is not None and high is not None:
        parts.append(f"[{decimal(low, digits)}, {decimal(high, digits)}]")
    elif low is not None:
        parts.append(f"[≥ {decimal(low, digits)}]")
    elif high is not None:
        parts.append(f"[≤ {decimal(high, digits)}]")
    return " ".join(parts)


def digits_of(value: float | None, low: float | None = None, high: float | None = None) -> int:
    """Decimals (0 or more) for a number of any size: two digits of the interval's half width, else three of the
    number."""
    half = (high - low) / 2 if low is not None and high is not None else 0.0
    size, kept = (half, 1) if half > 0 else (abs(value or 0.0), DIGITS - 1)
    return min(MOST_DIGITS, max(0, kept - floor(log10(size)))) if size else 0


def amount(value: float, unit: str = "", digits: int = DIGITS, t: Strings | None = None) -> str:
    """A measured amount to about three significant digits with its unit: `4.12 ms`, `82,400 rows/s`."""
    size = abs(value)
    if value == 0 or (value == int(value) and size < 1e15):
        text = count(value)
    elif size >= 1e-4:
        text = f"{value:,.{max(0, digits - 1 - floor(log10(size)))}f}".replace("-", MINUS)
    else:
        mantissa, exponent = f"{value:.1e}".split("e")
        text = f"{mantissa.removesuffix('.0')}e{int(exponent)}".replace("-", MINUS)
    return with_unit(text, unit, t)


def with_unit(text: str, unit: str, t: Strings | None = None) -> str:
    """A number as text with its unit, in English without a catalogue: `1 row`, `2 rows`, `4.1 ms`."""
    return (t or strings())(f"unit.{unit.replace('/', '_')}", n=text) if unit else text


def amount_beside(value: float, bounds: Iterable[float | None], unit: str = "", t: Strings | None = None) -> str:
    """`amount` with as many digits as it takes to stand on its own side of the bounds."""
    limits = [b for b in bounds if b is not None]
    for digits in range(DIGITS, MOST_DIGITS):
        text = amount(value, "", digits)
        if all(_side(float(text.replace(",", "").replace(MINUS, "-")), b) == _side(value, b) for b in limits):
            break
    return with_unit(text, unit, t)


def short_digest(digest: str) -> str:
    """The first eight digits of a digest in two groups: `41ab 09e2`."""
    return f"{digest[:4]} {digest[4:8]}"
