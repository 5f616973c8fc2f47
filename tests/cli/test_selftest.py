"""The self-test: it agrees, and it would notice if it did not."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from govern import selftest
from govern.selftest import PUBLISHED, Check, Example, examples


@pytest.fixture(scope="module")
def found() -> list[Example]:
    return list(examples())


def test_every_published_digit_agrees(found: list[Example]) -> None:
    wrong = [(e.name, c.what, c.printed, c.shown(3)) for e in found for c in e.checks if not c.holds]
    assert wrong == []
    assert all(e.holds and e.source for e in found)
    assert sum(len(e.checks) for e in found) > 140


def test_where_a_source_does_not_fit_itself(found: list[Example]) -> None:
    assert {e.name: e.disagreements for e in found if e.disagreements} == {
        "A tool that selects, in New York City's rule on hiring tools": (
            "in all: sex 1,222 of 2,571, race 1,254 of 2,584, sex:race 1,222 of 2,571",
            "race Hispanic or Latino: 204 of 408 by itself, 172 of 395 in sex:race")}
    (own,) = [c for e in found for c in e.checks if c.but]
    assert (own.printed, own.shown(0), own.agrees, own.holds) == ("64.2%", "64.3%", False, True)


def test_four_fifths_met_exactly_are_not_below(found: list[Example]) -> None:
    (example,) = [e for e in found if "exactly" in e.name]
    outcomes = [(c.what, c.computed) for c in example.checks if "at four fifths" in c.what]
    assert [what.partition(":")[0] for what, outcome in outcomes if outcome == "fail"] == ["American Indian"]
    assert (48 / 80) / (60 / 80) < 0.8 and 0.44 / 0.55 < 0.8


@pytest.mark.parametrize(("printed", "computed", "shown", "more"), [
    ("48%", 0.47986, "48%", "47.986%"), ("0.979", 0.9793365, "0.979", "0.979337"), ("1.00", 1.0, "1.00", "1.00000"),
    ("0.66666…", 2 / 3, "0.66666…", "0.66666666…"), ("29", 29.115, "29", "29.115"), ("fail", "fail", "fail", "fail")])
def test_computed_values_in_the_form_of_the_printed_ones(printed: str, computed: float | str, shown: str, more: str
                                                         ) -> None:
    check = Check("what", printed, computed)
    assert check.agrees and check.holds and (check.shown(0), check.shown(3)) == (shown, more)
    assert not Check("what", printed, computed, "why it should not").holds


@pytest.mark.parametrize(("change", "said"), [
    (('Female: [1181, 555, "47%", "0.979"]', 'Female: [1181, 555, "47%", "0.980"]'), "≠ Female: ratio"),
    (('true_positive_rate: "0.500000"', 'true_positive_rate: "0.500001"'), "≠ everyone: true positive rate"),
    (('"80%", pass]\n          Black', '"80%", fail]\n          Black'), "≠ Hispanic: at four fifths"),
    (('["96.15%", "90.44%"', '["96.15%", "90.53%"'), "≠ true positive rate, lower bound"),
    (('deviations: "29"', 'deviations: "30"'), "≠ standard deviations apart"),
    (("204 of 408 by itself", "205 of 408 by itself"), "NOT KNOWN BEFORE: race Hispanic"),
    (('{printed: "64.2%"', '{printed: "64.3%"'), "= Hispanic or Latino: rate"),
])
def test_a_digit_that_differs_is_exit_1(govern: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                        change: tuple[str, str], said: str) -> None:
    text = PUBLISHED.read_text(encoding="utf-8")
    assert text.count(change[0]) == 1
    # One example is enough to notice: the one that was changed.
    head, *parts = re.split(r"(?m)^(?=  - name: )", text.replace(*change))
    (part,) = [p for p in parts if change[1] in p]
    (tmp_path / "published.yaml").write_text(head + part, encoding="utf-8")
    monkeypatch.setattr(selftest.examples, "__defaults__", (tmp_path / "published.yaml",))
    ran = govern("selftest")
    assert ran.code == 1 and said in ran.out and "Traceback" not in ran.err
    assert govern("selftest", "--quiet").code == 1


def test_the_command_prints_every_example_and_its_source(govern: Callable[..., Any], found: list[Example]) -> None:
    ran = govern("selftest")
    assert ran.code == 0 and ran.err == ""
    flat = " ".join(ran.out.split())
    for example in found:
        assert example.name in flat and example.source in flat
    marked = re.findall(r"^  [=*≠] ", ran.out, re.MULTILINE)
    assert len(marked) == sum(len(e.checks) + len(e.disagreements) for e in found)
    assert max(map(len, ran.out.splitlines())) <= 80
    quiet = govern("selftest", "--quiet")
    assert (quiet.code, quiet.out) == (0, "")
