"""How far two distributions lie apart: the population stability index over bins or levels. Standard library only."""

from __future__ import annotations

import math
import struct
from bisect import bisect_right
from collections.abc import Sequence

from govern.dataset import Column

CELLS = 10
MOST_BITS = 63


def shared(a: Column, b: Column) -> tuple[list[int], list[int]] | None:
    """The rows of two columns in common cells, those of `a`, the reference, first; None where they have none in common:
    numbers against texts, or more levels than are counted.

    Numbers: the bins of the coarser column, joined into about 10 of equal mass of the reference, the outer ones open;
    where the reference has no rows and the other a tenth of its own, they are a cell too. Else: the levels whose rows
    are known of both, and one cell for all others. Missing values are a cell where either has some.
    """
    kinds = {c.kind for c in (a, b) if c.distinct != 0}  # a column without any value has no kind
    if kinds <= {"number"}:
        one, two = _by_bins(a, b)
    elif "number" in kinds or a.distinct is None or b.distinct is None:
        return None
    else:
        one, two = _by_levels(a, b)
    cells = [(x, y) for x, y in zip([*one, a.missing], [*two, b.missing], strict=True) if x or y]
    one, two = [x for x, _ in cells], [y for _, y in cells]
    return (one, two) if sum(one) and sum(two) else None


def stability(reference: Sequence[int], counts: Sequence[int]) -> float:
    """Σ (q − p) · ln(q / p) over cells, p of the reference, ½ added to each cell: 0 for equal shares, no upper end.

    Source: Siddiqi 2006, Credit Risk Scorecards; ½: Haldane 1956, Ann. Hum. Genet. 20:309–311.
    """
    p, q = (_shares(c) for c in (reference, counts))
    return math.fsum((y - x) * math.log(y / x) for x, y in zip(p, q, strict=True))


def stability_of_shares(shares: Sequence[float], counts: Sequence[float]) -> float:
    """As `stability`, the reference being known shares greater than 0, which are brought to a sum of 1."""
    total = math.fsum(shares)
    return math.fsum((y - x / total) * math.log(y * total / x) for x, y in zip(shares, _shares(counts), strict=True))


def expected(reference: Sequence[int], counts: Sequence[int]) -> float:
    """The mean of `stability` of two samples of these sizes when nothing moved: (k − 1)(1/n₁ + 1/n₂), k cells that
    have rows. Its standard deviation is then √(2 / (k − 1)) of that.

    Source: Yurdakul 2018, Statistical Properties of Population Stability Index, Western Michigan University.
    """
    k = sum(1 for x, y in zip(reference, counts, strict=True) if x or y)
    return (k - 1) * (1 / sum(reference) + 1 / sum(counts))


def _shares(counts: Sequence[float]) -> list[float]:
    total = math.fsum(counts) + len(counts) / 2
    return [(c + 0.5) / total for c in counts]


def _by_levels(a: Column, b: Column) -> tuple[list[int], list[int]]:
    one, two = ({level.value: level.n for level in c.levels} for c in (a, b))
    # A level that a column does not list has no rows there, unless some rows have levels that are not listed.
    known = sorted(v for v in one.keys() | two.keys() if (v in one or not a.others) and (v in two or not b.others))
    cells = [[found.get(v, 0) for v in known] for found in (one, two)]
    rest = [sum(found.values()) - sum(cell) + column.others
            for found, cell, column in zip((one, two), cells, (a, b), strict=True)]
    return [*cells[0], rest[0]], [*cells[1], rest[1]]


def _by_bins(a: Column, b: Column) -> tuple[list[int], list[int]]:
    bits = max(_bits(a), _bits(b))
    # An end that the coarser bins have too never falls inside a bin.
    ends = sorted({x.low for x in (*a.bins, *b.bins) if _zeros(x.low) >= bits})
    cells: list[list[int]] = []
    for column in (a, b):
        n = [0] * (len(ends) + 1)
        for x in column.bins:
            n[bisect_right(ends, x.low)] += x.n
        cells.append(n)
    return _joined(*cells)


def _joined(reference: list[int], counts: list[int]) -> tuple[list[int], list[int]]:
    """Neighbouring cells joined until each has a tenth of the reference, or a tenth of the other and none of it."""
    total, other = sum(reference), sum(counts)
    left, left_other = total, other
    one, two = [0], [0]
    for x, y in zip(reference, counts, strict=True):
        full = one[-1] * CELLS >= total if one[-1] else two[-1] * CELLS >= other and two[-1]
        if full and (left or left_other * CELLS >= other):
            one.append(0)
            two.append(0)
        one[-1] += x
        two[-1] += y
        left -= x
        left_other -= y
    return one, two


def _bits(column: Column) -> int:
    """Bits that the bins of a column leave open at most: 0 where every value is a bin of its own."""
    if column.distinct is not None and column.distinct == len(column.bins):
        return 0
    return min((_zeros(x.low) for x in column.bins), default=0)


def _zeros(value: float) -> int:
    """How many of the last bits of a bin's end are free: it is an end of bins that leave as many open."""
    (key,) = struct.unpack(">q", struct.pack(">d", value + 0.0))
    key = key if key >= 0 else key ^ 0x7FFF_FFFF_FFFF_FFFF
    return MOST_BITS if not key else (key & -key).bit_length() - 1
