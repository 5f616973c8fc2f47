"""Whether the conditions of rules and policies hold for what is judged, and why not where they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from govern.errors import printable
from govern.evidence import Evidence
from govern.policy.fields import as_list
from govern.policy.when import PLACES, as_values
from govern.policy.words import inside, there
from govern.verdict import Phase

SHOWN = 60


@dataclass(frozen=True, slots=True)
class Unmet:
    """Why a condition does not hold. `silent`: because nobody said what it asks for, so that leaving a word out could
    set a whole policy aside."""

    why: str
    silent: bool = False


def unmet(when: Mapping[str, Any], evidence: Evidence, phase: Phase) -> Unmet | None:
    """The first entry over task, phase, settings, declared limits and the card that does not hold, None when all do."""
    for key, value in when.items():
        wanted = as_values(value)
        if key in ("task", "phase"):
            given: Any = evidence.task if key == "task" else phase
            if given not in wanted:
                return Unmet(f"the {key} is {given}, not {_names(wanted)}")
        elif key.partition(".")[0] in PLACES:
            found = _value(evidence, key)
            if not any(_holds(found, w) for w in wanted):
                return _why(key, found, wanted)
    return None


def unmet_outcome(when: Mapping[str, Any], outcomes: Mapping[str, Sequence[str]]) -> Unmet | None:
    """Why none of the rules named came out as asked, None where one did or none is named; `outcomes` by rule."""
    if "rule" not in when:
        return None
    wanted = as_values(when["outcome"])
    came = {name: outcomes[name] for name in as_list(when["rule"])}
    if any(outcome in wanted for found in came.values() for outcome in found):
        return None
    seen = {name: " and ".join(dict.fromkeys(found)).replace("_", " ") or "n/a" for name, found in came.items()}
    said = "; ".join(f"{name} came out {outcome}" for name, outcome in seen.items())
    return Unmet(f"{said}, not {_names(wanted).replace('_', ' ')}")


def _value(evidence: Evidence, key: str) -> Any:
    place, _, path = key.partition(".")
    within = {"settings": evidence.settings, "declared": evidence.declared, "card": evidence.card}[place]
    return inside(within, path)


def _holds(found: Any, wanted: Any) -> bool:
    """Whether a value is the one wanted, compared as text; true and false ask whether it is there. Of a list one item
    is enough, of a mapping one key."""
    if isinstance(wanted, bool):
        return there(found) is wanted
    items = list(found) if isinstance(found, list | tuple | Mapping) else [found]
    return as_text(wanted) in [as_text(key) for item in items
                               for key in (item if isinstance(item, Mapping) else [item]) if key is not None]


def as_text(value: Any) -> str:
    """A scalar as text: 1 and 1.0 → "1", true → "true"."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value).strip()


def _why(key: str, found: Any, wanted: Sequence[Any]) -> Unmet:
    texts = [w for w in wanted if not isinstance(w, bool)]
    if not there(found):
        return Unmet(f"{key} is not given", silent=bool(texts))
    if texts:
        shown = "a list" if isinstance(found, list | tuple) else "a mapping" if isinstance(found, Mapping) else \
            printable(as_text(found), SHOWN)
        return Unmet(f"{key} is {shown}, not {_names(texts)}")
    return Unmet(f"{key} is given")


def _names(wanted: Sequence[Any]) -> str:
    return " or ".join(printable(as_text(w), SHOWN) for w in wanted[:5]) + (" …" if len(wanted) > 5 else "")
