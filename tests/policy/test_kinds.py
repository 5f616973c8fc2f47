"""Each rule kind on worked cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from policy_evidence import CARD, compute, evidence, rate, score, smoke

from govern.errors import InputError
from govern.evidence import Evidence
from govern.policy.words import filled
from govern.verdict import Finding, Verdict

Judge = Callable[..., Verdict]


def rule(kind: str, **fields: str) -> str:
    given = {"id": "R", "kind": kind, "title": "t", "basis": "house", "severity": "review"} | fields
    return "- {" + ", ".join(f"{k}: {v}" for k, v in given.items()) + "}\n"


def disparity(**fields: str) -> str:
    return rule("disparity", **({"metric": "selection_rate", "compare": "ratio"} | fields))


def only(result: Verdict) -> Finding:
    assert len(result.findings) == 1
    return result.findings[0]


def pairs(finding: Finding) -> list[tuple[str, str | None]]:
    return [(c.group, c.reference) for c in finding.comparisons]


BANDS = evidence({"age": {"a": rate(300, 600), "b": rate(520, 1000), "c": rate(252, 400)}})


@pytest.mark.parametrize(("against", "seen", "compared"), [
    ("largest", "g1", [("g1", "g2"), ("g3", "g2")]), ("best", "g1", [("g1", "g3"), ("g2", "g3")]),
    ("overall", "g1", [("g1", "rest"), ("g2", "rest"), ("g3", "rest")]),
    ("any", "g1", [("g1", "g2"), ("g1", "g3"), ("g2", "g3")]), ("{group: a}", "g2", [("g2", "g1"), ("g3", "g1")])])
def test_references(verdict: Judge, against: str, seen: str, compared: list[tuple[str, str]]) -> None:
    finding = only(verdict(BANDS, disparity(against=against, min="0.70")))
    assert (finding.outcome, pairs(finding)) == ("pass", compared)
    assert finding.seen and finding.seen.group == seen and finding.seen in finding.comparisons


def test_overall_compares_with_all_rows_outside(verdict: Judge) -> None:
    first = only(verdict(BANDS, disparity(against="overall", min="0.70"))).comparisons[0]
    assert (first.numerator, first.n, first.reference_numerator, first.reference_n) == (300, 600, 772, 1400)
    assert first.value == pytest.approx((300 / 600) / (772 / 1400))


def test_the_best_group_is_the_one_with_the_lowest_error(verdict: Judge) -> None:
    cells = {"a": (90, 10, 10, 90), "b": (90, 50, 10, 50)}
    for metric, best in (("false_positive_rate", "g1"), ("accuracy", "g1"), ("selection_rate", "g2")):
        finding = only(verdict(evidence({"x": cells}), disparity(metric=metric, against="best", min="0.1")))
        assert finding.comparisons[0].reference == best


def test_any_pair_takes_absolute_differences_and_smaller_by_larger(verdict: Judge) -> None:
    gap = only(verdict(BANDS, disparity(compare="difference", against="any", max="0.25")))
    assert [c.value for c in gap.comparisons] == pytest.approx([0.02, 0.13, 0.11])
    assert (gap.bound_min, gap.bound_max, gap.compare) == (None, "0.25", "difference")
    ratios = only(verdict(BANDS, disparity(against="any", min="0.70")))
    assert all(c.value is not None and c.value <= 1 for c in ratios.comparisons)
    # Two tails a pair, three pairs, a family of one.
    assert ratios.seen and ratios.seen.level_fail == pytest.approx(0.05 / 6)


def test_a_signed_difference_is_group_minus_reference(verdict: Judge) -> None:
    finding = only(verdict(BANDS, disparity(compare="difference", against="largest", min="-0.10")))
    assert [c.value for c in finding.comparisons] == pytest.approx([-0.02, 0.11])


def test_exempt_groups_are_listed_never_a_reference_and_can_fail(verdict: Judge) -> None:
    base = {"a": rate(500, 1000), "b": rate(510, 1000)}
    quiet = only(verdict(evidence({"x": {**base, "c": rate(11, 25)}}), disparity(against="any", min="0.80")))
    assert quiet.outcome == "pass" and [c.exempt for c in quiet.comparisons] == [False, True, True]
    failing = only(verdict(evidence({"x": {**base, "c": rate(1, 29)}}), disparity(against="any", min="0.80")))
    assert failing.outcome == "fail" and failing.seen and failing.seen.exempt and failing.seen.group == "g3"
    best = only(verdict(evidence({"x": {**base, "c": rate(25, 25)}}), disparity(against="best", min="0.80")))
    assert {c.reference for c in best.comparisons} == {"g2"}
    few = only(verdict(evidence({"x": {"a": rate(9, 20), "b": rate(4, 20)}}), disparity(against="any", min="0.80")))
    assert (few.outcome, few.counts_as, few.comparisons) == ("insufficient", "PASS", ())
    named = only(verdict(evidence({"x": {**base, "c": rate(9, 20)}}), disparity(against="{group: c}", min="0.80")))
    assert named.outcome == "insufficient" and named.reason == "c is too small to be the reference"
    share = only(verdict(evidence({"x": {**base, "c": rate(18, 40)}}), disparity(against="any", min="0.80")))
    assert [c.exempt for c in share.comparisons] == [False, True, True]
    asked = disparity(against="any", min="0.80", min_share="0.01")
    assert not any(c.exempt for c in only(verdict(evidence({"x": {**base, "c": rate(18, 40)}}), asked)).comparisons)


def test_missing_values_stand_outside_unless_included(verdict: Judge) -> None:
    found = evidence({"x": {"a": rate(500, 1000), "b": rate(510, 1000), None: rate(10, 200)}})
    shown = only(verdict(found, disparity(against="any", min="0.80")))
    assert (shown.outcome, pairs(shown)) == ("pass", [("g1", "g2")])
    assert shown.reason == "200 rows with a missing value not compared"
    included = only(verdict(found, disparity(against="any", min="0.80", missing="include")))
    assert included.outcome == "fail" and included.reason is None and len(included.comparisons) == 3


def test_one_group_and_no_feature(verdict: Judge) -> None:
    one = verdict(evidence({"x": {"a": rate(50, 100), None: rate(5, 10)}}), disparity(against="any", min="0.80"))
    assert only(one).outcome == "n/a" and one.not_assessed[0].reason == (
        "x has fewer than two groups to compare; 10 rows with a missing value not compared")
    none = replace(BANDS, groups=BANDS.groups[:1], counts=BANDS.counts[:1])
    assert only(verdict(none, disparity(against="any", min="0.80"))).reason == "no sensitive feature was given"


def test_undefined_for_every_group_is_for_a_person(verdict: Judge) -> None:
    no_positives = evidence({"x": {"a": rate(50, 100), "b": rate(20, 100)}})
    tpr = disparity(metric="true_positive_rate", compare="difference", against="any", max="0.10")
    for rules in (tpr, tpr.replace("}\n", ", min_n: 0}\n")):
        finding = only(verdict(no_positives, rules))
        assert (finding.outcome, finding.counts_as) == ("insufficient", "REVIEW")
        assert finding.reason == "no row of the group is in its denominator"
    one_lacks = evidence({"x": {"a": (80, 10, 20, 90), "b": (82, 9, 18, 91), "c": (0, 9, 0, 91)}})
    finding = only(verdict(one_lacks, tpr.replace("0.10", "0.30")))
    assert finding.outcome == "pass" and sum(c.value is None and c.exempt for c in finding.comparisons) == 2


def test_only_asked_intersections_are_gated_unless_named(verdict: Judge) -> None:
    features = {"sex": {"m": rate(50, 100), "w": rate(50, 100)}, "age": {"o": rate(50, 100), "y": rate(50, 100)},
                "sex:age": {"m:o": rate(49, 50), "w:y": rate(1, 50)}}
    rules = disparity(against="any", min="0.80")
    assert [f.features for f in verdict(evidence(features), rules).findings] == [("sex",), ("age",)]
    asked = verdict(evidence(features, asked=("sex:age",)), rules)
    assert [f.features for f in asked.findings] == [("sex",), ("age",), ("sex", "age")]
    assert asked.outcome == "REVIEW"
    named = verdict(evidence(features), disparity(against="any", min="0.80", by='["age:sex"]'))
    assert [f.features for f in named.findings] == [("sex", "age")]


def test_a_feature_the_evidence_lacks_is_absent_and_a_slip_is_an_error(verdict: Judge) -> None:
    result = verdict(BANDS, disparity(against="any", min="0.80", by="[race_ethnicity]"))
    assert only(result).outcome == "n/a" and "race_ethnicity is not measured" in (only(result).reason or "")
    with pytest.raises(InputError, match=r'house.yaml:8:\d+: R: by: "aeg" is not .*did you mean "age"'):
        verdict(BANDS, disparity(against="any", min="0.80", by="[aeg]"))
    with pytest.raises(InputError, match=r'house.yaml:8:\d+: R: against: no group is named "26-35"; groups: a, b, c'):
        verdict(BANDS, disparity(against="{group: 26-35}", min="0.80"))


def scored(metric: str, own: dict[str, float], overall: float, **changes: float) -> Evidence:
    """Two groups with a score metric each; the rest of one is the other."""
    found = [score(metric, overall, 0.002)]
    other = {"g1": "g2", "g2": "g1"}
    for group, value in own.items():
        found.append(score(metric, value, 0.004, group=group))
        found.append(score(metric, own[other[group]], 0.004, group=group, rest=True))
    return evidence({"sex": {"men": rate(500, 1000), "women": rate(500, 1000)}}, scores=tuple(found),
                    declared={"primary": {"metric": metric} | changes})


@pytest.mark.parametrize(("metric", "one", "two", "outcome"), [
    ("average_precision", 0.70, 0.80, "fail"), ("average_precision", 0.80, 0.80, "pass"),
    ("log_loss", 0.50, 0.60, "fail"), ("log_loss", 0.50, 0.51, "pass")])
def test_primary_differences_count_so_that_positive_is_better(verdict: Judge, metric: str, one: float, two: float,
                                                              outcome: str) -> None:
    rules = disparity(metric="primary", compare="difference", against="overall", min="-0.05")
    finding = only(verdict(scored(metric, {"g1": one, "g2": two}, 0.75), rules))
    assert (finding.outcome, finding.metric) == (outcome, metric)
    if outcome == "fail":
        worse = "g1" if metric == "average_precision" else "g2"
        assert finding.seen and finding.seen.group == worse
        assert (finding.bound_min, finding.bound_max) == (("-0.05", None) if worse == "g1" else (None, "0.05"))


def test_score_metrics_between_groups_and_too_few(verdict: Judge) -> None:
    rules = disparity(metric="brier_score", compare="difference", against="any", max="0.05")
    found = scored("brier_score", {"g1": 0.10, "g2": 0.20}, 0.15)
    finding = only(verdict(found, rules))
    assert finding.outcome == "fail" and finding.seen and finding.seen.value == pytest.approx(0.10)
    assert (finding.seen.group, finding.seen.n, finding.seen.numerator) == ("g2", 1000, None)
    few = tuple(replace(m, status="too_few", reason="4 rows") if m.group == "g2" else m for m in found.measurements)
    undecided = only(verdict(replace(found, measurements=few), rules))
    assert (undecided.outcome, undecided.counts_as, undecided.reason) == ("insufficient", "PASS", "4 rows")
    for left in (found.measurements[:1], found.measurements[:-2]):
        without = only(verdict(replace(found, measurements=left), rules))
        assert (without.outcome, without.features) == ("not_run", ("sex",))
    overall = disparity(metric="brier_score", compare="difference", against="overall", max="0.05")
    assert only(verdict(replace(found, measurements=found.measurements[:-1]), overall)).outcome == "not_run"


@pytest.mark.parametrize(("declared", "value", "outcome", "minimum", "maximum"), [
    ({"primary": {"metric": "roc_auc", "min": 0.75}}, 0.80, "pass", "0.75", None),
    ({"primary": {"metric": "roc_auc", "min": 0.75}}, 0.70, "fail", "0.75", None),
    ({"primary": {"metric": "roc_auc", "min": 0.75}}, 0.752, "insufficient", "0.75", None),
    ({"primary": {"metric": "log_loss", "max": 0.4}}, 0.30, "pass", None, "0.4"),
    ({"primary": {"metric": "log_loss", "max": 0.4}}, 0.50, "fail", None, "0.4"),
    ({"primary": {"metric": "roc_auc"}, "roc_auc": 0.75}, 0.80, "pass", "0.75", None),
    ({"primary": {"metric": "roc_auc"}}, 0.80, "n/a", None, None),
    ({}, 0.80, "n/a", None, None)])
def test_bound_on_the_declared_primary_metric(verdict: Judge, declared: dict[str, object], value: float, outcome: str,
                                              minimum: str | None, maximum: str | None) -> None:
    primary = declared.get("primary")
    metric = str(primary["metric"]) if isinstance(primary, dict) else "roc_auc"
    found = replace(BANDS, measurements=(score(metric, value, 0.01),), declared=declared)
    finding = only(verdict(found, rule("bound", metric="primary", min="declared", max="declared")))
    assert (finding.outcome, finding.bound_min, finding.bound_max) == (outcome, minimum, maximum)


def test_bound_on_counts_by_group_and_on_a_declared_metric_that_does_not_exist(verdict: Judge) -> None:
    finding = only(verdict(BANDS, rule("bound", metric="selection_rate", by="[age]", min="0.53")))
    assert finding.outcome == "insufficient" and finding.counts_as == "REVIEW"
    assert [c.group for c in finding.comparisons] == ["g1", "g2", "g3"]
    assert finding.seen and finding.seen.group == "g1" and finding.seen.level_fail == pytest.approx(0.05 / 3)
    assert finding.settle and finding.settle.group == "g1" and finding.settle.rows
    whole = only(verdict(BANDS, rule("bound", metric="[accuracy]", max="0.9")))
    assert whole.outcome == "pass" and whole.seen and whole.seen.n == 2000
    with pytest.raises(InputError, match='"rocauc" is not a metric a rule can judge; did you mean "roc_auc"'):
        verdict(replace(BANDS, declared={"primary": {"metric": "rocauc"}}), rule("bound", metric="primary", min="0.5"))


def test_points_decide_when_the_rule_says_so(verdict: Judge) -> None:
    finding = only(verdict(evidence({"x": {"a": rate(44, 100), "b": rate(55, 100)}}),
                           disparity(against="best", min="0.80", decide="point")))
    assert (finding.outcome, finding.decide) == ("pass", "point")
    assert finding.seen and finding.seen.low is None and finding.seen.level_pass is None


@pytest.mark.parametrize(("value", "p_value", "outcome", "effect"), [
    (0.01, 0.4, "pass", "PASS"), (0.12, 0.0, "fail", "REVIEW"), (0.06, 0.01, "insufficient", "REVIEW"),
    (0.06, 0.4, "insufficient", "PASS"), (0.06, None, "insufficient", "PASS"), (0.04, 0.0, "insufficient", "PASS")])
def test_calibration(verdict: Judge, value: float, p_value: float | None, outcome: str, effect: str) -> None:
    test = score("calibration_p_value", p_value, status="ok" if p_value is not None else "undefined")
    found = replace(BANDS, measurements=(score("calibration_error", value, 0.001, transform="square"), test))
    finding = only(verdict(found, rule("calibration", max="0.05")))
    assert (finding.outcome, finding.counts_as, finding.metric) == (outcome, effect, "calibration_error")


def test_calibration_without_scores_does_not_exist(verdict: Judge) -> None:
    assert only(verdict(BANDS, rule("calibration", max="0.05"))).outcome == "n/a"
    other = replace(BANDS, measurements=(score("roc_auc", 0.8, 0.1),))
    assert only(verdict(other, rule("calibration", max="0.05"))).outcome == "not_run"


def test_support(verdict: Judge) -> None:
    def outcome(members: dict[str | None, tuple[int, int]], **fields: str) -> tuple[str, float | None]:
        finding = only(verdict(evidence({"x": {k: rate(*v) for k, v in members.items()}}), rule("support", **fields)))
        assert finding.seen is not None
        return finding.outcome, finding.seen.value

    assert outcome({"a": (1, 30), "b": (1, 30)}) == ("pass", 2.0)
    assert outcome({"a": (1, 30), "b": (1, 29)}) == ("fail", 1.0)
    assert outcome({"a": (1, 30), None: (1, 900)}) == ("fail", 1.0)
    assert outcome({"a": (1, 30), "b": (1, 29)}, min_n="29") == ("pass", 2.0)
    none = replace(BANDS, groups=BANDS.groups[:1], counts=BANDS.counts[:1])
    assert only(verdict(none, rule("support"))).outcome == "fail"


def test_smoke(verdict: Judge) -> None:
    checks = rule("smoke", checks="[smoke_loads, smoke_probability, smoke_batch]")
    good = verdict(BANDS, checks)
    assert [(f.metric, f.outcome) for f in good.findings] == [
        ("smoke_loads", "pass"), ("smoke_probability", "pass"), ("smoke_batch", "pass")]
    assert [(f.bound_min, f.bound_max) for f in good.findings] == [("1", None), (None, "0"), (None, "0.000001")]
    bad = verdict(replace(BANDS, smoke=smoke(smoke_probability=3.0, smoke_batch=None)), checks)
    assert [f.outcome for f in bad.findings] == ["pass", "fail", "not_run"]
    labels = verdict(replace(BANDS, smoke=smoke(smoke_probability=None)), checks)
    assert labels.findings[1].outcome == "n/a"
    lost = replace(BANDS, smoke=smoke(smoke_probability=None), measurements=(score("roc_auc", 0.8, 0.1),))
    assert verdict(lost, checks).findings[1].outcome == "not_run"
    stored = verdict(replace(BANDS, model=None, smoke=()), checks)
    assert {f.outcome for f in stored.findings} == {"n/a"} and stored.outcome == "REVIEW"


def test_document(verdict: Judge) -> None:
    fields = rule("document", fields="[purpose, limitations, monitoring_plan.owner, harms]")
    assert only(verdict(replace(BANDS, card=CARD), fields)).missing == ("harms",)
    assert only(verdict(BANDS, fields)).reason == "4 of 4 fields are not filled"
    whole = only(verdict(replace(BANDS, card={**CARD, "harms": "Refusal by mistake"}), fields))
    assert (whole.outcome, whole.missing) == ("pass", ())


@pytest.mark.parametrize("text", [
    "TODO", "todo: ask Ann", "[More Information Needed]", "N/A", "n/a.", "None", "なし", "未定", "-", "—", "", "  ",
    "?", "...", "TBD by legal", "N/A (reason: )", "なし(理由:)", "{{ fill in }}", "なし。", "ＴＯＤＯ"])
def test_placeholders_are_missing(text: str) -> None:
    assert not filled(text)


@pytest.mark.parametrize("text", [
    "なし(理由: 全数データで標本抽出を行わない)", "None, because all rows are used", "N/A (reason: not a person)",
    "Nonesuch Bank", "TodoMVC users", "A", "0", "Unknown applicants are excluded", 0, False, ["", "x"], {"a": "x"}])
def test_answers_are_filled(text: object) -> None:
    assert filled(text)


def test_empty_containers_are_missing() -> None:
    assert not any(filled(v) for v in (None, [], {}, ["TBD", ""], {"a": "todo"}))


def test_a_field_may_be_held_to_words(verdict: Judge) -> None:
    rules = rule("document", fields="[level, why]", values="{level: [L-1, L-2]}")

    def judged(**card: object) -> Finding:
        return only(verdict(replace(BANDS, card=card), rules))

    assert judged(level="L-2", why="x").outcome == "pass"
    slip = judged(level="L2", why="x")
    assert (slip.outcome, slip.reason, slip.missing) == ("fail", 'level is "L2", not one of L-1, L-2', ())
    both = judged(level=["L-1"])
    assert both.missing == ("why",) and (both.reason or "").startswith("1 of 2 fields are not filled; level is ")
    assert judged(why="x").missing == ("level",)
    for values, said in (("{levl: [L-1]}", '"levl" is not among the fields'), ("{level: []}", "may hold nothing")):
        with pytest.raises(InputError, match=said):
            verdict(BANDS, rule("document", fields="[level, why]", values=values))


@pytest.mark.parametrize(("declared", "limit", "outcome"), [
    ({"selection_rate_ratio": 0.8}, "0.8", "fail"), ({"selection_rate_ratio": {"min": 0.5}}, "0.5", "pass"),
    ({"selection_rate": {"min": 0.9}}, None, "n/a"), ({}, None, "n/a"),
    ({"primary": {"metric": "selection_rate", "min": 0.9}}, None, "n/a")])
def test_a_gap_has_a_declared_limit_of_its_own(verdict: Judge, declared: dict[str, object], limit: str | None,
                                               outcome: str) -> None:
    found = evidence({"x": {"a": rate(700, 1000), "b": rate(420, 1000)}}, declared=declared)
    finding = only(verdict(found, disparity(against="any", min="declared")))
    assert (finding.outcome, finding.bound_min) == (outcome, limit)


def test_a_declared_difference_and_one_that_can_never_decide(verdict: Judge) -> None:
    found = evidence({"x": {"a": rate(700, 1000), "b": rate(420, 1000)}}, declared={"selection_rate_difference": 0.1})
    rules = disparity(compare="difference", against="any", max="declared")
    finding = only(verdict(found, rules))
    assert (finding.outcome, finding.bound_max) == ("fail", "0.1")
    with pytest.raises(InputError, match="declared min -1 of selection_rate_ratio lies outside its range"):
        verdict(replace(found, declared={"selection_rate_ratio": -1}), disparity(against="any", min="declared"))


def test_compute(verdict: Judge) -> None:
    rules = rule("compute", metric="[latency_p95_ms, peak_memory_mb, file_size_mb]", max="declared")
    declared = replace(BANDS, declared={"latency_p95_ms": 50, "peak_memory_mb": {"max": 200}})
    result = verdict(declared, rules, compute=compute(latency_p95_ms=50.0, peak_memory_mb=201.0, file_size_mb=9.0))
    assert [(f.metric, f.outcome, f.bound_max) for f in result.findings] == [
        ("latency_p95_ms", "pass", "50"), ("peak_memory_mb", "fail", "200"), ("file_size_mb", "n/a", None)]
    assert [f.outcome for f in verdict(declared, rules).findings] == ["n/a"] * 3
    lost = verdict(declared, rules, compute=compute(latency_p95_ms=None))
    assert [(f.outcome, f.reason) for f in lost.findings[:2]] == [
        ("not_run", "latency, one row, 95th percentile: not timed"),
        ("not_run", "peak memory of the worker: was not measured")]


@pytest.mark.parametrize(("members", "fields", "group", "selections"), [
    # 0.8 · 600 = 480: 180 more of b's 1,000.
    ({"a": rate(600, 1000), "b": rate(300, 1000)}, {"against": "any", "min": "0.80"}, "g2", 180),
    ({"a": rate(600, 1000), "b": rate(300, 1000)}, {"against": "largest", "min": "0.80"}, "g2", 180),
    ({"a": rate(600, 1000), "b": rate(300, 1000)}, {"against": "any", "compare": "difference", "max": "0.10"},
     "g2", 200),
    ({"a": rate(600, 1000), "b": rate(300, 999)}, {"against": "overall", "min": "0.80"}, "g2", 180)])
def test_what_would_meet_the_bound(verdict: Judge, members: dict[str, tuple[int, int, int, int]],
                                   fields: dict[str, str], group: str, selections: int) -> None:
    finding = only(verdict(evidence({"x": members}), disparity(**fields)))
    assert finding.outcome == "fail" and finding.settle
    assert (finding.settle.group, finding.settle.selections) == (group, selections)
    met = dict(members)
    selected, n = members["b"][1] + selections, sum(members["b"])
    met["b"] = rate(selected, n)
    point = disparity(**fields, decide="point")
    assert only(verdict(evidence({"x": met}), point)).outcome == "pass"
    met["b"] = rate(selected - 1, n)
    assert only(verdict(evidence({"x": met}), point)).outcome == "fail"


def test_what_would_settle_it(verdict: Judge) -> None:
    members = {"a": rate(500, 1000), "b": rate(88, 200)}
    rules = disparity(against="any", min="0.80")
    finding = only(verdict(evidence({"x": members}), rules))
    assert finding.outcome == "insufficient" and finding.settle and finding.settle.group == "g2"
    rows = finding.settle.rows
    assert rows and finding.settle.detectable and finding.settle.selections is None
    n = 200 + rows
    settled = only(verdict(evidence({"x": {**members, "b": rate(round(n * 0.44) + 1, n)}}), rules))
    # Of a pass only the gap that these sizes can show is said.
    assert settled.outcome == "pass" and settled.settle
    assert (settled.settle.rows, settled.settle.times, settled.settle.selections) == (None, None, None)


def test_growth_is_named_where_no_number_of_rows_of_one_group_would_do(verdict: Judge) -> None:
    members = {"a": rate(500, 1000), "b": rate(395, 1000)}
    rules = disparity(against="any", min="0.80")
    finding = only(verdict(evidence({"x": members}), rules))
    assert finding.outcome == "insufficient" and finding.settle and finding.settle.rows is None
    times = finding.settle.times
    assert times is not None and times > 1
    grown = {name: rate(x * times // 1, n * times) for name, (x, n) in {"a": (500, 1000), "b": (395, 1000)}.items()}
    assert only(verdict(evidence({"x": grown}), rules)).outcome == "fail"
