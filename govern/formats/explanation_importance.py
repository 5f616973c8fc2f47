"""The features by how much they count: a bar with its interval, which way they go, and what exchanging them costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from govern.errors import printable
from govern.evidence import OVERALL
from govern.explanations import Attribution, Attributions
from govern.formats.beams import beam, beams_scale
from govern.formats.cells import Cell, Part, Picture, Table, heads
from govern.formats.naming import metric_name
from govern.formats.numbers import count, decimal, digits_of, with_interval
from govern.formats.strings import Strings

SHOWN, FURTHER, CLASSES = 10, 30, 6
WIDTH = 130
CLEAR = 0.3  # a direction between −.3 and .3 is none


def importance(found: Attributions, expected: Mapping[str, str], full: bool, t: Strings) -> Table:
    """The largest features: direction beside the expected one, bar, mean |value| with its interval, permutation
    importance where it was measured."""
    every = _everyone(found)
    shown = every[:SHOWN]
    on = beams_scale([x for a in shown for x in (a.mean_abs, a.high) if x is not None], WIDTH)
    several, lost = bool(found.bases), {p.feature: decimal(p.value, _lost(found)) for p in found.permuted}
    digits = _digits(every)
    rows: list[tuple[str | Cell | Picture, ...]] = []
    for a in shown:
        name, number = printable(a.feature, 60), with_interval(a.mean_abs, a.low, a.high, digits=digits)
        no_way = a.direction is None or abs(a.direction) < CLEAR
        picture = beam(a.mean_abs, on, f"{name}: {number}", low=a.low, high=a.high, sum=no_way and not several,
                       adds=several or (a.direction or 0.0) > 0)
        rows.append((name, *([] if several else [_direction(a, expected.get(a.feature), t)]), picture, number,
                     *([lost.get(a.feature, "–")] if lost else [])))
    titles = [t("explanation.feature"), *([] if several else [t("explanation.direction")]), "", t("explanation.mean"),
              *([_lost_head(found, t)] if lost else [])]
    widths = ["w20", *([] if several else ["w22"]), "", "w20", *(["w15"] if lost else [])]
    after = [t("explanation.bars_classes") if several else t("explanation.bars"),
             t("explanation.in_annex") if several and full else ""]
    if len(every) > len(shown):
        after.append(t("explanation.top" if full else "explanation.more", n=len(shown)))
    return Table(heads(titles, widths), tuple(rows), left=1 if several else 2, after=t.text(after))


def further(found: Attributions, t: Strings) -> Part | None:
    """The features after the largest ones, without bars."""
    every = _everyone(found)
    rest, digits = every[SHOWN:SHOWN + FURTHER], _digits(every)
    if not rest:
        return None
    lost = {p.feature: decimal(p.value, _lost(found)) for p in found.permuted}
    several = bool(found.bases)
    rows = tuple((printable(a.feature, 60), *([] if several else [_direction(a, None, t)]),
                  with_interval(a.mean_abs, a.low, a.high, digits=digits),
                  *([lost.get(a.feature, "–")] if lost else [])) for a in rest)
    titles = (t("explanation.feature"), *([] if several else [t("explanation.direction")]), t("explanation.mean"),
              *([_lost_head(found, t)] if lost else []))
    more = t("explanation.more") if len(every) > SHOWN + FURTHER else ""
    return Part(t("explanation.further"), "", (Table(heads(titles), rows, left=1 if several else 2, after=more),))


def by_class(found: Attributions, t: Strings) -> Part | None:
    """With several classes: how much the largest features count for each of them, and which way; None else."""
    by = {(a.label, a.feature): a for a in found.features if a.group == OVERALL and a.label is not None}
    labels = list(dict.fromkeys(label for label, _ in by if label is not None))
    shown = [a.feature for a in _everyone(found)[:SHOWN]]
    if not labels or not shown:
        return None
    digits = _digits(list(by.values()))
    rows = tuple((printable(f, 60), *(_of_class(by.get((label, f)), digits, t) for label in labels[:CLASSES]))
                 for f in shown)
    titles = (t("explanation.feature"), *(printable(label, 40) for label in labels[:CLASSES]))
    more = t("explanation.more") if len(labels) > CLASSES else ""
    return Part(t("explanation.by_class"), "", (Table(heads(titles, ("w20",)), rows, after=more),))


def _everyone(found: Attributions) -> list[Attribution]:
    return [a for a in found.features if a.group == OVERALL and a.label is None]


def _digits(found: Sequence[Attribution]) -> int:
    largest = max(found, key=lambda a: a.mean_abs)
    return digits_of(largest.mean_abs, largest.low, largest.high)


def _lost(found: Attributions) -> int:
    return digits_of(max((abs(p.value) for p in found.permuted), default=0.0))


def _lost_head(found: Attributions, t: Strings) -> str:
    return t("explanation.permuted", metric=metric_name(found.permuted[0].metric, t), rows=count(found.permuted[0].n))


def _direction(a: Attribution, expected: str | None, t: Strings) -> str | Cell:
    if a.direction is None:
        return t("explanation.categories")
    way = "mixed" if abs(a.direction) < CLEAR else "rises" if a.direction > 0 else "falls"
    if expected is None:
        return t(f"explanation.way_{way}")
    if way == expected:
        return t(f"explanation.as_expected_{way}")
    if way == "mixed":
        return t(f"explanation.unclear_{expected}")
    return Cell(t(f"explanation.against_{way}"), mark="outside")


def _of_class(a: Attribution | None, digits: int, t: Strings) -> str | Cell:
    if a is None:
        return "–"
    size = decimal(a.mean_abs, digits)
    if a.direction is None:
        return Cell(size)
    way = "mixed" if abs(a.direction) < CLEAR else "rises" if a.direction > 0 else "falls"
    return Cell(size, t(f"explanation.way_{way}"))
