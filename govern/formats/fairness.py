"""The fairness section: what each group receives, and beside it the errors it bears (`errors.py`), classes
(`classes.py`), numeric predictions (`residuals.py`), control features (`controls.py`),
intersections nobody asked for (`intersections.py`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from govern.errors import printable
from govern.evidence import Evidence, Group, Measurement
from govern.formats import classes, residuals
from govern.formats.affected import FEW_ROWS, largest
from govern.formats.cells import Part
from govern.formats.charts import Glyph, MarkName, Scale, glyph, scale
from govern.formats.controls import controls
from govern.formats.counted import counts_of, decision_label, found, positives, selects, status_text, weighted_note
from govern.formats.curves import by_group
from govern.formats.errors import disparities, errors
from govern.formats.exploring import subgroups
from govern.formats.intersections import intersections
from govern.formats.judged import deciding, judged
from govern.formats.naming import favourable, group_name, name_of, names, reading_level
from govern.formats.numbers import amount, count, percent, with_interval
from govern.formats.own import own_metrics
from govern.formats.pairs import pairs
from govern.formats.strings import Strings
from govern.formats.words import MARKS, limit_text
from govern.verdict import Comparison, Finding, Verdict

CHART = 72
PERSONS = 4
View = dict[str, Any]


def fairness(evidence: Evidence, verdict: Verdict | None, t: Strings) -> View:
    """The section: one block for each asked feature, then parts with further tables and pictures."""
    data = evidence.settings.get("data", {})
    asked = {k: g for k, g in evidence.feature_groups.items() if g[0].asked}
    label = decision_label(evidence)
    target = printable(data.get("target", ""))
    level = reading_level(evidence)
    parts: list[Part | None]
    if evidence.task == "regression":
        features: list[View] = []
        parts = [*residuals.fairness_parts(evidence, verdict, asked, t)]
        intro = t("fairness.intro_numbers", target=target, level=level)
    elif selects(evidence):
        features = [_feature(evidence, verdict, k, g, t) for k, g in asked.items()]
        parts = [pairs(evidence, verdict, list(asked), t), disparities(evidence, list(asked), t),
                 errors(evidence, verdict, asked, t)]
        if label is not None:
            parts += classes.fairness_parts(evidence, verdict, asked, t)
        parts.append(by_group(evidence, list(asked), t))
        intro = t("fairness.intro", outcome=favourable(evidence, t), target=target, level=level,
                  favourable=printable(data.get("favourable", "")))
    else:
        features = []
        parts = [*classes.fairness_parts(evidence, verdict, asked, t), by_group(evidence, list(asked), t)]
        intro = t("fairness.intro_classes", target=target, level=level)
    parts += [own_metrics(evidence, verdict, asked, t), *controls(evidence, t), intersections(evidence, t),
              subgroups(evidence, t)]
    return {
        "none": "" if asked else t("fairness.none"),
        "intro": t.text((intro, weighted_note(evidence, t))),
        "positives": f"{target} = {printable(label if label is not None else data.get('positive', ''))}",
        "selected": favourable(evidence, t), "features": features, "parts": [p for p in parts if p is not None],
    }


def _feature(evidence: Evidence, verdict: Verdict | None, features: tuple[str, ...], groups: Sequence[Group],
             t: Strings) -> View:
    finding = judged(verdict, features, "selection_rate", decision_label(evidence))
    reference = largest(groups)
    rates = {g.id: found(evidence, "selection_rate", g.id) for g in groups}
    # Tiny groups would stretch the scale until nothing else could be told apart; they run to its edges.
    large = [rates[g.id] for g in groups if g.n >= FEW_ROWS] or list(rates.values())
    line = _bound_line(finding, rates)
    on = scale([*(v for m in large for v in _ends(m)), line], CHART, floor=0.0, ceiling=1.0)
    single = len(features) == 1
    listed = [g for g in groups if single or not g.missing]
    shown = {g.id: _compared(evidence, finding, g, reference) for g in groups}
    values = [v for c in shown.values() if c is not None for v in (c.value, c.low, c.high)]
    limits = [float(b) for b in (finding.bound_min, finding.bound_max) if b is not None] if finding else [1.0]
    beside = scale([*_inner(values, limits), *limits], CHART)
    compare = (finding.compare if finding else None) or "ratio"
    limit = limit_text(finding, t) if finding else ""
    references = {c.reference for c in shown.values() if c is not None}
    shared = next(iter(references)) if len(references) == 1 else None
    head = t(f"fairness.{compare}")
    if shared is not None:
        head = t("fairness.compared", compare=head, reference=group_name(evidence, shared, t))
    note = t("fairness.judged" if compare == "ratio" else "fairness.judged_difference",
             rule=printable(finding.rule), limit=limit) if finding \
        else t("fairness.unjudged", level=reading_level(evidence))
    if line is not None:
        note += " " + t("charts.rate_line", limit=limit, reference=group_name(evidence, shared, t))
    return {
        "name": printable(":".join(features)),
        "rate_head": t("fairness.selected", low=percent(on.low, 0), high=percent(on.high, 0)),
        "ratio_head": t.list((head, limit)),
        "note": note,
        "rows": [_group(evidence, finding, g, references, rates[g.id], on, shown[g.id], beside, shared is None, line, t)
                 for g in listed],
        "missing": _missing(evidence, [g for g in groups if g not in listed and g.n], t),
        "short": _short(evidence, features, t),
    }


def _bound_line(finding: Finding | None, rates: Mapping[str, Measurement | None]) -> float | None:
    """The rate at which a group would lie on the rule's bound, where all are held against one group's rate from below;
    None where there is no such rate."""
    references = {c.reference for c in finding.comparisons} if finding else set()
    reference = rates.get(next(iter(references)) or "") if len(references) == 1 else None
    if finding is None or finding.bound_min is None or reference is None or reference.value is None:
        return None
    bound = float(finding.bound_min)
    return bound * reference.value if finding.compare == "ratio" else bound + reference.value


def _ends(m: Measurement | None) -> list[float | None]:
    if m is None:
        return []
    return [m.value, m.interval.low, m.interval.high] if m.interval else [m.value]


def _inner(values: Sequence[float | None], limits: Sequence[float]) -> list[float]:
    """The values without ends so far out that they would squeeze the rest of the scale."""
    given = [v for v in values if v is not None]
    reach = 1.0 if not limits else max(0.5, 2 * max(abs(1 - x) for x in limits))
    return [min(max(v, limits[0] - reach), limits[0] + reach) for v in given] if limits else given


def _compared(evidence: Evidence, finding: Finding | None, group: Group, reference: Group | None
              ) -> Comparison | None:
    """The policy's comparison of a group, or, where nothing was judged, its stored ratio to the largest."""
    if finding is not None:
        return deciding(finding, group.id)
    if reference is None or group.id == reference.id or group.missing:
        return None
    m = found(evidence, "selection_rate", group.id, reference.id, "ratio")
    if m is None or m.value is None:
        return None
    ends = m.interval
    return Comparison(group.id, "n/a", m.value, ends.low if ends else None, ends.high if ends else None,
                      reference.id, "ratio")


