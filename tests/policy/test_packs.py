"""The shipped packs: what every rule says about itself, in both languages; their documents are those of the files."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from govern.formats.strings import strings
from govern.policy.fields import Rule, at_phase, texts
from govern.policy.lint import lint
from govern.policy.packs import load_policy, shipped
from govern.policy.testing import read_tests

ROOT = Path(__file__).parents[2]
PACKS = [p.name for p in shipped()]
PHASES: tuple[Any, ...] = ("desk", "poc", "team", "company")
JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龠]")
# What no text of ours says of a model, a group or a company; 適合率 is the word for precision.
NEVER = re.compile(r"\b(fair|unfair|unbiased|biased|compliant|compliance|violat\w+)\b|適合(?!率)|違反|差別あり",
                   re.IGNORECASE)
WARN = ("warn", "warn", "review", "review")
BLOCK = ("warn", "warn", "block", "block")
INFO, SIGNED = ("info",) * 4, ("review",) * 4
STATES = {"baseline": ("guidance", None), "eeoc-four-fifths": ("in_flux", "1978-09-25"),
          "nyc-ll144": ("in_force", "2023-07-05"), "japan-ai-business-guideline": ("guidance", "2026-03-31"),
          "japan-mlqm": ("guidance", None)}


def rules_of(pack: str) -> tuple[Rule, ...]:
    return load_policy(pack).rules


def said(rule: Rule) -> Iterator[tuple[str, dict[str, str]]]:
    """The texts of a rule by field."""
    for name in ("title", "says", "ours", "statement"):
        found = texts(getattr(rule.fields, name, None))
        if found:
            yield name, found


@pytest.mark.parametrize("pack", PACKS)
def test_a_pack_has_a_state_on_a_day_and_no_slip(pack: str) -> None:
    info = load_policy(pack).info
    assert (info.status, info.applies_from) == STATES[pack]
    assert info.as_of == "2026-11-22" and set(info.title) == {"en", "ja"}
    assert [f.one_line() for f in lint(pack, today=date(2026, 11, 22))] == []


@pytest.mark.parametrize("pack", PACKS)
def test_every_rule_says_what_the_text_says_apart_from_what_was_added(pack: str) -> None:
    for rule in rules_of(pack):
        found = dict(said(rule))
        assert {"title", "says"} <= set(found), rule.id
        assert len(rule.fields.tags) == 1, rule.id
        for name, by_language in found.items():
            assert set(by_language) == {"en", "ja"}, (rule.id, name)
            assert JAPANESE.search(by_language["ja"]) and not JAPANESE.search(by_language["en"]), (rule.id, name)
            assert not any(NEVER.search(text) for text in by_language.values()), (rule.id, name)
            assert not re.search("[０-９％]", by_language["ja"]), (rule.id, name)
        if rule.fields.basis in ("law", "guidance", "standard"):
            assert rule.fields.cite, rule.id


@pytest.mark.parametrize("pack", PACKS)
def test_every_number_names_whose_it_is(pack: str) -> None:
    """A number that a rule is held against is never a source's without being the source's own words: of the packs that
    name no number the limits are declared, customary or this tool's."""
    own_number = {"EEOC-1": "law", "LL144-9": "law"}
    for rule in rules_of(pack):
        fields = rule.fields
        limits = [limit for limit in (rule.minimum, rule.maximum) if limit is not None and limit != "declared"]
        limits += [v for v in (getattr(fields, "max_days", None),) if v is not None]
        if limits and rule.id not in own_number:
            assert fields.basis in ("convention", "govern"), rule.id
        if rule.id in own_number:
            assert fields.basis == own_number[rule.id]


@pytest.mark.parametrize(("pack", "expected"), [
    ("nyc-ll144", {**dict.fromkeys(("LL144-0", "LL144-1", "LL144-2", "LL144-3", "LL144-4", "LL144-5", "LL144-6",
                                    "LL144-7", "LL144-8", "LL144-8-test", "LL144-9", "LL144-9-dates"), BLOCK),
                   "LL144-10": SIGNED, "LL144-11": INFO, "LL144-12": INFO, "LL144-13": WARN}),
    ("eeoc-four-fifths", {"EEOC-1": WARN, "EEOC-5": INFO, "EEOC-6": INFO, "EEOC-7": WARN, "EEOC-8": INFO,
                          "EEOC-9": SIGNED}),
])
def test_severities_by_phase(pack: str, expected: dict[str, tuple[str, ...]]) -> None:
    found = {r.id: tuple(at_phase(r.fields.severity, p) for p in PHASES) for r in rules_of(pack)}
    assert found == expected


def test_a_rule_of_level_1_is_that_of_level_2_and_never_blocks() -> None:
    rules = {r.id: r for r in rules_of("japan-mlqm")}
    twins = [name for name in rules if name.endswith("-L1")]
    assert len(twins) == 8
    for name in twins:
        one, two = rules[name], rules[name.removesuffix("-L1")]
        assert "block" in [at_phase(two.fields.severity, p) for p in PHASES]
        assert "block" not in [at_phase(one.fields.severity, p) for p in PHASES]
        assert one.fields.kind == two.fields.kind and (one.minimum, one.maximum) == (two.minimum, two.maximum)
        of = "performance" if "performance" in name else "fairness"
        level = "AIPL" if of == "performance" else "AIFL"
        assert one.fields.when == {f"card.mlqm.{of}_level": f"{level}-1"}
        assert two.fields.when == {f"card.mlqm.{of}_level": f"{level}-2"}


@pytest.mark.parametrize("pack", PACKS)
def test_the_tests_beside_a_pack_expect_something_of_every_rule(pack: str) -> None:
    tests = read_tests(ROOT / "policies" / f"{pack}.test.yaml", pack).file.tests
    assert {rule for t in tests for rule in t.expect.rules} == {r.id for r in rules_of(pack)}


def fields_asked() -> set[str]:
    """Every field of the card that a rule of a pack reads."""
    found: set[str] = set()
    for pack in PACKS:
        for rule in rules_of(pack):
            fields = rule.fields
            named = [*(fields.when or {}), getattr(fields, "of", "")]
            found |= {f.removeprefix("card.") for f in named if f.startswith("card.")}
            if fields.kind == "document":
                found |= {*fields.fields, *([fields.key] if fields.key else [])}
                found |= {fields.in_.removeprefix("card.")} if fields.in_ else set()
                found |= {fields.each.card} if fields.each is not None and fields.each.card else set()
            found |= {fields.reason_in} if getattr(fields, "reason_in", None) else set()
    return found


def test_every_field_that_a_pack_asks_for_is_explained_in_one_place() -> None:
    text = (ROOT / "docs" / "card-fields.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w.]+)` \|", text, re.MULTILINE)
    assert len(rows) == len(set(rows))
    # Of some the card speaks without any rule that asks for them: those have a label there.
    labelled = set(strings().get("card"))
    assert {name.partition(".")[0] for name in set(rows) - fields_asked()} <= labelled
    assert fields_asked() - set(rows) == set()


def test_the_document_of_the_packs_is_what_their_files_say() -> None:
    spec = importlib.util.spec_from_file_location("make_packs", ROOT / "tools" / "make_packs.py")
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.packs() == tool.PLACE.read_text(encoding="utf-8"), "run: python tools/make_packs.py"
    for pack in PACKS:
        for rule in rules_of(pack):
            assert f"| {rule.id} |" in tool.PLACE.read_text(encoding="utf-8")
