"""What is shown for exploring and never judged: subgroups found by a search, and other thresholds."""

from __future__ import annotations

from collections.abc import Sequence

from govern.errors import printable
from govern.evidence import Evidence, Measurement, Subgroup
from govern.formats.cells import Cell, Part, Table, heads, shown, value
from govern.formats.naming import metric_name, names, value_name
from govern.formats.numbers import amount, count, percent
from govern.formats.strings import Strings
from govern.formats.sweeps import point_mark, sweep_pictures
from govern.verdict import Sweep, SweepPoint, Verdict

SUBGROUPS = 8
POINTS = 9
BREAKABLE = "\u200b"  # lets a cell of numbers break its line
RULES = 2
SEARCH = "Subgroup search"  # how the note of evidence.json begins that says what was searched


def subgroups(evidence: Evidence, t: Strings) -> Part | None:
    """The first findings of the search; None where nothing was searched or found."""
    found = evidence.subgroups
    if not found:
        return None
    rows = tuple(_subgroup(s, t) for s in found[:SUBGROUPS])
    titles = [t(f"exploring.{k}") for k in ("subgroup", "rows", "metric", "here", "elsewhere", "gap", "q")]
    more = len(found) - SUBGROUPS
    table = Table(heads(titles, ("w30", "w8", "w16", "w8", "w8", "")), rows,
                  after=t("exploring.more", n=more) if more > 0 else "")
    searched = [printable(t.phrase(n), 600) for n in search_notes(evidence)]
    return Part(t("exploring.subgroups"), t("exploring.subgroups_note"), (table,), after=t.text(searched))


def search_notes(evidence: Evidence) -> list[str]:
    """The notes that stand with the findings of the search, and nowhere else on the card; none without findings."""
    return [n for n in evidence.notes if n.startswith(SEARCH)] if evidence.subgroups else []


def _subgroup(s: Subgroup, t: Strings) -> tuple[str | Cell, ...]:
    name = " · ".join(t("reason.group_word", feature=printable(f), group=value_name(v, t))
                      for f, v in zip(s.features, s.values, strict=True))
    ours, theirs = (value(Measurement(s.metric, v)) for v in (s.value, s.rest_value))
    gap = shown(Measurement(s.metric, s.value - s.rest_value, compare="difference", interval=s.interval))
    return (Cell(name, t("exploring.covers", n=s.covers) if s.covers else ""), count(s.n), metric_name(s.metric, t),
            ours, theirs, " ".join(x for x in gap if x), amount(s.q_value, digits=2))


def thresholds(evidence: Evidence, verdict: Verdict | None, t: Strings) -> Part | None:
    """Which thresholds would meet the policy and at what cost, as pictures and with some of those that were tried; None
    where no threshold was."""
    swept = verdict.sweep if verdict else None
    if swept is None or not swept.points:
        return None
    at = {p.threshold: p for p in swept.points}
    metric = metric_name(swept.metric, t)
    lines = [_meeting(swept, t)]
    cheapest, now = at.get(swept.cheapest or -1.0), at.get(swept.in_force) if swept.in_force is not None else None
    if cheapest is not None and now is not None and cheapest is not now:
        lines.append(t("exploring.cheapest", threshold=threshold_text(cheapest.threshold), metric=metric,
                       value=_primary(swept, cheapest), now=_primary(swept, now)))
    chosen = _chosen(swept)
    rows = tuple(_point(swept, p, metric, t) for p in chosen)
    titles = [t("exploring.threshold"), t("exploring.selected"), metric, t("exploring.rules"), t("exploring.not_met")]
    # That this is for exploring stands above; what was left out is said here.
    after = [t("exploring.tried", n=len(swept.points), shown=len(chosen)),
             *(printable(t.phrase(n), 300) for n in swept.notes if n.startswith("left out"))]
    table = Table(heads(titles, ("w22", "w13", "w16", "w16", "")), rows, fine=True, after=t.text(after))
    pictures, numbers = sweep_pictures(evidence, swept, t)
    note = t.text((t("exploring.thresholds_note"), t("charts.sweep_note")))
    return Part(t("exploring.thresholds"), note, (table,), pictures, t.text(lines), numbers, id="thresholds")


def _meeting(swept: Sweep, t: Strings) -> str:
    if not swept.meets:
        return t("exploring.none_meets", n=len(swept.points))
    return t("exploring.meets", n=len(swept.meets), tried=len(swept.points), low=threshold_text(min(swept.meets)),
             high=threshold_text(max(swept.meets)))


def _chosen(swept: Sweep) -> list[SweepPoint]:
    """The threshold in force, the cheapest, the ends of those that meet the policy, and others evenly spread."""
    points = swept.points
    wanted = [i for i, p in enumerate(points) if p.threshold in (swept.in_force, swept.cheapest)]
    meeting = [i for i, p in enumerate(points) if p.threshold in swept.meets]
    wanted += [meeting[0], meeting[-1]] if meeting else []
    even = [round(i * (len(points) - 1) / (POINTS - 1)) for i in range(POINTS)]
    for i in sorted(even, key=lambda i: -min((abs(i - w) for w in wanted), default=0)):
        if len(set(wanted)) < POINTS:
            wanted.append(i)
    return [points[i] for i in sorted(set(wanted))]


def _point(swept: Sweep, p: SweepPoint, metric: str, t: Strings) -> tuple[str | Cell, ...]:
    roles = [t("exploring.in_force")] if p.threshold == swept.in_force else []
    roles += [t("exploring.is_cheapest")] if p.threshold == swept.cheapest else []
    mark = point_mark(swept, p)
    rate = percent(p.selection_rate) if p.selection_rate is not None else "–"
    return (threshold_text(p.threshold) + (f" ({t.list(roles)})" if roles else ""), rate, _primary(swept, p),
            Cell(t(f"mark.{mark}"), "", mark), _not_met(swept, p.outcomes, t))


def _not_met(swept: Sweep, outcomes: Sequence[str], t: Strings) -> str:
    open_ = [(q, o) for q, o in zip(swept.questions, outcomes, strict=True) if o in ("fail", "insufficient", "not_run")]
    open_.sort(key=lambda x: x[1] != "fail")
    said = names(dict.fromkeys(f"{q.rule} {':'.join(q.features)}".strip() for q, _ in open_), t, RULES)
    return said and said + BREAKABLE


def _primary(swept: Sweep, p: SweepPoint) -> str:
    return value(Measurement(swept.metric, p.primary))


def threshold_text(threshold: float) -> str:
    """A threshold as the card writes it, to four digits."""
    return f"{threshold:.4g}".replace("-", "−")
