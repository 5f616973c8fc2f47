"""The sections of the card in their order, and how much of each is there: contents, and the base of the crosswalk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from govern.evidence import Compute, Evidence
from govern.formats.edition import Edition
from govern.formats.strings import Strings
from govern.formats.supplied import Fields
from govern.verdict import Verdict

SECTIONS = 25
# Addresses of sections by what they hold; all have `s1` … `s25` besides.
NAMES = {1: "top", 2: "model", 4: "since", 5: "words", 6: "data", 9: "performance", 10: "fairness", 11: "explanation",
         13: "operation", 18: "policy", 19: "checklist", 20: "crosswalk", 21: "signoff", 22: "reproduce"}
# What a committee reads without: the summary edition leaves these out. Who signs stands on page one.
FULL_ONLY = (2, 7, 12, 13, 19, 20, 21, 22, 23, 24, 25)
ANNEXES = ("performance", "fairness", "explanation", "data")
Level = Literal["full", "part", "none"]
View = dict[str, Any]


@dataclass(frozen=True, slots=True)
class State:
    """How much of a section is there, and the words for it."""

    level: Level
    text: str
    missing: bool = False


def states(evidence: Evidence, verdict: Verdict | None, compute: Compute | None, fields: Mapping[int, Fields],
           t: Strings) -> dict[int, State]:
    """The state of each section by its number."""
    measured = {
        2: _yes(True, "complete", "", t),
        7: _yes(bool(evidence.feature_groups), "measured", "not_measured", t),
        9: _yes(bool(evidence.measurements), "measured", "not_measured", t),
        10: _yes(bool(evidence.feature_groups), "measured", "not_measured", t),
        11: _yes(evidence.attributions is not None or evidence.explanation is not None, "measured", "not_measured", t),
        12: State("part", t("contents.part_measured")) if evidence.smoke else State("none", t("contents.not_measured")),
        13: _yes(compute is not None, "measured", "not_measured", t),
        6: _yes(bool(evidence.data.columns) or evidence.population.used > 0, "measured", "not_measured", t),
        1: _yes(verdict is not None, "judged", "not_judged", t),
        4: _yes(verdict is not None and verdict.since is not None, "compared", "no_earlier", t),
        8: _yes(verdict is not None, "judged", "not_judged", t),
        18: _yes(verdict is not None, "complete", "not_judged", t),
        19: _yes(verdict is not None, "complete", "not_judged", t),
        20: _yes(True, "mapped", "", t),
        21: State("part", t("contents.unsigned")),
        22: _yes(True, "complete", "", t),
        24: State("part", t("contents.part_measured")) if evidence.containment else State(
            "none", t("contents.not_measured")),
    }
    return {n: _both(measured.get(n), fields.get(n), t) for n in range(1, SECTIONS + 1)}


def _yes(there: bool, key: str, otherwise: str, t: Strings) -> State:
    return State("full", t(f"contents.{key}")) if there else State("none", t(f"contents.{otherwise}"))


def _both(measured: State | None, fields: Fields | None, t: Strings) -> State:
    """What is measured and what people wrote, together; words that nobody expects count only where nothing else is."""
    if fields is None:
        return measured or State("none", t("contents.not_given"))
    if not fields.rows:
        return measured or State("none", t("contents.not_given"))
    words = State("full", t("contents.filled")) if not fields.missing else \
        State("part" if fields.given else "none", t("contents.missing", n=fields.missing), missing=True)
    if measured is None:
        return words
    level: Level = "part" if "none" in (measured.level, words.level) or "part" in (measured.level, words.level) \
        else "full"
    return State(level, t("contents.both", measured=measured.text, words=words.text) if words.missing
                 else measured.text, words.missing)


def contents(found: Mapping[int, State], edition: Edition, own: int, parts: Mapping[str, bool], t: Strings
             ) -> list[View]:
    """The rows of the table of contents: number, name, address and state of each section, then sections of the
    organisation's own and the annexes that have `parts`."""
    rows = []
    for n in range(1, SECTIONS + 1):
        there, state = edition.full or n not in FULL_ONLY, found[n]
        rows.append({"n": n, "name": t(f"sections.s{n}"), "asks": t(f"sections.s{n}_asks"),
                     "href": f"s{n}" if there else "",
                     "level": "" if not there else "missing" if state.missing else state.level,
                     "state": state.text if there else t("contents.in_full")})
    brand = edition.brand
    if own:
        name = t("sections.own", organisation=brand.organisation) if brand.organisation else t("sections.own_plain")
        rows.append({"n": "", "name": name, "asks": "", "href": "own", "state": "", "level": "full"})
    rows += [{"n": "", "name": t(f"sections.{name}"), "asks": "", "href": f"annex-{name}", "state": "", "level": "full"}
             for name in ANNEXES if edition.full and parts.get(name)]
    return rows
