"""The sample documents with what policies add to a card: changes, signatures, coverage, a lock, published tables."""

from __future__ import annotations

from dataclasses import replace

import sample

from govern.dataset import DataFacts
from govern.evidence import Evidence, Measurement, Subject
from govern.verdict import Change, Comparison, Coverage, PolicyInfo, ToSign, Verdict

LOCK = "5ac1" * 16
DATA = (
    Measurement("duplicate_share", 0.01, numerator=240, denominator=24_000),
    Measurement("label_conflict_share", None, "undefined", "only counted up to 1,048,576 rows"),
    Measurement("train_overlap_share", 0.002, numerator=48, denominator=24_000),
    Measurement("pair_coverage", 0.75, numerator=9, denominator=12, slice="pairs: sex, age"),
    Measurement("missing_share", 0.1, split="train", slice="column: income"),
    Measurement("single_feature_auc", 0.71, slice="column: pay_0"),
    Measurement("single_feature_auc", 0.52, slice="column: <limit>"),
    Measurement("population_stability", 0.31, reference="train", slice="column: pay_0"),
    Measurement("population_stability", 0.02, reference="train", slice="output"),
    Measurement("unseen_value_share", 0.0, numerator=0, denominator=24_000, slice="column: pay_0"),
    Measurement("case_rows", 41.0, slice="case: sex=women, age=26–35"),
    Measurement("case_rows", 12.0, slice="case: sex=women, age=26–35", split="train"),
)


def evidence(n: int = 2400) -> Evidence:
    """The sample evidence with checks of the data, declared shares, and a lock."""
    e = sample.evidence(n)
    women, men = (next(g for g in e.feature_groups["sex",] if g.values == (v,)) for v in sample.SEX)
    shares = (
        Measurement("group_share", women.n / n, group=women.id, numerator=women.n, denominator=n),
        Measurement("group_share", men.n / n, group=men.id, numerator=men.n, denominator=n),
        Measurement("group_share_gap", abs(women.n / n - 0.5), group=women.id, se=0.01),
        Measurement("group_share_stability", 0.04, features=("sex",)),
        Measurement("group_share", 0.55, group=women.id, split="train", numerator=55, denominator=100))
    settings = {**e.settings, "data": {**e.settings["data"], "shares": {"sex": {"women": 0.5, "men": 0.5}}}}
    lock = Subject("policy-lock", "govern.lock", LOCK, 812, "json")
    return replace(e, measurements=(*e.measurements, *DATA, *shares), train=DataFacts(rows=9_000), settings=settings,
                   lock={"schema": "govern.lock/1", "locked": "2026-11-20T14:02:00Z"}, subjects=(*e.subjects, lock))


def verdict(e: Evidence) -> Verdict:
    """A verdict with a changed rule, people to sign, a grid, a four-fifths table and notes on a policy's state."""
    found = list(sample.findings(e))
    found[0] = replace(found[0], changes=(Change("max", "0.10", "0.08", "house-credit", "agreed <b>by</b> us"),
                                          Change("by", None, "sex, age", "house-credit", "narrowed")))
    age = [g for g in e.feature_groups["age",] if not g.missing]
    reference = max(age, key=lambda g: g.n)
    tests = [sample.comparison(e, g.id, reference.id, outcome="insufficient", p_value=0.0312, p_adjusted=0.12, z=-2.1,
                               test="fisher", flips=True, shortfall=4.2) for g in age if g is not reference]
    found.append(sample.finding(rule="EEOC-1", kind="four-fifths", policy="eeoc-four-fifths", features=("age",),
                                outcome="insufficient", counts_as="REVIEW", basis="law", bound_min="0.80",
                                decision="interview", title={"en": "Selection rates by age"}, seen=tests[0],
                                comparisons=tuple(tests), cite="29 CFR 1607.4(D)"))
    found.append(sample.finding(rule="BASE-02", kind="integrity", policy="baseline", outcome="pass",
                                counts_as="PASS", metric=None, compare=None, bound_min=None, each="lock",
                                reason="locked 2026-11-20T14:02:00Z",
                                title={"en": "Fixed before the run"}))
    found.append(sample.finding(rule="BASE-05", kind="compare", policy="baseline", outcome="pass", counts_as="PASS",
                                metric="roc_auc", compare="difference", bound_min="0",
                                title={"en": "Better than guessing"},
                                seen=Comparison("overall", "pass", 0.27, 0.25, 0.29, reference="trivial",
                                                compare="difference")))
    grid = tuple(Coverage(phase, category, rules, binding, done, left)  # type: ignore[arg-type]
                 for category, rules, done, left in (("technology", 9, 7, 2), ("process", 3, 1, 2),
                                                     ("culture", 0, 0, 0))
                 for phase, binding in zip(("desk", "poc", "team", "company"), (0, 0, rules - 1, rules), strict=True))
    signed = (ToSign("BASE-16", "baseline", {"en": "Signatures"}, ("developer", "independent_reviewer"), True,
                     {"en": "I have read the findings."}),)
    made = sample.verdict(e, found=tuple(found), to_sign=signed, coverage=grid)
    flux = PolicyInfo("eeoc-four-fifths", "1", "ef" * 32, "in_flux", "2026-01-05", {"en": "Four fifths"}, (),
                      "1978-09-25", "2027-01-01", ("its state was last looked at 320 days ago",))
    return replace(made, policies=(*made.policies, flux))
