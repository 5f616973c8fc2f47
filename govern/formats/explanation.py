"""The explanation section: what the model looks at, for everyone and by group."""

from __future__ import annotations

from typing import Any

from govern.errors import printable
from govern.evidence import OVERALL, Evidence
from govern.explanations import Attribution, Attributions
from govern.formats.naming import name_of
from govern.formats.numbers import amount, count, decimal
from govern.formats.strings import Strings

BAR = 150
FEATURES_BY_GROUP = 6
CLEAR_DIRECTION = 0.3
View = dict[str, Any]


def explanation(evidence: Evidence, t: Strings) -> View:
    """SHAP of everyone with direction, and by group of each single sensitive feature."""
    found = evidence.attributions
    if found is None or not found.features:
        why = [printable(t.phrase(n), 600) for n in evidence.notes
               if "explanation" in n.lower() and evidence.task != "binary"]
        return {"none": t.text(why) or t("explanation.none"), "rows": [], "groups": [], "intro": "", "residual": "",
                "method": ""}
    every = [a for a in found.features if a.group == OVERALL and a.label is None]
    most = max((a.mean_abs for a in every), default=0.0)
    shown = [a.feature for a in every[:FEATURES_BY_GROUP]]
    return {
        "none": "",
        "intro": t("explanation.intro", output=printable(t.phrase(found.output)), rows=count(found.rows),
                   seed=found.seed, method=printable(t.phrase(found.method), 160), background=_background(found, t)),
        "method": t("explanation.exact" if found.exact else "explanation.approximate"),
        "residual": t("explanation.residual", residual=amount(found.residual)) if found.residual is not None
        else t("explanation.residual_none"),
        "rows": [{"feature": printable(a.feature), "size": decimal(a.mean_abs), "se": decimal(a.se) if a.se else "",
                  "bar": round(BAR * a.mean_abs / most, 1) if most else 0.0, "direction": _direction(a, t)}
                 for a in every],
        "top": t("explanation.top", n=len(shown)) if len(every) > len(shown) else "",
        "groups": [g for features, groups in evidence.feature_groups.items() if len(features) == 1 if (g := _by_group(
            found, features[0], [(x.id, name_of(x, t)) for x in groups], shown, t))],
    }


def _background(found: Attributions, t: Strings) -> str:
    text = printable(t.phrase(found.background), 120) or t("explanation.no_background")
    return t("explanation.background_rows", background=text, rows=count(found.background_rows)) \
        if found.background_rows else text


def _direction(a: Attribution, t: Strings) -> str:
    if a.direction is None:
        return t("explanation.categories")
    if abs(a.direction) < CLEAR_DIRECTION:
        return t("explanation.mixed")
    return t("explanation.raises" if a.direction > 0 else "explanation.lowers")


def _by_group(found: Attributions, feature: str, groups: list[tuple[str, str]], shown: list[str], t: Strings
              ) -> View | None:
    by = {(a.group, a.feature): a for a in found.features}
    present = [(id, name) for id, name in groups if any((id, f) in by for f in shown)]
    if not present:
        return None
    rows = [{"name": printable(f), "cells": [decimal(by[id, f].mean_abs) if (id, f) in by else "–"
                                              for id, _ in present]} for f in shown]
    return {"title": t("explanation.by_group", feature=printable(feature)), "rows": rows,
            "heads": [f"{printable(name)} ({count(by[id, shown[0]].n) if (id, shown[0]) in by else 0})"
                      for id, name in present]}
