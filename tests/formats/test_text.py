from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parent))
import sample

from govern.formats.text import summary

FILES = {"card.html": "", "card.pdf": "", "evidence.json": sample.SHA["evidence"],
         "verdict.json": sample.SHA["verdict"]}
NAMES = {"25 or less": "aged twenty-five years or less and living in the northern provinces",
         "26–35": "二十六歳から三十五歳まで", "women": "[bold]women[/bold]"}


@pytest.mark.parametrize("unicode", [True, False])
@pytest.mark.parametrize("width", [80, 60, 40])
@pytest.mark.parametrize("outcome", ["BLOCK", "REVIEW", "PASS", None])
def test_never_wider_than_asked(outcome: str | None, width: int, unicode: bool) -> None:
    e = sample.evidence(rename=NAMES)
    v = sample.verdict(e, outcome) if outcome else None
    out = "a/rather/long/folder/name/for/the/report/of/this/model"
    text = summary(e, v, FILES, out=out, width=width, unicode=unicode)
    for line in text.plain.splitlines():
        assert cell_len(line) <= width
    if not unicode:
        assert text.plain.isascii()


def test_colour_changes_no_character() -> None:
    e = sample.evidence()
    text = summary(e, sample.verdict(e), FILES, out="govern-report")
    plain, coloured = (Console(width=80, force_terminal=c, no_color=not c, color_system="truecolor" if c else None)
                       for c in (False, True))
    with plain.capture() as bare:
        plain.print(text, end="")
    with coloured.capture() as ansi:
        coloured.print(text, end="")
    assert "\x1b[" in ansi.get()
    assert "\x1b[" not in bare.get()
    assert bare.get() == text.plain


def test_says_verdict_reasons_and_files() -> None:
    e = sample.evidence()
    text = summary(e, sample.verdict(e), FILES, out="govern-report").plain
    assert text.startswith(" credit-approval 3.2.0 · 6,000 rows · baseline, house-credit · phase team\n")
    assert "  BLOCK   1 block" in text
    assert " ✕ HC-02   selection rate ratio, age 25 or less to 26–35" in text
    assert "at least 0.92" in text
    assert "house-credit.yaml:14" in text
    assert "evidence.json (41ab09e2)" in text


def test_a_pass_with_unsettled_comparisons_says_so() -> None:
    e = sample.evidence()
    found = tuple(f for f in sample.findings(e) if f.outcome != "fail")
    text = summary(e, sample.verdict(e, "PASS", found), FILES, out="out").plain
    assert "  PASS   1 not settled" in text
    assert "1 comparison is not settled (not enough data)" in text
    passed = tuple(f for f in found if f.outcome == "pass")
    assert "every rule that was judged is within its bound" in summary(
        e, sample.verdict(e, "PASS", passed), FILES, out="out").plain


def test_many_findings_are_counted_not_listed() -> None:
    e = sample.evidence()
    one = sample.findings(e)[0]
    many = tuple(replace(one, rule=f"HC-{i}") for i in range(9))
    text = summary(e, sample.verdict(e, "BLOCK", many), FILES, out="out").plain
    assert text.count("✕") - text.count("━✕") <= 10
    assert "4 more findings in the card" in text
    assert "9 block" in text


def test_without_a_verdict() -> None:
    e = sample.evidence()
    text = summary(e, None, {"evidence.json": sample.SHA["evidence"]}, out="out").plain
    assert "NOT JUDGED" in text
    assert "no policy applied" in text


def test_control_characters_do_not_reach_the_terminal() -> None:
    e = sample.evidence(rename={"25 or less": "a\x1b]0;x\x07\u202eb"})
    text = summary(e, sample.verdict(e), FILES, out="out\x1b[2J").plain
    assert "\x1b" not in text
    assert "\u202e" not in text
