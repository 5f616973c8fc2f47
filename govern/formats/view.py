"""What the card's template lays out: plain rows of text and pictures, drawn from the documents.

Nothing is measured here. What is not copied from a document is a rounding, or plain arithmetic on its
counts (persons short of another group's rate).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from govern import __version__
from govern.errors import printable
from govern.evidence import Compute, Evidence, Measurement
from govern.formats.about import choice, detectable, factors, identity, limits
from govern.formats.affected import affected_section
from govern.formats.anchors import anchors
from govern.formats.brand import brand
from govern.formats.cells import shown, value
from govern.formats.contents import contents, states
from govern.formats.crosswalk import crosswalk
from govern.formats.edition import Edition
from govern.formats.explanation import explanation
from govern.formats.exploring import search_notes, thresholds
from govern.formats.fairness import fairness
from govern.formats.findings import checklist, open_section
from govern.formats.naming import metric_name, names, reading_level
from govern.formats.numbers import count, short_digest
from govern.formats.performance import performance
from govern.formats.published import published
from govern.formats.recompute import reproduce
from govern.formats.sections import compute_section, data, excluded, security_section, smoke_section
from govern.formats.signing import boxes, signoff
from govern.formats.since import since
from govern.formats.strings import Strings
from govern.formats.supplied import card_text, supplied
from govern.formats.tally import open_findings, tally
from govern.formats.words import gap_text, reason, waiver_state
from govern.verdict import Verdict

TOP_REASONS = 3
TOP_WAIVERS = 3
ROOMY = 8  # what page one holds in the larger type, besides what stands on every one
HEADLINE = {"binary": ("roc_auc",), "multiclass": ("multiclass_accuracy", "macro_f1"),
            "regression": ("mean_absolute_error", "r2_score")}
View = dict[str, Any]


def build(evidence: Evidence, verdict: Verdict | None, compute: Compute | None, digests: Mapping[str, str],
          t: Strings, edition: Edition) -> View:
    """Everything the template needs, by section; every value is text, a number of rows or a picture."""
    fields = supplied(evidence, verdict, t)
    found = states(evidence, verdict, compute, fields, t)
    parts: View = {"performance": performance(evidence, t), "fairness": fairness(evidence, verdict, t),
                   "data": data(evidence, t), "published": published(evidence, verdict, t),
                   "thresholds": thresholds(evidence, verdict, t),
                   "explanation": explanation(evidence, edition.full, t)}
    annexes = {"performance": bool(parts["performance"]["further"] or parts["performance"]["parts"]), "data": True,
               "fairness": bool(parts["fairness"]["parts"] or parts["published"] or parts["thresholds"]),
               "explanation": bool(parts["explanation"]["annex"])}
    return {
        **parts,
        "full": edition.full,
        "brand": brand(edition.brand, t),
        "fields": fields,
        "contents": contents(found, edition, len(edition.brand.sections), annexes, t),
        "annexes": annexes,
        "head": _head(evidence, verdict, digests, t),
        "tight": _tight(verdict),
        "verdict": _verdict(evidence, verdict, t),
        "since": since(evidence, verdict, digests, t),
        "affected": affected_section(evidence, verdict, t),
        "sure": _sure(evidence, verdict, t),
        "waivers": _waivers(verdict, t),
        "more_waivers": t("page1.more_waivers", n=len(verdict.waivers) - TOP_WAIVERS)
        if verdict and len(verdict.waivers) > TOP_WAIVERS else "",
        "waived": _waived(verdict, t),
        "sign": boxes(verdict, digests, t),
        "identity": identity(evidence, verdict, digests, t),
        "factors": factors(evidence, t),
        "choice": choice(verdict, t),
        "smoke": smoke_section(evidence, t),
        "compute": compute_section(evidence, compute, digests, t),
        "limits": limits(evidence, verdict, t),
        "open": open_section(evidence, verdict, t),
        "checklist": checklist(evidence, verdict, t),
        "crosswalk": crosswalk(evidence, found, t),
        "signoff": signoff(verdict, digests, t),
        "reproduce": reproduce(evidence, digests, t),
        "security": security_section(evidence, edition.suppress_below, t),
        "notes": [printable(t.phrase(n), 600) for n in (*evidence.notes, *(verdict.notes if verdict else ()))
                  if n not in search_notes(evidence)],
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
    found, where = open_findings(verdict), anchors(verdict.findings)
    unsettled = verdict.counts.get("not_settled", 0)
    return {
        "word": t(f"outcome.{verdict.outcome}"), "line": t(f"verdict.{verdict.outcome}"),
        "class": verdict.outcome.lower(),
        "mark": {"BLOCK": "outside", "REVIEW": "unsettled", "PASS": "within"}[verdict.outcome],
        "counts": [(count(k), t(f"verdict.{word}")) for k, word in tally(verdict) if k or word in ("block", "review")],
        "unsettled": t("verdict.also_unsettled", n=unsettled) if unsettled and verdict.outcome == "PASS" else "",
        "reasons": [{"found": reason(f, evidence, t), "href": where[id(f)]} for f in found[:TOP_REASONS]],
        "empty": t("verdict.no_reason") if verdict.counts.get("pass") else "",
        "more": t("verdict.more", n=len(found) - TOP_REASONS) if len(found) > TOP_REASONS else "",
        "valid_until": t("page1.valid_until", date=printable(verdict.valid_until)) if verdict.valid_until else "",
    }


def _sure(evidence: Evidence, verdict: Verdict | None, t: Strings) -> View:
    gaps = detectable(verdict)
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
    """The first waivers, those in force before the others; section 18 has all."""
    found = sorted(verdict.waivers if verdict else (), key=lambda w: not w.valid)
    return [{"rule": printable(w.rule), "state": waiver_state(w, t), "valid": w.valid, "line": t(
        "waiver.line", reason=printable(w.reason, 120), owner=printable(w.owner, 40),
        approver=printable(w.approver, 40), expires=printable(w.expires))} for w in found[:TOP_WAIVERS]]


def _tight(verdict: Verdict | None) -> bool:
    """Whether page one holds so much that it needs the smaller type: changes, several waivers or long statements. On
    paper the PDF makes it smaller still where that is not enough (`pdf.py`)."""
    if verdict is None:
        return False
    statements = sum(bool(s.statement) for s in verdict.to_sign for _ in s.roles)
    policies = sum(len(p.notes) for p in verdict.policies)
    held = 9 * (verdict.since is not None) + 2 * min(len(verdict.waivers), TOP_WAIVERS) + 2 * statements + 2 * policies
    return held > ROOMY


def _waived(verdict: Verdict | None, t: Strings) -> str:
    """One line before the verdict where something was waived; empty without a waiver in force."""
    valid = [w for w in (verdict.waivers if verdict else ()) if w.valid]
    named = names((t("front.waived_until", rule=printable(w.rule), expires=printable(w.expires)) for w in valid), t, 6)
    return t("front.waived", n=len(valid), names=named) if valid else ""
