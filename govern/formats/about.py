"""Sections 2, 7, 8 and 14: which model it is, which groups were told apart, what was asked of it and by whom, and what
this evaluation cannot say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from govern.errors import printable
from govern.evidence import Evidence, Group
from govern.formats.affected import FEW_ROWS, largest, too_few
from govern.formats.cells import Table, heads
from govern.formats.intersections import unasked
from govern.formats.naming import group_label, metric_name, name_of, names
from govern.formats.numbers import count, short_digest
from govern.formats.sections import model_section
from govern.formats.strings import Strings
from govern.formats.words import gap_text, limit_text
from govern.verdict import Finding, Verdict

NAMED = 8
ALIKE = ("one_class", "empty", "unseen")
View = dict[str, Any]


def identity(evidence: Evidence, verdict: Verdict | None, digests: Mapping[str, str], t: Strings) -> View:
    """Section 2: rows of (label, text), and the files and documents with their digests."""
    settings = evidence.settings
    model, subject, data = settings.get("model", {}), evidence.subject("model"), evidence.subject("data")
    lock = evidence.subject("policy-lock")
    rows = [
        ("name", printable(model.get("name") or (subject.name if subject else t("page1.not_given")), 80)),
        ("version", printable(model.get("version") or t("page1.not_given"), 40)),
        ("task", t(f"identity.{evidence.task}")),
        ("file", f"{printable(subject.name)}, {printable(subject.format)}, sha256 {short_digest(subject.sha256)}…"
         if subject else t("page1.no_model")),
        ("data", f"{printable(data.name)}, {printable(data.format)}, sha256 {short_digest(data.sha256)}…"
         if data else ""),
        ("policies", t.list(f"{printable(p.name)} {printable(p.version)} (sha256 {short_digest(p.sha256)}…)"
                            for p in (verdict.policies if verdict else ())) or t("page1.no_policy")),
        ("lock", f"sha256 {short_digest(lock.sha256)}…" if lock else t("identity.no_lock")),
    ]
    return {
        "rows": [*((t(f"identity.{k}"), v) for k, v in rows if v), *model_section(evidence, t)],
        "digests": [*((t.phrase(printable(s.role)), printable(s.name), count(s.size), s.sha256)
                      for s in evidence.subjects),
                    *((t.phrase(k), f"{k}.json", "", v) for k, v in digests.items())],
        "no_model": "" if evidence.model is not None else t("model.none"),
    }


def factors(evidence: Evidence, t: Strings) -> View:
    """Section 7: each feature and asked intersection with its groups, rows without a known value, and largest group;
    the others by name (`intersections.py` has their groups)."""
    rows, others = [], unasked(evidence)
    for features, groups in evidence.feature_groups.items():
        if features in others:
            continue
        known = [g for g in groups if not g.missing]
        lost = sum(g.n for g in groups if g.missing)
        reference = largest(groups)
        rows.append((printable(":".join(features)), name_of(reference, t) if reference else "–", count(len(known)),
                     count(sum(0 < g.n < FEW_ROWS for g in known)), count(sum(g.n for g in known)), count(lost)))
    bands = evidence.settings.get("data", {}).get("bands") or {}
    cuts = [t("factors.bands", feature=printable(name), cuts=names((f"{c:g}" for c in at), t, len(at)))
            for name, at in bands.items()]
    more = t("factors.others", n=len(others), names=names(map(":".join, others), t, len(others))) if others else ""
    titles = [t(f"factors.{k}") for k in ("feature", "reference", "groups", "few", "known", "unknown")]
    return {"none": "" if rows else t("factors.none"), "intro": t.text([t("factors.intro"), *cuts, more]),
            "table": Table(heads(titles, ("w20", "w20")), tuple(rows), left=2) if rows else None}


def choice(verdict: Verdict | None, t: Strings) -> View:
    """Section 8: every limit that a rule set, whose it is, and what a failure would do; smoke checks stand in 12."""
    rows: dict[tuple[str, ...], dict[str, None]] = {}
    for f in verdict.findings if verdict else ():
        if (f.bound_min is None and f.bound_max is None) or f.metric is None or f.kind == "smoke":
            continue
        features = printable(":".join(f.features)) or t("choice.whole")
        rows.setdefault(_asked(f, t), {})[features] = None
    titles = [t(f"choice.{k}") for k in ("metric", "of", "limit", "whose", "rule", "binds")]
    filled = tuple((head, names(of, t, NAMED), *tail) for (head, *tail), of in rows.items())
    return {"none": "" if rows else t("choice.none"),
            "table": Table(heads(titles, ("w20", "", "w14", "w20", "w11", "w9")), filled, left=6) if rows else None}


def _asked(finding: Finding, t: Strings) -> tuple[str, ...]:
    metric = metric_name(finding.metric or "", t)
    if finding.label is not None:
        metric = t("reason.of_class", metric=metric, label=printable(finding.label))
    if finding.compare in ("ratio", "difference"):
        metric = t("choice.compared", metric=metric, compare=t(f"reason.{finding.compare}"))
    whose = t("choice.set_by", policy=printable(finding.policy), basis=t(f"basis.{finding.basis}"))
    return metric, limit_text(finding, t), whose, printable(finding.rule), t.phrase(finding.severity)


def limits(evidence: Evidence, verdict: Verdict | None, t: Strings) -> list[str]:
    """Section 14: what the evaluation itself shows that it cannot say."""
    said = [t("limits.sample", n=count(evidence.population.used))]
    if few := [g for g in too_few(evidence, verdict) if g.n]:
        said.append(t("limits.few", n=len(few), names=_named(few, evidence, t)))
    if unlike := [g for g in evidence.groups if g.asked and g.status in ALIKE]:
        said.append(t("limits.unlike", n=len(unlike), names=_named(unlike, evidence, t)))
    if unsettled := sum(f.outcome == "insufficient" for f in (verdict.findings if verdict else ())):
        said.append(t("limits.unsettled", n=unsettled))
    if gaps := detectable(verdict):
        said.append(t("limits.gaps", gaps=names((f"{gap_text(g)} ({n})" for n, g in gaps.items()), t, len(gaps))))
    if evidence.attributions is not None:
        said.append(t("limits.shap"))
    return said


def _named(groups: Sequence[Group], evidence: Evidence, t: Strings) -> str:
    return names((group_label(evidence, g.id, t) for g in groups), t, NAMED)


def detectable(verdict: Verdict | None) -> dict[str, float]:
    """By feature the smallest gap in the selection rate that its group sizes would show."""
    gaps: dict[str, float] = {}
    for f in verdict.findings if verdict else ():
        if f.metric == "selection_rate" and f.features and f.compare and f.settle and f.settle.detectable is not None:
            name = printable(":".join(f.features))
            gaps[name] = max(gaps.get(name, 0.0), f.settle.detectable)
    return gaps
