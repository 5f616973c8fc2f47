"""The training data, read once: rows and values that they share with the evaluation data, groups, drift from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from govern.dataset import Column, DataFacts
from govern.errors import InputError, printable
from govern.evidence import UNKNOWN_NAME, Group, Measurement, Subject
from govern.inputs.bands import BandCoder
from govern.inputs.coders import Coder
from govern.inputs.columns import ColumnPlan
from govern.inputs.datasets import BATCH_ROWS, DataSource
from govern.inputs.expected import case_name
from govern.inputs.settings import DataSettings
from govern.measure.datafacts import Facts, coded_texts, roles
from govern.measure.datarows import NO_FEATURES, TOO_MANY, duplicate_share, missing_shares
from govern.measure.days import Days
from govern.measure.outputs import NAME, Outputs, StoredOutputs
from govern.measure.passing import Ask, Pass, Telling
from govern.measure.predictions import Predicted
from govern.measure.representation import case_rows, group_shares
from govern.measure.rowkeys import Overlap
from govern.measure.sample import Sample
from govern.measure.unseen import Unseen
from govern.stats.cube import Cube, Levels
from govern.stats.stability import shared, stability

SAMPLE_ROWS = 20_000
TRAIN = "train"
COMPARED = ("feature", "sensitive", "control")


@dataclass(frozen=True)
class Trained:
    """What the evidence says of the training data."""

    facts: DataFacts
    measurements: tuple[Measurement, ...]
    notes: tuple[str, ...]


def refuse_foreign(source: DataSource, plan: ColumnPlan) -> None:
    """Raises InputError for training data that have none of the columns that are used."""
    if not any(c in source.columns for c in plan.read):
        raise InputError("has none of the columns that are used of the evaluation data", where=str(source.path),
                         fix="check --train")


class Training:
    """The pass over the training data, after that over the evaluation data `done`.

    Memory does not grow with their rows.
    """

    def __init__(self, source: DataSource, done: Pass, data: DataSettings) -> None:
        self.source, self._done, self._data = source, done, data
        plan = self._plan = done.plan
        self._present = [c for c in plan.read if c in source.columns]
        of = roles(plan)
        # Keys of rows are compared only where every feature and the target are there.
        self._whole = all(c in source.columns for c in (*plan.features, plan.target))
        self._facts = Facts({c: of[c] for c in self._present}, seed=done.seed,
                            features=len(plan.features) if self._whole else 0)
        self._unlike = {c: why for c in self._present if (why := _unlike(done.source, source, c))}
        self._coders: dict[str, Coder] = {
            role: coder.anew() for role, coder in done.coders.items() if coder.asked and coder.column in source.columns
            and not (isinstance(coder, BandCoder) and coder.column in self._unlike)}
        self._cube = Cube(tuple(self._coders))
        self._days = Days(plan.date if plan.date in source.columns else None, None, str(source.path))
        self._sample = Sample(SAMPLE_ROWS)
        self._stored = StoredOutputs(plan, done.target, self._present)
        self._answer: Callable[[], Predicted] | None = None
        self._unanswered: str | None = None
        kept = done.facts.keys
        self._overlap = Overlap(kept.labelled) if kept is not None and self._whole and plan.features else None
        self._unseen = Unseen({c: done.facts.columns[c] for c in self._present if _compared(of[c])})

    def run(self, progress: Telling) -> None:
        """Read every batch once."""
        for batch in self.source.batches(self._present, BATCH_ROWS):
            batch = coded_texts(batch)
            _, labelled, whole = self._facts.add(batch)
            if self._overlap is not None:
                self._overlap.mark(labelled)
            self._unseen.mark(batch)
            self._days.add(batch)
            self._sample.add(whole, batch)
            self._stored.add(batch)
            none = np.zeros(batch.num_rows, np.int32)
            try:
                self._cube.add([c.codes(batch.column(c.column)) for c in self._coders.values()], none, none)
            except InputError as err:
                raise InputError(err.what, where=str(self.source.path), fix=err.fix) from None
            progress("reading the training data", self._facts.rows, self.source.rows)

    def ask(self, ask: Ask) -> None:
        """Start the prediction of a sample of the rows, those with the smallest keyed hashes: the outputs on the
        training data are theirs. Without it stored outputs are."""
        lacking = next((c for c in self._plan.features if c not in self._present), None)
        unlike = next((self._unlike[c] for c in self._plan.features if c in self._unlike), None)
        self._unanswered = unlike if lacking is None else _absent(lacking)
        if self._unanswered is None:
            self._answer = ask(self._sample.first(SAMPLE_ROWS, self._plan.features))

    def _outputs(self) -> tuple[Column | None, str | None]:
        """The distribution of the outputs; else why there is none."""
        if self._answer is None:
            return (None, self._unanswered) if self._unanswered is not None else self._stored.result()
        found = Outputs(self._done.target)
        try:
            found.add(self._answer())
        except InputError as err:
            return None, f"the model {err.what}"
        return found.result(), None

    @property
    def subject(self) -> Subject:
        """The file, by digest."""
        return Subject(TRAIN, self.source.name, self.source.sha256, self.source.size, self.source.format)

    def result(self, groups: Sequence[Group], own: DataFacts) -> Trained:
        """All that is said of the training data; `own` are the facts of the evaluation data."""
        output, why = self._outputs()
        facts = replace(self._facts.result(), rows=self._facts.rows, period=self._days.period, output=output)
        found = [*missing_shares(self._facts.columns.values(), self._facts.rows, TRAIN),
                 duplicate_share(self._facts, TRAIN), self._overlapping(), *self._unseen_shares(),
                 *self._of_groups(groups), *self._drift(facts, own, why)]
        return Trained(facts, tuple(found), tuple(self._notes()))

    def _notes(self) -> Iterator[str]:
        lacking = [c for c in self._plan.read if c not in self._present]
        if lacking:
            yield f"The training data have no column {_names(lacking)}: nothing is compared there."
        types = {c: {self._done.source.type_of(c), self.source.type_of(c)} for c in self._present}
        single = [c for c, both in types.items() if both == {pa.float32(), pa.float64()}]
        if single and self._overlap is not None:
            yield f"Of single precision in one of the two data sets: {_names(single)}: rows that stand in both may " \
                  "not be found."

    def _reason(self, column: str) -> str | None:
        """Why a column cannot be compared; None where it can. A column without any value can."""
        if column not in self._present:
            return _absent(column)
        empty = self._facts.columns[column].empty or self._done.facts.columns[column].empty
        return None if empty else self._unlike.get(column)

    def _overlapping(self) -> Measurement:
        why = next((w for c in (*self._plan.features, self._plan.target) if (w := self._reason(c))), None)
        if self._done.facts.keys is None:
            why = TOO_MANY
        if not self._plan.features:
            why = NO_FEATURES
        if why is not None or self._overlap is None:
            return Measurement("train_overlap_share", None, "undefined", why)
        n, rows = self._overlap.rows, self._done.facts.rows
        return Measurement("train_overlap_share", n / rows, numerator=n, denominator=rows)

    def _unseen_shares(self) -> Iterator[Measurement]:
        of, rows = roles(self._plan), self._done.facts.rows
        outside = self._unseen.counts(self._facts.columns, self._done.again)
        for column in (c for c in self._plan.read if _compared(of[c])):
            found = self._reason(column) or outside.get(column)
            name = f"column: {column}"
            if isinstance(found, int):
                yield Measurement("unseen_value_share", found / rows, numerator=found, denominator=rows, slice=name)
            else:
                yield Measurement("unseen_value_share", None, "undefined", found, slice=name)

    def _of_groups(self, groups: Sequence[Group]) -> Iterator[Measurement]:
        """Shares of groups and rows of cases among the training data, which count once each."""
        levels = _levels(self._coders, self._done.coders)
        yield from group_shares(self._cube, levels, groups, TRAIN)
        for role, coder in self._done.coders.items():
            if role not in self._coders and coder.asked:
                yield from (Measurement("group_share", None, "undefined", self._lacks(role), g.id, split=TRAIN)
                            for g in groups if g.features == (role,) and not g.within)
        for case in self._data.cases:
            lacking = next((role for role in case if role not in self._coders), None)
            if lacking is None:
                yield from case_rows(self._cube, levels, [case], TRAIN)
            else:
                yield Measurement("case_rows", None, "undefined", self._lacks(lacking),
                                  slice=f"case: {case_name(case)}", split=TRAIN)

    def _lacks(self, role: str) -> str:
        """Why there are no groups of a feature."""
        column = self._done.coders[role].column
        return self._unlike.get(column) or _absent(column)

    def _drift(self, facts: DataFacts, own: DataFacts, why: str | None) -> Iterator[Measurement]:
        """population_stability of every feature and of the output, the training data being the reference."""
        before, now = ({c.name: c for c in d.columns} for d in (facts, own))
        for column in self._plan.features:
            yield _stability(f"column: {column}", before.get(column), now[column], self._reason(column))
        yield _stability(NAME, facts.output, own.output, why)


def _stability(name: str, before: Column | None, now: Column | None, why: str | None) -> Measurement:
    cells = None if why is not None or before is None or now is None else shared(before, now)
    if cells is None:
        reason = why or "the two have no common bins or levels: more than 1,000 different texts, or no values"
        return Measurement("population_stability", None, "undefined", reason, reference=TRAIN, slice=name)
    return Measurement("population_stability", stability(*cells), reference=TRAIN, slice=name)


def _compared(role: str) -> bool:
    return any(part in COMPARED for part in role.split(", "))


def _levels(coders: dict[str, Coder], own: dict[str, Coder]) -> Levels:
    """Level texts by code and their order, under the names that the groups of the evaluation data have."""
    texts: dict[str, list[str]] = {}
    order: dict[str, list[int]] = {}
    for role, coder in coders.items():
        if isinstance(coder, BandCoder):
            # Whole numbers name bands otherwise than others; the names are those of the evaluation data.
            texts[role] = [*own[role].ordered()[0][: len(coder.cuts) + 1], UNKNOWN_NAME]
            order[role] = list(range(len(texts[role])))
            continue
        names, place = coder.ordered()
        order[role] = [int(code) for code in np.argsort(place, kind="stable")]
        texts[role] = [names[p] for p in place]
    return Levels(texts, order)


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "truth values"
    return "numbers" if pa.types.is_integer(kind) or pa.types.is_floating(kind) else "texts"


def _unlike(own: DataSource, source: DataSource, column: str) -> str | None:
    """Why the values of a column cannot be compared: other types there. Dates are compared as texts."""
    there, here = _kind(source.type_of(column)), _kind(own.type_of(column))
    if there == here:
        return None
    return f'column "{printable(column)}" holds {there} in the training data and {here} in the evaluation data'


def _absent(column: str) -> str:
    return f'the training data have no column "{printable(column)}"'


def _names(columns: Sequence[str]) -> str:
    return ", ".join(f'"{printable(c, 30)}"' for c in columns[:5]) + (" …" if len(columns) > 5 else "")
