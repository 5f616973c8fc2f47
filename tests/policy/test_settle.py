"""What would settle a finding, or make it pass."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from statistics import NormalDist

import pytest
from policy_evidence import evidence, rate, score

from govern.evidence import REST
from govern.policy.decide import Levels, Limits, judge_one
from govern.policy.quantities import Difference, Quantity, Rate, Ratio, Score, ScoreDifference
from govern.policy.settle import settle
from govern.verdict import Settle, Verdict

Judge = Callable[..., Verdict]
LEVELS = Levels(0.05, 0.01)
NORMAL = NormalDist()


def of(quantity: Quantity, limits: Limits, metric: str = "accuracy", **more: str) -> tuple[str, Settle]:
    judged = judge_one(quantity, limits, LEVELS, group="a", **more)  # type: ignore[arg-type]
    found = settle(metric, judged.comparison.outcome, judged, limits)
    assert found is not None
    return judged.comparison.outcome, found


def test_one_rate_says_the_rows_and_the_distance_it_shows() -> None:
    limits = Limits(Decimal("0.80"))
    outcome, found = of(Rate(164, 200), limits)
    assert outcome == "insufficient" and found.group == "a" and found.rows
    grown = Rate(0.82 * (200 + found.rows), 200 + found.rows)
    assert judge_one(grown, limits, LEVELS).comparison.outcome == "pass"
    gap = found.detectable
    assert gap is not None
    # 80 % of samples at that distance from the limit, on the side of the middle, show that they are not at it.
    p = 0.80 - gap
    far = 0.8 - NORMAL.inv_cdf(0.99) * math.sqrt(0.8 * 0.2 / 200)
    assert NORMAL.cdf((far - p) / math.sqrt(p * (1 - p) / 200)) == pytest.approx(0.8, abs=1e-6)


def test_scores_say_how_many_times_the_rows() -> None:
    limits = Limits(Decimal("-0.05"))
    gap = ScoreDifference(Score(0.80, 0.10, "logit"), Score(0.82, 0.09, "logit"))
    for quantity, bound in ((gap, limits), (Score(0.80, 0.2, "logit"), Limits(Decimal("0.78"))),
                            (Score(3.0, 0.4), Limits(None, Decimal("3.2")))):
        outcome, found = of(quantity, bound)
        assert outcome == "insufficient" and found.rows is None and found.times and found.times > 1

        def at(k: int, q: Quantity = quantity) -> Quantity:
            if isinstance(q, ScoreDifference):
                return ScoreDifference(*(Score(s.value, (s.se or 0) / math.sqrt(k), s.transform) for s in (q.a, q.b)))
            assert isinstance(q, Score) and q.se
            return Score(q.value, q.se / math.sqrt(k), q.transform)

        assert judge_one(at(found.times), bound, LEVELS).comparison.outcome != "insufficient"
        assert judge_one(at(found.times - 1), bound, LEVELS).comparison.outcome == "insufficient"


def test_the_gap_that_scores_can_show() -> None:
    z = NORMAL.inv_cdf(0.99) + NORMAL.inv_cdf(0.8)
    _, one = of(Score(0.80, 0.2, "logit"), Limits(Decimal("0.78")))
    assert one.detectable == pytest.approx(z * 0.2 * 0.80 * 0.20)
    _, two = of(ScoreDifference(Score(1.0, 0.3), Score(2.0, 0.4)), Limits(None, Decimal("0")))
    assert two.detectable == pytest.approx(z * 0.5)
    _, root = of(Score(0.06, 0.004, "square"), Limits(None, Decimal("0.05")))
    assert root.detectable == pytest.approx(z * 0.004 / 0.12)


def test_a_failing_finding_says_how_far_it_is_outside() -> None:
    outcome, found = of(Score(0.60, 0.05, "logit"), Limits(Decimal("0.75")))
    assert outcome == "fail" and found.gap == pytest.approx(0.15) and found.detectable is None
    outcome, found = of(Difference(Rate(200, 1000), Rate(500, 1000)), Limits(Decimal("-0.1"), Decimal("0.1")),
                        reference="b")
    assert outcome == "fail" and found.gap == pytest.approx(0.2) and found.selections is None
    outcome, found = of(Ratio(Rate(200, 1000), Rate(500, 1000)), Limits(Decimal("0.8")), "selection_rate",
                        reference="b")
    assert outcome == "fail" and (found.selections, found.group) == (200, "a")
    assert found.gap == pytest.approx(0.4)


@pytest.mark.parametrize("against", ["any", "largest", "best", "overall", "{group: b}"])
@pytest.mark.parametrize(("compare", "limit"), [("difference", "max: 0.10"), ("ratio", "min: 0.80")])
def test_each_reference_gets_rows_and_a_gap(verdict: Judge, against: str, compare: str, limit: str) -> None:
    if compare == "difference" and against != "any":
        limit = "min: -0.10"
    members = {"a": rate(17, 40), "b": rate(500, 1000)}
    rules = (f"- {{id: R, kind: disparity, title: t, metric: selection_rate, compare: {compare}, against: {against}, "
             f"{limit}, severity: review, basis: house}}\n")
    found = verdict(evidence({"x": members}), rules).findings[0]
    assert found.outcome == "insufficient" and found.settle and found.settle.detectable
    assert found.settle.group == "g1" and (found.settle.rows or found.settle.times)


@pytest.mark.parametrize("compare", ["difference", "ratio", None])
def test_weighted_rates_say_rows_like_those_seen(compare: str | None) -> None:
    limits = {"difference": Limits(Decimal("-0.12"), Decimal("0.12")), "ratio": Limits(Decimal("0.75"))}.get(
        compare or "", Limits(Decimal("0.35")))

    def quantity(rows: int) -> Quantity:
        weighted = Rate(42.5 * rows / 120, 100.0 * rows / 120, effective=80.0 * rows / 120, rows=rows)
        other = Rate(500.0, 1000.0, effective=900.0, rows=1500)
        return {"difference": Difference, "ratio": Ratio}[compare](weighted, other) if compare else weighted

    more = {"reference": "b", "compare": compare} if compare else {}
    outcome, found = of(quantity(120), limits, "selection_rate", **more)  # type: ignore[arg-type]
    assert outcome == "insufficient" and found.selections is None and found.times is None
    assert found.rows and found.detectable and found.group == "a"
    assert judge_one(quantity(120 + found.rows), limits, LEVELS).comparison.outcome != "insufficient"


def test_scores_of_known_rows_say_the_rows_of_one_group() -> None:
    limits = Limits(Decimal("0.78"))
    outcome, found = of(Score(0.80, 0.2, "logit"), limits, rows=400)  # type: ignore[arg-type]
    assert outcome == "insufficient" and found.rows and found.times is None and found.group == "a"
    for rows, settled in ((found.rows, True), (found.rows - 1, False)):
        grown = Score(0.80, 0.2 / math.sqrt((400 + rows) / 400), "logit")
        assert (judge_one(grown, limits, LEVELS).comparison.outcome == "pass") is settled
    gap = ScoreDifference(Score(0.80, 0.02, "logit"), Score(0.82, 0.20, "logit"))
    sizes = {"rows": 4000, "reference_rows": 400, "reference": "b"}
    outcome, found = of(gap, Limits(Decimal("-0.05")), **sizes)  # type: ignore[arg-type]
    assert outcome == "insufficient" and found.group == "b" and found.rows
    grown = replace(gap, b=Score(0.82, 0.20 / math.sqrt((400 + found.rows) / 400), "logit"))
    assert judge_one(grown, Limits(Decimal("-0.05")), LEVELS).comparison.outcome == "pass"
    _, rest = of(gap, Limits(Decimal("-0.05")), **{**sizes, "reference": REST})  # type: ignore[arg-type]
    assert rest.group == "a" and rest.rows is None and rest.times  # more rows of the group alone would not do


def test_bounds_of_groups_are_settled_too(verdict: Judge) -> None:
    members = {"a": (80, 10, 20, 90), "b": (400, 100, 100, 400)}
    rules = ("- {id: R, kind: bound, title: t, metric: true_positive_rate, by: [x], min: 0.78, severity: review, "
             "basis: house}\n")
    found = verdict(evidence({"x": members}), rules).findings[0]
    assert found.outcome == "insufficient" and found.settle
    assert found.settle.rows and found.settle.detectable
    scored = evidence({"x": members}, scores=(score("roc_auc", 0.76, 0.1, transform="logit"),))
    rules = "- {id: R, kind: bound, title: t, metric: roc_auc, min: 0.75, severity: review, basis: house}\n"
    found = verdict(scored, rules).findings[0]
    assert found.outcome == "insufficient" and found.settle and found.settle.rows and found.settle.detectable


def test_nothing_is_said_of_what_is_undefined() -> None:
    judged = judge_one(Difference(Rate(0, 0), Rate(1, 2)), Limits(Decimal("-0.1")), LEVELS)
    assert settle("accuracy", "insufficient", judged, Limits(Decimal("-0.1"))) is None
    few = judge_one(Score(0.4, 0.1, "logit", reason="7 rows with the positive label"), Limits(Decimal("0.5")), LEVELS)
    assert settle("roc_auc", "insufficient", few, Limits(Decimal("0.5"))) is None
