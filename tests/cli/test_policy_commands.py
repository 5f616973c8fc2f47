"""The policy commands as people and pipelines use them."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from govern.cli.pages import cells
from govern.policy.fields import texts
from govern.policy.packs import load_policy, shipped
from govern.policy.rules import KINDS

ROOT = Path(__file__).parents[2]
POLICIES = ROOT / "policies"
Govern = Callable[..., Any]
HOUSE = """\
schema: govern.policy/1
name: house
version: "2"
title: {en: House rules}
status: in_force
as_of: 2026-11-01
extends: [baseline]
rules:
  - {id: H-1, kind: bound, title: Accuracy, metric: accuracy, min: 0.7, severity: block, basis: house, tags: [process]}
  - {id: BASE-09, override: {max: 0.08}, reason: agreed}
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    path = tmp_path / "house.yaml"
    path.write_text(HOUSE, encoding="utf-8")
    return path


def narrow(text: str) -> bool:
    """Whether every line but those of files fits 80 columns."""
    return all(cells(line) <= 80 for line in text.splitlines())


def test_doc_lists_every_kind_and_policy(govern: Govern) -> None:
    ran = govern("policy", "doc")
    assert ran.code == 0 and ran.err == "" and narrow(ran.out)
    terms = re.findall(r"^  (\S+)", ran.out, re.MULTILINE)
    assert [t for t in terms if t in KINDS] == list(KINDS)
    assert all(p.name in ran.out for p in shipped())


@pytest.mark.parametrize("kind", KINDS)
def test_doc_of_a_kind_has_its_fields_and_manual(govern: Govern, kind: str) -> None:
    ran = govern("policy", "doc", kind)
    assert ran.code == 0 and narrow(ran.out.partition("\nExample\n")[0])
    assert ran.out.startswith(f"Rule kind {kind}\n=")
    for name, info in KINDS[kind].fields.model_fields.items():
        assert name == "kind" or re.search(rf"^  {info.alias or name}( |$)", ran.out, re.MULTILINE), name


@pytest.mark.parametrize("pack", [p.name for p in shipped()])
def test_doc_of_a_policy_says_every_rule(govern: Govern, pack: str) -> None:
    ran = govern("policy", "doc", pack)
    assert ran.code == 0 and narrow(ran.out)
    flat = " ".join(ran.out.split())
    for rule in load_policy(pack).rules:
        head = f"{rule.id} {texts(rule.fields.title)['en']}"
        assert head in flat
        for said in (rule.fields.cite, *texts(rule.fields.says).values(), *texts(rule.fields.ours).values()):
            # The Japanese of what is said stays in the file.
            assert said is None or not said.isascii() or " ".join(said.split()) in flat
        assert f"{pack}:{rule.line}" in flat


def test_doc_as_markdown(govern: Govern, house: Path) -> None:
    ran = govern("policy", "doc", "house.yaml", "--format", "md")
    assert ran.code == 0
    assert ran.out.startswith("# house 2: House rules\n\n- **status**: in force\n")
    assert "\n## H-1  Accuracy\n\n- **kind**: bound\n- **metric**: accuracy\n- **limits**: at least 0.7\n" in ran.out
    assert "- **changed**: max: 0.10 → 0.08 (house: agreed)" in ran.out


@pytest.mark.parametrize(("arguments", "said"), [
    (["doc", "disparty"], 'no policy or kind "disparty"; did you mean "disparity"?'),
    (["doc", "gone.yaml"], "gone.yaml: no such file; check the path"),
    (["doc", "baseline", "--format", "html"], '--format: "html" is not one of text, md'),
    (["explain", "BASE-88"], 'no rule "BASE-88" in baseline, '),
    (["explain", "BASE-08", "--policy", "gone.yaml"], "gone.yaml: no such file"),
    (["explain", "BASE-08", "--evidence", "gone.json"], "gone.json: no such file"),
    (["explain", "BASE-08", "--phase", "prod"], "prod"),
    (["diff", "baseline", "gone.yaml"], "gone.yaml: no such file"),
    (["diff", "baseline"], "Missing argument"),
    (["test", "gone.yaml"], "gone.yaml: no such file"),
    (["test", "house.yaml"], "house.yaml: has no tests beside it; write house.test.yaml"),
    (["test"], ".: holds no policy test; write one as NAME.test.yaml beside the policy"),
    (["schema", "verdct"], 'no schema "verdct"; did you mean "verdict"?'),
    (["lint"], "Missing argument"),
    (["lint", "baseline", "--today", "soon"], '--today: "soon" is not a date'),
])
def test_unusable_input_is_one_line_and_exit_2(govern: Govern, house: Path, arguments: list[str], said: str) -> None:
    ran = govern("policy", *arguments)
    assert ran.code == 2 and said in ran.err
    assert ran.err.startswith("govern: ") and ran.err.count("\n") == 1 and ran.out == ""


