"""The exploratory search of subgroups: what is counted for it in the pass, and what it says in the evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from govern.errors import printable
from govern.evidence import Interval, Subgroup
from govern.inputs.coders import Coder
from govern.inputs.config import MAX_SEARCHED
from govern.inputs.labels import Target
from govern.metrics import METRICS
from govern.stats import subgroups
from govern.stats.cube import Codes, Cube, Levels
from govern.stats.subgroups import CellShare

LEVEL = 0.95


@dataclass(frozen=True)
class Searched:
    """Findings by rank and what is said about the search; both empty where there was nothing to search."""

    subgroups: tuple[Subgroup, ...] = ()
    notes: tuple[str, ...] = ()


class SubgroupSearch:
    """Counts over the sensitive features and further columns, by the coders in `more`, filled in the one pass.

    Without further columns nothing is counted: the cube of the pass has what is needed. A single feature is not
    searched: its groups are compared anyway.
    """

    def __init__(self, sensitive: Sequence[str], more: Mapping[str, Coder]) -> None:
        self.features = (*sensitive, *more)
        self._sensitive, self._more = tuple(sensitive), dict(more)
        self._cube = Cube(self.features) if more else None

    def codes(self, batch: Any) -> list[Codes]:
        """Codes of a batch's further columns, to be given to `add`."""
        return [coder.codes(batch.column(coder.column)) for coder in self._more.values()]

    def add(self, own: Mapping[str, Codes], more: Sequence[Codes], truth: Codes, label: Codes | None) -> None:
        """Count a batch: codes of the sensitive features by name, those of `codes`, true and predicted class."""
        if self._cube is not None and label is not None:
            self._cube.add([*(own[f] for f in self._sensitive), *more], truth, label)

    def result(self, cube: Cube, levels: Levels, target: Target) -> Searched:
        """The findings; `cube` and `levels` are those of the pass."""
        if len(self.features) < 2:
            return Searched()
        why = self._left_out(cube, target)
        if why:
            return Searched(notes=(f"Subgroups were not searched: {why}.",))
        if self._cube is not None:
            cube, levels = self._cube, self._levels(levels)
        shares = _shares(cube, target)
        found = subgroups.search(cube, levels, self.features, shares)
        return Searched(tuple(_subgroup(d) for d in found.listed), (_note(found, self.features, shares),))

    def _left_out(self, cube: Cube, target: Target) -> str:
        if len(self.features) > MAX_SEARCHED:
            return f"there are more than {MAX_SEARCHED} sensitive features"
        if target.task == "regression":
            return "the search compares rates, which a regression does not have"
        if cube.weighted or cube.clustered:
            return f"its exact tests need rows that count once each, and here rows " \
                   f"{'have weights' if cube.weighted else 'repeat people'}"
        return ""

    def _levels(self, levels: Levels) -> Levels:
        texts, order = dict(levels.texts), dict(levels.order)
        for name, coder in self._more.items():
            names, place = coder.ordered()
            texts[name] = [names[p] for p in place]
            order[name] = [int(code) for code in np.argsort(place, kind="stable")]
        return Levels(texts, order)


def _shares(cube: Cube, target: Target) -> list[CellShare]:
    """The rates that are searched, as cells."""
    true, predicted = cube.table[:, -2], cube.table[:, -1]
    every: NDArray[np.bool_] = np.ones(len(cube.n), bool)
    if target.task == "multiclass":
        return [CellShare("multiclass_accuracy", true == predicted, every)]
    wished = target.classes.index(target.favourable) if target.favourable is not None else 1
    return [CellShare("selection_rate", predicted == wished, every), CellShare("accuracy", true == predicted, every),
            CellShare("true_positive_rate", predicted == 1, true == 1),
            CellShare("false_positive_rate", predicted == 1, true == 0)]


def _subgroup(d: subgroups.Difference) -> Subgroup:
    low, high = d.bounds
    return Subgroup(d.features, d.values, d.rows, d.metric, d.x / d.n, d.x_rest / d.n_rest, d.p_value, d.q_value,
                    Interval(low, high, LEVEL, "newcombe"), d.covers)


def _note(found: subgroups.Search, features: Sequence[str], shares: Sequence[CellShare]) -> str:
    names = ", ".join(printable(f, 30) for f in features)
    metrics = ", ".join(METRICS[s.metric].title for s in shares)
    merged = found.significant - len(found.listed)
    listed = f", {len(found.listed)} of them listed (the others overlap with these or are weaker)" if merged else ""
    return (f"Subgroup search over {names}: {found.subgroups:,} subgroups against all other rows, "
            f"{found.comparisons:,} comparisons ({metrics}). {found.significant:,} differ at a false discovery rate of "
            f"{100 * subgroups.FALSE_SHARE:g} %{listed}. Not compared: {found.small:,} subgroups of fewer than "
            f"{subgroups.LEAST_ROWS} rows, {found.few:,} rates of fewer than {subgroups.LEAST_DENOMINATOR} rows.")
