"""fairlearn's disparities over all groups of a feature, computed by fairlearn over the cells of the cube.

fairlearn is the definition: its MetricFrame is fed one row per confusion cell with the cell's count as
`sample_weight`, which gives what one row per person gives, without its cost. Groups in which a rate is
undefined would enter there as 0; they are left out and named instead.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from itertools import product

from govern.evidence import Counts, Group, Measurement
from govern.measure.rates import fraction

BASE = {"demographic_parity": ("selection_rate",), "equal_opportunity": ("true_positive_rate",),
        "equalized_odds": ("true_positive_rate", "false_positive_rate")}


def disparities(features: tuple[str, ...], groups: Sequence[Group], counts: dict[str, Counts], *,
                favourable_is_positive: bool) -> Iterator[Measurement]:
    """Demographic parity, equalized odds and equal opportunity, as difference and as ratio.

    The missing group stays outside. Undefined with fewer than two groups in which the rates exist.
    """
    known = [g for g in groups if not g.missing and g.n]
    for name, rates in BASE.items():
        usable = [g for g in known if all(fraction(r, counts[g.id])[1] for r in rates)]
        left_out = [g.name for g in known if g not in usable]
        without = f"without {', '.join(left_out)}: {' and '.join(rates)} undefined there".replace("_", " ")
        reason = without if left_out else None
        if len(usable) < 2:
            why = reason or "fewer than two groups to compare"
            for kind in ("difference", "ratio"):
                yield Measurement(f"{name}_{kind}", None, "undefined", why, features=features)
            continue
        difference, ratio = _by_fairlearn(rates, usable, counts, favourable_is_positive)
        yield Measurement(f"{name}_difference", difference, reason=reason, features=features)
        if ratio is None:
            yield Measurement(f"{name}_ratio", None, "undefined", "the largest rate is 0", features=features)
        else:
            yield Measurement(f"{name}_ratio", ratio, reason=reason, features=features)


def _by_fairlearn(rates: tuple[str, ...], groups: Sequence[Group], counts: dict[str, Counts],
                  favourable_is_positive: bool) -> tuple[float, float | None]:
    """Largest difference and smallest ratio over `rates` (fairlearn's worst case), ratio None when 0 / 0."""
    import fairlearn.metrics as fm
    import numpy as np

    functions = {
        # Selection speaks of the favourable label, the true and false positive rates of the positive one.
        "selection_rate": lambda y, p, sample_weight: fm.selection_rate(
            y, p, pos_label=int(favourable_is_positive), sample_weight=sample_weight),
        "true_positive_rate": lambda y, p, sample_weight: fm.true_positive_rate(
            y, p, pos_label=1, sample_weight=sample_weight),
        "false_positive_rate": lambda y, p, sample_weight: fm.false_positive_rate(
            y, p, pos_label=1, sample_weight=sample_weight),
    }
    rows = [(y, p, g.id, getattr(counts[g.id], cell))
            for g in groups for (y, p), cell in zip(product((1, 0), (1, 0)), ("tp", "fn", "fp", "tn"), strict=True)]
    y, p, who, n = (np.asarray(c) for c in zip(*(r for r in rows if r[3]), strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = fm.MetricFrame(
            metrics={r: functions[r] for r in rates}, y_true=y, y_pred=p, sensitive_features=who,
            sample_params={r: {"sample_weight": n} for r in rates})
        differences = frame.difference(method="between_groups")
        ratios = frame.ratio(method="between_groups")
    finite = [float(v) for v in ratios if v == v]
    return max(float(v) for v in differences), min(finite) if len(finite) == len(rates) else None
