"""The public summary that New York City asks of users of an automated employment decision tool: an HTML fragment.

It holds what 6 RCNY § 5-303(a) lists and nothing else: the date of the most recent bias audit, source and explanation
of the data, the number of individuals in an unknown category, for all categories the number of applicants, the
selection or scoring rates and the impact ratios, and the distribution date of the tool. No interval, test or bound
stands in it. The tables are the three of § 5-301(b) and (c): sex, race/ethnicity and both; a tool that classifies into
groups has them for each (§ 5-301(b)(4)). A category that the policy leaves out by § 5-301(d) keeps its number and rate,
with the reason.

The sensitive features must have the names `sex` and `race_ethnicity`. Dates and words come from the `card` of the
settings; what is not there is printed as missing.

Source: Rules of the City of New York, title 6, §§ 5-300 to 5-303.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from govern.errors import printable
from govern.evidence import OVERALL, Evidence, Group, Measurement
from govern.formats.numbers import count, decimal, percent
from govern.formats.strings import Strings, strings
from govern.formats.supplied import card_text
from govern.verdict import Comparison, Verdict

SEX, RACE = "sex", "race_ethnicity"
TABLES = (("sex", (SEX,)), ("race", (RACE,)), ("both", (SEX, RACE)))
# Rates by task: of those selected, and of those above the median score of everyone.
RATES = {"binary": ("selection_rate", "scoring_rate"), "multiclass": ("selection_rate",),
         "regression": ("share_above_median",)}
NOT_COMPUTABLE = "–"


def ll144(evidence: Evidence, verdict: Verdict, digests: Mapping[str, str]) -> str:
    """The fragment: one `section` without script, style or address."""
    t = strings()
    refused = {m for f in verdict.findings for m in f.missing}
    lines = ['<section class="ll144-summary" lang="en">', f"<h2>{_h(t('ll144.title'))}</h2>", "<dl>"]
    for name in ("audit_date", "data_source", "data_explanation"):
        lines += _item(t(f"ll144.{name}"), _word(evidence, name, refused, t))
    lines += _item(t("ll144.unknown"), _unknown(evidence, t))
    lines += [*_item(t("ll144.distribution_date"), _word(evidence, "distribution_date", refused, t)), "</dl>"]
    for label in _labels(evidence):
        for name, features in TABLES:
            lines += _table(evidence, verdict, name, features, label, t)
    return "\n".join([*lines, "</section>"]) + "\n"


def _h(text: str) -> str:
    return escape(text)


def _item(head: str, text: str) -> list[str]:
    return [f"<dt>{_h(head)}</dt>", f"<dd>{_h(text)}</dd>"]


def _word(evidence: Evidence, name: str, refused: set[str], t: Strings) -> str:
    text = card_text(evidence.card.get(name))
    return text if text and name not in refused else t("ll144.missing")


def _unknown(evidence: Evidence, t: Strings) -> str:
    """Individuals without a known value, for each table that there is."""
    parts = []
    for name, features in TABLES:
        groups = _groups(evidence, features)
        if groups:
            n = sum(g.n for g in groups if g.missing)
            parts.append(t("ll144.unknown_of", feature=t(f"ll144.{name}"), n=count(n)))
    return "; ".join(parts) or t("ll144.missing")


def _labels(evidence: Evidence) -> Sequence[str | None]:
    """The classes of a tool that classifies into groups; else one set of tables."""
    if evidence.task != "multiclass":
        return (None,)
    return [c.label for c in evidence.counts if c.group == OVERALL and c.label is not None]


def _groups(evidence: Evidence, features: tuple[str, ...]) -> tuple[Group, ...]:
    found = evidence.feature_groups
    return found.get(features) or found.get(features[::-1]) or ()


def _table(evidence: Evidence, verdict: Verdict, name: str, features: tuple[str, ...], label: str | None,
           t: Strings) -> Iterator[str]:
    title = t(f"ll144.{name}")
    caption = title if label is None else t("ll144.of_class", table=title, label=printable(label))
    groups = _groups(evidence, features)
    if not groups:
        lost = next((f for f in features if (f,) not in evidence.feature_groups), ":".join(features))
        yield from (f"<h3>{_h(caption)}</h3>", f"<p>{_h(t('ll144.no_feature', feature=lost))}</p>")
        return
    known = [g for g in groups if not g.missing]
    left_out = _left_out(verdict, {g.id for g in known})
    rates = [m for m in RATES[evidence.task] if any(evidence.find(m, g.id, label=label) for g in known)]
    heads = [t("ll144.category"), t("ll144.applicants")]
    for metric in rates:
        heads += [t("ll144.selection_rate" if metric == "selection_rate" else "ll144.scoring_rate"), t("ll144.ratio")]
    yield from ("<table>", f"<caption>{_h(caption)}</caption>",
                "<thead><tr>" + "".join(f'<th scope="col">{_h(h)}</th>' for h in heads) + "</tr></thead>", "<tbody>")
    highest = {m: max((r for g in known if g.id not in left_out
                       for r in [_rate(evidence.find(m, g.id, label=label))] if r is not None), default=None)
               for m in rates}
    for g in known:
        cells = [count(g.n)]
        for metric in rates:
            rate = _rate(evidence.find(metric, g.id, label=label))
            cells += [NOT_COMPUTABLE if rate is None else percent(rate),
                      _ratio(rate, highest[metric], left_out.get(g.id), t)]
        yield (f'<tr><th scope="row">{_h(printable(g.name))}</th>' + "".join(f"<td>{_h(c)}</td>" for c in cells)
               + "</tr>")
    yield from ("</tbody>", "</table>")


def _rate(m: Measurement | None) -> float | None:
    return None if m is None else m.value


def _ratio(rate: float | None, highest: float | None, left_out: Comparison | None, t: Strings) -> str:
    """The rate over the highest; in place of it why the category is left out."""
    if left_out is not None:
        return t("ll144.excluded_why", why=printable(left_out.reason, 400)) if left_out.reason else t("ll144.excluded")
    return NOT_COMPUTABLE if rate is None or not highest else decimal(rate / highest)


def _left_out(verdict: Verdict, ids: set[str]) -> dict[str, Comparison]:
    """Categories that a rule of kind table leaves out of the impact ratios."""
    return {c.group: c for f in verdict.findings if f.kind == "table" for c in f.comparisons
            if c.exempt and c.group in ids}
