"""Scores of rows as entries: (face of the cube, score, rows, Σ weight, Σ weight²), exact for few rows, binned for many.

Up to 524,288 rows every row is an entry and metrics are exact. Beyond that, scores within 0 to 1 are counted in
bins of equal width, at most 2⁻¹⁴, each standing for its middle, so that memory does not grow with rows; the
sums of Brier and log loss are kept beside the bins, each row to 2⁻²⁰ or finer. Scores that leave 0 to 1,
and rows in clusters, stay exact at 12 bytes a row and more. Weights that turn out to be equal, and clusters of one
row each, leave the entries as they are without.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from govern.errors import InputError
from govern.stats.fixed_point import UNITS, from_units, in_units

Floats = NDArray[np.float64]
Cells = NDArray[np.int32]
Number = TypeVar("Number", np.int64, np.float64)
EXACT_ROWS = 1 << 19
BINS = 1 << 14
LEAST_BINS = 1 << 10
MOST_BINNED = 1 << 22  # cells × bins held at once, for one column of scores
LEAST_SCORE = 2.0 ** -52
LOSS_UNITS = np.array([1 << 30, 1 << 30, 1 << 24, 1 << 20], np.float64)


@dataclass(frozen=True)
class Column:
    """Entries of one column of scores: `face`, `score`, `n`, `w`, `w2` are (n_entries,); `bins` None when exact.

    `w` and `w2` are None without weights, `cluster` (n_entries,) without clusters. `losses` (n_faces, 4), where
    binned and all weights are equal: Σ squared error, its squares, Σ log loss, its squares.
    """

    face: Cells
    score: Floats
    n: NDArray[np.int64]
    w: Floats | None = None
    w2: Floats | None = None
    cluster: NDArray[np.uint64] | None = None
    bins: int | None = None
    losses: Floats | None = None


class Entries:
    """Entries of `columns` columns of scores, in the making."""

    def __init__(self, columns: int, *, weighted: bool, clustered: bool) -> None:
        self.columns, self.weighted, self.clustered = columns, weighted, clustered
        self.bins: int | None = None
        self._rows = 0
        self._waiting: list[tuple[Cells, Cells, Floats, Floats | None, NDArray[np.uint64] | None]] = []
        self._probable = True
        # The weight of the first row, and whether all rows have had it so far.
        self._weight: float | None = None
        self._even = True
        self._counts = [np.zeros((0, BINS), np.int64) for _ in range(columns)]
        # Σ weight and Σ weight² by number of unit, where there are any in it.
        self._weights: list[dict[int, Floats]] = [{} for _ in range(columns if weighted else 0)]
        self._losses = [np.zeros((0, 4), np.int64) for _ in range(columns)]

    def add(self, cells: Cells, true: Cells, score: Floats, weight: Floats | None,
            cluster: NDArray[np.uint64] | None) -> None:
        """Take a batch: cell, true class, scores (n_rows, columns), weight and cluster of each row."""
        self._waiting.append((cells, true, score, weight, cluster))
        self._rows += len(cells)
        self._probable = self._probable and bool(score.min() >= 0 and score.max() <= 1)
        if not self._probable and self.bins is not None:
            raise InputError(f"the first {EXACT_ROWS:,} scores lie within 0 to 1, and later ones do not", where="score",
                             fix="give probabilities, or scores that are none from the start")
        if weight is not None and self._even:
            self._weight = float(weight[0]) if self._weight is None else self._weight
            self._even = bool((weight == self._weight).all())
        if self._rows > EXACT_ROWS and self._probable and not self.clustered:
            self._flush()

    def column(self, which: int, faces: int, *, repeated: bool = True) -> Column:
        """The entries of one column of scores, of `faces` cells in all; `repeated`: some cluster has two rows."""
        if self.clustered and not repeated:
            self.clustered = False
            if self._rows > EXACT_ROWS and self._probable:
                self._flush()
        if self.bins is None:
            cells, _, score, weight, cluster = self._joined()
            own = np.ascontiguousarray(score[:, which])
            return Column(cells, own, np.ones(len(cells), np.int64), weight,
                          None if weight is None else weight * weight, cluster)
        self._flush()
        self._make_room(faces)
        counts = self._counts[which]
        cell, place = np.nonzero(counts)
        w = w2 = None
        if self.weighted:
            held = self._weights[which]
            parts = [held[k][cell, place] if k in held else np.zeros(len(cell)) for k in range(2 * len(UNITS))]
            w, w2 = (from_units(parts[i:i + len(UNITS)]) for i in (0, len(UNITS)))
        return Column(cell.astype(np.int32), (place + 0.5) / self.bins, counts[cell, place], w, w2,
                      bins=self.bins, losses=self._losses[which] / LOSS_UNITS if self._even else None)

    def _joined(self) -> tuple[Cells, Cells, Floats, Floats | None, NDArray[np.uint64] | None]:
        cells, true, score, weight, cluster = zip(*self._waiting, strict=True)
        return (np.concatenate(cells), np.concatenate(true), np.concatenate(score),
                np.concatenate(weight) if self.weighted else None,
                np.concatenate(cluster) if self.clustered else None)

    def _flush(self) -> None:
        """Count what waits into the bins."""
        if not self._waiting:
            return
        cells, true, score, weight, _ = self._joined()
        self._waiting, self._rows = [], 0
        self._make_room(int(cells.max()) + 1)
        bins = self.bins or BINS
        start = cells.astype(np.int64) * bins
        for i in range(self.columns):
            s = score[:, i]
            code = start + np.minimum((s * bins).astype(np.int64), bins - 1)
            counts = self._counts[i]
            counts += np.bincount(code, minlength=counts.size).reshape(counts.shape)
            if weight is not None:
                for k, part in enumerate((*in_units(weight), *in_units(weight * weight))):
                    if part.any():
                        found = np.asarray(np.bincount(code, part, counts.size), np.float64).reshape(counts.shape)
                        self._weights[i][k] = self._weights[i][k] + found if k in self._weights[i] else found
            if self._even:
                self._add_losses(i, cells, true == (1 if self.columns == 1 else i), s)

    def _add_losses(self, column: int, cells: Cells, positive: NDArray[np.bool_], score: Floats) -> None:
        likely = np.where(positive, score, 1 - score)
        squared = (1 - likely) ** 2
        log = -np.log(np.clip(likely, LEAST_SCORE, 1 - LEAST_SCORE))
        sums = self._losses[column]
        for k, loss in enumerate((squared, squared * squared, log, log * log)):
            found = np.bincount(cells, np.rint(loss * LOSS_UNITS[k]), len(sums))
            sums[:, k] += found.astype(np.int64)

    def _make_room(self, cells: int) -> None:
        """Rows for new cells; coarser bins where there are many, so that their number depends on the cells alone."""
        bins = BINS
        while cells * bins > MOST_BINNED and bins > LEAST_BINS:
            bins //= 2
        held = self.bins or BINS
        self.bins = bins = min(bins, held)
        for i in range(self.columns):
            self._counts[i] = _resized(self._counts[i], cells, bins)
            self._losses[i] = np.pad(self._losses[i], ((0, max(0, cells - len(self._losses[i]))), (0, 0)))
        for i in range(len(self._weights)):
            self._weights[i] = {k: _resized(w, cells, bins) for k, w in self._weights[i].items()}


def _resized(counts: NDArray[Number], cells: int, bins: int) -> NDArray[Number]:
    fewer = counts.reshape(len(counts), bins, counts.shape[1] // bins).sum(axis=2)
    return np.pad(fewer, ((0, max(0, cells - len(fewer))), (0, 0)))
