"""The one place where findings become sentences; the card and the terminal say the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from govern.errors import printable
from govern.evidence import OVERALL, Evidence
from govern.formats.cells import look, value
from govern.formats.charts import Glyph, MarkName, glyph
from govern.formats.naming import favourable, group_label, group_name, metric_name, names, other_class, pick, received
from govern.formats.numbers import (
    DIGITS,
    amount,
    amount_beside,
    count,
    decimal,
    digits_beside,
    digits_of,
    percent,
    with_interval,
    with_unit,
)
from govern.formats.strings import Strings, strings
from govern.metrics import METRICS
from govern.verdict import Comparison, Finding, WaiverState

MARKS: dict[str, MarkName] = {"fail": "outside", "pass": "within", "insufficient": "unsettled",
                              "not_run": "unsettled", "waived": "none", "n/a": "none"}
# Kinds that ask whether something is there or was done, and set no range.
DONE_OR_NOT = ("smoke", "document", "integrity", "table", "support")
TRIVIAL = "trivial"
# The reason of a finding whose number is suppressed on a card that leaves the house.
SUPPRESSED = "suppressed"
LONG = 400


@dataclass(frozen=True, slots=True)
class Reason:
    """A finding in words.

    `subject` is what was compared in a few words, `sentence` the whole statement, `number` the estimate
    with its interval, `limit` the bound, `bound` the bound with whose it is, `settle` what would meet or
    settle it (may be empty), `source` where the rule stands, `glyph` the picture (None without a number).
    """

    mark: MarkName
    word: str
    rule: str
    title: str
    subject: str
    sentence: str
    number: str
    limit: str
    bound: str
    settle: str
    source: str
    glyph: Glyph | None


def reason(finding: Finding, evidence: Evidence, t: Strings | None = None) -> Reason:
    """`finding` in words."""
    t = t or strings()
    seen = finding.seen
    number = number_of(finding, seen, t)
    limit = limit_text(finding, t)
    mark = MARKS[finding.outcome]
    picture = None
    if seen is not None and seen.value is not None and (finding.bound_min or finding.bound_max) \
            and finding.kind not in ("smoke", "support"):
        picture = glyph(seen.value, seen.low, seen.high, minimum=finding.bound_min, maximum=finding.bound_max,
                        mark=mark, title=f"{number}, {limit}")
    return Reason(
        mark, mark_word(finding, t), finding.rule, title_of(finding, t), subject_of(finding, evidence, t),
        _sentence(finding, evidence, number, t), number, limit, _bound(finding, limit, t),
        _settle(finding, evidence, t), source_of(finding, t), picture)


def title_of(finding: Finding, t: Strings) -> str:
    """The rule's title in the catalogue's language."""
    return printable(pick(finding.title, t("lang")) or finding.rule, LONG)


def mark_word(finding: Finding, t: Strings) -> str:
    """The outcome of a finding as the tables say it."""
    if finding.outcome in ("waived", "not_run", "n/a"):
        return t(f"mark.{finding.outcome}")
    if finding.kind in DONE_OR_NOT:
        return t("mark.passed" if finding.outcome == "pass" else "mark.failed")
    return t(f"mark.{MARKS[finding.outcome]}")


def metric_title(finding: Finding, evidence: Evidence, t: Strings) -> str:
    """The metric's name for readers, the rule's title where a rule has no metric."""
    name = metric_name(finding.metric, t) if finding.metric else title_of(finding, t)
    return t("reason.of_class", metric=name, label=printable(finding.label)) if finding.label is not None else name


def bounds(finding: Finding) -> tuple[float | None, float | None]:
    """The finding's bounds as numbers, for placing and rounding only."""
    return (float(finding.bound_min) if finding.bound_min is not None else None,
            float(finding.bound_max) if finding.bound_max is not None else None)


def limit_text(finding: Finding, t: Strings) -> str:
    """`at least 0.92`, `at most 0.10`, `0.8 to 1.25`; empty without a bound."""
    low, high = (b.replace("-", "−") if b is not None else None for b in (finding.bound_min, finding.bound_max))
    unit = METRICS[finding.metric].unit if finding.metric in METRICS else "days" if finding.kind == "fresh" else ""
    if low is not None and high is not None:
        return t("reason.between", low=low, high=with_unit(high, unit, t))
    if low is not None:
        return t("reason.at_least", bound=with_unit(low, unit, t))
    return t("reason.at_most", bound=with_unit(high, unit, t)) if high is not None else ""


