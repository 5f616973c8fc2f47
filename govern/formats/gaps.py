"""What a difference between two groups is made of, feature by feature: a waterfall, one step a feature."""

from __future__ import annotations

from math import fsum

from govern.errors import printable
from govern.evidence import Evidence
from govern.explanations import Gap, GapPart
from govern.formats.axes import fitted
from govern.formats.beams import Step, Waterfall, beam, beams_scale
from govern.formats.cells import Part
from govern.formats.naming import group_label, group_name
from govern.formats.numbers import count, digits_of, percent, with_interval
from govern.formats.points import SEPARATOR
from govern.formats.strings import Strings

SHOWN = 4
WIDTH, LETTERS = 108, 18
ROW = 40 / 3  # ten points, the height of a line beside the bars


def of_text(gap: Gap, t: Strings) -> str:
    """What the gap is in: the mean output, of a class where there are several, or the selection rate."""
    of = t(f"charts.gap_{gap.of}")
    return of if gap.label is None or gap.of != "output" else t("charts.gap_class", label=printable(gap.label, 40))


def waterfall(gap: Gap, evidence: Evidence, t: Strings, *, shown: int = SHOWN) -> Part:
    """The `shown` largest parts of a gap, each beginning where the one before ends; the last row is the whole."""
    digits = digits_of_gap(gap)
    steps = _steps(gap, shown, t)
    starts = [fsum(p.value for _, p in steps[:i]) for i in range(len(steps) + 1)]
    reaches = [*starts, gap.value]
    for start, (_, p) in zip(starts, steps, strict=False):
        reaches += [start + end for end in (p.low, p.high) if end is not None]
    on = beams_scale(reaches, WIDTH)
    rows = []
    for start, (name, p) in zip(starts, steps, strict=False):
        number = with_interval(p.value, p.low, p.high, digits=digits)
        bar = beam(p.value, on, name, start=start, low=p.low, high=p.high)
        rows.append(Step(fitted(name, LETTERS), bar, number))
    name = t("charts.gap_sum")
    whole = with_interval(gap.value, gap.low, gap.high, [0.0], digits)
    rows.append(Step(name, beam(gap.value, on, name, low=gap.low, high=gap.high, sum=True), whole))
    picture = Waterfall(WIDTH, round(ROW * len(rows), 1), ROW, tuple(rows),
                        t("charts.gap_alt", gap=gap_title(gap, evidence, t), parts=parts_text(gap, shown, t)))
    rows_of = {"n": count(gap.n), "reference_n": count(gap.reference_n)}
    note = t("charts.gap_rows", **rows_of) if gap.revealing is None else \
        t("charts.gap_revealing", **rows_of, share=percent(gap.revealing))
    return Part(gap_title(gap, evidence, t), note, pictures=(picture,))


def gap_title(gap: Gap, evidence: Evidence, t: Strings) -> str:
    """What differs between whom."""
    return t("charts.gap", of=t.capital(of_text(gap, t)), group=group_label(evidence, gap.group, t),
             reference=group_name(evidence, gap.reference, t))


def parts_text(gap: Gap, shown: int, t: Strings) -> str:
    """The parts of a gap with their intervals, as a waterfall of `shown` parts has them, and what they add up to."""
    digits = digits_of_gap(gap)
    return SEPARATOR.join((*(f"{name} {with_interval(p.value, p.low, p.high, digits=digits)}"
                             for name, p in _steps(gap, shown, t)),
                           f"{t('charts.gap_sum')} {with_interval(gap.value, gap.low, gap.high, [0.0], digits)}"))


def digits_of_gap(gap: Gap) -> int:
    """Decimals that suit a gap and its parts."""
    return 3 if gap.of == "selection" else digits_of(max(abs(x) for x in (gap.value, *(p.value for p in gap.parts))))


def _steps(gap: Gap, shown: int, t: Strings) -> list[tuple[str, GapPart]]:
    kept, others = together(gap, shown)
    steps = [(printable(p.feature, 60), p) for p in kept]
    if others is not None:
        steps.append((t("charts.gap_others", n=len(gap.parts) - len(kept) + gap.others_n), others))
    if gap.residual:
        steps.append((t("charts.gap_residual"), GapPart("", gap.residual, None, None)))
    return steps


def together(gap: Gap, shown: int) -> tuple[list[GapPart], GapPart | None]:
    """The `shown` largest parts, and all others as one; a single other part is shown as it is."""
    ranked = sorted(gap.parts, key=lambda p: (-abs(p.value), p.feature))
    kept = ranked[:shown] if len(ranked) + gap.others_n > shown + 1 else ranked
    rest = ranked[len(kept):]
    if not rest:
        return kept, gap.others
    return kept, GapPart("", fsum([*(p.value for p in rest), gap.others.value if gap.others else 0.0]), None, None)
