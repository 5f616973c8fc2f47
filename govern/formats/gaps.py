"""What a difference between two groups is made of, feature by feature: a waterfall, one row a feature."""

from __future__ import annotations

from math import fsum

from govern.errors import printable
from govern.evidence import Evidence
from govern.explanations import Gap
from govern.formats.beams import beam, beams_scale
from govern.formats.cells import Part, Picture, Table, heads
from govern.formats.naming import group_label
from govern.formats.numbers import amount, count, level, with_interval
from govern.formats.strings import Strings

SHOWN = 10
WIDTH = 240


def waterfall(gap: Gap, evidence: Evidence, t: Strings) -> Part:
    """The parts of a gap, the largest first, each beginning where the one before ends; the last row is the whole."""
    ranked = sorted(gap.parts, key=lambda p: (-abs(p.value), p.feature))
    kept, others = ranked[:SHOWN], ranked[SHOWN:]
    steps: list[tuple[str, float, float | None, float | None]] = [
        (printable(p.feature, 60), p.value, p.low, p.high) for p in kept]
    if others:
        steps.append((t("charts.gap_others", n=len(others)), fsum(p.value for p in others), None, None))
    starts = [fsum(value for _, value, _, _ in steps[:i]) for i in range(len(steps) + 1)]
    reaches = [*starts, gap.value]
    for start, (_, _, low, high) in zip(starts, steps, strict=False):
        reaches += [start + end for end in (low, high) if end is not None]
    on = beams_scale(reaches, WIDTH)
    rows: list[tuple[str | Picture, ...]] = []
    for start, (name, value, low, high) in zip(starts, steps, strict=False):
        number = with_interval(value, low, high, [0.0])
        rows.append((name, beam(value, on, f"{name}: {number}", start=start, low=low, high=high), number))
    whole = with_interval(gap.value, gap.low, gap.high, [0.0])
    name = t("charts.gap_sum")
    rows.append((name, beam(gap.value, on, f"{name}: {whole}", low=gap.low, high=gap.high, sum=True), whole))
    titles = (t("charts.gap_feature"), t("charts.gap_part", low=amount(on.low), high=amount(on.high)),
              t("charts.change"))
    title = t("charts.gap", group=group_label(evidence, gap.group, t), of=t(f"charts.gap_{gap.of}"),
              reference=group_label(evidence, gap.reference, t))
    note = t("charts.gap_note", value=whole, n=count(gap.n), reference_n=count(gap.reference_n),
             method=printable(t.phrase(gap.method), 160), level=level(gap.level))
    return Part(title, note, (Table(heads(titles, ("w30", "")), tuple(rows), left=2),))
