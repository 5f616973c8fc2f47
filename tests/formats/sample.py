"""Documents built by hand for the format tests: rows drawn from a seed, counted here, nothing measured by govern."""

from __future__ import annotations

import random
from bisect import bisect_right
from dataclasses import replace
from functools import lru_cache
from itertools import combinations
from typing import Any

from govern.dataset import Column, DataFacts, Excluded, Level, Population
from govern.evidence import (
    COMPUTE_SCHEMA,
    EVIDENCE_SCHEMA,
    OVERALL,
    Compute,
    Containment,
    Counts,
    Curve,
    Evidence,
    Group,
    Interval,
    Measurement,
    Model,
    SmokeCheck,
    Subject,
)
from govern.explanations import (
    Attribution,
    AttributionDifference,
    Attributions,
    Correlated,
    Explanation,
    Gap,
    GapPart,
    Local,
    LocalPart,
    Permuted,
    Proxy,
    ReasonCodes,
    ReasonCount,
    Shape,
    ShapeLine,
)
from govern.metrics import COUNT_METRICS, METRICS
from govern.stats.intervals import newcombe, ratio, transformed, wilson
from govern.verdict import (
    VERDICT_SCHEMA,
    Comparison,
    Finding,
    NotAssessed,
    PolicyInfo,
    Settle,
    Verdict,
    WaiverState,
    count_findings,
)

SHA = {"model": "9f3c71d0" + "a4" * 28, "data": "1b2c3d4e" + "5f" * 28, "config": "77e0aa10" + "0b" * 28,
       "evidence": "41ab09e2" + "c3" * 28, "verdict": "7c11f0d3" + "9d" * 28}
DIGESTS = {"evidence": SHA["evidence"], "verdict": SHA["verdict"]}
SEX, AGES = ("women", "men"), ("25 or less", "26–35", "36–45", "46–60", "61 or more")
SCHOOLS = ("graduate school", "high school", "other", "university")
FEATURES = ["pay_0", "limit_bal", "pay_2", "pay_amt1", "bill_amt1", "pay_3", "pay_amt2", "pay_4", "pay_amt3", "pay_5"]
CARD = {
    "favourable_outcome": "approved", "purpose": "Approves or declines credit-card applications",
    "decision": "credit approval, automated below NT$ 50,000", "owner": "Retail Risk · A. Lin", "tier": "HIGH",
    "data_source": "Default of Credit Card Clients, UCI Machine Learning Repository, CC BY 4.0",
    "data_period": "April to September 2005", "limitations": ["one bank, one country", "clients of 2005"],
    "monitoring_plan": {"metric": "roc_auc", "frequency": "monthly", "owner": "Retail Risk", "trigger": "below 0.75"},
    "users": "TODO",
}


@lru_cache
def _rows(n: int, seed: int) -> list[tuple[str | None, str, str, int, float]]:
    draw = random.Random(seed)
    rows = []
    for _ in range(n):
        sex = draw.choices((*SEX, None), (60, 39.5, 0.5))[0]
        age = draw.choices(AGES, (8, 40, 30, 20.4, 1.6))[0]
        school = draw.choices(SCHOOLS, (35, 16, 2, 47))[0]
        score = draw.betavariate(1.1, 3.9 - (sex == "men") * 0.15 - (age == AGES[0]) * 1.3)
        rows.append((sex, age, school, int(draw.random() < score), round(score, 4)))
    return rows


def _interval(m: Measurement, low: float, high: float, method: str) -> Measurement:
    return replace(m, interval=Interval(low, high, 0.95, method))


def rates(counts: Counts) -> list[Measurement]:
    """The rates of a group's counts with their intervals."""
    out = []
    for name in COUNT_METRICS:
        row = METRICS[name]
        x, n = (sum(getattr(counts, k) for k in keys) for keys in (row.numerator, row.denominator))
        if n == 0:
            out.append(Measurement(name, None, "undefined", "nothing to divide by", counts.group, numerator=x,
                                   denominator=n))
        else:
            m = Measurement(name, x / n, group=counts.group, numerator=x, denominator=n)
            out.append(_interval(m, *wilson(x, n, 0.025), "wilson"))
    return out


