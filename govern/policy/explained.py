"""What of an explanation a rule can ask for, and why a number of it is not there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from govern.evidence import Evidence
from govern.metrics import METRICS
from govern.policy.asking import Documents
from govern.policy.tasks import setting
from govern.verdict import RuleOutcome

# The settings without which a number does not exist.
NEEDS = {"reason_coverage": "reasons", "reason_dropped_share": "prohibited", "shape_violation_share": "directions"}
NO_SENSITIVE = "no sensitive feature was given"


def asked(evidence: Evidence, name: str) -> Any:
    """A setting of explanation (directions, reasons, prohibited …), None where it was not given."""
    explain = evidence.settings.get("explain")
    return explain.get(name) if isinstance(explain, Mapping) else None


def sensitive_columns(evidence: Evidence) -> list[str]:
    """The columns of the sensitive features, from the settings."""
    given = setting(evidence, "sensitive")
    found: list[str] = []
    for item in given if isinstance(given, list | tuple) else ():
        if isinstance(item, Mapping):
            found += [str(v["column"]) if isinstance(v, Mapping) and "column" in v else str(k) for k, v in item.items()]
        elif isinstance(item, str) and ":" not in item:
            found.append(item)
    return found


def proxies(evidence: Evidence) -> list[str] | None:
    """The features that the model uses and that reveal a sensitive feature, the most revealing first; None where they
    were not looked for."""
    known = evidence.explanation.proxies if evidence.explanation else ()
    if not known:
        return None
    listed = sorted((p for p in known if p.listed and p.column is not None), key=lambda p: -(p.value or 0))
    return list(dict.fromkeys(p.column for p in listed if p.column is not None))


def not_there(documents: Documents, metric: str) -> tuple[RuleOutcome, str]:
    """The outcome of a rule whose number the evidence does not hold, and why."""
    evidence = documents.evidence
    if evidence.model is None:
        return "n/a", "predictions only, there is no model to explain"
    if evidence.attributions is None:
        if evidence.task != "binary":
            return "n/a", f"the model of a {evidence.task} task was not explained"
        if not documents.scored:
            return "n/a", "the model gives labels only, which have no contributions"
        return "not_run", f"{METRICS[metric].title} was not measured"
    if metric in NEEDS and not asked(evidence, NEEDS[metric]):
        return "n/a", f"no explain.{NEEDS[metric]} were given"
    if metric in ("proxy_auc", "gap_share") and not sensitive_columns(evidence):
        return "n/a", NO_SENSITIVE
    known = evidence.explanation
    if known is not None and metric.startswith("reason_") and known.reason_codes is None:
        return "n/a", "no decision among the explained rows is adverse"
    if known is not None and metric == "gap_share":
        return "n/a", "no gap in the mean output is beyond chance" if known.gaps else "no two groups were explained"
    return "not_run", f"{METRICS[metric].title} was not measured"
