"""What the rows themselves are like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from policy_evidence import evidence, rate, score
from task_evidence import regression

from govern.dataset import Column, DataFacts
from govern.errors import InputError
from govern.evidence import Evidence, Measurement
from govern.verdict import Finding, Verdict

Judge = Callable[..., Verdict]


def rule(**fields: str) -> str:
    given = {"id": "D", "kind": "data", "title": "t", "basis": "house", "severity": "review"} | fields
    return "- {" + ", ".join(f"{k}: {v}" for k, v in given.items()) + "}\n"


def only(result: Verdict) -> Finding:
    assert len(result.findings) == 1
    return result.findings[0]


def share(metric: str, x: int, n: int, **more: Any) -> Measurement:
    return Measurement(metric, x / n, numerator=x, denominator=n, **more)


def column(metric: str, name: str, x: int, n: int = 1000, **more: Any) -> Measurement:
    return share(metric, x, n, slice=f"column: {name}", **more)


SEXES = {"sex": {"men": rate(300, 600), "women": rate(200, 400), None: rate(5, 10)}}


def rows(*measured: Measurement, **data: Any) -> Evidence:
    facts = DataFacts(tuple(Column(name, "feature", "number", 0, 10) for name in ("age", "income", "city")))
    return evidence(SEXES, scores=measured, data=facts, settings={"model": {"name": "m"}, "data": data})


MISSING = rows(column("missing_share", "age", 0), column("missing_share", "income", 68),
               column("missing_share", "city", 50), column("missing_share", "income", 400, split="train"))


def test_the_worst_column_decides_and_all_are_listed(verdict: Judge) -> None:
    finding = only(verdict(MISSING, rule(metric="missing_share", max="0.05")))
    assert (finding.outcome, finding.decide, finding.bound_max) == ("fail", "point", "0.05")
    assert [(c.group, c.numerator, c.n, c.outcome) for c in finding.comparisons] == [
        ("age", 0, 1000, "pass"), ("income", 68, 1000, "fail"), ("city", 50, 1000, "pass")]
    assert finding.seen == finding.comparisons[1] and finding.settle
    assert finding.settle.text == "18 values of income would have to be mended."
    assert finding.settle.gap == pytest.approx(0.018)


def test_columns_narrow_it(verdict: Judge) -> None:
    two = only(verdict(MISSING, rule(metric="missing_share", max="0.05", columns="[city, age]")))
    assert two.outcome == "pass" and [c.group for c in two.comparisons] == ["city", "age"]
    with pytest.raises(InputError, match=r'columns: "incme" is not a column of the data; did you mean "income"'):
        verdict(MISSING, rule(metric="missing_share", max="0.05", columns="[incme]"))
    lacking = rule(metric="missing_share", max="0.05", columns="[age, postcode]", absent="fail")
    found = verdict(MISSING, lacking).findings
    assert [(f.outcome, f.reason) for f in found] == [("pass", None), ("fail", "column postcode is not in the data")]


def test_the_training_rows(verdict: Judge) -> None:
    train = rule(metric="missing_share", max="0.05", split="train")
    finding = only(verdict(MISSING, train))
    assert finding.outcome == "fail" and [c.group for c in finding.comparisons] == ["income"]
    without = rows(*MISSING.measurements[:3])
    assert [(f.outcome, f.reason) for f in verdict(without, train).findings] == [("n/a", "no --train was given")]
    lost = rows(*MISSING.measurements[:3], train="train.csv")
    assert only(verdict(lost, train)).outcome == "not_run"


@pytest.mark.parametrize(("x", "n", "limit", "outcome", "removed"), [
    (50, 1000, "0.05", "pass", None), (51, 1000, "0.05", "fail", 2), (70, 1000, "0.01", "fail", 61),
    (1, 1000, "0", "fail", 1), (7, 140, "0.05", "pass", None)])
def test_repeated_rows_in_whole_numbers(verdict: Judge, x: int, n: int, limit: str, outcome: str,
                                        removed: int | None) -> None:
    finding = only(verdict(rows(share("duplicate_share", x, n)), rule(metric="duplicate_share", max=limit)))
    assert finding.outcome == outcome
    if removed is not None:
        assert finding.settle and finding.settle.text == f"Without {removed} of these rows it would be met."
        assert Fraction(x - removed, n - removed) <= Fraction(limit) < Fraction(x - removed + 1, n - removed + 1)


def test_cases_that_must_be_there(verdict: Judge) -> None:
    def case(name: str, n: int, **more: Any) -> Measurement:
        return Measurement("case_rows", float(n), slice=f"case: {name}", **more)

    found = rows(case("sex=women, age=26–35", 18), case("sex=men, age=26–35", 300),
                 case("sex=women, age=26–35", 90, split="train"), cases=[{}], train="t.csv")
    finding = only(verdict(found, rule(metric="case_rows", min="30")))
    assert finding.outcome == "fail" and finding.seen and finding.seen.group == "sex=women, age=26–35"
    assert finding.settle and finding.settle.text == "12 more rows of sex=women, age=26–35 would meet it."
    assert only(verdict(found, rule(metric="case_rows", min="30", split="train"))).outcome == "pass"


def test_pairs_of_values(verdict: Judge) -> None:
    found = rows(share("pair_coverage", 57, 64, slice="pairs: age, city, income"), pairs=["age", "city", "income"])
    finding = only(verdict(found, rule(metric="pair_coverage", min="0.9")))
    assert finding.outcome == "fail" and finding.seen and finding.seen.group == "age, city, income"
    assert finding.settle and finding.settle.text == "1 more pair would have to occur."


def test_groups_by_their_shares(verdict: Judge) -> None:
    found = rows(*(share("group_share", n, 1010, group=g) for g, n in (("g1", 600), ("g2", 400), ("g3", 10))),
                 *(Measurement("group_share_gap", gap, group=g, numerator=n, denominator=1010, se=0.01)
                   for g, gap, n in (("g1", 0.08, 600), ("g2", 0.02, 400))),
                 Measurement("group_share_stability", 0.04, features=("sex",)), shares={"sex": {"women": 0.5}})
    least = only(verdict(found, rule(metric="group_share", min="0.45")))
    # The missing group is none that a share is asked of.
    assert [(c.group, c.outcome) for c in least.comparisons] == [("g1", "pass"), ("g2", "fail")]
    assert least.features == ("sex",) and least.settle and least.settle.text == "100 more rows of women would meet it."
    assert Fraction(400 + 100, 1010 + 100) >= Fraction("0.45") > Fraction(400 + 99, 1010 + 99)
    gap = only(verdict(found, rule(metric="group_share_gap", max="0.05", by="[sex]")))
    assert gap.outcome == "fail" and gap.seen and (gap.seen.group, gap.seen.value) == ("g1", 0.08)
    assert only(verdict(found, rule(metric="group_share_stability", max="0.1"))).outcome == "pass"
    lacks = only(verdict(found, rule(metric="group_share", min="0.1", by="[race_ethnicity]")))
    assert lacks.outcome == "n/a" and "race_ethnicity is not measured" in (lacks.reason or "")


def test_several_metrics_are_several_questions(verdict: Judge) -> None:
    found = rows(share("duplicate_share", 5, 1000), share("label_conflict_share", 30, 1000))
    result = verdict(found, rule(metric="[duplicate_share, label_conflict_share, train_overlap_share]", max="0.01"))
    assert [(f.metric, f.outcome) for f in result.findings] == [
        ("duplicate_share", "pass"), ("label_conflict_share", "fail"), ("train_overlap_share", "n/a")]


def test_a_column_that_alone_predicts_the_target(verdict: Judge) -> None:
    def auc(name: str, value: float | None, status: Any = "ok") -> Measurement:
        return Measurement("single_feature_auc", value, status, None if status == "ok" else "one value only",
                           slice=f"column: {name}")

    leak = only(verdict(rows(auc("age", 0.6), auc("income", 0.999)), rule(metric="single_feature_auc", max="0.95")))
    assert leak.outcome == "fail" and leak.seen and leak.seen.group == "income"
    constant = only(verdict(rows(auc("age", 0.6), auc("city", None, "undefined")),
                            rule(metric="single_feature_auc", max="0.95")))
    assert constant.outcome == "pass" and [c.exempt for c in constant.comparisons] == [False, True]
    too_few = rows(auc("age", 0.6), auc("city", None, "too_few"))
    few = only(verdict(too_few, rule(metric="single_feature_auc", max="0.9")))
    assert (few.outcome, few.reason, few.counts_as) == ("insufficient", "one value only", "PASS")
    nothing = only(verdict(rows(auc("age", None, "undefined")), rule(metric="single_feature_auc", max="0.9")))
    assert (nothing.outcome, nothing.counts_as) == ("insufficient", "REVIEW")


@pytest.mark.parametrize(("metric", "data", "outcome", "reason"), [
    ("missing_share", {}, "not_run", "share of missing values was not measured"),
    ("train_overlap_share", {}, "n/a", "no --train was given"),
    ("train_overlap_share", {"train": "t.csv"}, "not_run", "share of rows seen in training was not measured"),
    ("contract_break_share", {}, "n/a", "no data.contract was given"),
    ("out_of_period_share", {}, "n/a", "no data.period was given"),
    ("group_share_gap", {}, "n/a", "no data.shares were given"), ("case_rows", {}, "n/a", "no data.cases were given"),
    ("pair_coverage", {}, "n/a", "no data.pairs were given"),
    ("median_tie_share", {}, "n/a", "there are no scores, only predicted labels")])
def test_what_is_not_there(verdict: Judge, metric: str, data: dict[str, Any], outcome: str, reason: str) -> None:
    limits = {"min": "30"} if metric == "case_rows" else {"max": "0.5"}
    finding = only(verdict(rows(**data), rule(metric=metric, **limits)))
    assert (finding.outcome, finding.reason) == (outcome, reason)


def test_tasks_without_the_number_and_ties(verdict: Judge) -> None:
    numbers = only(verdict(regression({"a": (10, 5, 0.0)}), rule(metric="single_feature_auc", max="0.9")))
    assert numbers.outcome == "n/a"
    scored = rows(score("roc_auc", 0.8, 0.05, transform="logit"))
    assert only(verdict(scored, rule(metric="median_tie_share", max="0.05"))).outcome == "not_run"
    tied = rows(share("median_tie_share", 3, 5))
    assert only(verdict(tied, rule(metric="median_tie_share", max="0.05"))).outcome == "fail"


def test_declared_limits(verdict: Judge) -> None:
    declared = replace(MISSING, declared={"missing_share": 0.07})
    assert only(verdict(declared, rule(metric="missing_share", max="declared"))).outcome == "pass"
    assert only(verdict(MISSING, rule(metric="missing_share", max="declared"))).outcome == "n/a"


@pytest.mark.parametrize(("fields", "said"), [
    ({"metric": "missing_share"}, "needs min or max"), ({"metric": "missing_share", "max": "5"}, "0.8 for 80 %"),
    ({"metric": "population_stability", "max": "0.1"}, "kind data does not judge the data metric"),
    ({"metric": "support", "min": "2"}, "kind data does not judge"),
    ({"metric": "single_feature_auc", "max": "0.4"}, "range from 0.5 to 1"),
    ({"metric": "duplicate_share", "max": "0.1", "columns": "[a]"}, "columns are for the metrics missing_share"),
    ({"metric": "missing_share", "max": "0.1", "by": "[sex]"}, "by is for the metrics group_share"),
    ({"metric": "missing_share", "max": "0.1", "split": "test"}, "eval, train")])
def test_refused(verdict: Judge, fields: dict[str, str], said: str) -> None:
    with pytest.raises(InputError) as refused:
        verdict(MISSING, rule(**fields))
    assert said in refused.value.one_line()
