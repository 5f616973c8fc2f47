"""What the formats for pipelines share: names, places and keys that hold from run to run."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import ci_sample
import sample

from govern.formats.results import SORTS, Result, results, urgent

E = sample.evidence(600)
V = ci_sample.verdict(E)


def _moved() -> list[Result]:
    """The results of another run: other numbers, another worst group, other lines of the policy."""
    found = tuple(replace(f, line=(f.line or 0) + 7,
                          seen=f.seen and replace(f.seen, group=f.seen.reference or f.seen.group, value=0.5))
                  for f in V.findings)
    return results(E, replace(V, findings=found))


def test_names_and_keys_are_the_same_in_every_run() -> None:
    first, second = results(E, V), _moved()
    assert [(r.id, r.name, r.key) for r in first] == [(r.id, r.name, r.key) for r in second]
    assert [r.line for r in first] != [r.line for r in second]
    assert len({r.key for r in first}) == len({r.name for r in first}) == len(first)


def test_the_name_says_what_was_asked() -> None:
    names = {r.finding.rule: r.name for r in results(E, V)}
    assert names["HC-03"] == "HC-03: False alarms (false positive rate, age)"
    of = sample.finding(rule="HC-11", label="dog", decision="screening", each="women", features=("sex", "age"))
    (told,) = results(E, replace(V, findings=(of,), outcome="BLOCK"))
    assert told.name == "HC-11: Approval ratio by age (selection rate, sex:age, dog, screening, women)"


def test_equal_questions_are_told_apart() -> None:
    one = V.findings[0]
    first, second = results(E, replace(V, findings=(one, one)))
    assert second.name == f"{first.name} [2]" and first.key != second.key


@pytest.mark.parametrize(("file", "place"), [
    ("house-credit.yaml", ("house-credit.yaml", False)), ("rules/../house.yml", ("rules/../house.yml", False)),
    ("baseline", ("govern/_data/policies/baseline.yaml", True)),
    (None, ("govern/_data/policies/house-credit.yaml", True)),
    ("/somewhere/of/theirs/house.yaml", ("house.yaml", False)), ("C:\\theirs\\house.yaml", ("house.yaml", False))])
def test_the_place_is_never_absolute(file: str | None, place: tuple[str, bool]) -> None:
    (told,) = results(E, replace(V, findings=(replace(V.findings[0], file=file),)))
    assert (told.path, told.shipped) == place


def test_shipped_policies_stand_where_the_results_say() -> None:
    from govern.formats.results import SHIPPED
    from govern.resources import resource

    found = resource("policies", "baseline.yaml")
    assert found.is_file() and SHIPPED.endswith("/policies")


def test_the_most_urgent_come_first() -> None:
    sorts = [r.sort for r in urgent(results(E, V))]
    assert sorts == sorted(sorts, key=SORTS.index) and sorts[0] == "block"
    assert set(SORTS) == set(V.counts)


def test_a_statement_to_sign_is_told_as_one() -> None:
    (told,) = (r for r in results(E, V) if r.finding.rule == "HC-10")
    assert (told.sort, told.seen) == ("to_sign", "To be signed by validator, approver: Approval of the committee.")
    # A policy may demand the signature at once: then the finding binds like any other.
    demanded = replace(told.finding, outcome="not_run", counts_as="REVIEW")
    assert results(E, replace(V, findings=(demanded,), outcome="REVIEW"))[0].sort == "review"


@pytest.mark.parametrize(("reason", "ends"), [
    ("below 0.92 and significant: 25 or less.", "[0.707, 0.832]. Below 0.92 and significant: 25 or less."),
    ("card.left_out says nothing", "[0.707, 0.832]. card.left_out says nothing."), (None, "[0.707, 0.832].")])
def test_why_stands_beside_what_was_seen(reason: str | None, ends: str) -> None:
    (told,) = results(E, replace(V, findings=(replace(V.findings[0], reason=reason),)))
    assert told.seen.startswith("Age 25 or less: 47.8% approved") and told.seen.endswith(ends)


@pytest.mark.parametrize(("change", "settle"), [
    ({"outcome": "fail"}, "It passes once the whole interval is at least 0.92."),
    ({"outcome": "not_run", "seen": None}, "It can be decided once this is measured or supplied."),
    ({"kind": "document", "missing": ("owner",), "seen": None}, "It passes once this is there."),
    ({"outcome": "pass"}, "")])
def test_an_open_finding_always_says_what_would_make_it_pass(change: dict[str, object], settle: str) -> None:
    (told,) = results(E, replace(V, findings=(replace(V.findings[0], settle=None, **change),)))  # type: ignore[arg-type]
    assert told.settle == settle