def test_explain_a_rule_with_what_was_seen(govern: Govern, house: Path) -> None:
    shutil.copy(POLICIES / "baseline.fail.json", house.parent / "evidence.json")
    ran = govern("policy", "explain", "BASE-09", "--policy", "house.yaml", "--evidence", "evidence.json")
    assert ran.code == 0 and narrow(ran.out)
    flat = " ".join(ran.out.split())
    assert "BASE-09 True and false positive rates between groups" in flat and "house 2" in flat
    assert "(recall) = tp / (tp + fn); from 0 to 1; higher is better" in flat
    assert "limits at most 0.08" in flat and "tool default (govern)" in flat
    assert "at phase team" in flat and flat.count("outcome fail") == 2
    assert "true positive rate 80.0% (480 of 600) against 50.0% (300 of 600) for women" in flat
    assert "counts as REVIEW" in flat
    desk = govern("policy", "explain", "house/BASE-09", "--policy", "house.yaml", "--evidence", "evidence.json",
                  "--phase", "desk")
    seen = desk.out.partition("at phase desk\n")[2]
    assert "outcome" in seen and "counts as" not in seen


def test_explain_looks_in_the_settings_and_names_other_policies(govern: Govern, house: Path) -> None:
    (house.parent / "govern.yaml").write_text("policies: [house.yaml, baseline]\n", encoding="utf-8")
    ran = govern("policy", "explain", "H-1")
    assert ran.code == 0 and "at least 0.7" in ran.out
    ran = govern("policy", "explain", "BASE-08")
    assert "Also a rule of baseline: govern policy explain baseline/BASE-08" in " ".join(ran.out.split())
    assert "house:" not in govern("policy", "explain", "baseline/BASE-09").out
    (house.parent / "govern.yaml").unlink()
    assert govern("policy", "explain", "H-1").code == 2
    for pack in shipped():
        one_a_kind = {rule.fields.kind: rule for rule in load_policy(pack.name).rules}
        for rule in one_a_kind.values():
            ran = govern("policy", "explain", f"{pack.name}/{rule.id}")
            assert ran.code == 0 and narrow(ran.out), rule.id


