"""GitLab code quality: an issue for each finding that is not simply a pass.

The format has issues only: a pass and a rule that does not apply cannot be written, and an empty list is a PASS without
anything to tell. A waived finding stays, at severity info, with its waiver.

Source: the fields that https://docs.gitlab.com/ci/testing/code_quality/ lists under "Code Quality report format".
"""

from __future__ import annotations

from collections.abc import Mapping

from govern.codec import dumps
from govern.evidence import Evidence
from govern.formats.results import results, urgent
from govern.verdict import Verdict

SEVERITIES = {"block": "blocker", "review": "critical", "warn": "major", "not_settled": "minor", "info": "info",
              "to_sign": "info", "waived": "info"}


def gitlab(evidence: Evidence, verdict: Verdict, digests: Mapping[str, str]) -> str:
    """The results as code quality JSON."""
    return dumps([
        {"check_name": r.id, "description": f"{r.title}: {r.word}. {r.text}", "fingerprint": r.key,
         "severity": SEVERITIES[r.sort], "location": {"path": r.path, "lines": {"begin": r.line}}}
        for r in urgent(results(evidence, verdict)) if r.sort in SEVERITIES]).decode()
