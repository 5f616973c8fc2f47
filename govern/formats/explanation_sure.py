"""What was explained, how sure its means are, and which features share their credit."""

from __future__ import annotations

from govern.errors import printable
from govern.explanations import Attributions
from govern.formats.cells import Part, Table, heads
from govern.formats.naming import metric_name
from govern.formats.numbers import amount, count, decimal, level, percent
from govern.formats.strings import Strings

PAIRS = 8


def explained(found: Attributions, t: Strings) -> str:
    """Output, rows, method, background and seed, and what the values leave of the outputs."""
    text = printable(t.phrase(found.background), 120) or t("explanation.no_background")
    if found.background_rows:
        text = t("explanation.background_rows", background=text, rows=count(found.background_rows))
    return t.text((
        t("explanation.intro", output=printable(t.phrase(found.output)), rows=count(found.rows), seed=found.seed,
          method=printable(t.phrase(found.method), 160), background=text),
        t("explanation.exact" if found.exact else "explanation.approximate"),
        t("explanation.residual", residual=amount(found.residual)) if found.residual is not None
        else t("explanation.residual_none"),
        t("explanation.limits")))


def sure(found: Attributions, t: Strings) -> str:
    """Error of the largest means, settled places, why no more rows were explained, stability and agreement."""
    at = level(found.level)
    said = []
    if found.stopped == "all":
        said.append(t("explanation.stopped_all"))
    elif found.error is not None:
        said.append(t("explanation.error", error=percent(found.error), level=at))
    if found.settled is not None:
        said.append(t("explanation.settled", n=found.settled, level=at) if found.settled
                    else t("explanation.settled_none", level=at))
    if found.stopped and found.stopped != "all":
        said.append(t(f"explanation.stopped_{found.stopped}"))
    if found.stability is not None:
        said.append(t(f"explanation.stable_{found.stability_over}", share=percent(found.stability)))
    if found.agreement is not None and found.permuted:
        said.append(t("explanation.agreement", value=decimal(found.agreement, 2), rows=count(found.permuted[0].n),
                      metric=metric_name(found.permuted[0].metric, t)))
    return t.text(said)


def alike_fact(found: Attributions, t: Strings) -> str:
    """One sentence that warns of features that share their credit; empty where none do."""
    if not found.correlated:
        return ""
    most = max(found.correlated, key=lambda c: c.value)
    return t("explanation.alike", n=count(len(found.correlated)), first=printable(most.first, 60),
             second=printable(most.second, 60), measure=t.phrase(most.measure), value=decimal(most.value, 2))


def alike(found: Attributions, t: Strings) -> Part | None:
    """The pairs of features that are alike, the closest first."""
    if not found.correlated:
        return None
    ranked = sorted(found.correlated, key=lambda c: -c.value)
    rows = tuple((t("explanation.pair", first=printable(c.first, 60), second=printable(c.second, 60)),
                  t("explanation.alike_value", measure=t.phrase(c.measure), value=decimal(c.value)))
                 for c in ranked[:PAIRS])
    titles = (t("explanation.pair_of"), t("explanation.value"))
    return Part(t("explanation.alike_title"), "", (Table(heads(titles), rows, after=t(
        "explanation.more") if len(ranked) > PAIRS else ""),))
