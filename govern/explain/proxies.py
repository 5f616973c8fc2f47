"""How well the features tell the groups of a sensitive feature apart, and which of them the model uses."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from govern.evidence import OVERALL, UNKNOWN_NAME, Interval, Measurement
from govern.explain.coded import CODES, Coded, coded, cuttable
from govern.explanations import Attributions, Proxy
from govern.stats.boosted import boosted
from govern.stats.fold_areas import FOLDS, Areas, Rows, areas, askable, folds
from govern.stats.intervals import Pair, transformed

ROWS = 1000
LEAST = 20
REVEALING = 0.6
USED = 0.01
PULL = 5.0
TOGETHER = "boosted trees of all features, area over pairs of rows of one fold of five"
ALONE = "rates of levels or of bins, area over pairs of rows of one fold of five"
OWN = "the column of the sensitive feature itself, an input of the model"
FEW = f"fewer than two groups of at least {LEAST} rows"
NO_OTHERS = "the model has no other feature"
NO_LEVELS = "its type has no levels"

Floats = NDArray[np.float64]
IntArray = NDArray[np.int64]


def proxies(table: Any, features: Sequence[str], groups: Mapping[str, Sequence[str | None]], own: Mapping[str, str], *,
            seed: int, level: float, weight: Floats | None = None, cluster: NDArray[np.uint64] | None = None
            ) -> tuple[Proxy, ...]:
    """For each sensitive feature of `groups` (level of each row, None for missing) how well the features together
    predict it, then each alone by falling value; `own` names the column of each. Its own column takes no part and is
    listed last, as revealing without a value.

    The first 1,000 rows of `table` (pyarrow) are used, in its order, and among them those whose group is known. Each
    group of at least 20 rows is told from all others; of several the best told gives the value, and the lower end of
    its interval has the error divided by their number. `revealing`: the value is at least .6 (of normal values: apart
    by about a third of a standard deviation) and the lower end above ½ also with the error divided by the columns.
    Undefined where fewer than two groups have 20 rows.
    """
    table = table.slice(0, ROWS).unify_dictionaries().combine_chunks()
    n = table.num_rows
    columns = {name: coded(_one(table.column(name))) for name in features}
    found: list[Proxy] = []
    for sensitive, levels in groups.items():
        mine = own.get(sensitive)
        found += _of(sensitive, levels[:n], {name: c for name, c in columns.items() if name != mine}, seed, level,
                     None if weight is None else weight[:n], None if cluster is None else cluster[:n])
        if mine in columns:
            found.append(Proxy(sensitive, mine, None, None, None, level, n, "", revealing=True, reason=OWN))
    return tuple(found)


def joined(found: Sequence[Proxy], attributions: Attributions) -> tuple[Proxy, ...]:
    """The proxies with how much the model uses each column: its share of all mean |values| over everyone. `listed` are
    those that are revealing and used, with a share of at least .01."""
    size = {a.feature: a.mean_abs for a in attributions.features if a.group == OVERALL and a.label is None}
    total = sum(size.values())
    return tuple(p if p.column not in size or not total > 0 else
                 replace(p, used=size[p.column] / total, listed=p.revealing and size[p.column] / total >= USED)
                 for p in found)


def measurements(found: Sequence[Proxy]) -> Iterator[Measurement]:
    """What rules may judge: proxy_auc of all features together for each sensitive feature, and of each column in a
    slice of its own; not of the sensitive feature's own column."""
    for p in found:
        if p.reason != OWN:
            interval = None if p.low is None else Interval.reading(p.low, p.high, p.level, p.method)
            yield Measurement("proxy_auc", p.value, "ok" if p.value is not None else "undefined", p.reason,
                              features=(p.sensitive,), interval=interval,
                              slice=None if p.column is None else f"column: {p.column}")


def _one(column: Any) -> Any:
    return column.combine_chunks() if hasattr(column, "chunks") else column


