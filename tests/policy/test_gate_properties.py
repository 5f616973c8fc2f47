"""What must hold for any counts: error rates at the limit, and verdicts that do not depend on names or order."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from policy_evidence import evidence, rate

from govern.evidence import Evidence
from govern.policy.decide import Levels, Limits, absolute, combine, judge_one
from govern.policy.quantities import Rate, Ratio
from govern.verdict import Verdict

RULES = ("- {id: R, kind: disparity, title: t, basis: house, severity: review, metric: selection_rate, compare: ratio, "
         "against: any, min: 0.80}\n"
         "- {id: D, kind: disparity, title: t, basis: house, severity: review, metric: selection_rate, "
         "compare: difference, against: any, max: 0.10}\n")


def draw(chance: random.Random, n: int, p: float) -> int:
    return sum(chance.random() < p for _ in range(n))


def test_error_rates_at_the_limit() -> None:
    # Five groups, one at exactly 0.8 of the others: a pass is wrong at or beyond the limit, a fail up to it.
    chance, runs, n = random.Random(20261122), 250, 200
    limits = absolute(Limits(Decimal("0.80")), "ratio")
    levels = Levels(0.05, 0.05 / 20)
    seen = {"pass": 0, "fail": 0, "insufficient": 0}
    for _ in range(runs):
        groups = [Rate(draw(chance, n, p), n) for p in (0.4, 0.5, 0.5, 0.5, 0.5)]
        judged = []
        for i, a in enumerate(groups):
            for b in groups[:i]:
                low, high = sorted((a, b), key=lambda r: r.x)
                judged.append(judge_one(Ratio(low, high), limits, levels))
        seen[combine(judged)[0]] += 1
    # Three standard errors of 250 runs above the declared 5 %.
    assert seen["pass"] / runs <= 0.09 and seen["fail"] / runs <= 0.09


def random_evidence(chance: random.Random) -> dict[str, tuple[int, int, int, int]]:
    sizes = [chance.choice([5, 40, 200, 1000]) for _ in range(chance.randint(2, 5))]
    return {chr(97 + i): rate(draw(chance, n, chance.choice([0.0, 0.3, 0.5])), n) for i, n in enumerate(sizes)}


def test_names_and_order_of_groups_change_nothing(verdict: Callable[..., Verdict]) -> None:
    chance = random.Random(7)
    for _ in range(25):
        members = random_evidence(chance)
        shuffled = list(members.items())
        chance.shuffle(shuffled)
        renamed: Evidence = evidence({"x": {f"{name}'s": cells for name, cells in shuffled}})
        one, other = verdict(evidence({"x": members}), RULES), verdict(renamed, RULES)
        assert one.outcome == other.outcome and one.counts == other.counts
        for a, b in zip(one.findings, other.findings, strict=True):
            assert (a.outcome, a.counts_as) == (b.outcome, b.counts_as)
            assert (a.seen and a.seen.value) == (b.seen and b.seen.value)


def test_a_tighter_limit_never_turns_a_fail_into_a_pass(verdict: Callable[..., Verdict]) -> None:
    chance = random.Random(11)
    order = {"pass": 0, "insufficient": 1, "fail": 2}
    tighter = RULES.replace("min: 0.80", "min: 0.90").replace("max: 0.10", "max: 0.05")
    for _ in range(25):
        found = evidence({"x": random_evidence(chance)})
        for loose, tight in zip(verdict(found, RULES).findings, verdict(found, tighter).findings, strict=True):
            if loose.outcome in order:
                assert order[tight.outcome] >= order[loose.outcome]


def test_more_rows_at_the_same_rates_keep_a_decision(verdict: Callable[..., Verdict]) -> None:
    chance = random.Random(13)
    for _ in range(25):
        members = random_evidence(chance)
        # min_n and min_share see the same groups, so that only the width of the intervals changes.
        rules = RULES.replace("}\n", ", min_n: 0}\n")
        more = {name: tuple(4 * c for c in cells) for name, cells in members.items()}
        for few, many in zip(verdict(evidence({"x": members}), rules).findings,
                             verdict(evidence({"x": more}), rules).findings, strict=True):
            if few.outcome in ("pass", "fail"):
                assert many.outcome == few.outcome


def test_groups_without_rows_change_nothing(verdict: Callable[..., Verdict]) -> None:
    members = {"a": rate(50, 100), "b": rate(45, 100)}
    with_empty = evidence({"x": {**members, "c": rate(0, 0)}})
    one, other = verdict(evidence({"x": members}), RULES), verdict(with_empty, RULES)
    assert [replace(f, seen=None) for f in one.findings] == [replace(f, seen=None) for f in other.findings]
