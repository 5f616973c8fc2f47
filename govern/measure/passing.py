"""The one pass over the data: rows in, predictions asked for, counts kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from govern.errors import InputError
from govern.evidence import Excluded, Population
from govern.inputs.columns import ColumnPlan
from govern.inputs.datasets import DataSource
from govern.inputs.labels import Labels, choose_labels
from govern.inputs.levels import Coder, LevelCoder
from govern.inputs.rows import row_keys
from govern.measure.datafacts import Facts
from govern.measure.from_cube import Levels
from govern.measure.sample import Sample
from govern.stats.cube import Cube

TARGET_MISSING = "the target is missing"
SAMPLE_ROWS = 1000
TARGET_LABELS = 20


@dataclass(frozen=True)
class Predicted:
    """Predictions for a batch: `positive` (n_rows,) the label as boolean, `score` (n_rows,) or None."""

    positive: NDArray[np.bool_]
    score: NDArray[np.float64] | None


Ask = Callable[[Any], Callable[[], Predicted]]


class Pass:
    """What the pass leaves behind: the cube, facts about the data, a sample of rows, the population."""

    def __init__(self, source: DataSource, plan: ColumnPlan, labels: Labels, coders: dict[str, Coder], *,
                 scored: bool, seed: int) -> None:
        self.source, self.plan, self.labels, self.coders, self.seed = source, plan, labels, coders, seed
        self.cube = Cube(tuple(coders), scored=scored)
        self.facts = Facts(roles(plan))
        self.sample = Sample(SAMPLE_ROWS)
        self.read = self.used = 0
        self._outputs: set[float] = set()
        self._target = _target_coder(plan.target)

    def run(self, ask: Ask, progress: Callable[[str, int, int], None], stage: str) -> None:
        """Read every batch once; `ask` starts the prediction of a batch and gives back how to await it."""
        for batch in self.source.batches(self.plan.read):
            self.read += batch.num_rows
            batch = _with_target(batch, self.plan.target)
            progress(stage, self.read, self.source.rows)
            if batch.num_rows:
                self._count(batch, ask(batch))
        if not self.used:
            raise InputError("has no row with a target", where=str(self.source.path),
                             fix="give rows whose outcome is known")

    def _count(self, batch: Any, answer: Callable[[], Predicted]) -> None:
        # All of this happens while the model's process works on the same batch.
        codes = [c.codes(batch.column(self.plan.sensitive[role])) for role, c in self.coders.items()]
        target = self._target.codes(batch.column(self.plan.target))
        y = np.array([level == self.labels.positive for level in self._target.levels])[target]
        keys = row_keys(batch, self.seed)
        self.facts.add(batch, keys)
        self.sample.add(keys, batch)
        predicted = answer()
        outputs = predicted.positive if predicted.score is None else predicted.score
        self._outputs = set(sorted({*self._outputs, float(outputs.min()), float(outputs.max())})[:2])
        self.cube.add(codes, y, predicted.positive, predicted.score)
        self.used += batch.num_rows

    @property
    def distinct_outputs(self) -> int:
        """Distinct outputs, counted to 2."""
        return len(self._outputs)

    @property
    def population(self) -> Population:
        """Rows read = used + excluded."""
        left = self.read - self.used
        return Population(self.read, self.used, (Excluded(TARGET_MISSING, left),) if left else ())

    def levels(self) -> Levels:
        """Level texts by code and canonical order of every sensitive feature."""
        texts: dict[str, Sequence[str]] = {}
        order: dict[str, Sequence[int]] = {}
        for role, coder in self.coders.items():
            names, place = coder.ordered()
            order[role] = [int(code) for code in np.argsort(place, kind="stable")]
            texts[role] = [names[p] for p in place]
        return Levels(texts, order)

    def sampled_groups(self) -> dict[str, list[str | None]]:
        """The level of each sampled row by sensitive feature, None for missing."""
        found: dict[str, list[str | None]] = {}
        texts = self.levels().texts
        for role, coder in self.coders.items():
            column = self.sample.table.column(self.plan.sensitive[role]).combine_chunks()
            found[role] = [None if c < 0 else texts[role][c] for c in coder.codes(column)]
        return found


def roles(plan: ColumnPlan) -> dict[str, str]:
    """The role of every column that is read: target, sensitive, score, prediction, feature."""
    by_column = {plan.target: "target", **dict.fromkeys(plan.sensitive.values(), "sensitive")}
    if plan.score:
        by_column[plan.score] = "score"
    if plan.prediction:
        by_column[plan.prediction] = "prediction"
    both = {c: "sensitive, feature" for c in plan.sensitive.values() if c in plan.features}
    return {c: both.get(c) or by_column.get(c, "feature") for c in plan.read}


def labels_of(source: DataSource, target: str, *, positive: str | None, favourable: str | None) -> Labels:
    """The labels of the target, from one look at its column."""
    coder = _target_coder(target)
    for batch in source.batches([target]):
        coder.codes(batch.column(0))
    return choose_labels(coder.levels, target, positive=positive, favourable=favourable, where=str(source.path))


def _target_coder(target: str) -> LevelCoder:
    return LevelCoder(target, limit=TARGET_LABELS, empty=False,
                      fix="give a binary target; more classes and numbers come in a later version")


def _with_target(batch: Any, target: str) -> Any:
    import pyarrow.compute as pc

    column = batch.column(target)
    if not column.null_count and not str(column.type).startswith(("float", "double", "halffloat")):
        return batch
    known = pc.invert(pc.is_null(column, nan_is_null=True))
    return batch if pc.all(known).as_py() else batch.filter(known)
