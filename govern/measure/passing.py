"""The one pass over the data: rows in, predictions asked for, counts kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from govern.dataset import Excluded, Population
from govern.errors import InputError
from govern.inputs.arrays import raw, whole
from govern.inputs.coders import Coder
from govern.inputs.columns import ColumnPlan
from govern.inputs.datasets import BATCH_ROWS, DataSource
from govern.inputs.labels import Target, class_codes
from govern.inputs.levels import LevelCoder
from govern.inputs.rows import Apart, row_keys
from govern.inputs.target import outcomes
from govern.inputs.weights import cluster_keys, weights
from govern.measure.datafacts import Facts, coded_texts, roles
from govern.measure.expected import Expected
from govern.measure.group_rows import GroupRows
from govern.measure.outputs import Outputs
from govern.measure.predictions import Predicted
from govern.measure.sample import Sample
from govern.measure.subgroups import SubgroupSearch
from govern.stats.cube import Codes, Cube, Levels
from govern.stats.entries import EXACT_ROWS
from govern.stats.regression import Residuals

TARGET_MISSING = "the target is missing"
WEIGHT_MISSING = "the weight is missing"
WEIGHT_ZERO = "the weight is 0"
SAMPLE_ROWS = 1000

Ask = Callable[[Any], Callable[[], Predicted]]
Telling = Callable[[str, int, int], None]


@dataclass(frozen=True)
class _Rows:
    """A batch without its predictions: level codes by feature, codes of searched features, truth and the rest,
    each (n_rows,)."""

    codes: dict[str, Codes]
    searched: Sequence[Codes]
    truth: NDArray[Any]
    keys: NDArray[np.uint64]
    weight: NDArray[np.float64] | None
    cluster: NDArray[np.uint64] | None


class Pass:
    """What the pass leaves behind: the cube, facts about the data, a sample of rows, the population."""

    def __init__(self, source: DataSource, plan: ColumnPlan, target: Target, coders: Mapping[str, Coder], *,
                 columns: int, seed: int, threshold: float | None, search: SubgroupSearch, kept: GroupRows | None,
                 expected: Expected, sampled: int = SAMPLE_ROWS) -> None:
        self.source, self.plan, self.target, self.coders, self.seed = source, plan, target, dict(coders), seed
        self.cube = Cube(tuple(coders), columns=columns, weighted=plan.weight is not None,
                         clustered=plan.cluster is not None)
        self.residuals = Residuals(exact_rows=EXACT_ROWS, threshold=threshold) if target.task == "regression" else None
        self.search, self.kept, self.expected = search, kept, expected
        self.facts = Facts(roles(plan), seed=seed, features=len(plan.features), classes=max(1, len(target.classes)))
        self.sample = Sample(sampled)
        self.outputs = Outputs(target)
        self.read = self.used = 0
        self._excluded: dict[str, int] = {}
        self._outputs: set[float] = set()
        self._target = LevelCoder(plan.target, empty=False)
        self._apart = Apart()

    def run(self, ask: Ask, progress: Telling, stage: str) -> None:
        """Read every batch once; `ask` starts the prediction of a batch and gives back how to await it."""
        plan = self.plan
        ours = {*plan.sensitive.values(), *plan.control.values(), plan.target, plan.prediction or plan.target,
                *plan.decisions.values()}
        # What the model sees stays as it is in the file.
        coded = ours - {*plan.features, plan.cluster}
        waiting: tuple[_Rows, Callable[[], Predicted]] | None = None
        for batch in self.source.batches(plan.read, BATCH_ROWS, coded=sorted(coded)):
            self.read += batch.num_rows
            batch = self._usable(batch, self._excluded)
            progress(stage, self.read, self.source.rows)
            if not batch.num_rows:
                continue
            # A batch is on its way to the model before the answer for the last one is looked at, and is read
            # while the model works on it: the model's process never waits for this one.
            answer = ask(batch)
            if waiting is not None:
                self._count(waiting[0], waiting[1]())
            waiting = self._rows(batch), answer
        if waiting is not None:
            self._count(waiting[0], waiting[1]())
        if not self.used:
            why = ", ".join(sorted(self._excluded))
            raise InputError(f"has no row that can be used: {why}", where=str(self.source.path),
                             fix="give rows whose outcome is known")

    def again(self, columns: Sequence[str]) -> Iterator[Any]:
        """Batches of the rows that take part, read once more; they have `columns` among others."""
        plan = self.plan
        wanted = dict.fromkeys((*columns, plan.target, *([] if plan.weight is None else [plan.weight])))
        for batch in self.source.batches(list(wanted), BATCH_ROWS):
            yield self._usable(batch, {})

    def _usable(self, batch: Any, excluded: dict[str, int]) -> Any:
        """The rows that take part; the others are counted by reason."""
        batch = _without(batch, _missing(batch.column(self.plan.target)), TARGET_MISSING, excluded)
        if self.plan.weight is not None and batch.num_rows:
            batch = _without(batch, _missing(batch.column(self.plan.weight)), WEIGHT_MISSING, excluded)
            weight = weights(batch.column(self.plan.weight), self.plan.weight)
            batch = _without(batch, weight == 0 if (weight == 0).any() else None, WEIGHT_ZERO, excluded)
        return batch

    def _rows(self, batch: Any) -> _Rows:
        """What is known of a batch without its predictions."""
        batch = coded_texts(batch)
        truth = self._truth(batch.column(self.plan.target))
        *_, whole_keys = self.facts.add(batch, truth if self.target.classes else None)
        # A sample is the same whether rows have weights and persons or not; only rows alike in all else are told
        # apart by them.
        units = {self.plan.weight, self.plan.cluster} - {None, *self.plan.features}
        keys = row_keys(batch.select([c for c in batch.schema.names if c not in units]), self.seed) if units \
            else whole_keys
        self.sample.add(keys, batch, whole_keys)
        rows = _Rows(
            {role: coder.codes(batch.column(coder.column)) for role, coder in self.coders.items()},
            self.search.codes(batch), truth, keys,
            None if self.plan.weight is None else weights(batch.column(self.plan.weight), self.plan.weight),
            None if self.plan.cluster is None else cluster_keys(batch.column(self.plan.cluster), whole_keys,
                                                                self._apart))
        self.expected.add(batch, rows.codes, rows.weight, rows.cluster)
        return rows

    def _count(self, rows: _Rows, predicted: Predicted) -> None:
        self._see(predicted)
        self.outputs.add(predicted)
        self.search.add(rows.codes, rows.searched, rows.truth, predicted, weight=rows.weight, cluster=rows.cluster)
        if self.kept is not None:
            self.kept.add(rows.codes, rows.keys, rows.truth, predicted, weight=rows.weight, cluster=rows.cluster)
        codes = list(rows.codes.values())
        if predicted.label is not None:
            score = predicted.score
            self.cube.add(codes, rows.truth, predicted.label, weight=rows.weight, cluster=rows.cluster,
                          score=score[:, None] if score is not None and score.ndim == 1 else score)
        elif self.residuals is not None and predicted.value is not None:
            none = np.zeros(len(rows.truth), np.int32)
            cells = self.cube.add(codes, none, none, weight=rows.weight, cluster=rows.cluster, cells=True)
            if cells is not None:
                self.residuals.add(cells, rows.truth, predicted.value, rows.weight, rows.cluster)
        self.used += len(rows.truth)

    def _truth(self, column: Any) -> NDArray[Any]:
        """The class of each row by its place in `Target.classes`, or the outcome of a regression, (n_rows,)."""
        if self.target.task == "regression":
            return outcomes(column, self.plan.target, str(self.source.path))
        codes = self._target.codes(column)
        return class_codes(self._target.levels, self.target)[codes]

    def _see(self, predicted: Predicted) -> None:
        for output in (predicted.value, predicted.score, predicted.label):
            if output is not None:
                self._outputs = set(sorted({*self._outputs, float(output.min()), float(output.max())})[:2])
                return

    @property
    def distinct_outputs(self) -> int:
        """Distinct outputs, counted to 2."""
        return len(self._outputs)

    @property
    def population(self) -> Population:
        """Rows read = used + excluded."""
        return Population(self.read, self.used, tuple(Excluded(why, n) for why, n in sorted(self._excluded.items())))

    def alike(self) -> list[str]:
        """Sentences about values of sensitive, control and searched features, and about labels, that look alike."""
        labels = [] if self.target.task == "regression" else [self._target]
        coders = [*self.coders.values(), *self.search.coders, *labels]
        return [note for coder in coders for note in coder.notes()]

    def levels(self) -> Levels:
        """Level texts by code and canonical order of every feature."""
        texts: dict[str, list[str]] = {}
        order: dict[str, list[int]] = {}
        for role, coder in self.coders.items():
            names, place = coder.ordered()
            order[role] = [int(code) for code in np.argsort(place, kind="stable")]
            texts[role] = [names[p] for p in place]
        return Levels(texts, order)

    def sampled_units(self, rows: int) -> tuple[NDArray[np.float64] | None, NDArray[np.uint64] | None]:
        """Weight and key of the person of the first `rows` sampled rows, None where all weights are equal or nobody
        repeats."""
        plan, table = self.plan, self.sample.table.slice(0, rows)
        weight = cluster = None
        if plan.weight is not None and self.cube.weighted:
            weight = weights(table.column(plan.weight).combine_chunks(), plan.weight)
        if plan.cluster is not None and self.cube.clustered:
            cluster = cluster_keys(table.column(plan.cluster).combine_chunks(), self.sample.ties[:rows], Apart())
        return weight, cluster

    def sampled_truth(self, rows: int) -> NDArray[Any]:
        """The class of the first `rows` sampled rows by its place in `Target.classes`, or their outcome, (rows,)."""
        return self._truth(self.sample.table.column(self.plan.target).slice(0, rows).combine_chunks())

    def sampled_groups(self) -> dict[str, list[str | None]]:
        """The level of each sampled row by feature, None for missing."""
        found: dict[str, list[str | None]] = {}
        texts = self.levels().texts
        for role, coder in self.coders.items():
            column = self.sample.table.column(coder.column).combine_chunks()
            found[role] = [None if c < 0 else texts[role][c] for c in coder.codes(column)]
        return found


def _without(batch: Any, left_out: NDArray[np.bool_] | None, reason: str, excluded: dict[str, int]) -> Any:
    if left_out is None:
        return batch
    excluded[reason] = excluded.get(reason, 0) + int(left_out.sum())
    return batch.take(whole(np.flatnonzero(~left_out)))


def _missing(column: Any) -> NDArray[np.bool_] | None:
    """Whether each value is missing, (n_rows,); None when none is."""
    import pyarrow.compute as pc

    if not column.null_count and not str(column.type).startswith(("float", "double", "halffloat")):
        return None
    missing = raw(pc.is_null(column, nan_is_null=True))
    return missing if missing.any() else None
