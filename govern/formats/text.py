"""The terminal summary: verdict, top reasons with numbers and bounds, files written; rich is imported when called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from textwrap import wrap
from typing import TYPE_CHECKING

from govern.errors import printable
from govern.evidence import Evidence
from govern.formats.charts import ASCII_MARKS, TEXT_MARKS, text_glyph
from govern.formats.numbers import count
from govern.formats.strings import Strings, strings
from govern.formats.tally import open_findings, tally
from govern.formats.words import Reason, reason, waiver_state
from govern.verdict import Verdict

if TYPE_CHECKING:
    from rich.text import Text

REASONS = 5
GLYPH_CELLS = 15
INDENT = 11
STYLES = {"BLOCK": "bold white on red", "REVIEW": "bold black on yellow", "PASS": "bold black on green",
          "outside": "red", "unsettled": "yellow", "within": "green", "none": "dim"}
ASCII = str.maketrans({"·": "-", "−": "-", "–": "-", "—": "-", "…": "...", "“": '"', "”": '"', "≥": ">=",
                       "≤": "<=", "×": "x", "’": "'"})
Part = tuple[str, str]


def summary(evidence: Evidence, verdict: Verdict | None, files: Mapping[str, str], *, out: str, width: int = 80,
            unicode: bool = True) -> Text:
    """The summary as rich text of lines at most `width` (40 or more) columns; `.plain` is it without colour.

    `files` maps the names of the files written into `out` to their digests (an empty digest is not shown).
    With `unicode` false every character is ASCII.
    """
    from rich.text import Text

    t = strings()
    text = Text(end="")
    lines = [_head(evidence, verdict, t), [], *_verdict(verdict, t)]
    for found in _reasons(evidence, verdict, t):
        lines += _reason(found, width, unicode)
    lines += [*_footer(evidence, verdict, t), [], *_files(files, out, width)]
    for parts in _fit(lines, width, unicode):
        for content, style in parts:
            text.append(content, style or None)
        text.append("\n")
    return text


def _head(evidence: Evidence, verdict: Verdict | None, t: Strings) -> list[Part]:
    model = evidence.settings.get("model", {})
    name = " ".join(printable(model[k]) for k in ("name", "version") if model.get(k))
    policies = ", ".join(printable(p.name) for p in verdict.policies) if verdict else ""
    phase = t("terminal.phase", phase=verdict.phase) if verdict else ""
    rest = [t("terminal.rows", n=count(evidence.population.used)), policies or t("terminal.no_policy"), phase]
    return [(f" {name or t('page1.not_given')}", "bold"), ("".join(f" · {r}" for r in rest if r), "")]


def _verdict(verdict: Verdict | None, t: Strings) -> list[list[Part]]:
    if verdict is None:
        return [[(f" {t('terminal.no_verdict')} ", "bold reverse")]]
    counts = " · ".join(f"{k} {t(f'verdict.{word}')}" for k, word in tally(verdict) if k)
    unsettled = verdict.counts.get("not_settled", 0)
    lines = [[(" ", ""), (f" {verdict.outcome} ", STYLES[verdict.outcome]), (f"  {counts}", "")]]
    if verdict.outcome == "PASS" and unsettled:
        lines.append([("         " + t("terminal.also_unsettled", n=unsettled), STYLES["unsettled"])])
    for w in verdict.waivers:
        lines.append([(" " + t("terminal.waiver", rule=printable(w.rule), state=waiver_state(w, t)), "dim")])
    return lines


def _reasons(evidence: Evidence, verdict: Verdict | None, t: Strings) -> Iterable[Reason]:
    found = open_findings(verdict)[:REASONS] if verdict else []
    return (reason(f, evidence, t) for f in found)


def _reason(found: Reason, width: int, unicode: bool) -> list[list[Part]]:
    marks = TEXT_MARKS if unicode else ASCII_MARKS
    style = STYLES[found.mark]
    rule = f"{found.rule:<7} "
    pad = " " * INDENT
    lines: list[list[Part]] = [[], [(f" {marks[found.mark]} ", style), (rule, "bold")]]
    subject = found.subject if found.glyph else found.sentence
    head, *more = wrap(subject, width - 3 - len(rule)) or [""]
    lines[-1].append((head, ""))
    lines += [[(pad + line, "")] for row in more for line in wrap(row, width - INDENT)]
    if found.glyph:
        picture = text_glyph(found.glyph, GLYPH_CELLS, unicode=unicode)
        parts = [(f"{pad}{found.number:<20}  ", ""), (picture, style), (f"  {found.limit:<14}", "")]
        used = sum(len(p[0]) for p in parts)
        if used + 1 + len(found.source) <= width:
            lines.append([*parts, (f" {found.source}", "dim")])
        else:
            lines += [parts, [(pad + found.source, "dim")]]
    else:
        lines.append([(pad + found.source, "dim")])
    lines += [[(pad + line, "dim")] for line in wrap(found.settle, width - INDENT)]
    return lines


def _footer(evidence: Evidence, verdict: Verdict | None, t: Strings) -> list[list[Part]]:
    if verdict is None:
        return [[(" " + t("verdict.none_line"), "")]]
    found = len(open_findings(verdict))
    if found > REASONS:
        return [[], [(" " * INDENT + t("terminal.more", n=found - REASONS), "dim")]]
    if not found:
        return [[], [(" " + t("terminal.all_pass"), "")]]
    return []


def _files(files: Mapping[str, str], out: str, width: int) -> list[list[Part]]:
    if not files:
        return []
    names = [f"{printable(n)} ({d[:8]})" if d else printable(n) for n, d in files.items()]
    head = f" {printable(out, 200).rstrip('/')}/  "
    body = wrap("  ".join(n.replace(" ", "\0") for n in names), max(20, width - 4), break_on_hyphens=False)
    body = [line.replace("\0", " ") for line in body]
    if len(body) == 1 and len(head) + len(body[0]) <= width:
        return [[(head, "bold"), (body[0], "")]]
    return [[(head.rstrip(), "bold")], *([("    " + line, "")] for line in body)]


def _fit(lines: Iterable[list[Part]], width: int, unicode: bool) -> Iterable[list[Part]]:
    """The lines cut to `width` terminal cells; a wide character counts as two."""
    from rich.cells import cell_len, set_cell_size

    for parts in lines:
        room, fitted = width, []
        for content, style in parts:
            shown = content if unicode else content.translate(ASCII).encode("ascii", "backslashreplace").decode()
            length = cell_len(shown)
            if length > room:
                shown = set_cell_size(shown, max(0, room - 1)) + ("…" if unicode else "~") if room else ""
                length = room
            room -= length
            fitted.append((shown, style))
        if fitted and not fitted[-1][1].startswith("bold"):
            fitted[-1] = (fitted[-1][0].rstrip(), fitted[-1][1])
        yield fitted
