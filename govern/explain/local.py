"""Single decisions explained: the rows that were asked for, typical ones, and adverse ones near and far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from govern.explain.explained import ExplainedRows, Floats
from govern.explain.reasons import Dictionary, value_of
from govern.explain.reference import Reference, principal
from govern.explanations import Local, LocalPart
from govern.inputs.labels import Target
from govern.inputs.levels import level_text, number_text
from govern.inputs.settings import ExplainSettings

PARTS: Final = 10
TYPICAL: Final = 5


@dataclass(frozen=True)
class Chosen:
    """Rows that were asked for, explained as those of the sample are, and the names of the cases."""

    names: tuple[str, ...]
    rows: ExplainedRows


def local(rows: ExplainedRows, compared: Reference | None, settings: ExplainSettings, target: Target,
          chosen: Chosen | None = None) -> tuple[Local, ...]:
    """The chosen rows; of each decision, the 5 most frequent, the typical row; the adverse rows nearest to the cut-off
    and farthest from it where they are none of these.

    Typical is the row whose contributions have the smallest sum of squared distances to their means over the rows
    with its decision. Equal rows go by the order of the sample.
    """
    own = _Words(rows, compared, settings, target)
    found = [] if chosen is None else [
        own.local(chosen.rows, i, "chosen", name, decided(chosen.rows, target)[i])
        for i, name in enumerate(chosen.names)]
    decisions = decided(rows, target)
    typical = list(_typical(rows, decisions))
    found += [own.local(rows, i, "typical", decisions[i], decisions[i]) for i in typical]
    found += [own.local(rows, i, "adverse", name, decisions[i]) for name, i in _ends(rows, compared)
              if i not in typical]
    return tuple(found)


def decided(rows: ExplainedRows, target: Target) -> list[str]:
    """The predicted label of each explained row, empty in a task of numbers."""
    if target.task == "regression":
        return [""] * rows.n
    if len(rows.outputs) > 1:
        place = np.argmax(np.column_stack([o.outputs for o in rows.outputs]), axis=1)
        return [rows.outputs[i].label or "" for i in place.tolist()]
    if rows.selected is None or target.favourable is None:
        return [""] * rows.n
    other = next(label for label in target.classes if label != target.favourable)
    return [target.favourable if s else other for s in rows.selected.tolist()]


def _typical(rows: ExplainedRows, decisions: Sequence[str]) -> Iterator[int]:
    counts = Counter(decisions)
    place = _place(rows, decisions)
    for decision in sorted(counts, key=lambda d: (-counts[d], d))[:TYPICAL]:
        there = np.array([i for i, d in enumerate(decisions) if d == decision])
        values = rows.outputs[place[there[0]]].values[there]
        yield int(there[np.argmin(((values - values.mean(axis=0)) ** 2).sum(axis=1))])


def _place(rows: ExplainedRows, decisions: Sequence[str]) -> list[int]:
    """The output that explains each row: the only one, or that of its decision."""
    labels = [o.label for o in rows.outputs]
    return [0] * rows.n if len(labels) == 1 else [labels.index(d) for d in decisions]


def _ends(rows: ExplainedRows, compared: Reference | None) -> Iterator[tuple[str, int]]:
    if compared is None or not compared.adverse.any():
        return
    there = np.flatnonzero(compared.adverse)
    towards = compared.towards(rows.outputs[compared.place])[there]
    nearest, farthest = int(there[np.argmax(towards)]), int(there[np.argmin(towards)])
    yield "nearest", nearest
    if farthest != nearest:
        yield "farthest", farthest


class _Words:
    """What turns a row into its explanation."""

    def __init__(self, rows: ExplainedRows, compared: Reference | None, settings: ExplainSettings, target: Target
                 ) -> None:
        self._compared, self._settings, self._target = compared, settings, target
        self._dictionary = None if compared is None or not compared.rows.any() else \
            Dictionary(settings, rows, compared)

    def local(self, rows: ExplainedRows, row: int, kind: str, name: str, decision: str) -> Local:
        """The explanation of one of `rows`."""
        output = rows.outputs[_place(rows, decided(rows, self._target))[row]]
        values: Floats = output.values[row]
        order = sorted(range(len(values)), key=lambda j: (-abs(values[j]), rows.features[j]))[:PARTS]
        parts = tuple(LocalPart(rows.features[j], _text(rows, rows.features[j], row), float(values[j])) for j in order)
        whole = float(output.outputs[row])
        rest = whole - output.base - sum(p.contribution for p in parts)
        return Local(kind, name, decision, whole, output.base, parts, rest, tuple(self._reasons(rows, row)))

    def _reasons(self, rows: ExplainedRows, row: int) -> Iterator[str]:
        if self._compared is None or self._dictionary is None or rows.selected is None or rows.selected[row]:
            return
        without = [j for j, name in enumerate(rows.features) if name in self._settings.prohibited]
        for j in principal(self._compared.shortfalls(rows)[[row]], self._settings.most_reasons, without)[0]:
            feature = rows.features[j]
            yield self._dictionary.sentence(feature, value_of(rows, feature, row)) or feature


def _text(rows: ExplainedRows, feature: str, row: int) -> str:
    """The value of a row as text; empty where it is missing."""
    if feature in rows.numbers:
        number = value_of(rows, feature, row)
        return "" if np.isnan(number) else number_text(number)
    value = rows.table.column(feature)[row].as_py()
    return "" if value is None else level_text(value)
