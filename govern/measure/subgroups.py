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
from govern.measure.predictions import Predicted
from govern.metrics import METRICS
from govern.stats import subgroups
from govern.stats.cube import Codes, Cube, Levels
from govern.stats.entries import EXACT_ROWS
from govern.stats.regression import Residuals
from govern.stats.searched import LEAST_DENOMINATOR, CellRate, Samples, mean_samples, rate_samples

Floats = NDArray[np.float64]
LEVEL = 0.95
ERRORS = ("mean_residual", "mean_absolute_error")


@dataclass(frozen=True)
class Searched:
    """Findings by rank and what is said about the search; both empty where there was nothing to search."""

    subgroups: tuple[Subgroup, ...] = ()
    notes: tuple[str, ...] = ()


class SubgroupSearch:
    """Counts over the sensitive features and further columns, by the coders in `more`, filled in the one pass.

    Without further columns nothing is counted: the cube of the pass, and the residuals of a regression, have what is
    needed. A single feature is not searched: its groups are compared anyway.
    """

    def __init__(self, sensitive: Sequence[str], more: Mapping[str, Coder], *, weighted: bool = False,
                 clustered: bool = False) -> None:
        self.features = (*sensitive, *more)
        self._sensitive, self._more = tuple(sensitive), dict(more)
        self._cube = Cube(self.features, weighted=weighted, clustered=clustered) if more else None
        self._residuals = Residuals(exact_rows=EXACT_ROWS)

    @property
    def coders(self) -> list[Coder]:
        """The coders of the further columns."""
        return list(self._more.values())

    def codes(self, batch: Any) -> list[Codes]:
        """Codes of a batch's further columns, to be given to `add`."""
        return [coder.codes(batch.column(coder.column)) for coder in self._more.values()]

    def add(self, own: Mapping[str, Codes], more: Sequence[Codes], truth: NDArray[Any], predicted: Predicted, *,
            weight: Floats | None = None, cluster: NDArray[np.uint64] | None = None) -> None:
        """Count a batch: codes of the sensitive features by name, those of `codes`, true classes or outcomes and what
        was predicted, weights and keys of persons, all (n_rows,)."""
        if self._cube is None:
            return
        codes = [*(own[f] for f in self._sensitive), *more]
        if predicted.label is not None:
            self._cube.add(codes, truth, predicted.label, weight=weight, cluster=cluster)
        elif predicted.value is not None:
            none = np.zeros(len(truth), np.int32)
            cells = self._cube.add(codes, none, none, weight=weight, cluster=cluster, cells=True)
            if cells is not None:
                self._residuals.add(cells, truth, predicted.value, weight, cluster)

    def result(self, cube: Cube, residuals: Residuals | None, levels: Levels, target: Target) -> Searched:
        """The findings; `cube`, `residuals` and `levels` are those of the pass."""
        if len(self.features) < 2:
            return Searched()
        if len(self.features) > MAX_SEARCHED:
            return Searched(notes=("Subgroups were not searched: there are more than "
                                   f"{MAX_SEARCHED} sensitive features.",))
        if self._cube is not None:
            cube, residuals, levels = self._cube, self._residuals, self._levels(levels)
        metrics, samples = _samples(cube, residuals, target)
        found = subgroups.search(cube, levels, self.features, samples)
        return Searched(tuple(_subgroup(d) for d in found.listed), (_note(found, self.features, metrics),))

    def _levels(self, levels: Levels) -> Levels:
        texts, order = dict(levels.texts), dict(levels.order)
        for name, coder in self._more.items():
            names, place = coder.ordered()
            texts[name] = [names[p] for p in place]
            order[name] = [int(code) for code in np.argsort(place, kind="stable")]
        return Levels(texts, order)


def _samples(cube: Cube, residuals: Residuals | None, target: Target) -> tuple[tuple[str, ...], Samples]:
    """The metrics that are searched, and their samples."""
    if target.task == "regression" and residuals is not None:
        return ERRORS, mean_samples(cube, residuals, ERRORS)
    true, predicted = cube.table[:, -2], cube.table[:, -1]
    if target.task == "multiclass":
        kind = np.where(true == predicted, 0, 1)
        rates = [CellRate("multiclass_accuracy", (0,), (0, 1))]
    else:
        # tp, fp, fn, tn
        kind = np.where(true == 1, np.where(predicted == 1, 0, 2), np.where(predicted == 1, 1, 3))
        wished = (0, 1) if target.favourable == target.positive else (2, 3)
        rates = [CellRate("selection_rate", wished, (0, 1, 2, 3)), CellRate("accuracy", (0, 3), (0, 1, 2, 3)),
                 CellRate("true_positive_rate", (0,), (0, 2)), CellRate("false_positive_rate", (1,), (1, 3))]
    return tuple(r.metric for r in rates), rate_samples(cube, kind, rates)


def _subgroup(d: subgroups.Difference) -> Subgroup:
    interval = Interval.reading(*d.sample.bounds, LEVEL, d.sample.method)
    return Subgroup(d.features, d.values, d.rows, d.metric, d.sample.value, d.sample.rest_value, d.p_value, d.q_value,
                    interval, d.covers)


def _note(found: subgroups.Search, features: Sequence[str], searched: Sequence[str]) -> str:
    names = ", ".join(printable(f, 30) for f in features)
    metrics = ", ".join(METRICS[m].title for m in searched)
    merged = found.significant - len(found.listed)
    listed = f", {len(found.listed)} of them listed (the others overlap with these or are weaker)" if merged else ""
    few = "means of fewer than 30 effective rows" if searched == ERRORS else \
        f"rates of fewer than {LEAST_DENOMINATOR} rows"
    return (f"Subgroup search over {names}: {found.subgroups:,} subgroups against all other rows, "
            f"{found.comparisons:,} comparisons ({metrics}). {found.significant:,} differ at a false discovery rate of "
            f"{100 * subgroups.FALSE_SHARE:g} %{listed}. Not compared: {found.small:,} subgroups of fewer than "
            f"{subgroups.LEAST_ROWS} rows, {found.few:,} {few}.")