def _auc(pairs: list[tuple[int, float]]) -> float:
    negative = sorted(s for y, s in pairs if not y)
    positive = [s for y, s in pairs if y]
    return sum(bisect_right(negative, s) for s in positive) / max(1, len(negative) * len(positive))


def _scores(pairs: list[tuple[int, float]], group: str) -> list[Measurement]:
    se = 1.8 / len(pairs) ** 0.5
    out = []
    values = {"roc_auc": _auc(pairs), "brier_score": sum((s - y) ** 2 for y, s in pairs) / len(pairs)}
    for name, value in values.items():
        m = Measurement(name, value, group=group, se=se, transform="logit")
        out.append(_interval(m, *transformed(value, se, "logit", 0.025), "delong") if 0 < value < 1 else m)
    out.append(_interval(Measurement("calibration_error", 0.0113, group=group, se=0.001, transform="square"),
                         0.004, 0.019, "debiased"))
    return out


def _pairs(groups: list[Group], counts: dict[str, Counts]) -> list[Measurement]:
    out = []
    ranked = sorted((g for g in groups if not g.missing), key=lambda g: -g.n)
    for big, small in combinations(ranked, 2):
        x1, n1, x2, n2 = counts[small.id].selected, small.n, counts[big.id].selected, big.n
        common = {"numerator": x1, "denominator": n1, "reference_numerator": x2, "reference_denominator": n2}
        gap = Measurement("selection_rate", x1 / n1 - x2 / n2, group=small.id, reference=big.id,
                          compare="difference", **common)
        out.append(_interval(gap, *newcombe(x1, n1, x2, n2, 0.025), "newcombe"))
        if x2:
            share = Measurement("selection_rate", (x1 / n1) / (x2 / n2), group=small.id, reference=big.id,
                                compare="ratio", **common)
            out.append(_interval(share, *ratio(x1, n1, x2, n2, 0.025), "log ratio"))
    return out


def _disparities(features: tuple[str, ...], groups: list[Group], counts: dict[str, Counts]) -> list[Measurement]:
    rates = [counts[g.id].selected / g.n for g in groups if not g.missing]
    return [Measurement("demographic_parity_difference", max(rates) - min(rates), features=features),
            Measurement("demographic_parity_ratio", min(rates) / max(rates), features=features),
            Measurement("equalized_odds_difference", 0.0412, features=features),
            Measurement("equalized_odds_ratio", 0.8231, features=features),
            Measurement("equal_opportunity_difference", 0.0214, features=features),
            Measurement("equal_opportunity_ratio", None, "undefined", "the largest rate is 0", features=features)]


