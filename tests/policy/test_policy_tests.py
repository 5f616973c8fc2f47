"""Policy tests: what a file may say, what is refused with its place, and how a test comes out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from policy_evidence import HEAD, compute, evidence, pack_fail, pack_pass, rate

from govern.codec import digest, document
from govern.errors import InputError
from govern.policy.packs import TESTS, find, shipped
from govern.policy.testing import Ran, prepare, read_tests, run

START = "schema: govern.policy-test/1\npolicy: {0}\ntests:\n"
Ask = Callable[..., list[Ran]]


@pytest.fixture
def ran(tmp_path: Path) -> Ask:
    """The tests of a file with the text of `tests`, run beside evidence that passes and evidence that fails."""
    (tmp_path / "pass.json").write_bytes(document(pack_pass()))
    (tmp_path / "fail.json").write_bytes(document(pack_fail()))

    def ask(tests: str, policy: str = "baseline") -> list[Ran]:
        path = tmp_path / "house.test.yaml"
        path.write_text(START.format(policy) + tests, encoding="utf-8")
        read = read_tests(path, "house.test.yaml")
        return [run(read, place) for place in range(len(read.file.tests))]

    return ask


def test_differences_say_what_was_expected_and_seen(ran: Ask) -> None:
    one, two, three = ran("""\
- {name: as it is, evidence: pass.json, expect: {verdict: PASS, rules: {BASE-08: pass, BASE-13: n/a}}}
- {name: verdict, evidence: fail.json, expect: {verdict: PASS}}
- name: rules
  evidence: fail.json
  expect: {rules: {BASE-03: pass, BASE-08: pass, BASE-14: n/a}}
""")
    assert (one.name, one.line, one.differences) == ("as it is", 4, ())
    (verdict,) = two.differences
    assert (verdict.rule, verdict.expected, verdict.seen, verdict.finding) == (None, "PASS", "BLOCK", None)
    assert [(d.rule, d.expected, d.seen) for d in three.differences] == [
        ("BASE-08", "pass", "fail"), ("BASE-14", "n/a", "fail")]
    seen = three.differences[0].finding
    assert seen is not None and seen.seen is not None and seen.seen.value is not None and seen.seen.value < 0.8
    assert three.line == 6


def test_of_several_findings_the_most_urgent_counts(ran: Ask, tmp_path: Path) -> None:
    """One feature with a gap among two fails the rule; without scores the rule on them does not apply."""
    (tmp_path / "two.json").write_bytes(document(evidence({
        "sex": {"a": rate(500, 1000), "b": rate(500, 1000)}, "age": {"x": rate(700, 1000), "y": rate(300, 1000)}})))
    (found,) = ran("- {name: n, evidence: two.json, expect: {rules: {BASE-08: pass, BASE-07: n/a}}}\n")
    assert [(d.rule, d.seen) for d in found.differences] == [("BASE-08", "fail")]


def test_phase_day_and_waivers_are_those_of_the_test(ran: Ask) -> None:
    blocking = ("BASE-01", "BASE-04", "BASE-05")
    waiver = "waivers: [" + ", ".join(
        f"{{rule: {rule}, subject: credit, owner: a, approver: b, reason: r, expires: 2026-12-31}}"
        for rule in blocking) + "]"
    found = ran(f"""\
- {{name: a, evidence: fail.json, phase: desk, expect: {{verdict: PASS}}}}
- {{name: b, evidence: fail.json, {waiver}, expect: {{verdict: REVIEW, rules: {{BASE-04: waived}}}}}}
- {{name: c, evidence: fail.json, {waiver}, today: 2027-01-01, expect: {{verdict: BLOCK, rules: {{BASE-04: fail}}}}}}
""")
    assert [r.differences for r in found] == [(), (), ()]


def test_compute_and_baseline_are_read(ran: Ask, tmp_path: Path) -> None:
    sha = digest((tmp_path / "pass.json").read_bytes())
    timed = compute(file_size_mb=3.0)
    (tmp_path / "compute.json").write_bytes(document(type(timed)(timed.schema, sha, {}, timed.measurements)))
    (tmp_path / "house.yaml").write_text(HEAD + """\
