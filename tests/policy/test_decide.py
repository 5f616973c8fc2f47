"""The decision about one number and over several, against worked cases."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from govern.policy.decide import Levels, Limits, absolute, bound_text, combine, judge_one, small_sample
from govern.policy.quantities import Difference, Rate, Ratio, Score, ScoreDifference
from govern.stats import intervals

PLAIN = Levels(0.05, 0.05)
FOUR_FIFTHS = Limits(Decimal("0.80"))


@pytest.mark.parametrize(("group", "reference"), [
    ((44, 100), (55, 100)), ((48, 80), (60, 80)), ((48, 100), (60, 100)), ((4, 10), (5, 10))])
def test_four_fifths_exactly_is_not_below(group: tuple[int, int], reference: tuple[int, int]) -> None:
    # Source: UGESP questions and answers: exactly 80 % is not indicated; in floats 0.44/0.55 and 0.6/0.75 are below.
    exact = Ratio(Rate(*group), Rate(*reference))
    assert not FOUR_FIFTHS.excluded(exact)
    assert judge_one(exact, FOUR_FIFTHS, PLAIN, point=True).comparison.outcome == "pass"
    one_less = Ratio(Rate(group[0] - 1, group[1]), Rate(*reference))
    assert judge_one(one_less, FOUR_FIFTHS, PLAIN, point=True).comparison.outcome == "fail"


def test_an_exact_difference_of_a_tenth_is_within_a_tenth() -> None:
    gap = Difference(Rate(8, 10), Rate(7, 10))
    assert 8 / 10 - 7 / 10 > 0.1
    assert judge_one(gap, Limits(None, Decimal("0.1")), PLAIN, point=True).comparison.outcome == "pass"


def test_pass_fail_and_between_with_the_bounds_they_used() -> None:
    levels = Levels(0.05, 0.005)
    inside = judge_one(Ratio(Rate(500, 1000), Rate(510, 1000)), FOUR_FIFTHS, levels).comparison
    outside = judge_one(Ratio(Rate(300, 1000), Rate(510, 1000)), FOUR_FIFTHS, levels).comparison
    between = judge_one(Ratio(Rate(79, 200), Rate(100, 200)), FOUR_FIFTHS, levels).comparison
    assert (inside.outcome, outside.outcome, between.outcome) == ("pass", "fail", "insufficient")
    assert (inside.low, inside.high) == intervals.ratio(500, 1000, 510, 1000, 0.05)
    assert (outside.low, outside.high) == intervals.ratio(300, 1000, 510, 1000, 0.005)
    # Undecided: the lower bound that would have to reach 0.80, and the upper one that would have to stay below.
    assert between.low == intervals.ratio(79, 200, 100, 200, 0.05)[0] < 0.8
    assert between.high == intervals.ratio(79, 200, 100, 200, 0.005)[1] > 0.8


def test_levels_are_smaller_where_a_denominator_is() -> None:
    few, many = Rate(10, 20), Rate(500, 1000)
    for quantity, factor in ((Difference(few, many), 0.8), (Ratio(many, few), 0.8), (Difference(many, many), 1.0),
                             (Ratio(Rate(30, 100), many), 1.0), (few, 1.0), (Score(0.5, 0.1), 1.0)):
        assert small_sample(quantity) == pytest.approx(factor)
    seen = judge_one(Difference(few, many), Limits(Decimal("-0.10")), Levels(0.05, 0.01)).comparison
    assert (seen.level_pass, seen.level_fail) == (pytest.approx(0.04), pytest.approx(0.008))
    assert seen.low == intervals.newcombe(10, 20, 500, 1000, 0.04)[0]


def test_small_groups_are_enough_for_a_large_gap() -> None:
    limits = Limits(None, Decimal("0.10"))
    gap = judge_one(Difference(Rate(22, 25), Rate(3, 25)), limits, Levels(0.05, 0.001)).comparison
    assert gap.outcome == "fail"


def test_lean_needs_a_gap_that_the_data_show() -> None:
    shown = judge_one(Ratio(Rate(120, 300), Rate(165, 300)), FOUR_FIFTHS, PLAIN).comparison
    by_chance = judge_one(Ratio(Rate(14, 60), Rate(19, 60)), FOUR_FIFTHS, PLAIN).comparison
    inside = judge_one(Ratio(Rate(52, 60), Rate(55, 60)), FOUR_FIFTHS, PLAIN).comparison
    assert [c.outcome for c in (shown, by_chance, inside)] == ["insufficient"] * 2 + ["pass"]
    assert shown.leans and not by_chance.leans and shown.value and shown.value < 0.8
    # The same comparison leans no more when the family is so large that chance explains it.
    assert not judge_one(Ratio(Rate(120, 300), Rate(165, 300)), FOUR_FIFTHS, Levels(0.05, 0.00005)).comparison.leans


def test_a_single_value_leans_on_its_estimate_and_calibration_on_its_test() -> None:
    floor = Limits(Decimal("0.75"))
    assert judge_one(Score(0.74, 0.1, "logit"), floor, PLAIN).comparison.leans
    assert not judge_one(Score(0.76, 0.1, "logit"), floor, PLAIN).comparison.leans
    ceiling = Limits(None, Decimal("0.05"))
    for p_value, leans in ((0.5, False), (0.01, True), (None, False)):
        tested = Score(0.06, 0.004, "square", tested=True, p_value=p_value)
        found = judge_one(tested, ceiling, PLAIN).comparison
        assert (found.outcome, found.leans) == ("insufficient", leans)


def test_a_bound_that_asks_for_a_gap_leans_on_the_estimate() -> None:
    # No gap at all lies outside this bound, so it cannot excuse an estimate outside.
    found = judge_one(Difference(Rate(51, 100), Rate(50, 100)), Limits(Decimal("0.02")), PLAIN).comparison
    assert (found.outcome, found.leans) == ("insufficient", True)


def test_scores_without_an_interval_are_not_decided_and_do_not_lean() -> None:
    for quantity, why in ((Score(0.4, 0.1, "logit", reason="7 rows with the positive label"), "7 rows with"),
                          (Score(0.4), "no standard error"), (Score(None, reason="one class"), "one class")):
        found = judge_one(quantity, Limits(Decimal("0.75")), PLAIN).comparison
        assert (found.outcome, found.leans, found.low) == ("insufficient", False, None)
        assert found.reason and found.reason.startswith(why)


def test_score_differences_combine_both_intervals() -> None:
    gap = ScoreDifference(Score(0.70, 0.05, "logit"), Score(0.80, 0.06, "logit"))
    low, high = intervals.mover_difference(0.70, intervals.transformed(0.70, 0.05, "logit", 0.05),
                                           0.80, intervals.transformed(0.80, 0.06, "logit", 0.05))
    assert gap.interval(0.05) == (low, high)
    found = judge_one(gap, Limits(Decimal("-0.05")), PLAIN).comparison
    assert found.outcome == "fail" and found.high == high


def test_undefined_numbers_carry_their_reason() -> None:
    nothing = Rate(0, 0)
    for quantity in (Ratio(Rate(1, 10), Rate(0, 10)), Ratio(nothing, Rate(1, 10)), Difference(Rate(1, 2), nothing)):
        found = judge_one(quantity, FOUR_FIFTHS, PLAIN)
        assert found.comparison.outcome == "insufficient" and found.comparison.value is None
        assert found.comparison.reason and found.margin is None
        assert judge_one(quantity, FOUR_FIFTHS, PLAIN, point=True).comparison.outcome == "insufficient"


def test_combining_takes_the_worst_and_lets_exempt_groups_only_fail_or_lean() -> None:
    good = judge_one(Ratio(Rate(500, 1000), Rate(500, 1000)), FOUR_FIFTHS, PLAIN, group="g1")
    better = judge_one(Ratio(Rate(510, 1000), Rate(500, 1000)), FOUR_FIFTHS, PLAIN, group="g2")
    bad = judge_one(Ratio(Rate(100, 1000), Rate(500, 1000)), FOUR_FIFTHS, PLAIN, group="g3")
    worse = judge_one(Ratio(Rate(10, 1000), Rate(500, 1000)), FOUR_FIFTHS, PLAIN, group="g4")
    tiny = judge_one(Ratio(Rate(5, 10), Rate(500, 1000)), FOUR_FIFTHS, PLAIN, group="g5", exempt=True)
    leaning = judge_one(Ratio(Rate(4, 20), Rate(500, 1000)), FOUR_FIFTHS, Levels(0.05, 0.01), group="g6", exempt=True)
    small_fail = judge_one(Ratio(Rate(0, 25), Rate(500, 1000)), FOUR_FIFTHS, PLAIN, group="g7", exempt=True)
    assert leaning.comparison.leans
    for judged, outcome, seen, presses in (
            ([better, good], "pass", "g1", False), ([good, bad, worse], "fail", "g4", False),
            ([good, tiny], "pass", "g1", False), ([good, leaning], "insufficient", "g6", True),
            ([good, small_fail], "fail", "g7", False), ([tiny], "insufficient", "g5", False)):
        found, worst, pressing = combine(judged)
        assert (found, worst.comparison.group, pressing) == (outcome, seen, presses)


def test_all_undefined_presses_and_some_undefined_do_not() -> None:
    nothing = judge_one(Ratio(Rate(0, 50), Rate(0, 50)), FOUR_FIFTHS, PLAIN)
    good = judge_one(Ratio(Rate(500, 1000), Rate(500, 1000)), FOUR_FIFTHS, PLAIN)
    assert combine([nothing, nothing])[::2] == ("insufficient", True)
    assert combine([nothing, good])[::2] == ("insufficient", False)


def test_absolute_limits_and_their_text() -> None:
    assert absolute(Limits(None, Decimal("0.10")), "difference") == Limits(Decimal("-0.10"), Decimal("0.10"))
    assert absolute(Limits(Decimal("0.8")), "ratio") == Limits(Decimal("0.8"), Fraction(5, 4))
    assert [bound_text(b) for b in (Decimal("0.80"), Decimal("1e-6"), Fraction(5, 4), None)] == [
        "0.80", "0.000001", "1.25", None]
