"""Policy files: what is read, what is refused with its place, extending and overriding, the shipped packs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest
from pack_evidence import PACK_EVIDENCE
from policy_evidence import HEAD, evidence, pack_fail, rate

from govern.codec import document, load
from govern.errors import InputError
from govern.evidence import EVIDENCE_SCHEMA, Evidence
from govern.policy.packs import find, load_policy, shipped
from govern.policy.rules import KINDS
from govern.policy.schema import Policy, json_schema
from govern.verdict import Change, Verdict
from govern.yamlfile import parse_yaml, read_yaml

ROOT = Path(__file__).parents[2]
Write = Callable[..., Policy]
SUPPORT = "- {id: S, kind: support, title: t, basis: house, severity: review}\n"
BOUND = "- {{id: B, kind: bound, title: t, basis: house, severity: review, {0}}}\n"
GAP = "- {{id: D, kind: disparity, title: t, basis: house, severity: review, {0}}}\n"


@pytest.mark.parametrize(("rules", "line", "column", "said"), [
    (SUPPORT + BOUND.format("metrc: accuracy, min: 0.5"), 9, 66, 'B: unknown key "metrc"; did you mean "metric"?'),
    (BOUND.format("metric: acuracy, min: 0.5"), 8, 66, 'unknown metric "acuracy"; did you mean "accuracy"?'),
    (BOUND.format("metric: [accuracy, qqq], min: 0.5"), 8, 66, 'unknown metric "qqq"; known: selection_rate'),
    (BOUND.format("metric: smoke_loads, min: 0.5"), 8, 66, "kind bound does not judge the smoke metric smoke_loads"),
    (BOUND.format("metric: demographic_parity_ratio, min: 0.5"), 8, 66, "judged from its rates by kind disparity"),
    (BOUND.format("metric: accuracy"), 8, 3, "B: needs min or max; add one"),
    (BOUND.format("metric: accuracy, min: 80"), 8, 84, "limit 80 lies outside the range from 0 to 1; write shares as"),
    (BOUND.format("metric: accuracy, min: 0.9, max: 0.5"), 8, 84, "min 0.9 is above max 0.5"),
    (BOUND.format("metric: [], min: 0.9"), 8, 66, '"metric": is an empty list'),
    (BOUND.format("metric: [recall, recall], min: 0.9"), 8, 66, '"metric": names a metric twice'),
    (GAP.format("metric: accuracy, compare: ratio, against: any, min: 0"), 8, 118, "lies above 0 and is at most 1"),
    (GAP.format("metric: accuracy, compare: difference, against: any, max: 10"), 8, 123, "the range from 0 to 1"),
    (GAP.format("metric: accuracy, compare: difference, against: best, min: -5"), 8, 124, "range from -1 to 1"),
    (BOUND.format('metric: accuracy, min: "0.5"'), 8, 84, "is a number or declared; write it without quotes"),
    (BOUND.format('metric: accuracy, min: "5%"'), 8, 84, "5% is a percentage; write shares as fractions, 0.8 for"),
    (BOUND.format("metric: accuracy, min: 5%"), 8, 84, "5% is a percentage; write shares as fractions, 0.8 for 80 %"),
    (BOUND.format("metric: accuracy, min: {baseline: -2}"), 8, 84, "-2 from the baseline is more than the whole range"),
    (BOUND.format("metric: accuracy, min: {basline: -0.02}"), 8, 90, 'did you mean "baseline"?'),
    (BOUND.format("metric: accuracy, min: {baseline: -2%}"), 8, 90, '"baseline" must be a number, not "-2%"'),
    (BOUND.format("metric: log_loss, max: 1e-200"), 8, 84, "1e-200 has more digits than a limit can use"),
    (BOUND.format("metric: accuracy, min: 0.5, error: 0.7"), 8, 94, '"error"'),
    (BOUND.format("metric: accuracy, min: 0.5, insufficient: leen"), 8, 94, '"insufficient" must be'),
    (BOUND.format("metric: accuracy, min: 0.5, min: 0.6"), 8, 94, 'duplicate key "min"'),
    (BOUND.format("metric: accuracy, min: 0.5").replace("bound", "bund"), 8, 11,
     'B: unknown kind "bund"; did you mean "bound"?'),
    (BOUND.format("metric: accuracy").replace("bound", "weather"), 8, 11,
     'unknown kind "weather"; known kinds: bound, disparity, four-fifths, support'),
    ("- {id: B, title: t}\n", 8, 3, 'key "kind" is missing'),
    ("- {kind: support, title: t, basis: house, severity: review}\n", 8, 3, 'key "id" is missing'),
    (SUPPORT.replace("review", "blok"), 8, 50, '"severity" must be'),
    (SUPPORT.replace("review", "{desk: warn, team: warn}"), 8, 50, '"poc" is missing'),
    (SUPPORT.replace("house", "rumour"), 8, 36, '"basis": "rumour" is not one of law, guidance'),
    (SUPPORT + SUPPORT, 9, 4, 'there are two rules "S"'),
    (GAP.format("metric: roc_auc, compare: ratio, against: best, min: 0.8"), 8, 87,
     "roc_auc is compared by difference only"),
    (GAP.format("metric: accuracy, compare: difference, against: any, min: 0.8"), 8, 123, "give max alone"),
    (GAP.format("metric: accuracy, compare: ratio, against: any, max: 0.8"), 8, 118, "give min alone"),
    (GAP.format("metric: accuracy, compare: ratio, against: trivial, min: 0.8"), 8, 104, '"against" must be'),
    ("- {id: C, kind: compute, title: t, basis: house, severity: warn, metric: latency_p95, max: 5}\n", 8, 66,
     'did you mean "latency_p95_ms"'),
    ("- {id: C, kind: calibration, title: t, basis: house, severity: warn}\n", 8, 3, 'key "max" is missing'),
    ("- {id: C, kind: smoke, title: t, basis: house, severity: warn, checks: [loads]}\n", 8, 64, "smoke_loads"),
    ("- {id: C, kind: document, title: t, basis: house, severity: warn, fields: []}\n", 8, 67, '"fields"'),
])
def test_refused_with_place_and_mend(house: Write, rules: str, line: int, column: int, said: str) -> None:
    with pytest.raises(InputError) as refused:
        house(rules)
    text = refused.value.one_line()
    assert said in text
    assert text.startswith("house.yaml:") and len(text) <= 300 and "\n" not in text
    assert (refused.value.line, refused.value.column) == (line, column)


@pytest.mark.parametrize(("change", "said"), [
    (("schema: govern.policy/1", "schema: govern.config/1"), '1:1: is not a policy: schema is "govern.config/1"'),
    (("status: in_force", "status: forced"), 'house.yaml:5:1: "status": "forced" is not one of in_force'),
    (("as_of: 2026-11-03", "as_of: 2026-13-03"), "write it as 2026-11-03"),
    (('version: "1"', "version: 1"), 'house.yaml:3:1: "version" must be text, not 1'),
    (("title:", "titel:"), 'house.yaml:4:1: unknown key "titel"; did you mean "title"?'),
    (("name: house", "name: House Rules"), 'house.yaml:2:1: "name"'),
    (("rules:", "defaults: {eror: 0.1}\nrules:"), 'unknown key "eror"; did you mean "error"?')])
def test_refused_heads(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    (tmp_path / "house.yaml").write_text((HEAD + "rules:\n" + SUPPORT).replace(*change))
    with pytest.raises(InputError) as refused:
        load_policy("house.yaml", base=tmp_path)
    assert said in refused.value.one_line()


def test_not_yaml_not_there_and_not_known(tmp_path: Path) -> None:
    (tmp_path / "list.yaml").write_text("[1, 2]")
    for name, said in (("list.yaml", "list.yaml:1:1: is not a policy"), ("none.yaml", "none.yaml: no such file"),
                       ("baselin", 'no policy "baselin"; did you mean "baseline"?'), ("./", "is a folder")):
        with pytest.raises(InputError) as refused:
            load_policy(name, base=tmp_path)
        assert said in refused.value.one_line() and str(tmp_path) not in refused.value.one_line()


def test_limits_are_the_decimals_that_are_written(house: Write) -> None:
    rules = house(BOUND.format("metric: accuracy, min: 0.10, max: 9e-1")).rules
    assert (rules[0].minimum, rules[0].maximum) == (Decimal("0.10"), Decimal("0.9"))
    assert str(rules[0].minimum) == "0.10"


def test_override_changes_a_field_with_its_reason(house: Write, verdict: Callable[..., Verdict]) -> None:
    policy = house("- {id: BASE-08, override: {min: 0.90}, reason: agreed by the committee}\n", "extends: [baseline]\n")
    rule = next(r for r in policy.rules if r.id == "BASE-08")
    assert (rule.minimum, rule.file, rule.line) == (Decimal("0.90"), "house.yaml", 9)
    assert len(policy.rules) == len(load_policy("baseline").rules)
    assert policy.info.extends == (f"baseline@{load_policy('baseline').info.sha256}",)
    found = evidence({"x": {"a": rate(500, 1000), "b": rate(420, 1000)}})
    finding = next(f for f in verdict(found, policies=[policy]).findings if f.rule == "BASE-08")
    assert finding.outcome == "insufficient"
    assert (finding.policy, finding.file, finding.line) == ("house", "house.yaml", 9)
    assert finding.changes == (Change("min", "0.80", "0.90", "house", "agreed by the committee"),)
    assert "Changed" not in finding.ours["en"]
    untouched = next(f for f in verdict(found, policies=[policy]).findings if f.rule == "BASE-18")
    source = find("baseline").read_text(encoding="utf-8").splitlines()
    assert untouched.file == "baseline" and source[(untouched.line or 0) - 1] == "  - id: BASE-18"


@pytest.mark.parametrize(("rules", "line", "said"), [
    ("- {id: BASE-08, override: {min: 0.9}}\n", 9, 'BASE-08: key "reason" is missing'),
    ("- {id: BASE-08, override: {min: 0.9}, reason: ''}\n", 9, '"reason"'),
    ("- {id: BASE-88, override: {min: 0.9}, reason: r}\n", 9, 'has a rule "BASE-88"; did you mean "BASE-18"?'),
    ("- {id: BASE-08, override: {mim: 0.9}, reason: r}\n", 9, 'unknown key "mim"; did you mean "min"?'),
    ("- {id: BASE-08, override: {max: 0.9}, reason: r}\n", 9, "give min alone"),
    ("- {id: BASE-08, override: {kind: bound}, reason: r}\n", 9, "kind of a rule cannot be overridden"),
    ("- {id: BASE-18, kind: support, title: t, basis: house, severity: info}\n", 9, "write {id: BASE-18, override:")])
def test_refused_overrides(house: Write, rules: str, line: int, said: str) -> None:
    with pytest.raises(InputError) as refused:
        house(rules, "extends: [baseline]\n")
    assert said in refused.value.one_line() and (refused.value.where, refused.value.line) == ("house.yaml", line)


def test_extending_files(house: Write, tmp_path: Path) -> None:
    house(SUPPORT + BOUND.format("metric: accuracy, min: 0.5"), "defaults: {error: 0.01}\n", name="base")
    middle = house("- {id: B, override: {min: 0.6}, reason: first}\n", "extends: [base.yaml]\n", name="middle")
    last = house("- {id: B, override: {min: 0.7}, reason: then}\n", "extends: [./middle.yaml]\n", name="last")
    assert [r.minimum for r in middle.rules] == [None, Decimal("0.6")]
    bound = last.rules[1]
    assert (bound.minimum, bound.terms.error) == (Decimal("0.7"), 0.01)
    assert bound.changes == (Change("min", "0.5", "0.6", "middle", "first"),
                             Change("min", "0.6", "0.7", "last", "then"))
    twice = house("", "extends: [base.yaml, base.yaml]\n", name="twice")
    assert [r.id for r in twice.rules] == ["S", "B"] and len(twice.info.extends) == 1
    with pytest.raises(InputError, match=r'other.yaml:7:\d+: B: "B" comes from two policies and differs'):
        house("", "extends: [base.yaml, middle.yaml]\n", name="other")
    with pytest.raises(InputError, match=r'lost.yaml:7:\d+: extends "gone.yaml": no such file'):
        house("", "extends: [gone.yaml]\n", name="lost")
    with pytest.raises(InputError, match=r'lost.yaml:7:\d+: no policy "basline"; did you mean "baseline"'):
        house("", "extends: [basline]\n", name="lost")
    with pytest.raises(InputError, match=r'ring.yaml:7:\d+: "ring.yaml" extends itself in a circle'):
        house("", "extends: [ring.yaml]\n", name="ring")


def test_paths_are_shown_as_typed(house: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rules").mkdir()
    house(SUPPORT)
    (tmp_path / "house.yaml").rename(tmp_path / "rules" / "house.yaml")
    monkeypatch.chdir(tmp_path)
    assert load_policy("rules/house.yaml").rules[0].file == "rules/house.yaml"
    assert load_policy(str(tmp_path / "rules" / "house.yaml")).rules[0].file == "house.yaml"


def test_baseline_has_its_rules_and_severities() -> None:
    warn = ["warn", "warn", "review", "review"]
    block = ["warn", "warn", "block", "block"]
    review = ["review"] * 4
    expected = {"BASE-01": block, "BASE-02": warn, "BASE-03": block, "BASE-04": block, "BASE-05": block,
                "BASE-06": warn, "BASE-07": warn, "BASE-08": warn, "BASE-09": warn, "BASE-10": warn, "BASE-11": warn,
                "BASE-11-stability": ["info", "warn", "warn", "review"],
                "BASE-12": ["info"] * 4, "BASE-13": warn, "BASE-14": ["info", "info", "warn", "block"],
                "BASE-15": ["warn", "warn", "warn", "review"], "BASE-16": review, "BASE-17": warn, "BASE-18": review,
                "BASE-19": review}
    from govern.policy.fields import at_phase, texts

    rules = load_policy("baseline").rules
    phases = ("desk", "poc", "team", "company")
    assert {r.id: [at_phase(r.fields.severity, p) for p in phases] for r in rules} == expected
    for r in rules:
        assert set(texts(r.fields.title)) == {"en", "ja"} == set(texts(r.fields.says))


def test_packs_are_listed_found_and_fit_the_published_schema() -> None:
    assert [p.name for p in shipped()] == [p.path.stem for p in shipped()] == [
        "baseline", "eeoc-four-fifths", "japan-ai-business-guideline", "japan-mlqm", "nyc-ll144"]
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for pack in shipped():
        assert find(pack.name) == pack.path
        jsonschema.validate(read_yaml(pack.path).value, schema)
    wrong = {**parse_yaml(find("baseline").read_bytes(), "b").value, "rules": [{"id": "X", "kind": "bound"}]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)


def test_every_field_says_what_it_is() -> None:
    for name, kind in KINDS.items():
        assert kind.fields.__doc__
        for field, info in kind.fields.model_fields.items():
            assert info.description or field == "kind", f"{name}.{field}"


@pytest.mark.parametrize("name", PACK_EVIDENCE)
def test_pack_evidence_is_judged_as_its_name_says(name: str, verdict: Callable[..., Verdict]) -> None:
    path = ROOT / "policies" / name
    assert path.read_bytes() == document(PACK_EVIDENCE[name]()), "run python tests/policy/pack_evidence.py"
    found, _ = load(path, Evidence, EVIDENCE_SCHEMA)
    pack, way, _ = name.split(".")
    result = verdict(found, policies=[load_policy(pack)])
    # No rule of eeoc-four-fifths blocks: a screen decides nothing by itself.
    assert result.outcome == {"pass": "PASS", "fail": "REVIEW" if pack == "eeoc-four-fifths" else "BLOCK"}[way]


def test_each_measured_rule_of_baseline_fails_on_its_fail_evidence(verdict: Callable[..., Verdict]) -> None:
    result = verdict(pack_fail(), policies=[load_policy("baseline")])
    assert {f.rule for f in result.findings if f.outcome == "fail"} == {
        "BASE-01", "BASE-04", "BASE-05", "BASE-06", "BASE-07", "BASE-08", "BASE-09", "BASE-10", "BASE-11",
        "BASE-11-stability", "BASE-12", "BASE-14", "BASE-15", "BASE-17"}


def test_the_gate_needs_no_heavy_library() -> None:
    code = ("import sys; from datetime import date; from pathlib import Path\n"
            "from govern.codec import load; from govern.evidence import Evidence\n"
            "from govern.policy.gate import judge; from govern.policy.packs import load_policy\n"
            f"path = Path({str(ROOT / 'policies' / 'baseline.pass.json')!r})\n"
            "found, digest = load(path, Evidence, 'govern.evidence/1')\n"
            "judge(found, judged={'evidence': digest}, policies=[load_policy('baseline')], phase='team', "
            "today=date(2026, 11, 22))\n"
            "heavy = {'numpy', 'pandas', 'sklearn', 'scipy', 'pyarrow', 'shap', 'weasyprint', 'fairlearn', 'jinja2'}\n"
            "print(sorted(heavy & set(sys.modules)))\n")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
