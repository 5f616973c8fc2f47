"""Scoring rates: shares of rows above the median score of all rows, the unknown and the missing among them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from govern.evidence import OVERALL, REST, Measurement
from govern.measure.compared import difference, measured, ratio
from govern.measure.rates import pairs_of
from govern.measure.splits import Split
from govern.stats.above_median import median_of, sums_above, tied_share
from govern.stats.cube import Cube
from govern.stats.entries import Column
from govern.stats.ranked import RankedRows

METRIC = "scoring_rate"
METHOD = "wilson"


def scoring_rates(cube: Cube, column: Column, ranked: RankedRows, splits: Sequence[Split]) -> Iterator[Measurement]:
    """scoring_rate of everyone, of each group and of its rest, with differences and ratios of pairs of groups, and
    median_tie_share.

    Above means strictly above. The median is that of all used rows, weighted where they are. Where scores are counted
    in bins the rows in the median's bin count as not above it and as tied, and the reason says how many they are.
    Source: 6 RCNY 5-301(c) (New York City, Local Law 144 of 2021).
    """
    median = median_of(ranked)
    x, n = tied_share(ranked, median)
    why = None
    if column.bins is not None and median.tied:  # halfway between two bins nothing is hidden
        rows = int(ranked.everyone.rows[median.place])
        why = (f"scores were counted in {column.bins:,} bins: the {rows:,} rows in that of the median count as not "
               "above it")
    plain = not cube.weighted and not cube.clustered
    everyone = sums_above(ranked, median, np.zeros(len(ranked.order), np.int64), 1)[0]
    yield Measurement("median_tie_share", x / n, reason=why and f"at most this: {why}", numerator=x, denominator=n)
    yield replace(measured(METRIC, everyone.share(plain=plain), OVERALL, method=METHOD), reason=why)
    for split in splits:
        found = sums_above(ranked, median, cube.of_face(split.partition)[column.face], len(split.partition))
        of = {}
        for group, sums in zip(split.groups, found, strict=True):
            own, rest = sums.share(plain=plain), everyone.without(sums).share(plain=plain)
            of[group.id] = own
            one = measured(METRIC, own, group.id, method=METHOD)
            yield replace(one, reason=one.reason or why)
            if not group.within:
                yield measured(METRIC, rest, group.id, reference=REST, method=METHOD)
                if group.asked:
                    yield difference(METRIC, group.id, own, REST, rest)
                    yield ratio(METRIC, group.id, own, REST, rest)
        for group, reference in pairs_of(split.groups) if all(g.asked for g in split.groups) else ():
            yield difference(METRIC, group.id, of[group.id], reference.id, of[reference.id])
            yield ratio(METRIC, group.id, of[group.id], reference.id, of[reference.id])
