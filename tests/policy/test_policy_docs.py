"""Every example of docs/policies.md is read as a reader would use it."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import pytest
from policy_evidence import HEAD

from govern.inputs.config import load_settings
from govern.metrics import own
from govern.policy.packs import load_policy
from govern.policy.schema import json_schema
from govern.yamlfile import parse_yaml, read_yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
COST = own({"data": {"metrics": {"cost": {"better": "lower"}}}})
SCHEMA = jsonschema.Draft202012Validator(json_schema())
RULE = "rules:\n  - {id: S, kind: support, title: t, basis: house, severity: review}\n"


@pytest.mark.parametrize("block", BLOCKS, ids=lambda b: b.split("\n")[0][:40])
def test_the_example_is_read(block: str, tmp_path: Path) -> None:
    if block.startswith("waivers:"):
        (tmp_path / "govern.yaml").write_text(block, encoding="utf-8")
        assert load_settings({}, config=None, cwd=tmp_path, measuring=False).waivers
        return
    if "govern.policy-test/1" in block:
        pytest.skip("tests of policies are read by the tests of `govern policy test`")
    text = block
    if block.startswith("rules:"):
        text = HEAD + block
    elif block.startswith("  - "):
        text = HEAD + "extends: [baseline]\nrules:\n" + block
    elif "schema: govern.policy/1" not in block:
        keys = {line.partition(":")[0] for line in block.splitlines()}
        text = "".join(f"{line}\n" for line in HEAD.splitlines() if line.partition(":")[0] not in keys) + block + RULE
    (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
    assert load_policy("p.yaml", base=tmp_path, own=COST).rules
    if "metric: cost" not in text:  # metrics of one's own are not in the published schema
        assert list(SCHEMA.iter_errors(read_yaml(tmp_path / "p.yaml").value)) == []


@pytest.mark.parametrize("when", [
    {}, {"phse": "team"}, {"phase": "teams"}, {"task": []}, {"card": "x"}, {"card.x": {"y": 1}}, {"card.x": None},
    {"rule": "S"}, {"outcome": "fail"}, {"rule": "S", "outcome": "failed"}])
def test_the_published_schema_refuses_what_the_reader_refuses(when: object) -> None:
    rule = {"id": "S", "kind": "support", "title": "t", "basis": "house", "severity": "review"}
    head = parse_yaml(HEAD.encode(), "head").value
    good = {**rule, "when": {"card.x": ["y", True], "rule": "T", "outcome": ["fail"]}}
    assert list(SCHEMA.iter_errors({**head, "rules": [good]})) == []
    assert list(SCHEMA.iter_errors({**head, "rules": [{**rule, "when": when}]}))


def test_there_are_examples_of_the_language() -> None:
    for word in ("when:", "each:", "{baseline: ", "applies_when:", "override:", "lineage:", "waiver_days:"):
        assert any(word in block for block in BLOCKS), word