def test_own_metrics_are_known_from_the_settings(govern: Govern, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(HOUSE.replace("metric: accuracy", "metric: cost"), encoding="utf-8")
    assert govern("policy", "lint", "own.yaml").code == 2
    (tmp_path / "other.yaml").write_text("data: {metrics: {cost: {function: 'house:cost', better: lower}}}\n",
                                         encoding="utf-8")
    config = ("--config", "other.yaml")
    assert govern("policy", "lint", "own.yaml", "--today", "2026-11-22", *config).code == 0
    assert govern("policy", "show", "own.yaml", *config).code == 0
    assert "cost: " in " ".join(govern("policy", "diff", "baseline", "own.yaml", *config).out.split()) + "cost: "
    assert "a function of the user's own" in govern("policy", "explain", "H-1", "--policy", "own.yaml", *config).out
    (tmp_path / "other.yaml").rename(tmp_path / "govern.yaml")
    assert govern("policy", "doc", "own.yaml").code == 0


def test_lint_goes_on_after_a_file_that_cannot_be_read(govern: Govern, house: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(HOUSE.replace("metric: accuracy", "metric: acuracy"), encoding="utf-8")
    (tmp_path / "warned.yaml").write_text(HOUSE.replace("tags: [process]", "tags: [prosess]"), encoding="utf-8")
    day = ("--today", "2026-11-22")
    clean = govern("policy", "lint", "house.yaml", "baseline", *day)
    assert (clean.code, clean.out, clean.err) == (0, "", "")
    warned = govern("policy", "lint", "house.yaml", "warned.yaml", *day)
    assert warned.code == 1 and warned.out == (
        'warned.yaml:9:111: unknown-tag: H-1: "prosess" is not one of technology, process, culture; use one of them\n')
    both = govern("policy", "lint", "bad.yaml", "warned.yaml", "gone.yaml", *day)
    assert both.code == 2 and [line.split(":")[0] for line in both.out.splitlines()] == [
        "bad.yaml", "warned.yaml", "gone.yaml"]
    assert 'bad.yaml:9:45: error: H-1: "metric": unknown metric "acuracy"; did you mean "accuracy"?' in both.out
    assert govern("policy", "lint", "bad.yaml", "--quiet").out == ""


TESTS = """\
schema: govern.policy-test/1
policy: house.yaml
tests:
  - {name: it passes, evidence: evidence.json, expect: {rules: {BASE-08: pass}}}
  - {name: it blocks, evidence: evidence.json, expect: {verdict: BLOCK, rules: {H-1: fail}}}
"""


def test_policy_tests_of_a_folder(govern: Govern, house: Path, tmp_path: Path) -> None:
    shutil.copy(POLICIES / "baseline.pass.json", tmp_path / "evidence.json")
    (tmp_path / "house.test.yaml").write_text(TESTS, encoding="utf-8")
    hidden = tmp_path / ".venv" / "lib"
    hidden.mkdir(parents=True)
    (hidden / "x.test.yaml").write_text("schema: broken\n", encoding="utf-8")
    ran = govern("policy", "test")
    assert ran.code == 1 and ran.err == ""
    lines = ran.out.splitlines()
    assert lines[0] == "ok    house.test.yaml: it passes"
    assert lines[1:4] == ["FAIL  house.test.yaml:5: it blocks", "      verdict: expected BLOCK, seen PASS",
                          "      H-1: expected fail, seen pass"]
    assert "accuracy: 0.800" in lines[4] and "at least 0.7" in lines[5]
    assert lines[-1] == "2 tests: 1 as expected, 1 not"
    assert govern("policy", "test", "house.yaml").out.splitlines()[-1] == lines[-1]
    assert govern("policy", "test", "house.test.yaml", "house.yaml", ".").out.splitlines()[-1] == lines[-1]
    quiet = govern("policy", "test", "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (1, "", "")


def test_a_test_that_cannot_be_run_does_not_stop_the_others(govern: Govern, house: Path, tmp_path: Path) -> None:
    shutil.copy(POLICIES / "baseline.pass.json", tmp_path / "evidence.json")
    (tmp_path / "a.test.yaml").write_text("schema: no\n", encoding="utf-8")
    (tmp_path / "house.test.yaml").write_text(TESTS.replace("H-1: fail", "H-2: fail").replace("BLOCK", "PASS"),
                                              encoding="utf-8")
    ran = govern("policy", "test")
    assert ran.code == 2
    files = [line.split(": ")[1].partition(":")[0] for line in ran.err.splitlines()]
    assert files == ["a.test.yaml", "house.test.yaml"]
    assert 'the policy has no rule "H-2"; did you mean "H-1"?' in ran.err
    assert ran.out.splitlines() == ["ok    house.test.yaml: it passes", "3 tests: 1 as expected, 2 could not be run"]


def test_shipped_policies_are_tested_by_their_own_command(govern: Govern) -> None:
    for pack in shipped():
        ran = govern("policy", "test", pack.name)
        assert ran.code == 0, ran.out
        assert all(line.startswith(f"ok    {pack.name}.test.yaml: ") for line in ran.out.splitlines()[:-1])


def test_diff_says_what_changed_and_exits_0(govern: Govern, house: Path) -> None:
    ran = govern("policy", "diff", "baseline", "house.yaml")
    assert ran.code == 0 and narrow(ran.out)
    assert "+ H-1  Accuracy (bound)\n" in ran.out
    assert "~ BASE-09  True and false positive rates between groups: stricter\n    max  0.10 → 0.08 (stricter)\n" \
        in ran.out
    same = len(load_policy("baseline").rules) - 1
    assert ran.out.splitlines()[-1] == f"1 added, 0 removed, 1 changed (1 stricter), {same} the same"
    back = govern("policy", "diff", "house.yaml", "baseline").out
    assert "- H-1  Accuracy (bound)\n" in back and "(1 looser)" in back
    ran = govern("policy", "diff", "baseline", "baseline")
    assert ran.code == 0 and ran.out == f"0 added, 0 removed, 0 changed, {same + 1} the same\n"


@pytest.mark.parametrize("name", ["policy", "policy-test", "config", "evidence", "compute", "verdict", "lock"])
def test_schemas_are_printed(govern: Govern, name: str) -> None:
    ran = govern("policy", "schema", name)
    assert ran.code == 0
    assert json.loads(ran.out) == json.loads((ROOT / "govern" / "schemas" / f"{name}.schema.json").read_bytes())
    assert name != "policy" or govern("policy", "schema").out == ran.out


def test_the_example_of_the_documentation_runs(govern: Govern, tmp_path: Path) -> None:
    text = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (policy,) = [b for b in blocks if "govern.policy/1" in b]
    (tests,) = [b for b in blocks if "govern.policy-test/1" in b]
    (tmp_path / "house-credit.yaml").write_text(policy, encoding="utf-8")
    (tmp_path / "house-credit.test.yaml").write_text(tests, encoding="utf-8")
    shutil.copy(POLICIES / "baseline.pass.json", tmp_path / "equal.json")
    shutil.copy(POLICIES / "baseline.fail.json", tmp_path / "gap.json")
    ran = govern("policy", "test")
    assert ran.code == 0, ran.out
    assert ran.out.splitlines()[-1] == "2 tests: 2 as expected"
    assert govern("policy", "lint", "house-credit.test.yaml").code == 0
