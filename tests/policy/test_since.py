"""What changed since the version in service: its numbers beside the new ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from policy_evidence import compute, evidence, rate, score
from task_evidence import multiclass, regression

from govern.dataset import Population
from govern.evidence import Evidence, Model, Subject
from govern.policy.since import LEVEL, since
from govern.stats.intervals import mover_difference, newcombe, ratio, transformed
from govern.verdict import SinceRow, Verdict

OLD = evidence({"sex": {"men": rate(500, 1000), "women": rate(450, 1000), "x": rate(5, 20)},
                "sex:age": {"men:old": rate(90, 200)}},
               scores=(score("roc_auc", 0.75, 0.05, transform="logit"),
                       score("roc_auc", 0.76, 0.07, group="g1", transform="logit"),
                       score("roc_auc", 0.74, 0.07, group="g2", transform="logit")))
# Groups are numbered anew in each evidence.
NEW = evidence({"sex": {"women": rate(380, 1000), "men": rate(520, 1000), "x": rate(1, 20)},
                "sex:age": {"men:old": rate(90, 200)}},
               scores=(score("roc_auc", 0.85, 0.05, transform="logit"),
                       score("roc_auc", 0.84, 0.07, group="g1", transform="logit"),
                       score("roc_auc", 0.86, 0.07, group="g2", transform="logit"),
                       score("roc_auc", 0.10, 0.07, group="g3", transform="logit")))


def rows(new: Evidence = NEW, old: Evidence = OLD) -> list[SinceRow]:
    return list(since(new, old).rows)


def test_the_primary_metric_and_the_group_it_is_worst_in() -> None:
    whole, worst, *_ = rows()
    one, two = transformed(0.85, 0.05, "logit", 0.025), transformed(0.75, 0.05, "logit", 0.025)
    assert (whole.metric, whole.group, whole.old, whole.new) == ("roc_auc", None, 0.75, 0.85)
    assert (whole.low, whole.high) == pytest.approx(mover_difference(0.85, one, 0.75, two))
    assert (whole.state, whole.level) == ("better", LEVEL)
    # Not the twenty rows of x; women are g1 now and were g2.
    assert (worst.group, worst.features, worst.old, worst.new) == ("g1", ("sex",), 0.74, 0.84)


def test_a_declared_primary_metric_is_the_one_and_rates_go_by_counts() -> None:
    declared = {"primary": {"metric": "selection_rate"}}
    whole, second, *_ = rows(replace(NEW, declared=declared))
    assert whole.metric == "selection_rate" and whole.state == "no difference"
    assert (whole.low, whole.high) == pytest.approx(newcombe(901, 2020, 955, 2020, 0.025))
    assert second.compare == "ratio"  # neither side of a selection rate is better, so none is worst
    fewer = evidence({"sex": {"men": rate(300, 1000), "women": rate(300, 1000)}}, declared=declared)
    assert rows(fewer)[0].state == "apart"
    lower = {"primary": {"metric": "false_positive_rate"}}
    more = evidence({"sex": {"men": rate(700, 1000), "women": rate(600, 1000)}}, declared=lower)
    assert [(r.state, r.group) for r in rows(more)[:2]] == [("worse", None), ("worse", "g1")]


def test_the_lowest_ratio_now_is_compared_with_that_of_the_same_groups() -> None:
    lowest = rows()[-1]
    assert (lowest.group, lowest.reference, lowest.compare, lowest.features) == ("g1", "g2", "ratio", ("sex",))
    assert (lowest.new, lowest.old) == (pytest.approx(0.38 / 0.52), pytest.approx(0.9))
    one, two = ratio(380, 1000, 520, 1000, 0.025), ratio(450, 1000, 500, 1000, 0.025)
    assert (lowest.low, lowest.high) == pytest.approx(mover_difference(0.38 / 0.52, one, 0.9, two))
    assert lowest.state == "worse"


def test_where_the_other_group_was_the_lower_one_no_side_is_better() -> None:
    turned = evidence({"sex": {"men": rate(300, 1000), "women": rate(600, 1000)}})
    last = rows(NEW, turned)[-1]
    assert last.old == pytest.approx(2.0) and last.state == "apart"


def test_what_was_not_there_before_is_unknown() -> None:
    before = evidence({"age": {"old": rate(5, 50), "young": rate(9, 50)}})
    for row in rows(NEW, before):
        assert (row.old, row.difference, row.low, row.high, row.state) == (None, None, None, None, "unknown")
    nobody = evidence({"sex": {"men": rate(0, 50), "women": rate(0, 50)}})
    assert [r.metric for r in rows(nobody, nobody)] == ["accuracy", "accuracy"]


def test_several_classes_and_numbers() -> None:
    def classes(right: int) -> Evidence:
        return multiclass({"a": [[40, 10], [10, 40]], "b": [[right, 50 - right], [10, 40]]}, ["n", "y"], favourable="y")

    whole, worst, lowest = rows(classes(30), classes(40))
    assert (whole.metric, whole.old, whole.new, whole.state) == (
        "multiclass_accuracy", pytest.approx(0.8), pytest.approx(0.75), "no difference")
    assert (worst.group, worst.new) == ("g2", pytest.approx(0.7))
    assert (lowest.label, lowest.group, lowest.new) == ("y", "g1", pytest.approx(50 / 60))
    assert [(r.metric, r.new) for r in rows(*[regression({"men": (100, 5, 1.0), "women": (100, 5, 1.0)})] * 2)] == [
        ("mean_absolute_error", None)]


def test_features_model_data_and_settings() -> None:
    subjects = (Subject("model", "m.pkl", "1" * 64, 1, "joblib"), Subject("data", "d.csv", "2" * 64, 1, "csv"))
    old = replace(OLD, subjects=subjects, model=Model("tree", {}, ("a", "b"), {"depth": 3}),
                  settings={"model": {"name": "credit", "version": "1"}, "data": {"threshold": 0.25}, "phase": "team"})
    new = replace(NEW, subjects=(replace(subjects[0], sha256="3" * 64), subjects[1]),
                  model=Model("tree", {}, ("b", "c"), {"depth": 4}), population=Population(2400, 2400),
                  settings={"model": {"name": "credit", "version": "2"}, "data": {"threshold": 0.2}, "phase": "team"})
    found = since(new, old)
    assert (found.name, found.version, found.created) == ("credit", "1", OLD.created)
    assert (found.features_added, found.features_removed) == (("c",), ("a",))
    assert (found.same_model, found.same_data) == (False, True)
    assert found.settings == (("data.threshold", "0.25", "0.2"), ("model.parameters.depth", "3", "4"),
                              ("rows", "2020", "2400"))


def test_latency_is_of_another_run_and_no_side_is_taken() -> None:
    assert not [r for r in since(NEW, OLD).rows if r.metric == "latency_p95_ms"]
    found = since(NEW, OLD, compute(latency_p95_ms=4.1), compute(latency_p95_ms=3.9)).rows[-1]
    assert (found.metric, found.old, found.new, found.state) == ("latency_p95_ms", 3.9, 4.1, "unknown")
    assert found.difference == pytest.approx(0.2)
    assert since(NEW, OLD, compute(latency_p95_ms=4.1)).rows[-1].old is None


def test_the_verdict_has_it_only_with_a_baseline(verdict: Callable[..., Verdict]) -> None:
    rule = "- {id: S, kind: support, title: t, basis: house, severity: review}\n"
    assert verdict(NEW, rule).since is None
    assert verdict(NEW, rule, baseline=OLD).since == since(NEW, OLD)
