"""Where the gaps between groups come from: which of them are shown as waterfalls, the others as a table."""

from __future__ import annotations

from collections.abc import Sequence

from govern.errors import printable
from govern.evidence import Evidence
from govern.explanations import Gap
from govern.formats.affected import largest
from govern.formats.cells import Part, Table, heads
from govern.formats.gaps import digits_of_gap, gap_title, of_text, parts_text, waterfall
from govern.formats.naming import group_label
from govern.formats.numbers import decimal, level, percent, with_interval
from govern.formats.strings import Strings

FEATURES = 6
NAMED, OTHERS = 3, 8


def gap_fact(evidence: Evidence, found: Sequence[Gap], t: Strings) -> str:
    """The largest gap that is beyond chance, in the selection rate, else in the mean output, with its largest parts."""
    said = []
    for of in ("selection", "output"):
        asked = [g for g in found if g.of == of]
        clear = [g for g in asked if beyond(g)]
        if clear:
            said.append(_largest(max(clear, key=lambda g: abs(g.value)), evidence, t))
            break
        if asked:
            said.append(t("explanation.gap_none", of=t(f"charts.gap_{of}"), level=level(asked[0].level)))
    return t.text(said)


def gaps_note(found: Sequence[Gap], t: Strings) -> str:
    """How the waterfalls are read, and how gaps are split."""
    if not found:
        return ""
    methods = t.clauses(dict.fromkeys(printable(t.phrase(g.method), 160) for g in found))
    return t("explanation.gaps_note", level=level(found[0].level), methods=methods)


def waterfalls(evidence: Evidence, found: Sequence[Gap], t: Strings) -> list[list[Part]]:
    """The main gaps, two in a row."""
    drawn = [waterfall(g, evidence, t) for g in main_gaps(evidence, found)]
    return [drawn[i:i + 2] for i in range(0, len(drawn), 2)]


def gaps_table(evidence: Evidence, found: Sequence[Gap], t: Strings) -> Part | None:
    """The gaps that no waterfall shows: those beyond chance first, the largest first."""
    main = main_gaps(evidence, found)
    left = sorted((g for g in found if g not in main), key=lambda g: (not beyond(g), g.of, -abs(g.value)))
    if not left:
        return None
    rows = tuple((gap_title(g, evidence, t), parts_text(g, NAMED, t),
                  percent(g.revealing) if g.revealing is not None else "–") for g in left[:OTHERS])
    titles = (t("explanation.gap_in"), t("explanation.gap_parts"), t("explanation.revealing"))
    return Part(t("explanation.gaps_others"), "", (Table(
        heads(titles, ("w24", "", "w12")), rows, left=2, fine=True,
        after=t("explanation.more") if len(left) > OTHERS else ""),))


def main_gaps(evidence: Evidence, found: Sequence[Gap]) -> list[Gap]:
    """For each sensitive feature (or asked intersection, where no single one was asked) the largest gap to its largest
    group in the mean output and in the selection rate; one beyond chance goes before one that is not."""
    asked = {k: g for k, g in evidence.feature_groups.items() if g[0].asked}
    asked = {k: g for k, g in asked.items() if len(k) == 1} or asked
    main = []
    for groups in list(asked.values())[:FEATURES]:
        reference, ids = largest(groups), {g.id for g in groups}
        for of in ("output", "selection"):
            mine = [g for g in found if g.of == of and g.group in ids
                    and (reference is None or g.reference == reference.id)]
            if mine:
                main.append(max(mine, key=lambda g: (beyond(g), abs(g.value))))
    return main


def beyond(gap: Gap) -> bool:
    """Whether the interval of a gap leaves out 0."""
    return gap.low is not None and gap.high is not None and (gap.low > 0 or gap.high < 0)


def _largest(gap: Gap, evidence: Evidence, t: Strings) -> str:
    said = [t("explanation.gap_largest", of=of_text(gap, t), group=group_label(evidence, gap.group, t),
              reference=group_label(evidence, gap.reference, t), parts=_made_of(gap, t),
              value=with_interval(gap.value, gap.low, gap.high, [0.0], digits_of_gap(gap)))]
    group = evidence.groups_by_id.get(gap.group)
    if gap.revealing is not None and group is not None:
        said.append(t("explanation.gap_revealing", share=percent(gap.revealing),
                      features=t.list(printable(f) for f in group.features)))
    return t.text(said)


def _made_of(gap: Gap, t: Strings) -> str:
    digits = digits_of_gap(gap)
    return t.list(f"{printable(p.feature, 60)} {'+' if p.value > 0 else ''}{decimal(p.value, digits)}"
                  for p in gap.parts[:NAMED])