def _of(sensitive: str, levels: Sequence[str | None], columns: Mapping[str, Coded | None], seed: int, level: float,
        weight: Floats | None, cluster: NDArray[np.uint64] | None) -> list[Proxy]:
    known = np.array([v is not None and v != UNKNOWN_NAME for v in levels], np.bool_)
    names, code = np.unique(np.array([v for v in levels if v is not None and v != UNKNOWN_NAME], object).astype(str),
                            return_inverse=True)
    code = code.astype(np.int64)
    unit = None if cluster is None else np.unique(cluster[known], return_inverse=True)[1].astype(np.int64)
    w = np.ones(len(code)) if weight is None else weight[known] / weight[known].mean()
    rows = Rows(code, folds(code, unit), w, unit)
    asked = askable(rows, len(names), LEAST)
    if not len(asked):
        return [Proxy(sensitive, None, None, None, None, level, len(code), TOGETHER, reason=FEW)]
    if len(names) == 2:
        asked = asked[:1]  # one told from the other is the other told from it
    said = [str(names[g]) if len(names) > 2 else None for g in asked]
    usable = {name: Coded(c.code[known], c.number) for name, c in columns.items() if c is not None}
    blank = Proxy(sensitive, None, None, None, None, level, len(code), TOGETHER, reason=NO_OTHERS)
    together = [_found(blank, _together(rows, list(usable.values()), asked, seed), said, 1)] if usable else [blank]
    alone = [_found(replace(blank, column=name, method=ALONE), _alone(rows, c, asked), said, len(usable))
             for name, c in usable.items()]
    alone.sort(key=lambda p: (-(p.value or 0.0), p.column or ""))
    return [*together, *alone, *(replace(blank, column=name, method=ALONE, reason=NO_LEVELS)
                                 for name, c in columns.items() if c is None)]


def _together(rows: Rows, columns: Sequence[Coded], asked: IntArray, seed: int) -> Areas:
    parts = [part for column in columns for part in cuttable(column)]
    x = np.array(parts or [np.zeros(len(rows.code), np.int64)])  # nothing to cut where every level is rare
    y = (rows.code == asked[:, None]).astype(np.float64)
    place = np.empty(len(rows.code), np.int64)
    score = np.zeros((FOLDS, int(np.bincount(rows.fold).max()), len(asked)))
    for fold in range(FOLDS):
        out = rows.fold == fold
        place[out] = np.arange(int(out.sum()))
        score[fold, :int(out.sum())] = boosted(x[:, ~out], y[:, ~out], x[:, out], CODES, seed).T
    # Groups of the whole, so that those not asked for are among the others.
    counts = rows.counts(place, score.shape[1], int(rows.code.max()) + 1)
    return areas(rows, place, score, counts, asked, np.zeros((FOLDS, len(asked))))


def _alone(rows: Rows, column: Coded, asked: IntArray) -> Areas:
    """The score of a level in a fold is the rate of the group among its rows in the other folds, pulled to that of all
    levels by 5 rows; of numbers, that of its bin and half that of the bins beside it."""
    counts = rows.counts(column.code, column.levels, int(rows.code.max()) + 1)
    others = counts.sum(axis=0) - counts
    x, n = others[:, :, asked], others.sum(axis=2, keepdims=True)
    rate = x.sum(axis=1, keepdims=True) / n.sum(axis=1, keepdims=True)
    if column.number:
        x, n = _smooth(x), _smooth(n)
    # Rounded, so that levels of equal rates stay tied whatever was taken off what.
    score = np.round((x + PULL * rate) / (n + PULL), 9)
    return areas(rows, column.code, score, counts, asked, np.round(rate[:, 0], 9))


def _smooth(sums: Floats) -> Floats:
    """Sums of each bin and half those of its neighbours, along axis 1; the first, of missing values, stays apart."""
    found = sums.copy()
    found[:, 2:] += sums[:, 1:-1] / 2
    found[:, 1:-1] += sums[:, 2:] / 2
    return found


def _found(blank: Proxy, of: Areas, said: Sequence[str | None], columns: int) -> Proxy:
    """The best told group's area; the lower end with the error divided by the groups, the upper the largest of all."""
    alpha = (1 - blank.level) / 2
    best = int(np.argmax(of.value))
    value = max(float(of.value[best]), 0.5)
    low, sure, high = (max(bounds[end] for bounds in _bounds(of, error))
                       for end, error in ((0, alpha / len(said)), (0, alpha / len(said) / columns), (1, alpha)))
    return replace(blank, value=value, low=min(max(low, 0.5), value), high=max(high, value), group=said[best],
                   balanced_accuracy=float(of.balanced[best]), reason=None,
                   revealing=value >= REVEALING and sure > 0.5)


def _bounds(of: Areas, alpha: float) -> list[Pair]:
    """Bounds of each area on the logit scale; of one without a variance as sure as its rarer rows allow."""
    found = []
    for value, se, rows in zip(of.value.tolist(), of.se.tolist(), of.rows.tolist(), strict=True):
        value = min(max(value, 0.0), 1.0)
        flat = value in (0.0, 1.0) or not se > 1e-12
        found.append(transformed(value, 1 / math.sqrt(rows) if flat else se / (value * (1 - value)), "logit", alpha))
    return found