def number_of(finding: Finding, seen: Comparison | None, t: Strings | None = None) -> str:
    """The number seen with the interval that decided, rounded so that it agrees with the outcome."""
    if seen is None or seen.value is None:
        return ""
    row = METRICS.get(finding.metric or "")
    if finding.kind == "table":
        return ""
    if finding.kind == "fresh":
        return amount(seen.value, "days", t=t)
    if row is not None and (row.unit or row.family == "smoke" or row.name == "attribution_rank"):
        return amount_beside(seen.value, bounds(finding), row.unit, t)
    return with_interval(seen.value, seen.low, seen.high, bounds(finding), digits_for(finding, seen))


def digits_for(finding: Finding, seen: Comparison) -> int:
    """Decimals for the numbers of a finding: three, or as many as numbers on the target's own scale deserve."""
    own = look(finding.metric or "") == "own" and seen.compare != "ratio" and finding.metric is not None
    return digits_of(seen.value, seen.low, seen.high) if own else DIGITS


def compare_word(finding: Finding, seen: Comparison | None, t: Strings) -> str:
    """`ratio`, `difference` or nothing."""
    kind = (seen.compare if seen else None) or finding.compare
    return t(f"reason.{kind}") if kind in ("ratio", "difference") else ""


def subject_of(finding: Finding, evidence: Evidence, t: Strings) -> str:
    """What was compared, in a few words: `selection rate ratio, age 25 or less to 26–35`."""
    subject = _subject(finding, evidence, t)
    if finding.decision is not None:
        subject = t("reason.decision", subject=subject, decision=printable(finding.decision))
    named = finding.each is None or finding.kind in ("drift", "integrity")  # what the subject names already
    return subject if named else t("reason.each", subject=subject, item=printable(finding.each))


def _subject(finding: Finding, evidence: Evidence, t: Strings) -> str:
    seen = finding.seen
    metric = metric_title(finding, evidence, t)
    if finding.kind == "table":
        return t.list((metric, printable(":".join(finding.features)))) if finding.features else title_of(finding, t)
    if seen is not None and seen.reference is not None and not compare_word(finding, seen, t):
        return t("reason.short_feature", metric=metric, group=_one(finding, seen, evidence, t))
    if seen is not None and seen.reference is not None:
        return t("reason.short_pair", metric=metric, compare=compare_word(finding, seen, t),
                 group=group_label(evidence, seen.group, t), reference=group_name(evidence, seen.reference, t))
    if seen is not None and seen.group != OVERALL:
        return t("reason.short_feature", metric=metric, group=group_label(evidence, seen.group, t))
    if finding.features:
        return t.list((metric, printable(":".join(finding.features))))
    return metric if finding.metric else title_of(finding, t)


def source_of(finding: Finding, t: Strings) -> str:
    """Where the rule stands: `house-credit.yaml:14`, or `baseline (tool default)` for the tool's own."""
    if finding.file and finding.line and finding.basis != "govern":
        return f"{printable(finding.file)}:{finding.line}"
    return t("reason.whose", policy=printable(finding.policy), basis=t(f"basis.{finding.basis}"))


