"""When rules and policies apply: conditions over settings, words and limits, and over the outcomes of other rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from policy_evidence import evidence, rate, score

from govern.errors import InputError
from govern.policy.packs import load_policy
from govern.policy.schema import Policy
from govern.verdict import Finding, Verdict

Judge = Callable[..., Verdict]
House = Callable[..., Policy]
SETTINGS: dict[str, Any] = {
    "model": {"name": "credit", "version": "3.10"},
    "data": {"weight": None, "threshold": 0.5, "positive": "1", "sensitive": ["sex", {"age": {"column": "AGE"}}],
             "task": None, "bands": {"age": [25, 40]}, "classes": []},
    "seed": 0, "versions": {"numpy": "2.3.1"},
}
CARD = {"use_case": "consumer credit", "owner": "TBD", "sensitive_data": {"special_category": True, "stored": False},
        "markets": ["JP", "US"], "score": 3.0}
FOUND = evidence({"sex": {"men": rate(510, 1000), "women": rate(300, 1000)}}, settings=SETTINGS, card=CARD,
                 declared={"primary": {"metric": "accuracy", "min": 0.3}, "latency_p95_ms": 50.0})
SUPPORT = "- {{id: S, kind: support, title: t, basis: house, severity: review{0}}}\n"
GAP = ("- {id: G, kind: disparity, title: t, basis: house, severity: review, metric: selection_rate, compare: ratio, "
       "against: any, min: 0.80}\n")
DOCUMENT = "- {{id: D, kind: document, title: t, basis: house, severity: {1}, fields: [reason], when: {0}}}\n"


def of(result: Verdict, rule: str) -> Finding:
    (found,) = [f for f in result.findings if f.rule == rule]
    return found


@pytest.mark.parametrize(("when", "why"), [
    ("{task: binary}", None), ("{task: [regression, binary]}", None),
    ("{task: regression}", "the task is binary, not regression"),
    ("{phase: team}", None), ("{phase: [desk, company]}", "the phase is team, not desk or company"),
    ("{settings.data.positive: 1}", None), ('{settings.data.positive: "1"}', None),
    ("{settings.data.positive: 0}", "settings.data.positive is 1, not 0"),
    ("{settings.data.threshold: 0.50}", None), ("{settings.data.threshold: true}", None),
    ("{settings.data.threshold: false}", "settings.data.threshold is given"),
    ("{settings.data.weight: true}", "settings.data.weight is not given"), ("{settings.data.weight: false}", None),
    ("{settings.data.classes: true}", "settings.data.classes is not given"),
    ("{settings.data.train: true}", "settings.data.train is not given"),  # not known to this evidence
    ("{settings.data.sensitive: sex}", None), ("{settings.data.sensitive: age}", None),
    ("{settings.data.sensitive: race}", "settings.data.sensitive is a list, not race"),
    ("{settings.data.bands.age: true}", None), ("{settings.data.bands: age}", None),
    ("{settings.data.bands.sex: true}", "settings.data.bands.sex is not given"),
    ("{settings.model.version: '3.10'}", None),
    ("{settings.model.version: 3.1}", "settings.model.version is 3.10, not 3.1"),
    ("{settings.versions.numpy: 2.3.1}", None), ("{settings.seed: 0}", None), ("{settings.seed: true}", None),
    ("{declared.primary: true}", None), ("{declared.primary.metric: accuracy}", None),
    ("{declared.latency_p95_ms: 50}", None), ("{declared.file_size_mb: true}", "declared.file_size_mb is not given"),
    ("{declared.primary.max: false}", None),
    ("{card.use_case: [hiring, consumer credit]}", None),
    ("{card.use_case: hiring}", "card.use_case is consumer credit, not hiring"),
    ("{card.owner: true}", "card.owner is not given"),  # a placeholder says nothing
    ("{card.owner: false}", None), ("{card.sensitive_data.special_category: true}", None),
    ("{card.sensitive_data.stored: true}", "card.sensitive_data.stored is not given"),
    ("{card.sensitive_data.stored: false}", None), ("{card.markets: JP}", None),
    ("{card.markets: FR}", "card.markets is a list, not FR"),
    ("{card.score: 3}", None), ("{card.nothing.there: true}", "card.nothing.there is not given"),
    ("{card.nothing: [x, false]}", None),
    ("{task: binary, card.use_case: consumer credit, phase: team}", None),
    ("{task: binary, card.use_case: hiring, phase: desk}", "card.use_case is consumer credit, not hiring"),
])
def test_a_rule_applies_when_all_of_it_holds(verdict: Judge, when: str, why: str | None) -> None:
    found = of(verdict(FOUND, SUPPORT.format(f", when: {when}")), "S")
    if why is None:
        assert found.outcome == "pass"
    else:
        assert found.outcome == "n/a" and found.reason is not None and why in found.reason


def test_absent_says_nothing_about_a_rule_that_does_not_apply(verdict: Judge) -> None:
    rules = SUPPORT.format(", when: {phase: company}, absent: fail") + GAP
    assert of(verdict(FOUND, rules), "S").outcome == "n/a"
    assert of(verdict(FOUND, rules, phase="company"), "S").outcome == "pass"
    assert ("S", "the phase is team, not company") in {(n.rule, n.reason) for n in verdict(FOUND, rules).not_assessed}


@pytest.mark.parametrize(("outcome", "applies"), [
    ("fail", True), ("[fail, insufficient]", True), ("pass", False), ("[pass, not_run, n/a]", False)])
def test_a_rule_waits_for_the_outcome_of_another(verdict: Judge, outcome: str, applies: bool) -> None:
    # It may stand before the one it waits for.
    rules = DOCUMENT.format(f"{{rule: G, outcome: {outcome}}}", "warn") + GAP
    found = of(verdict(FOUND, rules), "D")
    assert found.outcome == ("fail" if applies else "n/a")
    if not applies:
        assert found.reason and found.reason.startswith("G came out fail, not pass")


def test_one_of_several_rules_is_enough_and_a_chain_is_followed(verdict: Judge) -> None:
    rules = (DOCUMENT.format("{rule: [S, G], outcome: [fail]}", "warn") + SUPPORT.format("")
             + DOCUMENT.replace("id: D", "id: E").format("{rule: D, outcome: fail}", "warn")
             + DOCUMENT.replace("id: D", "id: F").format("{rule: E, outcome: pass}", "warn") + GAP)
    result = verdict(FOUND, rules)
    assert [f.rule for f in result.findings] == ["D", "S", "E", "F", "G"]
    assert {f.rule: f.outcome for f in result.findings} == {
        "D": "fail", "S": "pass", "E": "fail", "F": "n/a", "G": "fail"}


def test_the_outcome_asked_for_is_what_the_finding_says(verdict: Judge) -> None:
    """An input that must not be absent makes a fail; a waiver changes nothing: the condition was met before it."""
    latency = ("- {id: L, kind: compute, title: t, basis: house, severity: review, metric: latency_p95_ms, max: 5, "
               "absent: fail}\n")
    result = verdict(FOUND, DOCUMENT.format("{rule: L, outcome: fail}", "warn") + latency + SUPPORT.format(""))
    assert of(result, "D").outcome == "fail"
    waiver = {"rule": "G", "owner": "Ann", "reason": "r", "approver": "Bo", "expires": "2026-12-01",
              "subject": "model.pkl"}
    result = verdict(FOUND, DOCUMENT.format("{rule: G, outcome: fail}", "warn") + GAP, waivers=[waiver])
    assert (of(result, "G").outcome, of(result, "D").outcome) == ("waived", "fail")


def test_a_rule_that_waits_counts_in_the_family_whether_it_is_asked_or_not(verdict: Judge) -> None:
    for outcome in ("pass", "fail"):
        second = GAP.replace("id: G", "id: H").replace("0.80}", f"0.80, when: {{rule: S, outcome: {outcome}}}}}")
        result = verdict(FOUND, GAP + SUPPORT.format("") + second)
        seen = of(result, "G").seen
        assert seen and seen.level_fail == pytest.approx(0.05 / 2 / 2)
        assert (of(result, "H").outcome == "n/a") == (outcome == "fail")
    # What does not apply whatever the data say is not asked and does not count.
    alone = verdict(FOUND, GAP + GAP.replace("id: G", "id: H").replace("0.80}", "0.80, when: {phase: company}}"))
    seen = of(alone, "G").seen
    assert seen and seen.level_fail == pytest.approx(0.05 / 2)


@pytest.mark.parametrize(("when", "column", "said"), [
    ("{phse: team}", 75, '"phse": is no condition; did you mean "phase"?'),
    ("{phase: [team, compny]}", 75, '"compny" is not one of desk, poc, team, company; did you mean "company"?'),
    ("{task: binry}", 75, 'did you mean "binary"?'),
    ("{settings.data.wight: true}", 75, 'there is no such setting; did you mean "settings.data.weight"?'),
    ("{setings.data.weight: true}", 75, 'is no condition; did you mean "settings"?'),
    ("{declared.latency: true}", 75, "there is no such declared limit; did you mean"),
    ("{card: owner}", 75, "names nothing; write card.NAME"), ("{q: owner}", 75, "is no condition; use one of task"),
    ("{card.: x}", 75, "names nothing; write card.NAME"), ("{card.a..b: x}", 75, "names nothing; write card.NAME"),
    ("{card.owner: {a: b}}", 75, '"card.owner": is no value; give a text, number'),
    ("{card.owner: []}", 75, "is no value"), ("{card.owner: null}", 75, "is no value"),
    ("{}", 68, '"when": is an empty condition; remove it'), ("team", 68, '"when" must be a mapping'),
    ("{rule: S}", 75, '"rule": key "outcome" is missing beside it'), ("{outcome: fail}", 75, 'key "rule" is missing'),
    ("{rule: S, outcome: failed}", 84, '"failed" is not one of pass, fail, insufficient, not_run, n/a; did you mean'),
    ("{rule: [1], outcome: fail}", 75, "a rule id is a text"),
    ("{rule: T, outcome: fail}", 75, 'S: no rule "T" in this policy; rules: S'),
    ("{rule: S, outcome: fail}", 75, "rules wait for each other in a circle: S → S; remove one of the conditions"),
])
def test_refused_conditions(house: House, when: str, column: int, said: str) -> None:
    with pytest.raises(InputError) as refused:
        house(SUPPORT.format(f", when: {when}"))
    text = str(refused.value)
    assert text.startswith(f"house.yaml:8:{column}: S: ") and said in text and len(text) <= 300


def test_circles_are_named_with_their_place(house: House) -> None:
    rules = "".join(SUPPORT.replace("id: S", f"id: {one}").format(f", when: {{rule: {other}, outcome: [fail]}}")
                    for one, other in (("A", "B"), ("B", "C"), ("C", "A"), ("X", "A")))
    with pytest.raises(InputError, match=r"house.yaml:\d+:75: [ABC]: rules wait for each other in a circle: "):
        house(rules)
    # Many rules, each waiting for all before it, are no circle and take no time.
    ids = [f"R{i}" for i in range(60)]
    chain = "".join(SUPPORT.replace("id: S", f"id: {one}").format(
        f", when: {{rule: [{', '.join(ids[:i])}], outcome: [fail]}}" if i else "") for i, one in enumerate(ids))
    assert len(house(chain).rules) == 60


def test_an_override_may_set_and_remove_a_condition(house: House, verdict: Judge) -> None:
    house(SUPPORT.format(", when: {phase: company}") + GAP, name="base")
    free = house("- {id: S, override: {when: null}, reason: for everyone}\n", "extends: [base.yaml]\n")
    assert of(verdict(FOUND, policies=[free]), "S").outcome == "pass"
    assert free.rules[0].changes[0].old == "{phase: company}" and free.rules[0].changes[0].new is None
    with pytest.raises(InputError, match=r'house.yaml:9:29: S: "phas": is no condition; did you'):
        house("- {id: S, override: {when: {phas: team}}, reason: r}\n", "extends: [base.yaml]\n")


HIRING = "applies_when: {card.use_case: hiring}\n"


def test_a_policy_that_does_not_apply_is_set_aside_and_says_so(verdict: Judge, house: House) -> None:
    hiring, other = house(GAP, HIRING, name="hiring"), house(SUPPORT.format(""), name="other")
    result = verdict(FOUND, policies=[other, hiring])
    assert result.outcome == "PASS" and of(result, "G").outcome == "n/a"
    assert of(result, "G").reason == "hiring does not apply: card.use_case is consumer credit, not hiring"
    assert result.policies[1].notes == ("does not apply: card.use_case is consumer credit, not hiring",)
    applied = verdict(replace(FOUND, card={"use_case": "hiring"}), policies=[other, hiring])
    assert (applied.outcome, of(applied, "G").outcome, applied.policies[1].notes) == ("REVIEW", "fail", ())


def test_leaving_out_the_word_that_a_policy_asks_for_is_not_a_way_around_it(verdict: Judge, house: House) -> None:
    hiring, other = house(GAP, HIRING, name="hiring"), house(SUPPORT.format(""), name="other")
    result = verdict(replace(FOUND, card={}), policies=[other, hiring])
    assert result.outcome == "REVIEW"
    assert result.notes == ("no rule of the policy hiring was evaluated, so a person must decide",)
    assert result.policies[1].notes == ()
    # The same for a policy that asks for nothing this evidence has; one that is only to be signed asks for people.
    latency = "- {id: L, kind: compute, title: t, basis: house, severity: review, metric: latency_p95_ms, max: 5}\n"
    sign = "- {id: A, kind: attest, title: t, basis: house, severity: review, roles: [owner]}\n"
    for rules, outcome in ((latency, "REVIEW"), (sign, "PASS"), (latency + sign, "PASS")):
        assert verdict(FOUND, policies=[other, house(rules, name="third")]).outcome == outcome
    assert verdict(FOUND, policies=[house(sign, name="third")]).outcome == "REVIEW"


def test_conditions_of_extended_policies_go_with_their_rules(verdict: Judge, house: House) -> None:
    house(GAP, HIRING, name="hiring")
    both = house(SUPPORT.format(""), "extends: [hiring.yaml]\napplies_when: {task: binary}\n", name="both")
    assert [[name for name, _ in r.conditions] for r in both.rules] == [["hiring", "both"], ["both"]]
    result = verdict(FOUND, policies=[both])
    assert (of(result, "G").outcome, of(result, "S").outcome, result.outcome) == ("n/a", "pass", "PASS")
    assert of(result, "G").reason == "hiring does not apply: card.use_case is consumer credit, not hiring"


@pytest.mark.parametrize(("head", "said"), [
    ("applies_when: {rule: S, outcome: fail}\n", "house.yaml:7:16: \"rule\": a policy does not wait for the outcome"),
    ("applies_when: {}\n", 'house.yaml:7:1: "applies_when": is an empty condition'),
    ("applies_when: {phase: now}\n", 'house.yaml:7:16: "phase": "now" is not one of desk'),
    ("applies_when: {pase: team}\n", 'house.yaml:7:16: "pase": is no condition; did you mean "phase"?'),
    ("applies_from: soon\n", 'house.yaml:7:1: "applies_from": "soon" is not a day; write it as 2026-11-03'),
    ("applies_from: 2027-01-01\nsunset: 2026-01-01\n", 'house.yaml:8:1: "sunset": 2026-01-01 lies before applies_from'),
    ("waiver_days: 0\n", 'house.yaml:7:1: "waiver_days"'), ("waiver_days: 1.5\n", 'house.yaml:7:1: "waiver_days"'),
])
def test_refused_heads(house: House, head: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        house(SUPPORT.format(""), head)
    assert said in str(refused.value)


def test_the_state_of_a_policy_is_noted_on_the_day_of_the_decision(verdict: Judge, house: House) -> None:
    """The day is 2026-11-22; house files are as of 2026-11-03."""
    head = "applies_from: 2026-11-23\nsunset: 2027-05-01\n"
    info = verdict(FOUND, policies=[house(GAP, head)]).policies[0]
    assert (info.applies_from, info.sunset) == ("2026-11-23", "2027-05-01")
    assert info.notes == ("applies from 2026-11-23, after the day of the decision",)
    that_day = house(GAP, "applies_from: 2026-11-22\nsunset: 2026-11-22\n")
    assert verdict(FOUND, policies=[that_day]).policies[0].notes == ()
    past = verdict(FOUND, policies=[house(GAP, "sunset: 2026-11-21\n")]).policies[0]
    assert past.notes == ("applied until 2026-11-21, before the day of the decision",)


def test_stale_and_superseded_policies_are_noted_also_where_they_are_extended(verdict: Judge, tmp_path: Any) -> None:
    head = "schema: govern.policy/1\nname: {}\nversion: '1'\ntitle: t\nstatus: {}\nas_of: {}\n"
    rules = "rules:\n" + GAP
    for as_of, stale in (("2026-05-26", False), ("2026-05-25", True)):  # 180 and 181 days before
        (tmp_path / "old.yaml").write_text(head.format("old", "superseded", as_of) + rules)
        notes = verdict(FOUND, policies=[load_policy("old.yaml", base=tmp_path)]).policies[0].notes
        assert notes[0].startswith("superseded") and len(notes) == 1 + stale
        if stale:
            assert "181 days before" in notes[1] and "a default of this tool" in notes[1]
    (tmp_path / "new.yaml").write_text(head.format("new", "in_force", "2026-11-01") + "extends: [old.yaml]\n")
    notes = verdict(FOUND, policies=[load_policy("new.yaml", base=tmp_path)]).policies[0].notes
    assert len(notes) == 2 and all(n.startswith("extends old: ") for n in notes)
    for status, words in (("in_force", 0), ("guidance", 0), ("proposed", 1), ("in_flux", 1)):
        (tmp_path / "new.yaml").write_text(head.format("new", status, "2026-11-01") + rules)
        assert len(verdict(FOUND, policies=[load_policy("new.yaml", base=tmp_path)]).policies[0].notes) == words


def test_a_rule_that_finds_nothing_to_ask_is_listed_all_the_same(verdict: Judge) -> None:
    nobody_asked = evidence({"sex:age": {"men:old": rate(5, 10), "women:old": rate(5, 10)}})
    found = of(verdict(nobody_asked, GAP), "G")
    assert (found.outcome, found.reason) == ("n/a", "the evidence has nothing that the rule asks about")
    assert of(verdict(nobody_asked, DOCUMENT.format("{rule: G, outcome: n/a}", "warn") + GAP), "D").outcome == "fail"


def test_the_primary_metric_shows_a_percentage_when_it_is_known(verdict: Judge) -> None:
    for rules in ("- {id: B, kind: bound, title: t, basis: house, severity: review, metric: primary, min: 75}\n",
                  "- {id: B, kind: disparity, title: t, basis: house, severity: review, metric: primary, "
                  "compare: difference, against: overall, min: -5}\n"):
        with pytest.raises(InputError, match=r"house.yaml:8:\d+: B: \"min\": limit -?\d+ lies outside the range of "):
            verdict(FOUND, rules)
    declared = replace(FOUND, declared={"primary": {"metric": "accuracy", "min": 75.0}})
    with pytest.raises(InputError, match="declared min 75 of accuracy lies outside its range"):
        verdict(declared, "- {id: B, kind: bound, title: t, basis: house, severity: review, metric: primary, "
                          "min: declared}\n")
    unbounded = replace(FOUND, declared={"primary": {"metric": "log_loss", "max": 75.0}},
                        measurements=(score("log_loss", 0.5, 0.01),))
    rules = "- {id: B, kind: bound, title: t, basis: house, severity: review, metric: primary, max: 75}\n"
    assert of(verdict(unbounded, rules), "B").outcome == "pass"
