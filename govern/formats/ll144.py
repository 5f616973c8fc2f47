"""The public summary that New York City asks of users of an automated employment decision tool: an HTML fragment.

It holds what 6 RCNY § 5-303(a) lists and nothing else: the date of the most recent bias audit, source and explanation
of the data, the number of individuals in an unknown category, for all categories the number of applicants, the
selection or scoring rates and the impact ratios, and the distribution date of the tool. No interval, test or bound
stands in it. The tables are the three of § 5-301(b) and (c): sex, race/ethnicity and both; a tool that classifies into
groups has them for each class or decision column (§ 5-301(b)(4)). A category that is left out of the ratios by
§ 5-301(d) keeps its number and rate, with the justification; of test data § 5-302(b) asks for two more explanations.

The sensitive features must have the names `sex` and `race_ethnicity`. Dates and words come from the `card` of the
settings, under the names that the policy `nyc-ll144` asks for; what is not there is printed as missing.

Source: Rules of the City of New York, title 6, §§ 5-300 to 5-303.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from govern.errors import printable
from govern.evidence import OVERALL, Evidence, Group, Measurement
from govern.formats.numbers import count, decimal, percent
from govern.formats.strings import Strings, strings
from govern.formats.supplied import card_text
from govern.verdict import Verdict

SEX, RACE = "sex", "race_ethnicity"
TABLES = (("sex", (SEX,)), ("race", (RACE,)), ("both", (SEX, RACE)))
# Rates by task: of those selected, and of those above the median score of everyone.
RATES = {"binary": ("selection_rate", "scoring_rate"), "multiclass": ("selection_rate",),
         "regression": ("share_above_median",)}
WORDS = ("data_source", "data_explanation")
TEST_WORDS = ("test_data.reason", "test_data.origin")
NOT_COMPUTABLE = "–"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What people were selected for: the predictions, one class of them, or one decision column."""

    label: str | None = None
    decision: str | None = None

    @property
    def name(self) -> str:
        """The class or column; empty for the predictions."""
        return self.label or self.decision or ""


def ll144(evidence: Evidence, verdict: Verdict, digests: Mapping[str, str]) -> str:
    """The fragment: one `section` without script, style or address."""
    t = strings()
    refused = {m for f in verdict.findings for m in f.missing}
    words = (*WORDS, *(TEST_WORDS if evidence.card.get("audit_data") == "test" else ()))
    lines = ['<section class="ll144-summary" lang="en">', f"<h2>{escape(t('ll144.title'))}</h2>", "<dl>"]
    for field in ("audit_date", *words):
        lines += _item(t(f"ll144.{field.replace('.', '_')}"), _word(evidence, field, refused, t))
    lines += _item(t("ll144.unknown"), _unknown(evidence, t))
    lines += [*_item(t("ll144.distribution_date"), _word(evidence, "distribution_date", refused, t)), "</dl>"]
    for outcome in _outcomes(evidence):
        for name, features in TABLES:
            lines += _table(evidence, verdict, name, features, outcome, t)
    return "\n".join([*lines, "</section>"]) + "\n"


def _item(head: str, text: str) -> list[str]:
    return [f"<dt>{escape(head)}</dt>", f"<dd>{escape(text)}</dd>"]


def _word(evidence: Evidence, field: str, refused: set[str], t: Strings) -> str:
    """A field of the card, `a.b` the field b inside a; a placeholder that a rule refused counts as missing."""
    outer, _, inner = field.partition(".")
    found = evidence.card.get(outer)
    if inner:
        found = found.get(inner) if isinstance(found, Mapping) else None
    text = card_text(found)
    return text if text and field not in refused else t("ll144.missing")


def _unknown(evidence: Evidence, t: Strings) -> str:
    """Individuals without a known value, for each table that there is."""
    parts = []
    for name, features in TABLES:
        groups = _groups(evidence, features)
        if groups:
            n = sum(g.n for g in groups if g.missing)
            parts.append(t("ll144.unknown_of", feature=t(f"ll144.{name}"), n=count(n)))
    return "; ".join(parts) or t("ll144.missing")


def _outcomes(evidence: Evidence) -> list[Outcome]:
    """The predictions, else each of their classes; then each decision column."""
    classes = [c.label for c in evidence.counts if c.group == OVERALL and c.label is not None]
    found = [Outcome(label) for label in classes] if evidence.task == "multiclass" else [Outcome()]
    if evidence.card.get("tool_output") != "scores":
        columns = dict.fromkeys(m.decision for m in evidence.measurements if m.decision is not None)
        found += [Outcome(decision=name) for name in columns]
    return found


