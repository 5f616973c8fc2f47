"""Which pairs of values of the declared columns occur, counted in the pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np

from govern.evidence import UNKNOWN_NAME, Measurement
from govern.inputs.bands import BandCoder
from govern.inputs.coders import SEARCHED_LEVELS, Coder


class Pairs:
    """Pairs of values in the making, by the coders of their columns; nothing without any."""

    def __init__(self, coders: Mapping[str, Coder]) -> None:
        self._coders = dict(coders)
        # Room for every code and for missing values, which come first.
        cuts = [len(c.cuts) for c in coders.values() if isinstance(c, BandCoder)]
        self._room = max(SEARCHED_LEVELS, *(n + 2 for n in cuts), 0) + 1
        self._seen = {pair: np.zeros(self._room * self._room, np.bool_) for pair in combinations(coders, 2)}

    def add(self, batch: Any) -> None:
        """Count a pyarrow RecordBatch."""
        codes = {c: coder.codes(batch.column(c)).astype(np.int64) + 1 for c, coder in self._coders.items()}
        for (a, b), seen in self._seen.items():
            seen[codes[a] * self._room + codes[b]] = True

    def measurements(self) -> Iterator[Measurement]:
        """pair_coverage over all pairs of columns, of the values that occur or are declared; missing and unknown ones
        are none.

        Source: Kuhn, Wallace & Gallo 2004, IEEE Trans. Softw. Eng. 30:418–421 (pairs of values as what tests cover).
        """
        if not self._coders:
            return
        known: dict[str, list[int]] = {}
        for column, coder in self._coders.items():
            names, place = coder.ordered()
            known[column] = [code + 1 for code, p in enumerate(place.tolist()) if names[p] != UNKNOWN_NAME]
        x = sum(int(seen.reshape(self._room, self._room)[np.ix_(known[a], known[b])].sum())
                for (a, b), seen in self._seen.items())
        n = sum(len(known[a]) * len(known[b]) for a, b in self._seen)
        name = f"pairs: {', '.join(self._coders)}"
        if not n:
            yield Measurement("pair_coverage", None, "undefined", "a column holds no value", numerator=0, denominator=0,
                              slice=name)
            return
        yield Measurement("pair_coverage", x / n, numerator=x, denominator=n, slice=name)
