"""What people said of the data beforehand, counted in the one pass beside what the model answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from govern.evidence import Group, Measurement
from govern.inputs.columns import ColumnPlan
from govern.inputs.expected import Decision
from govern.measure.decisions import Decisions
from govern.stats.cube import Codes, Levels


class Expected:
    """Decisions taken, in the making; nothing where nothing was said."""

    def __init__(self, plan: ColumnPlan, features: Sequence[str], decisions: Sequence[Decision]) -> None:
        self.decisions = tuple(decisions)
        self._decisions = Decisions(decisions, features, weighted=plan.weight is not None,
                                    clustered=plan.cluster is not None)

    def add(self, batch: Any, codes: Mapping[str, Codes], weight: NDArray[np.float64] | None,
            cluster: NDArray[np.uint64] | None) -> None:
        """Count a pyarrow RecordBatch with the level codes of its features, its weights and clusters, (n_rows,)."""
        self._decisions.add(batch, codes, weight, cluster)

    def measurements(self, groups: Sequence[Group], levels: Levels) -> Iterator[Measurement]:
        """All that was counted."""
        yield from self._decisions.measurements(groups, levels)
