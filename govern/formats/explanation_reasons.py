"""The principal reasons of adverse decisions: how they are found, how often each is given, and in which words."""

from __future__ import annotations

from govern.errors import printable
from govern.explanations import ReasonCodes
from govern.formats.cells import Part, Table, heads
from govern.formats.naming import names
from govern.formats.numbers import count, percent
from govern.formats.strings import Strings

SHOWN = 6


def reasons_fact(codes: ReasonCodes | None, t: Strings) -> str:
    """How many adverse decisions have reasons, and with a dictionary how many have a sentence for all of them."""
    if codes is None:
        return ""
    if not codes.background_rows:
        return t("explanation.reasons_nobody", rows=count(codes.rows))
    said = [t("explanation.reasons_given", explained=count(codes.explained), n=count(codes.rows), most=codes.most)]
    said.append(t("explanation.reasons_no_words") if codes.covered is None else
                t("explanation.reasons_covered", covered=count(codes.covered), n=count(codes.rows)))
    return t.text(said)


def reasons(codes: ReasonCodes | None, t: Strings) -> Part | None:
    """The reasons by how often they are given, with their sentences; None where no decision has any."""
    if codes is None or not codes.reasons:
        return None
    said = any(r.text for r in codes.reasons)
    shown = codes.reasons[:SHOWN]
    rows = tuple((printable(r.feature, 60), *([printable(r.text, 200) or t("explanation.no_sentence")] if said else []),
                  count(r.first), count(r.any)) for r in shown)
    titles = (t("explanation.feature"), *([t("explanation.sentence")] if said else []), t("explanation.first"),
              t("explanation.any"))
    widths = ("w24", "", "w12", "w12") if said else ("w30", "w20", "w20")
    return Part(t("explanation.reasons_title"), _method(codes, t), (Table(
        heads(titles, widths), rows, left=2 if said else 1,
        after=t("explanation.more") if len(codes.reasons) > SHOWN else ""),), after=_further(codes, t))


def _method(codes: ReasonCodes, t: Strings) -> str:
    near = "near" if codes.background == "near-cutoff" else "all"
    return t("explanation.reasons_method", background=t(f"explanation.reasons_{near}", n=count(codes.background_rows)))


def _further(codes: ReasonCodes, t: Strings) -> str:
    said = []
    if codes.agreement is not None:
        said.append(t("explanation.reasons_agree", share=percent(codes.agreement), n=count(codes.compared)))
    if codes.prohibited:
        said.append(t("explanation.reasons_prohibited", names=names(codes.prohibited, t)))
        said.append(t("explanation.reasons_dropped", n=count(codes.dropped)) if codes.dropped
                    else t("explanation.reasons_none_dropped"))
    if codes.without_text:
        said.append(t("explanation.reasons_silent", names=names(codes.without_text, t)))
    if codes.generic:
        said.append(t("explanation.reasons_generic", names=names(codes.generic, t)))
    return t.text(said)
