"""From SHAP values of single rows to what a reader needs: importance and direction, overall and by group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from govern.evidence import OVERALL, Measurement
from govern.explanations import Attribution, Attributions

FEW = 2
NO_DIRECTION = "it holds no numbers, or it or its contributions are constant"

Floats = NDArray[np.float64]


def attributions(values: Floats, features: Sequence[str], numbers: Mapping[str, Floats],
                 groups: Mapping[str, NDArray[np.bool_]], *, weight: Floats | None = None,
                 cluster: NDArray[np.uint64] | None = None) -> tuple[Attribution, ...]:
    """Attributions of every feature, for everyone and for each group.

    `values` is (n_rows, n_features) SHAP values, `numbers` the (n_rows,) values of numeric features (NaN
    where missing), `groups` the (n_rows,) membership by group id. Features come by falling mean |value|
    over everyone, then by name; a group with fewer than 2 sampled rows is left out. With `weight` (n_rows,) means,
    standard errors and directions are of the weighted rows; with `cluster` (n_rows,) the errors are those of persons
    whom rows repeat.
    Source: Binder 1983, Int. Stat. Rev. 51:279–292, for the standard errors (linearised, n − 1 in place of n).
    """
    size = np.abs(values)
    overall = _mean(size, weight)
    order = sorted(range(len(features)), key=lambda j: (-overall[j], features[j]))
    members = {OVERALL: np.ones(len(values), bool), **groups}
    return tuple(_rows(values, size, features, numbers, members, order, weight, cluster))


def measurements(found: Attributions, outputs: NDArray[np.float64]) -> Iterator[Measurement]:
    """What rules may judge of attributions: attribution_residual as a share of the range of the explained `outputs`
    (n_rows,), and each feature's place by mean |value| over everyone and its direction.

    The residual is undefined where all outputs are equal, a direction where `Attribution.direction` is None.
    """
    spread = float(outputs.max() - outputs.min())
    if found.residual is None or not spread > 0 or not np.isfinite(spread):
        why = "all explained rows have one output" if spread == 0 else "the outputs or their sums are not finite"
        yield Measurement("attribution_residual", None, "undefined", why)
    else:
        yield Measurement("attribution_residual", found.residual / spread)
    for place, a in enumerate((a for a in found.features if a.group == OVERALL), 1):
        name = f"column: {a.feature}"
        yield Measurement("attribution_rank", float(place), slice=name)
        yield Measurement("attribution_direction", a.direction, "undefined" if a.direction is None else "ok",
                          NO_DIRECTION if a.direction is None else None, slice=name)


def _rows(values: Floats, size: Floats, features: Sequence[str], numbers: Mapping[str, Floats],
          members: Mapping[str, NDArray[np.bool_]], order: Sequence[int], weight: Floats | None,
          cluster: NDArray[np.uint64] | None) -> Iterator[Attribution]:
    for group, mask in members.items():
        n = int(mask.sum())
        if n < FEW:
            continue
        w, unit = None if weight is None else weight[mask], None if cluster is None else cluster[mask]
        means, signed = _mean(size[mask], w), _mean(values[mask], w)
        errors = _errors(size[mask], means, w, unit)
        for j in order:
            number = numbers.get(features[j])
            yield Attribution(
                features[j], group, n, float(means[j]), None if errors is None else float(errors[j]), float(signed[j]),
                None if number is None else rank_correlation(number[mask], values[mask, j], w))


def _mean(x: Floats, weight: Floats | None) -> Floats:
    """The mean of each column, (n_features,)."""
    # Not as a matrix product: that may depend on the number of threads.
    found: Floats = x.mean(axis=0) if weight is None else (weight[:, None] * x).sum(axis=0) / weight.sum()
    return found


def _errors(x: Floats, means: Floats, weight: Floats | None, cluster: NDArray[np.uint64] | None) -> Floats | None:
    """The standard error of the mean of each column, (n_features,); None where all rows are of one person."""
    found: Floats
    if weight is None and cluster is None:
        found = x.std(axis=0, ddof=1) / np.sqrt(len(x))
        return found
    w = np.ones(len(x)) if weight is None else weight
    influence, units = w[:, None] * (x - means), w
    if cluster is not None:
        # By person, and of each in the order of the sample, which no order of rows changes.
        order = np.argsort(cluster, kind="stable")
        starts = np.flatnonzero(np.concatenate([[True], np.diff(cluster[order]) != 0]))
        influence, units = (np.add.reduceat(v[order], starts, axis=0) for v in (influence, w))
    total = float(w.sum())
    free = total - float((units * units).sum()) / total
    if not free > 1e-12 * total:
        return None
    found = np.sqrt((influence * influence).sum(axis=0) / free / total)
    return found


def rank_correlation(x: Floats, y: Floats, weight: Floats | None = None) -> float | None:
    """Spearman's rank correlation of the rows where `x` is not NaN, weighted where they have weights; None when either
    is constant."""
    known = ~np.isnan(x)
    x, y, w = x[known], y[known], None if weight is None else weight[known]
    if len(x) < FEW:
        return None
    a, b = _ranks(x, w), _ranks(y, w)
    if w is None:
        a, b = a - a.mean(), b - b.mean()
        w = np.ones(len(a))
    else:
        a, b = (v - (w * v).sum() / w.sum() for v in (a, b))
    scale = float(np.sqrt((w * a * a).sum() * (w * b * b).sum()))
    return float(np.clip((w * a * b).sum() / scale, -1.0, 1.0)) if scale > 0 else None


def _ranks(x: Floats, weight: Floats | None) -> Floats:
    """The middle of the ranks, or of the cumulated weights, of equal values, (n_rows,)."""
    _, inverse, n = np.unique(x, return_inverse=True, return_counts=True)
    held = n if weight is None else np.bincount(inverse, weight)
    found: Floats = (np.cumsum(held) - (held - (weight is None)) / 2)[inverse]
    return found
