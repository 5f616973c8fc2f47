"""What a difference between two groups is made of, feature by feature: a waterfall, one row a feature."""

from __future__ import annotations

from math import fsum

from govern.errors import printable
from govern.evidence import Evidence
from govern.explanations import Gap, GapPart
from govern.formats.beams import beam, beams_scale
from govern.formats.cells import Part, Picture, Table, heads
from govern.formats.naming import group_label, group_name
from govern.formats.numbers import amount, count, digits_of, percent, with_interval
from govern.formats.strings import Strings

SHOWN = 10
WIDTH = 240


def of_text(gap: Gap, t: Strings) -> str:
    """What the gap is in: the mean output, of a class where there are several, or the selection rate."""
    of = t(f"charts.gap_{gap.of}")
    return of if gap.label is None or gap.of != "output" else t("charts.gap_class", label=printable(gap.label, 40))


def waterfall(gap: Gap, evidence: Evidence, t: Strings, *, shown: int = SHOWN, width: float = WIDTH) -> Part:
    """The `shown` largest parts of a gap, each beginning where the one before ends; the last row is the whole."""
    ranked = sorted(gap.parts, key=lambda p: (-abs(p.value), p.feature))
    kept, others = together(gap, shown)
    digits = 3 if gap.of == "selection" else digits_of(max(abs(x) for x in (gap.value, *(p.value for p in ranked))))
    steps = [(printable(p.feature, 60), p) for p in kept]
    if others is not None:
        steps.append((t("charts.gap_others", n=len(ranked) - len(kept) + gap.others_n), others))
    if gap.residual:
        steps.append((t("charts.gap_residual"), GapPart("", gap.residual, None, None)))
    starts = [fsum(p.value for _, p in steps[:i]) for i in range(len(steps) + 1)]
    reaches = [*starts, gap.value]
    for start, (_, p) in zip(starts, steps, strict=False):
        reaches += [start + end for end in (p.low, p.high) if end is not None]
    on = beams_scale(reaches, width)
    rows: list[tuple[str | Picture, ...]] = []
    for start, (name, p) in zip(starts, steps, strict=False):
        number = with_interval(p.value, p.low, p.high, digits=digits)
        rows.append((name, beam(p.value, on, f"{name}: {number}", start=start, low=p.low, high=p.high), number))
    whole = with_interval(gap.value, gap.low, gap.high, [0.0], digits)
    name = t("charts.gap_sum")
    rows.append((name, beam(gap.value, on, f"{name}: {whole}", low=gap.low, high=gap.high, sum=True), whole))
    titles = (t("charts.gap_feature"), t("charts.gap_part", low=amount(on.low), high=amount(on.high)),
              t("charts.change"))
    title = t("charts.gap", group=group_label(evidence, gap.group, t), of=t.capital(of_text(gap, t)),
              reference=group_name(evidence, gap.reference, t))
    note = [t("charts.gap_rows", n=count(gap.n), reference_n=count(gap.reference_n))]
    if gap.revealing is not None:
        note.append(t("charts.gap_revealing", share=percent(gap.revealing)))
    return Part(title, t.text(note), (Table(heads(titles, ("w24", "")), tuple(rows), left=2),))


def together(gap: Gap, shown: int) -> tuple[list[GapPart], GapPart | None]:
    """The `shown` largest parts, and all others as one; a single other part is shown as it is."""
    ranked = sorted(gap.parts, key=lambda p: (-abs(p.value), p.feature))
    kept = ranked[:shown] if len(ranked) + gap.others_n > shown + 1 else ranked
    rest = ranked[len(kept):]
    if not rest:
        return kept, gap.others
    return kept, GapPart("", fsum([*(p.value for p in rest), gap.others.value if gap.others else 0.0]), None, None)
