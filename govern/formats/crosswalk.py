"""Section 20: where the items of known frameworks are answered, from one table in `templates/crosswalk.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from govern.errors import printable
from govern.evidence import Evidence
from govern.formats.contents import State
from govern.formats.naming import pick
from govern.formats.strings import Strings
from govern.formats.supplied import card_text
from govern.resources import resource

MARKS = {"full": "within", "part": "unsettled", "none": "outside", "outside": "none"}
LEVELS = "mlqm"  # the block of the card that declares quality levels
View = dict[str, Any]


def crosswalk(evidence: Evidence, found: Mapping[int, State], t: Strings) -> list[View]:
    """Each framework with its items: number, what it asks for, the sections that answer it, and their state here."""
    return [{"id": f["id"], "title": pick(f["title"], t("lang")),
             "note": t.text([pick(f["note"], t("lang")), t("crosswalk.memory") if f.get("memory") else ""]),
             "rows": [_item(i, evidence, found, t) for i in f["item"]]} for f in frameworks()]


def filled(evidence: Evidence, name: str) -> bool:
    """Whether the owner wrote something into a field of the card."""
    return bool(card_text(evidence.card.get(name)))


@lru_cache
def frameworks() -> tuple[Mapping[str, Any], ...]:
    """The table as it stands in the file."""
    return tuple(tomllib.loads(resource("templates", "crosswalk.toml").read_text("utf-8"))["framework"])


def _item(item: Mapping[str, Any], evidence: Evidence, found: Mapping[int, State], t: Strings) -> View:
    levels = {found[n].level for n in item["sections"]}
    if item.get("fields"):
        levels = {"full" if filled(evidence, name) else "none" for name in item["fields"]}
    state = "outside" if not levels else levels.pop() if len(levels) == 1 else "part"
    asks = pick(item["asks"], t("lang"))
    if "level" in item:
        declared = evidence.card.get(LEVELS)
        level = declared.get(item["level"]) if isinstance(declared, Mapping) else None
        asks = t.text((t.sentence(asks), t("crosswalk.level", level=printable(level, 40)) if level
                       else t("crosswalk.no_level")))
    return {"id": item["id"], "asks": asks, "sections": item["sections"], "state": t(f"crosswalk.{state}"),
            "mark": MARKS[state]}
