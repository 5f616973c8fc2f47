"""How well features tell the groups of sensitive features apart, and which of them the model uses."""

from __future__ import annotations

from collections.abc import Sequence

from govern.errors import printable
from govern.explanations import Proxy
from govern.formats.cells import Part, Table, heads
from govern.formats.numbers import count, level, percent, with_interval
from govern.formats.strings import Strings

LISTED, SHOWN = 8, 12


def proxies_fact(found: Sequence[Proxy], t: Strings) -> str:
    """The features that are used and revealing, by sensitive feature; empty where nothing was asked."""
    if not any(p.value is not None or p.revealing for p in found):
        return ""
    by = {s: _listed(found, s, t) for s in dict.fromkeys(p.sensitive for p in found if p.listed)}
    if not by:
        return t("explanation.proxies_none")
    return t.sentence(t.clauses(t("explanation.proxies_of", sensitive=printable(s, 60), features=features)
                                for s, features in by.items()))


def proxies(found: Sequence[Proxy], t: Strings) -> Part | None:
    """For each sensitive feature: how well all features together predict it, and what is used and revealing."""
    whole = [p for p in found if p.column is None]
    if not whole:
        return None
    rows = tuple((printable(p.sensitive, 60), _listed(found, p.sensitive, t) or t("explanation.proxies_no"),
                  _area(p, t)) for p in whole)
    note = t("explanation.proxies_note", level=level(whole[0].level), rows=count(max(p.n for p in whole)))
    titles = (t("explanation.sensitive"), t("explanation.is_listed"), t("explanation.together"))
    return Part(t("explanation.proxies_title"), note, (Table(heads(titles, ("w20", "", "w24")), rows, left=2),))


def all_proxies(found: Sequence[Proxy], t: Strings) -> Part | None:
    """The columns that reveal a sensitive feature, those that are used and revealing first."""
    alone = sorted((p for p in found if p.column is not None and p.revealing), key=lambda p: (
        not p.listed, -(p.value if p.value is not None else 1.0)))
    if not alone:
        return None
    rows = tuple((t("explanation.proxies_of", sensitive=printable(p.sensitive, 60), features=printable(p.column, 60)),
                  t("explanation.is_listed" if p.listed else "explanation.is_revealing"), _area(p, t),
                  percent(p.used) if p.used is not None else "–") for p in alone[:SHOWN])
    titles = (t("explanation.reveals"), "", t("explanation.area"), t("explanation.used"))
    return Part(t("explanation.proxies_all"), "", (Table(
        heads(titles, ("w30", "", "w22", "w16")), rows, left=2,
        after=t("explanation.more") if len(alone) > SHOWN else ""),))


def _listed(found: Sequence[Proxy], sensitive: str, t: Strings) -> str:
    mine = [p for p in found if p.listed and p.sensitive == sensitive]
    names = [t("explanation.own_column", name=printable(p.column, 60)) if p.value is None else printable(p.column, 60)
             for p in mine[:LISTED]]
    return t.list(names) if len(mine) <= LISTED else t("explanation.and_others", names=t.list(names))


def _area(p: Proxy, t: Strings) -> str:
    if p.value is None:
        return t("explanation.itself") if p.revealing else t("explanation.not_told")
    return with_interval(p.value, p.low, p.high, [0.5], 3)

