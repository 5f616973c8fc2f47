"""The example of each rule kind: it passes on the evidence that says so, and fails on the other."""

from __future__ import annotations

import hashlib
import importlib.util
from datetime import date
from pathlib import Path
from types import ModuleType

import jsonschema
import pytest

from govern.codec import load
from govern.evidence import COMPUTE_SCHEMA, EVIDENCE_SCHEMA, Compute, Evidence
from govern.policy.gate import judge
from govern.policy.packs import load_policy
from govern.policy.rules import KINDS
from govern.policy.schema import json_schema
from govern.yamlfile import read_yaml

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "policies" / "kinds"
TODAY = date(2026, 11, 25)
# A statement to be signed is made by people: no evidence passes or fails it.
SIGNED = {"attest"}


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_examples", ROOT / "tools" / "make_examples.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TOOL = tool()


def outcomes(kind: str, way: str) -> dict[str, list[str]]:
    """The outcomes of each rule of a kind's example on its evidence."""
    found, digest = load(PLACE / f"{kind}.{way}.json", Evidence, EVIDENCE_SCHEMA)
    beside = {name: PLACE / f"{kind}.{name}.json" for name in ("baseline", f"{way}.compute")}
    baseline = load(beside["baseline"], Evidence, EVIDENCE_SCHEMA)[0] if beside["baseline"].exists() else None
    costs = beside[f"{way}.compute"]
    compute = load(costs, Compute, COMPUTE_SCHEMA)[0] if costs.exists() else None
    policy = load_policy(str(PLACE / f"{kind}.yaml"))
    result = judge(found, judged={"evidence": digest}, policies=[policy], phase="team", today=TODAY, compute=compute,
                   baseline=baseline)
    seen: dict[str, list[str]] = {}
    for finding in result.findings:
        seen.setdefault(finding.rule, []).append(finding.outcome)
    return seen


@pytest.mark.parametrize("kind", TOOL.EXAMPLES)
def test_the_example_passes_and_fails_as_its_files_say(kind: str) -> None:
    passing, failing = outcomes(kind, "pass"), outcomes(kind, "fail")
    assert passing.keys() == failing.keys() == {r.id for r in load_policy(str(PLACE / f"{kind}.yaml")).rules}
    assert {o for found in passing.values() for o in found} == {"pass"}
    # Every rule of the example fails on the other evidence, by one of its questions at least.
    assert all("fail" in found for found in failing.values()), failing


def test_every_kind_has_an_example_of_its_own() -> None:
    assert {p.stem for p in PLACE.glob("*.yaml")} == KINDS.keys() == {*TOOL.EXAMPLES} | SIGNED
    for path in PLACE.glob("*.yaml"):
        assert {r.fields.kind for r in load_policy(str(path)).rules} == {path.stem}
        jsonschema.validate(read_yaml(path).value, json_schema())


def test_the_files_are_what_the_tool_writes() -> None:
    made: dict[str, bytes] = TOOL.files()
    stale = [name for name, content in made.items() if (PLACE / name).read_bytes() != content]
    assert stale == [], "run python tools/make_examples.py"
    assert sum(len(content) for content in made.values()) < 200_000
    assert len({hashlib.sha256(content).hexdigest() for content in made.values()}) >= len(made) - 1
