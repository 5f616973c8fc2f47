"""The sections that neither judge nor compare groups: operation, data, model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from govern.dataset import Column
from govern.errors import printable
from govern.evidence import Compute, Evidence
from govern.formats.datachecks import data_checks, seen
from govern.formats.naming import metric_meaning, metric_name, names
from govern.formats.numbers import amount, amount_beside, count, short_digest
from govern.formats.strings import Strings
from govern.metrics import METRICS

COLUMNS_SHOWN = 60
ALONE = "single_feature_auc"
LEVELS_SHOWN = 6
View = dict[str, Any]


def smoke_section(evidence: Evidence, t: Strings) -> View:
    """Smoke checks with what was seen and its limit."""
    rows = []
    for c in evidence.smoke:
        row = METRICS[c.metric]
        mark = "none" if c.passed is None else "within" if c.passed else "outside"
        rows.append({
            "title": metric_name(c.metric, t), "mark": mark, "meaning": metric_meaning(c.metric, t),
            "word": t("mark.not_run") if c.passed is None else t("mark.passed" if c.passed else "mark.failed"),
            "seen": _seen(c.seen, c.limit, row.unit, c.reason, t),
            "limit": t(f"reason.at_{'least' if row.better == 'higher' else 'most'}", bound=amount(c.limit))})
    return {"rows": rows, "none": "" if rows else t("operation.no_smoke")}


def compute_section(evidence: Evidence, compute: Compute | None, digests: Mapping[str, str], t: Strings) -> View:
    """Time, memory and size beside the limits the owner declared."""
    if compute is None:
        return {"none": t("operation.no_compute"), "rows": [], "machine": "", "repeats": "", "other": ""}
    rows = []
    for m in compute.measurements:
        row = METRICS[m.metric]
        limit = evidence.declared.get(m.metric)
        bound = float(limit) if isinstance(limit, int | float) else None
        key = "reason.at_least" if row.better == "higher" else "reason.at_most"
        rows.append({
            "title": metric_name(m.metric, t),
            "value": _seen(m.value, bound, row.unit, m.reason, t),
            "limit": t(key, bound=amount(bound, row.unit, t=t)) if bound is not None else t("operation.no_limit")})
    machine = t.list(f"{t.phrase(printable(k))} {printable(v)}" for k, v in compute.machine.items())
    repeats = t.list(f"{t.phrase(printable(k).replace('_', ' '))} {count(v)}" for k, v in compute.repeats.items())
    other = "evidence" in digests and compute.evidence_sha256 != digests["evidence"]
    return {"none": "", "rows": rows, "machine": t("operation.machine", machine=machine) if machine else "",
            "repeats": t("operation.repeats", repeats=repeats) if repeats else "",
            "other": t("operation.other_evidence", digest=short_digest(compute.evidence_sha256)) if other else ""}


def _seen(value: float | None, limit: float | None, unit: str, why: str | None, t: Strings) -> str:
    return printable(t.phrase(why or "–"), 80) if value is None else amount_beside(value, [limit], unit, t)


def data(evidence: Evidence, t: Strings) -> View:
    """Rows read, used and excluded; duplicates; the columns."""
    p, facts = evidence.population, evidence.data
    if facts.duplicates is None:
        repeated = t("data.duplicates_unknown")
    else:
        repeated = t("data.duplicates", n=count(facts.duplicates)) if facts.duplicates else t("data.no_duplicates")
    more = len(facts.columns) - COLUMNS_SHOWN
    return {
        "population": t("data.population", read=count(p.read), used=count(p.used), excluded=count(p.read - p.used)),
        "excluded": excluded(evidence, t), "duplicates": repeated,
        "columns": [_column(c, evidence, t) for c in facts.columns[:COLUMNS_SHOWN]],
        "alone": t("data.alone") if any(m.metric == ALONE for m in evidence.measurements) else "",
        "more": t("data.columns_more", n=more) if more > 0 else "",
        "parts": data_checks(evidence, t),
    }


def excluded(evidence: Evidence, t: Strings) -> str:
    """How many rows were left out for which reason; empty when none was."""
    reasons = t.list(f"{printable(t.phrase(x.reason), 80)} ({count(x.n)})" for x in evidence.population.excluded if x.n)
    return t("data.excluded", reasons=reasons) if reasons else ""


def _column(c: Column, evidence: Evidence, t: Strings) -> View:
    if c.kind == "number" and c.low is not None and c.high is not None:
        content = t("data.range", low=amount(c.low), high=amount(c.high))
    else:
        content = names((f"{printable(v.value)} ({count(v.n)})" for v in c.levels), t, LEVELS_SHOWN)
    return {"name": printable(c.name), "role": t.phrase(printable(c.role)), "kind": t.phrase(printable(c.kind)),
            "missing": count(c.missing), "content": content,
            "alone": seen(evidence.find(ALONE, slice=f"column: {c.name}")),
            "distinct": count(c.distinct) if c.distinct is not None else t("data.many")}


def model_section(evidence: Evidence, t: Strings) -> list[tuple[str, str]]:
    """(label, text) of what the model is; empty where predictions were given."""
    model = evidence.model
    if model is None:
        return []
    rows = [
        ("type", printable(model.type, 160)),
        ("libraries", t.list(f"{printable(k)} {printable(v)}" for k, v in model.libraries.items())),
        ("features", f"{len(model.features)}: {names(model.features, t, 30)}"),
        ("parameters", t.list(f"{printable(k)} = {printable(v)}" for k, v in model.parameters.items())),
        ("classes", t.list(printable(c) for c in model.classes)),
        ("warnings", t.clauses(printable(w, 300) for w in model.warnings)),
    ]
    return [(t(f"model.{k}"), v) for k, v in rows if v]


def security_section(evidence: Evidence, suppress_below: int, t: Strings) -> View:
    """How the model file was held, and what of the data is in the card."""
    held = evidence.containment
    rows = []
    shown = 0 if evidence.explanation is None or suppress_below else len(evidence.explanation.locals)
    if held is not None:
        rows = [("scan", printable(t.phrase(held.scan), 200)),
                ("trusted", t.list(printable(n, 120) for n in held.trusted) or t("model.nothing_trusted")),
                ("layers", t.list(printable(t.phrase(n), 120) for n in held.layers)),
                ("open", t.list(printable(t.phrase(n), 120) for n in held.open))]
    return {"rows": [(t(f"model.{k}"), v) for k, v in rows if v],
            "none": "" if held is not None else t("security.predictions"),
            "rows_note": t("security.some_rows", n=shown) if shown else t("security.rows"),
            "small": t("security.small", n=suppress_below) if suppress_below else t("security.not_small")}
