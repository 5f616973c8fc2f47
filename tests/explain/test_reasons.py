"""Whom adverse decisions are compared with, and their reasons."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from linear_rows import APPROVED, DEFAULTED, NUMBERS, asked, linear, settings

from govern.explain.explained import ExplainedRows
from govern.explain.reasons import generic, measurements, reason_codes
from govern.explain.reference import principal, reference
from govern.explain.varied import Answers
from govern.explanations import ReasonCodes, ReasonCount
from govern.inputs.labels import Target

# A published worked number: weights of 1, a cut-off of 10, means of everyone (5, 4, 3) and of the approved (6, 5, 4).
APPLICANT = (2, 4, 1)


def published() -> ExplainedRows:
    """60 approved rows around (6, 5, 4) and 30 others, the applicant first among them, around (3, 2, 1)."""
    approved = [(6 + d, 5 - d, 4) for d in (-1, 0, 1)] * 20
    others = [APPLICANT, (4, 0, 1)] + [(3, 2, 1)] * 28
    x = dict(zip(("x1", "x2", "x3"), np.array([*others, *approved], float).T.tolist(), strict=True))
    return linear(x, (1, 1, 1), 10)


def codes(rows: ExplainedRows, target: Target = APPROVED, *, ask: Any = None, **given: Any) -> ReasonCodes:
    compared = reference(rows, target, given.get("background", "all"))
    assert compared is not None
    found = reason_codes(rows, compared, settings(**given), ask)
    assert found is not None
    return found


@pytest.mark.parametrize(("background", "behind", "short", "reasons"), [
    ("all", 90, (3, 0, 2), ["x1", "x3"]), ("near-cutoff", 30, (4, 1, 3), ["x1", "x3", "x2"])])
def test_the_background_decides_which_reasons_there_are(background: str, behind: int, short: tuple[int, ...],
                                                        reasons: list[str]) -> None:
    rows = published()
    compared = reference(rows, APPROVED, background)
    assert compared is not None and compared.rows.sum() == behind and compared.name == background
    found = compared.shortfalls(rows)[0]
    assert found == pytest.approx(short, abs=1e-12)
    assert [rows.features[j] for j in principal(found[None, :], 4)[0]] == reasons


def test_near_the_cutoff_are_the_favourable_rows_with_the_least_to_spare() -> None:
    x = np.arange(1000.0)
    near = reference(linear({"x": x.tolist()}, [1], 500), APPROVED, "near-cutoff")
    assert near is not None and np.flatnonzero(near.rows).tolist() == list(range(500, 550))
    few = reference(linear({"x": x[:520].tolist()}, [1], 500), APPROVED, "near-cutoff")
    assert few is not None and few.rows.sum() == 20
    # Where people wish for a low score the rows just below the cut-off are those.
    low = reference(linear({"x": x.tolist()}, [1], 500, rises=False), DEFAULTED, "near-cutoff")
    assert low is not None and np.flatnonzero(low.rows).tolist() == list(range(450, 500)) and low.sign == -1


def test_means_are_of_the_weighted_rows() -> None:
    rows = linear({"x": [0, 1, 2, 7]}, [1], 5, weight=np.array([1.0, 1, 1, 3]))
    compared = reference(rows, APPROVED, "all")
    assert compared is not None
    assert compared.shortfalls(rows)[:, 0] == pytest.approx(4 - np.array([0.0, 1, 2, 7]))  # (0 + 1 + 2 + 21) / 6


def test_an_unfavourable_score_turns_the_reasons_round() -> None:
    rows = linear({"debt": [1, 2, 9], "income": [5, 5, 2]}, [1, -1], 3, rises=False)
    found = codes(rows, DEFAULTED)
    assert (found.rows, found.explained) == (1, 1)
    assert [r.feature for r in found.reasons] == ["debt", "income"]  # 5 above its mean, and 2 below


def test_counts_order_and_the_most_that_are_given() -> None:
    rows = linear({"a": [0, 4, 9, 9], "b": [3, 0, 9, 9], "c": [8, 8, 2, 2]}, [1, 1, 1], 15)
    every = codes(rows)
    assert every.reasons == (ReasonCount("a", "", 1, 2), ReasonCount("b", "", 1, 2))  # by name where equally often
    assert (every.rows, every.explained, every.most, every.background_rows) == (2, 2, 4, 4)
    one = codes(rows, most_reasons=1)
    assert one.reasons == (ReasonCount("a", "", 1, 1), ReasonCount("b", "", 1, 1))
    assert (one.covered, one.without_text) == (None, ())


def test_prohibited_features_are_never_a_reason_and_dropping_one_is_counted() -> None:
    rows = linear({"age": [0, 9, 9, 9], "b": [1, 1, 9, 9], "c": [1, 2, 2, 3]}, [1, 1, 1], 15)
    found = codes(rows, prohibited=("age", "race"))
    assert [r.feature for r in found.reasons] == ["b", "c"] and found.prohibited == ("age", "race")
    assert (found.rows, found.dropped) == (2, 1)  # the second row has the highest age
    of = {m.metric: m for m in measurements(found, settings(prohibited=("age", "race")))}
    assert (of["reason_dropped_share"].value, of["reason_dropped_share"].denominator) == (0.5, 2)
    alone = codes(linear({"age": [0, 9]}, [1], 5), prohibited=("age",))
    assert (alone.rows, alone.explained, alone.dropped, alone.reasons) == (1, 0, 1, ())


def test_sentences_by_side_and_what_they_cover() -> None:
    x = {"income": [1, 9, 30, 30], "use": [5, 9, 1, 1], "kind": ["p", "q", "q", "q"], "gap": [None, 2, 3, 3]}
    levels = {"kind": {"p": 0.0, "q": 2.0}}
    rows = linear(x, [1, -1, 1, 1], 15, levels=levels)
    words = {"income": {"low": "Income too low", "high": "Income out of line"}, "use": "High use of credit",
             "kind": {"low": "never said of a level"}, "gap": {"low": "Too few months"}}
    found = codes(rows, reasons=words)
    assert {(r.feature, r.text): r.any for r in found.reasons} == {
        ("income", "Income too low"): 2, ("use", "High use of credit"): 2, ("kind", ""): 1, ("gap", ""): 1}
    # A missing value and a level lie on no side. The first row has two reasons without a sentence.
    assert (found.without_text, found.covered, found.explained) == (("gap", "kind"), 1, 2)
    (m,) = [m for m in measurements(found, settings(reasons=words)) if m.metric == "reason_coverage"]
    assert (m.value, m.numerator, m.denominator) == (0.5, 1, 2)
    more = {**words, "gap": {"missing": "Months not given"}, "kind": "Kind of contract"}
    found = codes(rows, reasons=more)
    assert (found.without_text, found.covered) == ((), 2)
    assert "Months not given" in {r.text for r in found.reasons}


@pytest.mark.parametrize(("text", "said"), [
    ("Failed to achieve a qualifying score", True), ("Internal standards", True), ("社内基準による", True),
    ("TODO", True), (" - ", True), ("Length of employment", False), ("収入に対する負債の割合が高い", False)])
def test_sentences_that_name_no_reason(text: str, said: bool) -> None:
    assert generic(text) is said
    found = codes(linear({"a": [0, 9]}, [1], 5), reasons={"a": text})
    assert (found.generic, found.covered) == ((("a",), 0) if said else ((), 1))


def test_the_direct_method_agrees_with_an_additive_model_and_not_with_wrong_contributions() -> None:
    rng = np.random.default_rng(0)
    x: dict[str, Any] = {f"x{i}": rng.integers(0, 6, 400).tolist() for i in range(5)}
    x["kind"] = rng.choice(["p", "q", "r"], 400).tolist()
    x["x0"][7] = None
    levels, weights = {"kind": {"p": 0.0, "q": 3.0, "r": 5.0}}, [1, 2, -3, 1, 1, 1]
    calls: list[int] = []
    rows = linear(x, weights, 5, levels=levels)
    found = codes(rows, ask=asked(weights, levels, calls))
    assert found.agreement == 1 and found.compared == 100 and sum(calls) <= 20_000
    near = codes(rows, ask=asked(weights, levels), background="near-cutoff")
    assert near.agreement is not None and near.agreement > 0.99
    wrong = replace(rows, outputs=(replace(rows.outputs[0], values=-rows.outputs[0].values),))
    assert (codes(wrong, ask=asked(weights, levels)).agreement or 0) < 0.5
    (m,) = [m for m in measurements(found, settings()) if m.metric == "reason_agreement"]
    assert m.value == 1


def test_many_values_are_compared_through_few() -> None:
    rng = np.random.default_rng(1)
    x = {f"x{i}": rng.normal(size=500).tolist() for i in range(12)}
    weights = rng.normal(size=12).tolist()
    rows = linear(x, weights, 0)
    found = codes(rows, ask=asked(weights))
    assert found.compared == 100 and (found.agreement or 0) > 0.95
    compared = reference(rows, APPROVED, "all")
    assert compared is not None
    fewer = reason_codes(rows, compared, settings(), asked(weights), evaluations=121 * 7)
    assert fewer is not None and fewer.compared == 7


def test_log_odds_are_held_against_log_odds() -> None:
    """With probabilities near 1 the same steps in log-odds are unlike in probability."""
    rng = np.random.default_rng(2)
    x = {f"x{i}": rng.choice([0.0, 1, 6], 300).tolist() for i in range(4)}
    weights = [1.0, 1.1, 1.2, -2.0]
    rows = replace(linear(x, weights, 5), space="log-odds")
    raw = asked(weights)
    ask = Answers("probability", lambda batch: 1 / (1 + np.exp(-raw.of(batch))))
    assert codes(rows, ask=ask, most_reasons=1).agreement == 1
    assert (codes(replace(rows, space="margin"), ask=ask, most_reasons=1).agreement or 0) < 1


def test_answers_that_are_not_finite_say_nothing() -> None:
    rows = published()
    ask = replace(asked((1, 1, 1)), of=lambda batch: np.full((batch.num_rows, 1), np.nan))
    found = codes(rows, ask=ask)
    assert (found.agreement, found.compared) == (None, 0)
    assert [m.metric for m in measurements(found, settings())] == []


def test_tasks_without_adverse_decisions() -> None:
    rows = linear({"x": [1, 2]}, [1], 0)
    assert reference(rows, NUMBERS, "all") is None
    compared = reference(rows, APPROVED, "all")
    assert compared is not None and reason_codes(rows, compared, settings()) is None
    assert list(measurements(None, settings())) == []
    classes = Target("multiclass", ("a", "b", "c"))
    assert reference(rows, classes, "all") is None  # no class is the favourable one


def test_of_several_classes_the_favourable_one_speaks() -> None:
    rows = linear({"x": [1, 2, 9], "y": [5, 5, 5]}, [1, 1], 12)
    first = replace(rows.outputs[0], label="b")
    other = replace(first, values=-first.values, label="a")
    several = replace(rows, outputs=(other, first))
    compared = reference(several, Target("multiclass", ("a", "b", "c"), favourable="b"), "all")
    assert compared is not None and (compared.place, compared.sign) == (1, 1.0)
    found = reason_codes(several, compared, settings())
    assert found is not None and [r.feature for r in found.reasons] == ["x"]
    assert reference(several, Target("multiclass", ("a", "b", "c"), favourable="c"), "all") is None


def test_nobody_to_compare_with() -> None:
    rows = linear({"x": [1, 2]}, [1], 5)
    given = {"background": "near-cutoff", "reasons": {"x": "Too few"}, "prohibited": ("y",)}
    found = codes(rows, **given)
    assert (found.rows, found.explained, found.background_rows) == (2, 0, 0)
    for m in measurements(found, settings(**given)):
        assert (m.value, m.status) == (None, "undefined") and m.reason and "favourably" in m.reason
    assert len(list(measurements(found, settings(**given)))) == 2
