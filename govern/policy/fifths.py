"""The decision about one group by the four-fifths convention: ratio and significance together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cmp_to_key
from itertools import combinations
from typing import Literal

from govern.evidence import Group
from govern.policy.quantities import Rate, Ratio
from govern.stats.fisher import fisher_p, holm, least_expected, pooled_z, score_p
from govern.stats.intervals import compare_rate
from govern.stats.sizes import rows_until, selections_to_meet, times_to_settle
from govern.verdict import Comparison, RuleOutcome, Settle

EXACT_BELOW = 5  # the smallest expected count for which z is used; Cochran 1954, Biometrics 10:417–451
SIGNIFICANT = "small but statistically significant: judge practical significance"


@dataclass(frozen=True)
class Member:
    """A group with its rate and whether it is too small to be a reference and to hold up a pass."""

    group: Group
    rate: Rate
    exempt: bool


@dataclass(frozen=True)
class Tested:
    """Of two equal rates: pooled z, two-sided p-value, the test it comes from; `p` is None where none is valid."""

    z: float | None
    p: float | None
    by: Literal["z", "fisher"] | None
    adjusted: float | None = None


@dataclass(frozen=True)
class Held:
    """A group held against the group with the highest rate."""

    member: Member
    reference: Member
    comparison: Comparison


def highest(members: Sequence[Member]) -> Member | None:
    """The group with the highest rate among those that may be a reference; of equals that with most rows."""
    able = [m for m in members if not m.exempt and m.rate.n]
    return max(able, key=cmp_to_key(_order), default=None)


def _order(one: Member, two: Member) -> int:
    (x, n), bound = one.rate.exact, Fraction(*two.rate.exact)
    return compare_rate(x, n, bound) or one.rate.size - two.rate.size


def hold(members: Sequence[Member], best: Member, limit: Decimal, alpha: float, corrected: bool) -> list[Held]:
    """Every group but the best against it; with `corrected` p-values are adjusted by Holm over all pairs."""
    tests = _tests(members, best, corrected)
    return [Held(m, best, _compare(m, best, limit, alpha, tests[i])) for i, m in enumerate(members) if m is not best]


def _tests(members: Sequence[Member], best: Member, corrected: bool) -> dict[int, Tested]:
    """The test of each group against the best one, by its place."""
    top = next(i for i, m in enumerate(members) if m is best)
    able = [i for i, m in enumerate(members) if m.rate.n]
    pairs = list(combinations(able, 2)) if corrected else [(i, top) for i in able if i != top]
    tests = [_test(members[i].rate, members[j].rate) for i, j in pairs]
    adjusted = holm([1.0 if t.p is None else t.p for t in tests]) if corrected else [t.p for t in tests]
    found = {i: Tested(None, None, None) for i in range(len(members))}
    for (i, j), t, a in zip(pairs, tests, adjusted, strict=True):
        t = replace(t, adjusted=None if t.p is None else a)
        if j == top:
            found[i] = t
        elif i == top:
            found[j] = replace(t, z=None if t.z is None else -t.z)
    return found


def _test(a: Rate, b: Rate) -> Tested:
    """Fisher's exact test where an expected count is below 5, else z; of weighted rows z with the effective number,
    and none where that is too small."""
    sample = (*a.sample, *b.sample)
    z = pooled_z(*sample)
    if least_expected(*sample) >= EXACT_BELOW:
        return Tested(z, score_p(*sample), "z")
    if a.count is None or b.count is None:
        return Tested(z, None, None)
    return Tested(z, fisher_p(a.count, a.size, b.count, b.size), "fisher")


def _compare(member: Member, best: Member, limit: Decimal, alpha: float, test: Tested) -> Comparison:
    own, top = member.rate, best.rate
    ratio = Ratio(own, top)
    seen = Comparison(
        member.group.id,
        "insufficient",
        ratio.value,
        reference=best.group.id,
        compare="ratio",
        n=own.size,
        reference_n=top.size,
        numerator=own.count,
        reference_numerator=top.count,
        exempt=member.exempt,
        p_value=test.p,
        p_adjusted=test.adjusted,
        z=test.z,
        test=test.by,
        reason=ratio.why,
    )
    if ratio.value is None:
        return seen
    low, high = ratio.interval(alpha / 2) or (None, None)
    below, significant = ratio.side(limit) < 0, test.adjusted is not None and test.adjusted < alpha
    outcome: RuleOutcome = "pass" if not below else "fail" if significant else "insufficient"
    return replace(seen, outcome=outcome, low=low, high=high, flips=_flips(own, top, limit),
                   shortfall=_lacking(own, top), reason=SIGNIFICANT if significant and not below else None)


def _flips(own: Rate, top: Rate, limit: Decimal) -> bool | None:
    """Whether one selection moved between the two puts the ratio on the other side; None for weighted rows."""
    if own.count is None or top.count is None:
        return None
    p, q = limit.as_integer_ratio()
    below = own.count * top.size * q < p * top.count * own.size
    step = 1 if below else -1
    x, best = own.count + step, top.count - step
    possible = 0 <= x <= own.size and 0 <= best <= top.size
    return possible and (x * top.size * q < p * best * own.size) != below


def _lacking(own: Rate, top: Rate) -> float:
    """Selections (with weights their sum) that the group lacks at the pooled rate of the two."""
    return max(0.0, (own.x + top.x) / (own.n + top.n) * own.n - own.x)


def combine(held: Sequence[Held]) -> tuple[RuleOutcome, Held]:
    """The outcome over all groups, and the one that decided it: the lowest ratio of those with that outcome."""
    failed = [h for h in held if h.comparison.outcome == "fail"]
    counted = [h for h in held if not h.member.exempt]
    unsettled = [h for h in counted if h.comparison.outcome == "insufficient"]
    if failed:
        return "fail", min(failed, key=_ratio)
    if counted and not unsettled:
        return "pass", min(counted, key=_ratio)
    return "insufficient", min(unsettled or held, key=_ratio)


def _ratio(held: Held) -> float:
    value = held.comparison.value
    return float("inf") if value is None else value


def settle(held: Held, outcome: RuleOutcome, limit: Decimal, alpha: float) -> Settle | None:
    """Further selections with which the ratio meets the limit; where nothing is significant, the further rows, or how
    many times the rows of both, with which it would be at these rates."""
    own, top, seen = held.member.rate, held.reference.rate, held.comparison
    if outcome == "pass" or outcome != seen.outcome or seen.value is None:
        return None
    needed = None
    if own.count is not None and top.count is not None:
        needed = selections_to_meet(own.count, own.size, top.count, top.size, compare="ratio", minimum=limit,
                                    maximum=None)
    if outcome == "fail":
        return Settle(seen.group, selections=needed, gap=float(limit) - seen.value)
    few, many = (held.member, held.reference) if own.size <= top.size else (held.reference, held.member)
    times = seen.p_adjusted / seen.p_value if seen.p_adjusted and seen.p_value else 1.0
    rows = None
    if few.rate.count is not None and many.rate.count is not None:
        rows = rows_until(lambda n: _shown(few.rate, n / few.rate.n, many.rate, 1, times, alpha), few.rate.size)
    grown = None if rows else times_to_settle(lambda k: _shown(own, k, top, k, times, alpha))
    selections = needed if not rows or few is held.member else None
    return Settle(few.group.id if rows else seen.group, selections=selections, rows=rows or None,
                  times=None if grown == 1 else grown)


def _shown(a: Rate, grows: float, b: Rate, other: float, times: float, alpha: float) -> bool:
    """Whether the two rates differ significantly, by z, when their rows grow so many times; `times` is what the
    correction multiplied the p-value by."""
    (x1, n1), (x2, n2) = a.sample, b.sample
    sample = (x1 * grows, n1 * grows, x2 * other, n2 * other)
    return least_expected(*sample) >= EXACT_BELOW and score_p(*sample) * times < alpha