def _sentence(finding: Finding, evidence: Evidence, number: str, t: Strings) -> str:
    seen, metric = finding.seen, metric_title(finding, evidence, t)
    if finding.kind == "document" and finding.outcome == "pass":
        return t("reason.document_none")
    if finding.kind == "document" and finding.missing:
        labels = [t(f"card.{m}").lower() if t.has(f"card.{m}") else m for m in finding.missing]
        return t("reason.document", n=len(labels), names=names(labels, t))
    if finding.kind == "table" and finding.outcome == "pass":
        if finding.compare is None:
            known = {"n": len(finding.comparisons), "feature": printable(":".join(finding.features))}
            return t.capital(t("reason.counted", **known) if known["n"] else t("reason.nobody", **known))
        return t.capital(t("reason.table", n=len(finding.comparisons), metric=metric,
                          feature=printable(":".join(finding.features) or title_of(finding, t))))
    if seen is None or seen.value is None or finding.kind == "table":
        why = printable(t.phrase((seen.reason if seen else None) or finding.reason or ""), LONG)
        if finding.outcome == "not_run" or not finding.metric or finding.kind == "table":
            title = title_of(finding, t)
            return t("reason.plain", title=title, why=why.rstrip(".。") or mark_word(finding, t))
        where = t.list((metric, printable(":".join(finding.features))))
        key = "reason.suppressed" if why == SUPPRESSED else "reason.undefined_why" if why else "reason.undefined"
        return t.capital(t(key, title=where, why=why.rstrip(".。")))
    if finding.kind == "smoke":
        return t("reason.smoke", metric=metric, seen=number)
    group = t.capital(_one(finding, seen, evidence, t))
    if finding.kind == "fresh":
        return t.sentence(t("reason.fresh", title=title_of(finding, t), number=number,
                            day=printable(finding.reason or "", LONG)))
    if seen.reference is not None and not compare_word(finding, seen, t):
        return t.sentence(t("reason.against", group=group, metric=metric, number=number,
                            reference=group_name(evidence, seen.reference, t)))
    if seen.reference is None:
        if seen.group == OVERALL:
            return t.sentence(t.capital(t("reason.whole", metric=metric, number=number)))
        return t.sentence(t("reason.group_value", group=group, metric=metric, number=number))
    pair = _pair(finding, seen, evidence, group, metric, t)
    said = t("reason.sentence", head=pair, compare=compare_word(finding, seen, t), number=number)
    return t.text((said, _tested(seen, t)))


def _one(finding: Finding, seen: Comparison, evidence: Evidence, t: Strings) -> str:
    """What a number is of: a group, a column, or of drift the output."""
    if finding.kind == "drift" and seen.group == OVERALL:
        return t("reason.output")
    return group_label(evidence, seen.group, t)


def _pair(finding: Finding, seen: Comparison, evidence: Evidence, group: str, metric: str, t: Strings) -> str:
    reference = group_name(evidence, seen.reference, t)
    if seen.numerator is not None and seen.n and seen.reference_numerator is not None and seen.reference_n:
        one, two = rates_apart(seen.numerator, seen.n, seen.reference_numerator, seen.reference_n)
        counts = t("reason.of", x=count(seen.numerator), n=count(seen.n))
        others = t("reason.of", x=count(seen.reference_numerator), n=count(seen.reference_n))
        head = (t("reason.rate_word", rate=one, outcome=received(evidence, t, finding.label), counts=counts)
                if finding.metric == "selection_rate"
                else t("reason.rate_metric", metric=metric, rate=one, counts=counts))
        return t("reason.pair", group=group, one=head, other=t("reason.rate_other", rate=two, counts=others),
                 reference=reference)
    ours = evidence.find(finding.metric or "", seen.group, label=finding.label)
    theirs = evidence.find(finding.metric or "", seen.group, TRIVIAL, label=finding.label) \
        if seen.reference == TRIVIAL else evidence.find(finding.metric or "", seen.reference or "", label=finding.label)
    if ours and theirs and ours.value is not None and theirs.value is not None:
        return t("reason.pair_value", group=group, metric=metric, one=value(ours), other=value(theirs),
                 reference=reference)
    return t("reason.pair_plain", group=group, metric=metric, reference=reference)


def rates_apart(x1: int, n1: int, x2: int, n2: int) -> tuple[str, str]:
    """Two rates in percent, with as many digits as it takes to tell unequal ones apart."""
    one, two = x1 / n1, x2 / n2
    for digits in range(1, 7):
        if x1 * n2 == x2 * n1 or percent(one, digits) != percent(two, digits):
            break
    return percent(one, digits), percent(two, digits)


def _bound(finding: Finding, limit: str, t: Strings) -> str:
    values: dict[str, Any] = {"policy": printable(finding.policy), "basis": t(f"basis.{finding.basis}")}
    tail = ""
    if finding.cite:
        values["cite"], tail = printable(finding.cite), "_cite"
    if limit and finding.kind != "document":
        return t(f"reason.bound{tail}", limit=limit, **values)
    return t(f"reason.asked{tail}", **values)


