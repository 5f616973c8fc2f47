"""Mutated and generated policy files: read and judged, or refused in one line; `bench/fuzz_policies.py` does 20,000."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

FILES = 500


@pytest.fixture(scope="module")
def bench() -> dict[str, Any]:
    return runpy.run_path(str(Path(__file__).parents[2] / "bench" / "fuzz_policies.py"))


def test_no_file_makes_a_traceback(bench: dict[str, Any]) -> None:
    said, bugs, slowest = bench["run"](FILES, 7)
    assert not bugs, bugs[0][1] + repr(bugs[0][0])
    # The files reach both the gate and most of the reader, so the test can find something.
    assert said["read"] > FILES // 20 and len(said) > 100 and slowest < bench["SLOW"]


def test_the_sample_reaches_every_part_of_the_language(bench: dict[str, Any], tmp_path: Path) -> None:
    from govern.policy.packs import load_policy

    (tmp_path / "p.yaml").write_text(bench["SAMPLE"], encoding="utf-8")
    policy = load_policy("p.yaml", base=tmp_path)
    assert policy.waiver_days == 30 and policy.rules[-1].conditions[0][0] == "sample"
    assert len({rule.fields.kind for rule in policy.rules}) >= 8


def test_files_are_the_same_for_the_same_seed(bench: dict[str, Any]) -> None:
    one, two = (list(bench["Fuzz"](3).files(60)) for _ in range(2))
    assert one == two and one != list(bench["Fuzz"](4).files(60))
