"""Groups compared within the levels of a control feature, summed up over the levels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from govern.evidence import UNKNOWN_NAME, Comparing, Counts, Group, Interval, Measurement
from govern.measure.rates import ALPHA, LEVEL, fraction, pairs_of
from govern.metrics import METRICS
from govern.stats.estimate import Estimate
from govern.stats.intervals import transformed
from govern.stats.stratified import Stratum, risk_difference, risk_ratio

ADJUSTED = ("selection_rate", "true_positive_rate", "false_positive_rate")
SUMMARIES: tuple[tuple[Comparing, Callable[[Sequence[Stratum]], Estimate], str], ...] = (
    ("difference", risk_difference, "Mantel–Haenszel, Sato"),
    ("ratio", risk_ratio, "Mantel–Haenszel, Greenland–Robins, log"))
Level = tuple[str, str | None]


def adjusted(groups: Sequence[Group], counts: Mapping[tuple[str, str | None], Counts], *,
             favourable_is_positive: bool) -> Iterator[Measurement]:
    """The Mantel–Haenszel difference and ratio of each pair of groups, over the levels of each control feature.

    `groups` are all groups, whole and within levels (`Group.within`); `counts` by group id and class. A
    measurement is about the whole groups, slice "adjusted: FEATURE". Levels in which one side has no rows for the
    rate drop out, as do rows whose control value is missing or unknown: the reason counts them. Weighted rows
    enter as the independent rows that are as sure.
    """
    whole: dict[tuple[str, ...], list[Group]] = {}
    inside: dict[tuple[str, Level, tuple[str, ...], tuple[str | None, ...]], Group] = {}
    levels: dict[str, dict[Level, None]] = {}
    for g in groups:
        if not g.features:
            continue
        if not g.within:
            if not g.missing:
                whole.setdefault(g.features, []).append(g)
        elif len(g.within) == 1:
            level = g.within[0]
            inside[level[0], level, g.features, g.values] = g
            levels.setdefault(level[0], {})[level] = None
    labels = dict.fromkeys(label for _, label in counts)
    for control, of_control in levels.items():
        known = [v for v in of_control if v[1] is not None and v[1] != UNKNOWN_NAME]
        restricted = {key[2] for key in inside if key[0] == control}
        for features in (f for f in whole if f in restricted):
            for a, b in pairs_of(whole[features]):
                pairs = [(inside.get((control, v, features, a.values)), inside.get((control, v, features, b.values)))
                         for v in known]
                for label in labels:
                    yield from _pair(a, b, control, pairs, len(of_control) - len(known), counts, label,
                                     favourable_is_positive)


def _pair(a: Group, b: Group, control: str, pairs: Sequence[tuple[Group | None, Group | None]], unknown: int,
          counts: Mapping[tuple[str, str | None], Counts], label: str | None, favourable_is_positive: bool
          ) -> Iterator[Measurement]:
    for metric in ADJUSTED:
        strata: list[Stratum] = []
        weighted = False
        for one, two in pairs:
            if one is None or two is None:
                continue
            x, y = (fraction(metric, counts[g.id, label], favourable_is_positive=favourable_is_positive)
                    for g in (one, two))
            weighted = weighted or x.effective is not None or y.effective is not None
            if x.n and y.n:
                strata.append((*x.sample, *y.sample))
        notes = [_left_out(len(pairs) - len(strata), len(pairs)), *(["without unknown values"] if unknown else []),
                 *(["from effective rows"] if weighted else [])]
        for compare, summary, method in SUMMARIES:
            e = summary(strata)
            reason = "; ".join([*([e.reason] if e.reason else []), *(n for n in notes if n)]) or None
            interval = None
            if e.status == "ok" and e.value is not None and e.se is not None:
                low, high = transformed(e.value, e.se, e.transform, ALPHA)
                most = METRICS[metric].high or 1.0
                if compare == "difference":
                    low, high = max(-most, low), min(most, high)
                interval = Interval.reading(low, high, LEVEL, method)
            yield Measurement(metric, e.value, e.status, reason, a.id, b.id, compare, se=e.se,
                              transform=None if e.se is None else e.transform, interval=interval,
                              slice=f"adjusted: {control}", label=label)


def _left_out(dropped: int, levels: int) -> str | None:
    return f"{dropped} of {levels} levels without rows of both groups" if dropped else None
