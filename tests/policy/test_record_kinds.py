"""What people sign, how old things are, and whether the record can be relied on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from policy_evidence import SHA, evidence, rate

from govern.codec import decode, digest, document, encode
from govern.dataset import DataFacts
from govern.errors import InputError
from govern.evidence import Evidence, Subject
from govern.lock import Lock, lock_of
from govern.policy.gate import judge
from govern.policy.schema import Policy
from govern.verdict import Finding, ToSign, Verdict

Judge = Callable[..., Verdict]
House = Callable[..., Policy]
SUPPORT = "- {id: S, kind: support, title: t, basis: house, severity: review}\n"
SIGN = ("- {id: A, kind: attest, title: {en: Four eyes, ja: 署名}, basis: law, severity: block, cite: Rule 7, "
        "roles: [developer, reviewer], statement: I have read it}\n")
FRESH = "- {{id: F, kind: fresh, title: t, basis: house, severity: review, of: {0}, max_days: {1}}}\n"
PROVEN = "- {id: I, kind: integrity, title: t, basis: house, severity: review, require: [lock]}\n"
WHOLE = "- {id: I, kind: integrity, title: t, basis: house, severity: review, require: [digests]}\n"
FOUND = evidence({"sex": {"men": rate(500, 1000), "women": rate(490, 1000)}},
                 declared={"primary": {"metric": "roc_auc", "min": 0.75}, "latency_p95_ms": 50.0})


def of(result: Verdict, rule: str) -> Finding:
    (found,) = [f for f in result.findings if f.rule == rule]
    return found


# attest

def test_what_is_to_be_signed_is_listed_and_neutral(verdict: Judge) -> None:
    result = verdict(FOUND, SUPPORT + SIGN)
    assert result.outcome == "PASS"
    assert result.to_sign == (ToSign("A", "house", {"en": "Four eyes", "ja": "署名"}, ("developer", "reviewer"), True,
                                     {"en": "I have read it"}, "law", "Rule 7"),)
    found = of(result, "A")
    assert (found.outcome, found.reason) == ("n/a", "to be signed by developer, reviewer")
    # It is counted on its own, not among what does not apply, and not listed as not assessed.
    assert (result.counts["to_sign"], result.counts["n/a"], result.not_assessed) == (1, 0, ())
    assert sum(result.counts.values()) == len(result.findings) == 2
    assert decode(Verdict, encode(result)) == result


def test_absent_and_waivers_say_nothing_about_a_signature(verdict: Judge) -> None:
    strict = SIGN.replace("severity: block", "severity: block, absent: fail")
    waiver = {"rule": "A", "owner": "Ann", "reason": "r", "approver": "Bo", "expires": "2026-12-01",
              "subject": "model.pkl"}
    result = verdict(FOUND, SUPPORT + strict, waivers=[waiver], phase="company")
    assert (result.outcome, len(result.to_sign), result.waivers[0].used) == ("PASS", 1, False)


def test_a_signature_asked_for_by_two_policies_is_listed_once_where_equal(verdict: Judge, house: House) -> None:
    house(SUPPORT + SIGN, name="base")
    one, two = (house("", "extends: [base.yaml]\n", name=n) for n in ("one", "two"))
    other = house("- {id: A, override: {roles: [auditor]}, reason: r}\n", "extends: [base.yaml]\n", name="other")
    result = verdict(FOUND, policies=[one, two, other])
    assert [(s.policy, s.roles) for s in result.to_sign] == [
        ("one", ("developer", "reviewer")), ("other", ("auditor",))]
    assert result.counts["to_sign"] == 2


def test_a_signature_may_depend_on_the_phase(verdict: Judge) -> None:
    rules = SUPPORT + SIGN.replace("roles", "distinct: false, when: {phase: company}, roles")
    early, late = (verdict(FOUND, rules, phase=p) for p in ("team", "company"))
    assert (early.to_sign, early.counts["to_sign"], early.not_assessed[0].rule) == ((), 0, "A")
    assert (late.to_sign[0].distinct, late.counts["to_sign"]) == (False, 1)


@pytest.mark.parametrize("roles", ["[]", "[a, A]", "['a ', a]", "['']", "a"])
def test_refused_roles(house: House, roles: str) -> None:
    with pytest.raises(InputError, match=r'house.yaml:8:\d+: A: "roles"'):
        house(SIGN.replace("[developer, reviewer]", roles))


# fresh: the day of the decision is 2026-11-22

@pytest.mark.parametrize(("day", "days", "outcome"), [
    ("2026-11-22", 0, "pass"), ("2026-05-26", 180, "pass"), ("2026-05-25", 181, "fail"),
    # A day of time zones is allowed; more than that lies in the future.
    ("2026-11-23", -1, "pass"), ("2026-11-24", -2, "fail")])
def test_the_age_of_the_data(verdict: Judge, day: str, days: int, outcome: str) -> None:
    found = of(verdict(replace(FOUND, data=DataFacts(period=("2024-01-01", day))), FRESH.format("data", 180)), "F")
    assert (found.outcome, found.bound_max, found.decide) == (outcome, "180", "point")
    assert found.seen and found.seen.value == days and found.reason and day in found.reason
    assert ("after the day of the decision" in found.reason) == (days < -1)


@pytest.mark.parametrize(("card", "outcome", "said"), [
    ({"audit": {"date": "2026-11-01"}}, "pass", "card.audit.date: 2026-11-01"),
    ({"audit": {"date": "2026-11-01T12:00:00Z"}}, "pass", "card.audit.date: 2026-11-01"),
    ({"audit": {"date": "2025-11-21"}}, "fail", "card.audit.date: 2025-11-21"),
    ({"audit": {"date": "1 November"}}, "fail", 'card.audit.date "1 November" is not a day (2026-11-03)'),
    ({"audit": {"date": "2026-02-30"}}, "fail", "is not a day"), ({"audit": {"date": 20261101}}, "pass", "2026-11-01"),
    ({"audit": {"date": 1}}, "fail", '"1" is not a day'), ({"audit": {"date": ["2026-11-01"]}}, "fail", "is not a day"),
    ({"audit": {"date": "TBD"}}, "n/a", "card.audit.date is not given"), ({"audit": "x"}, "n/a", "is not given"),
    ({}, "n/a", "card.audit.date is not given")])
def test_the_age_of_a_day_of_the_card(verdict: Judge, card: Mapping[str, Any], outcome: str, said: str) -> None:
    rules = FRESH.format("card.audit.date", 365)
    found = of(verdict(replace(FOUND, card=card), rules), "F")
    assert found.outcome == outcome and found.reason and said in found.reason
    if outcome == "n/a":
        demanded = rules.replace("severity", "absent: fail, severity")
        assert of(verdict(replace(FOUND, card=card), demanded), "F").outcome == "fail"


def test_data_without_a_date(verdict: Judge) -> None:
    found = of(verdict(FOUND, FRESH.format("data", 180)), "F")
    assert (found.outcome, found.reason) == ("n/a", "the data have no date column and no declared period")


def test_a_verdict_holds_until_the_first_last_good_day(verdict: Judge) -> None:
    found = replace(FOUND, data=DataFacts(period=("2026-01-01", "2026-11-01")),
                    card={"a": "2026-11-20", "b": "2020-01-01"})
    rules = FRESH.format("data", 30) + "".join(
        FRESH.format(f"card.{k}", n).replace("id: F", f"id: {k}") for k, n in (("a", 10), ("b", 10)))
    assert verdict(found, rules).valid_until == "2026-11-30"  # of a; b failed already
    assert verdict(found, FRESH.format("data", 30)).valid_until == "2026-12-01"
    waiver = {"rule": "b", "owner": "Ann", "reason": "r", "approver": "Bo", "expires": "2026-11-25",
              "subject": "model.pkl"}
    assert verdict(found, rules, waivers=[waiver]).valid_until == "2026-11-25"
    again = judge(found, judged={}, policies=[], phase="team", today=date(2026, 11, 22))
    assert again.valid_until is None


@pytest.mark.parametrize(("of", "days", "said"), [
    ("datas", "1", '"datas" names no date; write data or card.FIELD'), ("card", "1", "names no date"),
    ("card.", "1", "names no date"), ("data", "-1", '"max_days"'), ("data", "1.5", '"max_days"'),
    ("data", "99999999999", '"max_days"'), ("data", "soon", '"max_days" must be a whole number')])
def test_refused_dates(house: House, of: str, days: str, said: str) -> None:
    with pytest.raises(InputError, match=r"house.yaml:8:\d+: F: ") as refused:
        house(FRESH.format(of, days))
    assert said in str(refused.value)


# integrity

MODEL, DATA, CONFIG = (Subject(role, f"{role}.x", SHA, 10, "x") for role in ("model", "data", "config"))


@pytest.mark.parametrize(("subjects", "predictions", "lacking"), [
    ((MODEL, DATA, CONFIG), False, None), ((DATA, CONFIG), True, None), ((MODEL, DATA), False, "config"),
    ((CONFIG,), False, "data, model"), ((MODEL, replace(DATA, sha256=""), CONFIG), False, "data"),
    ((MODEL, replace(DATA, sha256=SHA.upper()), CONFIG), False, "data")])
def test_digests(verdict: Judge, subjects: tuple[Subject, ...], predictions: bool, lacking: str | None) -> None:
    found = replace(FOUND, subjects=subjects, model=None if predictions else FOUND.model)
    finding = of(verdict(found, WHOLE), "I")
    assert finding.each == "digests"
    assert (finding.outcome, finding.reason) == (("pass", None) if lacking is None else
                                                 ("fail", f"without a digest: {lacking}"))


def locked(found: Evidence, *policies: Policy, at: str = "2026-11-20T14:02:00Z", **changes: Any) -> Evidence:
    """The evidence (of 2026-11-22) with a lock of these policies and of its own declared limits."""
    lock = lock_of([p.info for p in policies], changes.get("declared", found.declared), at)
    lock = replace(lock, **{k: v for k, v in changes.items() if k != "declared"})
    data = document(lock)
    subject = Subject("policy-lock", "govern.lock", digest(data), len(data), "json")
    return replace(found, subjects=(*found.subjects, subject), lock=encode(lock))


def test_a_lock_that_is_equal_and_older_passes(verdict: Judge, house: House) -> None:
    policy = house(PROVEN)
    finding = of(verdict(locked(FOUND, policy), policies=[policy]), "I")
    assert (finding.outcome, finding.reason, finding.each) == ("pass", "locked 2026-11-20T14:02:00Z", "lock")
    assert of(verdict(locked(FOUND, policy, at="2026-11-22T00:00:00Z"), policies=[policy]), "I").outcome == "pass"
    # Order does not matter, and a policy that is locked and not judged is named.
    other = house(SUPPORT, name="other")
    both = locked(FOUND, other, policy)
    assert of(verdict(both, policies=[policy, other]), "I").reason == "locked 2026-11-20T14:02:00Z"
    assert of(verdict(both, policies=[policy]), "I").reason == (
        "locked 2026-11-20T14:02:00Z; locked too, not judged: other")


def test_without_a_recorded_lock_nothing_is_proven(verdict: Judge, house: House) -> None:
    finding = of(verdict(FOUND, PROVEN), "I")
    assert (finding.outcome, finding.reason) == ("n/a", "not proven: no lock was recorded when measuring")
    given = judge(FOUND, judged={"evidence": "e" * 64, "lock": SHA}, policies=[house(PROVEN)], phase="team",
                  today=date(2026, 11, 22))
    assert of(given, "I").outcome == "n/a" and "the lock file given now was not" in str(of(given, "I").reason)
    assert of(verdict(FOUND, PROVEN.replace("severity", "absent: review, severity")), "I").outcome == "not_run"


def test_what_differs_is_named_and_how(verdict: Judge, house: House) -> None:
    policy = house(PROVEN)
    evidence_then = locked(FOUND, policy)
    edited = house(PROVEN + SUPPORT)  # the same name and version, another file
    finding = of(verdict(evidence_then, policies=[edited]), "I")
    assert finding.outcome == "fail" and finding.reason == (
        f"policy house is another file than was locked ({edited.info.sha256[:8]}, not {policy.info.sha256[:8]})")
    other = house(SUPPORT, name="other")
    assert of(verdict(evidence_then, policies=[policy, other]), "I").reason == "policy other is not locked"
    late = of(verdict(locked(FOUND, policy, at="2026-11-22T00:00:01Z"), policies=[policy]), "I")
    assert (late.outcome, late.reason) == (
        "fail", "locked 2026-11-22T00:00:01Z, after the evidence was made (2026-11-22T00:00:00Z)")
    for declared, said in (
        ({**FOUND.declared, "primary": {"metric": "roc_auc", "min": 0.7}}, "declared primary.min is 0.75, locked 0.7"),
        ({"primary": {"metric": "roc_auc", "min": 0.75}}, "declared latency_p95_ms is not locked"),
        ({**FOUND.declared, "file_size_mb": 3.0}, "declared file_size_mb was locked and is not declared"),
    ):
        finding = of(verdict(locked(FOUND, policy, declared=declared), policies=[policy]), "I")
        assert (finding.outcome, finding.reason) == ("fail", said)


def test_a_change_in_what_a_policy_extends_is_a_change(verdict: Judge, house: House) -> None:
    house(SUPPORT, name="base")
    then = house(PROVEN, "extends: [base.yaml]\n")
    house(SUPPORT.replace("title: t", "title: u"), name="base")
    now = house(PROVEN, "extends: [base.yaml]\n")
    assert then.info.sha256 == now.info.sha256
    finding = of(verdict(locked(FOUND, then), policies=[now]), "I")
    assert (finding.outcome, finding.reason) == (
        "fail", "policy house extends what was changed after it was locked (base)")


def test_another_lock_given_now_cannot_replace_the_recorded_one(house: House) -> None:
    policy = house(PROVEN)
    found = locked(FOUND, policy)
    recorded = found.subject("policy-lock")
    assert recorded is not None
    for sha, outcome in ((recorded.sha256, "pass"), (SHA, "fail")):
        result = judge(found, judged={"evidence": "e" * 64, "lock": sha}, policies=[policy], phase="team",
                       today=date(2026, 11, 22))
        assert of(result, "I").outcome == outcome and result.judged["lock"] == sha
    assert "is not the one recorded when measuring" in str(of(result, "I").reason)


def test_an_edited_lock_is_refused(verdict: Judge, house: House) -> None:
    policy = house(PROVEN)
    found = locked(FOUND, policy)
    for lock, subjects in (
        ({**found.lock, "locked": "2026-11-01T00:00:00Z"}, found.subjects), ({}, found.subjects),
        ({**found.lock, "locked": "then"}, found.subjects), ({**found.lock, "declared": {}}, found.subjects),
        ({**found.lock, "policies": [{"name": "house"}]}, found.subjects), ({**found.lock, "more": 1}, found.subjects),
        (found.lock, FOUND.subjects),
    ):
        with pytest.raises(InputError, match="evidence: the recorded lock contradicts itself: ") as refused:
            verdict(replace(found, lock=lock, subjects=subjects), policies=[policy])
        assert "\n" not in str(refused.value)


def test_two_demands_are_two_findings(verdict: Judge) -> None:
    rules = WHOLE.replace("[digests]", "[digests, lock]")
    result = verdict(replace(FOUND, subjects=(MODEL, DATA, CONFIG)), rules)
    assert [(f.each, f.outcome) for f in result.findings] == [("digests", "pass"), ("lock", "n/a")]


@pytest.mark.parametrize(("require", "said"), [("[lok]", 'did you mean "lock"?'), ("[]", '"require"'),
                                               ("[lock, lock]", "names a demand twice"), ("lock", "write it as [")])
def test_refused_demands(house: House, require: str, said: str) -> None:
    with pytest.raises(InputError, match=r"house.yaml:8:\d+: I: ") as refused:
        house(PROVEN.replace("[lock]", require))
    assert said in str(refused.value)


def test_the_lock_is_a_document() -> None:
    assert decode(Lock, dict(locked(FOUND).lock)) == lock_of([], FOUND.declared, "2026-11-20T14:02:00Z")
