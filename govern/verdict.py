"""The verdict: what the gate found, and the exit code that follows from it. Standard library only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from govern.errors import ExitCode

VERDICT_SCHEMA = "govern.verdict/1"

Outcome = Literal["PASS", "REVIEW", "BLOCK"]
RuleOutcome = Literal["pass", "fail", "insufficient", "not_run", "waived", "n/a"]
Severity = Literal["block", "review", "warn", "info"]
Phase = Literal["desk", "poc", "team", "company"]

EXIT_CODES: dict[str, ExitCode] = {"PASS": ExitCode.PASS, "BLOCK": ExitCode.BLOCK, "REVIEW": ExitCode.REVIEW}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One decided number: a group (against a reference) held against a bound.

    `low` and `high` are the one-sided bounds at the levels the gate used for this decision (a missing
    side was not needed); `bound_min` / `bound_max` are its limits as decimal text where each comparison has its own
    (relative to the baseline), None where those of the finding hold. `n` and
    `reference_n` are the denominators (rows for metrics that are not ratios of counts). `exempt` groups
    are too small to hold up a PASS. Under `calibrate` the levels are those at which the enumerated error of a
    wrong pass and of a wrong fail is at most `proved_pass` and `proved_fail` at these sizes; `calibrated` is
    "proved" then, and "stated" where counts are beyond enumeration and only the closed form's general figure
    holds.

    Of a comparison by the four-fifths convention: `p_value` two-sided of equal rates by `test`, `p_adjusted` after
    Holm over all pairs (as it is without a correction), `z` pooled, `flips` whether moving one selection between the
    two would put the ratio on the other side of the limit, `shortfall` the selections that `group` lacks at the two
    groups' pooled rate; `low` and `high` are for reading, at half the rule's alpha each.
    """

    group: str
    outcome: RuleOutcome
    value: float | None
    low: float | None = None
    high: float | None = None
    reference: str | None = None
    compare: str | None = None
    n: int | None = None
    reference_n: int | None = None
    numerator: int | None = None
    reference_numerator: int | None = None
    level_pass: float | None = None
    level_fail: float | None = None
    leans: bool = False
    exempt: bool = False
    reason: str | None = None
    proved_pass: float | None = None
    proved_fail: float | None = None
    calibrated: Literal["proved", "stated"] | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    z: float | None = None
    test: Literal["z", "fisher"] | None = None
    flips: bool | None = None
    shortfall: float | None = None
    bound_min: str | None = None
    bound_max: str | None = None


@dataclass(frozen=True, slots=True)
class Settle:
    """What would make a finding pass or settle it; only the parts that could be computed are set.

    `selections`: further favourable outcomes for `group` at which the estimate meets the bound.
    `rows`: further rows of `group` at the observed rates at which the comparison would be decided; where no
    number of them would do alone, `times`: how many times as many rows of all groups would.
    `detectable`: the smallest gap from no gap that these group sizes would show, in 80 % of samples; of a single
    number, the smallest distance from its bound. `gap`: how far a failing estimate lies outside its bound.
    `threshold`: the swept threshold nearest to the one in force at which the finding would pass, on these rows.
    """

    group: str | None = None
    selections: int | None = None
    rows: int | None = None
    times: int | None = None
    detectable: float | None = None
    text: str | None = None
    gap: float | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A field of a rule that the policy `by` changed in what it took over: its old and new value as text (None: not
    given), and the reason its authors gave."""

    field: str
    old: str | None
    new: str | None
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one rule for one metric and one feature (or for the whole sample).

    `seen` is the comparison that decided the outcome (the worst one), also listed in `comparisons`.
    `counts_as` is what the finding makes of the verdict: an `insufficient` at block or review severity that
    counts as PASS is "not settled". `label` is the class of a multiclass task that is held against all others,
    `decision` the decision column that was judged instead of the predictions, `each` the item that a repeated rule
    speaks of. `changes` are what policies changed in a rule they took over, in order.
    """

    rule: str
    policy: str
    kind: str
    title: Mapping[str, str]
    outcome: RuleOutcome
    severity: Severity
    basis: str
    counts_as: Outcome = "PASS"
    file: str | None = None
    line: int | None = None
    metric: str | None = None
    features: tuple[str, ...] = ()
    compare: str | None = None
    bound_min: str | None = None
    bound_max: str | None = None
    decide: str | None = None
    seen: Comparison | None = None
    comparisons: tuple[Comparison, ...] = ()
    settle: Settle | None = None
    reason: str | None = None
    cite: str | None = None
    says: Mapping[str, str] = field(default_factory=dict)
    ours: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    waiver: int | None = None
    missing: tuple[str, ...] = ()
    label: str | None = None
    column: int | None = None
    decision: str | None = None
    each: str | None = None
    changes: tuple[Change, ...] = ()

    @property
    def qualified(self) -> str:
        """The rule id with the policy it was judged under: `baseline/BASE-08`."""
        return f"{self.policy}/{self.rule}"


@dataclass(frozen=True, slots=True)
class PolicyInfo:
    """A policy that was applied, by digest. `applies_from` and `sunset` are days; `notes` say what a reader must know
    about its state on the day of the decision (superseded, not yet in force, not looked at for long)."""

    name: str
    version: str
    sha256: str
    status: str
    as_of: str
    title: Mapping[str, str] = field(default_factory=dict)
    extends: tuple[str, ...] = ()
    applies_from: str | None = None
    sunset: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ToSign:
    """Statements that people must sign before the model goes on; bound to the digests at promotion.

    `roles` each sign once, `distinct`: no two of them the same person.
    """

    rule: str
    policy: str
    title: Mapping[str, str]
    roles: tuple[str, ...]
    distinct: bool = True
    statement: Mapping[str, str] = field(default_factory=dict)
    basis: str = "govern"
    cite: str | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """One cell of the grid phase × category: `rules` of that category by tag, of which `binding` at block or review
    at that phase; of the rules, `evidenced` were decided on this evidence and `open` were not."""

    phase: Phase
    category: str
    rules: int
    binding: int
    evidenced: int
    open: int


