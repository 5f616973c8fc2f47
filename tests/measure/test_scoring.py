"""Scoring rates and the tie share: the median is that of every row, above it means strictly above."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from govern.evidence import Evidence
from govern.inputs.config import load_settings
from govern.measure import passing, run
from govern.stats import entries


def measured(folder: Path, rows: pd.DataFrame, **more: Any) -> Evidence:
    rows.to_parquet(folder / "eval.parquet")
    settings = load_settings({"data.path": folder / "eval.parquet", "data.target": "y", "data.positive": "1",
                              "data.score": "score", "data.threshold": 0.5, "data.sensitive": ["who"],
                              **{k.replace("_", "."): v for k, v in more.items()}}, config=None, cwd=folder)
    return run.measure(settings, None, created="2026-01-01T00:00:00Z", timed=False, progress=lambda *_: None).evidence


def rates(found: Evidence) -> dict[str, tuple[Any, Any]]:
    """Numerator and denominator of the scoring rate by the name of the group."""
    shares = {}
    for g in found.groups:
        m = found.find("scoring_rate", g.id)
        assert m is not None
        shares[g.name] = (m.numerator, m.denominator)
    return shares


def test_the_median_is_that_of_the_full_sample(tmp_path: Path) -> None:
    """Among the known rows alone the median would be 2.5, and both groups one of two."""
    rows = pd.DataFrame({"who": ["A", "A", "B", "B", None, None], "score": [1.0, 4, 2, 3, 10, 10],
                         "y": [0, 1, 0, 1, 0, 1]})
    found = measured(tmp_path, rows)
    assert rates(found) == {"everyone": (3, 6), "A": (1, 2), "B": (0, 2), "(missing)": (2, 2)}
    tie = found.find("median_tie_share")
    assert tie is not None and (tie.value, tie.numerator, tie.denominator) == (0.0, 0, 6)  # the median is 3.5
    ids = {g.name: g.id for g in found.groups}
    pairs = {(m.group, m.reference): m.value for m in found.measurements
             if m.metric == "scoring_rate" and m.compare == "ratio"}
    assert pairs[ids["B"], ids["A"]] == 0.0 if (ids["B"], ids["A"]) in pairs else pairs[ids["A"], ids["B"]] is None
    rest = found.find("scoring_rate", ids["A"], "rest")
    assert rest is not None and (rest.numerator, rest.denominator) == (2, 4)


def test_unknown_rows_are_in_the_median_too(tmp_path: Path) -> None:
    rows = pd.DataFrame({"who": ["A", "A", "B", "B", "?", "?"], "score": [1.0, 4, 2, 3, 10, 10],
                         "y": [0, 1, 0, 1, 0, 1]})
    (tmp_path / "govern.yaml").write_text('data: {sensitive: {who: {unknown: ["?"]}}}')
    assert rates(measured(tmp_path, rows)) == {"everyone": (3, 6), "A": (1, 2), "B": (0, 2), "(unknown)": (2, 2)}


def test_above_is_strict_and_ties_are_counted(tmp_path: Path) -> None:
    rows = pd.DataFrame({"who": list("aabba"), "score": [1.0, 2, 2, 2, 3], "y": [0, 1, 0, 1, 1]})
    found = measured(tmp_path, rows)
    assert rates(found) == {"everyone": (1, 5), "a": (1, 3), "b": (0, 2)}
    tie = found.find("median_tie_share")
    assert tie is not None and (tie.numerator, tie.denominator, tie.value) == (3, 5, 0.6)


def test_neighbouring_floats_do_not_hide_a_row_above(tmp_path: Path) -> None:
    """The mean of two neighbours is one of them: the rows above are those above the lower."""
    low, high = 1.0, float(np.nextafter(1.0, 2))
    rows = pd.DataFrame({"who": ["a", "b"], "score": [low, high], "y": [0, 1]})
    assert rates(measured(tmp_path, rows)) == {"everyone": (1, 2), "a": (0, 1), "b": (1, 1)}


def test_all_scores_equal(tmp_path: Path) -> None:
    rows = pd.DataFrame({"who": list("aabb"), "score": [0.3] * 4, "y": [0, 1, 0, 1]})
    found = measured(tmp_path, rows)
    assert rates(found) == {"everyone": (0, 4), "a": (0, 2), "b": (0, 2)}
    tie = found.find("median_tie_share")
    assert tie is not None and tie.value == 1.0


def test_no_scores_no_scoring_rate(tmp_path: Path) -> None:
    rows = pd.DataFrame({"who": list("aabb"), "p": [0, 1, 1, 1], "y": [0, 1, 0, 1]})
    found = measured(tmp_path, rows, data_score=None, data_threshold=None, data_prediction="p")
    assert not [m for m in found.measurements if m.metric in ("scoring_rate", "median_tie_share")]


@pytest.fixture(scope="module")
def many() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    n = 4000
    y = rng.random(n) < 0.3
    return pd.DataFrame({"who": pd.Series(rng.choice(["a", "b", "c"], n)).mask(rng.random(n) < 0.1),
                         "sex": rng.choice(["w", "m"], n), "score": rng.beta(1 + y, 3).round(3), "y": y.astype(int),
                         "w": rng.lognormal(0, 0.6, n), "person": rng.integers(0, 1500, n)})


def test_against_pandas_with_intersections(tmp_path: Path, many: pd.DataFrame) -> None:
    found = measured(tmp_path, many, data_sensitive=["who", "sex", "who:sex"])
    median = many["score"].median()
    for g in found.groups:
        own = many
        for feature, value in zip(g.features, g.values, strict=True):
            own = own[own[feature].isna() if value is None else own[feature] == value]
        m = found.find("scoring_rate", g.id)
        assert m is not None and (m.numerator, m.denominator) == ((own["score"] > median).sum(), len(own)), g.name
    tie = found.find("median_tie_share")
    assert tie is not None and tie.numerator == (many["score"] == median).sum()


def test_weights_are_rows_repeated(tmp_path: Path, many: pd.DataFrame) -> None:
    """Whole weights give the shares of the rows written out; the median is theirs too."""
    weighted = many.assign(w=np.random.default_rng(1).integers(1, 4, len(many)))
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = measured(tmp_path / "a", weighted, data_weight="w")
    out = measured(tmp_path / "b", weighted.loc[weighted.index.repeat(weighted["w"])])
    for g in one.groups:
        a, b = one.find("scoring_rate", g.id), out.find("scoring_rate", g.id)
        assert a is not None and b is not None and a.effective is not None
        assert (a.numerator, a.denominator) == pytest.approx((b.numerator, b.denominator), rel=1e-12)
        assert a.effective < b.denominator  # type: ignore[operator]


def test_clusters_make_a_rate_less_sure(tmp_path: Path, many: pd.DataFrame) -> None:
    found = measured(tmp_path, many.assign(score=(many["person"] % 97) / 97), data_cluster="person")
    m = found.find("scoring_rate")
    assert m is not None and m.effective is not None and m.effective < len(many) / 2
    assert m.value == pytest.approx((many["person"] % 97 > (many["person"] % 97).median()).mean(), abs=1e-12)


def test_binned_scores_say_what_the_bin_hides(tmp_path: Path, many: pd.DataFrame,
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    exact, odd = rates(measured(tmp_path, many)), rates(measured(tmp_path, many[1:]))
    monkeypatch.setattr(entries, "EXACT_ROWS", 1000)
    halfway = measured(tmp_path, many)
    whole = halfway.find("scoring_rate")
    assert rates(halfway) == exact and whole is not None and whole.reason is None
    found = measured(tmp_path, many[1:])
    m, tie = found.find("scoring_rate"), found.find("median_tie_share")
    assert m is not None and tie is not None and m.reason is not None and tie.reason is not None
    # Scores of three decimal places lie in bins of their own: nothing is hidden.
    tied = (many[1:]["score"] == many[1:]["score"].median()).sum()
    assert rates(found) == odd and tie.numerator == tied > 0
    assert "16,384 bins" in m.reason and tie.reason.startswith("at most this") and f"{tie.numerator:,} rows" in m.reason


def test_one_batch_or_many_any_order(tmp_path: Path, many: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    one = measured(tmp_path / "a", many, data_weight="w", data_cluster="person")
    monkeypatch.setattr(passing, "BATCH_ROWS", 61)
    again = many.sample(frac=1, random_state=2).reset_index(drop=True)
    other = measured(tmp_path / "b", again, data_weight="w", data_cluster="person")
    assert [m for m in one.measurements if m.metric == "scoring_rate"] \
        == [m for m in other.measurements if m.metric == "scoring_rate"]
