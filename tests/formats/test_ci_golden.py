"""Each format beside the text it must be, for a verdict with a finding of every outcome.

    python tests/formats/test_ci_golden.py

writes the texts anew; read the difference before you commit it.
"""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import ci_sample
import sample

from govern.formats.ci import FILES, FORMATS, tell

GOLDEN = Path(__file__).parent / "golden"
NAMES = {**FILES, "github": "annotations.txt"}


def told(name: str) -> str:
    e = sample.evidence(600)
    return tell([name], e, (ci_sample.verdict(e), sample.SHA["verdict"]))[name]


@pytest.mark.parametrize("name", [f for f in FORMATS if f != "ll144"])
def test_the_text_is_the_one_beside(name: str) -> None:
    expected = (GOLDEN / NAMES[name]).read_text(encoding="utf-8")
    differs = difflib.unified_diff(expected.splitlines(), told(name).splitlines(), "expected", "told", lineterm="")
    assert "\n".join(differs) == ""


if __name__ == "__main__":
    for format in FORMATS:
        if format != "ll144":
            (GOLDEN / NAMES[format]).write_text(told(format), encoding="utf-8")
