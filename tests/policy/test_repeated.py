"""Rules repeated over the groups for which others failed, and over lists of the card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from policy_evidence import evidence, rate

from govern.errors import InputError
from govern.policy.schema import Policy
from govern.verdict import Finding, Verdict

Judge = Callable[..., Verdict]
GAP = ("- {{id: {0}, kind: disparity, title: t, basis: house, severity: review, metric: {1}, compare: {2}, "
       "against: any, {3}}}\n")
RATIO = GAP.format("G", "selection_rate", "ratio", "min: 0.80")
WORDS = ("- {id: W, kind: document, title: t, basis: house, severity: warn, each: {rule: [G]}, "
         "in: card.fairness_assessments, key: groupAtRisk, fields: [harms, mitigationStrategy]}\n")
ITEMS = ("- {id: W, kind: document, title: t, basis: house, severity: warn, each: {card: risks.open}, "
         "fields: [owner, due.day]}\n")
FOUND = evidence({"sex": {"men": rate(510, 1000), "women": rate(300, 1000), "other": rate(240, 1000)},
                  "age": {"26–35": rate(500, 1500), "36 or more": rate(500, 1500)}})


def repeated(result: Verdict, rule: str = "W") -> list[Finding]:
    return [f for f in result.findings if f.rule == rule]


def assessed(*items: Any) -> Any:
    return replace(FOUND, card={"fairness_assessments": list(items)})


def test_once_for_every_group_that_failed(verdict: Judge) -> None:
    """Of a ratio between two groups the lower one is at risk, as the four-fifths convention has it."""
    found = repeated(verdict(FOUND, RATIO + WORDS))
    assert [(f.each, f.features, f.outcome) for f in found] == [
        ("women", ("sex",), "fail"), ("other", ("sex",), "fail")]
    assert found[0].reason == "no item of card.fairness_assessments names sex: women under groupAtRisk"
    assert found[0].missing == ("harms", "mitigationStrategy")
    told = {"groupAtRisk": "Women", "harms": "declined more often", "mitigationStrategy": "TBD"}
    women, other = repeated(verdict(assessed(told), RATIO + WORDS))
    assert (women.outcome, women.missing, women.reason) == ("fail", ("mitigationStrategy",),
                                                            "1 of 2 fields are not filled")
    assert other.missing == ("harms", "mitigationStrategy")
    whole = {**told, "mitigationStrategy": "manual review below 0.4"}
    assert [f.outcome for f in repeated(verdict(assessed(whole), RATIO + WORDS))] == ["pass", "fail"]


@pytest.mark.parametrize("name", ["women", "WOMEN ", "sex: women", "sex=women", "Sex · Women", "ｗｏｍｅｎ",
                                  ["men", "women"]])
def test_a_group_is_named_as_people_write_it(verdict: Judge, name: Any) -> None:
    item = {"groupAtRisk": name, "harms": "h", "mitigationStrategy": "m"}
    assert repeated(verdict(assessed(item), RATIO + WORDS))[0].outcome == ("fail" if name == "sex=women" else "pass")


def test_signs_that_tell_groups_apart_are_heeded_and_dashes_are_not(verdict: Judge) -> None:
    found = evidence({"pay": {"<=50K": rate(200, 1000), ">50K": rate(600, 1000), "50–60": rate(210, 1000)}},
                     card={"fairness_assessments": [
                         {"groupAtRisk": ">50K", "harms": "h", "mitigationStrategy": "m"},
                         {"groupAtRisk": "50-60", "harms": "h", "mitigationStrategy": "m"}]})
    assert {f.each: f.outcome for f in repeated(verdict(found, RATIO + WORDS))} == {"<=50K": "fail", "50–60": "pass"}


def test_several_items_about_a_group_are_read_together(verdict: Judge) -> None:
    items = ({"groupAtRisk": "women", "harms": "h"}, {"groupAtRisk": "women", "harms": "", "mitigationStrategy": "m"})
    for order in (items, items[::-1]):
        assert repeated(verdict(assessed(*order), RATIO + WORDS))[0].outcome == "pass"


@pytest.mark.parametrize(("metric", "limit", "each"), [
    # The group with the worse metric, whichever way a difference is counted.
    ("true_positive_rate", "max: 0.10", "b"), ("false_positive_rate", "max: 0.10", "a"),
    ("selection_rate", "max: 0.10", "b")])
def test_the_group_with_the_worse_metric_is_at_risk(verdict: Judge, metric: str, limit: str, each: str) -> None:
    found = evidence({"x": {"a": (450, 300, 50, 200), "b": (250, 100, 250, 400)}})
    result = verdict(found, GAP.format("G", metric, "difference", limit) + WORDS)
    assert [f.each for f in repeated(result)] == [each]


def test_other_kinds_name_the_group_themselves(verdict: Judge) -> None:
    bound = ("- {id: G, kind: bound, title: t, basis: house, severity: review, metric: selection_rate, by: [sex], "
             "min: .4}\n")
    largest = RATIO.replace("against: any", "against: best")
    for rule in (bound, largest):
        assert [f.each for f in repeated(verdict(FOUND, rule + WORDS))] == ["women", "other"]
    # A rule about everyone fails for no group.
    whole = bound.replace("by: [sex], ", "").replace(".4", ".9")
    (found,) = repeated(verdict(FOUND, whole + WORDS))
    assert (found.outcome, found.reason) == ("n/a", "no group came out fail under G")


def test_no_group_failed_is_no_want_of_an_input(verdict: Judge) -> None:
    equal = evidence({"sex": {"men": rate(500, 1000), "women": rate(500, 1000)}})
    (found,) = repeated(verdict(equal, RATIO + WORDS.replace("severity: warn", "severity: review, absent: fail")))
    assert (found.outcome, found.reason, found.each) == ("n/a", "no group came out fail under G", None)


def test_groups_of_several_rules_are_taken_once_and_other_outcomes_may_be_asked_for(verdict: Judge) -> None:
    both = RATIO + GAP.format("H", "selection_rate", "difference", "max: 0.10")
    asked = WORDS.replace("[G]", "[G, H]")
    assert [f.each for f in repeated(verdict(FOUND, both + asked))] == ["women", "other"]
    leaning = evidence({"sex": {"men": rate(165, 300), "women": rate(120, 300)}})
    undecided = WORDS.replace("{rule: [G]}", "{rule: G, outcome: [fail, insufficient]}")
    assert [f.each for f in repeated(verdict(leaning, RATIO + undecided))] == ["women"]
    assert repeated(verdict(leaning, RATIO + WORDS))[0].outcome == "n/a"


def test_other_rules_may_wait_for_a_repeated_one(verdict: Judge) -> None:
    last = ("- {id: Z, kind: document, title: t, basis: house, severity: warn, fields: [x], "
            "when: {rule: W, outcome: fail}}\n")
    assert repeated(verdict(FOUND, last + WORDS + RATIO), "Z")[0].outcome == "fail"
    told = assessed(*({"groupAtRisk": g, "harms": "h", "mitigationStrategy": "m"} for g in ("women", "other")))
    assert repeated(verdict(told, last + WORDS + RATIO), "Z")[0].outcome == "n/a"


def test_once_for_every_item_of_a_list(verdict: Judge) -> None:
    risks = [{"name": "drift", "owner": "Ann", "due": {"day": "2027-01-01"}}, {"owner": "TBD", "due": {}}, "a word"]
    found = repeated(verdict(replace(FOUND, card={"risks": {"open": risks}}), ITEMS))
    assert [(f.each, f.outcome, f.missing) for f in found] == [
        ("drift", "pass", ()), ("item 2", "fail", ("owner", "due.day")), ("a word", "fail", ("owner", "due.day"))]


@pytest.mark.parametrize(("card", "why"), [
    ({}, "card.risks.open is not given"), ({"risks": {"open": []}}, "card.risks.open is not given"),
    ({"risks": {"open": "none"}}, "card.risks.open is no list"), ({"risks": []}, "card.risks.open is not given")])
def test_without_a_list(verdict: Judge, card: Any, why: str) -> None:
    (found,) = repeated(verdict(replace(FOUND, card=card), ITEMS))
    assert (found.outcome, found.reason) == ("n/a", why)
    (demanded,) = repeated(verdict(replace(FOUND, card=card), ITEMS.replace("warn", "review, absent: fail")))
    assert demanded.outcome == "fail"


@pytest.mark.parametrize(("change", "said"), [
    (("each: {rule: [G]}", "each: {rule: [Q]}"), 'W: no rule "Q" in this policy; rules: G, W'),
    (("each: {rule: [G]}", "each: {rule: [W]}"), "circle: W → W"),
    (("each: {rule: [G]}", "each: {rul: G}"), 'unknown key "rul"; did you mean "rule"?'),
    (("each: {rule: [G]}", "each: {}"), "repeats over rule or card, one of the two; write {rule: ID} or {card: NAME}"),
    (("each: {rule: [G]}", "each: {rule: G, card: x}"), "one of the two"),
    (("each: {rule: [G]}", "each: {rule: G, outcome: failed}"), '"outcome" must be a list'),
    (("each: {rule: [G]}", "each: {rule: G, outcome: [failed]}"), '"failed" is not one of pass, fail'),
    (("each: {rule: [G]}, ", ""), '"in": in and key say where the card speaks of a group'),
    (("in: card.fairness_assessments, ", ""), "write both with each: {rule: ID}"),
    (("key: groupAtRisk, ", ""), "write both with each: {rule: ID}"),
    (("card.fairness", "fairness"), '"fairness_assessments" names no list of the card; write card.NAME'),
    (("kind: document", "kind: support"), 'unknown key "each"'),
])
def test_refused(house: Callable[..., Policy], change: tuple[str, str], said: str) -> None:
    with pytest.raises(InputError) as refused:
        house(RATIO + WORDS.replace(*change))
    assert said in str(refused.value) and str(refused.value).startswith("house.yaml:9:")
