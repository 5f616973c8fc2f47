"""The pass and fail evidence beside each pack, made from counts.

`python tests/policy/pack_evidence.py` writes them; a test compares them with the files. The evidence that passes
`japan-mlqm` records a lock of that very file, so it is written anew whenever the pack changes.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from policy_evidence import CARD, RECORDED, Cells, about, counted, evidence, pack_fail, pack_pass, rate  # noqa: E402

from govern.codec import digest, document, encode  # noqa: E402
from govern.dataset import DataFacts  # noqa: E402
from govern.evidence import Evidence, Measurement, Subject  # noqa: E402
from govern.lock import lock_of  # noqa: E402
from govern.policy.packs import load_policy  # noqa: E402

Selected = Mapping[str, tuple[int, int]]
# 6 RCNY § 5-301, example: selected and applicants by sex with race or ethnicity.
LL144: Selected = {
    "Male:Hispanic or Latino": (90, 205), "Male:White": (215, 412), "Male:Black or African American": (95, 226),
    "Male:Native Hawaiian or Pacific Islander": (37, 87), "Male:Asian": (167, 321),
    "Male:Native American or Alaska Native": (11, 24), "Male:Two or More Races": (52, 115),
    "Female:Hispanic or Latino": (82, 190), "Female:White": (197, 385), "Female:Black or African American": (75, 164),
    "Female:Native Hawaiian or Pacific Islander": (15, 32), "Female:Asian": (135, 295),
    "Female:Native American or Alaska Native": (7, 17), "Female:Two or More Races": (44, 98),
}
UNKNOWN: Selected = {"Male:?": (60, 125), "Female:?": (58, 125)}


def by_both(people: Selected) -> dict[str, dict[str | None, tuple[int, int]]]:
    """Selected and all by sex, by race or ethnicity, and by both, from those by both; `?` is a missing value."""
    found: dict[str, dict[str | None, tuple[int, int]]] = {"sex": {}, "race_ethnicity": {}, "sex:race_ethnicity": {}}
    for name, counts in people.items():
        parts = name.split(":")
        for feature, value in (("sex", parts[0]), ("race_ethnicity", parts[1]), ("sex:race_ethnicity", name)):
            key = None if value == "?" else value
            found[feature][key] = (found[feature].get(key, (0, 0))[0] + counts[0],
                                   found[feature].get(key, (0, 0))[1] + counts[1])
    return found


def selection(people: Selected, **changes: Any) -> Evidence:
    """Evidence of people selected by sex, race or ethnicity, and both."""
    groups = {feature: {value: rate(*counts) for value, counts in of.items()}
              for feature, of in by_both(people).items()}
    return evidence(groups, subjects=RECORDED[1:], model=None, smoke=(), **changes)


def four_fifths_pass() -> Evidence:
    """Rates of which none lies below four fifths, at a step and at the end."""
    people = {"Male:White": (160, 400), "Male:Black": (58, 150), "Female:White": (150, 380), "Female:Black": (60, 155)}
    step = {"Male:White": (240, 400), "Male:Black": (88, 150), "Female:White": (225, 380), "Female:Black": (92, 155)}
    found = selection(people, settings={"data": {"decisions": {"test": {"column": "test"}}}})
    return counted(found, "selection_rate", by_both(step), decision="test")


def four_fifths_fail() -> Evidence:
    """A step that one group passes far less often, and a bottom line that makes up for it."""
    people = {"Male:White": (160, 400), "Male:Black": (58, 150), "Female:White": (150, 380), "Female:Black": (60, 155)}
    step = {"Male:White": (300, 400), "Male:Black": (70, 150), "Female:White": (285, 380), "Female:Black": (75, 155)}
    found = selection(people, settings={"data": {"decisions": {"test": {"column": "test"}}}})
    return counted(found, "selection_rate", by_both(step), decision="test")


AUDIT: dict[str, Any] = {
    "tool_output": "selects and scores", "audit_data": "historical",
    "data_source": "Applications to one employer in 2026", "data_explanation": "Everyone the tool assessed in the year",
    "audit_date": "2026-09-15", "distribution_date": "2026-10-01",
    "publication": {"place": "Employment section of the website", "until": "Six months after the last use"},
}


def ll144_pass() -> Evidence:
    """The example of the rules, with scores, 250 people of unknown race or ethnicity and all that is published."""
    people = {**LL144, **UNKNOWN}
    # Half of everyone scores above the median; the rates are near those of the selection.
    above = {name: (min(n, k + n // 40), n) for name, (k, n) in people.items()}
    found = counted(selection(people, card=AUDIT), "scoring_rate", by_both(above))
    return replace(found, measurements=(*found.measurements, ties(12, sum(n for _, n in people.values()))))


def ll144_fail() -> Evidence:
    """Two of seven categories are not in the table, the audit is old, test data are not explained."""
    people = {k: v for k, v in {**LL144, **UNKNOWN}.items() if "Native" not in k}
    old = {**AUDIT, "audit_date": "2025-09-15", "audit_data": "test", "data_explanation": "TBD",
           "excluded_categories": [{"category": "Native American or Alaska Native"}]}
    found = counted(selection(people, card=old), "scoring_rate", by_both(people))
    return replace(found, measurements=(*found.measurements, ties(400, sum(n for _, n in people.values()))))


def ties(k: int, n: int) -> Measurement:
    """Scores equal to the median."""
    return Measurement("median_tie_share", k / n, numerator=k, denominator=n)


GUIDELINE: dict[str, Any] = {
    **CARD, "risks": [{"harm": "A good applicant is refused", "measure": "An officer looks at every refusal"}],
    "conditions_of_use": "Applications from the country, above 18", "personal_data": "Income and age, kept five years",
    "special_care_data": "なし(理由: 取得していない)", "small_cells": "Groups below 30 are not passed on",
    "security_measures": "The file is signed and only the service loads it",
    "user_summary": "Applicants are told that a score is used and how to object",
    "responsibilities": "Developer: model; officer: decision", "records": "Archive of the risk department, ten years",
}
SHARES = {"model": {"name": "credit"}, "data": {"shares": {"sex": {"men": 0.49, "women": 0.51}}}}
EVEN: Cells = (480, 180, 120, 720)


def guideline_pass() -> Evidence:
    """Equal groups, declared limits met, every word there."""
    gaps = tuple(Measurement("group_share_gap", 0.01, group=g, se=0.009) for g in ("g1", "g2"))
    return evidence({"sex": {"men": EVEN, "women": EVEN}}, subjects=RECORDED, card=GUIDELINE,
                    scores=(*about(trivial=0.3, overlap=3, residual=0.0), *gaps), settings=SHARES,
                    declared={"primary": {"metric": "accuracy", "min": 0.75}, "selection_rate_ratio": 0.8,
                              "true_positive_rate_difference": 0.1, "group_share_gap": 0.05})


def guideline_fail() -> Evidence:
    """Nobody is responsible, declared limits are missed, and nobody says why that is acceptable."""
    return replace(guideline_pass(), card={**GUIDELINE, "owner": "未定", "small_cells": "-"},
                   **of_counts({"men": (480, 360, 120, 540), "women": (300, 90, 300, 810)}))


def of_counts(sexes: Mapping[str | None, Cells]) -> dict[str, Any]:
    """Groups and counts of evidence by sex."""
    made = evidence({"sex": sexes})
    return {"groups": made.groups, "counts": made.counts, "population": made.population}


QUALITY: dict[str, Any] = {
    **CARD,
    "mlqm": {
        "fairness_level": "AIFL-2", "performance_level": "AIPL-2", "level_reason": "Personal data; decides on a loan",
        "risk_analysis": "Risk record 12", "unused_attributes": "Region is spread alike in every case",
        "labelling_policy": "Overdue for 90 days by the ledger", "stability_techniques": "L2 penalty, five folds",
        "neighbourhood_test": "Test report 7", "dependency_lock": "requirements.lock in the repository",
        "environment_difference": "None known: the same image", "maintenance_owner": "Platform team",
        "update_stop": "When the monthly figure falls below 0.72",
    },
}
CASES = ("case: sex=men", "case: sex=women")
QUALITY_SETTINGS = {"model": {"name": "credit"}, "data": {
    "train": "train.csv", "cases": [{"sex": "men"}, {"sex": "women"}], "pairs": ["sex", "region"],
    "shares": {"sex": {"men": 0.5, "women": 0.5}}, "date": "day", "period": "2026-05-01..2026-10-31"}}
COMMITTED = {"primary": {"metric": "accuracy", "min": 0.75}, "selection_rate_ratio": 0.8, "pair_coverage": 0.9,
             "missing_share": 0.05}


def rows_of(*, cases: tuple[int, int, int, int], stability: float, repeated: int, conflicts: int, outside: int,
            pairs: int, missing: int) -> tuple[Measurement, ...]:
    """What is measured of the rows of evidence and training data, of 3,000 and 9,000."""
    def share(metric: str, x: int, n: int = 3000, **more: Any) -> Measurement:
        return Measurement(metric, x / n, numerator=x, denominator=n, **more)

    return (*(Measurement("case_rows", float(n), slice=CASES[i % 2], split="eval" if i < 2 else "train")
              for i, n in enumerate(cases)),
            Measurement("group_share_stability", stability, features=("sex",)), share("duplicate_share", repeated),
            share("label_conflict_share", conflicts), share("out_of_period_share", outside),
            share("pair_coverage", pairs, 12, slice="pairs: sex, region"),
            share("missing_share", missing, slice="column: income"))


def quality_pass() -> Evidence:
    """Level 2 declared, cases and shares as declared, criteria locked before the run."""
    lock = lock_of([load_policy("japan-mlqm").info], COMMITTED, "2026-11-20T09:00:00Z")
    data = document(lock)
    rows = rows_of(cases=(1500, 1500, 4400, 4600), stability=0.001, repeated=6, conflicts=3, outside=0, pairs=12,
                   missing=12)
    return evidence({"sex": {"men": EVEN, "women": EVEN}}, card=QUALITY, scores=rows, declared=COMMITTED,
                    settings=QUALITY_SETTINGS, lock=encode(lock),
                    subjects=(*RECORDED, Subject("policy-lock", "govern.lock", digest(data), len(data), "json")),
                    data=DataFacts(period=("2026-05-01", "2026-10-31")))


def quality_fail() -> Evidence:
    """A case of a dozen rows in training, shares far from the declared, labels that conflict, criteria not locked."""
    rows = rows_of(cases=(1500, 1500, 8988, 12), stability=0.4, repeated=90, conflicts=60, outside=45, pairs=7,
                   missing=600)
    words = {k: v for k, v in QUALITY["mlqm"].items() if k not in ("risk_analysis", "update_stop")}
    return replace(quality_pass(), measurements=rows, lock={}, subjects=RECORDED, card={**QUALITY, "mlqm": words},
                   **of_counts({"men": (420, 360, 180, 540), "women": (240, 90, 360, 810)}))


PACK_EVIDENCE = {
    "baseline.pass.json": pack_pass, "baseline.fail.json": pack_fail,
    "eeoc-four-fifths.pass.json": four_fifths_pass, "eeoc-four-fifths.fail.json": four_fifths_fail,
    "nyc-ll144.pass.json": ll144_pass, "nyc-ll144.fail.json": ll144_fail,
    "japan-ai-business-guideline.pass.json": guideline_pass, "japan-ai-business-guideline.fail.json": guideline_fail,
    "japan-mlqm.pass.json": quality_pass, "japan-mlqm.fail.json": quality_fail,
}

if __name__ == "__main__":
    for name, make in PACK_EVIDENCE.items():
        (ROOT / "policies" / name).write_bytes(document(make()))
