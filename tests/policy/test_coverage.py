"""The grid phase × category: its counts are those of the rule list."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from policy_evidence import compute, evidence, pack_fail, pack_pass, rate

from govern.policy.coverage import CATEGORIES, UNTAGGED
from govern.policy.fields import at_phase
from govern.policy.packs import load_policy, shipped
from govern.policy.schema import Policy
from govern.verdict import Coverage, Phase, Verdict

Judge = Callable[..., Verdict]
House = Callable[..., Policy]
PHASES = get_args(Phase)
FOUND = evidence({"sex": {"men": rate(500, 1000), "women": rate(490, 1000)}})
RULES = """\
- {id: A, kind: support, title: t, basis: house, severity: {desk: info, poc: warn, team: review, company: block},
   tags: [technology]}
- {id: B, kind: support, title: t, basis: house, severity: review, tags: [other, process, technology]}
- {id: C, kind: support, title: t, basis: house, severity: warn}
- {id: D, kind: compute, title: t, basis: house, severity: block, metric: latency_p95_ms, max: 5, tags: [process]}
- {id: E, kind: attest, title: t, basis: house, severity: review, roles: [owner], tags: [culture],
   when: {phase: [team, company]}}
- {id: F, kind: smoke, title: t, basis: house, severity: review, checks: [smoke_finite, smoke_batch], tags: [culture]}
"""


def cells(result: Verdict) -> dict[tuple[str, str], tuple[int, int, int, int]]:
    return {(c.phase, c.category): (c.rules, c.binding, c.evidenced, c.open) for c in result.coverage}


def test_every_cell(verdict: Judge) -> None:
    """(rules, binding at that phase, evidenced, open); a rule counts under the first of its tags that is a category."""
    grid = cells(verdict(FOUND, RULES))
    assert list(grid) == [(phase, c) for phase in PHASES for c in ("technology", "process", "culture", "untagged")]
    assert [grid[phase, "technology"] for phase in PHASES] == [(1, 0, 1, 0), (1, 0, 1, 0), (1, 1, 1, 0), (1, 1, 1, 0)]
    assert {grid[phase, "process"] for phase in PHASES} == {(2, 2, 1, 1)}  # nothing was timed
    assert [grid[phase, "culture"] for phase in PHASES] == [(2, 1, 1, 1), (2, 1, 1, 1), (2, 2, 1, 1), (2, 2, 1, 1)]
    assert {grid[phase, "untagged"] for phase in PHASES} == {(1, 0, 1, 0)}
    timed = cells(verdict(FOUND, RULES, compute=compute(latency_p95_ms=9.0)))
    assert timed["desk", "process"] == (2, 2, 2, 0)  # a fail is an answer too


def test_what_is_not_decided_is_open(verdict: Judge) -> None:
    chance = evidence({"sex": {"men": rate(19, 60), "women": rate(14, 60)}})
    gap = ("- {id: R, kind: disparity, title: t, basis: house, severity: review, metric: [selection_rate, accuracy], "
           "compare: ratio, against: any, min: 0.80}\n")
    assert cells(verdict(chance, gap))["team", UNTAGGED] == (1, 1, 0, 1)
    away = "- {id: S, kind: support, title: t, basis: house, severity: review, when: {task: regression}}\n"
    assert cells(verdict(chance, away))["team", UNTAGGED] == (1, 1, 0, 1)


def test_the_cells_of_a_phase_add_up_to_the_rules_of_all_policies(verdict: Judge, house: House) -> None:
    house(RULES, name="base")
    policies = [*(load_policy(p.name) for p in shipped()), house("", "extends: [base.yaml, baseline]\n", name="both"),
                load_policy("baseline")]
    distinct = {p.info.name: p for p in policies}.values()
    for found in (pack_pass(), pack_fail()):
        result = verdict(found, policies=policies)
        for phase in PHASES:
            of = [c for c in result.coverage if c.phase == phase]
            assert [c.category for c in of] == [*CATEGORIES, UNTAGGED]
            assert sum(c.rules for c in of) == sum(len(p.rules) for p in distinct)
            assert all(c.evidenced + c.open == c.rules and c.binding <= c.rules for c in of)
            unconditional = [r for p in distinct for r in p.rules if not r.fields.when]
            assert sum(c.binding for c in of) >= sum(
                at_phase(r.fields.severity, phase) in ("block", "review") for r in unconditional)


def test_an_empty_cell_says_that_there_is_no_rule(verdict: Judge) -> None:
    only = "- {id: S, kind: support, title: t, basis: house, severity: info, tags: [process]}\n"
    assert verdict(FOUND, only).coverage[0] == Coverage("desk", "technology", 0, 0, 0, 0)
