"""Makes the evidence builder importable, and gives rules written inline a policy file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from policy_evidence import HEAD

from govern.metrics import own
from govern.policy.gate import judge
from govern.policy.packs import load_policy
from govern.policy.schema import Policy
from govern.verdict import Verdict


@pytest.fixture
def house(tmp_path: Path) -> Callable[..., Policy]:
    """A policy from the text of its rules; `head` adds lines before them, `known` settings name metrics of one's
    own."""

    def make(rules: str, head: str = "", name: str = "house", known: Any = None) -> Policy:
        text = HEAD.replace("name: house", f"name: {name}") + head + ("rules:\n" + rules if rules else "")
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        return load_policy(f"{name}.yaml", base=tmp_path, own=own(known or {}))

    return make


@pytest.fixture
def verdict(house: Callable[..., Policy]) -> Callable[..., Verdict]:
    """The verdict on evidence under rules given as text, at phase team on a fixed day."""

    def make(evidence: Any, rules: str = "", *, head: str = "", phase: Any = "team", policies: Any = None,
             **more: Any) -> Verdict:
        found = policies if policies is not None else [house(rules, head)]
        return judge(evidence, judged={"evidence": "e" * 64}, policies=found, phase=phase,
                     today=date(2026, 11, 22), **more)

    return make
