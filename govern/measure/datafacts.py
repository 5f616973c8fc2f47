"""What a data set holds, gathered batch by batch: its columns, and the keys of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from govern.dataset import DataFacts
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

    def add(self, batch: Any, label: NDArray[np.integer] | None = None) -> Keys:
        """Count a pyarrow RecordBatch that has the columns of `roles` first, with the class of each row where rows are
        counted by class; gives the keys of its rows, (n_rows,)."""
        known = min(self.features + 1, len(self.columns))
        features, labelled, whole = prefix_keys(batch, self._seed, (self.features, known, len(self.columns)))
        self._keys.add(whole, features, labelled)
        codes = None if label is None or self.classes == 1 else label.astype(np.int64)
        if codes is not None:
            self.by_class += np.bincount(codes, minlength=self.classes)
        for name, facts in self.columns.items():
            facts.add(batch.column(name), codes if facts.classes > 1 else None)
        return whole

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