def _group(evidence: Evidence, finding: Finding | None, group: Group, references: set[str | None],
           rate: Measurement | None, on: Scale, compared: Comparison | None, beside: Scale, name_reference: bool,
           line: float | None, t: Strings) -> View:
    counts = counts_of(evidence, group.id)
    row: View = {
        "name": name_of(group, t), "status": status_text(group, t), "rows": count(group.n),
        "positives": count(positives(counts)) if counts else "–",
        "selected": count(counts.selected) if counts else "–", "rate": "–", "dot": None, "glyph": None,
        "number": "", "to": "", "mark": "none", "word": "",
    }
    if rate is not None and rate.value is not None:
        row["rate"] = percent(rate.value)
        low, high = (rate.interval.low, rate.interval.high) if rate.interval else (None, None)
        dot = glyph(rate.value, low, high, on=on, title=_rate_title(rate))
        row["dot"] = dot if line is None else replace(dot, ticks=((on(line), ""),))
    if group.missing:
        row["word"] = t("fairness.missing_note")
    elif compared is None:
        row["word"] = t("fairness.reference") if group.id in references else ""
    else:
        _judge(row, finding, compared, evidence, beside, t)
        if not name_reference:
            row["to"] = ""
    return row


def _missing(evidence: Evidence, groups: Sequence[Group], t: Strings) -> str:
    """Groups of an intersection with an unknown value, in one line; empty without any."""
    found = t.list(t("fairness.missing_group", group=name_of(g, t), n=count(g.n),
                     selected=count(c.selected)) for g in groups if (c := counts_of(evidence, g.id)) is not None)
    return t("fairness.missing_groups", groups=found) if found else ""


def _short(evidence: Evidence, features: tuple[str, ...], t: Strings) -> str:
    """How many more favourable outcomes bring a group to four fifths of the highest rate, and which groups lie one
    selection from it; empty when none."""
    of, label = {g.id: name_of(g, t) for g in evidence.feature_groups[features]}, decision_label(evidence)
    known = [m for m in evidence.measurements
             if m.metric == "four_fifths_shortfall" and m.group in of and m.value is not None and m.label == label]
    short = sorted((m for m in known if m.value), key=lambda m: (-(m.value or 0.0), m.group))
    lacking = [t("fairness.short_group", group=of[m.group], n=amount(m.value or 0.0)) for m in short]
    near = [of[m.group] for m in known if m.reason is not None and m.effective is None]
    key = "fairness.short_weight" if weighted_note(evidence, t) else "fairness.short"
    return t.text(t(key, groups=names(groups, t, PERSONS))
                  for key, groups in ((key, lacking), ("fairness.flip", near)) if groups)


def _judge(row: View, finding: Finding | None, compared: Comparison, evidence: Evidence, beside: Scale,
           t: Strings) -> None:
    mark: MarkName = MARKS[compared.outcome] if finding else "none"
    low, high = (finding.bound_min, finding.bound_max) if finding else (None, None)
    limits = [float(b) for b in (low, high) if b is not None]
    number = with_interval(compared.value, compared.low, compared.high, limits) if compared.value is not None else "–"
    picture: Glyph | None = None
    if compared.value is not None:
        picture = glyph(compared.value, compared.low, compared.high, minimum=low, maximum=high, mark=mark, on=beside,
                        title=number)
    row.update(glyph=picture, number=number, mark=mark, word=t(f"mark.{mark}") if mark != "none" else "",
               to=t("fairness.to", reference=group_name(evidence, compared.reference, t)))


def _rate_title(m: Measurement) -> str:
    if m.value is None or m.interval is None or m.interval.low is None or m.interval.high is None:
        return ""
    return f"{percent(m.value)} [{percent(m.interval.low)}, {percent(m.interval.high)}]"
