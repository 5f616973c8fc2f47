"""Permutation importance, a second opinion on which features matter: how much worse the model does when the values of
a feature are exchanged between rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from govern.explain.attributions import rank_correlation
from govern.explanations import Permuted
from govern.inputs.arrays import whole

FEATURES: Final = 20
FEWEST: Final = 3

Floats = NDArray[np.float64]


def exchanged(rows: Any, features: Sequence[str]) -> Any:
    """The pyarrow RecordBatch `rows` once for each of `features`, one after another, each time with the values of that
    feature exchanged: every row has those of the row half a sample further on.

    Rows of a sample come in the order of their hashes, so that this is as random as a shuffle and draws nothing.
    """
    import pyarrow as pa

    n, k = rows.num_rows, len(features)
    plain = np.tile(np.arange(n), k)
    columns = []
    for name, column in zip(rows.schema.names, rows.columns, strict=True):
        places = plain
        if name in features:
            at = features.index(name) * n
            places = plain.copy()
            places[at : at + n] = (np.arange(n) + n // 2) % n
        columns.append(column.take(whole(places)))
    return pa.RecordBatch.from_arrays(columns, names=rows.schema.names)


def permuted(metric: str, features: Sequence[str], before: Floats, after: Floats, weight: Floats | None
             ) -> tuple[Permuted, ...]:
    """What was lost with each of `features`, by falling loss: the mean loss of each row `before` (n_rows,) taken from
    that `after` (n_features, n_rows) the exchange, in the unit of `metric`.

    Two rows that exchanged values count as one in the standard error; None below 2 of these.
    Source: Breiman 2001, Machine Learning 45:5–32, section 10.
    """
    n = len(before)
    w = np.ones(n) if weight is None else weight
    pairs = n // 2
    found = []
    for name, lost in zip(features, after, strict=True):
        apart = lost - before
        value = float((w * apart).sum() / w.sum())
        own = w * (apart - value) / w.sum()
        both = own[:pairs] + own[pairs : 2 * pairs]
        if n % 2:
            both = np.append(both, own[-1])
        m = len(both)
        se = float(np.sqrt((both * both).sum() * m / (m - 1))) if m > 1 else None
        found.append(Permuted(name, metric, value, se, n))
    return tuple(sorted(found, key=lambda p: (-p.value, p.feature)))


def agreement(sizes: Mapping[str, float], lost: Sequence[Permuted]) -> float | None:
    """Spearman's rank correlation, −1 to 1, of mean |contribution| by feature with permutation importance over the
    features that were permuted; None below 3 of these, or where either is constant."""
    if len(lost) < FEWEST:
        return None
    return rank_correlation(np.array([sizes[p.feature] for p in lost]), np.array([p.value for p in lost]))
