"""Every format for pipelines against its schema, with hostile names, and with each verdict: a REVIEW is never green."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import xmlschema
from markdown_it import MarkdownIt

sys.path.insert(0, str(Path(__file__).parent))
import ci_sample
import sample

from govern.errors import InputError
from govern.evidence import Evidence
from govern.formats.ci import FORMATS, tell
from govern.formats.results import results
from govern.verdict import Finding, Verdict, count_findings

SCHEMAS = Path(__file__).parent / "schemas"
JUNIT = xmlschema.XMLSchema(SCHEMAS / "junit-10.xsd")
SARIF = jsonschema.Draft4Validator(json.loads((SCHEMAS / "sarif-2.1.0-rtm.5.json").read_text("utf-8")))
GITLAB = jsonschema.Draft202012Validator(json.loads((SCHEMAS / "gitlab-code-quality.json").read_text("utf-8")))

HOSTILE = {
    "markup": "</failure>]]><script>alert(1)</script>&amp;'\"",
    "lines": "a\r\n::error file=x::y\n##[error]z\nok 99 - b\n...\u2028",
    "commands": "::stop-commands::t %0A::set-output name=a::b, c:d",
    "markdown": "| x | ![i](http://e.example/a) [l](javascript:alert(1)) **b** `c` @team #1 www.e.example <img src=x>",
    "tap": "x # SKIP y # TODO \\ --- ...",
    "control": "\x00\x1b[2J\x07\u202e\ufffe\uffff\ud800",
    "markdown lines": "\n\n# h\n- l\n\n|---|\n",
    "long": "長" * 5000,
}


def told(format: str, e: Evidence, v: Verdict) -> str:
    text = tell([format], e, (v, sample.SHA["verdict"]))[format]
    text.encode()  # it can be written
    return text


def hostile(text: str) -> tuple[Evidence, Verdict]:
    """Evidence and verdict with `text` wherever somebody other than govern chooses the words."""
    card = dict.fromkeys((*sample.CARD, "audit_date", "distribution_date", "data_explanation"), text)
    e = sample.evidence(600, rename={"25 or less": text, "women": text}, card=card)
    e = replace(e, settings={**e.settings, "model": {"name": text, "version": text}})
    named = {"title": {"en": text}, "says": {"en": text}, "ours": {"en": text}, "cite": text, "reason": text,
             "policy": text, "decision": text, "each": text, "tags": (text,), "file": f"{text}.yaml"}
    base = ci_sample.verdict(sample.evidence(600))
    return e, replace(
        base, findings=tuple(replace(f, **named, rule=text + f.rule) for f in base.findings), notes=(text,),
        policies=tuple(replace(p, name=text, version=text, notes=(text,)) for p in base.policies),
        waivers=tuple(replace(w, rule=text, owner=text, reason=text, approver=text, why_not=text)
                      for w in base.waivers),
        to_sign=tuple(replace(s, policy=text, rule=text + s.rule, roles=(text,), title={"en": text})
                      for s in base.to_sign))


CASES: dict[str, tuple[Evidence, Verdict]] = {
    "plain": (sample.evidence(600), ci_sample.verdict(sample.evidence(600))),
    **{name: hostile(text) for name, text in HOSTILE.items()}}
each_case = pytest.mark.parametrize("case", CASES)


@each_case
def test_junit_follows_its_schema(case: str) -> None:
    e, v = CASES[case]
    text = told("junit", e, v)
    JUNIT.validate(text)
    root = ET.fromstring(text)
    cases = list(root.iter("testcase"))
    assert len(cases) == len(v.findings) == int(root.get("tests", "0"))
    outer = [[child.tag for child in c] for c in cases]
    assert sorted(tag for tags in outer for tag in tags) == sorted(
        ["failure"] * 2 + ["error"] * 2 + ["skipped"] * 6 + ["system-out"] * 2)
    for suite in root:
        tags = [child.tag for c in suite.iter("testcase") for child in c]
        assert [int(suite.get(k, "")) for k in ("tests", "failures", "errors", "skipped")] == [
            len(list(suite.iter("testcase"))), tags.count("failure"), tags.count("error"), tags.count("skipped")]


@each_case
def test_sarif_follows_its_schema(case: str) -> None:
    e, v = CASES[case]
    log = json.loads(told("sarif", e, v))
    SARIF.validate(log)
    (run,) = log["runs"]
    assert len(run["results"]) == len(v.findings)
    rules = run["tool"]["driver"]["rules"]
    assert len({r["id"] for r in rules}) == len(rules)
    for r in run["results"]:
        assert rules[r["ruleIndex"]]["id"] == r["ruleId"] and "/" in r["ruleId"]
        assert (r["level"] == "none") == (r["kind"] != "fail"), "SARIF 3.27.10"
        uri = r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"[A-Za-z0-9%_.~/-]+", uri) and not uri.startswith("/")


def test_sarif_kinds_levels_and_suppressions() -> None:
    (run,) = json.loads(told("sarif", *CASES["plain"]))["runs"]
    found = [(r["ruleId"].partition("/")[2], r["kind"], r["level"]) for r in run["results"]]
    assert found == [
        ("HC-02", "fail", "error"), ("HC-02", "pass", "none"), ("HC-03", "fail", "warning"),
        ("HC-05", "fail", "warning"), ("HC-05", "open", "none"), ("HC-06", "fail", "warning"),
        ("HC-07", "fail", "error"), ("HC-08", "fail", "note"), ("HC-10", "review", "none"), ("BASE-04", "pass", "none"),
        ("BASE-09", "notApplicable", "none"), ("BASE-14", "fail", "note")]
    suppressed = [r for r in run["results"] if "suppressions" in r]
    assert [r["ruleId"] for r in suppressed] == ["house-credit/HC-07"]
    (suppression,) = suppressed[0]["suppressions"]
    assert (suppression["kind"], suppression["status"]) == ("external", "accepted")
    assert "owner M. Sato, approved by K. Wu, until 2026-12-31" in suppression["justification"]
    rule = run["tool"]["driver"]["rules"][0]
    assert rule["help"]["text"].splitlines() == [
        "Approval ratio by age", "house-credit (house rule)", "Credit policy 7.3", "Approvals must not depend on age."]
    assert run["invocations"][0]["exitCode"] == 1


@each_case
def test_gitlab_follows_its_documented_fields(case: str) -> None:
    e, v = CASES[case]
    issues = json.loads(told("gitlab", e, v))
    GITLAB.validate(issues)
    assert len(issues) == len([r for r in results(e, v) if r.sort not in ("pass", "n/a")])
    assert len({i["fingerprint"] for i in issues}) == len(issues), "GitLab shows one of those that are equal"
    assert [i["severity"] for i in issues] == ["blocker", "critical", "critical", "critical", "major", "minor", "info",
                                               "info", "info"]


def read_tap(text: str) -> list[tuple[bool, str]]:
    """(ok, directive) of each test line, by the grammar of version 13; fails on a line it does not know."""
    head, plan, *lines = text.splitlines()
    assert head == "TAP version 13"
    out, block = [], False
    for line in lines:
        if block:
            block = line != "  ..."
            assert not block or re.fullmatch(r'  [a-z_]+: "([^"\\]|\\.)*"', line)
            continue
        test = re.fullmatch(r"(not )?ok (\d+) - ((?:[^#\\]|\\.)*)(?:# (SKIP|TODO) (?:[^#\\]|\\.)+)?", line)
        if test:
            assert int(test.group(2)) == len(out) + 1
            out.append((not test.group(1), test.group(4) or ""))
        else:
            block = line == "  ---"
            assert block or line.startswith("# "), line
    assert plan == f"1..{len(out)}"
    return out


@each_case
def test_tap_says_what_binds(case: str) -> None:
    assert read_tap(told("tap", *CASES[case])) == [
        (False, ""), (True, ""), (False, ""), (False, ""), (False, "TODO"), (False, ""), (True, "SKIP"),
        (False, "TODO"), (True, "SKIP"), (True, ""), (True, "SKIP"), (False, "TODO")]


@pytest.mark.skipif(shutil.which("prove") is None, reason="prove of Perl, which reads TAP, is not installed")
@each_case
def test_prove_reads_the_tap(case: str, tmp_path: Path) -> None:
    (tmp_path / "results.tap").write_text(told("tap", *CASES[case]), encoding="utf-8")
    done = subprocess.run(["prove", "--exec", "cat", "results.tap"], cwd=tmp_path, capture_output=True, text=True,
                          errors="replace", timeout=60)
    assert done.returncode == 1
    assert "Failed tests:  1, 3-4, 6" in done.stdout.replace("Failed tests: 1", "Failed tests:  1"), done.stdout
    assert "Parse errors" not in done.stdout, done.stdout


def read_command(line: str) -> tuple[str, dict[str, str], str]:
    """Command, properties and message as the runner of GitHub Actions reads them."""
    assert line.startswith("::")
    info, _, message = line[2:].partition("::")
    command, _, rest = info.partition(" ")

    def plain(text: str, escapes: dict[str, str]) -> str:
        return re.sub("%(25|0D|0A|3A|2C)", lambda m: escapes.get(m.group(1), m.group()), text)

    value = {"25": "%", "0D": "\r", "0A": "\n"}
    properties = dict(p.split("=", 1) for p in rest.split(","))
    return command, {k: plain(v, {**value, "3A": ":", "2C": ","}) for k, v in properties.items()}, plain(message, value)


@each_case
def test_each_annotation_is_one_command(case: str) -> None:
    e, v = CASES[case]
    lines = told("github", e, v).split("\n")
    assert lines.pop() == ""
    read = [read_command(line) for line in lines]
    assert [command for command, _, _ in read] == ["error", *["warning"] * 3, *["notice"] * 5]
    open_ = [r for r in results(e, v) if r.sort not in ("pass", "n/a")]
    assert {message for _, _, message in read} == {"\n".join([r.title, *r.parts]) for r in open_}
    for _, properties, _ in read:
        assert set(properties) in ({"title"}, {"title", "file", "line"})


@each_case
def test_markdown_holds_nothing_but_its_tables(case: str) -> None:
    e, v = CASES[case]
    text = told("md", e, v)
    assert len(text) < 65_536, "a comment on GitHub may have no more characters"
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    tags = set(re.findall(r"<([a-z0-9]+)", page))
    assert tags <= {"h2", "p", "strong", "code", "details", "summary", "br",
                    "table", "thead", "tbody", "tr", "th", "td"}
    rows = [len(re.findall("<t[hd]>", row)) for row in re.findall("<tr>.*?</tr>", page, re.DOTALL)]
    assert rows == [5] * 8 + [3] * 6
    assert not re.search(r"[@#](?=\w)", re.sub("&#?\\w+;|<[^>]*>", "", text.replace("<!-- -->", "\0")))
    assert not re.search(r"https?://|www\.", text)


def test_markdown_keeps_the_length_of_a_comment() -> None:
    e, v = hostile("&@a" * 500)
    many = tuple(replace(f, rule=f"R-{i}") for i in range(60) for f in v.findings)
    full = replace(v, findings=many, counts=count_findings(many), waivers=v.waivers * 50, to_sign=v.to_sign * 50,
                   policies=v.policies * 50)
    text = told("md", e, full)
    assert 30_000 < len(text) < 65_536
    assert "**R-0**" in text and text.count("more are in verdict.json.") >= 5


ALLOWED = {"section", "h2", "h3", "p", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tr", "th", "td"}


@each_case
def test_the_fragment_holds_only_its_own_markup(case: str) -> None:
    text = told("ll144", *CASES[case])
    assert set(re.findall(r"<([a-z0-9]+)", text)) <= ALLOWED
    ET.fromstring(text)


# Whether a format is red: somebody who looks at it alone sees that this is no PASS.
RED: dict[str, Callable[[str], bool]] = {
    "junit": lambda t: any(ET.fromstring(t).get(k) != "0" for k in ("failures", "errors")),
    "sarif": lambda t: any(r["level"] in ("error", "warning") and "suppressions" not in r
                           for r in json.loads(t)["runs"][0]["results"]),
    "gitlab": lambda t: any(i["severity"] in ("blocker", "critical") for i in json.loads(t)),
    "tap": lambda t: (False, "") in read_tap(t),
    "github": lambda t: t.startswith(("::error", "::warning")),
    "md": lambda t: "PASS" not in t.splitlines()[0]}


def _verdicts() -> dict[str, Verdict]:
    e = sample.evidence(600)
    found = ci_sample.findings(e)
    calm = tuple(f for f in found if f.counts_as == "PASS")

    def of(outcome: str, *more: Finding, **change: Any) -> Verdict:
        return sample.verdict(e, outcome, (*calm, *more), **change)

    by = {(f.rule, f.outcome): f for f in found}
    return {
        "PASS with warnings, waivers and what is not settled": of("PASS"),
        "BLOCK": of("BLOCK", by["HC-02", "fail"]),
        "REVIEW by a failed rule": of("REVIEW", by["HC-03", "fail"]),
        "REVIEW by an undecided rule": of("REVIEW", replace(by["HC-05", "insufficient"], counts_as="REVIEW")),
        "REVIEW by a rule that was not run": of("REVIEW", by["HC-06", "not_run"]),
        "REVIEW by nothing evaluated": replace(of("REVIEW"), findings=(), counts=count_findings(()),
                                               notes=("no rule was evaluated, so a person must decide",)),
        "REVIEW that no finding explains": of("REVIEW"),
        "BLOCK by an undecided rule": of("BLOCK", replace(by["HC-05", "insufficient"], counts_as="BLOCK")),
    }


VERDICTS = _verdicts()


@pytest.mark.parametrize("which", VERDICTS)
@pytest.mark.parametrize("format", RED)
def test_only_a_pass_is_green(format: str, which: str) -> None:
    assert RED[format](told(format, CASES["plain"][0], VERDICTS[which])) == (not which.startswith("PASS"))


def test_a_verdict_that_no_finding_explains_says_why() -> None:
    text = told("junit", CASES["plain"][0], VERDICTS["REVIEW by nothing evaluated"])
    JUNIT.validate(text)
    (case,) = ET.fromstring(text).iter("testcase")
    (error,) = case
    assert (case.get("name"), error.tag) == ("verdict: Verdict", "error")
    assert "no rule was evaluated, so a person must decide" in (error.get("message") or "")


@pytest.mark.parametrize("format", FORMATS)
def test_without_a_verdict_there_is_nothing_to_tell(format: str) -> None:
    with pytest.raises(InputError, match="none was given"):
        tell([format], CASES["plain"][0], None)


@pytest.mark.parametrize("format", [f for f in FORMATS if f != "ll144"])
def test_number_interval_bound_and_whose_in_every_format(format: str) -> None:
    text = told(format, *CASES["plain"])
    text = text.replace("%25", "%").replace("\\(", "(")
    for part in ("47.8% approved (241 of 504) against 62.2% (1,475 of 2,371) for 26–35; ratio 0.769 [0.707, 0.832]",
                 "Bound: at least 0.92, set by house-credit (house rule; Credit policy 7.3).",
                 "58 more “approved” in age 25 or less would meet it."):
        assert part in text
    for word in ("unbiased", "compliant", "violation", " fair ", "nan"):
        assert word not in text.lower()
