"""Whether the record itself can be relied on: what was judged has digests, and the rules were fixed before the run.

How it is computed: `digests` looks whether the data, the settings and (unless stored predictions were judged) the model
are subjects of the evidence with a SHA-256. `lock` compares the digests of the judged policies and of what they extend,
and the declared limits, with the lock file that was recorded when measuring, and its time with that of the evidence.

How to read it: without a recorded lock nothing shows that limits were not chosen after the numbers were seen; the rule
is then n/a, "not proven". A policy that is locked and not judged is named and does not fail the rule.

Strengths: a policy or a limit that was changed after the run is named, and how.

Limits: times are those of the machine that wrote them. Who can measure again after a new lock can still choose; what
signs and archives documents stands against that. Whether files equal their digests is looked at when they are verified.

Source: a default of this tool. That criteria are fixed before an evaluation is asked for in kind by Regulation (EU)
2024/1689, Article 9(8), and by quality C-1 of the AIST Machine Learning Quality Management Guideline.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Literal, Self

from pydantic import Field, model_validator

from govern.codec import decode
from govern.lock import Lock, differences, later
from govern.policy.asking import Answer, Documents, Question, settled
from govern.policy.fields import Rule, RuleFields
from govern.yamlcheck import ProblemAt

NOT_PROVEN = "not proven: no lock was recorded when measuring"
_SHA256 = re.compile(r"[0-9a-f]{64}")
SHOWN = 4


class IntegrityFields(RuleFields):
    """Whether the record itself can be relied on."""

    kind: Literal["integrity"]
    require: list[Literal["digests", "lock"]] = Field(
        min_length=1,
        description="digests: data, settings and model are recorded by digest; lock: policies and declared limits are "
        "those that were locked before the run",
    )

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        if len(set(self.require)) < len(self.require):
            raise ProblemAt("require", "names a demand twice; name it once")
        return self


def questions(rule: Rule, documents: Documents) -> list[Question]:
    """One question for each demand."""
    return [_locked(documents) if demand == "lock" else Question(partial(_digests, documents), each=demand)
            for demand in rule.fields.require]


def _digests(documents: Documents, _family: int) -> Answer:
    evidence = documents.evidence
    wanted = ["data", "config", *(["model"] if evidence.model is not None else [])]
    lacking = [role for role in wanted
               if (found := evidence.subject(role)) is None or not _SHA256.fullmatch(found.sha256)]
    return Answer("fail", f"without a digest: {', '.join(lacking)}") if lacking else Answer("pass")


def _locked(documents: Documents) -> Question:
    evidence = documents.evidence
    recorded = evidence.subject("policy-lock")
    if recorded is None:
        given = " (the lock file given now was not)" if documents.lock is not None else ""
        return settled("n/a", NOT_PROVEN + given, each="lock")
    return Question(partial(_compare, documents, decode(Lock, dict(evidence.lock)), recorded.sha256), each="lock")


def _compare(documents: Documents, lock: Lock, sha256: str, _family: int) -> Answer:
    evidence = documents.evidence
    found = []
    if documents.lock is not None and documents.lock != sha256:
        found.append(f"the lock file given ({documents.lock[:8]}) is not the one recorded when measuring "
                     f"({sha256[:8]})")
    if later(lock, evidence.created):
        found.append(f"locked {lock.locked}, after the evidence was made ({evidence.created})")
    found += differences(lock, documents.policies, evidence.declared)
    if found:
        more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        return Answer("fail", "; ".join(found[:SHOWN]) + more)
    judged = {p.name for p in documents.policies}
    idle = [p.name for p in lock.policies if p.name not in judged]
    return Answer("pass", f"locked {lock.locked}" + (f"; locked too, not judged: {', '.join(idle)}" if idle else ""))