rules:
  - {id: C, kind: compute, title: t, metric: file_size_mb, max: 2, severity: block, basis: house}
  - {id: B, kind: compare, title: t, metric: accuracy, against: baseline, min: 0, severity: block, basis: house}
""", encoding="utf-8")
    one, two = ran("""\
- {name: a, evidence: pass.json, expect: {rules: {C: n/a, B: n/a}}}
- {name: b, evidence: pass.json, compute: compute.json, baseline: fail.json, expect: {rules: {C: fail, B: pass}}}
""", policy="house.yaml")
    assert (one.differences, two.differences) == ((), ())
    with pytest.raises(InputError, match=r"4:34: compute.json was measured with other evidence; give"):
        ran("- {name: b, evidence: fail.json, compute: compute.json, expect: {rules: {C: fail}}}\n", "house.yaml")


@pytest.mark.parametrize(("tests", "said"), [
    ("- {name: a, evidence: pass.json, expect: {}}\n", '4:34: "expect": expects nothing, so that it could not fail'),
    ("- {name: a, evidence: pass.json, expect: {verdict: OK}}\n", '"verdict"'),
    ("- {name: a, evidence: pass.json, expect: {rules: {BASE-08: passed}}}\n", "is not one of pass, fail"),
    ("- {name: a, evidence: pass.json, expect: {rules: {BASE-88: pass}}}\n",
     '4:51: the policy has no rule "BASE-88"; did you mean "BASE-18"?'),
    ("- {name: a, evidence: none.json, expect: {verdict: PASS}}\n", "4:13: none.json no such file; check the path"),
    ("- {name: a, evidence: house.test.yaml, expect: {verdict: PASS}}\n", "4:13: house.test.yaml is not JSON"),
    ("- {name: a, evidense: pass.json, expect: {verdict: PASS}}\n", 'unknown key "evidense"; did you mean "evidence"?'),
    ("- {name: a, evidence: pass.json, phase: prod, expect: {verdict: PASS}}\n", '"phase"'),
    ("- {name: a, evidence: pass.json, today: soon, expect: {verdict: PASS}}\n", '"soon" is not a day; write it as'),
    ("- {name: a, evidence: pass.json, expect: {verdict: PASS}}\n" * 2, '5:4: two tests are named "a"; rename one'),
    ("  []\n", '3:1: "tests"'),
])
def test_refused_with_place_and_mend(ran: Ask, tests: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        ran(tests)
    text = refused.value.one_line()
    assert said in text and text.startswith("house.test.yaml:") and len(text) <= 300


def test_a_policy_that_cannot_be_read_is_told_where_it_is_named(ran: Ask, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text(HEAD + "rules:\n  - {id: X, kind: bund}\n", encoding="utf-8")
    test = "- {name: a, evidence: pass.json, expect: {verdict: PASS}}\n"
    for policy, said in (("gone.yaml", '2:1: gone.yaml: no such file; check the path'),
                         ("baselin", '2:1: no policy "baselin"; did you mean "baseline"?'),
                         ("broken.yaml", '2:1: broken.yaml:8:13: X: unknown kind "bund"')):
        with pytest.raises(InputError) as refused:
            ran(test, policy=policy)
        assert said in refused.value.one_line() and str(tmp_path) not in refused.value.one_line()


def test_other_files_are_no_tests(tmp_path: Path) -> None:
    (tmp_path / "a.test.yaml").write_text("schema: govern.policy/1\n", encoding="utf-8")
    for name, said in (("a.test.yaml", 'a.test.yaml:1:1: is not a file of policy tests: schema is "govern.policy/1"'),
                       ("b.test.yaml", "b.test.yaml: no such file")):
        with pytest.raises(InputError) as refused:
            read_tests(tmp_path / name, name)
        assert said in refused.value.one_line()


@pytest.mark.parametrize("pack", [p.name for p in shipped()])
def test_shipped_tests_come_out_and_cover_every_rule(pack: str) -> None:
    path = find(pack).with_name(pack + TESTS)
    tests = read_tests(path, path.name)
    expected: set[str] = set()
    for place, case in enumerate(tests.file.tests):
        assert run(tests, place).differences == (), case.name
        expected |= set(case.expect.rules)
    rules = {rule.id for rule in prepare(tests, 0).policy.rules}
    assert expected == rules, "every rule of a shipped policy has a test"
