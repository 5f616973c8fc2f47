"""Where in the card a finding stands: an address that keeps its meaning from run to run."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from govern.verdict import Finding


def anchors(findings: Sequence[Finding]) -> dict[int, str]:
    """The address of each finding by the `id()` of the object: `f-baseline-BASE-08-selection-rate-age`. What a run
    found is not in it; findings of one name are numbered in their order."""
    taken: dict[str, int] = {}
    found = {}
    for finding in findings:
        parts = [finding.policy, finding.rule, finding.metric, *finding.features, finding.label, finding.decision,
                 finding.each]
        name = "-".join(["f", *(_word(p) for p in parts if p)])
        taken[name] = taken.get(name, 0) + 1
        found[id(finding)] = name if taken[name] == 1 else f"{name}-{taken[name]}"
    return found


def _word(text: str) -> str:
    """Letters and digits; a text with others than those of English ends with some of its digest, to be told apart."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")
    return plain if text.isascii() else f"{plain}{hashlib.sha256(text.encode()).hexdigest()[:6]}"
