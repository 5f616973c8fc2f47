"""Groups whose rows are explained otherwise than all others'."""

from __future__ import annotations

from govern.errors import printable
from govern.evidence import Evidence
from govern.explanations import AttributionDifference
from govern.formats.cells import Part, Table, heads
from govern.formats.naming import group_label
from govern.formats.numbers import count, digits_of, level, with_interval
from govern.formats.strings import Strings
from govern.formats.words import p_text

NAMED, SHOWN = 3, 10


def differences_fact(evidence: Evidence, t: Strings) -> str:
    """How many differences survived, and the surest; empty without one."""
    found = evidence.attributions
    if found is None or not found.differences:
        return ""
    named = (t("explanation.differ_item", feature=printable(d.feature, 60), group=group_label(evidence, d.group, t))
             for d in found.differences)
    surest = list(dict.fromkeys(named))[:NAMED]
    return t("explanation.differ", n=count(len(found.differences)), share=level(1 - found.level), named=t.list(surest))


def differences(evidence: Evidence, t: Strings) -> Part | None:
    """The differences that survived, the surest first."""
    found = evidence.attributions
    if found is None or not found.differences:
        return None
    digits = digits_of(max(abs(d.value) for d in found.differences))
    rows = tuple((_what(d, evidence, t), with_interval(d.value, d.low, d.high, [0.0], digits), p_text(d.q_value))
                 for d in found.differences[:SHOWN])
    titles = (t("explanation.differ_what"), t("charts.change"), t("explanation.q"))
    return Part(t("explanation.differ_title"), t("explanation.differ_note", share=level(1 - found.level)), (Table(
        heads(titles, ("", "w22", "w10")), rows,
        after=t("explanation.more") if len(found.differences) > SHOWN else ""),))


def _what(d: AttributionDifference, evidence: Evidence, t: Strings) -> str:
    said = t(f"explanation.differ_{d.what}_{'more' if d.value > 0 else 'less'}", feature=printable(d.feature, 60),
             group=group_label(evidence, d.group, t))
    return said if d.label is None else t("explanation.of_class", what=said, label=printable(d.label, 40))
