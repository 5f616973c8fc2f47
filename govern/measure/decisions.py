"""Decisions that were taken, in columns of the data: how many of each group reached a step and were selected there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from govern.evidence import Group, Measurement
from govern.inputs.expected import Decision
from govern.inputs.levels import LevelCoder
from govern.inputs.named_levels import FIX
from govern.measure.compared import measured
from govern.stats.cube import Codes, Cube, Levels
from govern.stats.means import Share, effective_rows

NOBODY = "no row of the group reached this step"


class Decisions:
    """Counts of each decision by group, filled in the one pass; `features` are those of the cube of the pass.

    A row without a value did not reach the step and is not counted.
    """

    def __init__(self, decisions: Sequence[Decision], features: Sequence[str], *, weighted: bool, clustered: bool
                 ) -> None:
        self._steps = [(d, LevelCoder(d.column, empty=False, fix=FIX),
                        Cube(features, weighted=weighted, clustered=clustered)) for d in decisions]

    def add(self, batch: Any, codes: Mapping[str, Codes], weight: NDArray[np.float64] | None,
            cluster: NDArray[np.uint64] | None) -> None:
        """Count a pyarrow RecordBatch with the level codes of its features, its weights and clusters, (n_rows,)."""
        for decision, coder, cube in self._steps:
            found = coder.codes(batch.column(decision.column))
            selected = np.array([level == decision.selected for level in coder.levels], np.int32)
            reached = np.flatnonzero(found >= 0)
            if len(reached):
                cube.add([c[reached] for c in codes.values()], np.zeros(len(reached), np.int32),
                         selected[found[reached]], weight=None if weight is None else weight[reached],
                         cluster=None if cluster is None else cluster[reached])

    def measurements(self, groups: Sequence[Group], levels: Levels) -> Iterator[Measurement]:
        """selection_rate of every decision for everyone and each group: selected over those who reached the step."""
        sets: dict[tuple[str, ...], list[Group]] = {}
        for g in groups:
            sets.setdefault((*(control for control, _ in g.within), *g.features), []).append(g)
        for decision, _, cube in self._steps:
            for features, of_set in sets.items():
                shares = _shares(cube, features, levels)
                for g in of_set:
                    share = shares.get((*(level for _, level in g.within), *g.values), Share(0, 0))
                    found = measured("selection_rate", share, g.id, method="wilson")
                    yield replace(found, decision=decision.name, reason=None if share.n else NOBODY)


def _shares(cube: Cube, features: tuple[str, ...], levels: Levels) -> dict[tuple[str | None, ...], Share]:
    """The share selected in each group of `features`, by its levels; weighted where the rows are."""
    selected = cube.table[:, -1] == 1
    if features:
        partition = cube.partition(features, levels)
        keys, of_cell = partition.keys, partition.of_cell
    else:
        keys, of_cell = ((),), np.zeros(len(cube.n), np.int64)
    k = len(keys)
    # Selected and others of each group side by side.
    sums = cube.sums_at(of_cell * 2 + selected, 2 * k).reshape(k, 2)
    if not cube.weighted and not cube.clustered:
        return {key: Share(int(x), int(x + other)) for key, (other, x) in zip(keys, sums.tolist(), strict=True)}
    moments = cube.moments(np.where(selected, 0, 1), of_cell, k)
    found = {}
    for key, (other, x), m in zip(keys, sums.tolist(), moments.tolist(), strict=True):
        w = x + other
        if not w > 0:
            found[key] = Share(0.0, 0.0, 0.0)
            continue
        p = x / w
        uu = m[0][0] + 2 * m[0][1] + m[1][1]
        spread = (1 - p) ** 2 * m[0][0] - 2 * p * (1 - p) * m[0][1] + p * p * m[1][1]
        found[key] = Share(x, w, effective_rows(p, max(0.0, spread) / (w * w), w, uu))
    return found
