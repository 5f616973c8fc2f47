"""Markdown for a pull-request comment and for the step summary of GitHub Actions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from govern.errors import printable
from govern.evidence import Evidence
from govern.formats.charts import TEXT_MARKS
from govern.formats.naming import names
from govern.formats.numbers import count
from govern.formats.results import Result, results, sign_line, urgent, waiver_line
from govern.formats.strings import Strings, strings
from govern.formats.tally import tally
from govern.formats.words import LONG, MARKS, waiver_state
from govern.verdict import Verdict

# Characters for each part: a comment may have 65,536 on GitHub.
OPEN_ROOM, FOLDED_ROOM, LINES_ROOM = 30_000, 8_000, 4_000
POLICIES = 8
OPEN = ("block", "review", "warn", "not_settled", "info")
VERDICT_MARKS = {"BLOCK": "outside", "REVIEW": "unsettled", "PASS": "within"}
_SPECIAL = re.compile(r"[\\`*_~|$]|(?<=\])\(|(?<=:)//|(?<=www)\.")


def markdown(evidence: Evidence, verdict: Verdict, digests: Mapping[str, str]) -> str:
    """The verdict and its findings as GitHub-flavoured Markdown of bounded length, the most urgent first."""
    t = strings()
    found = urgent(results(evidence, verdict))
    still = [r for r in found if r.sort in OPEN]
    parts = [_headline(evidence, verdict, t), _counts(verdict, t),
             *_fit([_escaped(t("ci.waiver", rule=printable(w.rule), line=waiver_line(w, t), state=waiver_state(w, t)))
                    for w in verdict.waivers], LINES_ROOM, t),
             *_fit([_escaped(f"{printable(p.name)}: {printable(note, LONG)}")
                    for p in verdict.policies for note in p.notes], LINES_ROOM, t),
             "\n".join(_open(still, t)) if still else t("ci.none_open"),
             *_folded("ci.passed", [r for r in found if r.sort == "pass"], t),
             *_folded("ci.aside", [r for r in found if r.sort in ("waived", "n/a")], t),
             *_fit([_escaped(sign_line(s, t)) for s in verdict.to_sign], LINES_ROOM, t),
             "  \n".join(_footer(verdict, digests, t))]
    return "\n\n".join(p for p in parts if p) + "\n"


def _headline(evidence: Evidence, verdict: Verdict, t: Strings) -> str:
    model, subject = evidence.settings.get("model", {}), evidence.subject("model")
    name = " ".join(printable(model[k], 80) for k in ("name", "version") if model.get(k))
    name = name or (printable(subject.name) if subject else t("page1.no_model"))
    mark = TEXT_MARKS[VERDICT_MARKS[verdict.outcome]]
    return f"## {mark} {t('ci.headline', outcome=verdict.outcome, name=_escaped(name))}"


def _counts(verdict: Verdict, t: Strings) -> str:
    shown = [t("ci.counted", n=count(n), word=t(f"verdict.{word}")) for n, word in tally(verdict) if n]
    says = [t(f"verdict.{verdict.outcome}")]
    unsettled = verdict.counts.get("not_settled", 0)
    if verdict.outcome == "PASS" and unsettled:
        says.append(t("verdict.also_unsettled", n=unsettled))
    if verdict.valid_until:
        says.append(t("page1.valid_until", date=printable(verdict.valid_until)))
    return "\n\n".join(x for x in (" ".join(says), " · ".join(shown)) if x)


def _open(found: Sequence[Result], t: Strings) -> Iterator[str]:
    yield from _head([t("ci.result"), t("ci.rule"), t("ci.seen"), t("ci.bound"), t("ci.settle")])
    rows = []
    for r in found:
        effect = f"**{r.finding.counts_as}**<br>{r.word}" if r.binds else r.word
        rows.append(_row([f"{TEXT_MARKS[MARKS[r.finding.outcome]]} {effect}", _rule(r), _escaped(r.seen), _bound(r),
                          _escaped(r.settle)]))
    yield from _fit(rows, OPEN_ROOM, t)


def _folded(key: str, found: Sequence[Result], t: Strings) -> Iterator[str]:
    if not found:
        return
    rows = [_row([_rule(r), _escaped(" ".join(x for x in (r.seen, r.aside) if x)), _bound(r)]) for r in found]
    lines = [*_head([t("ci.rule"), t("ci.seen"), t("ci.bound")]), *_fit(rows, FOLDED_ROOM, t)]
    yield "\n".join([f"<details><summary>{t(key, n=len(found))}</summary>", "", *lines, "", "</details>"])


def _fit(lines: Sequence[str], room: int, t: Strings) -> list[str]:
    """As many lines as `room` characters hold, then how many there are besides."""
    kept: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            return [*kept, "\n" + t("ci.more", n=len(lines) - len(kept))]
        kept.append(line)
    return kept


def _head(titles: Sequence[str]) -> list[str]:
    return [_row(titles), "|" + "---|" * len(titles)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _rule(result: Result) -> str:
    return f"**{_escaped(printable(result.finding.rule))}** {_escaped(result.title)}"


def _bound(result: Result) -> str:
    where = "" if result.shipped else f"{result.path}:{result.line}"
    return "<br>".join(_escaped(x) for x in (result.bound, where) if x)


def _footer(verdict: Verdict, digests: Mapping[str, str], t: Strings) -> Iterator[str]:
    policies = names([f"{printable(p.name)} {printable(p.version)}" for p in verdict.policies], t, POLICIES)
    yield _escaped(t("ci.decided", date=printable(verdict.decided_on), phase=verdict.phase,
                     policies=policies or t("page1.no_policy")))
    if digests:
        yield t("ci.digests", digests=", ".join(f"{name} `{sha}`" for name, sha in digests.items()))


def _escaped(text: str) -> str:
    """Text that says itself: no markup, link, mention, reference or HTML can come of it.

    Empty comments keep GitHub and GitLab from reading mentions and references into it.
    """
    shown = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    shown = _SPECIAL.sub(lambda m: "".join("\\" + c for c in m.group()), shown)
    return re.sub(r"[@#!](?=\w)", lambda m: m.group() + "<!-- -->", shown)