@dataclass(frozen=True, slots=True)
class WaiverState:
    """A waiver and whether it was in force on the day of the decision; `days_left` is negative when expired."""

    rule: str
    owner: str
    reason: str
    approver: str
    expires: str
    valid: bool
    days_left: int
    used: bool
    subject: str | None = None
    why_not: str | None = None
    lineage: str | None = None


@dataclass(frozen=True, slots=True)
class NotAssessed:
    """A rule that did not apply, or whose optional input was not supplied."""

    rule: str
    title: Mapping[str, str]
    reason: str


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """What the rules that depend on the threshold would say at `threshold`, on the same rows.

    `outcomes` are those of the `questions` of the sweep, in their order; `outcome` is what they make of the
    verdict together. `primary` is the value of the sweep's metric (None where undefined), `selection_rate` the
    share of all rows predicted to have the favourable label.
    """

    threshold: float
    outcome: Outcome
    outcomes: tuple[RuleOutcome, ...]
    primary: float | None
    selection_rate: float | None


@dataclass(frozen=True, slots=True)
class SweptQuestion:
    """A question of a rule that depends on the threshold."""

    rule: str
    policy: str
    metric: str
    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sweep:
    """Which thresholds would meet the policy, and at what cost. For exploring: a threshold chosen on these rows
    must be confirmed on others.

    `metric` is what the cost is counted in. `meets` are the thresholds at which every question passes and not all
    rows get the same answer, `cheapest` the one of them with the best `metric`, the nearest to the one `in_force`
    among equals. `notes` say what was left out.
    """

    metric: str
    in_force: float | None
    questions: tuple[SweptQuestion, ...]
    points: tuple[SweepPoint, ...]
    meets: tuple[float, ...] = ()
    cheapest: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SinceRow:
    """A number beside that of the version in service: `difference` is new − old with its two-sided interval at `level`,
    None where it is not known. `state`: better or worse where the interval excludes no difference and one side is
    better, else apart (no side is), no difference, or unknown."""

    metric: str
    old: float | None
    new: float | None
    difference: float | None
    low: float | None
    high: float | None
    level: float
    state: Literal["better", "worse", "apart", "no difference", "unknown"]
    group: str | None = None
    reference: str | None = None
    compare: str | None = None
    features: tuple[str, ...] = ()
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Since:
    """What changed since the version in service, whose evidence was given as the baseline: numbers, features, data,
    settings (key, old and new text)."""

    name: str
    version: str | None
    created: str
    rows: tuple[SinceRow, ...]
    features_added: tuple[str, ...] = ()
    features_removed: tuple[str, ...] = ()
    same_model: bool = False
    same_data: bool = False
    settings: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Verdict:
    """The gate's decision over all policies; a pure function of the documents named by `judged`."""

    schema: str
    outcome: Outcome
    phase: Phase
    decided_on: str
    judged: Mapping[str, str]
    policies: tuple[PolicyInfo, ...]
    findings: tuple[Finding, ...]
    counts: Mapping[str, int]
    valid_until: str | None = None
    not_assessed: tuple[NotAssessed, ...] = ()
    to_sign: tuple[ToSign, ...] = ()
    waivers: tuple[WaiverState, ...] = ()
    sweep: Sweep | None = None
    coverage: tuple[Coverage, ...] = ()
    since: Since | None = None
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """0 PASS, 1 BLOCK, 3 REVIEW."""
        return EXIT_CODES[self.outcome]

    @property
    def reasons(self) -> tuple[Finding, ...]:
        """Findings in the order a reader needs them: what blocks, what asks for review, what is not
        settled, warnings; passes and findings out of the outcome come last."""
        return tuple(sorted(self.findings, key=_urgency))


def count_findings(findings: Sequence[Finding], to_sign: Sequence[ToSign] = ()) -> dict[str, int]:
    """The numbers beside the verdict word; each finding counts once.

    `block` and `review` are open findings (failed, not decided or not run) by what they make of the verdict;
    of the others `warn` and `info` failed or were not run at a severity that does not bind, `not_settled`
    were not decided; then what was waived, passed or did not apply. `to_sign` are the findings that stand for a
    statement that people must sign.
    """
    signed = {(s.policy, s.rule) for s in to_sign}
    found = Counter("to_sign" if (f.policy, f.rule) in signed else _sort(f) for f in findings)
    sorts = ("block", "review", "warn", "info", "not_settled", "waived", "pass", "n/a", "to_sign")
    return {sort: found[sort] for sort in sorts}


def _sort(finding: Finding) -> str:
    if finding.outcome in ("waived", "pass", "n/a"):
        return finding.outcome
    if finding.counts_as != "PASS":
        return finding.counts_as.lower()
    if finding.outcome == "insufficient":
        return "not_settled"
    return "info" if finding.severity == "info" else "warn"


def _urgency(f: Finding) -> tuple[int, int, str, str, tuple[str, ...]]:
    counts_as = {"BLOCK": 0, "REVIEW": 1, "PASS": 2}[f.counts_as]
    outcome = ("fail", "insufficient", "not_run", "waived", "pass", "n/a").index(f.outcome)
    return counts_as, outcome, f.rule, f.metric or "", f.features
