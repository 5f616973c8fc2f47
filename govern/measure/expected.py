"""What people said of the data beforehand, counted in the one pass beside what the model answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from govern.evidence import Group, Measurement
from govern.inputs.coders import pair_coders
from govern.inputs.columns import ColumnPlan
from govern.inputs.datasets import DataSource
from govern.inputs.expected import Decision
from govern.inputs.settings import DataSettings
from govern.measure.contracts import Contracts
from govern.measure.days import Days
from govern.measure.decisions import Decisions
from govern.measure.pairs import Pairs
from govern.measure.representation import case_rows, declared_shares, group_shares
from govern.stats.cube import Codes, Cube, Levels


class Expected:
    """Decisions taken, days, pairs of values and contracts, in the making; nothing where nothing was said.

    `features` are those of the cube of the pass. Reads columns of numbers that are to be paired. Raises InputError.
    """

    def __init__(self, data: DataSettings, source: DataSource, plan: ColumnPlan, features: Sequence[str],
                 decisions: Sequence[Decision]) -> None:
        self.decisions = tuple(decisions)
        self._data = data
        self._decisions = Decisions(decisions, features, weighted=plan.weight is not None,
                                    clustered=plan.cluster is not None)
        self._days = Days(plan.date, data.period, str(source.path))
        self._pairs = Pairs(pair_coders(data, source))
        self._contracts = Contracts(data.contract)

    def add(self, batch: Any, codes: Mapping[str, Codes], weight: NDArray[np.float64] | None,
            cluster: NDArray[np.uint64] | None) -> None:
        """Count a pyarrow RecordBatch with the level codes of its features, its weights and clusters, (n_rows,)."""
        self._decisions.add(batch, codes, weight, cluster)
        self._days.add(batch)
        self._pairs.add(batch)
        self._contracts.add(batch)

    @property
    def period(self) -> tuple[str, ...]:
        """First and last day of the rows; () without a column of dates."""
        return self._days.period

    def measurements(self, cube: Cube, levels: Levels, groups: Sequence[Group]) -> Iterator[Measurement]:
        """All that was counted, and shares of groups and rows of cases from the cube of the pass."""
        yield from self._decisions.measurements(groups, levels)
        yield from group_shares(cube, levels, groups)
        yield from declared_shares(cube, levels, groups, self._data.shares)
        yield from case_rows(cube, levels, self._data.cases)
        yield from self._pairs.measurements()
        yield from self._contracts.measurements()
        yield from self._days.measurements()
