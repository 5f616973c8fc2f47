"""From SHAP values of single rows to what a reader needs: importance and direction, overall and by group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from govern.evidence import OVERALL, Attribution, Attributions, Measurement

FEW = 2
NO_DIRECTION = "it holds no numbers, or it or its contributions are constant"


def attributions(values: NDArray[np.float64], features: Sequence[str],
                 numbers: Mapping[str, NDArray[np.float64]], groups: Mapping[str, NDArray[np.bool_]]
                 ) -> tuple[Attribution, ...]:
    """Attributions of every feature, for everyone and for each group.

    `values` is (n_rows, n_features) SHAP values, `numbers` the (n_rows,) values of numeric features (NaN
    where missing), `groups` the (n_rows,) membership by group id. Features come by falling mean |value|
    over everyone, then by name; a group with fewer than 2 sampled rows is left out.
    """
    size = np.abs(values)
    overall = size.mean(axis=0)
    order = sorted(range(len(features)), key=lambda j: (-overall[j], features[j]))
    members = {OVERALL: np.ones(len(values), bool), **groups}
    return tuple(_rows(values, size, features, numbers, members, order))


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


def _rows(values: NDArray[np.float64], size: NDArray[np.float64], features: Sequence[str],
          numbers: Mapping[str, NDArray[np.float64]], members: Mapping[str, NDArray[np.bool_]],
          order: Sequence[int]) -> Iterator[Attribution]:
    for group, mask in members.items():
        n = int(mask.sum())
        if n < FEW:
            continue
        means, signed = size[mask].mean(axis=0), values[mask].mean(axis=0)
        errors = size[mask].std(axis=0, ddof=1) / np.sqrt(n)
        for j in order:
            number = numbers.get(features[j])
            yield Attribution(
                features[j], group, n, float(means[j]), float(errors[j]), float(signed[j]),
                None if number is None else rank_correlation(number[mask], values[mask, j]))


def rank_correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float | None:
    """Spearman's rank correlation of the rows where `x` is not NaN; None when either is constant."""
    known = ~np.isnan(x)
    x, y = x[known], y[known]
    if len(x) < FEW:
        return None
    a, b = _ranks(x), _ranks(y)
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(np.clip((a @ b) / scale, -1.0, 1.0)) if scale > 0 else None


def _ranks(x: NDArray[np.float64]) -> NDArray[np.float64]:
    _, inverse, n = np.unique(x, return_inverse=True, return_counts=True)
    return (np.cumsum(n) - (n - 1) / 2)[inverse]
