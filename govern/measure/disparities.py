"""fairlearn's disparities over all groups of a feature, computed by fairlearn over the cells of the cube.

fairlearn is the definition: its MetricFrame is fed one row per confusion cell with the cell's count as
`sample_weight`, which gives what one row per person gives, without its cost; the features are its control
levels, so that one frame serves them all. Groups in which a rate is undefined would enter there as 0; they
are left out and named instead.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import permutations, product

from govern.evidence import Counts, Group, Interval, Measurement
from govern.measure.rates import ALPHA, LEVEL, fraction
from govern.stats.intervals import newcombe, ratio

BASE = {"demographic_parity": ("selection_rate",), "equal_opportunity": ("true_positive_rate",),
        "equalized_odds": ("true_positive_rate", "false_positive_rate")}
Features = tuple[str, ...]
Pair = tuple[tuple[int, int], tuple[int, int]]


def disparities(groups: Mapping[Features, Sequence[Group]], counts: Mapping[str, Counts], *,
                favourable_is_positive: bool) -> Iterator[Measurement]:
    """Demographic parity, equalized odds and equal opportunity of every feature, as difference and as ratio.

    The missing group stays outside. Undefined with fewer than two groups in which the rates exist.
    """
    left: dict[str, dict[Features, str | None]] = {}
    comparable: dict[str, dict[Features, list[Group]]] = {}
    for name, rates in BASE.items():
        left[name], comparable[name] = _comparable(rates, groups, counts)
    found = {}
    for same in {tuple(g.id for of in c.values() for g in of): c for c in comparable.values()}.values():
        # What is compared over the same groups shares one frame: its cost is a call for each group and rate.
        names = [n for n, c in comparable.items() if c == same]
        rates_needed = tuple(dict.fromkeys(r for n in names for r in BASE[n]))
        gaps = _by_fairlearn(rates_needed, same, counts, favourable_is_positive) if same else {}
        found.update({(n, f): [gap[r] for r in BASE[n]] for n in names for f, gap in gaps.items()})
    for name in BASE:
        for features in groups:
            reason = left[name][features]
            if (name, features) not in found:
                why = reason or "fewer than two groups to compare"
                for kind in ("difference", "ratio"):
                    yield Measurement(f"{name}_{kind}", None, "undefined", why, features=features)
                continue
            differences, ratios = zip(*found[name, features], strict=True)
            pairs = [(fraction(r, counts[a.id]), fraction(r, counts[b.id]))
                     for r in BASE[name] for a, b in permutations(comparable[name][features], 2)]
            yield Measurement(f"{name}_difference", max(differences), reason=reason, features=features,
                              interval=_largest_gap(pairs))
            if any(r != r for r in ratios):
                yield Measurement(f"{name}_ratio", None, "undefined", "the largest rate is 0", features=features)
            else:
                yield Measurement(f"{name}_ratio", min(ratios), reason=reason, features=features,
                                  interval=_smallest_ratio(pairs))


def _largest_gap(pairs: Sequence[Pair]) -> Interval:
    """The interval of the largest difference over all ordered pairs (and rates).

    Each of its two sides errs in at most (1 − LEVEL) / 2: the upper end is the largest upper bound of any pair,
    which needs no correction because the true largest gap is that of one pair; the lower end is the largest
    lower bound with the error divided by the number of pairs, and at least 0. A percentile bootstrap of max − min
    would never contain 0. Source: intersection–union test, Berger 1982, Technometrics 24:295–300; Bonferroni.
    """
    high = max(newcombe(*a, *b, ALPHA)[1] for a, b in pairs)
    low = max(newcombe(*a, *b, ALPHA / len(pairs))[0] for a, b in pairs)
    return Interval(max(0.0, low), high, LEVEL, "all pairs, Newcombe")


def _smallest_ratio(pairs: Sequence[Pair]) -> Interval:
    """The interval of the smallest ratio over all ordered pairs (and rates), built as that of the largest gap."""
    known = [(a, b) for a, b in pairs if b[0]]
    low = min(ratio(*a, *b, ALPHA)[0] for a, b in known)
    high = min(ratio(*a, *b, ALPHA / len(pairs))[1] for a, b in known)
    return Interval(low, min(1.0, high), LEVEL, "all pairs, square-and-add")


def _comparable(rates: Sequence[str], groups: Mapping[Features, Sequence[Group]], counts: Mapping[str, Counts]
                ) -> tuple[dict[Features, str | None], dict[Features, list[Group]]]:
    """For each feature the sentence that names groups left out, and where two remain, the groups to compare."""
    reasons: dict[Features, str | None] = {}
    usable: dict[Features, list[Group]] = {}
    for features, of in groups.items():
        known = [g for g in of if not g.missing and g.n]
        kept = [g for g in known if all(fraction(r, counts[g.id])[1] for r in rates)]
        left_out = ", ".join(g.name for g in known if g not in kept)
        what = " and ".join(rates).replace("_", " ")
        reasons[features] = f"without {left_out}: {what} undefined there" if left_out else None
        if len(kept) > 1:
            usable[features] = kept
    return reasons, usable


def _functions(favourable_is_positive: bool) -> dict[str, Callable[..., float]]:
    """fairlearn's rates; selection speaks of the favourable label, the others of the positive one."""
    import fairlearn.metrics as fm

    favourable = int(favourable_is_positive)
    return {
        "selection_rate": lambda y, p, sample_weight: fm.selection_rate(
            y, p, pos_label=favourable, sample_weight=sample_weight),
        "true_positive_rate": lambda y, p, sample_weight: fm.true_positive_rate(
            y, p, pos_label=1, sample_weight=sample_weight),
        "false_positive_rate": lambda y, p, sample_weight: fm.false_positive_rate(
            y, p, pos_label=1, sample_weight=sample_weight),
    }


def _by_fairlearn(rates: Sequence[str], groups: Mapping[Features, Sequence[Group]], counts: Mapping[str, Counts],
                  favourable_is_positive: bool) -> dict[Features, dict[str, tuple[float, float]]]:
    """Largest difference and smallest ratio (NaN for 0 / 0) of each rate between the groups of each feature."""
    import fairlearn.metrics as fm
    import numpy as np
    import sklearn

    cells = list(zip(product((1, 0), (1, 0)), ("tp", "fn", "fp", "tn"), strict=True))
    rows = [(y, p, f, i, n) for f, of in enumerate(groups.values()) for i, g in enumerate(of)
            for (y, p), cell in cells if (n := getattr(counts[g.id], cell))]
    y, p, feature, group, n = (np.asarray(c) for c in zip(*rows, strict=True))
    functions = _functions(favourable_is_positive)
    with warnings.catch_warnings(), sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
        warnings.simplefilter("ignore")
        frame = fm.MetricFrame(
            metrics={r: functions[r] for r in rates}, y_true=y, y_pred=p, sensitive_features=group,
            control_features=feature, sample_params={r: {"sample_weight": n} for r in rates})
        differences = frame.difference(method="between_groups")
        ratios = frame.ratio(method="between_groups")
    return {features: {r: (float(differences.loc[i, r]), float(ratios.loc[i, r])) for r in rates}
            for i, features in enumerate(groups)}
