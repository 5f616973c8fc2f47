"""Outcomes, severities, phases, families and what they make of the verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from policy_evidence import CARD, compute, evidence, pack_pass, rate, score, smoke

from govern.codec import decode, document, encode
from govern.dataset import DataFacts
from govern.errors import InputError
from govern.evidence import Evidence
from govern.policy.schema import Policy
from govern.verdict import Verdict

Judge = Callable[..., Verdict]
RATIO = ("- {{id: R, kind: disparity, title: t, basis: house, metric: selection_rate, compare: ratio, against: any, "
         "min: 0.80{more}}}\n")


def ratio(severity: str = "review", more: str = "") -> str:
    return RATIO.format(more=f", severity: {severity}{more}")


def sexes(men: tuple[int, int], women: tuple[int, int]) -> Evidence:
    return evidence({"sex": {"men": rate(*men), "women": rate(*women)}})


EQUAL, FAR, LEANING, CHANCE = (sexes((500, 1000), (500, 1000)), sexes((510, 1000), (300, 1000)),
                               sexes((165, 300), (120, 300)), sexes((19, 60), (14, 60)))
NOBODY = sexes((0, 100), (0, 100))


@pytest.mark.parametrize(("found", "outcome", "effects"), [
    # effects at severity block, review, warn, info
    (EQUAL, "pass", ("PASS", "PASS", "PASS", "PASS")),
    (FAR, "fail", ("BLOCK", "REVIEW", "PASS", "PASS")),
    (LEANING, "insufficient", ("REVIEW", "REVIEW", "PASS", "PASS")),
    (CHANCE, "insufficient", ("PASS", "PASS", "PASS", "PASS")),
    (NOBODY, "insufficient", ("REVIEW", "REVIEW", "PASS", "PASS")),
])
def test_outcome_times_severity(verdict: Judge, found: Evidence, outcome: str, effects: tuple[str, ...]) -> None:
    for severity, effect in zip(("block", "review", "warn", "info"), effects, strict=True):
        result = verdict(found, ratio(severity))
        assert (result.findings[0].outcome, result.findings[0].counts_as, result.outcome) == (outcome, effect, effect)


@pytest.mark.parametrize(("mode", "leaning", "chance"), [
    ("lean", "REVIEW", "PASS"), ("review", "REVIEW", "REVIEW"), ("block", "BLOCK", "BLOCK"),
    ("{desk: block, poc: block, team: lean, company: block}", "REVIEW", "PASS")])
def test_what_undecided_does(verdict: Judge, mode: str, leaning: str, chance: str) -> None:
    rules = ratio("review", f", insufficient: {mode}")
    assert (verdict(LEANING, rules).outcome, verdict(CHANCE, rules).outcome) == (leaning, chance)


def test_undecided_is_for_a_person_at_company_by_default_and_neutral_before(verdict: Judge) -> None:
    by_phase = {phase: verdict(CHANCE, ratio(), phase=phase) for phase in ("desk", "poc", "team", "company")}
    assert [v.outcome for v in by_phase.values()] == ["PASS", "PASS", "PASS", "REVIEW"]
    assert by_phase["team"].counts["not_settled"] == 1
    assert (by_phase["company"].counts["not_settled"], by_phase["company"].counts["review"]) == (0, 1)


@pytest.mark.parametrize(("phase", "severity", "outcome"), [
    ("desk", "info", "PASS"), ("poc", "warn", "PASS"), ("team", "review", "REVIEW"), ("company", "block", "BLOCK")])
def test_severity_by_phase(verdict: Judge, phase: str, severity: str, outcome: str) -> None:
    result = verdict(FAR, ratio("{desk: info, poc: warn, team: review, company: block}"), phase=phase)
    assert (result.findings[0].severity, result.outcome, result.counts[severity]) == (severity, outcome, 1)


def test_block_wins_over_review(verdict: Judge) -> None:
    rules = ratio() + "- {id: S, kind: smoke, title: t, basis: house, severity: block, checks: [smoke_finite]}\n"
    assert verdict(replace(FAR, smoke=smoke(smoke_finite=3.0)), rules).outcome == "BLOCK"


def test_a_family_makes_a_fail_harder_and_a_pass_no_harder(verdict: Judge) -> None:
    many = {f"f{i}": {"a": rate(400, 1000), "b": rate(273, 1000)} for i in range(12)}
    alone = verdict(evidence({"f0": many["f0"]}), ratio())
    family = verdict(evidence(many), ratio())
    for_itself = verdict(evidence(many), ratio(more=", family: rule"))
    first = [v.findings[0] for v in (alone, family, for_itself)]
    assert [f.outcome for f in first] == ["fail", "insufficient", "fail"]
    levels = [f.seen.level_fail for f in first if f.seen]
    assert levels == pytest.approx([0.025, 0.025 / 12, 0.025])
    assert all(f.seen and f.seen.level_pass == 0.05 for f in first)
    # Rules that do not bind at this phase, and rules decided by points, do not count in the family.
    extra = "".join(ratio(s, m).replace("id: R", f"id: {i}")
                    for i, (s, m) in {"A": ("warn", ""), "B": ("review", ", decide: point")}.items())
    seen = verdict(evidence({"f0": many["f0"]}), ratio() + extra).findings[0].seen
    assert seen and seen.level_fail == pytest.approx(0.025)


def test_each_policy_is_a_family_of_its_own(verdict: Judge, house: Callable[..., Policy]) -> None:
    one, other = house(ratio()), house(ratio() + ratio().replace("id: R", "id: Q"), name="other")
    result = verdict(FAR, policies=[one, other])
    levels = {(f.policy, f.rule): f.seen.level_fail for f in result.findings if f.seen}
    assert levels == pytest.approx({("house", "R"): 0.025, ("other", "R"): 0.0125, ("other", "Q"): 0.0125})


def test_equal_findings_of_two_policies_are_shown_once(verdict: Judge, house: Callable[..., Policy]) -> None:
    house("- {id: B, kind: support, title: t, basis: house, severity: review}\n", name="base")
    one = house("", "extends: [base.yaml]\n", name="one")
    two = house("", "extends: [base.yaml]\n", name="two")
    result = verdict(EQUAL, policies=[one, two, one])
    assert [p.name for p in result.policies] == ["one", "two"]
    assert [(f.policy, f.rule, f.file) for f in result.findings] == [("one", "B", "base.yaml")]
    with pytest.raises(InputError, match='two policies have the name "one"'):
        verdict(EQUAL, policies=[one, house(ratio(), name="one")])


def test_nothing_evaluated_is_for_a_person(verdict: Judge) -> None:
    only = "- {id: C, kind: compute, title: t, basis: house, severity: block, metric: latency_p95_ms, max: 5}\n"
    result = verdict(EQUAL, only)
    assert (result.outcome, int(result.exit_code)) == ("REVIEW", 3) and "no rule was evaluated" in result.notes[0]
    assert [n.reason for n in result.not_assessed] == ["compute was not measured"]


@pytest.mark.parametrize(("absent", "outcome", "effect"), [
    ("n/a", "n/a", "PASS"), ("review", "not_run", "REVIEW"), ("fail", "fail", "BLOCK"),
    ("{desk: n/a, poc: n/a, team: review, company: fail}", "not_run", "REVIEW")])
def test_absent_input(verdict: Judge, absent: str, outcome: str, effect: str) -> None:
    rules = ("- {id: C, kind: compute, title: t, basis: house, severity: block, metric: latency_p95_ms, max: 5, "
             f"absent: {absent}}}\n- {{id: S, kind: support, title: t, basis: house, severity: review}}\n")
    result = verdict(EQUAL, rules)
    assert (result.findings[0].outcome, result.outcome) == (outcome, effect)


def test_not_run_on_a_binding_rule_is_for_a_person(verdict: Judge) -> None:
    for severity, effect in (("block", "REVIEW"), ("review", "REVIEW"), ("warn", "PASS")):
        rules = (f"- {{id: S, kind: smoke, title: t, basis: house, severity: {severity}, checks: [smoke_batch]}}\n"
                 "- {id: T, kind: support, title: t, basis: house, severity: review}\n")
        result = verdict(replace(EQUAL, smoke=smoke(smoke_batch=None)), rules)
        assert (result.findings[0].outcome, result.outcome) == ("not_run", effect)


def test_the_verdict_is_a_document(verdict: Judge) -> None:
    result = verdict(FAR, ratio())
    assert decode(Verdict, encode(result)) == result
    assert document(result) == document(verdict(FAR, ratio()))
    assert result.decided_on == "2026-11-22" and result.judged == {"evidence": "e" * 64}


def test_documents_that_do_not_belong_together(verdict: Judge) -> None:
    with pytest.raises(InputError, match="other evidence"):
        verdict(EQUAL, ratio(), compute=replace(compute(latency_p95_ms=1.0), evidence_sha256="f" * 64))
    torn = replace(EQUAL, counts=(replace(EQUAL.counts[0], tp=7), *EQUAL.counts[1:]))
    with pytest.raises(InputError, match="counts of group overall contradict"):
        verdict(torn, ratio())
    with pytest.raises(InputError, match="no counts over all rows"):
        verdict(replace(EQUAL, counts=EQUAL.counts[1:]), ratio())


def test_a_pass_is_reached_with_model_data_target_and_sensitive_columns_alone(verdict: Judge) -> None:
    from govern.policy.packs import load_policy

    baseline = load_policy("baseline")
    plain = replace(pack_pass(), declared={}, card={}, settings={}, data=DataFacts(), measurements=tuple(
        m for m in pack_pass().measurements if m.metric != "train_overlap_share" and m.reference != "trivial"))
    result = verdict(plain, policies=[baseline])
    assert result.outcome == "PASS" and {f.rule for f in result.findings if f.outcome == "n/a"} == {
        "BASE-02", "BASE-04", "BASE-05", "BASE-06", "BASE-10", "BASE-13", "BASE-15", "BASE-16", "BASE-17"}
    without = replace(plain, groups=plain.groups[:1], counts=plain.counts[:1])
    assert verdict(without, policies=[baseline]).outcome == "REVIEW"
    assert verdict(replace(plain, smoke=smoke(smoke_constant=1.0)), policies=[baseline]).outcome == "REVIEW"
    labels_only = replace(plain, measurements=(), smoke=smoke(smoke_probability=None))
    assert verdict(labels_only, policies=[baseline]).outcome == "PASS"
    stored = replace(labels_only, model=None, smoke=smoke()[-1:])
    assert verdict(stored, policies=[baseline]).outcome == "PASS"
    assert verdict(replace(plain, card=CARD), policies=[baseline], phase="company").outcome == "PASS"
    assert verdict(plain, policies=[baseline], phase="company").outcome == "BLOCK"


def test_leaving_the_score_out_is_not_a_way_around_the_declared_limit(verdict: Judge) -> None:
    rules = ("- {id: P, kind: bound, title: t, basis: house, severity: block, metric: primary, min: declared}\n")
    found = replace(EQUAL, declared={"primary": {"metric": "roc_auc", "min": 0.75}})
    for measured in (found, replace(found, measurements=(score("brier_score", 0.2, 0.01),))):
        result = verdict(measured, rules)
        assert (result.findings[0].outcome, result.outcome) == ("not_run", "REVIEW")

