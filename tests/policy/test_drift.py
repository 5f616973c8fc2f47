"""Whether the distribution of features or of the output has moved."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from policy_evidence import evidence, rate

from govern.dataset import Bin, Column, DataFacts, Level
from govern.errors import InputError
from govern.evidence import Evidence, Measurement
from govern.policy.rules.drift import _chance
from govern.stats.stability import stability
from govern.verdict import Finding, Verdict

Judge = Callable[..., Verdict]
EVEN = (100, 100, 100, 100)
SHIFTED = (40, 80, 120, 160)


def rule(**fields: str) -> str:
    given = {"id": "P", "kind": "drift", "title": "t", "basis": "convention", "severity": "review", "max": "0.10",
             "against": "baseline", "of": "features"} | fields
    return "- {" + ", ".join(f"{k}: {v}" for k, v in given.items()) + "}\n"


def only(result: Verdict) -> Finding:
    assert len(result.findings) == 1
    return result.findings[0]


def texts(name: str, counts: tuple[int, ...], role: str = "feature") -> Column:
    levels = tuple(Level("abcdefghij"[i], n) for i, n in enumerate(counts))
    return Column(name, role, "text", 0, len(levels), levels=levels)


def numbers(name: str, counts: tuple[int, ...], role: str = "feature") -> Column:
    bins = tuple(Bin(float(i), n) for i, n in enumerate(counts))
    return Column(name, role, "number", 0, len(bins), 0.0, len(bins) - 1.0, bins=bins)


def data(*columns: Column, output: Column | None = None, train: DataFacts | None = None, **settings: Any) -> Evidence:
    return evidence({"sex": {"men": rate(300, 600), "women": rate(200, 400)}}, data=DataFacts(columns, output=output),
                    train=train, settings={"model": {"name": "m"}, "data": settings})


def psi(one: tuple[int, ...], two: tuple[int, ...]) -> float:
    """By its definition, ½ added to each cell."""
    p, q = ([(c + 0.5) / (sum(n) + len(n) / 2) for c in n] for n in (one, two))
    return math.fsum((b - a) * math.log(b / a) for a, b in zip(p, q, strict=True))


OLD = data(texts("city", EVEN), numbers("age", EVEN), texts("target", EVEN, "target"), output=numbers("score", EVEN))


@pytest.mark.parametrize(("counts", "outcome"), [(EVEN, "pass"), ((110, 95, 95, 100), "pass"), (SHIFTED, "fail")])
@pytest.mark.parametrize("make", [texts, numbers])
def test_columns_against_the_version_in_service(verdict: Judge, make: Callable[..., Column], counts: tuple[int, ...],
                                                outcome: str) -> None:
    name = "city" if make is texts else "age"
    finding = only(verdict(data(make(name, counts)), rule(), baseline=OLD))
    assert (finding.outcome, finding.bound_max, finding.decide, finding.each) == (outcome, "0.10", "point", "features")
    assert finding.seen and finding.seen.value == pytest.approx(psi(EVEN, counts))
    assert (finding.seen.group, finding.seen.reference) == (name, "baseline")
    assert (finding.seen.n, finding.seen.reference_n) == (sum(counts), 400)
    if outcome == "fail":
        assert finding.settle and finding.settle.gap == pytest.approx(psi(EVEN, counts) - 0.10)


def test_the_worst_feature_decides_and_others_are_no_features(verdict: Judge) -> None:
    now = data(texts("city", (100, 90, 110, 100)), numbers("age", SHIFTED), texts("target", SHIFTED, "target"),
               texts("sex", EVEN, "sensitive, feature"))
    finding = only(verdict(now, rule(), baseline=OLD))
    assert [(c.group, c.outcome, c.exempt) for c in finding.comparisons] == [
        ("city", "pass", False), ("age", "fail", False), ("sex", "insufficient", True)]
    assert finding.comparisons[2].reason == "the reference does not have it"
    assert only(verdict(now, rule(columns="[city]"), baseline=OLD)).outcome == "pass"
    assert only(verdict(now, rule(columns="[city, target]"), baseline=OLD)).outcome == "fail"


def test_small_samples_do_not_fail_by_chance(verdict: Judge) -> None:
    small = data(texts("city", (16, 8, 6, 10)))
    finding = only(verdict(small, rule(), baseline=OLD))
    assert finding.seen and finding.seen.value is not None and finding.seen.value > 0.10
    assert (finding.outcome, finding.counts_as) == ("insufficient", "PASS")
    assert (finding.reason or "").startswith("samples of these sizes show up to 0.")
    large = data(texts("city", (1600, 800, 600, 1000)))
    assert only(verdict(large, rule(), baseline=OLD)).outcome == "fail"


@pytest.mark.parametrize(("cells", "n1", "n2"), [(10, 300, 300), (10, 1000, 200), (5, 200, 200), (20, 500, 500)])
def test_what_no_drift_shows_in_95_of_100_samples(cells: int, n1: int, n2: int) -> None:
    draw = np.random.default_rng(5)
    shares = np.full(cells, 1 / cells)
    above = 0
    for _ in range(2000):
        one, two = draw.multinomial(n1, shares).tolist(), draw.multinomial(n2, shares).tolist()
        above += stability(one, two) > _chance(one, two)
    assert 0.02 <= above / 2000 <= 0.085


def test_the_output_is_a_question_of_its_own(verdict: Judge) -> None:
    now = data(texts("city", EVEN), output=numbers("score", SHIFTED))
    both = verdict(now, rule(of="both"), baseline=OLD).findings
    assert [(f.each, f.outcome, f.seen.group if f.seen else None) for f in both] == [
        ("features", "pass", "city"), ("output", "fail", "overall")]
    assert only(verdict(now, rule(of="output"), baseline=OLD)).each == "output"
    without = only(verdict(data(texts("city", EVEN)), rule(of="output"), baseline=OLD))
    assert (without.outcome, without.reason) == ("not_run", "how far the output moved was not measured")


def trained(values: Mapping[str, float | None], counts: tuple[int, ...] = EVEN, status: Any = "undefined") -> Evidence:
    """Evidence with measured indices against training data, whose columns hold `counts`."""
    made = tuple(
        Measurement("population_stability", v, "ok" if v is not None else status, None if v is not None else "why not",
                    reference="train", slice=name if name == "output" else f"column: {name}")
        for name, v in values.items())
    columns = tuple(texts(name, counts) for name in values if name != "output")
    now = data(*columns, train=DataFacts(columns, rows=sum(counts)), train_file="t.csv")
    return replace(now, measurements=(*now.measurements, *made), settings={"data": {"train": "t.csv"}})


def test_against_the_training_data_as_it_was_measured(verdict: Judge) -> None:
    found = trained({"city": 0.05, "age": 0.31, "output": 0.02}, (4000, 4000, 4000))
    finding, output = verdict(found, rule(against="train", of="both")).findings
    assert [(c.group, c.value, c.outcome) for c in finding.comparisons] == [
        ("city", 0.05, "pass"), ("age", 0.31, "fail")]
    assert (output.outcome, output.seen and output.seen.value) == ("pass", 0.02)
    seen = finding.seen
    assert seen and (seen.n, seen.reference, seen.reference_n) == (12000, "train", 12000)
    few = only(verdict(trained({"city": 0.12}, (10, 10, 10)), rule(against="train")))
    assert few.outcome == "insufficient"


def test_what_cannot_be_laid_on_each_other(verdict: Judge) -> None:
    ids = Column("city", "feature", "text", 0, None)
    finding = only(verdict(data(ids, numbers("age", EVEN)), rule(), baseline=OLD))
    assert finding.outcome == "pass"
    first = finding.comparisons[0]
    assert (first.group, first.exempt, first.reason) == (
        "city", True, "its values have no cells in common with the reference")
    changed = only(verdict(data(numbers("city", EVEN), numbers("age", EVEN)), rule(), baseline=OLD))
    assert (changed.outcome, changed.reason) == ("insufficient", "it is a number here and a text in the reference")
    alone = only(verdict(data(ids), rule(), baseline=OLD))
    assert (alone.outcome, alone.counts_as) == ("insufficient", "REVIEW")
    undefined = only(verdict(trained({"city": None}), rule(against="train")))
    assert (undefined.outcome, undefined.reason, undefined.counts_as) == ("insufficient", "why not", "REVIEW")


@pytest.mark.parametrize(("found", "fields", "outcome", "reason"), [
    (OLD, {"against": "train"}, "n/a", "no --train was given"), (OLD, {}, "n/a", "no --baseline was given"),
    (replace(OLD, settings={"data": {"train": "t.csv"}}), {"against": "train"}, "not_run",
     "how far the features moved was not measured")])
def test_what_was_not_given(verdict: Judge, found: Evidence, fields: dict[str, str], outcome: str, reason: str) -> None:
    finding = only(verdict(found, rule(**fields)))
    assert (finding.outcome, finding.reason) == (outcome, reason)


def test_columns_that_are_not_there(verdict: Judge) -> None:
    now = data(texts("city", EVEN))
    with pytest.raises(InputError, match=r'columns: "ctiy" is not a column of the data; did you mean "city"'):
        verdict(now, rule(columns="[ctiy]"), baseline=OLD)
    lacking = only(verdict(now, rule(columns="[postcode]"), baseline=OLD))
    assert (lacking.outcome, lacking.reason) == ("n/a", "not in the data: postcode")
    one = only(verdict(now, rule(columns="[city, postcode]"), baseline=OLD))
    assert (one.outcome, one.reason) == ("pass", "not in the data: postcode")
    bare = only(verdict(data(texts("target", EVEN, "target")), rule(), baseline=OLD))
    assert (bare.outcome, bare.reason) == ("n/a", "no features are known")


@pytest.mark.parametrize(("fields", "said"), [
    ({"max": "0"}, '"max"'), ({"max": "declared"}, '"max" must be a number'), ({"against": "best"}, "train, baseline"),
    ({"of": "output", "columns": "[a]"}, "columns are features"), ({"min": "0"}, 'unknown key "min"')])
def test_refused(verdict: Judge, fields: dict[str, str], said: str) -> None:
    with pytest.raises(InputError) as refused:
        verdict(OLD, rule(**fields))
    assert said in refused.value.one_line()
