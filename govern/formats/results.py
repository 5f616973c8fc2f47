"""Findings as a pipeline reads them: what each makes of the verdict, in words, with its place and a lasting key."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import PurePosixPath, PureWindowsPath

from govern.codec import digest
from govern.errors import printable
from govern.evidence import Evidence
from govern.formats.naming import metric_name, pick
from govern.formats.strings import Strings, strings
from govern.formats.words import LONG, Reason, reason, waiver_state
from govern.verdict import Finding, ToSign, Verdict, WaiverState, count_findings

# What a finding makes of the verdict, the most urgent first: the keys of `Verdict.counts`.
SORTS = ("block", "review", "warn", "not_settled", "info", "to_sign", "waived", "pass", "n/a")
BINDING = ("block", "review")
# Where the shipped policies stand in an installed govern; no folder of a user has this name.
SHIPPED = "govern/_data/policies"
SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Result:
    """One finding for a pipeline; every text is one line without control characters.

    `sort` is one of `SORTS`, `word` the outcome in words, `id` the rule with its policy. `name` says what was asked
    and never what was found, so that it is the same in every run, and no two results have the same. `seen`, `bound`
    (with whose it is), `settle` (what would make it pass or settle it) and `aside` (why it does not count) are
    sentences, or empty. `path` is the policy file as it was named, without folders above it, and `line` a line of it;
    `shipped` policies have no file of the user's. `key` is a digest of what was asked, 32 hexadecimal digits.
    """

    sort: str
    word: str
    id: str
    policy: str
    title: str
    name: str
    seen: str
    bound: str
    settle: str
    aside: str
    path: str
    line: int
    shipped: bool
    key: str
    finding: Finding

    @property
    def binds(self) -> bool:
        """Whether the finding blocks or asks for a person to decide."""
        return self.sort in BINDING

    @property
    def decided(self) -> bool:
        """Whether the rule could be decided at all."""
        return self.finding.outcome not in ("insufficient", "not_run")

    @property
    def parts(self) -> list[str]:
        """The sentences that there are, in the order in which they are read."""
        return [p for p in (self.seen, self.bound, self.settle, self.aside) if p]

    @property
    def text(self) -> str:
        """All sentences on one line."""
        return " ".join(self.parts)


def results(evidence: Evidence, verdict: Verdict, t: Strings | None = None) -> list[Result]:
    """A result for each finding, in the order of the verdict; first the verdict itself where no finding explains it.

    So a REVIEW without a finding that asks for it (no rule was evaluated) is a result like any other.
    """
    t = t or strings()
    found = [*_unexplained(verdict, t), *verdict.findings]
    told = [_result(f, evidence, verdict, t) for f in found]
    seen: Counter[str] = Counter()
    out = []
    for r in told:
        seen[r.key] += 1
        out.append(r if seen[r.key] == 1 else _again(r, seen[r.key]))
    return out


def urgent(found: list[Result]) -> list[Result]:
    """The results with the most urgent first."""
    return sorted(found, key=lambda r: SORTS.index(r.sort))


def waiver_line(waiver: WaiverState, t: Strings) -> str:
    """Reason, owner, approver and last day of a waiver."""
    return t("waiver.line", reason=printable(waiver.reason, LONG), owner=printable(waiver.owner),
             approver=printable(waiver.approver), expires=printable(waiver.expires))


def sign_line(entry: ToSign, t: Strings) -> str:
    """Who signs what."""
    return t("ci.to_sign", roles=", ".join(map(printable, entry.roles)),
             title=printable(pick(entry.title, t("lang")) or entry.rule, LONG))


def _unexplained(verdict: Verdict, t: Strings) -> list[Finding]:
    if verdict.outcome == "PASS" or any(f.counts_as == verdict.outcome for f in verdict.findings):
        return []
    why = "; ".join(verdict.notes) or t(f"verdict.{verdict.outcome}")
    severity = "block" if verdict.outcome == "BLOCK" else "review"
    return [Finding("verdict", "govern", "verdict", {t("lang"): t("ci.verdict")}, "not_run", severity, "govern",  # type: ignore[arg-type]
                    verdict.outcome, reason=why)]


def _result(finding: Finding, evidence: Evidence, verdict: Verdict, t: Strings) -> Result:
    told = reason(finding, evidence, t)
    sort, word, seen, aside = _sort(finding), told.word, _seen(finding, told), ""
    statement = next((s for s in verdict.to_sign if (s.policy, s.rule) == (finding.policy, finding.rule)), None)
    if finding.outcome == "n/a" and statement is not None:
        sort, word, seen = "to_sign", t("ci.unsigned"), sign_line(statement, t)
    elif finding.outcome == "n/a":
        seen = t("ci.not_applied", why=printable(finding.reason or told.word, LONG).rstrip("."))
    elif finding.waiver is not None and finding.waiver < len(verdict.waivers):
        waiver = verdict.waivers[finding.waiver]
        aside = t("ci.waived", line=waiver_line(waiver, t), state=waiver_state(waiver, t))
    asked = [metric_name(finding.metric)] if finding.metric else []
    asked += [printable(x) for x in (":".join(finding.features), finding.label, finding.decision, finding.each) if x]
    name = f"{printable(finding.rule)}: {told.title}" + (f" ({', '.join(asked)})" if asked else "")
    path, shipped = _place(finding)
    return Result(sort, word, f"{printable(finding.policy)}/{printable(finding.rule)}",
                  printable(finding.policy), told.title, name, seen, told.bound, _settle(finding, told, t),
                  aside, path, finding.line or 1, shipped, _key(finding), finding)


def _seen(finding: Finding, told: Reason) -> str:
    """What was seen, and why that is so where the sentence does not say it."""
    why = printable(finding.reason or "", LONG).strip(" .")
    if not why or finding.kind == "document" or why in told.sentence:
        return told.sentence
    # A name with a dot in it, such as card.owner, keeps its small letter.
    return f"{told.sentence} {why[:1].upper() if why.split()[0].isalpha() else why[:1]}{why[1:]}."


def _sort(finding: Finding) -> str:
    return next(sort for sort, n in count_findings((finding,)).items() if n)


def _settle(finding: Finding, told: Reason, t: Strings) -> str:
    """What would make an open finding pass, in plain words where the gate computed nothing better."""
    if told.settle or finding.outcome not in ("fail", "not_run"):
        return told.settle
    if finding.outcome == "not_run":
        return t("ci.settle_not_run")
    if finding.missing:
        return t("ci.settle_missing", n=len(finding.missing))
    ranged = finding.seen is not None and (finding.seen.low is not None or finding.seen.high is not None)
    return t("ci.settle_interval" if ranged else "ci.settle_value", limit=told.limit) if told.limit else ""


def _place(finding: Finding) -> tuple[str, bool]:
    """The policy file, never an absolute path, and whether the policy is a shipped one."""
    named = printable(finding.file or finding.policy, 200)
    if not named.endswith(SUFFIXES):
        return f"{SHIPPED}/{named}.yaml", True
    if PurePosixPath(named).is_absolute() or PureWindowsPath(named).anchor:
        named = PureWindowsPath(named).name
    return named, False


def _key(finding: Finding) -> str:
    """A digest of what was asked: neither of the numbers found nor of the line, so that edits do not change it."""
    asked = (finding.policy, finding.rule, finding.metric, ":".join(finding.features), finding.label,
             finding.decision, finding.each)
    return digest("\0".join(x or "" for x in asked).encode("utf-8", "backslashreplace"))[:32]


def _again(result: Result, times: int) -> Result:
    key = digest(f"{result.key}\0{times}".encode())[:32]
    return replace(result, name=f"{result.name} [{times}]", key=key)
