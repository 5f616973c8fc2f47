"""Waivers: when they hold, and that one that does not hold changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from policy_evidence import SHA, evidence, rate

from govern.verdict import Verdict

Judge = Callable[..., Verdict]
RULES = ("- {id: R, kind: disparity, title: t, basis: house, severity: block, metric: selection_rate, compare: ratio, "
         "against: any, min: 0.80}\n")
GAP = evidence({"sex": {"men": rate(510, 1000), "women": rate(300, 1000)}},
               settings={"model": {"name": "credit", "version": "3.2.0"}})
GOOD = {"rule": "R", "owner": "Ann", "reason": "mended in 3.3", "approver": "Bo", "expires": "2026-12-31",
        "subject": "credit"}


def waived(verdict: Judge, found: Any = GAP, **changes: Any) -> Verdict:
    return verdict(found, RULES, waivers=[{k: v for k, v in {**GOOD, **changes}.items() if v is not None}])


@pytest.mark.parametrize("changes", [
    {}, {"rule": "house/R"}, {"expires": "2026-11-22"}, {"expires": "2027-02-20"}, {"subject": SHA},
    {"subject": f"sha256:{SHA[:12].upper()}"}, {"subject": "model.pkl"}, {"subject": "credit"},
    {"subject": None, "lineage": "credit"}, {"subject": None, "lineage": "credit@3"},
    {"subject": None, "lineage": "credit@3.2"}, {"subject": None, "lineage": "credit@3.2.0"},
    {"approver": "Anne"}])
def test_valid(verdict: Judge, changes: dict[str, str]) -> None:
    result = waived(verdict, **changes)
    finding, state = result.findings[0], result.waivers[0]
    assert (result.outcome, finding.outcome, finding.counts_as, finding.waiver) == ("PASS", "waived", "PASS", 0)
    assert (state.valid, state.used, state.why_not) == (True, True, None)
    assert result.counts["waived"] == 1 and result.counts["block"] == 0
    assert result.valid_until == state.expires and finding.comparisons


@pytest.mark.parametrize(("changes", "why"), [
    ({"expires": "2026-11-21"}, "expired 1 day ago"), ({"expires": "2026-10-23"}, "expired 30 days ago"),
    ({"expires": "2027-02-21"}, "expires 91 days ahead, more than 90"), ({"expires": "soon"}, "is not a day"),
    ({"approver": " ann "}, "owner and approver are the same person"), ({"approver": None}, "approver not given"),
    ({"reason": ""}, "reason not given"), ({"rule": "RR"}, 'no rule "RR" was judged'),
    ({"rule": "other/R"}, 'no rule "other/R" was judged'), ({"subject": "other.pkl"}, "is for another subject"),
    ({"subject": SHA[:7]}, "is for another subject"), ({"aprover": "Bo"}, 'unknown key "aprover"'),
    ({"subject": None}, "says neither a subject nor a lineage"),
    ({"subject": None, "lineage": "credits"}, "is for another lineage (credits; this is credit@3.2.0)"),
    ({"subject": None, "lineage": "credit@3.2.01"}, "is for another lineage"),
    ({"subject": None, "lineage": "credit@32"}, "is for another lineage"),
    ({"subject": None, "lineage": "credit@"}, "is for another lineage"),
    ({"lineage": "credit@2"}, "is for another lineage"),
    ({"subject": "other.pkl", "lineage": "credit"}, "is for another subject"),
    # The same person however typed: spaces, capitals, full width, invisible characters, signs, order of the words.
    *(({"owner": "Mika Sato", "approver": approver}, "owner and approver are the same person")
      for approver in ("mika sato", "MIKA  SATO", "Ｍｉｋａ\u3000Ｓａｔｏ", "Mika\u200bSato", "Mika\u00a0Sato",
                       "Sato, Mika", "Mika-Sato", "MikaSato")),
    ({"owner": "José", "approver": "Jose\u0301"}, "the same person"), ({"approver": "-"}, "approver not given")])
def test_without_effect(verdict: Judge, changes: dict[str, Any], why: str) -> None:
    result = waived(verdict, **changes)
    assert (result.outcome, result.findings[0].outcome, result.valid_until) == ("BLOCK", "fail", None)
    state = result.waivers[0]
    assert not state.valid and not state.used and state.why_not and why in state.why_not
    assert (state.days_left < 0) == ("expired" in why)


def test_a_waiver_for_what_passed_is_not_used(verdict: Judge) -> None:
    result = waived(verdict, evidence({"sex": {"men": rate(500, 1000), "women": rate(500, 1000)}}))
    assert (result.outcome, result.findings[0].outcome, result.waivers[0].used) == ("PASS", "pass", False)
    assert result.valid_until is None


def test_a_waiver_takes_undecided_findings_out_too(verdict: Judge) -> None:
    leaning = evidence({"sex": {"men": rate(165, 300), "women": rate(120, 300)}})
    assert verdict(leaning, RULES).outcome == "REVIEW"
    assert (waived(verdict, leaning).outcome, waived(verdict, leaning).findings[0].outcome) == ("PASS", "waived")


def test_the_earliest_end_of_a_used_waiver_ends_the_verdict(verdict: Judge) -> None:
    other = RULES.replace("id: R", "id: Q").replace("selection_rate", "accuracy")
    waivers = [{**GOOD, "expires": "2026-12-31"}, {**GOOD, "rule": "Q", "expires": "2026-12-01"}]
    result = verdict(GAP, RULES + other, waivers=waivers)
    assert [w.used for w in result.waivers] == [True, True] and result.valid_until == "2026-12-01"


def test_a_policy_says_how_far_ahead_a_waiver_may_expire(verdict: Judge, house: Callable[..., Any]) -> None:
    waivers = [{**GOOD, "expires": "2027-01-21"}]  # 60 days ahead
    for days, outcome in ((30, "BLOCK"), (59, "BLOCK"), (60, "PASS"), (365, "PASS")):
        result = verdict(GAP, RULES, head=f"waiver_days: {days}\n", waivers=waivers)
        assert result.outcome == outcome
        assert result.waivers[0].why_not == (None if outcome == "PASS" else f"expires 60 days ahead, more than {days}")
    # Of two policies that have the rule the strictest decides; a qualified name means one of them.
    both = [house(RULES, "waiver_days: 30\n"), house(RULES, "waiver_days: 120\n", name="other")]
    assert verdict(GAP, policies=both, waivers=waivers).waivers[0].why_not == "expires 60 days ahead, more than 30"
    named = verdict(GAP, policies=both, waivers=[{**waivers[0], "rule": "other/R"}])
    assert named.waivers[0].used and named.outcome == "BLOCK"
    assert {f.policy: f.outcome for f in named.findings} == {"house": "fail", "other": "waived"}


def test_a_lineage_needs_the_name_of_the_model(verdict: Judge) -> None:
    nameless = evidence({"sex": {"men": rate(510, 1000), "women": rate(300, 1000)}}, settings={})
    state = waived(verdict, nameless, subject=None, lineage="credit").waivers[0]
    assert not state.valid and state.lineage == "credit" and "does not name its model" in str(state.why_not)
    # A name that holds @ itself is meant whole.
    odd = evidence({"sex": {"men": rate(510, 1000), "women": rate(300, 1000)}}, settings={"model": {"name": "a@b"}})
    assert waived(verdict, odd, subject=None, lineage="a@b").outcome == "PASS"
    assert waived(verdict, odd, subject=None, lineage="a@b@1").outcome == "BLOCK"
