"""`govern render --lang ja` from stored documents, and a character that no font of the card has."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from govern.resources import resource

EVIDENCE = resource("policies", "baseline.pass.json")
Govern = Callable[..., Any]


def test_the_card_of_a_file_in_japanese(govern: Govern, tmp_path: Path) -> None:
    ran = govern("render", EVIDENCE, "--lang", "ja", "--format", "html", "--out", "cards")
    page = (tmp_path / "cards" / "card.html").read_text("utf-8")
    assert ran.code == 0 and '<html lang="ja"' in page and "モデルカード" in page and "Model card" not in page


def test_a_character_without_a_glyph_ends_in_2_with_nothing_written(govern: Govern, tmp_path: Path) -> None:
    given = tmp_path / "evidence.json"
    given.write_text(EVIDENCE.read_text("utf-8").replace('"women"', '"여성"'), "utf-8")
    for lang in ("en", "ja"):
        ran = govern("render", given, "--lang", lang, "--format", "html", "--out", "cards")
        assert ran.code == 2 and not (tmp_path / "cards").exists()
        assert "U+C131 HANGUL SYLLABLE SEONG" in ran.err and len(ran.err.splitlines()) == 1
        assert ran.err.startswith("govern: evidence.json ")


def test_a_report_in_japanese_says_nothing_after_its_end(logistic: Any, tmp_path: Path) -> None:
    """Two sets of fonts are held then, and what is collected late finds half an interpreter."""
    done = subprocess.run(
        [sys.executable, "-m", "govern", "report", str(logistic.folder / "model.pkl"), "--data",
         str(logistic.folder / "eval.csv"), "--target", "y", "--sensitive", "group", "--lang", "ja", "--out", "out"],
        cwd=tmp_path, text=True, capture_output=True, env={**os.environ, "CI": "true"})
    assert done.returncode == 0 and (tmp_path / "out" / "card.pdf").exists()
    assert all(line.startswith("govern: ") for line in done.stderr.splitlines()), done.stderr
