"""What is said of the data beforehand, held against the data: shares, cases, pairs, days, contract."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from govern.errors import InputError
from govern.evidence import Evidence, Measurement
from govern.inputs.config import load_settings
from govern.measure import run

ROWS = pd.DataFrame({
    "sex": ["w", "w", "w", "m", "m", "m", "m", None], "age": [20, 30, 40, 20, 30, 40, 50, 60],
    "region": ["n", "s", "n", "n", "n", None, "n", "s"],
    "day": ["2026-01-05", "2026-02-01", "2026-03-31", "2026-04-01", "2025-12-31", None, "2026-02-28", "2026-02-02"],
    "p": [1, 0, 0, 1, 1, 0, 0, 1], "y": [1, 0, 0, 1, 1, 1, 0, 0], "w": [2, 2, 2, 1, 1, 1, 1, 5]})


def measured(folder: Path, said: str = "{}", rows: pd.DataFrame = ROWS, **more: Any) -> Evidence:
    folder.mkdir(exist_ok=True)
    rows.to_csv(folder / "eval.csv", index=False)
    (folder / "govern.yaml").write_text(said)
    flags = {"data.path": folder / "eval.csv", "data.target": "y", "data.prediction": "p", "data.bands": ["age=25,45"],
             "data.sensitive": ["sex", "age"], "data.control": ["region"]}
    settings = load_settings(flags | {k.replace("_", "."): v for k, v in more.items()}, config=None, cwd=folder)
    return run.measure(settings, None, created="2026-01-01T00:00:00Z", timed=False, progress=lambda *_: None).evidence


def refused(folder: Path, said: str, **more: Any) -> str:
    with pytest.raises(InputError) as caught:
        measured(folder, said, **more)
    return str(caught.value)


def of(found: Evidence, metric: str) -> list[Measurement]:
    return [m for m in found.measurements if m.metric == metric]


def named(found: Evidence, metric: str) -> dict[str, Measurement]:
    names = {g.id: g.name for g in found.groups}
    return {names[m.group]: m for m in of(found, metric)}


def test_group_shares_add_up_to_one(tmp_path: Path) -> None:
    found = measured(tmp_path)
    shares = {name: (m.numerator, m.denominator) for name, m in named(found, "group_share").items()}
    assert shares == {"w": (3, 8), "m": (4, 8), "(missing)": (1, 8), "25 or less": (2, 8), "26–45": (4, 8),
                      "46 or more": (2, 8)}
    assert all(m.value == m.numerator / m.denominator for m in of(found, "group_share"))


def test_weighted_shares_are_of_weights(tmp_path: Path) -> None:
    shares = named(measured(tmp_path, data_weight="w"), "group_share")
    assert {n: shares[n].value for n in ("w", "m", "(missing)")} == {"w": 6 / 15, "m": 4 / 15, "(missing)": 5 / 15}


def test_declared_shares_by_hand(tmp_path: Path) -> None:
    """Of the seven rows whose sex is known three are women: 3/7 against 0.5."""
    found = measured(tmp_path, "data: {shares: {sex: {w: 0.5, m: 0.5}}}")
    gaps = named(found, "group_share_gap")
    assert set(gaps) == {"w", "m"}
    assert gaps["w"].value == pytest.approx(0.5 - 3 / 7) and (gaps["w"].numerator, gaps["w"].denominator) == (3, 7)
    half = 3.5 / 8
    assert gaps["w"].se == pytest.approx(math.sqrt(half * (1 - half) / 8)) and gaps["w"].transform == "identity"
    (index,) = of(found, "group_share_stability")
    q = (3.5 / 8, 4.5 / 8)
    assert index.features == ("sex",) and index.value == pytest.approx(sum((v - 0.5) * math.log(v / 0.5) for v in q))


def test_declared_shares_of_weighted_rows(tmp_path: Path) -> None:
    gaps = named(measured(tmp_path, "data: {shares: {sex: {w: 0.5, m: 0.5}}}", data_weight="w"), "group_share_gap")
    assert gaps["w"].value == pytest.approx(0.1) and (gaps["w"].numerator, gaps["w"].denominator) == (6, 10)
    # Linearised: Σ weight² · (x − 0.6)² = 3 · 4 · 0.16 + 4 · 0.36 over 100 is a variance of 0.24 / 7.14… rows.
    sure = 0.24 / ((3 * 4 * 0.16 + 4 * 0.36) / 100)
    half = (0.6 * sure + 0.5) / (sure + 1)
    assert gaps["w"].se == pytest.approx(math.sqrt(half * (1 - half) / (sure + 1)))


def test_a_scale_of_weights_changes_no_share(tmp_path: Path) -> None:
    said = "data: {shares: {sex: {w: 0.5, m: 0.5}}}"
    one = measured(tmp_path / "a", said, data_weight="w")
    other = measured(tmp_path / "b", said, ROWS.assign(w=ROWS["w"] * 0.001), data_weight="w")
    for metric in ("group_share", "group_share_gap", "group_share_stability"):
        assert [m.value for m in of(one, metric)] == pytest.approx([m.value for m in of(other, metric)])


def test_a_declared_group_that_nobody_is_in(tmp_path: Path) -> None:
    said = "data: {sensitive: {sex: {levels: {w: women, m: men, x: other}}, age: null}, " \
           "shares: {sex: {women: 0.5, men: 0.4, other: 0.1}}}"
    found = measured(tmp_path, said)
    gap = named(found, "group_share_gap")["other"]
    assert (gap.value, gap.numerator, gap.denominator) == (0.1, 0, 7) and gap.se is not None and gap.se > 0


def test_all_groups_missing(tmp_path: Path) -> None:
    said = "data: {sensitive: {sex: {levels: {w: women, m: men}}, age: null}, shares: {sex: {women: 0.5, men: 0.5}}}"
    found = measured(tmp_path, said, ROWS.assign(sex=None))
    for metric in ("group_share_gap", "group_share_stability"):
        assert {(m.status, m.reason) for m in of(found, metric)} == {("undefined", "no row has a known group")}


@pytest.mark.parametrize(("said", "words"), [
    ("data: {shares: {sex: {w: 0.5, mm: 0.5}}}", ['no row has sex "mm"', 'did you mean "m"?']),
    ("data: {shares: {sex: {w: 1}}}", ['no share is declared of sex "m"', "unknown"]),
    ("data: {shares: {age: {25 or less: 0.5, 26-45: 0.25, 46 or more: 0.25}}}", ['no row has age "26-45"', '"26–45"']),
    ("data: {cases: [{sex: w, age: 26-45}]}", ["data.cases: sex=w, age=26-45", 'did you mean "26–45"?']),
    ("data: {cases: [{sex: zebra}]}", ['no row has sex "zebra"', "groups: m, w", "under levels"]),
])
def test_levels_that_no_row_holds_are_refused(tmp_path: Path, said: str, words: list[str]) -> None:
    line = refused(tmp_path, said)
    assert all(w in line for w in words) and "\n" not in line, line


def test_rows_of_cases(tmp_path: Path) -> None:
    found = measured(tmp_path, "data: {cases: [{sex: w, age: 26–45}, {region: s}, {sex: m, region: s}]}")
    assert [(m.slice, m.value) for m in of(found, "case_rows")] == [
        ("case: sex=w, age=26–45", 2.0), ("case: region=s", 2.0), ("case: sex=m, region=s", 0.0)]


def test_rows_of_cases_are_rows_whatever_their_weight(tmp_path: Path) -> None:
    (case,) = of(measured(tmp_path, "data: {cases: [{sex: w}]}", data_weight="w"), "case_rows")
    assert case.value == 3.0


def test_a_case_whose_level_only_unused_rows_hold(tmp_path: Path) -> None:
    rows = ROWS.assign(sex=["w"] * 3 + ["m"] * 4 + ["x"], y=[1, 0, 0, 1, 1, 1, 0, None])
    (case,) = of(measured(tmp_path, "data: {cases: [{sex: x}]}", rows), "case_rows")
    assert case.value == 0.0


def test_coverage_of_pairs(tmp_path: Path) -> None:
    """sex has w, m; region n, s: of four pairs (w, n), (w, s), (m, n) occur; the missing ones are no values."""
    (pairs,) = of(measured(tmp_path, data_pairs=["sex", "region"]), "pair_coverage")
    assert (pairs.slice, pairs.numerator, pairs.denominator, pairs.value) == ("pairs: sex, region", 3, 4, 0.75)


def test_coverage_of_pairs_over_three_columns(tmp_path: Path) -> None:
    """age in its three bands: with sex w 2, m 3 of 6; with region n 3, s 2 of 6."""
    (pairs,) = of(measured(tmp_path, data_pairs=["sex", "age", "region"]), "pair_coverage")
    assert (pairs.numerator, pairs.denominator) == (3 + 5 + 5, 4 + 6 + 6)


def test_pairs_of_declared_and_unknown_levels(tmp_path: Path) -> None:
    said = 'data: {sensitive: {sex: {levels: {w: w, x: x}, unknown: [m]}}}'
    (pairs,) = of(measured(tmp_path, said, data_sensitive=["sex"], data_pairs=["sex", "region"], data_bands=None),
                  "pair_coverage")
    assert (pairs.numerator, pairs.denominator) == (2, 4)


def test_pairs_of_numbers_are_of_quarters(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rows = pd.DataFrame({"x": rng.normal(size=400), "sex": rng.choice(["w", "m"], 400), "y": rng.integers(0, 2, 400)})
    rows["p"] = rows["y"]
    more = {"data_sensitive": ["sex"], "data_bands": None, "data_control": None}
    (pairs,) = of(measured(tmp_path, "{}", rows, data_pairs=["x", "sex"], **more), "pair_coverage")
    assert (pairs.numerator, pairs.denominator) == (8, 8)
    texts = rows.assign(x=[f"v{i}" for i in range(400)])
    with pytest.raises(InputError, match="more than 50 different values; leave it out of --pair-column"):
        measured(tmp_path, "{}", texts, data_pairs=["x", "sex"], **more)


def test_days_outside_the_period(tmp_path: Path) -> None:
    """Both ends count: 31 December and 1 April lie outside of seven dated rows."""
    found = measured(tmp_path, data_date="day", data_period="2026-01-05..2026-03-31")
    (share,) = of(found, "out_of_period_share")
    assert (share.numerator, share.denominator, share.value) == (2, 7, 2 / 7)
    assert share.reason == "without 1 rows that have no date"
    assert found.data.period == ("2025-12-31", "2026-04-01")
    roles = {c.name: c.role for c in found.data.columns}
    assert roles["day"] == "date"


def test_a_date_column_alone_gives_the_period(tmp_path: Path) -> None:
    found = measured(tmp_path, data_date="day")
    assert found.data.period == ("2025-12-31", "2026-04-01") and not of(found, "out_of_period_share")


def test_no_row_has_a_date(tmp_path: Path) -> None:
    found = measured(tmp_path, "{}", ROWS.assign(day=None), data_date="day", data_period="2026-01-05..2026-03-31")
    (share,) = of(found, "out_of_period_share")
    assert (share.status, share.reason, share.value) == ("undefined", "no row has a date", None)
    assert found.data.period == ()


def test_what_is_no_date_is_refused(tmp_path: Path) -> None:
    rows = ROWS.assign(day=["03/11/2026"] * 8)
    assert 'column "day" holds "03/11/2026", which is no date' in refused(tmp_path, "{}", rows=rows, data_date="day")
    assert "not dates" in refused(tmp_path, "{}", data_date="age")
    assert 'did you mean "day"?' in refused(tmp_path, "{}", data_date="dday")


def test_contract_of_columns(tmp_path: Path) -> None:
    contract = "{age: {low: 25}, sex: {levels: [w, m], missing: false}, day: {kind: date}}"
    found = measured(tmp_path, f"data: {{contract: {contract}}}")
    assert {m.slice: (m.numerator, m.denominator) for m in of(found, "contract_break_share")} == {
        "column: age": (2, 8), "column: sex": (1, 8), "column: day": (0, 8)}
    assert 'has no column "agee"; did you mean "age"?' in refused(tmp_path, "data: {contract: {agee: {low: 25}}}")


def test_nothing_said_nothing_measured(tmp_path: Path) -> None:
    found = measured(tmp_path)
    silent = ("group_share_gap", "group_share_stability", "case_rows", "pair_coverage", "out_of_period_share",
              "contract_break_share", "train_overlap_share", "population_stability", "unseen_value_share")
    assert not [m.metric for m in found.measurements if m.metric in silent or m.decision or m.split != "eval"]
