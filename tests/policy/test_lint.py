"""Mistakes in policy files: each check with what it finds and what it lets pass."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from policy_evidence import HEAD

from govern.policy import calibrated
from govern.policy.lint import CHECKS, ERROR, Found, lint, lint_tests
from govern.policy.packs import shipped
from govern.resources import resource
from govern.stats import exact

TODAY = date(2026, 11, 22)
Lint = Callable[..., list[Found]]
BOUND = "- {{id: R, kind: bound, title: t, severity: info, basis: house, tags: [technology], metric: accuracy, {0}}}\n"
GAP = ("- {{id: R, kind: disparity, title: t, severity: info, basis: house, tags: [technology], metric: accuracy, "
       "{0}}}\n")
RULE = "- {{id: R, kind: support, title: t, {0}}}\n"
SAYS = "basis: {0}, severity: info, tags: [process]"


@pytest.fixture
def linted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lint:
    monkeypatch.chdir(tmp_path)

    def run(rules: str, head: str = "", name: str = "house.yaml", today: date = TODAY) -> list[Found]:
        (tmp_path / name).write_text(HEAD + head + "rules:\n" + rules, encoding="utf-8")
        return lint(name, today=today)

    return run


# Check, rules, and what stands where something is found; None: nothing is.
CASES: list[tuple[str, str, str | None]] = [
    ("always-passes", BOUND.format("min: 0"), "min:"),
    ("always-passes", BOUND.format("max: 1.0"), "max:"),
    ("always-passes", BOUND.format("min: 0.01"), None),
    ("always-passes", BOUND.format("max: declared"), None),
    ("always-passes", GAP.format("compare: difference, against: any, max: 1"), "max:"),
    ("always-passes", GAP.format("compare: difference, against: largest, min: -1"), "min:"),
    ("always-passes", GAP.format("compare: difference, against: largest, min: -0.5"), None),
    ("always-passes", GAP.format("compare: ratio, against: largest, max: 5"), None),
    ("always-passes", BOUND.format("min: 0").replace("accuracy", "[accuracy, matthews_correlation]"), None),
    ("always-passes", BOUND.format("max: 1").replace("accuracy", "[accuracy, log_loss]"), None),
    ("always-passes", BOUND.format("max: 1").replace("bound", "data").replace("accuracy", "missing_share"), "max:"),
    ("always-passes", BOUND.format("max: 0").replace("bound", "data").replace("accuracy", "missing_share"), None),
    ("always-passes", BOUND.format("features: [age], top: 3").replace("bound", "explanation").replace(
        "metric: accuracy, ", ""), None),
    ("always-passes", "- {id: R, kind: four-fifths, title: t, severity: info, basis: house, tags: [process]}\n", None),
    ("never-passes", BOUND.format("min: 1"), "min:"),
    ("never-passes", BOUND.format("max: 0"), "max:"),
    ("never-passes", BOUND.format("min: 1, decide: point"), None),
    ("never-passes", BOUND.format("min: 0.999"), None),
    ("never-passes", BOUND.format("min: 0.5, max: 0.50"), "min:"),
    ("never-passes", BOUND.format("min: declared, max: declared"), None),
    ("never-passes", GAP.format("compare: ratio, against: any, min: 1"), "min:"),
    ("never-passes", GAP.format("compare: difference, against: any, max: 0"), "max:"),
    ("never-passes", GAP.format("compare: difference, against: overall, min: 0"), None),
    ("never-passes", "- {id: R, kind: calibration, title: t, severity: info, basis: house, tags: [process], max: 0}\n",
     "max:"),
    ("no-two-groups", GAP.format("compare: ratio, against: any, min: 0.8, min_share: 0.6"), "min_share:"),
    ("no-two-groups", GAP.format("compare: ratio, against: any, min: 0.8, min_share: 0.5"), None),
    ("calibrates-nothing", GAP.format("compare: ratio, against: any, min: 0.8, calibrate: true, min_n: 201"),
     "calibrate:"),
    ("calibrates-nothing", GAP.format("compare: ratio, against: any, min: 0.8, calibrate: true, min_n: 200"), None),
    ("no-cite", RULE.format(SAYS.format("law") + ", says: s"), "basis:"),
    ("no-cite", RULE.format(SAYS.format("guidance") + ", cite: c, says: s"), None),
    ("no-cite", RULE.format(SAYS.format("house")), None),
    ("no-says", RULE.format(SAYS.format("standard") + ", cite: c"), "basis:"),
    ("no-says", RULE.format(SAYS.format("standard") + ", cite: c, says: {en: s}"), None),
    ("convention-blocks", RULE.format("basis: convention, tags: [process], severity: block"), "severity:"),
    ("convention-blocks", RULE.format("basis: convention, tags: [process], severity: block, cite: c"), None),
    ("convention-blocks", RULE.format("basis: convention, tags: [process], severity: review"), None),
    ("unknown-tag", RULE.format("basis: house, severity: info, tags: [culture, tech]"), "tech]"),
    ("no-tag", RULE.format("basis: house, severity: info"), "{id"),
    ("no-effect", GAP.format("compare: ratio, against: any, min: 0.8, insufficient: review"), "insufficient:"),
    ("no-effect", GAP.format("compare: ratio, against: any, min: 0.8, insufficient: review").replace(
        "severity: info", "severity: {desk: info, poc: info, team: info, company: review}"), None),
    ("falling-severity", RULE.format("basis: house, tags: [process], "
                                     "severity: {desk: warn, poc: review, team: warn, company: block}"), "severity:"),
    ("falling-severity", RULE.format("basis: house, tags: [process], "
                                     "severity: {desk: warn, poc: warn, team: warn, company: block}"), None),
]


@pytest.mark.parametrize(("check", "rules", "there"), CASES)
def test_what_a_check_finds(linted: Lint, check: str, rules: str, there: str | None) -> None:
    found = linted(rules)
    expected = [(check, 8, rules.index(there) + 1)] if there else []
    assert [(f.check, f.line, f.column) for f in found] == expected
    for one in found:
        line = one.one_line()
        assert line.startswith(f"house.yaml:{one.line}:{one.column}: {check}: R: ") and "; " in line
        assert "\n" not in line and len(line) < 300


def test_defaults_that_exclude_every_comparison(linted: Lint) -> None:
    (one,) = linted(GAP.format("compare: ratio, against: any, min: 0.8"), "defaults: {min_share: 0.51}\n")
    assert (one.check, one.line, one.column) == ("no-two-groups", 7, 12)
    (one,) = linted(GAP.format("compare: ratio, against: any, min: 0.8, calibrate: true"), "defaults: {min_n: 500}\n")
    assert one.check == "calibrates-nothing" and "min_n is 500" in one.what


def test_titles_in_japanese_are_all_or_none(linted: Lint) -> None:
    plain = RULE.format(SAYS.format("house"))
    both = plain.replace("title: t", "title: {en: t, ja: 題}").replace("id: R", "id: Q")
    assert linted(plain) == []
    assert [(f.check, f.line, f.column) for f in linted(plain + both)] == [("no-ja", 4, 1), ("no-ja", 8, 26)]


def test_old_sources_depend_on_the_day(linted: Lint) -> None:
    plain = RULE.format(SAYS.format("house"))
    assert linted(plain, today=date(2027, 5, 2)) == []
    (one,) = linted(plain, today=date(2027, 5, 3))
    assert (one.check, one.line) == ("stale", 6) and "181 days before 2027-05-03" in one.what


def test_superseded_policies_and_overrides_without_effect(linted: Lint, tmp_path: Path) -> None:
    old = HEAD.replace("in_force", "superseded").replace("name: house", "name: old")
    (tmp_path / "old.yaml").write_text(old + "rules:\n" + BOUND.format("min: 0.50"), encoding="utf-8")
    assert [f.check for f in lint("old.yaml", today=TODAY)] == []
    found = linted("- {id: R, override: {min: 0.5, severity: warn}, reason: r}\n", "extends: [old.yaml]\n")
    assert [(f.check, f.line, f.column) for f in found] == [("extends-superseded", 7, 11), ("no-effect", 9, 22)]
    assert "min is 0.5 without the override too" in found[1].what
    # What is taken over is checked where it is written: the override brings its own mistakes only.
    (one,) = linted("- {id: R, override: {min: 1}, reason: r}\n", f"extends: [{shipped()[0].name}, old.yaml]\n"
                    )[1:]
    assert (one.check, one.line, one.column) == ("never-passes", 9, 22)


def test_all_errors_of_a_file_are_listed(linted: Lint) -> None:
    wrong = BOUND.format("mim: 1") + RULE.format("basis: house") + "- {id: Q, override: {}}\n- {id: N, kind: bnd}\n"
    found = linted(wrong)
    assert [(f.check, f.line) for f in found] == [(ERROR, 8), (ERROR, 9), (ERROR, 10), (ERROR, 11)]
    assert found[0].one_line().startswith('house.yaml:8:102: error: R: unknown key "mim"; did you mean "min"?')
    # Errors between rules are told once each rule can be read.
    (one,) = linted(RULE.format(SAYS.format("house")) * 2)
    assert 'there are two rules "R"' in one.what and one.line == 9
    (one,) = linted(RULE.format(SAYS.format("house")), "extends: [gone.yaml]\n")
    assert one.check == ERROR and 'extends "gone.yaml": no such file' in one.what


def test_what_is_no_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text("schema: govern.config/1\n")
    (tmp_path / "b.yaml").write_text("a: [\n")
    for name, said in (("a.yaml", "a.yaml:1:1: error: is not a policy"), ("b.yaml", "b.yaml:2:1: error: is not valid"),
                       ("c.yaml", "c.yaml: error: no such file"), ("baselin", 'error: no policy "baselin"; did you')):
        (one,) = lint(name, today=TODAY)
        assert said in one.one_line() and one.check == ERROR


def test_files_of_tests_are_read_with_all_they_name(tmp_path: Path) -> None:
    (tmp_path / "h.test.yaml").write_text("""\
