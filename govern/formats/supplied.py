"""The words that only people can supply, by the section of the card in which they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from govern.errors import printable
from govern.evidence import Evidence
from govern.formats.strings import Strings
from govern.verdict import Verdict

LONG = 2000
LAST = 25
# The fields of each section, and which of them every model is expected to fill in, asked for by a rule or not.
FIELDS: Mapping[int, tuple[str, ...]] = {
    2: ("source_commit",),
    3: ("model_id", "owner", "developer", "responsibilities", "exposure", "tier", "tier_reason", "vendor", "status",
        "last_validation", "next_validation"),
    4: ("change_reason", "tried_models"),
    5: ("purpose", "decision", "users", "affected_people", "favourable_outcome", "out_of_scope", "automation",
        "conditions_of_use", "misuse", "user_summary"),
    6: ("data_source", "data_period", "label_definition", "target_validity", "data_preparation", "data_explanation",
        "data_owner", "data_licence", "legal_basis", "audit_data", "test_data"),
    7: ("attribute_source", "reference_rationale", "excluded_categories"),
    8: ("metric_rationale", "threshold_rationale", "thresholds_approved_by", "alternatives_rejected"),
    10: ("fairness_assessments", "residual_bias", "alternatives_considered", "validity_evidence", "score_adjustments"),
    14: ("limitations", "tradeoffs", "optimal_conditions"),
    15: ("risks", "mitigation", "residual_risk", "risk_accepted_by", "benefits_to_users"),
    16: ("human_oversight", "override_criteria", "appeal", "override_log"),
    17: ("monitoring_plan", "last_monitoring", "retire_criteria", "next_review"),
    23: ("energy", "co2e"),
    24: ("security_measures", "personal_data", "special_care_data", "data_minimisation", "small_cells"),
    25: ("licence", "contact", "issue_address", "citation", "references_reviewed"),
}
EXPECTED = ("owner", "tier", "purpose", "decision", "users", "affected_people", "out_of_scope", "data_source",
            "data_period", "label_definition", "metric_rationale", "limitations", "human_oversight", "monitoring_plan",
            "licence", "contact")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the card as it is shown: its label, its text, and whether something is missing there."""

    label: str
    text: str
    missing: bool


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a section: those given or expected, and the names of the others in one sentence."""

    rows: tuple[Field, ...]
    others: str

    @property
    def missing(self) -> int:
        """How many are expected and missing."""
        return sum(r.missing for r in self.rows)

    @property
    def given(self) -> int:
        """How many are given whole."""
        return sum(not r.missing for r in self.rows)


def card_text(value: Any, limit: int = LONG) -> str:
    """What the owner wrote, on one line: lists with semicolons, mappings as `key: value`."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        value = "; ".join(f"{k}: {card_text(v)}" for k, v in value.items())
    elif isinstance(value, Sequence) and not isinstance(value, str):
        value = "; ".join(card_text(v).removesuffix(".") for v in value)
    return printable(" ".join(str(value).split()), limit)


def supplied(evidence: Evidence, verdict: Verdict | None, t: Strings) -> dict[int, Fields]:
    """The fields of each section that has some. A field of the owner's own stands in the last section.

    A field is missing where it is expected of every model or asked for by a rule and not given; a document rule's
    judgement that it holds only a placeholder, or lacks a part, is repeated here.
    """
    refused = {m for f in (verdict.findings if verdict else ()) for m in f.missing}
    known = {name for fields in FIELDS.values() for name in fields}
    further = tuple(k for k in evidence.card if k not in known)
    return {n: _section(fields + (further if n == LAST else ()), evidence, refused, t) for n, fields in FIELDS.items()}


def _section(fields: Sequence[str], evidence: Evidence, refused: set[str], t: Strings) -> Fields:
    rows, others = [], []
    for name in fields:
        text = card_text(evidence.card.get(name))
        parts = sorted(m.removeprefix(f"{name}.") for m in refused if m.startswith(f"{name}."))
        if text or parts or name in refused or name in EXPECTED:
            rows.append(Field(label(name, t), *_said(text, name in refused, parts, t)))
        else:
            others.append(label(name, t))
    return Fields(tuple(rows), t("field.not_given", names=t.list(others)) if others else "")


def _said(text: str, refused: bool, parts: Sequence[str], t: Strings) -> tuple[str, bool]:
    if not text:
        return t("page1.missing"), True
    if refused:
        return t("words.placeholder", text=text), True
    if parts:
        return t("field.part_missing", text=text, parts=t.list(printable(p.replace("_", " ")) for p in parts)), True
    return text, False


def label(name: str, t: Strings) -> str:
    """What a field of the card is called; a field of the owner's own by its key."""
    return str(t(f"card.{name}")) if t.has(f"card.{name}") else printable(name.replace("_", " ")).capitalize()
