"""Writes the evidence beside the example of each rule kind: `policies/kinds/KIND.pass.json` and `KIND.fail.json`.

    python tools/make_examples.py

Where a kind needs a second document it is written too: `KIND.baseline.json` (given as --baseline) and
`KIND.pass.compute.json` / `KIND.fail.compute.json` (given as --compute). tests/policy/test_kind_examples.py judges
every pair and fails while a file differs from what this would write.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PLACE = ROOT / "policies" / "kinds"
sys.path.insert(0, str(ROOT / "tests" / "policy"))

from policy_evidence import CARD, SHA, compute, counted, evidence, rate, score, smoke  # noqa: E402

from govern.codec import document, encode  # noqa: E402
from govern.dataset import Bin, Column, DataFacts, Level  # noqa: E402
from govern.evidence import TRIVIAL, Evidence, Measurement, Subject  # noqa: E402
from govern.explanations import Attributions, Explanation, Proxy  # noqa: E402
from govern.lock import lock_of  # noqa: E402
from govern.policy.packs import load_policy  # noqa: E402
from govern.stats.stability import shared, stability  # noqa: E402

GOOD, POOR = (400, 100, 100, 400), (250, 230, 250, 270)
RACES = {"Asian": rate(180, 300), "Black": rate(170, 300), "White": rate(250, 400)}


def bound(passes: bool) -> Evidence:
    """Every group above the limit; or one below it."""
    return evidence({"sex": {"men": GOOD, "women": GOOD if passes else POOR}})


def disparity(passes: bool) -> Evidence:
    """Selection rates of 52 and 50 %; or of 52 and 30 %."""
    return evidence({"sex": {"men": rate(520, 1000), "women": rate(500 if passes else 300, 1000)}})


def four_fifths(passes: bool) -> Evidence:
    """Equal rates at both steps; or a first step that a good end result does not make up for."""
    found = evidence({"race": {"Black": rate(14, 48), "White": rate(70, 259)}})
    first = {"Black": (38 if passes else 26, 48), "White": (206, 259)}
    return counted(found, "selection_rate", {"race": first}, decision="test")


def support(passes: bool) -> Evidence:
    """Two groups of 50 rows; or one."""
    return evidence({"sex": {"men": rate(25, 60), "women": rate(20, 50 if passes else 49)}})


def calibration(passes: bool) -> Evidence:
    """An error of 1 % that chance explains; or one of 11 %."""
    error, p = (0.01, 0.4) if passes else (0.11, 0.0)
    return _scored(score("calibration_error", error, 0.0005, transform="square"), score("calibration_p_value", p))


def compare(passes: bool) -> Evidence:
    """Better than before and than the trivial answer; or worse than both."""
    now = (800, 110, 90, 1000) if passes else (400, 500, 500, 600)
    gain = 0.35 if passes else -0.05
    return evidence({"sex": {"men": now, "women": now}}, scores=(
        Measurement("accuracy", 0.55, reference=TRIVIAL),
        Measurement("accuracy", gain, reference=TRIVIAL, compare="difference", se=0.01, transform="identity")))


def compare_baseline() -> Evidence:
    """The version in service."""
    return evidence({"sex": {"women": (700, 200, 190, 910), "men": (700, 200, 190, 910)}})


def explanation(passes: bool) -> Evidence:
    """Contributions that add up and point as expected, and reasons in words; or the column of a sensitive feature
    first, and what stands for another second."""
    ranked: Mapping[str, float] = {"income": 0.8, "debt": -0.7, "years": 0.4, "age": 0.1} if passes else \
        {"age": -0.6, "debt": 0.5, "income": 0.8, "years": 0.4}
    steps, worded, dropped = (6, 120, 0) if passes else (310, 93, 12)
    made = [Measurement("attribution_residual", 1e-9 if passes else 0.02),
            Measurement("gap_share", 0.41 if passes else 0.83, group="g1", reference="g2", slice="column: debt"),
            Measurement("shape_violation_share", steps / 5500, numerator=steps, denominator=5500, slice="column: debt"),
            Measurement("reason_coverage", worded / 120, numerator=worded, denominator=120),
            Measurement("reason_dropped_share", dropped / 120, numerator=dropped, denominator=120)]
    for place, (name, direction) in enumerate(ranked.items(), 1):
        made += [Measurement("attribution_rank", float(place), slice=f"column: {name}"),
                 Measurement("attribution_direction", direction, slice=f"column: {name}")]
    said = {"directions": {"debt": "falls"}, "prohibited": ["age"],
            "reasons": {name: f"{name.capitalize()} of the applicant" for name in ("income", "debt", "years")}}
    stands = Proxy("sex", "years" if passes else "debt", 0.71, 0.66, 0.76, 0.95, 500, "ridge", used=0.2, listed=True)
    given = {"model": {"name": "credit"}, "data": {"sensitive": ["age", "sex"]}, "explain": said}
    return _scored(*made, settings=given,
                   attributions=Attributions("linear", "log-odds", 500, 100, "rows of the data", 0, 0.1, 1e-9, True),
                   explanation=Explanation(proxies=(stands,)))


def smoke_checks(passes: bool) -> Evidence:
    """All checks passed; or outputs that are not finite, and others the second time."""
    return replace(_scored(), smoke=smoke() if passes else smoke(smoke_finite=3.0, smoke_repeatable=0.2))


def words(passes: bool) -> Evidence:
    """A card that is filled in; or one with a placeholder."""
    return replace(_scored(), card=CARD if passes else {**CARD, "owner": "TBD"})


def table(passes: bool) -> Evidence:
    """A small group that is left out with a reason; or a large one."""
    why = {"category": "Other" if passes else "Asian", "justification": "Twelve applicants, below 2 % of the rows"}
    return replace(evidence({"race": {**RACES, "Other": rate(6, 12)}}), card={"left_out": [why]})


def costs(passes: bool) -> Evidence:
    """Declared limits; the numbers are in the compute document."""
    del passes
    return replace(_scored(), declared={"latency_p95_ms": 50, "peak_memory_mb": 500})


def data(passes: bool) -> Evidence:
    """Complete columns and new rows; or a column with gaps and rows seen in training."""
    gaps, seen = (12, 3) if passes else (140, 90)
    columns = (("age", 0), ("income", gaps))
    return _scored(*(Measurement("missing_share", x / 2000, numerator=x, denominator=2000, slice=f"column: {name}")
                     for name, x in columns),
                   Measurement("train_overlap_share", seen / 2000, numerator=seen, denominator=2000),
                   settings={"model": {"name": "credit"}, "data": {"train": "train.csv"}},
                   data=DataFacts(tuple(Column(n, "feature", "number", x, None) for n, x in columns), 0))


def drift(passes: bool) -> Evidence:
    """Columns and scores as in training; or a column and the scores that have moved."""
    before, after = (500, 500, 500, 500), (520, 480, 510, 490) if passes else (900, 600, 300, 200)

    def facts(counts: tuple[int, ...]) -> DataFacts:
        city = Column("city", "feature", "text", 0, 4, levels=tuple(map(Level, "abcd", counts)))
        bins = tuple(Bin(i / 4, n) for i, n in enumerate(counts))
        return DataFacts((city,), 0, rows=sum(counts), output=Column("score", "output", "number", 0, 4, 0.0, 0.75,
                                                                     bins=bins))

    now, then = facts(after), facts(before)
    pairs = {"column: city": (then.columns[0], now.columns[0]), "output": (then.output, now.output)}
    moved = [Measurement("population_stability", stability(*shared(one, two)), reference="train", slice=name)
             for name, (one, two) in pairs.items()]
    return _scored(*moved, data=now, train=then,
                   settings={"model": {"name": "credit"}, "data": {"train": "train.csv"}})


def dates(passes: bool) -> Evidence:
    """Data and an audit of this autumn; or of two years ago."""
    last, audit = ("2026-10-31", "2026-09-15") if passes else ("2024-12-31", "2024-09-15")
    return replace(_scored(), data=DataFacts((), 0, period=("2024-01-01", last)),
                   card={**CARD, "audit": {"date": audit}})


def record(passes: bool) -> Evidence:
    """Everything by digest and locked before the run; or settings without one, and a limit changed after the lock."""
    then, now = {"latency_p95_ms": 50.0}, {"latency_p95_ms": 50.0 if passes else 80.0}
    policy = load_policy(str(PLACE / "integrity.yaml")).info
    lock = lock_of([policy], then, "2026-11-20T14:02:00Z")
    data = document(lock)
    subjects = [Subject(role, name, SHA, 1000, form) for role, name, form in (
        ("model", "model.pkl", "joblib"), ("data", "eval.csv", "csv"), ("config", "govern.yaml", "yaml"))]
    found = subjects if passes else subjects[:2]
    locked = Subject("policy-lock", "govern.lock", hashlib.sha256(data).hexdigest(), len(data), "json")
    return replace(_scored(), subjects=(*found, locked), lock=encode(lock), declared=now)


def _scored(*measured: Measurement, **changes: Any) -> Evidence:
    """Two equal groups with scores, and what was measured."""
    scores = (score("roc_auc", 0.83, 0.05, transform="logit"), *measured)
    return evidence({"sex": {"men": GOOD, "women": GOOD}}, scores=scores, **changes)


EXAMPLES: dict[str, Callable[[bool], Evidence]] = {
    "bound": bound, "disparity": disparity, "four-fifths": four_fifths, "support": support, "calibration": calibration,
    "compare": compare, "explanation": explanation, "smoke": smoke_checks, "document": words, "table": table,
    "compute": costs, "data": data, "drift": drift, "fresh": dates, "integrity": record,
}


def _named(made: Evidence) -> Evidence:
    """The evidence with the names that a reader needs."""
    data = {"target": "approved", "positive": "1", "favourable": "1", **made.settings.get("data", {})}
    return replace(made, settings={**made.settings, "data": data})


def files() -> dict[str, bytes]:
    """The bytes of every document, by file name."""
    found = {}
    for kind, make in EXAMPLES.items():
        for way in ("pass", "fail"):
            found[f"{kind}.{way}.json"] = document(_named(make(way == "pass")))
    found["compare.baseline.json"] = document(_named(compare_baseline()))
    for way, latency, memory in (("pass", 12.5, 310.0), ("fail", 84.0, 910.0)):
        made = compute(latency_p95_ms=latency, peak_memory_mb=memory)
        sha256 = hashlib.sha256(found[f"compute.{way}.json"]).hexdigest()
        found[f"compute.{way}.compute.json"] = document(replace(made, evidence_sha256=sha256))
    return found


if __name__ == "__main__":
    for name, content in files().items():
        (PLACE / name).write_bytes(content)
