"""What a data set holds, gathered batch by batch: its columns, and the keys of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from govern.dataset import DataFacts
from govern.inputs.columns import ColumnPlan
from govern.inputs.rows import Keys, prefix_keys
from govern.measure.columnfacts import ColumnFacts
from govern.measure.rowkeys import Kept, RowKeys


class Facts:
    """Facts in the making: the columns of `roles` by name, in that order, first `features` of them, then the target.

    With `classes` 2 or more the features are counted by class, so that each is known for how well it tells the target.
    """

    def __init__(self, roles: Mapping[str, str], *, seed: int, features: int = 0, classes: int = 1) -> None:
        self.columns = {name: ColumnFacts(name, role, classes if i < features else 1)
                        for i, (name, role) in enumerate(roles.items())}
        self.features, self.classes = features, classes
        self.by_class = np.zeros(classes, np.int64)
        self._seed, self._keys = seed, RowKeys()

    def add(self, batch: Any, label: NDArray[np.integer] | None = None) -> tuple[Keys, Keys, Keys]:
        """Count a pyarrow RecordBatch that has the columns of `roles` first, with the class of each row where rows are
        counted by class; gives the keys of its rows by features, features and target, and all columns, each (n_rows,).
        """
        known = min(self.features + 1, len(self.columns))
        features, labelled, whole = prefix_keys(batch, self._seed, (self.features, known, len(self.columns)))
        self._keys.add(whole, features if self.features else None, labelled)
        codes = None if label is None or self.classes == 1 else label.astype(np.int64)
        if codes is not None:
            self.by_class += np.bincount(codes, minlength=self.classes)
        for name, facts in self.columns.items():
            facts.add(batch.column(name), codes if facts.classes > 1 else None)
        return features, labelled, whole

    @property
    def rows(self) -> int:
        """Rows counted."""
        return self._keys.rows

    @cached_property
    def keys(self) -> Kept | None:
        """The keys of all rows; None above about a million rows, so that memory does not grow with them."""
        return self._keys.kept()

    def result(self) -> DataFacts:
        """Column facts in the order of roles, and the number of rows equal to an earlier one, where keys are kept."""
        return DataFacts(tuple(c.result() for c in self.columns.values()),
                         None if self.keys is None else self.keys.duplicates)


def coded_texts(batch: Any) -> Any:
    """The batch with its texts dictionary-coded: keys, facts and levels are then found once for each text."""
    import pyarrow as pa

    columns = [c.dictionary_encode() if pa.types.is_string(c.type) or pa.types.is_large_string(c.type) else c
               for c in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def roles(plan: ColumnPlan) -> dict[str, str]:
    """The role of every column that is read: target, sensitive, control, weight …, feature; of several the last of
    this list."""
    more = {"checked": plan.checked, "paired": plan.paired, "searched": plan.search}
    found = {c: role for role, columns in more.items() for c in columns if c not in plan.features}
    single = {"score": plan.score, "prediction": plan.prediction, "weight": plan.weight, "cluster": plan.cluster}
    for role, columns in (("decision", plan.decisions.values()), ("date", (plan.date,)), ("target", (plan.target,)),
                          ("control", plan.control.values()), ("sensitive", plan.sensitive.values()),
                          *((role, (column,)) for role, column in single.items())):
        found |= dict.fromkeys((c for c in columns if c is not None), role)
    both = {c: f"{role}, feature" for c, role in found.items() if c in plan.features}
    return {c: both.get(c) or found.get(c, "feature") for c in plan.read}
