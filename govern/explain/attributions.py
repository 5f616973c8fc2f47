"""From SHAP values of single rows to what a reader needs: importance and direction, overall and by group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from govern.evidence import OVERALL, Measurement
from govern.explain.explained import ExplainedRows, Output, sizes
from govern.explain.sampling import Means, Sampled, means
from govern.explanations import Attribution, Attributions
from govern.stats.intervals import transformed

FEW: Final = 2
OF_CLASSES: Final = 20
NO_DIRECTION = "it holds no numbers, or it or its contributions are constant"
MORE_OUTPUTS = "the model has an output for each class"

Floats = NDArray[np.float64]


def attributions(rows: ExplainedRows, sampled: Sampled, level: float) -> tuple[Attribution, ...]:
    """Attributions of every feature, for everyone and for each group; of several outputs also those of each class, for
    everyone and the first 20 features.

    Features come by falling mean |value| over everyone, then by name; a group with fewer than 2 explained rows is left
    out. Means over everyone are those of all rows of the data that `sampled` speaks of, those of groups are of their
    explained rows. With weights means, standard errors and directions are of the weighted rows; with persons the
    errors are those of persons whom rows repeat. Intervals are two-sided at `level`, those of means |value| on the
    logarithm's scale.
    """
    size = sizes(rows.outputs)
    everyone = means(size, sampled)
    order = ranked(everyone, rows.features)
    found = list(_rows(rows, OVERALL, None, size, sampled, order, level))
    if len(rows.outputs) > 1:
        for output in rows.outputs:
            found += _rows(rows, OVERALL, output, np.abs(output.values), sampled, order[:OF_CLASSES], level)
    for group, mask in rows.groups.items():
        n = int(mask.sum())
        if n >= FEW:
            own = Sampled(n, {}, rows.weight, rows.cluster).part(mask)
            found += _rows(rows, group, None, size, own, order, level, mask)
    return tuple(found)


def ranked(found: Means, features: Sequence[str]) -> list[int]:
    """The places of features by falling mean, then by name."""
    return sorted(range(len(features)), key=lambda j: (-found.value[j], features[j]))


def measurements(found: Attributions, outputs: Sequence[Output]) -> Iterator[Measurement]:
    """What rules may judge of attributions: attribution_residual as a share of the range of the explained outputs, the
    largest of them; stability and agreement; and each feature's place by mean |value| over everyone and its direction.

    The residual is undefined where all outputs are equal, a direction where `Attribution.direction` is None.
    """
    if all(np.isfinite(o.spread) and o.spread > 0 and np.isfinite(o.residual) for o in outputs):
        yield Measurement("attribution_residual", max(o.residual / o.spread for o in outputs))
    else:
        flat = any(o.spread == 0 for o in outputs)
        why = "all explained rows have one output" if flat else "the outputs or their sums are not finite"
        yield Measurement("attribution_residual", None, "undefined", why)
    for metric, value, why in (("attribution_stability", found.stability, "too few rows were explained"),
                               ("attribution_agreement", found.agreement,
                                "fewer than three features, or all of them matter alike")):
        yield Measurement(metric, value, "ok" if value is not None else "undefined", None if value is not None else why)
    why = NO_DIRECTION if len(outputs) == 1 else MORE_OUTPUTS
    every = [a for a in found.features if a.group == OVERALL and a.label is None]
    for place, a in enumerate(every, 1):
        name = f"column: {a.feature}"
        yield Measurement("attribution_rank", float(place), slice=name)
        yield Measurement("attribution_direction", a.direction, "undefined" if a.direction is None else "ok",
                          why if a.direction is None else None, slice=name)


def _rows(rows: ExplainedRows, group: str, output: Output | None, size: Floats, sampled: Sampled,
          order: Sequence[int], level: float, mask: NDArray[np.bool_] | None = None) -> Iterator[Attribution]:
    """Attributions of the rows of one group; of the one output, of `output` where there are several, else of all."""
    one = rows.outputs[0] if len(rows.outputs) == 1 else output
    every = slice(None) if mask is None else mask
    weight = sampled.weight
    large, errors = _with_errors(size[every], sampled)
    mean, mean_errors = (None, None) if one is None else _with_errors(one.values[every], sampled)
    z_error = (1 - level) / 2
    directions = {} if one is None else _directions(rows, one.values, every, weight, order)
    for j in order:
        name = rows.features[j]
        direction = directions.get(j)
        low, high = _bounds(float(large[j]), errors[j], z_error)
        yield Attribution(
            name, group, len(size[every]), float(large[j]), errors[j], 0.0 if mean is None else float(mean[j]),
            direction, low, high, None if mean_errors is None else mean_errors[j], None if output is None else
            output.label)


def _directions(rows: ExplainedRows, values: Floats, every: slice | NDArray[np.bool_], weight: Floats | None,
                order: Sequence[int]) -> dict[int, float | None]:
    """The direction of each feature that holds numbers, by its place."""
    held = [j for j in order if rows.features[j] in rows.numbers]
    x = {j: rows.numbers[rows.features[j]][every] for j in held}
    whole = [j for j in held if weight is None and not np.isnan(x[j]).any()]
    found = dict(zip(whole, rank_correlations(np.column_stack([x[j] for j in whole]), values[every][:, whole]),
                     strict=True)) if whole else {}
    return found | {j: rank_correlation(x[j], values[every, j], weight) for j in held if j not in found}


def _with_errors(x: Floats, sampled: Sampled) -> tuple[Floats, list[float | None]]:
    found = means(x, sampled)
    return found.value, [float(se) if np.isfinite(se) else None for se in found.errors()]


def _bounds(value: float, se: float | None, alpha: float) -> tuple[float | None, float | None]:
    if se is None:
        return None, None
    if not value > 0:
        return value, value
    return transformed(value, se / value, "log", alpha)


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


def rank_correlations(x: Floats, y: Floats) -> list[float | None]:
    """Spearman's rank correlation of each column of `x` (n_rows, k), none missing, with that of `y`, (k,)."""
    if len(x) < FEW:
        return [None] * x.shape[1]
    a, b = standard_ranks(x), standard_ranks(y)
    found = np.clip((a * b).sum(axis=0), -1.0, 1.0)
    return [float(v) if np.isfinite(v) else None for v in found]


