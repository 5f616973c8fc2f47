"""Weighted rates, and rates of rows that repeat persons: what the gate makes of the sums in the evidence."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from task_evidence import Weighed, sampling, weighted

from govern.errors import InputError
from govern.evidence import Evidence
from govern.metrics import COUNT_METRICS, DERIVED_METRICS, METRICS
from govern.policy.measured import against_rest, fraction, of_group, outside
from govern.policy.quantities import Difference, Rate, Score, ScoreDifference
from govern.stats import intervals
from govern.verdict import Verdict

Judge = Callable[..., Verdict]
CELLS = ("tp", "fp", "fn", "tn")
RULE = ("- {id: R, kind: disparity, title: t, basis: house, severity: review, metric: selection_rate, "
        "compare: difference, against: any, max: 0.10}\n")


def rows(n: int, seed: int, *, persons: int | None = None, odds: Sequence[int] = (3, 2, 2, 4)) -> Weighed:
    draw = random.Random(seed)
    return [(draw.choices(CELLS, odds)[0], draw.lognormvariate(0, 0.8), seed * 10_000 + (i if persons is None
             else draw.randrange(persons))) for i in range(n)]


def by_hand(of: Weighed, numerator: Sequence[str], denominator: Sequence[str]) -> tuple[float, float]:
    """The rate, and the variance of a ratio of totals over persons. Source: Cochran 1977, section 2.11."""
    inside = [(cell in numerator, w, person) for cell, w, person in of if cell in denominator]
    total = sum(w for _, w, _ in inside)
    p = sum(w for y, w, _ in inside if y) / total
    residual: dict[int, float] = {}
    for y, w, person in inside:
        residual[person] = residual.get(person, 0.0) + w * (y - p)
    return p, sum(r * r for r in residual.values()) / total ** 2


@pytest.mark.parametrize("persons", [None, 80])
@pytest.mark.parametrize("favourable", ["1", "0"])
def test_effective_rows_give_the_variance_of_the_ratio_of_totals(persons: int | None, favourable: str) -> None:
    one, two = rows(300, 1, persons=persons), rows(200, 2, persons=persons)
    found = weighted({"a": one, "b": two}, positive="1", favourable=favourable)
    for metric in COUNT_METRICS:
        row = METRICS[metric]
        selected = ("tp", "fp") if favourable == "1" else ("fn", "tn")
        numerator = selected if row.numerator == ("selected",) else row.numerator
        p, variance = by_hand(one, numerator, row.denominator)
        own = of_group(found, metric, "g1")
        assert isinstance(own, Rate) and own.value == pytest.approx(p, rel=1e-12)
        assert own.effective == pytest.approx(p * (1 - p) / variance, rel=1e-9)
        assert own.interval(0.05) == intervals.wilson(own.x / own.n * (own.effective or 0), own.effective or 0, 0.05)
        assert own.size == sum(cell in row.denominator for cell, _, _ in one) and own.count is None
        rest = against_rest(found, metric, "g1", "difference")
        p, variance = by_hand(two, numerator, row.denominator)
        assert isinstance(rest, Difference) and rest.b.value == pytest.approx(p, rel=1e-9)
        assert rest.b.effective == pytest.approx(p * (1 - p) / variance, rel=1e-6)


def test_derived_metrics_follow_from_the_counts_of_the_group_and_of_the_rest(verdict: Judge) -> None:
    one, two, three = rows(300, 1), rows(200, 2), rows(100, 3)
    found = weighted({"a": one, "b": two, "c": three})
    both = weighted({"b and c": [*two, *three]})
    for metric in DERIVED_METRICS:
        rest = against_rest(found, metric, "g1", "difference")
        expected = of_group(both, metric)
        assert isinstance(rest, ScoreDifference) and isinstance(expected, Score)
        assert (rest.b.value, rest.b.se) == pytest.approx((expected.value, expected.se), rel=1e-6)
        assert rest.a == of_group(found, metric, "g1") and rest.interval(0.05) is not None
    plain = replace(found, counts=tuple(replace(c, sampling=None) for c in found.counts))
    c = plain.counts_by_group["g1"]
    f1 = of_group(plain, "f1_score", "g1")
    assert isinstance(f1, Score) and f1.value == pytest.approx(2 * c.tp / (2 * c.tp + c.fp + c.fn))
    rules = RULE.replace("selection_rate", "balanced_accuracy").replace("against: any", "against: overall")
    assert verdict(plain, rules).findings[0].outcome in ("pass", "insufficient")
    alone = weighted({"a": one, "b": []})
    nobody = of_group(alone, "f1_score", "g2")
    assert isinstance(nobody, Score) and (nobody.value, nobody.why) == (None, "no rows to compute it from")
    nothing = against_rest(alone, "f1_score", "g1", "difference")
    assert nothing is not None and nothing.why == "no rows to compute it from"


def test_rates_of_zero_and_one_count_rows_by_kish() -> None:
    of: Weighed = [("tp", 1.0, 1), ("tp", 2.0, 2), ("tp", 3.0, 3), ("tn", 5.0, 4)]
    found = weighted({"a": of, "b": of})
    own = of_group(found, "true_positive_rate", "g1")
    assert isinstance(own, Rate) and (own.x, own.n, own.size) == (6.0, 6.0, 3)
    assert own.effective == pytest.approx(36 / 14) and own.interval(0.05) == intervals.wilson(36 / 14, 36 / 14, 0.05)
    lowest = of_group(found, "false_positive_rate", "g1")
    assert isinstance(lowest, Rate) and (lowest.value, lowest.effective) == (0.0, 1.0)
    empty = of_group(weighted({"a": [("tn", 2.0, 1)], "b": of}), "true_positive_rate", "g1")
    assert isinstance(empty, Rate) and (empty.value, empty.interval(0.05)) == (None, None)
    # Persons who are all alike leave nothing to see of the variance.
    alike = [(cell, 1.0, person) for person in range(9) for cell in ("tp", "fn")]
    balanced = of_group(weighted({"a": alike, "b": alike}), "true_positive_rate", "g1")
    assert isinstance(balanced, Rate) and balanced.effective == pytest.approx(18 ** 2 / (9 * 4))


def test_equal_rows_are_as_many_as_there_are() -> None:
    of = [(cell, 1.0, i) for i, (cell, _, _) in enumerate(rows(500, 3))]
    plain = weighted({"a": of, "b": of})
    own, counts = of_group(plain, "accuracy", "g1"), plain.counts_by_group["g1"]
    assert isinstance(own, Rate) and own.effective == pytest.approx(500)
    unweighted = fraction("accuracy", replace(counts, sampling=None))
    assert own.interval(0.02) == pytest.approx(unweighted.interval(0.02), rel=1e-12)


def test_an_estimate_on_the_bound_is_on_neither_side() -> None:
    tenth = Rate(0.1, 0.1 + 0.9, effective=20.0, rows=30)
    assert tenth.side(Fraction(0.1) / Fraction(0.1 + 0.9)) == 0
    # The float next to 1/10 is a little above it.
    assert tenth.side(Decimal("0.1")) == 1
    whole = Rate(2.0, 8.0, effective=4.0, rows=9)
    assert whole.side(Decimal("0.25")) == 0 and Difference(whole, Rate(1, 4)).side(Decimal(0)) == 0
    assert Rate(44, 100).side(Decimal("0.44")) == 0 and Rate(440000001, 10 ** 9).side(Decimal("0.44")) == 1


def test_the_rest_of_a_cell_without_rows_weighs_nothing() -> None:
    one = [("tp", 0.1, 1), ("tp", 0.2, 2), ("fn", 0.3, 3)]
    two = [("fp", 0.7, 4), ("tn", 0.4, 5)]
    found = weighted({"a": one, "b": two})
    rest = outside(found.counts_by_group["g1"], found.counts_by_group["overall"]).sampling
    assert rest is not None and (rest.tp, rest.fn) == (0.0, 0.0)
    assert (rest.fp, rest.tn) == pytest.approx((0.7, 0.4)) and rest.moments[0] == 0.0
    assert rest.moments == pytest.approx(sampling(two).moments)


def test_rows_may_weigh_nothing(verdict: Judge) -> None:
    idle: Weighed = [("tp", 0.0, 1), ("fn", 0.0, 2), ("fp", 1.5, 3), ("tn", 1.0, 4)]
    found = weighted({"a": idle, "b": rows(100, 5)})
    own = of_group(found, "true_positive_rate", "g1")
    assert isinstance(own, Rate) and (own.value, own.size) == (None, 2)
    assert verdict(found, RULE).findings[0].outcome == "insufficient"


def test_small_groups_are_told_by_their_rows_not_their_weights(verdict: Judge) -> None:
    heavy = [(cell, 1000.0 * w, p) for cell, w, p in rows(25, 4)]
    light = [(cell, 0.001 * w, p) for cell, w, p in rows(400, 5)]
    found = weighted({"a": rows(500, 6), "b": heavy, "c": light})
    finding = verdict(found, RULE).findings[0]
    exempt = {frozenset((c.group, c.reference)): c.exempt for c in finding.comparisons}
    assert exempt == {frozenset(("g1", "g2")): True, frozenset(("g1", "g3")): False, frozenset(("g2", "g3")): True}
    assert {(c.n, c.numerator) for c in finding.comparisons if c.group == "g2"} <= {(25, None)}


def test_weights_that_spread_make_decisions_harder(verdict: Judge) -> None:
    one, two = rows(600, 7, odds=(3, 3, 2, 2)), rows(600, 8, odds=(2, 2, 3, 3))
    even = weighted({"a": [(c, 1.0, p) for c, _, p in one], "b": [(c, 1.0, p) for c, _, p in two]})
    draw = random.Random(9)
    spread = weighted({name: [(c, draw.lognormvariate(0, 1.5), p) for c, _, p in of]
                       for name, of in (("a", one), ("b", two))})
    widths = [f.seen.high - f.seen.low for f in (verdict(v, RULE).findings[0] for v in (even, spread))
              if f.seen and f.seen.high is not None and f.seen.low is not None]
    assert len(widths) == 2 and widths[1] > 1.5 * widths[0]


FOUND = weighted({"a": rows(100, 10), "b": rows(100, 11)})


def edited(place: int, **changes: Any) -> Evidence:
    counts = list(FOUND.counts)
    of = counts[place].sampling
    counts[place] = replace(counts[place], sampling=replace(of, **changes) if of and changes else None)
    return replace(FOUND, counts=tuple(counts))


@pytest.mark.parametrize("found", [
    edited(0), edited(1, tp=-1.0), edited(1, tp=0.0), edited(1, tp=1e6), edited(1, moments=(1.0,)),
    edited(1, moments=(0.0,) * 10), edited(2, moments=(1e9,) * 10), edited(1, moments=(float("inf"),) * 10),
    edited(0, tp=FOUND.counts[1].sampling.tp if FOUND.counts[1].sampling else 0.0)])
def test_sums_of_weights_that_cannot_be_are_refused(verdict: Judge, found: Evidence) -> None:
    with pytest.raises(InputError, match="sums of weights of group"):
        verdict(found, RULE)
    assert verdict(FOUND, RULE).findings