def _applicable(evidence: Evidence, outcome: Outcome) -> list[str]:
    """The rates that a tool of this kind has; without a word in the card every one of its task."""
    if outcome.decision is not None:
        return ["selection_rate"]
    says = evidence.card.get("tool_output")
    rates = RATES[evidence.task]
    wanted = [m for m in rates if (m == "selection_rate") == (says == "selects")] if says in ("selects", "scores") \
        else list(rates)
    return wanted or list(rates)


def _groups(evidence: Evidence, features: tuple[str, ...]) -> tuple[Group, ...]:
    found = evidence.feature_groups
    return found.get(features) or found.get(features[::-1]) or ()


def _table(evidence: Evidence, verdict: Verdict, name: str, features: tuple[str, ...], outcome: Outcome, t: Strings
           ) -> Iterator[str]:
    title = t(f"ll144.{name}")
    caption = t("ll144.of_class", table=title, label=printable(outcome.name)) if outcome.name else title
    groups = _groups(evidence, features)
    if not groups:
        lost = next((f for f in features if (f,) not in evidence.feature_groups), ":".join(features))
        yield from (f"<h3>{escape(caption)}</h3>", f"<p>{escape(t('ll144.no_feature', feature=lost))}</p>")
        return
    known = [g for g in groups if not g.missing]
    found = {m: {g.id: _found(evidence, m, g, outcome) for g in known} for m in _applicable(evidence, outcome)}
    measured = {m: of for m, of in found.items() if any(x is not None for x in of.values())}
    left_out = _left_out(evidence, verdict, known)
    heads = [t("ll144.category"), t("ll144.applicants")]
    for metric in measured or found:
        heads += [t("ll144.selection_rate" if metric == "selection_rate" else "ll144.scoring_rate"), t("ll144.ratio")]
    head = "".join(f'<th scope="col">{escape(h)}</th>' for h in heads)
    yield from ("<table>", f"<caption>{escape(caption)}</caption>", f"<thead><tr>{head}</tr></thead>", "<tbody>")
    for g in known:
        cells = [count(_applicants(g, outcome, found))]
        cells += [] if measured else [t("ll144.missing")] * 2 * len(found)
        for of in measured.values():
            cells += _cells(of, g.id, left_out, t)
        yield (f'<tr><th scope="row">{escape(printable(g.name))}</th>' + "".join(f"<td>{escape(c)}</td>" for c in cells)
               + "</tr>")
    yield from ("</tbody>", "</table>")


def _found(evidence: Evidence, metric: str, group: Group, outcome: Outcome) -> Measurement | None:
    return evidence.find(metric, group.id, label=outcome.label, decision=outcome.decision)


def _applicants(group: Group, outcome: Outcome, found: Mapping[str, Mapping[str, Measurement | None]]) -> float:
    """The rows of a group; of a decision column those that reached it."""
    m = found["selection_rate"][group.id] if outcome.decision is not None else None
    return group.n if m is None or m.denominator is None else m.denominator


def _cells(of: Mapping[str, Measurement | None], group: str, left_out: Mapping[str, str], t: Strings) -> list[str]:
    """A group's rate and its ratio to the highest; in place of the ratio why the category is left out."""
    rates = {g: m.value for g, m in of.items() if m is not None and m.value is not None}
    highest = max((rate for g, rate in rates.items() if g not in left_out), default=0.0)
    rate = rates.get(group)
    shown = NOT_COMPUTABLE if rate is None else percent(rate)
    if group in left_out:
        return [shown, t("ll144.excluded", why=left_out[group] or t("ll144.missing"))]
    return [shown, NOT_COMPUTABLE if rate is None or not highest else decimal(rate / highest)]


def _left_out(evidence: Evidence, verdict: Verdict, groups: Sequence[Group]) -> dict[str, str]:
    """Categories left out of the ratios by the card or by a rule of kind table, with the card's justification."""
    said = {}
    listed = evidence.card.get("excluded_categories")
    for item in listed if isinstance(listed, list | tuple) else ():
        if isinstance(item, Mapping):
            said[_folded(card_text(item.get("category")))] = card_text(item.get("justification"), 400)
    exempt = {c.group for f in verdict.findings if f.kind == "table" for c in f.comparisons if c.exempt}
    return {g.id: said.get(_folded(g.name), "") for g in groups if g.id in exempt or _folded(g.name) in said}


def _folded(name: str) -> str:
    """A category as its card may write it: `Female · White`, `female, White`, `Female:White`."""
    return "·".join(part.strip() for part in name.replace(", ", "·").replace(":", "·").split("·")).casefold()