def evidence(n: int = 6000, *, features: tuple[tuple[str, ...], ...] = (("sex",), ("age",), ("sex", "age")),
             shown: tuple[tuple[str, ...], ...] = (), rename: dict[str, str] | None = None,
             **change: Any) -> Evidence:
    """Evidence of `n` invented rows; `rename` replaces group names, `change` replaces fields."""
    rows = _rows(n, 1)
    column = {"sex": 0, "age": 1, "education": 2}
    name = (rename or {}).get
    groups, counts, found = [Group(OVERALL, (), (), n, 0, 0)], [], []

    def add(id: str, members: list[tuple[Any, ...]]) -> None:
        tp = sum(r[3] and r[4] >= 0.25 for r in members)
        fp = sum(not r[3] and r[4] >= 0.25 for r in members)
        fn, tn = sum(r[3] for r in members) - tp, sum(not r[3] for r in members) - fp
        counts.append(Counts(id, tp, fp, fn, tn, fn + tn))
        found.extend(rates(counts[-1]))
        found.extend(_scores([(r[3], r[4]) for r in members], id))

    add(OVERALL, rows)
    groups[0] = replace(groups[0], n_positive=counts[0].tp + counts[0].fn, n_favourable=counts[0].fp + counts[0].tn)
    for keys in (*features, *shown):
        by: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
        for r in rows:
            by.setdefault(tuple(r[column[k]] for k in keys), []).append(r)
        mine = []
        for values in sorted(by, key=lambda v: tuple((x is None, x or "") for x in v)):
            id = f"g{len(groups)}"
            add(id, by[values])
            positive = counts[-1].tp + counts[-1].fn
            shown_values = tuple(v if v is None else name(v, v) for v in values)
            mine.append(Group(id, keys, shown_values, len(by[values]), positive, len(by[values]) - positive,
                              keys in features))
            groups.append(mine[-1])
        found += _pairs(mine, {c.group: c for c in counts})
        if keys in features:
            found += _disparities(keys, mine, {c.group: c for c in counts})
    found.append(Measurement("trivial_accuracy", 1 - groups[0].n_positive / n))
    made = Evidence(
        EVIDENCE_SCHEMA, "2026-11-21T09:10:00Z",
        (Subject("model", "model.pkl", SHA["model"], 184_221, "pickle"),
         Subject("data", "eval.parquet", SHA["data"], 512_000, "parquet"),
         Subject("config", "govern.yaml", SHA["config"], 2_100, "yaml")),
        {"model": {"name": "credit-approval", "version": "3.2.0", "path": "model.pkl"},
         "data": {"path": "eval.parquet", "target": "default", "positive": "1", "favourable": "0", "threshold": 0.25,
                  "sensitive": ["sex", "age", "sex:age"], "bands": {"age": [25, 35, 45, 60]}},
         "phase": "team", "seed": 0, "policies": ["baseline", "house-credit.yaml"], "intervals": {"level": 0.95},
         "versions": {"govern": "0.1.0", "scikit-learn": "1.9.1", "fairlearn": "0.15.0", "shap": "0.51.0"}},
        Containment("every name is on the allow-list", (), ("no network (seccomp)", "address space 8 GiB"), ()),
        Population(n + 12, n, (Excluded("target is missing", 12),)),
        DataFacts((Column("default", "target", "number", 12, 2, levels=(Level("0", n - 1000), Level("1", 1000))),
                   Column("sex", "sensitive", "text", 30, 2, levels=(Level("women", 3600), Level("men", 2370))),
                   Column("limit_bal", "feature", "number", 0, None, 10_000.0, 800_000.0),
                   *(Column(f, "feature", "number", 0, 11, -2.0, 8.0) for f in FEATURES if f != "limit_bal")),
                  duplicates=17),
        tuple(groups), tuple(counts), tuple(found),
        model=Model("sklearn.ensemble.HistGradientBoostingClassifier", {"scikit-learn": "1.9.1"}, tuple(FEATURES),
                    {"max_iter": 120, "learning_rate": 0.08}, ("0", "1")),
        curves=_curves(rows), attributions=_attributions(groups), explanation=explanation(groups),
        smoke=(SmokeCheck("smoke_loads", True, 1.0, 1.0), SmokeCheck("smoke_shape", True, 0.0, 0.0),
               SmokeCheck("smoke_batch", True, 2.2e-16, 1e-6),
               SmokeCheck("smoke_probability", None, None, 0.0, "the model gives labels only")),
        declared={"primary": {"metric": "roc_auc", "min": 0.75}, "latency_p95_ms": 50}, card=dict(CARD),
        notes=("The favourable label was given.",))
    return replace(made, **change)