def _settle(finding: Finding, evidence: Evidence, t: Strings) -> str:
    settle = finding.settle
    parts = []
    if settle is not None and finding.outcome in ("fail", "insufficient"):
        group = group_label(evidence, settle.group or (finding.seen.group if finding.seen else None), t)
        if finding.outcome == "fail" and settle.selections:
            named = finding.metric == "selection_rate" and not other_class(evidence, finding.label)
            key = "settle.selections" if named else "settle.selections_metric"
            parts.append(t(key, n=count(settle.selections), group=group, outcome=favourable(evidence, t)))
        if finding.outcome == "insufficient" and settle.rows:
            parts.append(t("settle.rows", n=count(settle.rows), group=group))
        elif finding.outcome == "insufficient" and settle.times:
            parts.append(t("settle.times", n=count(settle.times)))
        if finding.outcome == "insufficient" and settle.detectable is not None and finding.compare != "ratio":
            key = "settle.detectable" if finding.compare else "settle.detectable_bound"
            parts.append(t(key, gap=_amount(finding, settle.detectable, t)))
        if finding.outcome == "fail" and settle.gap is not None and not settle.selections:
            parts.append(t("settle.gap", gap=_amount(finding, settle.gap, t)))
        if finding.outcome == "fail" and settle.threshold is not None:
            parts.append(t("settle.threshold", threshold=decimal(settle.threshold)))
        if settle.text:
            parts.append(printable(t.phrase(settle.text), LONG))
    if finding.seen is not None and finding.seen.flips and finding.outcome in ("fail", "insufficient"):
        parts.append(t("settle.flips"))
    if finding.outcome == "insufficient" and not parts:
        parts.append(t("settle.too_few"))
    if finding.outcome == "insufficient" and finding.counts_as != "PASS":
        parts.append(t("settle.counts_as", outcome=t(f"outcome.{finding.counts_as}")))
    if (proved := _proved(finding.seen, t)):
        parts.append(proved)
    return t.text(parts)


def _amount(finding: Finding, gap: float, t: Strings) -> str:
    """A gap of rates in points, of other metrics and of ratios as the number it is."""
    row = METRICS.get(finding.metric or "")
    share = row is not None and (row.low, row.high) == (0.0, 1.0) and finding.compare != "ratio"
    return t("settle.points", gap=gap_text(gap)) if share else decimal(gap)


def _proved(seen: Comparison | None, t: Strings) -> str:
    """What calibrated mode says of the comparison's errors; empty where it was not asked for."""
    if seen is None or seen.calibrated is None:
        return ""
    if seen.calibrated == "stated":
        return t("settle.stated")
    if seen.proved_pass is None or seen.proved_fail is None:
        if seen.proved_fail is not None:
            return t("settle.no_pass_level", failed=percent(seen.proved_fail, 2))
        if seen.proved_pass is not None:
            return t("settle.no_fail_level", passed=percent(seen.proved_pass, 2))
        return t("settle.no_level")
    return t("settle.proved", passed=percent(seen.proved_pass, 2), failed=percent(seen.proved_fail, 2))


def waiver_state(waiver: WaiverState, t: Strings) -> str:
    """Whether a waiver is in force: days left, or why it has no effect."""
    if waiver.days_left < 0:
        return t("waiver.expired", n=-waiver.days_left)
    if not waiver.valid:
        return t("waiver.no_effect", why=printable(t.phrase(waiver.why_not or "")))
    return t.clauses((t("waiver.days", n=waiver.days_left), "" if waiver.used else t("waiver.unused")))


def p_text(p: float | None) -> str:
    """A p-value to three significant digits, `<0.001` for smaller ones, `–` for none."""
    if p is None:
        return "–"
    return "<0.001" if p < 0.001 else "1" if p >= 0.9995 else f"{p:.3g}"


def _tested(seen: Comparison | None, t: Strings) -> str:
    """The significance test of a comparison by the four-fifths convention; empty without one."""
    if seen is None or seen.p_value is None:
        return ""
    return t("reason.test", p=p_text(seen.p_value), test=t(f"reason.test_{seen.test or 'z'}"),
             adjusted=p_text(seen.p_adjusted if seen.p_adjusted is not None else seen.p_value))


def gap_text(gap: float) -> str:
    """A gap of rates in points: `2.1 points` stands for 0.021."""
    digits = digits_beside([100 * gap], [0.0], 1)
    return decimal(100 * gap, digits)
