"""Values that break the contract of their column, counted in the pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from govern.evidence import Measurement
from govern.inputs.arrays import floats, indices, raw, valid
from govern.inputs.days import day_of
from govern.inputs.expected import Contract
from govern.inputs.levels import finite, level_text, number_text

TRUTHS = ("false", "true", "0", "1")


class Contracts:
    """Rows whose value is not what the contract of a column allows, in the making."""

    def __init__(self, contracts: Sequence[Contract]) -> None:
        self._contracts = tuple(contracts)
        self._broken = [0] * len(self._contracts)
        self._rows = 0

    def add(self, batch: Any) -> None:
        """Count a pyarrow RecordBatch."""
        self._rows += batch.num_rows
        for i, contract in enumerate(self._contracts):
            self._broken[i] += int(np.count_nonzero(broken(batch.column(contract.column), contract)))

    def measurements(self) -> Iterator[Measurement]:
        """contract_break_share of each column with a contract, of all rows."""
        for contract, n in zip(self._contracts, self._broken, strict=True):
            yield Measurement("contract_break_share", n / self._rows, numerator=n, denominator=self._rows,
                              slice=f"column: {contract.column}")


def broken(column: pa.Array, contract: Contract) -> NDArray[np.bool_]:
    """Which values of a column break its contract, (n_rows,).

    A kind is that in which the column is read; a text counts as a number, a truth value or a date where it writes one,
    and 0 and 1 as truth values. Levels are compared as texts.
    """
    kind = column.type
    if pa.types.is_boolean(kind):
        wrong = np.array([_text_breaks(t, contract, "boolean") for t in ("false", "true")])
        missing, flags = ~valid(column), wrong[raw(column).astype(np.int64)]
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        values = floats(column)
        missing, flags = np.isnan(values), _numbers_break(values, contract)
    else:
        coded = column if pa.types.is_dictionary(kind) else column.dictionary_encode()
        of = "date" if pa.types.is_temporal(coded.type.value_type) else "text"
        texts = [None if v is None else level_text(v) for v in coded.dictionary.to_pylist()] + [None]
        wrong = np.array([t is not None and _text_breaks(t, contract, of) for t in texts])
        places = indices(coded, len(texts) - 1)
        missing, flags = np.array([t is None for t in texts])[places], wrong[places]
    return np.where(missing, not contract.missing, flags)


def _numbers_break(values: NDArray[np.float64], contract: Contract) -> NDArray[np.bool_]:
    if contract.kind in ("text", "date"):
        return np.ones(len(values), np.bool_)
    flags = np.zeros(len(values), np.bool_)
    if contract.kind == "boolean":
        flags |= (values != 0) & (values != 1)
    if contract.low is not None:
        flags |= values < contract.low
    if contract.high is not None:
        flags |= values > contract.high
    if contract.levels is not None:
        known = [n for level in contract.levels if (n := finite(level)) is not None and number_text(n) == level]
        flags |= ~np.isin(values, known)
    return flags


def _text_breaks(text: str, contract: Contract, kind: str) -> bool:
    """Whether a value of a column of `kind` (text, date, boolean), written as text, breaks the contract."""
    ranged = contract.low is not None or contract.high is not None
    wanted = "number" if ranged else contract.kind
    if contract.levels is not None and text not in contract.levels:
        return True
    if wanted == "number":
        number = finite(text) if kind == "text" else None
        return number is None or bool(_numbers_break(np.array([number]), contract)[0])
    if wanted == "boolean":
        return kind == "date" or text.casefold() not in TRUTHS
    if wanted == "date":
        return kind == "boolean" or day_of(text) is None
    return wanted == "text" and kind != "text"
