"""The shipped JSON Schemas are those of the code, and what is written and read fits them."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest

from govern.codec import encode
from govern.policy.packs import TESTS, find, shipped
from govern.yamlfile import read_yaml

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "govern" / "schemas"
FIXTURES = sorted((ROOT / "policies").rglob("*.json"))
NAMES = ("compute", "config", "evidence", "lock", "policy", "policy-test", "verdict")


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_schemas", ROOT / "tools" / "make_schemas.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def schema(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.schema.json").read_bytes())


def check(value: Any, name: str) -> None:
    jsonschema.Draft202012Validator(schema(name)).validate(value)


def test_the_files_are_what_the_code_says() -> None:
    made = tool()
    for name, found in made.schemas().items():
        place = FOLDER / f"{name}.schema.json"
        assert place.read_text(encoding="utf-8") == made.text(found), "run: python tools/make_schemas.py"
    assert {p.name.partition(".")[0] for p in FOLDER.iterdir()} == set(NAMES) == set(made.schemas())


@pytest.mark.parametrize("name", NAMES)
def test_each_is_a_schema_of_2020_12(name: str) -> None:
    found = schema(name)
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(found)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda p: str(p.relative_to(ROOT)))
def test_shipped_documents_fit(path: Path) -> None:
    value = json.loads(path.read_bytes())
    check(value, value["schema"].removeprefix("govern.").removesuffix("/1"))


def test_shipped_policies_and_their_tests_fit() -> None:
    for pack in shipped():
        check(read_yaml(find(pack.name)).value, "policy")
        tests = find(pack.name).with_name(pack.name + TESTS)
        check(read_yaml(tests).value, "policy-test")
    check(read_yaml(ROOT / "govern" / "demo" / "govern.yaml").value, "config")


def test_what_a_report_writes_fits(govern: Callable[..., Any], german: Any, tmp_path: Path) -> None:
    """A gradient boosting with bands, intersections, attributions, thresholds and a sweep; a waiver; timings."""
    (tmp_path / "govern.yaml").write_text("""\
declared: {primary: {metric: roc_auc, min: 0.7}, latency_p95_ms: 1000}
waivers: [{rule: BASE-14, owner: a, approver: b, reason: r, expires: 2026-12-31}]
""", encoding="utf-8")
    files = [str(german.folder / a) if a in ("model.joblib", "eval.csv") else a for a in german.arguments]
    assert govern("policy", "lock").code == 0
    check(json.loads((tmp_path / "govern.lock").read_bytes()), "lock")
    ran = govern("report", *files, "--format", "html", "--threshold", "0.4", "--config", "govern.yaml")
    assert ran.code in (0, 1, 3), ran.err
    for name in ("evidence", "compute", "verdict"):
        check(ran.document(f"{name}.json"), name)
    assert ran.document("evidence.json")["attributions"] and ran.document("verdict.json")["sweep"]


def test_evidence_of_other_tasks_fits() -> None:
    from govern.selftest import measured

    rows = range(200)
    group = ["ab"[i % 2] for i in rows]
    for truth, answer in (([i % 3 for i in rows], [i % 5 % 3 for i in rows]),
                          ([i / 7 for i in rows], [i / 8 for i in rows])):
        check(encode(measured({"group": group, "truth": truth, "answer": answer}, ["group"])), "evidence")


@pytest.mark.parametrize(("change", "said"), [
    ({"created": None}, "None is not of type 'string'"),
    ({"extra": 1}, "Additional properties are not allowed"),
    ({"task": "ranking"}, "is not one of"),
    ({"schema": "govern.evidence/2"}, "was expected"),
    ({"groups": [{"id": "g"}]}, "is a required property"),
    ({"measurements": [{"metric": "accuracy", "value": "high"}]}, "is not of type 'number', 'null'"),
])
def test_what_does_not_fit_is_refused(change: dict[str, Any], said: str) -> None:
    value = json.loads((ROOT / "policies" / "baseline.pass.json").read_bytes()) | change
    with pytest.raises(jsonschema.ValidationError, match=said):
        check(value, "evidence")


def test_every_field_of_a_policy_test_says_what_it_is() -> None:
    found = schema("policy-test")
    for part in (found, *found["$defs"].values()):
        assert all("description" in field or "const" in field for field in part["properties"].values())