def _curves(rows: list[tuple[str | None, str, str, int, float]]) -> tuple[Curve, ...]:
    ranked = sorted(rows, key=lambda r: -r[4])
    positives = sum(r[3] for r in rows)
    x, y, tp = [0.0], [0.0], 0
    for i, r in enumerate(ranked, 1):
        tp += r[3]
        if i % (len(rows) // 60) == 0 or i == len(rows):
            x.append((i - tp) / (len(rows) - positives))
            y.append(tp / positives)
    size = len(rows) // 15
    bins = [ranked[i * size:(i + 1) * size] for i in range(15)][::-1]
    return (Curve("roc", OVERALL, tuple(x), tuple(y)),
            Curve("calibration", OVERALL, tuple(sum(r[4] for r in b) / len(b) for b in bins),
                  tuple(sum(r[3] for r in b) / len(b) for b in bins), tuple(len(b) for b in bins)))


def _attributions(groups: list[Group]) -> Attributions:
    out = []
    for g in groups:
        for i, f in enumerate(FEATURES):
            size = 0.42 / (1 + i) + 0.001 * len(g.name)
            out.append(Attribution(f, g.id, min(g.n, 1000), size, 0.01, size / 3,
                                   None if f == "limit_bal" else (-1) ** i * 0.8, size - 0.0196, size + 0.0196))
    named = [g.id for g in groups if g.features][:2]
    return Attributions(
        "LightGBM pred_contrib, exact", "log-odds", 1000, 0, "the rows each tree counted in training", 0, -1.32,
        3.1e-9, True, tuple(out), error=0.0317, settled=4, stopped="rows", evaluations=1000, stability=0.92,
        stability_over="halves", agreement=0.8123,
        permuted=tuple(Permuted(f, "brier_score", 0.0341 / (1 + i), 0.001, 900) for i, f in enumerate(FEATURES)),
        correlated=(Correlated("bill_amt1", "pay_amt1", 0.9312, "absolute rank correlation"),
                    Correlated("limit_bal", "pay_0", 0.7541, "Cramér's V")),
        differences=tuple(AttributionDifference("limit_bal", g, what, value, value - 0.0412, value + 0.0412, 3e-7, 5e-6)
                          for g in named for what, value in (("size", 0.1234), ("direction", -0.2345))))


def gap(group: str, reference: str, of: str, value: float, *, label: str | None = None, unit: float = 1.0,
        revealing: float | None = 0.314) -> Gap:
    """A gap of six parts and two others, of which the first has half."""
    shares = (0.5, 0.3, 0.2, -0.1, 0.07, 0.02)
    parts = tuple(GapPart(f, value * s, value * s - 0.0101 * unit, value * s + 0.0101 * unit)
                  for f, s in zip(FEATURES, shares, strict=False))
    method = "difference of mean contributions" if of == "output" else \
        "difference of mean Shapley values of the decision at the threshold, over 32 orders of the contributions"
    others = GapPart("", value * (1 - sum(shares)), -0.01 * unit, 0.01 * unit)
    return Gap(of, method, group, reference, 421, 579, value, value - 0.0321 * unit, value + 0.0321 * unit, 0.95, parts,
               revealing, label, others, 2)


def explanation(groups: list[Group], unit: float = 1.0, label: str | None = None) -> Explanation:
    """All that may be known besides attributions, of the first sensitive features."""
    single = [g for g in groups if len(g.features) == 1 and not g.missing]
    gaps, proxies = [], []
    for feature in dict.fromkeys(g.features[0] for g in single):
        mine = [g for g in single if g.features == (feature,)]
        largest = max(mine, key=lambda g: g.n)
        for i, g in enumerate(g for g in mine if g is not largest):
            gaps.append(gap(g.id, largest.id, "output", (0.1876 - 0.05 * i) * unit, unit=unit, label=label))
            if label is None and unit == 1.0:
                gaps.append(gap(g.id, largest.id, "selection", -0.0821 + 0.02 * i))
        proxies += [Proxy(feature, None, 0.7123, 0.6541, 0.7654, 0.95, 987, "boosted trees"),
                    Proxy(feature, "limit_bal", 0.6823, 0.6241, 0.7354, 0.95, 987, "bins", used=0.2134, listed=True,
                          revealing=True),
                    Proxy(feature, "pay_5", 0.6423, 0.5841, 0.6954, 0.95, 987, "bins", used=0.0034, revealing=True),
                    Proxy(feature, "pay_0", 0.5123, 0.5, 0.5654, 0.95, 987, "bins", used=0.3134),
                    Proxy(feature, feature, None, None, None, 0.95, 987, "", used=0.0512, listed=True, revealing=True,
                          reason="the column of the sensitive feature itself, an input of the model")]
    ids = [g.id for g in single][:3]
    lines = tuple(ShapeLine(id, 300, (0.1321, 0.3432 + 0.01 * i, 0.2543)) for i, id in enumerate((OVERALL, *ids)))
    shapes = (Shape("pay_0", True, ("-2", "0", "8"), lines, "probability", "rises", 0.1234, label, 600),
              Shape("limit_bal", False, ("a", "b", "c"), lines, "probability", label=label))
    codes = ReasonCodes("contributions below their mean", "all", 421, 419, 4, (
        ReasonCount("pay_0", "Late payments", 311, 388), ReasonCount("limit_bal", "", 77, 251)), ("pay_5",), 37, 0.7612,
        ("limit_bal",), 1000, 168, compared=97)
    parts = tuple(LocalPart(f, str(7 + i), 0.4321 * unit / (1 + i)) for i, f in enumerate(FEATURES[:6]))
    rows = tuple(Local(kind, name, decision, 0.6123 * unit, -1.3211 * unit, parts, 0.0521 * unit, reasons)
                 for kind, name, decision, reasons in (
                     ("chosen", "applicant 7", "1", ("Late payments", "limit_bal")), ("typical", "0", "0", ()),
                     ("adverse", "nearest", "1", ("Late payments",)), ("adverse", "farthest", "1", ("limit_bal",)),
                     ("typical", "1", "1", ())))
    if unit != 1.0 or label is not None:
        codes, rows = None, rows[1:2]  # type: ignore[assignment]
    return Explanation(tuple(gaps), tuple(proxies), shapes, codes, rows)


def comparison(e: Evidence, group: str, reference: str, *, alpha: float = 0.05, outcome: str = "pass",
               compare: str = "ratio", **more: Any) -> Comparison:
    """A judged comparison of selection rates from the evidence's counts."""
    a, b, g, r = (e.counts_by_group[group], e.counts_by_group[reference], e.groups_by_id[group],
                  e.groups_by_id[reference])
    bounds, value = ((ratio, (a.selected / g.n) / (b.selected / r.n)) if compare == "ratio"
                     else (newcombe, a.selected / g.n - b.selected / r.n))
    low, high = bounds(a.selected, g.n, b.selected, r.n, alpha)
    return Comparison(group, outcome, value, low, high, reference, compare, g.n, r.n, a.selected, b.selected,  # type: ignore[arg-type]
                      alpha, alpha, **more)


def finding(**more: Any) -> Finding:
    """A finding of a house rule with sensible defaults."""
    base: dict[str, Any] = {
        "rule": "HC-02", "policy": "house-credit", "kind": "disparity", "title": {"en": "Approval ratio by age"},
        "outcome": "fail", "severity": "block", "basis": "house", "counts_as": "BLOCK", "file": "house-credit.yaml",
        "line": 14, "metric": "selection_rate", "compare": "ratio", "bound_min": "0.92", "decide": "interval"}
    return Finding(**{**base, **more})


def findings(e: Evidence) -> tuple[Finding, ...]:
    """A block, a review that is not decided, one not settled, a pass, a missing document, smoke and compute."""
    age = [g for g in e.feature_groups[("age",)] if not g.missing]
    young = next(g for g in age if g.values == (AGES[0],) or g == age[0])
    largest = max(age, key=lambda g: g.n)
    bad = comparison(e, young.id, largest.id, outcome="fail")
    sex = [g for g in e.feature_groups[("sex",)] if not g.missing]
    good = comparison(e, sex[0].id, sex[1].id)
    old = comparison(e, age[-1].id, largest.id, outcome="insufficient", exempt=True)
    auc = e.find("roc_auc")
    assert auc is not None and auc.interval is not None
    return (
        finding(features=("age",), seen=bad, comparisons=(bad, old, *(comparison(e, g.id, largest.id) for g in age
                if g not in (young, largest, age[-1]))),
                settle=Settle(young.id, selections=58, detectable=0.048), cite="Credit policy 7.3"),
        finding(rule="HC-02", features=("sex",), outcome="pass", counts_as="PASS", seen=good, comparisons=(good,),
                settle=Settle(detectable=0.021)),
        finding(rule="HC-05", title={"en": "Approval gap"}, features=("age",), outcome="insufficient",
                counts_as="PASS", compare="difference", bound_min=None, bound_max="0.10", line=31,
                seen=comparison(e, age[-1].id, largest.id, outcome="insufficient", compare="difference"),
                settle=Settle(age[-1].id, rows=190)),
        finding(rule="BASE-04", policy="baseline", kind="bound", title={"en": "Primary metric"}, outcome="pass",
                counts_as="PASS", basis="govern", metric="roc_auc", compare=None, bound_min="0.6", severity="block",
                seen=Comparison(OVERALL, "pass", auc.value, auc.interval.low, auc.interval.high)),
        finding(rule="BASE-14", policy="baseline", kind="document", title={"en": "Words people supply"},
                counts_as="PASS", severity="warn", basis="govern", metric=None, compare=None, bound_min=None,
                missing=("users", "contact", "out_of_scope", "human_oversight", "licence")),
        finding(rule="BASE-03", policy="baseline", kind="smoke", title={"en": "Smoke checks"}, outcome="pass",
                counts_as="PASS", basis="govern", metric="smoke_batch", compare=None, bound_min=None,
                bound_max="0.000001", seen=Comparison(OVERALL, "pass", 2.2e-16)),
        finding(rule="BASE-13", policy="baseline", kind="compute", title={"en": "Latency"}, outcome="pass",
                counts_as="PASS", severity="warn", basis="govern", metric="latency_p95_ms", compare=None,
                bound_min=None, bound_max="50", seen=Comparison(OVERALL, "pass", 4.127)),
    )


def verdict(e: Evidence, outcome: str = "BLOCK", found: tuple[Finding, ...] | None = None, **change: Any) -> Verdict:
    """A verdict over `findings(e)` (or `found`) with one waiver in force and one expired."""
    found = findings(e) if found is None else found
    made = Verdict(
        VERDICT_SCHEMA, outcome, "team", "2026-11-21", {"evidence": SHA["evidence"]},  # type: ignore[arg-type]
        (PolicyInfo("baseline", "1", "ab" * 32, "in_force", "2026-11-22", {"en": "Baseline"}),
         PolicyInfo("house-credit", "4", "cd" * 32, "in_force", "2026-11-03", {"en": "House rules"}, ("baseline",))),
        found, count_findings(found),
        not_assessed=(NotAssessed("BASE-09", {"en": "Error rates"}, "no rows with the positive label"),),
        waivers=(WaiverState("HC-07", "M. Sato", "batch latency until the new cluster", "K. Wu", "2026-12-31", True,
                             39, True),
                 WaiverState("HC-08", "M. Sato", "pilot only", "K. Wu", "2026-11-01", False, -20, False,
                             why_not="expired")),
        notes=("No lock was given.",))
    made = replace(made, **change)
    return replace(made, counts=count_findings(made.findings))


def compute() -> Compute:
    """A compute document of one machine."""
    values = {"load_time_s": 0.412, "latency_p50_ms": 3.91, "latency_p95_ms": 4.127, "latency_p99_ms": 5.02,
              "throughput_rows_s": 82_411.3, "peak_memory_mb": 231.4, "file_size_mb": 0.184221}
    return Compute(COMPUTE_SCHEMA, SHA["evidence"], {"system": "Linux", "processor": "x86_64", "cores": 2},
                   tuple(Measurement(k, v) for k, v in values.items()), {"single_rows": 100, "batches": 5})
