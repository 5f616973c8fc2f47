"""What the explanation of the model must show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from policy_evidence import evidence, rate, score
from task_evidence import multiclass

from govern.errors import InputError
from govern.evidence import Evidence, Measurement
from govern.explanations import Attributions, Explanation, Gap, Proxy, ReasonCodes
from govern.verdict import Finding, Verdict

Judge = Callable[..., Verdict]
MADE = Attributions("linear", "log-odds", 500, 100, "rows of the data", 0, 0.1, 1e-9, True)


def rule(**fields: str) -> str:
    given = {"id": "E", "kind": "explanation", "title": "t", "basis": "house", "severity": "review"} | fields
    return "- {" + ", ".join(f"{k}: {v}" for k, v in given.items()) + "}\n"


def only(result: Verdict) -> Finding:
    assert len(result.findings) == 1
    return result.findings[0]


def explained(ranked: dict[str, float | None], *more: Measurement, **changes: Any) -> Evidence:
    """Features by falling contribution, with their directions."""
    made = []
    for place, (name, direction) in enumerate(ranked.items(), 1):
        made.append(Measurement("attribution_rank", float(place), slice=f"column: {name}"))
        made.append(Measurement("attribution_direction", direction, "ok" if direction is not None else "undefined",
                                None if direction is not None else "not a number", slice=f"column: {name}"))
    scores = (score("roc_auc", 0.8, 0.1, transform="logit"), *made, *more)
    features = {"sex": {"men": rate(300, 600), "women": rate(200, 400)}}
    return evidence(features, scores=scores, attributions=MADE, **changes)


FOUND = explained({"income": 0.8, "sex_code": None, "debt": -0.7, "age": 0.1},
                  settings={"model": {"name": "m"}, "data": {"sensitive": [
                      {"sex": {"column": "sex_code", "levels": {}, "unknown": []}}, "age", "sex:age"]}})


@pytest.mark.parametrize(("top", "features", "outcome", "seen"), [
    ("2", "sensitive", "fail", "sex_code"), ("1", "sensitive", "pass", "sex_code"), ("3", "[age]", "pass", "age"),
    ("4", "[age]", "fail", "age"), ("3", "[age, debt]", "fail", "debt")])
def test_what_must_not_lead(verdict: Judge, top: str, features: str, outcome: str, seen: str) -> None:
    finding = only(verdict(FOUND, rule(top=top, features=features)))
    assert (finding.outcome, finding.metric, finding.bound_min) == (outcome, "attribution_rank", str(int(top) + 1))
    assert finding.seen and finding.seen.group == seen and finding.seen in finding.comparisons


def test_features_the_model_does_not_have(verdict: Judge) -> None:
    other = only(verdict(FOUND, rule(top="2", features="[race, age]")))
    assert (other.outcome, other.reason) == ("pass", "not a feature of the model: race")
    none = only(verdict(FOUND, rule(top="2", features="[race]")))
    assert (none.outcome, none.metric, none.reason) == ("pass", None, "not a feature of the model: race")
    # A name that shared policies use is none other's slip.
    wages = explained({"wage": 0.5})
    assert only(verdict(wages, rule(top="2", features="[age]"))).outcome == "pass"
    with pytest.raises(InputError, match=r'house.yaml:8:\d+: E: features: "incme" .*did you mean "income"'):
        verdict(FOUND, rule(top="2", features="[incme]"))
    with pytest.raises(InputError, match=r'signs: "incme" is not a feature of the model'):
        verdict(FOUND, rule(signs="{incme: rises}"))
    alone = replace(FOUND, settings={"model": {"name": "m"}})
    assert only(verdict(alone, rule(top="2", features="sensitive"))).reason == "no sensitive feature was given"


@pytest.mark.parametrize(("signs", "outcome", "seen", "reason"), [
    ("{income: rises, debt: falls}", "pass", "debt", None),
    ("{income: falls, debt: falls}", "fail", "income", "income: rises, expected: falls"),
    ("{income: falls, debt: rises}", "fail", "income", "income: rises, expected: falls; debt: falls, expected: rises"),
    ("{income: rises, age: rises}", "insufficient", "age", "age: no clear direction, expected: rises"),
    ("{sex_code: rises}", "insufficient", "sex_code", "sex_code: it is no number, or constant, expected: rises"),
    ("{income: rises, region: rises}", "pass", "income", "not a feature of the model: region"),
    ("{region: rises}", "n/a", None, "not a feature of the model: region")])
def test_directions(verdict: Judge, signs: str, outcome: str, seen: str | None, reason: str | None) -> None:
    finding = only(verdict(FOUND, rule(signs=signs)))
    assert (finding.outcome, finding.reason) == (outcome, reason)
    assert (finding.seen.group if finding.seen else None) == seen
    if finding.seen:
        assert finding.seen.n == 500


def test_an_unclear_direction_is_neutral_and_an_unknown_one_for_a_person(verdict: Judge) -> None:
    assert only(verdict(FOUND, rule(signs="{age: rises}"))).counts_as == "PASS"
    assert only(verdict(FOUND, rule(signs="{sex_code: rises}"))).counts_as == "REVIEW"


def test_numbers_of_the_explanation(verdict: Judge) -> None:
    residual = rule(metric="attribution_residual", max="0.001")
    for value, outcome in ((1e-9, "pass"), (0.001, "pass"), (0.002, "fail")):
        finding = only(verdict(explained({"x": 0.1}, Measurement("attribution_residual", value)), residual))
        assert (finding.outcome, finding.bound_max) == (outcome, "0.001")
    undefined = Measurement("attribution_residual", None, "undefined", "the output is constant")
    assert only(verdict(explained({"x": 0.1}, undefined), residual)).reason == (
        "additivity residual: the output is constant")
    proxies = explained({"x": 0.1}, Measurement("proxy_auc", 0.9, features=("sex",)),
                        Measurement("proxy_auc", 0.6, features=("age",)))
    found = verdict(proxies, rule(metric="proxy_auc", max="0.8")).findings
    assert [(f.features, f.outcome) for f in found] == [(("sex",), "fail"), (("age",), "pass")]


def test_the_columns_that_reveal_most_are_named(verdict: Judge) -> None:
    columns = {"job": 0.71, "age_code": 0.93, "city": 0.64, "noise": 0.51}
    proxies = explained({"x": 0.1}, Measurement("proxy_auc", 0.95, features=("age",)),
                        *(Measurement("proxy_auc", v, features=("age",), slice=f"column: {c}")
                          for c, v in columns.items()))
    finding = only(verdict(proxies, rule(metric="proxy_auc", max="0.8")))
    assert (finding.outcome, finding.features) == ("fail", ("age",))
    assert finding.reason == "most revealing: age_code 0.93, job 0.71, city 0.64"
    assert [c.group for c in finding.comparisons] == ["overall"]


def test_shares_of_gaps_by_sensitive_feature(verdict: Judge) -> None:
    def share(value: float, column: str) -> Measurement:
        return Measurement("gap_share", value, group="g1", reference="g2", slice=f"column: {column}")

    found = explained({"x": 0.1}, share(0.72, "debt"), share(0.3, "income"))
    finding = only(verdict(found, rule(metric="gap_share", max="0.5")))
    assert (finding.outcome, finding.features, finding.reason) == ("fail", ("sex",), "mostly through debt")
    assert [(c.group, c.reference, c.outcome, c.reason) for c in finding.comparisons] == [
        ("g1", "g2", "fail", "mostly through debt"), ("g1", "g2", "pass", "mostly through income")]
    assert only(verdict(found, rule(metric="gap_share", max="0.8"))).outcome == "pass"


def test_steps_against_a_direction_by_column(verdict: Judge) -> None:
    def steps(column: str, x: int | None) -> Measurement:
        what = f"column: {column}"
        return Measurement("shape_violation_share", None, "undefined", "it holds no numbers", slice=what) \
            if x is None else Measurement("shape_violation_share", x / 1000, numerator=x, denominator=1000, slice=what)

    finding = only(verdict(explained({"x": 0.1}, steps("debt", 10), steps("income", 0), steps("kind", None)),
                           rule(metric="shape_violation_share", max="0.01")))
    assert (finding.outcome, finding.reason) == ("pass", "kind: it holds no numbers")  # 10 of 1,000 are 1 %
    assert finding.seen and (finding.seen.group, finding.seen.numerator, finding.seen.n) == ("debt", 10, 1000)
    worse = only(verdict(explained({"x": 0.1}, steps("debt", 11), steps("income", 0)),
                         rule(metric="shape_violation_share", max="0.01")))
    assert worse.outcome == "fail" and worse.settle and worse.settle.gap == pytest.approx(0.001)
    unknown = only(verdict(explained({"x": 0.1}, steps("kind", None)),
                           rule(metric="shape_violation_share", max="0.01")))
    assert (unknown.outcome, unknown.reason) == ("not_run", "steps against the expected direction: it holds no numbers")


@pytest.mark.parametrize(("metric", "limit", "value", "outcome"), [
    ("reason_coverage", {"min": "1"}, (99, 100), "fail"), ("reason_coverage", {"min": "1"}, (100, 100), "pass"),
    ("reason_dropped_share", {"max": "0"}, (1, 100), "fail"), ("reason_agreement", {"min": "0.75"}, (3, 4), "pass"),
    ("reason_agreement", {"min": "0.75"}, (74, 100), "fail")])
def test_reasons_of_adverse_decisions(verdict: Judge, metric: str, limit: dict[str, str], value: tuple[int, int],
                                      outcome: str) -> None:
    counts = {} if metric == "reason_agreement" else {"numerator": value[0], "denominator": value[1]}
    found = explained({"x": 0.1}, Measurement(metric, value[0] / value[1], **counts))
    assert only(verdict(found, rule(metric=metric, **limit))).outcome == outcome


def proxied(*listed: str) -> Evidence:
    """FOUND with proxies looked for, of which some are used and revealing; the features it has besides are not."""
    known = [Proxy("sex", None, 0.9, 0.8, 0.95, 0.95, 500, "m"),
             *(Proxy("sex", c, 0.6 + i / 10, None, None, 0.95, 500, "m", listed=c in listed)
               for i, c in enumerate(("income", "age", "debt")))]
    return replace(FOUND, explanation=Explanation(proxies=tuple(known)))


@pytest.mark.parametrize(("found", "outcome", "seen", "reason"), [
    (proxied("debt", "age"), "fail", "debt", None), (proxied("age"), "pass", "age", None),
    (proxied(), "pass", None, "no feature that the model uses reveals a sensitive one"),
    (FOUND, "n/a", None, "proxies were not looked for"),
    (replace(FOUND, settings={"model": {"name": "m"}}), "n/a", None, "no sensitive feature was given")])
def test_proxies_must_not_lead(verdict: Judge, found: Evidence, outcome: str, seen: str | None, reason: str | None
                               ) -> None:
    finding = only(verdict(found, rule(top="3", features="proxies")))
    assert (finding.outcome, finding.reason, finding.seen.group if finding.seen else None) == (outcome, reason, seen)


def test_directions_that_the_owner_declared(verdict: Judge) -> None:
    def declared(**directions: str) -> Evidence:
        return replace(FOUND, settings={**FOUND.settings, "explain": {"directions": directions}})

    signs = rule(signs="declared")
    assert only(verdict(declared(income="rises", debt="falls"), signs)).outcome == "pass"
    assert only(verdict(declared(income="falls"), signs)).reason == "income: rises, expected: falls"
    for found in (FOUND, declared()):
        finding = only(verdict(found, signs))
        assert (finding.outcome, finding.reason) == ("n/a", "no explain.directions were given")


GAP = Gap("output", "m", "g1", "g2", 500, 500, 0.1, -0.1, 0.3, 0.95, ())


@pytest.mark.parametrize(("metric", "known", "explain", "outcome", "reason"), [
    ("reason_coverage", Explanation(), {}, "n/a", "no explain.reasons were given"),
    ("reason_coverage", Explanation(), {"reasons": {"x": "High"}}, "n/a",
     "no decision among the explained rows is adverse"),
    ("reason_dropped_share", Explanation(), {"prohibited": []}, "n/a", "no explain.prohibited were given"),
    ("shape_violation_share", Explanation(), {}, "n/a", "no explain.directions were given"),
    ("shape_violation_share", None, {"directions": {"x": "rises"}}, "not_run",
     "steps against the expected direction was not measured"),
    ("reason_agreement", Explanation(reason_codes=ReasonCodes("m", "all", 3, 0, 4)), {}, "not_run",
     "agreement of reasons with a direct method was not measured"),
    ("gap_share", Explanation(), {}, "n/a", "no two groups were explained"),
    ("gap_share", Explanation(gaps=(GAP,)), {}, "n/a", "no gap in the mean output is beyond chance"),
    ("gap_share", None, {}, "not_run", "share of a gap through one feature was not measured")])
def test_numbers_that_are_not_there(verdict: Judge, metric: str, known: Explanation | None, explain: dict[str, Any],
                                    outcome: str, reason: str) -> None:
    found = replace(FOUND, explanation=known, settings={**FOUND.settings, "explain": explain})
    finding = only(verdict(found, rule(metric=metric, max="0.5")))
    assert (finding.outcome, finding.reason) == (outcome, reason)


@pytest.mark.parametrize("metric", ["proxy_auc", "gap_share"])
def test_without_sensitive_features(verdict: Judge, metric: str) -> None:
    found = replace(FOUND, settings={"model": {"name": "m"}})
    assert only(verdict(found, rule(metric=metric, max="0.5"))).reason == "no sensitive feature was given"


@pytest.mark.parametrize(("found", "outcome", "reason"), [
    (replace(FOUND, measurements=(), model=None, attributions=None), "n/a",
     "predictions only, there is no model to explain"),
    (replace(FOUND, measurements=(), attributions=None), "n/a",
     "the model gives labels only, which have no contributions"),
    (replace(FOUND, measurements=FOUND.measurements[:1], attributions=None), "not_run",
     "direction of a contribution was not measured"),
    (multiclass({"a": [[5, 5], [5, 5]]}, ("cat", "dog")), "n/a", "the model of a multiclass task was not explained")])
def test_models_that_were_not_explained(verdict: Judge, found: Evidence, outcome: str, reason: str) -> None:
    finding = only(verdict(found, rule(signs="{income: rises}")))
    assert (finding.outcome, finding.reason) == (outcome, reason)


@pytest.mark.parametrize(("fields", "said"), [
    ({}, "exactly one of metric, top and signs, not none"),
    ({"metric": "attribution_residual", "max": "1", "signs": "{a: rises}"}, "not metric and signs; write a"),
    ({"metric": "attribution_residual"}, "needs min or max"), ({"top": "3"}, "top and features belong together"),
    ({"signs": "{a: rises}", "features": "[a]"}, "top and features belong together"),
    ({"signs": "{a: up}"}, "rises, falls"), ({"signs": "{}"}, "names no feature"),
    ({"signs": "{a: rises}", "max": "1"}, "is for metric; remove it from a rule with signs"),
    ({"top": "0", "features": "[a]"}, '"top"'),
    ({"top": "3", "features": "[]"}, "names no feature"), ({"top": "3", "features": "all"}, '"features" must be'),
    ({"metric": "attribution_rank", "max": "1"}, "kind explanation does not judge the explanation metric"),
    ({"metric": "proxy_auc", "max": "0.4"}, "range from 0.5 to 1")])
def test_refused(verdict: Judge, fields: dict[str, str], said: str) -> None:
    with pytest.raises(InputError) as refused:
        verdict(FOUND, rule(**fields))
    assert said in refused.value.one_line()
