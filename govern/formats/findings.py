"""The policy section: every finding with what was seen, the bound and whose it is, and what was not assessed."""

from __future__ import annotations

from typing import Any

from govern.errors import printable
from govern.evidence import Evidence
from govern.formats.cells import Part, Table, heads
from govern.formats.naming import pick
from govern.formats.strings import Strings
from govern.formats.tally import open_findings
from govern.formats.words import reason
from govern.verdict import Finding, NotAssessed, PolicyInfo, Verdict

View = dict[str, Any]
LONG = 300
TOGETHER = 3
CATEGORIES = ("technology", "process", "culture")  # shown even where no rule covers them


def policy_section(evidence: Evidence, verdict: Verdict | None, t: Strings) -> View:
    """The section's rows: what is open first, in the order of page 1, then what passed or was waived."""
    if verdict is None:
        return {"none": t("policy.none"), "decided": "", "applied": [], "rows": [], "not_assessed": [], "parts": []}
    first = open_findings(verdict)
    rest = [f for f in verdict.reasons if f not in first and f.outcome != "n/a"]
    return {
        "none": "" if verdict.findings else t("verdict.no_reason_none"),
        "decided": t("policy.decided", date=printable(verdict.decided_on), phase=t.phrase(printable(verdict.phase))),
        "applied": [_policy(p, t) for p in verdict.policies],
        "rows": [_row(f, evidence, t) for f in (*first, *rest)],
        "not_assessed": _not_assessed(verdict, t),
        "parts": [p for p in (_changes(verdict, t), _coverage(verdict, t)) if p is not None],
    }


def _policy(info: PolicyInfo, t: Strings) -> str:
    text = t("policy.applied", name=printable(info.name), version=printable(info.version), sha=info.sha256[:16],
             status=t.phrase(printable(info.status).replace("_", " ")), as_of=printable(info.as_of))
    start, end = printable(info.applies_from or ""), printable(info.sunset or "")
    when = t("policy.dates_until", **{"from": start, "until": end}) if start and end else \
        t("policy.dates", **{"from": start}) if start else t("policy.until", until=end) if end else ""
    return t.list((text, when))


def _not_assessed(verdict: Verdict, t: Strings) -> list[tuple[str, str, str]]:
    """(rule, title, why) of each rule that was not assessed; those of one reason together where they are many."""
    by: dict[str, list[NotAssessed]] = {}
    for n in verdict.not_assessed:
        by.setdefault(n.reason, []).append(n)
    rows = []
    for why, found in by.items():
        if len(found) > TOGETHER:
            rows.append((t.list(printable(n.rule) for n in found), "", printable(t.phrase(why), LONG)))
        else:
            rows += [(printable(n.rule), printable(pick(n.title, t("lang")), LONG), printable(t.phrase(why), LONG))
                     for n in found]
    return rows


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


def _row(finding: Finding, evidence: Evidence, t: Strings) -> View:
    found = reason(finding, evidence, t)
    said = found.sentence
    # Where a sentence names the rule, the rule's title is not said twice.
    said = said if said.startswith(found.title) else f"{found.title}: {said}"
    plain = finding.seen is None or finding.seen.value is None or finding.kind in ("document", "table")
    cite = printable(finding.cite) if finding.cite and finding.outcome != "pass" else ""
    whose = t.list((printable(finding.policy), t(f"basis.{finding.basis}"), cite))
    return {
        "rule": found.rule, "title": found.title, "mark": found.mark, "word": found.word,
        "subject": "" if plain else found.subject, "seen": said if plain else found.number,
        "limit": found.limit, "whose": whose,
        "counts_as": t("policy.counts_as", outcome=t(f"outcome.{finding.counts_as}"))
        if finding.counts_as != "PASS" else "",
        "waived": finding.waiver is not None,
    }
