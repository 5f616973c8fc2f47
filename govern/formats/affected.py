"""Who is affected, for page one: the groups that fare worse than the largest, and groups apart from the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from govern.errors import printable
from govern.evidence import REST, Evidence, Group, Measurement
from govern.formats.cells import shown, value
from govern.formats.counted import counts_of, found, sampled, selects
from govern.formats.naming import favourable, group_label, name_of, reading_level, received
from govern.formats.numbers import count, decimal, digits_beside, percent
from govern.formats.strings import Strings
from govern.formats.words import rates_apart
from govern.verdict import Comparison, Verdict

FEW_ROWS = 30
AFFECTED = 3
NAMES = 6
View = dict[str, Any]
Found = tuple[Measurement, Group, Group]


def largest(groups: Sequence[Group]) -> Group | None:
    """The known group with the most rows, the first of equals; None when no group is known."""
    known = [g for g in groups if not g.missing and g.n]
    return max(known, key=lambda g: g.n) if known else None


def affected_section(evidence: Evidence, verdict: Verdict | None, t: Strings) -> View:
    """The box of page one: at most three affected groups, then groups that are too small, unknown or alike."""
    single = [g for g in evidence.groups if len(g.features) == 1 and not g.within]
    if not single:
        return {"rows": [], "none": t("page1.no_features"), "few": "", "apart": []}
    few = [t("page1.too_few_rows", group=group_label(evidence, g.id, t), n=count(g.n))
           for g in too_few(evidence, verdict) if g.n]
    return {"rows": affected(evidence, t), "none": _nobody(evidence, t), "few": _list(few, t),
            "apart": [_missing(g, evidence, t) for g in single if g.missing and g.n] + _apart(evidence, single, t)}


def _list(names: Sequence[str], t: Strings) -> str:
    more = len(names) - NAMES
    return t.list([*names[:NAMES], *([t("page1.and_more", n=more)] if more > 0 else [])])


def _missing(group: Group, evidence: Evidence, t: Strings) -> tuple[str, str]:
    share = percent(group.n / evidence.population.used)
    lost = any(v is None for v in group.values)
    return (t("page1.missing_group" if lost else "page1.unknown_group", feature=printable(group.feature)),
            t("page1.missing_rows", n=count(group.n), share=share))


def _apart(evidence: Evidence, groups: Sequence[Group], t: Strings) -> list[tuple[str, str]]:
    """Undeclared levels, levels nobody holds, and groups that all have one label."""
    out = []
    for status in ("unseen", "empty", "one_class"):
        names = [t("page1.too_few_rows", group=group_label(evidence, g.id, t), n=count(g.n))
                 for g in groups if g.status == status and g.asked]
        if names:
            out.append((t(f"page1.{status}"), t.sentence(_list(names, t))))
    return out


def too_few(evidence: Evidence, verdict: Verdict | None) -> list[Group]:
    """Groups the policy calls too small to hold up a PASS; without a verdict those below 30 rows."""
    if verdict is None:
        ids = {g.id for g in evidence.groups if g.features and g.asked and not g.missing and g.n < FEW_ROWS}
    else:
        ids = {_smaller(c) for f in verdict.findings for c in f.comparisons if c.exempt}
    return [g for g in evidence.groups if g.id in ids and not g.missing and not g.within]


def _smaller(c: Comparison) -> str:
    """The side of a comparison with fewer rows: the one that makes it exempt."""
    known = c.reference is not None and c.reference != REST and c.n is not None and c.reference_n is not None
    return c.reference if known and c.reference_n < c.n else c.group  # type: ignore[operator,return-value]


def affected(evidence: Evidence, t: Strings) -> list[View]:
    """The groups shown to fare worse than the largest of their feature, the clearest first.

    Worse is: selected less often; in a multiclass task without a favourable class, predicted right less often;
    in a regression, with another mean prediction. Only intervals that exclude equality and groups of 30 rows or
    more count; of each feature the most distant group is taken, asked features and intersections first.
    """
    worst: dict[tuple[str, ...], tuple[float, Found]] = {}
    for features, groups in evidence.feature_groups.items():
        reference = largest(groups)
        for g in groups:
            m = _worse(evidence, g, reference) if reference is not None and not g.missing and g.n >= FEW_ROWS else None
            if m is None or m.value is None or reference is None:
                continue
            rank = m.value if m.compare == "ratio" or evidence.task != "regression" else -abs(m.value)
            if features not in worst or rank < worst[features][0]:
                worst[features] = (rank, (m, g, reference))
    rows = sorted(worst.values(), key=lambda w: (not w[1][1].asked, w[0], w[1][1].id))[:AFFECTED]
    return [_selected(evidence, *w[1], t) if selects(evidence) else _measured(evidence, *w[1], t) for w in rows]


def _worse(evidence: Evidence, group: Group, reference: Group) -> Measurement | None:
    if selects(evidence):
        m = found(evidence, "selection_rate", group.id, reference.id, "ratio")
    else:
        name = "mean_prediction" if evidence.task == "regression" else "multiclass_accuracy"
        m = evidence.find(name, group.id, reference.id, "difference")
    if m is None or m.interval is None:
        return None
    equal, low, high = 1.0 if m.compare == "ratio" else 0.0, m.interval.low, m.interval.high
    lower = high is not None and high < equal
    return m if lower or (evidence.task == "regression" and low is not None and low > equal) else None


def _selected(evidence: Evidence, m: Measurement, group: Group, reference: Group, t: Strings) -> View:
    a, b = counts_of(evidence, group.id), counts_of(evidence, reference.id)
    if sampled(evidence) or a is None or b is None:
        rate, short = value(found(evidence, "selection_rate", group.id)), None
        counts = t("page1.rows", n=count(group.n))
    else:
        rate, _ = rates_apart(a.selected, group.n, b.selected, reference.n)
        short = round(group.n * b.selected / reference.n - a.selected)
        counts = t("reason.of", x=count(a.selected), n=count(group.n))
    ratio = decimal(m.value or 0.0, digits_beside([m.value], [1.0]))
    line = t("page1.lower", rate=rate, outcome=received(evidence, t), reference=name_of(reference, t),
             counts=counts, ratio=ratio)
    line += str(t.language["stop" if short is None else "colon"])
    return {"group": group_label(evidence, group.id, t), "line": line,
            "fewer": t("page1.fewer", n=count(short)) if short is not None else "",
            "tail": t("page1.fewer_tail") if short is not None else ""}


def _measured(evidence: Evidence, m: Measurement, group: Group, reference: Group, t: Strings) -> View:
    ours, theirs = (value(evidence.find(m.metric, g.id)) for g in (group, reference))
    key = "page1.predicted" if evidence.task == "regression" else "page1.right"
    gap, interval = shown(m)
    return {"group": group_label(evidence, group.id, t), "fewer": "", "tail": "",
            "line": t(key, ours=ours, theirs=theirs, reference=name_of(reference, t),
                      n=count(group.n), gap=f"{gap} {interval}".strip())}


def _nobody(evidence: Evidence, t: Strings) -> str:
    level = reading_level(evidence)
    if selects(evidence):
        return t("page1.nobody_lower", outcome=favourable(evidence, t), level=level)
    return t("page1.nobody_apart" if evidence.task == "regression" else "page1.nobody_wrong", level=level)
