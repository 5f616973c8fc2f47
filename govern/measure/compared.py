"""Estimates and shares as measurements: alone, in pairs, and over all groups of a feature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

from govern.evidence import Group, Interval, Measurement
from govern.measure.rates import ALPHA, LEVEL
from govern.metrics import METRICS
from govern.stats.estimate import Estimate
from govern.stats.intervals import Pair, mover_difference, transformed
from govern.stats.means import NO_ROWS, Share, pair_method, ratio_bounds

Found = Estimate | Share


def measured(metric: str, found: Found, group: str, *, reference: str | None = None, method: str = ""
             ) -> Measurement:
    """A metric of a group; with `reference` "rest", of the rows outside it. `method` names the interval of an
    estimate, and is added to the name of that of a share."""
    if isinstance(found, Share):
        if not found.n:
            return Measurement(metric, None, "undefined", NO_ROWS, group, reference, numerator=found.x,
                               denominator=found.n)
        return Measurement(metric, found.value, group=group, reference=reference, numerator=found.x,
                           denominator=found.n, effective=found.effective,
                           interval=_interval(found.bounds(ALPHA), found.method + method))
    interval = _interval(bounds(metric, found, ALPHA), method)
    return Measurement(metric, found.value, found.status, found.reason, group, reference, se=found.se,
                       transform=None if found.se is None else found.transform, interval=interval)


def difference(metric: str, group: str, a: Found, reference: str, b: Found) -> Measurement:
    """`group` − `reference` with the square-and-add interval of two independent sets of rows.

    Undefined where either is; without an interval where either has none.
    """
    first, second = _value(a), _value(b)
    found = Measurement(metric, None, "undefined", _why(a) or _why(b), group, reference, "difference")
    if first is not None and second is not None:
        pair = _between(metric, a, b, ALPHA)
        method = pair_method("newcombe", a, b) if isinstance(a, Share) and isinstance(b, Share) else "MOVER"
        found = replace(found, value=first - second, status="ok" if pair else "too_few",
                        reason=None if pair else found.reason, interval=_interval(pair, method))
    return _with_shares(found, a, b)


def ratio(metric: str, group: str, a: Share, reference: str, b: Share) -> Measurement:
    """`group` / `reference` of two shares with the square-and-add interval; undefined over a share of 0."""
    why = NO_ROWS if not a.n or not b.n else "the share of the reference is 0"
    found = Measurement(metric, None, "undefined", why, group, reference, "ratio")
    if a.n and b.n and b.x:
        found = Measurement(metric, a.value / b.value, group=group, reference=reference, compare="ratio",
                            interval=_interval(ratio_bounds(a, b, ALPHA), pair_method("square-and-add", a, b)))
    return _with_shares(found, a, b)


def largest_difference(metric: str, features: tuple[str, ...], groups: Sequence[Group], found: Sequence[Found]
                       ) -> Measurement:
    """Largest minus smallest over the groups of a feature, those without a value or with a missing one left out.

    The upper end of the interval is the largest of any pair's, which needs no correction because the true largest
    difference is that of one pair; the lower end is the largest of any pair's with the error divided by the number
    of ordered pairs, and at least 0. Source: intersection–union test, Berger 1982, Technometrics 24:295–300;
    Bonferroni.
    """
    known = [(g, f) for g, f in zip(groups, found, strict=True) if not g.missing and g.n]
    kept = [f for _, f in known if bounds(metric, f, ALPHA)]
    out = ", ".join(g.name for g, f in known if not bounds(metric, f, ALPHA))
    reason = f"without {out}: {METRICS[metric].title} undefined or of too few rows there" if out else None
    if len(kept) < 2:
        return Measurement(metric, None, "undefined", reason or "fewer than two groups to compare", features=features,
                           compare="difference")
    values = [v for v in map(_value, kept) if v is not None]
    pairs = list(permutations(kept, 2))
    lows, highs = ([p[end] for a, b in pairs if (p := _between(metric, a, b, alpha))]
                   for end, alpha in enumerate((ALPHA / len(pairs), ALPHA)))
    return Measurement(metric, max(values) - min(values), reason=reason, features=features, compare="difference",
                       interval=Interval.reading(max(0.0, *lows), max(highs), LEVEL, "all pairs, MOVER"))


def bounds(metric: str, found: Found, alpha: float) -> Pair | None:
    """Bounds at the one-sided error `alpha`, cut off where the metric cannot go; None where there are none."""
    if isinstance(found, Share):
        return found.bounds(alpha) if found.n else None
    if found.value is None or found.se is None or found.status != "ok":
        return None
    low, high = transformed(found.value, found.se, found.transform, alpha)
    row = METRICS[metric]
    return low if row.low is None else max(low, row.low), high if row.high is None else min(high, row.high)


def _between(metric: str, a: Found, b: Found, alpha: float) -> Pair | None:
    first, second, one, other = _value(a), _value(b), bounds(metric, a, alpha), bounds(metric, b, alpha)
    if first is None or second is None or one is None or other is None:
        return None
    return mover_difference(first, one, second, other)


def _value(found: Found) -> float | None:
    return None if isinstance(found, Share) and not found.n else found.value


def _why(found: Found) -> str | None:
    if isinstance(found, Share):
        return None if found.n else NO_ROWS
    return None if found.status == "ok" else found.reason


def _with_shares(found: Measurement, a: Found, b: Found) -> Measurement:
    """The measurement with the shares it compares, where it compares shares."""
    if not isinstance(a, Share) or not isinstance(b, Share):
        return found
    return replace(found, numerator=a.x, denominator=a.n, effective=a.effective, reference_numerator=b.x,
                   reference_denominator=b.n, reference_effective=b.effective)


def _interval(pair: Pair | None, method: str) -> Interval | None:
    return None if pair is None else Interval.reading(*pair, LEVEL, method)
