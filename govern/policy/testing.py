"""Policy tests: a policy, evidence to judge by it, and what must come of it (`NAME.test.yaml`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from govern.codec import load, read_bytes
from govern.errors import InputError, nearest, printable
from govern.evidence import COMPUTE_SCHEMA, EVIDENCE_SCHEMA, Compute, Evidence
from govern.metrics import own
from govern.policy.fields import Fields
from govern.policy.gate import judge
from govern.policy.packs import MAX_BYTES, load_policy
from govern.policy.schema import Policy
from govern.verdict import Finding, Outcome, Phase, RuleOutcome, Verdict
from govern.yamlfile import YamlDoc, parse_yaml, validate

TEST_SCHEMA = "govern.policy-test/1"
# Of a rule's findings the first of these counts, so that a rule that is expected to pass may have none before.
URGENCY: tuple[RuleOutcome, ...] = ("fail", "insufficient", "not_run", "waived", "pass", "n/a")


class Expected(Fields):
    """What must come of judging."""

    verdict: Outcome | None = Field(None, description="the word of the verdict: PASS, REVIEW or BLOCK")
    rules: dict[str, RuleOutcome] = Field(
        default_factory=dict,
        description="outcome by rule id; of a rule with several findings the most urgent counts, in the order fail, "
        "insufficient, not_run, waived, pass, n/a",
    )

    @model_validator(mode="after")
    def _expects_something(self) -> Expected:
        if self.verdict is None and not self.rules:
            raise ValueError("expects nothing, so that it could not fail; give verdict or rules")
        return self


class Case(Fields):
    """One test: evidence, how it is judged, and what is expected."""

    name: str = Field(min_length=1, description="what is tested, in a few words")
    evidence: str = Field(description="an evidence.json; paths start at this file")
    compute: str | None = Field(None, description="the compute.json of the same run")
    baseline: str | None = Field(None, description="evidence of the version in service, to compare with")
    phase: Phase = Field("team", description="desk, poc, team or company")
    today: str | None = Field(None, description="day of the decision: 2026-11-03; default: that of the evidence")
    waivers: list[dict[str, Any]] = Field(default_factory=list, description="as in govern.yaml")
    expect: Expected = Field(description="what must come of it")

    @field_validator("today")
    @classmethod
    def _is_day(cls, value: str | None) -> str | None:
        try:
            return value if value is None else date.fromisoformat(value).isoformat()
        except ValueError:
            raise ValueError(f'"{printable(value)}" is not a day; write it as 2026-11-03') from None


class CaseFile(Fields):
    """A file of policy tests."""

    schema_: Literal["govern.policy-test/1"] = Field(alias="schema", description="the format of this file")
    policy: str = Field(description="the policy that is tested: a shipped one, or a path from this file")
    tests: list[Case] = Field(min_length=1, description="the tests, each with evidence and what is expected")


@dataclass(frozen=True)
class Tests:
    """A file of tests as read, and where it stands."""

    file: CaseFile
    doc: YamlDoc
    folder: Path


@dataclass(frozen=True)
class Prepared:
    """What one test judges, read and checked."""

    policy: Policy
    evidence: Evidence
    judged: Mapping[str, str]
    more: Mapping[str, Any]


@dataclass(frozen=True)
class Difference:
    """What was expected of the verdict (`rule` None) or of a rule, what was seen instead, and in which finding."""

    rule: str | None
    expected: str
    seen: str
    finding: Finding | None = None


@dataclass(frozen=True)
class Ran:
    """A test that was run on `evidence`, and where it did not come out as expected."""

    name: str
    line: int
    evidence: Evidence
    differences: tuple[Difference, ...]


def read_tests(path: Path, name: str) -> Tests:
    """The tests of a file that is shown as `name`. Raises InputError with the place of what is wrong."""
    try:
        doc = parse_yaml(read_bytes(path, MAX_BYTES), name)
    except InputError as err:
        raise InputError(err.what, where=name, line=err.line, column=err.column, fix=err.fix) from None
    found = doc.value.get("schema") if isinstance(doc.value, dict) else None
    if found != TEST_SCHEMA:
        raise doc.error(("schema",), f'is not a file of policy tests: schema is "{printable(found)}"',
                        f"write schema: {TEST_SCHEMA} and check that this is the right file")
    file = validate(CaseFile, doc)
    names = [case.name for case in file.tests]
    for i, case in enumerate(names):
        if case in names[:i]:
            raise doc.error(("tests", i, "name"), f'two tests are named "{printable(case)}"', "rename one of them")
    return Tests(file, doc, path.parent)


def prepare(tests: Tests, place: int) -> Prepared:
    """What the test at `place` judges. Raises InputError where a document or the policy cannot be read, or has no rule
    of which something is expected."""
    case = tests.file.tests[place]
    evidence, sha = _document(tests, place, "evidence", Evidence, EVIDENCE_SCHEMA)
    judged, more = {"evidence": sha}, {}
    if case.compute is not None:
        more["compute"], judged["compute"] = _document(tests, place, "compute", Compute, COMPUTE_SCHEMA)
        if more["compute"].evidence_sha256 != sha:
            raise tests.doc.error(("tests", place, "compute"), f"{printable(case.compute)} was measured with other "
                                  "evidence", "give the compute.json that was written with this evidence")
    if case.baseline is not None:
        more["baseline"], judged["baseline"] = _document(tests, place, "baseline", Evidence, EVIDENCE_SCHEMA)
    try:
        policy = load_policy(tests.file.policy, base=tests.folder, own=own(evidence.settings))
    except InputError as err:
        if err.where is None:
            raise tests.doc.error(("policy",), err.what, err.fix) from None
        raise tests.doc.error(("policy",), err.one_line()) from None
    known = [rule.id for rule in policy.rules]
    for rule in case.expect.rules:
        if rule not in known:
            raise tests.doc.error(("tests", place, "expect", "rules", rule),
                                  f'the policy has no rule "{printable(rule)}"',
                                  nearest(rule, known) or f"its rules: {', '.join(known)}")
    return Prepared(policy, evidence, judged, more)


def run(tests: Tests, place: int) -> Ran:
    """The test at `place` with its differences. Raises InputError where it cannot be run."""
    ready, case = prepare(tests, place), tests.file.tests[place]
    day = date.fromisoformat(case.today or ready.evidence.created[:10])
    verdict = judge(ready.evidence, judged=ready.judged, policies=[ready.policy], phase=case.phase, today=day,
                    waivers=case.waivers, **ready.more)
    return Ran(case.name, tests.doc.at(("tests", place))[0], ready.evidence, tuple(_differences(case, verdict)))


def _document(tests: Tests, place: int, key: str, cls: type[Any], schema: str) -> tuple[Any, str]:
    given = getattr(tests.file.tests[place], key)
    try:
        return load(tests.folder / given, cls, schema)
    except InputError as err:
        raise tests.doc.error(("tests", place, key), f"{printable(given)} {err.what}", err.fix) from None


def _differences(case: Case, verdict: Verdict) -> Iterator[Difference]:
    if case.expect.verdict is not None and case.expect.verdict != verdict.outcome:
        yield Difference(None, case.expect.verdict, verdict.outcome)
    for rule, expected in case.expect.rules.items():
        found = [f for f in verdict.findings if f.rule == rule]
        worst = min(found, key=lambda f: URGENCY.index(f.outcome), default=None)
        seen = worst.outcome if worst is not None else "not judged"
        if seen != expected:
            yield Difference(rule, expected, seen, worst)
