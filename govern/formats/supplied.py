"""The words people supply, and how to check a number: sections that say what no measurement can."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from govern.errors import printable
from govern.evidence import OVERALL, Evidence
from govern.formats.counted import counts_of, sampled
from govern.formats.naming import group_label
from govern.formats.numbers import count, percent
from govern.formats.strings import Strings
from govern.verdict import Verdict

LONG = 2000
HIDDEN = ("favourable_outcome",)
REPEATED = {"classes": "--class", "sensitive": "--sensitive", "control": "--control", "search": "--search",
            "features": "--feature", "pairs": "--pair-column"}
View = dict[str, Any]


def card_text(value: Any, limit: int = LONG) -> str:
    """What the owner wrote, on one line: lists with semicolons, mappings as `key: value`."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        value = "; ".join(f"{k}: {card_text(v)}" for k, v in value.items())
    elif isinstance(value, Sequence) and not isinstance(value, str):
        value = "; ".join(card_text(v).removesuffix(".") for v in value)
    return printable(" ".join(str(value).split()), limit)


def supplied(evidence: Evidence, verdict: Verdict | None, t: Strings) -> list[View]:
    """Each known field and each further one the owner gave: its label, text, and whether it is missing.

    A document rule's judgement that a field holds only a placeholder is repeated here.
    """
    refused = {m for f in (verdict.findings if verdict else ()) for m in f.missing}
    known = dict(t.get("card"))
    rows = []
    for name in (*known, *(k for k in evidence.card if k not in known)):
        text = card_text(evidence.card.get(name))
        missing = not text or name in refused
        if missing and text:
            text = t("words.placeholder", text=text)
        rows.append({"label": known.get(name) or t.capital(printable(name.replace("_", " "))),
                     "text": text or t("page1.missing"), "missing": missing})
    return rows


def reproduce(evidence: Evidence, digests: Mapping[str, str], t: Strings) -> View:
    """The command that gives the same facts, one number by hand, digests, versions and settings."""
    versions = evidence.settings.get("versions", {})
    return {
        "says": t("reproduce.command" if _config(evidence) else "reproduce.command_line"),
        "command": command(evidence),
        "recompute": _by_hand(evidence, t),
        "digests": [
            *((t.phrase(printable(s.role)), printable(s.name), count(s.size), s.sha256) for s in evidence.subjects),
            *((t.phrase(k), f"{k}.json", "", v) for k, v in digests.items())],
        "versions": t.list(f"{printable(k)} {printable(v)}" for k, v in sorted(versions.items())),
        "settings": [(printable(k), printable(v, 300)) for k, v in _flat(evidence.settings)
                     if not k.startswith(("versions", "card"))],
    }


def _by_hand(evidence: Evidence, t: Strings) -> str:
    group = min((g for g in evidence.groups if g.asked and g.features and not g.within and not g.missing and g.n),
                key=lambda g: (len(g.features), g.n, g.id), default=None) or evidence.groups_by_id.get(OVERALL)
    c = counts_of(evidence, group.id) if group is not None and group.n and not sampled(evidence) else None
    if group is None or c is None:
        return ""
    return t("reproduce.recompute", group=group_label(evidence, group.id, t), id=printable(group.id),
             selected=count(c.selected), n=count(group.n), tp=count(c.tp), fp=count(c.fp), fn=count(c.fn),
             tn=count(c.tn), rate=percent(c.selected / group.n))


def command(evidence: Evidence) -> str:
    """A `govern measure` line that gives the same evidence from the same files; without a settings file, one that
    gives the same numbers (its notes may differ: what was inferred is now given)."""
    model = evidence.subject("model")
    parts = ["govern", "measure", *([model.name] if model else [])]
    if config := _config(evidence):
        parts += ["--config", config]
    else:
        parts += _flags(evidence.settings)
    parts += ["--timestamp", evidence.created]
    return shlex.join(printable(p, 200) for p in parts)


def _config(evidence: Evidence) -> str:
    """The name of the settings file, empty where the settings stood on the command line."""
    config = evidence.subject("config")
    return config.name if config is not None and config.format != "settings" else ""


def _flags(settings: Mapping[str, Any]) -> list[str]:
    data = settings.get("data", {})
    out = ["--data", str(data.get("path", ""))]
    for name in ("task", "target", "positive", "favourable", "threshold", "score", "prediction", "weight", "cluster",
                 "train", "date", "period"):
        if data.get(name) is not None:
            out += [f"--{name}", str(data[name])]
    for name, flag in REPEATED.items():
        for item in data.get(name) or ():
            out += [flag, str(item)]
    for name, cuts in (data.get("bands") or {}).items():
        out += ["--band", f"{name}={','.join(f'{c:g}' for c in cuts)}"]
    return [*out, "--seed", str(settings.get("seed", 0))]


def _flat(value: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Nested settings as `data.threshold` → text; empty ones are left out."""
    if isinstance(value, Mapping):
        return [pair for k in value for pair in _flat(value[k], f"{prefix}.{k}" if prefix else str(k))]
    if value is None or value in ("", [], ()):
        return []
    if isinstance(value, list | tuple):
        value = ", ".join(card_text(v) for v in value)
    elif isinstance(value, bool):
        value = str(value).lower()
    return [(prefix, str(value))]
