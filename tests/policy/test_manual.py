"""The manuals of the kinds, and rules as rows."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from policy_evidence import HEAD

from govern.policy.describe import as_text, by_phase, effective, limits_text, rows
from govern.policy.fields import ByPhase, LimitFields, RuleFields, Texts
from govern.policy.manual import PURPOSE, SECTIONS, field_rows, manual, sections_of
from govern.policy.rules import KINDS
from govern.policy.schema import Policy
from govern.resources import resource

Write = Callable[..., Policy]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_manual(kind: str) -> None:
    found = manual(kind)
    assert list(found.sections) == [PURPOSE, *SECTIONS]
    assert all(len(text) > 20 and text[0] == text[0].upper() for text in found.sections.values())
    assert found.purpose == found.sections[PURPOSE]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_an_example(kind: str) -> None:
    assert manual(kind).example == (resource("policies") / "kinds" / f"{kind}.yaml").read_text(encoding="utf-8")
    assert f"kind: {kind}" in manual(kind).example


def test_fields_of_a_kind_are_its_own_and_those_it_shares() -> None:
    bound, smoke = manual("bound"), manual("smoke")
    assert bound.fields[0].name == "metric" and bound.fields[0].required
    assert list(bound.shared) == ["rules with a limit", "every rule"] and list(smoke.shared) == ["every rule"]
    every = [row.name for row in smoke.shared["every rule"]]
    assert every == list(RuleFields.model_fields)
    limits = {row.name: row for row in bound.shared["rules with a limit"]}
    assert set(limits) == set(LimitFields.model_fields) - set(RuleFields.model_fields)
    assert limits["decide"].default == "interval" and not limits["decide"].required
    assert "kind" not in [row.name for row in field_rows(KINDS["bound"].fields, None)]


def test_sections_are_found_by_their_first_words() -> None:
    text = """What it is for: comparing
    things.

    More on that.

    How it is computed: by counting,
    twice.

    And once more.

    Source: nobody.
    """
    assert sections_of(text) == {
        PURPOSE: "What it is for: comparing things.\n\nMore on that.",
        "How it is computed": "By counting, twice.\n\nAnd once more.",
        "Source": "Nobody.",
    }


RULES = """\
- id: D
  kind: disparity
  title: {en: Ratio, ja: 比}
  metric: [accuracy, precision]
  compare: ratio
  against: {group: women}
  min: 0.80
  severity: {desk: warn, poc: warn, team: block, company: block}
  basis: law
  cite: Act 7
  says: {en: it says so}
  tags: [technology]
- {id: S, kind: support, title: t, severity: info, basis: house}
"""


def test_a_rule_as_rows(house: Write) -> None:
    one, two = house(RULES, "defaults: {error: 0.01, min_n: 50}\n").rules
    assert rows(one) == [
        ("metric", "accuracy, precision"), ("compare", "ratio"), ("against", "group women"),
        ("limits", "at least 0.80"),
        ("severity", "desk, poc: warn; team, company: block"), ("basis", "law"), ("cite", "Act 7"),
        ("says", "it says so"), ("tags", "technology"), ("where", "house.yaml:9")]
    assert rows(two) == [("severity", "info"), ("basis", "house"), ("where", "house.yaml:21")]
    force = effective(one)
    assert (force["min"], force["error"], force["min_n"], force["family"]) == (Decimal("0.80"), 0.01, 50, "policy")
    assert effective(two)["min_n"] == 50 and "min" not in effective(two)


def test_overrides_stand_with_their_reason(house: Write) -> None:
    policy = house("- {id: BASE-09, override: {max: 0.08}, reason: agreed}\n", "extends: [baseline]\n")
    told = dict(rows(next(r for r in policy.rules if r.id == "BASE-09")))
    assert told["changed"] == "max: 0.10 → 0.08 (house: agreed)" and told["limits"] == "at most 0.08"


@pytest.mark.parametrize(("limits", "said"), [
    ("min: 0.10, max: 0.9", "at least 0.10 and at most 0.9"),
    ("min: declared", "at least what the owner declares"),
    ("min: {baseline: -0.02}", "at least the baseline's value − 0.02"),
    ("max: {baseline: 0.1}", "at most the baseline's value + 0.1"),
])
def test_limits_in_words(house: Write, limits: str, said: str) -> None:
    rules = f"- {{id: B, kind: bound, title: t, metric: accuracy, {limits}, severity: info, basis: house}}\n"
    assert limits_text(house(rules).rules[0]) == said


def test_the_default_limit_of_a_kind_is_its_limit(house: Write) -> None:
    rules = house("- {id: F, kind: four-fifths, title: t, severity: info, basis: convention}\n"
                  "- {id: S, kind: support, title: t, severity: info, basis: house}\n").rules
    assert limits_text(rules[0]) == "at least 0.8" and effective(rules[0])["min"] == Decimal("0.8")
    assert limits_text(rules[1]) == ""


def test_values_as_text() -> None:
    assert as_text(None) == "not given" and as_text(True) == "true" and as_text([1, "a"]) == "1, a"
    assert as_text(Texts(en="one", ja="二")) == "one" and as_text({"a": None, "b": 2}) == "b 2"
    phases = ByPhase[str](desk="info", poc="warn", team="warn", company="info")
    assert by_phase(phases) == as_text(phases) == "desk: info; poc, team: warn; company: info"
    assert by_phase(ByPhase[str](desk="w", poc="w", team="w", company="w")) == by_phase("w") == "w"
    assert HEAD.startswith("schema: govern.policy/1")