schema: govern.policy-test/1
policy: baseline
tests:
  - {name: a, evidence: gone.json, expect: {verdict: PASS}}
  - {name: b, evidence: also-gone.json, expect: {verdict: PASS}}
""", encoding="utf-8")
    found = lint_tests(tmp_path / "h.test.yaml", "h.test.yaml")
    assert [f.one_line() for f in found] == [
        "h.test.yaml:4:15: error: gone.json no such file; check the path",
        "h.test.yaml:5:15: error: also-gone.json no such file; check the path"]


def test_shipped_policies_and_examples_are_clean() -> None:
    for pack in shipped():
        assert lint(pack.name, today=date.fromisoformat(pack.as_of)) == []
    examples = sorted((resource("policies") / "kinds").glob("*.yaml"))
    assert examples
    for path in examples:
        assert [f.one_line() for f in lint(str(path), today=date(2026, 11, 26))] == []


def test_mangled_files_are_told_and_never_raise(linted: Lint) -> None:
    """Keys, values and lines of a policy with many kinds are removed, doubled and replaced."""
    rng = random.Random(11)
    kinds = resource("policies") / "kinds"
    rules = "".join(p.read_text(encoding="utf-8").partition("rules:\n")[2] for p in sorted(kinds.glob("*.yaml")))
    values = ["null", "[]", "{}", "true", "-1", "declared", "''", "[a, a]", "{baseline: 1}", "{en: x}", "\x00", "*a"]
    for _ in range(150):
        lines = rules.splitlines()
        for _ in range(rng.randint(1, 3)):
            i, how = rng.randrange(len(lines)), rng.random()
            if how < 0.6 and ": " in lines[i]:
                lines[i] = f"{lines[i].partition(': ')[0]}: {rng.choice(values)}"
            elif how < 0.8:
                lines.insert(i, lines[rng.randrange(len(lines))])
            else:
                del lines[i]
        for one in linted("\n".join(lines) + "\n", "extends: [baseline]\n"):
            assert one.check in (*CHECKS, ERROR) and "\n" not in one.one_line() and len(one.one_line()) <= 300


def test_checks_are_documented_and_say_what_they_look_for() -> None:
    docs = (Path(__file__).parents[2] / "docs" / "policies.md").read_text(encoding="utf-8")
    assert [name for name in CHECKS if f"`{name}`" not in docs] == []
    assert all(check.__doc__ for check in CHECKS.values())
    assert {case[0] for case in CASES} >= set(CHECKS) - {"no-ja", "stale", "extends-superseded"}
    assert calibrated.MOST_SMALLER == exact.MOST_SMALLER
