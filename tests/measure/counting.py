"""Groups and counts made from rows, by loops over groups, for tests of what follows from counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from govern.evidence import Counts, Group, Sampling

Of = dict[tuple[str, str | None], Counts]


def counts_of(id: str, y: np.ndarray, pred: np.ndarray, w: np.ndarray | None = None, *,
              favourable_is_positive: bool = True, cluster: np.ndarray | None = None) -> Counts:
    """Counts of rows; with weights or clusters also what they make of the cells."""
    kind = np.where(y == 1, np.where(pred == 1, 0, 2), np.where(pred == 1, 1, 3))
    tp, fp, fn, tn = (int((kind == k).sum()) for k in range(4))
    sampling = None
    if w is not None or cluster is not None:
        w = np.ones(len(y)) if w is None else w
        units = np.where(kind[:, None] == np.arange(4), w[:, None], 0.0)  # (n_rows, 4)
        if cluster is not None:
            units = np.array([units[cluster == c].sum(axis=0) for c in np.unique(cluster)])
        products = units.T @ units
        sampling = Sampling(*(float(s) for s in units.sum(axis=0)),
                            tuple(float(products[a, b]) for a in range(4) for b in range(a, 4)))
    return Counts(id, tp, fp, fn, tn, tp + fp if favourable_is_positive else fn + tn, None, sampling)


def measured(groups: Sequence[str | None], y: Sequence[int] | np.ndarray, pred: Sequence[int] | np.ndarray,
             w: np.ndarray | None = None, *, favourable_is_positive: bool = True) -> tuple[list[Group], Of]:
    """Groups of the feature `who` by name, the missing one last, and their counts."""
    y, pred, codes = np.asarray(y), np.asarray(pred), np.array(groups, object)
    names: list[str | None] = sorted({g for g in groups if g is not None})
    names += [None] if None in groups else []
    found, of = [], {}
    for i, name in enumerate(names):
        rows = np.array([c == name for c in codes], bool)
        id, positive = f"g{i + 1}", int(y[rows].sum())
        n = int(rows.sum())
        found.append(Group(id, ("who",), (name,), n, positive, positive if favourable_is_positive else n - positive))
        of[id, None] = counts_of(id, y[rows], pred[rows], None if w is None else w[rows],
                                 favourable_is_positive=favourable_is_positive)
    return found, of


def by_group(of: Of, label: str | None = None) -> dict[str, Counts]:
    """The counts of one class by group id."""
    return {id: c for (id, which), c in of.items() if which == label}
