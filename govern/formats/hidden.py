"""Which groups of a card must not be shown, so that nothing about fewer rows than asked can be read off or computed.

A group is a cell of a table of values of features; what is counted in it adds up over the values of each feature. So
a hidden group can be subtracted from a total, unless others are hidden with it. The rule is that of official
statistics: hide the small ones, then others until no linear relation between what is shown determines a small one, and
until what is hidden of a total is not itself small.

Source: Willenborg and de Waal 2001, Elements of Statistical Disclosure Control, chapter 4 (secondary suppression);
the threshold leaves 0 visible, as in the cell size policy of the US Centers for Medicare and Medicaid Services.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from govern.evidence import Evidence, Group

PRIME = (1 << 61) - 1
Place = frozenset[tuple[str, str | None]]
# What is counted of a group; every part adds up over the groups of a total.
Amounts = tuple[int, ...]


@dataclass(frozen=True)
class Hidden:
    """Ids of groups by what is hidden of them: `rows` everything, `selected` also all rates, `cells` all that follows
    from true and predicted labels together. Each holds the ones before it."""

    rows: frozenset[str]
    selected: frozenset[str]
    cells: frozenset[str]


@dataclass(frozen=True)
class _Line:
    """A total and the parts that add up to it."""

    total: Place
    parts: tuple[Place, ...]


def hidden(evidence: Evidence, below: int) -> Hidden:
    """The groups that are hidden at a threshold of `below` rows: those with a count of 1 to `below` − 1, and others
    from which they could be computed."""
    counts: dict[str, list[Amounts]] = {}
    for c in evidence.counts:
        counts.setdefault(c.group, []).append((c.selected, c.tp, c.fp, c.fn, c.tn))

    def rows(g: Group) -> Amounts:
        return (g.n,)

    def selected(g: Group) -> Amounts | None:
        found = counts.get(g.id)
        return tuple(x for c in found for x in (c[0], sum(c[1:]) - c[0])) if found else None

    def cells(g: Group) -> Amounts | None:
        found = counts.get(g.id)
        return tuple(x for c in found for x in c[1:]) if found else None

    first = _closed(evidence.groups, rows, below, frozenset())
    second = _closed(evidence.groups, selected, below, first)
    return Hidden(first, second, _closed(evidence.groups, cells, below, second))


def small(amount: float | None, below: int) -> bool:
    """Whether a count shows some rows, and too few."""
    return amount is not None and 0 < amount < below


def _closed(groups: Sequence[Group], amounts: Callable[[Group], Amounts | None], below: int, given: frozenset[str]
            ) -> frozenset[str]:
    """The ids of `given`, of the groups with a small amount, and of those hidden to protect them."""
    at: dict[Place, Amounts] = {}
    ids: dict[Place, list[str]] = {}
    for g in groups:
        place = frozenset((*zip(g.features, g.values, strict=True), *g.within))
        ids.setdefault(place, []).append(g.id)
        if (found := amounts(g)) is not None:
            at.setdefault(place, found)
    lines = _lines(at)
    out = {p for p in at if given & set(ids[p]) or any(small(x, below) for x in at[p])}
    protected = frozenset(out)
    while True:
        more = {_smallest(line.parts, at, out) for line in lines if _leaks(line, at, out, below)}
        if not more:
            for place in _determined(lines, out) & protected:
                near = [x for x in lines if place in (x.total, *x.parts)]
                # Where all that adds up with it is hidden, a total must go.
                more.add(_smallest([p for x in near for p in x.parts], at, out) or _smallest(
                    [p for x in lines if out & {x.total, *x.parts} for p in (x.total, *x.parts)], at, out))
        more.discard(None)
        if not more:
            return given | {i for p in out for i in ids[p]}
        out |= {p for p in more if p is not None}


def _lines(at: Mapping[Place, Amounts]) -> list[_Line]:
    """The totals among the places: those whose amounts are the sums of the places that split them further."""
    by: dict[frozenset[str], list[Place]] = {}
    for place in at:
        by.setdefault(frozenset(k for k, _ in place), []).append(place)
    lines = []
    for wide in by:
        for narrow in by:
            if not wide < narrow:
                continue
            parts: dict[Place, list[Place]] = {}
            for place in by[narrow]:
                parts.setdefault(frozenset(x for x in place if x[0] in wide), []).append(place)
            lines += [_Line(total, tuple(found)) for total, found in parts.items()
                      if total in at and _sum(found, at) == at[total]]
    return lines


def _sum(places: Iterable[Place], at: Mapping[Place, Amounts]) -> Amounts:
    chosen = [at[p] for p in places]
    return tuple(sum(amounts[i] for amounts in chosen) for i in range(len(chosen[0])))


def _leaks(line: _Line, at: Mapping[Place, Amounts], out: set[Place], below: int) -> bool:
    """Whether the hidden parts of a visible total are together still small."""
    gone = [p for p in line.parts if p in out]
    return line.total not in out and 0 < len(gone) < len(line.parts) and any(
        small(x, below) for x in _sum(gone, at))


def _smallest(places: Iterable[Place], at: Mapping[Place, Amounts], out: set[Place]) -> Place | None:
    """The smallest visible place that holds any row and is not the whole sample, None without one."""
    left = [p for p in places if p and p not in out and any(at[p])]
    return min(left, key=lambda p: (at[p], sorted((k, v or "") for k, v in p)), default=None)


def _determined(lines: Sequence[_Line], out: set[Place]) -> set[Place]:
    """The hidden places that the visible ones determine: those alone in a row of the reduced echelon form of all
    lines. Coefficients are whole numbers, computed modulo a prime."""
    reduced: dict[Place, dict[Place, int]] = {}
    for line in lines:
        row = {p: 1 for p in line.parts if p in out}
        if line.total in out:
            row[line.total] = PRIME - 1
        for pivot in [p for p in row if p in reduced]:
            _subtract(row, reduced[pivot], row[pivot])
        if not row:
            continue
        pivot = next(iter(row))
        scale = pow(row[pivot], -1, PRIME)
        row = {p: c * scale % PRIME for p, c in row.items()}
        for other in reduced.values():
            if pivot in other:
                _subtract(other, row, other[pivot])
        reduced[pivot] = row
    return {pivot for pivot, row in reduced.items() if len(row) == 1}


def _subtract(row: dict[Place, int], other: Mapping[Place, int], times: int) -> None:
    for p, c in other.items():
        left = (row.get(p, 0) - times * c) % PRIME
        if left:
            row[p] = left
        else:
            row.pop(p, None)
