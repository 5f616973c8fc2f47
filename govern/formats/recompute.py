"""How to check a number: the whole again, one number by hand and by a command, and the digests of every file."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from govern.errors import printable
from govern.evidence import OVERALL, Evidence
from govern.formats.counted import counts_of, sampled
from govern.formats.naming import group_label
from govern.formats.numbers import count, percent
from govern.formats.strings import Strings
from govern.formats.supplied import card_text

REPEATED = {"classes": "--class", "sensitive": "--sensitive", "control": "--control", "search": "--search",
            "features": "--feature", "pairs": "--pair-column"}
View = dict[str, Any]


def reproduce(evidence: Evidence, digests: Mapping[str, str], t: Strings) -> View:
    """The command that gives the same facts, one number by hand and by command, digests, versions and settings."""
    versions = evidence.settings.get("versions", {})
    return {
        "says": t("reproduce.command" if _config(evidence) else "reproduce.command_line"),
        "command": command(evidence),
        "hand": _by_hand(evidence, t),
        "digests": [
            *((t.phrase(printable(s.role)), printable(s.name), count(s.size), s.sha256) for s in evidence.subjects),
            *((t.phrase(k), f"{k}.json", "", v) for k, v in digests.items())],
        "versions": t.list(f"{printable(k)} {printable(v)}" for k, v in sorted(versions.items())),
        "settings": [(printable(k), printable(v, 300)) for k, v in _flat(evidence.settings)
                     if not k.startswith(("versions", "card"))],
    }


def _by_hand(evidence: Evidence, t: Strings) -> View:
    """One rate in steps, of the smallest group of one feature; its command prints it from the evidence alone."""
    group = min((g for g in evidence.groups if g.asked and g.features and not g.within and not g.missing and g.n),
                key=lambda g: (len(g.features), g.n, g.id), default=None) or evidence.groups_by_id.get(OVERALL)
    c = counts_of(evidence, group.id) if group is not None and group.n else None
    if group is None or c is None:
        return {"steps": [], "command": ""}
    if sampled(evidence):
        return {"steps": [t("recompute.weighted")], "command": ""}
    cells = {k: count(getattr(c, k)) for k in ("tp", "fp", "fn", "tn")}
    share = c.selected / group.n
    values = {**cells, "selected": count(c.selected), "n": count(group.n), "id": printable(group.id),
              "group": group_label(evidence, group.id, t), "rate": percent(share), "exact": repr(round(share, 6))}
    keys = ("rate", "step1", "step2", "step3")
    return {"steps": [t(f"recompute.{k}", **values) for k in keys], "command": by_command(group.id, c.label)}


def by_command(group: str, label: str | None) -> str:
    """A command that prints selected, rows and rate of a group, from the evidence.json of the working folder."""
    same = '"label" not in c' if label is None else f'c.get("label") == {json.dumps(label)}'
    code = ('import json; c = next(c for c in json.load(open("evidence.json"))["counts"] '
            f'if c["group"] == {json.dumps(group)} and {same}); '
            'n = c["tp"] + c["fp"] + c["fn"] + c["tn"]; print(c["selected"], n, c["selected"] / n)')
    return shlex.join(["python", "-c", code])


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
