"""What the confusion counts of a task stand for, and how rows count in them."""

from __future__ import annotations

from govern.errors import printable
from govern.evidence import OVERALL, Comparing, Counts, Evidence, Group, Measurement
from govern.formats.numbers import count
from govern.formats.strings import Strings

SAMPLED = ("selection_rate", "multiclass_accuracy", "share_above_median")


def decision_label(evidence: Evidence) -> str | None:
    """The class whose counts say who is selected: None in a binary task, else the favourable class if one is
    declared."""
    found = evidence.settings.get("data", {}).get("favourable") if evidence.task == "multiclass" else None
    return str(found) if found is not None else None


def selects(evidence: Evidence) -> bool:
    """Whether a favourable outcome is known, so that groups can be compared by who receives it."""
    return evidence.task == "binary" or decision_label(evidence) is not None


def counts_of(evidence: Evidence, group: str) -> Counts | None:
    """The counts of a group for the outcome that is compared, None where there is none."""
    return evidence.counts_by_label.get((group, decision_label(evidence))) if selects(evidence) else None


def found(evidence: Evidence, metric: str, group: str = OVERALL, reference: str | None = None,
          compare: Comparing | None = None) -> Measurement | None:
    """A measurement of the outcome that is compared."""
    return evidence.find(metric, group, reference, compare, label=decision_label(evidence))


def positives(counts: Counts) -> int:
    """Rows that truly have the counted label."""
    return counts.tp + counts.fn


def sampled(evidence: Evidence) -> bool:
    """Whether rows have weights or repeat persons."""
    data = evidence.settings.get("data", {})
    return bool(data.get("weight") or data.get("cluster"))


def sampling_note(evidence: Evidence, t: Strings) -> str:
    """One or two sentences on weights and repeated persons; empty where each row counts once."""
    data, parts = evidence.settings.get("data", {}), []
    if data.get("weight"):
        parts.append(t("sampling.weight", column=printable(data["weight"])))
    if data.get("cluster"):
        parts.append(t("sampling.cluster", column=printable(data["cluster"])))
    effective = next((m.effective for name in SAMPLED if (m := found(evidence, name) or evidence.find(name))
                      is not None and m.effective is not None), None)
    if parts and effective is not None:
        parts.append(t("sampling.effective", rows=count(evidence.population.used), effective=count(effective)))
    return t.text(parts)


def weighted_note(evidence: Evidence, t: Strings) -> str:
    """That rates are weighted, in few words; empty without weights."""
    return t("sampling.short") if evidence.settings.get("data", {}).get("weight") else ""


def status_text(group: Group, t: Strings) -> str:
    """Why a group is not like the others, in words; empty for one that is."""
    return t(f"status.{group.status}") if group.status != "ok" else ""
