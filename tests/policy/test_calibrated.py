"""Rules with `calibrate: true`: the levels that keep the declared errors at the sizes at hand, and what is said."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from policy_evidence import evidence, rate, score
from scipy import stats as oracle

from govern.errors import InputError
from govern.policy.calibrated import kept
from govern.policy.decide import Levels, Limits, judge_one
from govern.policy.quantities import Difference, Rate, Ratio
from govern.verdict import Comparison, Verdict

Judge = Callable[..., Verdict]
EVEN = Levels(0.05, 0.05)
UNEVEN = evidence({"x": {"a": rate(300, 2000), "b": rate(2, 30)}})


def gap(**more: str) -> str:
    keys = {"id": "R", "kind": "disparity", "title": "t", "metric": "selection_rate", "compare": "difference",
            "against": "largest", "min": "-0.10", "severity": "review", "basis": "house"} | more
    return "- {" + ", ".join(f"{k}: {v}" for k, v in keys.items()) + "}\n"


def seen(result: Verdict) -> Comparison:
    found = result.findings[0].seen
    assert found is not None
    return found


@pytest.mark.parametrize("quantity", [
    Difference(Rate(2, 30), Rate(231, 2000)), Difference(Rate(231, 2000), Rate(2, 30)),
    Ratio(Rate(9, 25), Rate(70, 150)), Ratio(Rate(70, 150), Rate(9, 25)), Difference(Rate(5, 20), Rate(8, 22)),
    Rate(27, 35), Rate(3, 1200)])
@pytest.mark.parametrize("levels", [EVEN, Levels(0.05, 0.004)])
def test_the_errors_of_the_decision_itself_are_kept(quantity: Any, levels: Levels) -> None:
    """Every outcome of these sizes is decided; the chance of a wrong one is summed on the limits."""
    limits = Limits(Decimal("0.8"), Decimal("1.25")) if isinstance(quantity, Ratio) else \
        Limits(Decimal("-0.1"), Decimal("0.1")) if isinstance(quantity, Difference) else Limits(Decimal("0.85"))
    decided = judge_one(quantity, limits, levels, calibrate=True).comparison
    assert decided.calibrated == "proved" and decided.proved_pass is not None and decided.proved_fail is not None
    assert decided.proved_pass <= levels.passing
    assert decided.proved_fail <= limits.tails * levels.failing
    if isinstance(quantity, Rate):
        outcomes = {x: judge_one(Rate(x, quantity.n), limits, levels, calibrate=True).comparison.outcome
                    for x in range(int(quantity.n) + 1)}
        for outcome, most in (("pass", levels.passing), ("fail", levels.failing)):
            chance = sum(oracle.binom.pmf(x, quantity.n, 0.85) for x, o in outcomes.items() if o == outcome)
            assert chance <= most + 1e-12


def test_every_outcome_of_two_small_groups() -> None:
    n1, n2, limits = 14, 18, Limits(Decimal("-0.4"), Decimal("0.4"))
    table = {(a, b): judge_one(Difference(Rate(a, n1), Rate(b, n2)), limits, EVEN, calibrate=True).comparison
             for a in range(n1 + 1) for b in range(n2 + 1)}
    assert {c.outcome for c in table.values()} == {"pass", "fail", "insufficient"}
    proved = table[0, 0]
    assert proved.proved_pass is not None and proved.proved_fail is not None
    worst = {"pass": 0.0, "fail": 0.0}
    for i in range(61):
        p = 0.6 * i / 60
        one, two = oracle.binom.pmf(range(n1 + 1), n1, p), oracle.binom.pmf(range(n2 + 1), n2, p + 0.4)
        for outcome in worst:
            chance = sum(one[a] * two[b] for (a, b), c in table.items() if c.outcome == outcome)
            worst[outcome] = max(worst[outcome], chance)
    assert 0.02 < worst["pass"] <= proved.proved_pass <= 0.05
    assert 0.02 < worst["fail"] <= proved.proved_fail <= 0.1


def test_a_rule_is_calibrated_by_itself_or_by_the_defaults(verdict: Judge) -> None:
    plain = seen(verdict(UNEVEN, gap()))
    assert (plain.calibrated, plain.proved_pass, plain.proved_fail) == (None, None, None)
    for rules, head in ((gap(calibrate="true"), ""), (gap(), "defaults: {calibrate: true}\n")):
        found = seen(verdict(UNEVEN, rules, head=head))
        assert found.calibrated == "proved"
        assert found.level_pass is not None and found.proved_pass is not None and found.level_pass < 0.03
        assert 0.04 < found.proved_pass <= 0.05
        # The other side is held to the same error, and the sides of the interval to the levels that were found.
        assert found.proved_fail is not None and found.proved_fail <= 0.05
    assert seen(verdict(UNEVEN, gap(calibrate="false"), head="defaults: {calibrate: true}\n")).calibrated is None


def test_a_decision_that_the_declared_error_does_not_carry_is_withheld() -> None:
    few = Difference(Rate(2, 30), Rate(231, 2000))
    limits = Limits(Decimal("-0.10"))
    assert judge_one(few, limits, EVEN).comparison.outcome == "pass"
    assert judge_one(few, limits, EVEN, calibrate=True).comparison.outcome == "insufficient"


def test_where_no_level_keeps_the_error_that_outcome_is_not_given() -> None:
    one = judge_one(Difference(Rate(1, 1), Rate(0, 1)), Limits(Decimal("-0.5")), EVEN, calibrate=True).comparison
    assert (one.outcome, one.level_pass, one.proved_pass) == ("insufficient", None, None)
    assert one.low is not None and one.level_fail is not None


def test_beyond_enumeration_and_weighted_rows_the_closed_form_stands(verdict: Judge) -> None:
    large = Difference(Rate(300, 1000), Rate(310, 900))
    weighted = Difference(Rate(3.5, 20.0, effective=15.0, rows=20), Rate(5, 30))
    for quantity in (large, weighted):
        assert kept(quantity, Decimal("-0.1"), None, 0.05, 0.05) is None
        found = judge_one(quantity, Limits(Decimal("-0.1")), EVEN, calibrate=True).comparison
        assert (found.calibrated, found.proved_pass) == ("stated", None)
        assert found.outcome == judge_one(quantity, Limits(Decimal("-0.1")), EVEN).comparison.outcome
    scored = replace(UNEVEN, measurements=(score("roc_auc", 0.8, 0.1, transform="logit"),))
    rule = ("- {id: R, kind: bound, title: t, metric: roc_auc, min: 0.7, severity: review, basis: house, "
            "calibrate: true}\n")
    assert seen(verdict(scored, rule)).calibrated is None


def test_points_have_no_error_to_calibrate(house: Callable[..., Any]) -> None:
    with pytest.raises(InputError, match="no error to calibrate"):
        house(gap(calibrate="true", decide="point"))


def test_numpy_is_imported_only_for_calibrated_rules(tmp_path: Path) -> None:
    code = """
import sys
from decimal import Decimal
from govern.policy.decide import Levels, Limits, judge_one
from govern.policy.quantities import Difference, Rate
few = Difference(Rate(2, 30), Rate(231, 2000))
for calibrate in (False, True):
    judge_one(few, Limits(Decimal("-0.1")), Levels(0.05, 0.05), calibrate=calibrate)
    print("numpy" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.split() == ["False", "True"]


def test_every_pair_of_ten_groups_is_proved(verdict: Judge) -> None:
    groups = {str(i): rate(20 + 5 * i, 74 + 14 * i) for i in range(10)}
    found = verdict(evidence({"x": groups}), gap(compare="ratio", against="any", min="0.8", calibrate="true"))
    comparisons = found.findings[0].comparisons
    assert len(comparisons) == 45 and {c.calibrated for c in comparisons} == {"proved"}
    # A fail is corrected for two tails and 45 pairs first, and each tail is held to that.
    assert all(c.proved_fail is not None and c.proved_fail <= 0.05 / 45 for c in comparisons)
