"""The explanation section: what the model looks at and how sure that is, where gaps come from, what reveals sensitive
features, shapes, reasons and single decisions. Each part has a module of its own, `explanation_*.py`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from govern.evidence import Evidence
from govern.explanations import Explanation
from govern.formats.cells import Part
from govern.formats.explanation_gaps import gap_fact, gaps_note, gaps_table, waterfalls
from govern.formats.explanation_groups import differences, differences_fact
from govern.formats.explanation_importance import by_class, further, importance
from govern.formats.explanation_locals import decisions
from govern.formats.explanation_proxies import all_proxies, proxies, proxies_fact
from govern.formats.explanation_reasons import reasons, reasons_fact
from govern.formats.explanation_sure import alike, alike_fact, explained, sure
from govern.formats.shapes import dependence
from govern.formats.strings import Strings

View = dict[str, Any]


def explanation(evidence: Evidence, full: bool, t: Strings) -> View:
    """The section: facts in a sentence each, the largest features, then in the full edition its parts and those of its
    annex; `none` says why there are no attributions."""
    found, more = evidence.attributions, evidence.explanation or Explanation()
    if found is not None and not found.features:
        found = None
    facts = [
        ("explained", explained(found, t) if found else ""),
        ("sure", sure(found, t) if found else ""),
        ("alike", alike_fact(found, t) if found and full else ""),
        ("groups", differences_fact(evidence, t) if full else ""),
        ("gap", gap_fact(evidence, more.gaps, t)),
        ("proxies", proxies_fact(more.proxies, t)),
        ("reasons", reasons_fact(more.reason_codes, t)),
    ]
    expected = evidence.settings.get("explain", {}).get("directions") or {}
    shapes = dependence(more.shapes, evidence, t) if full else None
    parts = [proxies(more.proxies, t), reasons(more.reason_codes, t), replace(shapes, numbers=()) if shapes else None,
             decisions(more.locals, t)]
    annex = [*((further(found, t), by_class(found, t), alike(found, t), differences(evidence, t)) if found else ()),
             gaps_table(evidence, more.gaps, t), all_proxies(more.proxies, t),
             Part(t("explanation.shapes_numbers"), "", shapes.numbers) if shapes else None]
    return {
        "none": "" if found else t("explanation.none" if evidence.model else "explanation.no_model"),
        "facts": [(t(f"explanation.{key}_label"), text) for key, text in facts if text],
        "importance": importance(found, expected, full, t) if found else None,
        "gaps": waterfalls(evidence, more.gaps, t) if full else [],
        "gaps_note": gaps_note(more.gaps, t),
        "parts": [p for p in parts if p is not None] if full else [],
        "annex": [p for p in annex if p is not None] if full else [],
    }
