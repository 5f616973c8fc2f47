"""The card of one's own house: what `report` in govern.yaml adds, and what of it is refused before writing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "policy"))
from policy_evidence import compute, pack_pass

from govern.codec import digest, document, load
from govern.inputs.brand import PNG
from govern.verdict import VERDICT_SCHEMA, Verdict

Govern = Callable[..., Any]
GOOD = """\
report:
  organisation: Bank of Examples
  colour: "#1D5B94"
  logo: brand/logo.png
  sections: [brand/rules.md]
  edition: summary
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "evidence.json").write_bytes(document(pack_pass()))
    (tmp_path / "brand").mkdir()
    (tmp_path / "brand" / "logo.png").write_bytes(PNG + b"pixels")
    (tmp_path / "brand" / "rules.md").write_text("# How we decide\n\nBy *two* people.\n")
    return tmp_path


def rendered(govern: Govern, folder: Path, config: str) -> Any:
    (folder / "house.yaml").write_text(config)
    return govern("render", "evidence.json", "--config", "house.yaml", "--format", "html", "--out", "cards")


def test_a_card_is_that_of_the_house(govern: Govern, folder: Path) -> None:
    ran = rendered(govern, folder, GOOD)
    assert ran.code == 0, ran.err
    page = (folder / "cards" / "card.html").read_text("utf-8")
    for said in ("Bank of Examples", 'fill="#1d5b94"', 'src="data:image/png;base64,', "<h3>How we decide</h3>",
                 "<em>two</em>"):
        assert said in page
    assert 'id="s19"' not in page and 'id="s18"' in page  # the summary


@pytest.mark.parametrize(("good", "bad", "said"), [
    ('"#1D5B94"', '"#eeeeee"', "report.colour: #eeeeee has a contrast of 1.16 to white"),
    ('"#1D5B94"', "blue", 'report.colour: "blue" is not a colour'),
    ("brand/logo.png", "brand/rules.md", "report.logo: rules.md is no PNG or JPEG picture"),
    ("brand/logo.png", "brand/none.png", "report.logo: none.png cannot be read"),
    ("[brand/rules.md]", "[brand/none.md]", "report.sections: none.md cannot be read"),
    ("[brand/rules.md]", "[brand]", "report.sections: brand cannot be read")])
def test_what_cannot_be_used_is_one_line_and_nothing_is_written(govern: Govern, folder: Path, good: str, bad: str,
                                                                said: str) -> None:
    ran = rendered(govern, folder, GOOD.replace(good, bad))
    assert ran.code == 2 and said in ran.err and ran.err.count("\n") == 1
    assert not (folder / "cards").exists()


def test_what_changed_is_compared_with_the_evidence_and_the_times_beside_it(govern: Govern, folder: Path) -> None:
    def stored(name: str, latency: float) -> Path:
        where = folder / name
        where.mkdir()
        data = document(pack_pass())
        (where / "evidence.json").write_bytes(data)
        timed = compute(latency_p95_ms=latency)
        (where / "compute.json").write_bytes(document(type(timed)(
            timed.schema, digest(data), timed.machine, timed.measurements)))
        return where / "evidence.json"

    ran = govern("check", stored("new", 4.5), "--policy", "baseline", "--baseline", stored("old", 4.0), "--out", "v",
                 "--today", "2026-11-22")
    assert ran.code == 0, ran.err
    verdict, _ = load(folder / "v" / "verdict.json", Verdict, VERDICT_SCHEMA)
    assert verdict.since is not None and {"baseline", "baseline_compute"} <= set(verdict.judged)
    last = verdict.since.rows[-1]
    assert (last.metric, last.old, last.new) == ("latency_p95_ms", 4.0, 4.5)
