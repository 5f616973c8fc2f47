"""What the card's template lays out: plain rows of text and pictures, drawn from the documents.

Nothing is measured here. What is not copied from a document is a rounding, or plain arithmetic on its
counts (persons short of another group's rate).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from govern import __version__
from govern.errors import printable
from govern.evidence import Compute, Evidence, Measurement
from govern.formats.affected import affected_section
from govern.formats.cells import shown, value
from govern.formats.edition import Edition
from govern.formats.explanation import explanation
from govern.formats.exploring import thresholds
from govern.formats.fairness import fairness
from govern.formats.findings import policy_section
from govern.formats.naming import metric_name, pick, reading_level
from govern.formats.numbers import count, short_digest
from govern.formats.performance import performance
from govern.formats.published import published
from govern.formats.sections import compute_section, data, excluded, model_section, smoke_section
from govern.formats.strings import Strings
from govern.formats.supplied import card_text, reproduce, supplied
from govern.formats.tally import open_findings, tally
from govern.formats.versions import since_versions
from govern.formats.words import gap_text, reason, waiver_state
from govern.verdict import Verdict

TOP_REASONS = 3
BOXES_IN_A_ROW = 4
STATEMENT = 300
HEADLINE = {"binary": ("roc_auc",), "multiclass": ("multiclass_accuracy", "macro_f1"),
            "regression": ("mean_absolute_error", "r2_score")}
View = dict[str, Any]


def build(evidence: Evidence, verdict: Verdict | None, compute: Compute | None, digests: Mapping[str, str],
          t: Strings, edition: Edition) -> View:
    """Everything the template needs, by section; every value is text, a number of rows or a picture."""
    return {
        "edition": edition,
        "head": _head(evidence, verdict, digests, t),
        "verdict": _verdict(evidence, verdict, t),
        "affected": affected_section(evidence, verdict, t),
        "sure": _sure(evidence, verdict, t),
        "waivers": _waivers(verdict, t),
        "sign": _sign(verdict, digests, t),
        "performance": performance(evidence, t),
        "since_versions": since_versions(evidence, verdict, t),
        "fairness": fairness(evidence, verdict, t),
        "explanation": explanation(evidence, t),
        "smoke": smoke_section(evidence, t),
        "compute": compute_section(evidence, compute, digests, t),
        "data": data(evidence, t),
        "model": model_section(evidence, t),
        "policy": policy_section(evidence, verdict, t),
        "published": published(evidence, verdict, t),
        "thresholds": thresholds(evidence, verdict, t),
        "words": supplied(evidence, verdict, t),
        "reproduce": reproduce(evidence, digests, t),
        "notes": [printable(t.phrase(n), 600) for n in (*evidence.notes, *(verdict.notes if verdict else ()))],
    }


def _head(evidence: Evidence, verdict: Verdict | None, digests: Mapping[str, str], t: Strings) -> View:
    settings, card = evidence.settings, evidence.card
    model, subject = settings.get("model", {}), evidence.subject("model")
    missing = t("page1.missing")
    period = card_text(card.get("data_period"))
    rows = t("page1.rows", n=count(evidence.population.used))
    policies = " · ".join(printable(f"{p.name} {p.version}") for p in verdict.policies) if verdict else ""
    phase = t.phrase(printable(verdict.phase if verdict else settings.get("phase", "")))
    purpose = card_text(card.get("purpose"), 200)
    footer = [" ".join(printable(model[k]) for k in ("name", "version") if model.get(k))]
    footer += [t(f"footer.{k}", digest=short_digest(digests[k])) for k in ("evidence", "verdict") if k in digests]
    return {
        "name": printable(model.get("name") or (subject.name if subject else t("page1.not_given")), 80),
        "version": printable(model.get("version") or "", 40),
        "purpose": purpose or t("page1.no_purpose"),
        "created": printable(evidence.created).replace("T", " ").replace("Z", " UTC"),
        "iso": printable(evidence.created),
        "made_by": t("page1.made_by", version=printable(settings.get("versions", {}).get("govern", __version__))),
        "lang": t("lang"),
        "footer": " · ".join(f for f in footer if f),
        "ids": [
            (t("page1.decision"), card_text(card.get("decision"), 120) or missing),
            (t("page1.owner"), card_text(card.get("owner"), 80) or missing),
            (t("page1.tier"), f"{card_text(card.get('tier'), 40) or missing} · {phase}"),
            (t("page1.data"), f"{period} · {rows}" if period else rows),
            (t("page1.model"), f"sha256 {short_digest(subject.sha256)}…" if subject else t("page1.no_model")),
            (t("page1.policies"), policies or t("page1.no_policy")),
        ],
        "states": [t("page1.state", name=printable(p.name), note=printable(t.phrase(note), 300))
                   for p in (verdict.policies if verdict else ()) for note in p.notes],
    }


def _verdict(evidence: Evidence, verdict: Verdict | None, t: Strings) -> View:
    if verdict is None:
        return {"word": t("verdict.none"), "line": t("verdict.none_line"), "class": "unjudged", "mark": "none",
                "counts": [], "unsettled": "", "reasons": [], "empty": t("verdict.no_reason_none"), "more": "",
                "valid_until": ""}
    found = open_findings(verdict)
    unsettled = verdict.counts.get("not_settled", 0)
    return {
        "word": t(f"outcome.{verdict.outcome}"), "line": t(f"verdict.{verdict.outcome}"),
        "class": verdict.outcome.lower(),
        "mark": {"BLOCK": "outside", "REVIEW": "unsettled", "PASS": "within"}[verdict.outcome],
        "counts": [(count(k), t(f"verdict.{word}")) for k, word in tally(verdict) if k or word in ("block", "review")],
        "unsettled": t("verdict.also_unsettled", n=unsettled) if unsettled and verdict.outcome == "PASS" else "",
        "reasons": [reason(f, evidence, t) for f in found[:TOP_REASONS]],
        "empty": t("verdict.no_reason") if verdict.counts.get("pass") else "",
        "more": t("verdict.more", n=len(found) - TOP_REASONS) if len(found) > TOP_REASONS else "",
        "valid_until": t("page1.valid_until", date=printable(verdict.valid_until)) if verdict.valid_until else "",
    }


def _sure(evidence: Evidence, verdict: Verdict | None, t: Strings) -> View:
    gaps: dict[str, float] = {}
    for f in verdict.findings if verdict else ():
        if f.metric == "selection_rate" and f.features and f.compare and f.settle and f.settle.detectable is not None:
            name = printable(":".join(f.features))
            gaps[name] = max(gaps.get(name, 0.0), f.settle.detectable)
    unsettled = sum(f.outcome == "insufficient" for f in verdict.findings) if verdict else 0
    headline = [m for name in HEADLINE[evidence.task] if (m := evidence.find(name)) is not None and m.value is not None]
    p = evidence.population
    return {
        "population": t.text((
            t("data.population", read=count(p.read), used=count(p.used), excluded=count(p.read - p.used)),
            excluded(evidence, t))),
        "rows": t("page1.sure_rows", level=reading_level(evidence)),
        "gaps": t("page1.points", gaps=t.list(f"{gap_text(g)} ({n})" for n, g in gaps.items())) if gaps else "",
        "decided": (t("page1.sure_unsettled", n=unsettled) if unsettled else t("page1.sure_settled"))
        if verdict and verdict.findings else "",
        "headline": t.list(_plain(m, t) for m in headline),
        "lock": _lock(evidence, verdict, t),
        "since": t("page1.since", digest=short_digest(verdict.judged["baseline"]))
        if verdict and "baseline" in verdict.judged else t("page1.no_since"),
    }


def _lock(evidence: Evidence, verdict: Verdict | None, t: Strings) -> str:
    """Whether the rules were fixed before the run, as the rule of kind integrity found it."""
    subject = evidence.subject("policy-lock")
    if verdict is None:
        return ""
    if subject is None:
        return t("page1.sure_lock")
    found = next((f for f in verdict.findings if f.kind == "integrity" and f.each == "lock"), None)
    if found is None:
        return t("page1.lock_unjudged", digest=short_digest(subject.sha256))
    if found.outcome == "pass":
        return t("page1.lock_held", locked=_moment(evidence.lock.get("locked")), created=_moment(evidence.created),
                 digest=short_digest(subject.sha256))
    return t("page1.lock_broken", why=printable(t.phrase(found.reason or ""), 200).rstrip("."))


def _moment(text: Any) -> str:
    return printable(text or "–", 40).replace("T", " ").replace("Z", " UTC")


def _plain(m: Measurement, t: Strings) -> str:
    return " ".join(x for x in (t.capital(metric_name(m.metric, t)), value(m), shown(m)[1]) if x)


def _waivers(verdict: Verdict | None, t: Strings) -> list[View]:
    out = []
    for w in verdict.waivers if verdict else ():
        out.append({"rule": printable(w.rule), "state": waiver_state(w, t), "valid": w.valid, "line": t(
            "waiver.line", reason=printable(w.reason, 200), owner=printable(w.owner),
            approver=printable(w.approver), expires=printable(w.expires))})
    return out


def _sign(verdict: Verdict | None, digests: Mapping[str, str], t: Strings) -> View:
    """The boxes: for each role that a policy asks to sign, else the three that every release has."""
    asked = {role: s for s in (verdict.to_sign if verdict else ()) for role in s.roles}
    roles = [{"role": t.capital(t.phrase(printable(role.replace("_", " ")))),
              "says": t("page1.asked_by", rule=printable(s.rule), policy=printable(s.policy)),
              "statement": printable(pick(s.statement, t("lang")), STATEMENT)} for role, s in asked.items()]
    shown = {k: short_digest(v) for k, v in digests.items()}
    line = t("page1.sign_digest", evidence=shown["evidence"], verdict=shown["verdict"]) if "verdict" in shown \
        else t("page1.sign_digest_only", evidence=shown.get("evidence", ""))
    distinct = any(s.distinct and len(s.roles) > 1 for s in (verdict.to_sign if verdict else ()))
    line = f"{t('page1.distinct' if distinct else 'page1.signed')} {line}."
    return {"rows": batched(roles or [{**r, "statement": ""} for r in t.get("roles")], BOXES_IN_A_ROW), "digest": line,
            "line": t("page1.sign_line")}


def batched(items: Sequence[Any], n: int) -> list[Sequence[Any]]:
    """The items in rows of `n`."""
    return [items[i:i + n] for i in range(0, len(items), n)]