def standard_ranks(x: Floats) -> Floats:
    """The ranks in each column of `x` (n_rows, k), with mean 0 and sum of squares 1; NaN in a constant column."""
    n = len(x)
    order = np.argsort(x, axis=0, kind="stable")
    ordered = np.take_along_axis(x, order, axis=0)
    places = np.arange(n)[:, None]
    new = ordered[1:] != ordered[:-1]
    # Equal values have the middle of their first and last place.
    first = np.maximum.accumulate(np.where(np.vstack([np.ones((1, x.shape[1]), bool), new]), places, 0), axis=0)
    last = np.where(np.vstack([new, np.ones((1, x.shape[1]), bool)]), places, n)
    last = np.minimum.accumulate(last[::-1], axis=0)[::-1]
    found = np.empty(x.shape)
    np.put_along_axis(found, order, (first + last) / 2 - (n - 1) / 2, axis=0)
    with np.errstate(invalid="ignore"):
        found /= np.sqrt((found * found).sum(axis=0))
    return found


def _ranks(x: Floats, weight: Floats | None) -> Floats:
    """The middle of the ranks, or of the cumulated weights, of equal values, (n_rows,)."""
    _, inverse, n = np.unique(x, return_inverse=True, return_counts=True)
    held = n if weight is None else np.bincount(inverse, weight)
    found: Floats = (np.cumsum(held) - (held - (weight is None)) / 2)[inverse]
    return found
