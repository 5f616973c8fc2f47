"""The fairness section: what each group receives, the errors it bears, disparities, further intersections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from govern.errors import printable
from govern.evidence import REST, Evidence, Group, Measurement
from govern.formats.charts import Glyph, MarkName, Scale, glyph, scale
from govern.formats.numbers import count, decimal, digits_beside, percent, with_interval
from govern.formats.strings import Strings
from govern.formats.words import (
    MARKS,
    favourable,
    group_label,
    group_name,
    limit_text,
    rates_apart,
    reading_level,
    received,
)
from govern.verdict import Comparison, Finding, Verdict

FEW_ROWS = 30
AFFECTED = 3
CHART = 72
TALLY = "/\u200b"  # a long row of counts may break after a slash, never inside a number
RATES = ("true_positive_rate", "false_positive_rate", "precision", "accuracy")
SCORES = ("roc_auc",)
DISPARITIES = ("demographic_parity", "equalized_odds", "equal_opportunity")
URGENCY = ("fail", "insufficient", "not_run", "waived", "pass", "n/a")
View = dict[str, Any]


def largest(groups: Sequence[Group]) -> Group | None:
    """The known group with the most rows, the first of equals; None when no group is known."""
    known = [g for g in groups if not g.missing and g.n]
    return max(known, key=lambda g: g.n) if known else None


def too_few(evidence: Evidence, verdict: Verdict | None) -> list[Group]:
    """Groups the policy calls too small to hold up a PASS; without a verdict those below 30 rows."""
    if verdict is None:
        ids = {g.id for g in evidence.groups if g.features and g.asked and not g.missing and g.n < FEW_ROWS}
    else:
        ids = {_smaller(c) for f in verdict.findings for c in f.comparisons if c.exempt}
    return [g for g in evidence.groups if g.id in ids and not g.missing]


def _smaller(c: Comparison) -> str:
    """The side of a comparison with fewer rows: the one that makes it exempt."""
    known = c.reference is not None and c.reference != REST and c.n is not None and c.reference_n is not None
    return c.reference if known and c.reference_n < c.n else c.group  # type: ignore[operator,return-value]


def affected(evidence: Evidence, verdict: Verdict | None, t: Strings) -> list[View]:
    """The groups shown to be selected less often than the largest of their feature, the lowest ratio first.

    Only intervals that stay below 1 and groups of 30 rows or more count; of each feature the lowest group is
    taken, asked features and intersections first.
    """
    worst: dict[tuple[str, ...], tuple[float, Group, Group]] = {}
    for features, groups in evidence.feature_groups.items():
        reference = largest(groups)
        for g in groups:
            m = evidence.find("selection_rate", g.id, reference.id, "ratio") if reference else None
            if m is None or reference is None or m.value is None or g.n < FEW_ROWS:
                continue
            if m.interval is None or m.interval.high is None or m.interval.high >= 1:
                continue
            if features not in worst or m.value < worst[features][0]:
                worst[features] = (m.value, g, reference)
    rows = sorted(worst.values(), key=lambda w: (not w[1].asked, w[0], w[1].id))[:AFFECTED]
    return [_affected(evidence, value, g, reference, t) for value, g, reference in rows]


def _affected(evidence: Evidence, value: float, group: Group, reference: Group, t: Strings) -> View:
    x, y = evidence.counts_by_group[group.id].selected, evidence.counts_by_group[reference.id].selected
    rate, _ = rates_apart(x, group.n, y, reference.n)
    short = round(group.n * y / reference.n - x)
    shown = decimal(value, digits_beside([value], [1.0]))
    return {
        "group": group_label(evidence, group.id, t),
        "line": t("page1.lower", rate=rate, outcome=received(evidence, t), reference=printable(reference.name),
                  counts=t("reason.of", x=count(x), n=count(group.n)), ratio=shown),
        "fewer": t("page1.fewer", n=count(short)), "tail": t("page1.fewer_tail"),
    }


def fairness(evidence: Evidence, verdict: Verdict | None, t: Strings) -> View:
    """The section: one block for each asked feature, disparities, and the intersections nobody asked for."""
    settings = evidence.settings.get("data", {})
    asked = {k: g for k, g in evidence.feature_groups.items() if g[0].asked}
    others = {k: g for k, g in evidence.feature_groups.items() if not g[0].asked}
    target = printable(settings.get("target", ""))
    positive = printable(settings.get("positive", ""))
    return {
        "none": "" if asked else t("fairness.none"),
        "intro": t("fairness.intro", outcome=favourable(evidence, t), target=target, level=reading_level(evidence),
                   favourable=printable(settings.get("favourable", ""))),
        "positives": f"{target} = {positive}", "selected": favourable(evidence, t),
        "features": [_feature(evidence, verdict, k, g, t) for k, g in asked.items()],
        "errors_note": t("fairness.errors_note", target=target, positive=positive, level=reading_level(evidence)),
        "metrics": [t(f"metric.{m}") for m in _measured(evidence)],
        "disparities": [_disparities(evidence, k, t) for k in asked],
        "disparities_note": t("fairness.disparities_note", level=reading_level(evidence)),
        "disparity_names": [t(f"metric.{d}") for d in DISPARITIES],
        "others": [_other(evidence, k, g, t) for k, g in others.items()],
    }


def _measured(evidence: Evidence) -> tuple[str, ...]:
    return (*RATES, *(m for m in SCORES if evidence.find(m) is not None))


def judged(verdict: Verdict | None, features: tuple[str, ...], metric: str) -> Finding | None:
    """The most urgent finding that compares groups of a feature by a metric, or None."""
    found = [f for f in (verdict.findings if verdict else ())
             if f.metric == metric and f.features == features and f.comparisons]
    return min(found, key=lambda f: (URGENCY.index(f.outcome), f.compare != "ratio", f.rule), default=None)


def deciding(finding: Finding | None, group: str) -> Comparison | None:
    """The comparison of `group` that weighs most in a finding: outside or leaning, then undecided, then the
    lowest; one that is exempt because the other group is small only where there is no other."""
    mine = [c for c in finding.comparisons if c.group == group] if finding else []
    return min(mine, key=lambda c: (c.exempt and c.outcome != "fail" and not c.leans, URGENCY.index(c.outcome),
                                    _badness(finding, c)), default=None)


def _badness(finding: Finding | None, c: Comparison) -> float:
    if c.value is None:
        return float("inf")
    return c.value if finding is not None and finding.bound_min is not None else -abs(c.value)


def _feature(evidence: Evidence, verdict: Verdict | None, features: tuple[str, ...], groups: Sequence[Group],
             t: Strings) -> View:
    finding = judged(verdict, features, "selection_rate")
    reference = largest(groups)
    rates = {g.id: evidence.find("selection_rate", g.id) for g in groups}
    # Tiny groups would stretch the scale until nothing else could be told apart; they run to its edges.
    large = [rates[g.id] for g in groups if g.n >= FEW_ROWS] or list(rates.values())
    on = scale([v for m in large for v in _ends(m)], CHART, floor=0.0, ceiling=1.0)
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
        head += " " + t("fairness.to", reference=group_name(evidence, shared, t))
    note = t("fairness.judged" if compare == "ratio" else "fairness.judged_difference",
             rule=printable(finding.rule), limit=limit) if finding \
        else t("fairness.unjudged", level=reading_level(evidence))
    return {
        "name": printable(":".join(features)),
        "rate_head": t("fairness.selected", low=percent(on.low, 0), high=percent(on.high, 0)),
        "ratio_head": f"{head}, {limit}" if limit else head,
        "note": note,
        "rows": [_group(evidence, finding, g, references, rates[g.id], on, shown[g.id], beside, shared is None, t)
                 for g in listed],
        "missing": _missing(evidence, [g for g in groups if g not in listed and g.n], t),
        "errors": [_errors(evidence, verdict, features, g) for g in listed],
    }


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
    m = evidence.find("selection_rate", group.id, reference.id, "ratio")
    if m is None or m.value is None:
        return None
    ends = m.interval
    return Comparison(group.id, "n/a", m.value, ends.low if ends else None, ends.high if ends else None,
                      reference.id, "ratio")


def _group(evidence: Evidence, finding: Finding | None, group: Group, references: set[str | None],
           rate: Measurement | None, on: Scale, compared: Comparison | None, beside: Scale, name_reference: bool,
           t: Strings) -> View:
    counts = evidence.counts_by_group[group.id]
    row: View = {
        "name": printable(group.name), "rows": count(group.n), "positives": count(group.n_positive),
        "selected": count(counts.selected), "rate": "–", "dot": None, "glyph": None, "number": "", "to": "",
        "mark": "none", "word": "",
    }
    if rate is not None and rate.value is not None:
        row["rate"] = percent(rate.value)
        low, high = (rate.interval.low, rate.interval.high) if rate.interval else (None, None)
        row["dot"] = glyph(rate.value, low, high, on=on, title=_rate_title(rate))
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
    found = ", ".join(t("fairness.missing_group", group=printable(g.name), n=count(g.n),
                        selected=count(evidence.counts_by_group[g.id].selected)) for g in groups)
    return t("fairness.missing_groups", groups=found) if found else ""


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


def _errors(evidence: Evidence, verdict: Verdict | None, features: tuple[str, ...], group: Group) -> View:
    counts = evidence.counts_by_group[group.id]
    cells = []
    for metric in _measured(evidence):
        finding = judged(verdict, features, metric)
        decided = deciding(finding, group.id)
        mark = MARKS[decided.outcome] if decided is not None and _worth_a_mark(decided) else None
        cells.append({"text": cell(evidence.find(metric, group.id), in_percent=metric in RATES), "mark": mark})
    return {"name": printable(group.name), "cells": cells,
            "tally": TALLY.join(str(v) for v in (counts.tp, counts.fp, counts.fn, counts.tn))}


def _worth_a_mark(c: Comparison) -> bool:
    return c.outcome == "fail" or (c.outcome == "insufficient" and (c.leans or not c.exempt))


def cell(m: Measurement | None, *, in_percent: bool) -> str:
    """A value with its interval for a table cell; rates in percent without the sign, `–` when undefined."""
    if m is None or m.value is None:
        return "–"
    by, digits = (100.0, 1) if in_percent else (1.0, 3)
    low, high = (m.interval.low, m.interval.high) if m.interval else (None, None)
    return with_interval(m.value * by, None if low is None else low * by, None if high is None else high * by,
                         digits=digits)


def _disparities(evidence: Evidence, features: tuple[str, ...], t: Strings) -> View:
    values = []
    for name in DISPARITIES:
        for kind in ("difference", "ratio"):
            m = evidence.find(f"{name}_{kind}", features=features)
            ends = (m.interval.low, m.interval.high) if m is not None and m.interval else (None, None)
            values.append(("–", "") if m is None or m.value is None else (decimal(m.value), with_interval(None, *ends)))
    return {"name": printable(":".join(features)), "cells": values}


def _other(evidence: Evidence, features: tuple[str, ...], groups: Sequence[Group], t: Strings) -> View:
    reference = largest(groups)
    rows = []
    for g in (g for g in groups if not g.missing):
        compared = _compared(evidence, None, g, reference)
        counts = evidence.counts_by_group[g.id]
        if compared is not None:
            ratio = with_interval(compared.value, compared.low, compared.high, [1.0])
        else:
            ratio = t("fairness.reference") if reference is not None and g.id == reference.id else "–"
        rows.append({
            "name": printable(g.name), "rows": count(g.n), "positives": count(g.n_positive),
            "selected": count(counts.selected), "ratio": ratio,
            "rate": cell(evidence.find("selection_rate", g.id), in_percent=True)})
    return {"name": printable(":".join(features)), "rows": rows,
            "missing": _missing(evidence, [g for g in groups if g.missing and g.n], t)}
