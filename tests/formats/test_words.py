from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import sample

from govern.formats.naming import favourable
from govern.formats.tally import open_findings, tally
from govern.formats.words import reason
from govern.verdict import Comparison, Finding, Settle, count_findings


def _by_rule(rule: str, outcome: str) -> tuple[Finding, object]:
    e = sample.evidence()
    return next(f for f in sample.findings(e) if f.rule == rule and f.outcome == outcome), e


def test_a_reason_says_number_interval_bound_and_whose() -> None:
    e = sample.evidence()
    found = sample.findings(e)[0]
    seen = found.seen
    assert seen is not None
    r = reason(found, e)
    assert r.sentence == (f"Age 25 or less: {100 * seen.numerator / seen.n:.1f}% approved "
                          f"({seen.numerator:,} of {seen.n:,}) "
                          f"against {100 * seen.reference_numerator / seen.reference_n:.1f}% "
                          f"({seen.reference_numerator:,} of {seen.reference_n:,}) for 26–35; "
                          f"ratio {seen.value:.3f} [{seen.low:.3f}, {seen.high:.3f}].")
    assert r.bound == "Bound: at least 0.92, set by house-credit (house rule; Credit policy 7.3)."
    assert r.settle == "58 more “approved” in age 25 or less would meet it."
    assert r.source == "house-credit.yaml:14"
    assert r.mark == "outside"
    assert r.glyph is not None
    assert r.glyph.line_to is not None
    assert r.glyph.line_to < r.glyph.ticks[0][0]


def test_the_favourable_outcome_without_a_word_of_its_own() -> None:
    e = sample.evidence(card={})
    assert favourable(e) == "favourable outcome (default = 0)"
    assert "% with the favourable outcome (default = 0) (" in reason(sample.findings(e)[0], e).sentence


def test_what_is_not_decided_names_the_rows_that_would_settle_it() -> None:
    e = sample.evidence()
    found = sample.findings(e)[2]
    assert reason(found, e).settle == "Not enough data: about 190 more rows of age 61 or more would settle it."
    assert reason(replace(found, settle=None), e).settle == "Not enough data to decide."
    assert reason(found, e).word == "not enough data"


def test_a_number_never_looks_as_if_it_met_the_bound_it_misses() -> None:
    e = sample.evidence()
    seen = Comparison("g1", "fail", 0.91996, 0.90, 0.919999, "g2", "ratio")
    assert "0.919960 [0.900000, 0.919999]" in reason(sample.finding(seen=seen, features=("sex",)), e).sentence


def test_documents_smoke_compute_and_whole_sample() -> None:
    e = sample.evidence()
    by = {f.rule: reason(f, e) for f in sample.findings(e)}
    assert by["BASE-14"].sentence.startswith("5 of the words people supply are missing: users, contact, out of scope")
    assert by["BASE-14"].source == "baseline (tool default)"
    assert by["BASE-03"].word == "passed"
    assert by["BASE-13"].sentence == "Latency, one row, 95th percentile: 4.13 ms."
    assert by["BASE-13"].limit == "at most 50 ms"
    assert by["BASE-04"].sentence.startswith("ROC AUC: 0.")


@pytest.mark.parametrize(("change", "sentence"), [
    ({"outcome": "insufficient", "seen": None, "reason": "every comparison is undefined"},
     "Selection rate, age: could not be computed (every comparison is undefined)."),
    ({"outcome": "not_run", "seen": None, "metric": None, "reason": "no compute document was given"},
     "Approval ratio by age: no compute document was given."),
    ({"outcome": "insufficient",
      "seen": Comparison("g1", "insufficient", None, reason="the rate of the reference is 0")},
     "Selection rate, age: could not be computed (the rate of the reference is 0).")])
def test_findings_without_a_number(change: dict[str, object], sentence: str) -> None:
    e = sample.evidence()
    r = reason(sample.finding(features=("age",), **change), e)
    assert r.sentence == sentence
    assert r.glyph is None
    assert "nan" not in r.sentence.lower()


def test_score_metrics_name_both_groups() -> None:
    e = sample.evidence()
    f = sample.finding(metric="roc_auc", compare="difference", bound_min="-0.05", features=("sex",),
                       seen=Comparison("g1", "pass", -0.01, -0.03, 0.01, "rest", "difference"), outcome="pass")
    assert reason(f, e).sentence.endswith("difference −0.010 [−0.030, 0.010].")
    assert reason(f, e).limit == "at least −0.05"


def test_the_order_of_findings_and_their_number() -> None:
    e = sample.evidence()
    v = sample.verdict(e)
    assert [f.rule for f in open_findings(v)] == ["HC-02", "HC-05", "BASE-14"]
    n = {word: k for k, word in tally(v)}
    assert n == {"block": 1, "review": 0, "warn": 1, "unsettled": 1, "waived": 0, "passed": 4, "not_assessed": 1}
    assert sum(n.values()) - n["not_assessed"] == len(v.findings)
    assert v.counts == count_findings(v.findings)
    review = count_findings([replace(v.findings[2], counts_as="REVIEW")])
    assert (review["review"], sum(review.values())) == (1, 1)


def test_forbidden_words_never_appear() -> None:
    from govern.formats.strings import strings

    text = str(strings().table).lower()
    for word in ("unbiased", "biased", "compliant", "violation", " fair ", "nan"):
        assert word not in text


def test_plurals() -> None:
    e = sample.evidence()
    f = replace(sample.findings(e)[0], settle=Settle("g1", selections=1))
    assert reason(f, e).settle.startswith("1 more ")
