"""Sections 18 and 19: what is open and what was accepted, and every rule of every policy with what was seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from govern.errors import printable
from govern.evidence import Evidence
from govern.formats.anchors import anchors
from govern.formats.cells import Part, Table, heads
from govern.formats.naming import pick
from govern.formats.strings import Strings
from govern.formats.tally import open_findings
from govern.formats.words import reason, waiver_state
from govern.verdict import Finding, PolicyInfo, Verdict, WaiverState

View = dict[str, Any]
LONG = 300
SAYS = 600
CATEGORIES = ("technology", "process", "culture")  # shown even where no rule covers them


def open_section(evidence: Evidence, verdict: Verdict | None, t: Strings) -> View:
    """Section 18: every open finding in the order of page one, with its address, then the waivers."""
    if verdict is None:
        return {"none": t("policy.none"), "rows": [], "waivers": None, "changes": None}
    where = anchors(verdict.findings)
    rows = []
    for f in open_findings(verdict):
        rows.append({"id": where[id(f)], "found": reason(f, evidence, t), "counts_as": _counts_as(f, t)})
    return {"none": "" if rows else t("checklist.none_open") if verdict.findings else t("verdict.no_reason_none"),
            "rows": rows, "waivers": _waivers(verdict.waivers, t), "changes": _changes(verdict, t)}


def checklist(evidence: Evidence, verdict: Verdict | None, t: Strings) -> View:
    """Section 19: each policy with its rules in order, each rule with its findings; then what the rules cover."""
    if verdict is None:
        return {"none": t("policy.none"), "decided": "", "policies": [], "coverage": None}
    where = anchors(verdict.findings)
    opened = {id(f) for f in open_findings(verdict)}
    by: dict[str, dict[str, list[Finding]]] = {p.name: {} for p in verdict.policies}
    for f in verdict.findings:
        by.setdefault(f.policy, {}).setdefault(f.rule, []).append(f)
    infos = {p.name: p for p in verdict.policies}
    return {
        "none": "" if verdict.findings else t("verdict.no_reason_none"),
        "decided": t("policy.decided", date=printable(verdict.decided_on), phase=t.phrase(printable(verdict.phase))),
        "policies": [{"name": printable(name), "applied": _policy(infos[name], t) if name in infos else "",
                       "rules": [_rule(found, evidence, where, opened, t) for found in rules.values()]}
                      for name, rules in by.items()],
        "coverage": _coverage(verdict, t),
    }


def _policy(info: PolicyInfo, t: Strings) -> str:
    text = t("policy.applied", name=printable(info.name), version=printable(info.version), sha=info.sha256[:16],
             status=t.phrase(printable(info.status).replace("_", " ")), as_of=printable(info.as_of))
    start, end = printable(info.applies_from or ""), printable(info.sunset or "")
    when = t("policy.dates_until", **{"from": start, "until": end}) if start and end else \
        t("policy.dates", **{"from": start}) if start else t("policy.until", until=end) if end else ""
    return t.list((text, when))


def _rule(found: list[Finding], evidence: Evidence, where: Mapping[int, str], opened: set[int], t: Strings) -> View:
    """A rule: its title, what the text says and whose it is, and a row for each finding; without rows, why not."""
    first = found[0]
    applied = [f for f in found if f.outcome != "n/a"]
    key = "basis" + ("_cite" if first.cite else "_only")
    whose = t(f"checklist.{key}", basis=t(f"basis.{first.basis}"), cite=printable(first.cite or "", LONG))
    says, ours = (printable(pick(texts, t("lang")), SAYS) for texts in (first.says, first.ours))
    return {
        "id": printable(first.rule), "title": printable(pick(first.title, t("lang")), LONG), "whose": whose,
        "says": says, "ours": t("checklist.ours", ours=ours) if ours else "", "severity": first.severity,
        "rows": [_row(f, evidence, where, opened, t) for f in applied],
        "anchor": where[id(first)] if not applied else "",
        "not_applied": "" if applied else printable(t.phrase(first.reason or ""), LONG).rstrip(".。") or t("mark.n/a"),
    }


def _row(finding: Finding, evidence: Evidence, where: Mapping[int, str], opened: set[int], t: Strings) -> View:
    found = reason(finding, evidence, t)
    plain = finding.seen is None or finding.seen.value is None or finding.kind in ("document", "table")
    anchor, is_open = where[id(finding)], id(finding) in opened
    return {
        "id": "" if is_open else anchor, "href": anchor if is_open else "", "mark": found.mark, "word": found.word,
        "subject": "" if plain else found.subject,
        "seen": _without_title(found.sentence, found.title, t) if plain else found.number,
        "limit": found.limit, "counts_as": _counts_as(finding, t),
    }


def _without_title(sentence: str, title: str, t: Strings) -> str:
    """A sentence that stands under its rule's title and need not say it again."""
    head = title + t.language["colon"]
    return t.capital(sentence.removeprefix(head).lstrip()) if sentence.startswith(head) else sentence


def _counts_as(finding: Finding, t: Strings) -> str:
    return t("policy.counts_as", outcome=t(f"outcome.{finding.counts_as}")) if finding.counts_as != "PASS" else ""


def _waivers(waivers: tuple[WaiverState, ...], t: Strings) -> Table | None:
    if not waivers:
        return None
    titles = [t(f"checklist.{k}") for k in ("rule", "reason", "owner", "expires", "state")]
    rows = tuple((printable(" ".join(x for x in (w.rule, w.subject) if x), 120), printable(w.reason, LONG),
                  t.list((printable(w.owner), printable(w.approver))), printable(w.expires), waiver_state(w, t))
                 for w in waivers)
    return Table(heads(titles, ("w12", "", "w20", "w12", "w20")), rows, left=5)


def _changes(verdict: Verdict, t: Strings) -> Part | None:
    """Each change of a rule that a policy took over, once; None without any."""
    none = t("policy.not_given")
    found = {(f.rule, c): None for f in verdict.findings for c in f.changes}
    if not found:
        return None
    titles = [t(f"policy.{k}") for k in ("rule", "field", "old", "new", "reason")]
    rows = tuple((printable(rule), printable(c.field), printable(c.old or none, LONG), printable(c.new or none, LONG),
                  f"{printable(c.reason, LONG)} ({printable(c.by)})") for rule, c in found)
    return Part(t("policy.changed"), t("policy.changed_intro"),
                (Table(heads(titles, ("w12", "w12", "w18", "w18")), rows, left=5),))


def _coverage(verdict: Verdict, t: Strings) -> Part | None:
    """The grid of categories and phases, what binds at each phase as columns; None without rules."""
    if not verdict.coverage:
        return None
    phases = list(dict.fromkeys(c.phase for c in verdict.coverage))
    cells = {(c.category, c.phase): c for c in verdict.coverage}
    rows = []
    for category in dict.fromkeys(c.category for c in verdict.coverage):
        first = cells[category, phases[0]]
        if not first.rules and category not in CATEGORIES:
            continue
        filled = [str(first.rules), *(str(cells[category, p].binding) for p in phases), str(first.evidenced),
                  str(first.open)]
        empty = [t("policy.no_rule"), *([""] * (len(filled) - 1))]
        rows.append((t.phrase(printable(category)), *(filled if first.rules else empty)))
    titles = [t("policy.category"), t("policy.rules"),
              *(t("policy.binding_at", phase=t.phrase(printable(p))) for p in phases), t("policy.evidenced"),
              t("policy.undecided")]
    return Part(t("policy.coverage"), t("policy.coverage_intro"), (Table(heads(titles), tuple(rows)),))
