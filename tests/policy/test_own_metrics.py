"""Metrics of the user's own in rules: what may be named, how they are judged, and what was not measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from policy_evidence import evidence, rate, score
from scipy.stats import norm
from task_evidence import multiclass, regression, swept

from govern.errors import InputError
from govern.evidence import Evidence, Measurement
from govern.metrics import METRICS, of, own
from govern.policy.schema import Policy
from govern.verdict import Finding, Verdict

Judge = Callable[..., Verdict]
Write = Callable[..., Policy]
COST = {"cost": {"function": "mine:cost", "better": "lower", "low": 0.0, "high": None}}
GROUPS = {"sex": {"men": rate(300, 1000), "women": rate(300, 1000)}}


def measured(*scores: Measurement, named: Any = COST, **changes: Any) -> Evidence:
    return evidence(GROUPS, scores=scores, settings={"model": {"name": "m"}, "data": {"metrics": named}}, **changes)


def costs(men: float, women: float, se: float = 0.1) -> tuple[Measurement, ...]:
    return (score("cost", (men + women) / 2, se), score("cost", men, se, group="g1"),
            score("cost", women, se, group="g2"))


def failed(group: str) -> Measurement:
    return Measurement("cost", None, "error", "the function raised ZeroDivisionError", group)


FOUND = measured(*costs(3.0, 3.0))


def rule(kind: str = "bound", **fields: str) -> str:
    given = {"id": "R", "kind": kind, "title": "t", "basis": "house", "severity": "block", "metric": "cost", **fields}
    return "- {" + ", ".join(f"{k}: {v}" for k, v in given.items()) + "}\n"


def gap(**fields: str) -> str:
    return rule("disparity", **({"compare": "difference", "against": "any", "max": "1"} | fields))


@pytest.fixture
def judged(house: Write, verdict: Judge) -> Callable[..., Finding]:
    """The one finding of a rule, read with the metrics that the evidence (or `known`) names."""

    def make(found: Evidence, rules: str, known: Any = None) -> Finding:
        result = verdict(found, policies=[house(rules, known=known or found.settings)])
        assert len(result.findings) == 1
        return result.findings[0]

    return make


def test_a_bound_is_judged_by_the_interval_of_the_standard_error(judged: Callable[..., Finding]) -> None:
    passed = judged(FOUND, rule(max="3.2"))
    assert passed.outcome == "pass" and passed.metric == "cost"
    assert passed.seen and passed.seen.high == pytest.approx(3 + 0.1 * norm.isf(0.05))
    assert judged(FOUND, rule(max="2.8")).outcome == "fail"
    assert judged(FOUND, rule(max="3.1")).outcome == "insufficient"
    by = judged(measured(*costs(3.0, 4.0)), rule(max="3.5", by="[sex]"))
    assert by.outcome == "fail" and by.seen and by.seen.group == "g2"


def test_a_difference_between_groups_is_judged(judged: Callable[..., Finding]) -> None:
    assert judged(FOUND, gap()).outcome == "pass"
    apart = judged(measured(*costs(3.0, 5.0)), gap())
    assert apart.outcome == "fail" and apart.seen and apart.seen.value == pytest.approx(2)
    # Lower is better: the best group is the cheap one, and the other costs more than it may.
    best = judged(measured(*costs(5.0, 3.0)), gap(against="best"))
    assert best.outcome == "fail" and best.seen and (best.seen.group, best.seen.reference) == ("g1", "g2")
    named = judged(measured(*costs(5.0, 3.0)), gap(against="{group: women}"))
    assert named.seen and named.seen.value == pytest.approx(2)


@pytest.mark.parametrize("found", [
    multiclass({"a": [[90, 10], [10, 90]], "b": [[90, 10], [10, 90]]}, ("cat", "dog"), metrics=COST),
    replace(regression({"a": (500, 250, 0.0), "b": (500, 250, 0.0)}), settings={"data": {"metrics": COST}}),
], ids=["multiclass", "regression"])
def test_every_task_has_them(judged: Callable[..., Finding], found: Evidence) -> None:
    found = replace(found, measurements=(*found.measurements, *costs(3.0, 3.0)))
    finding = judged(found, gap())
    assert (finding.outcome, finding.label) == ("pass", None)
    assert judged(found, rule(max="3.2")).outcome == "pass"


def test_what_was_not_measured_or_failed_is_not_run_and_says_why(judged: Callable[..., Finding]) -> None:
    for text in (rule(max="3"), gap()):
        # The name is known to a config, the evidence was measured without it; then named there, without a number.
        for found in (measured(named={}), measured()):
            finding = judged(found, text, {"data": {"metrics": COST}})
            assert (finding.outcome, finding.reason) == ("not_run", "cost was not measured")
            assert finding.counts_as == "REVIEW"
    everyone = judged(measured(failed("overall")), rule(max="3"))
    assert everyone.outcome == "not_run"
    assert everyone.reason == "cost of everyone: the function raised ZeroDivisionError"
    one = measured(*costs(3.0, 3.0)[:2], failed("g2"))
    for text in (rule(max="9", by="[sex]"), gap()):
        finding = judged(one, text)
        assert finding.outcome == "not_run" and finding.reason and finding.reason.startswith("cost of women: the")
    assert judged(one, rule(max="9")).outcome == "pass"  # everyone's number is there


def test_a_failure_in_a_group_too_small_to_count_does_not_hold_up_a_pass(judged: Callable[..., Finding]) -> None:
    three = {"sex": {"men": rate(300, 1000), "women": rate(300, 1000), "other": rate(1, 5)}}
    found = evidence(three, scores=(*costs(3.0, 3.0), failed("g3")), settings={"data": {"metrics": COST}})
    assert judged(found, rule(max="9", by="[sex]")).outcome == "pass"
    finding = judged(found, gap(against="largest"))
    assert finding.outcome == "pass"
    assert [c.reason for c in finding.comparisons if c.group == "g3"] == ["the function raised ZeroDivisionError"]


def test_too_few_rows_for_a_bootstrap_are_not_enough_data(judged: Callable[..., Finding]) -> None:
    few = Measurement("cost", 3.0, "too_few", "a bootstrap needs 30 rows, here are 20")
    finding = judged(measured(few), rule(max="9"))
    assert (finding.outcome, finding.reason) == ("insufficient", "a bootstrap needs 30 rows, here are 20")


def test_the_rest_is_not_measured(judged: Callable[..., Finding]) -> None:
    finding = judged(FOUND, gap(against="overall"))
    assert finding.outcome == "not_run" and finding.reason
    assert finding.reason.startswith("cost of all rows outside a group is not measured")


@pytest.mark.parametrize(("text", "said"), [
    (rule(metric="csot", max="3"), 'R: "metric": unknown metric "csot"; did you mean "cost"?'),
    (rule(metric="[accuracy, csot]", max="1"), 'did you mean "cost"?'),
    (rule(max="-1"), "limit -1 lies outside the range from 0; write shares as fractions"),
    (gap(compare="ratio").replace("max: 1", "min: 0.8"), "cost is compared by difference only"),
    (rule("compute", max="3"), "kind compute does not judge the custom metric cost"),
    (gap(metric="plain", against="best"), "better side of plain; write better: higher or better: lower"),
])
def test_names_and_limits_are_checked_with_their_place(house: Write, text: str, said: str) -> None:
    known = {"data": {"metrics": COST | {"plain": {"function": "mine:plain"}}}}
    with pytest.raises(InputError) as refused:
        house(text, known=known)
    line = refused.value.one_line()
    assert said in line and line.startswith("house.yaml:8:") and "\n" not in line


def test_without_the_config_the_name_is_unknown_also_in_overrides(house: Write) -> None:
    with pytest.raises(InputError, match='unknown metric "cost"'):
        house(rule(max="3"))
    change = "- {id: BASE-04, override: {metric: cost}, reason: it is what the owner pays}\n"
    with pytest.raises(InputError, match='unknown metric "cost"'):
        house(change, "extends: [baseline]\n")
    policy = house(change, "extends: [baseline]\n", known=FOUND.settings)
    assert next(r for r in policy.rules if r.id == "BASE-04").fields.metric == "cost"


def test_it_may_be_the_declared_primary_metric(judged: Callable[..., Finding]) -> None:
    found = measured(*costs(3.0, 3.0), declared={"primary": {"metric": "cost", "max": 3.5}})
    limit = judged(found, rule(metric="primary", min="declared", max="declared"))
    assert (limit.outcome, limit.metric, limit.bound_max) == ("pass", "cost", "3.5")
    # −0.05 of what? The limit of a shared policy was not written for a metric on its own scale.
    scaled = judged(found, gap(metric="primary", against="largest").replace("max: 1", "min: -0.05"))
    assert scaled.outcome == "n/a" and scaled.reason == "cost is on a scale of its own, for which the limit was not " \
                                                        "written"
    share = {"cost": {"function": "mine:cost", "better": "lower", "low": 0, "high": 1}}
    far = measured(*costs(0.2, 0.5, 0.02), named=share, declared={"primary": {"metric": "cost", "max": 0.9}})
    # Women cost 0.3 more, and less is better: 0.3 worse.
    worse = judged(far, gap(metric="primary", against="largest").replace("max: 1", "min: -0.05"))
    assert worse.outcome == "fail" and worse.seen and worse.seen.group == "g2"


def test_a_declared_primary_metric_nobody_knows_is_an_error(judged: Callable[..., Finding]) -> None:
    found = measured(*costs(3.0, 3.0), declared={"primary": {"metric": "csot", "max": 3.5}})
    with pytest.raises(InputError, match=r'declared primary metric "csot" is not a metric.*did you mean "cost"'):
        judged(found, rule(metric="primary", max="declared"))


def test_the_sweep_says_that_it_leaves_them_out(verdict: Judge, house: Write) -> None:
    people = [(i % 3 == 0, (i % 100) / 100) for i in range(900)]
    plain = swept({"a": people, "b": people}, [0.25, 0.5, 0.75], 0.5)
    settings = {**plain.settings, "data": {**plain.settings["data"], "metrics": COST}}
    found = replace(plain, settings=settings, measurements=costs(3.0, 3.0))
    rules = rule(max="3.5") + rule(id="S", metric="selection_rate", min="0.2")
    result = verdict(found, policies=[house(rules, known=settings)])
    assert result.sweep is not None and [q.rule for q in result.sweep.questions] == ["S"]
    assert "left out: R, cost is a function of the user's own, measured at the threshold in force alone" \
        in result.sweep.notes


@pytest.mark.parametrize("named", [None, [], "cost", {"cost": None}, {"cost": {"better": "bigger"}},
                                   {"cost": {"low": "0"}}, {"cost": {"high": True}}, {"accuracy": {"better": "lower"}}])
def test_settings_that_describe_no_metric_name_none(named: Any) -> None:
    assert own({"data": {"metrics": named}}) == {} == own({"data": None}) == own({})
    assert of("accuracy", {"data": {"metrics": named}}) is METRICS["accuracy"]


def test_a_described_metric_has_its_side_and_range() -> None:
    row = own(FOUND.settings)["cost"]
    assert (row.family, row.better, row.low, row.high, row.title) == ("custom", "lower", 0.0, None, "cost")
    assert of("cost", FOUND.settings) == row
    with pytest.raises(KeyError):
        of("other", FOUND.settings)
