"""Decisions that were taken: selection counts of every step, of those who reached it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from govern.codec import encode
from govern.errors import InputError
from govern.evidence import Evidence
from govern.inputs.config import load_settings
from govern.measure import passing, run

ROWS = pd.DataFrame({
    "sex": ["w", "w", "w", "w", "m", "m", "m", None], "region": list("nnssnnss"),
    "screening": [1, 0, 1, 1, 1, 1, None, 1], "interview": ["yes", None, "no", "yes", "yes", "no", None, "yes"],
    "p": [1, 0, 0, 1, 1, 0, 0, 1], "y": [1, 0, 0, 1, 1, 1, 0, 0]})
SAID = "data: {decisions: {screening: screening, interview: {column: interview, selected: yes}}}"


def measured(folder: Path, rows: pd.DataFrame, said: str, **more: Any) -> Evidence:
    folder.mkdir(exist_ok=True)
    rows.to_csv(folder / "eval.csv", index=False)
    (folder / "govern.yaml").write_text(said)
    settings = load_settings({"data.path": folder / "eval.csv", "data.target": "y", "data.prediction": "p",
                              "data.sensitive": ["sex"], **{k.replace("_", "."): v for k, v in more.items()}},
                             config=None, cwd=folder)
    return run.measure(settings, None, created="2026-01-01T00:00:00Z", timed=False, progress=lambda *_: None).evidence


def rates(found: Evidence, decision: str | None) -> dict[str, tuple[Any, Any]]:
    counts = {}
    for g in found.groups:
        m = found.find("selection_rate", g.id, decision=decision)
        assert m is not None
        counts[" | ".join([g.name, *(f"{c}={v}" for c, v in g.within)])] = (m.numerator, m.denominator)
    return counts


def test_each_step_counts_those_who_reached_it(tmp_path: Path) -> None:
    found = measured(tmp_path, ROWS, SAID, data_control=["region"])
    assert rates(found, "screening") == {
        "everyone": (6, 7), "m": (2, 2), "w": (3, 4), "(missing)": (1, 1),
        "m | region=n": (2, 2), "w | region=n": (1, 2),
        "m | region=s": (0, 0), "w | region=s": (2, 2), "(missing) | region=s": (1, 1)}
    assert rates(found, "interview") == {
        "everyone": (4, 6), "m": (1, 2), "w": (2, 3), "(missing)": (1, 1),
        "m | region=n": (1, 2), "w | region=n": (1, 1),
        "m | region=s": (0, 0), "w | region=s": (1, 2), "(missing) | region=s": (1, 1)}
    assert rates(found, None)["everyone"] == (4, 8)  # the predictions stand beside them
    nobody = next(m for m in found.measurements if m.decision == "interview" and m.denominator == 0)
    assert (nobody.value, nobody.status, nobody.reason) == (None, "undefined", "no row of the group reached this step")
    some = next(m for m in found.measurements if m.decision == "screening" and m.group == "overall")
    assert some.interval is not None and some.reason is None and some.value == pytest.approx(6 / 7)
    # Not to have reached a step is no missing value.
    assert {m.slice for m in found.measurements if m.metric == "missing_share"} == {"column: sex", "column: region"}
    data = found.settings["data"]
    assert data["decisions"]["screening"] == {"column": "screening", "selected": "1"}


def test_the_favourable_label_is_taken_where_nothing_is_said(tmp_path: Path) -> None:
    found = measured(tmp_path, ROWS, "data: {decisions: {screening: screening}}", data_favourable="0")
    assert rates(found, "screening")["everyone"] == (1, 7)


def test_a_number_selects_whatever_its_type(tmp_path: Path) -> None:
    """1, 1.0 (a column with gaps) and "1" are one label; true is another."""
    for value in ("1", "1.0", "'1'"):
        said = f"data: {{decisions: {{screening: {{column: screening, selected: {value}}}}}}}"
        assert rates(measured(tmp_path, ROWS, said), "screening")["everyone"] == (6, 7)


@pytest.mark.parametrize(("said", "words"), [
    ("data: {decisions: {screening: {column: interview, selected: yess}}}",
     ['decision "screening"', 'no row of column "interview" holds "yess"', 'did you mean "yes"?']),
    ("data: {decisions: {screening: interview}}", ['holds "1"', 'its values: "no", "yes"', "selected: …"]),
    ("data: {decisions: {screening: {column: screning}}}", ['has no column "screning"', 'did you mean "screening"?']),
])
def test_what_is_refused(tmp_path: Path, said: str, words: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        measured(tmp_path, ROWS, said)
    assert all(w in str(caught.value) for w in words), str(caught.value)


def test_a_task_without_a_favourable_label_needs_to_be_told(tmp_path: Path) -> None:
    rows = ROWS.assign(y=np.arange(8) + 0.5, p=2.0)
    with pytest.raises(InputError, match=r"does not say which value means selected; write data\.decisions"):
        measured(tmp_path, rows, "data: {decisions: {screening: screening}}")
    found = measured(tmp_path, rows, "data: {decisions: {screening: {column: screening, selected: 1}}}")
    assert rates(found, "screening")["w"] == (3, 4)


def test_nobody_reached_a_step(tmp_path: Path) -> None:
    rows = ROWS.assign(interview=[None] * 7 + ["yes"], y=[1, 0, 0, 1, 1, 1, 0, None])
    found = measured(tmp_path, rows, SAID)
    assert rates(found, "interview") == {"everyone": (0, 0), "m": (0, 0), "w": (0, 0)}


@pytest.fixture(scope="module")
def many() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    n = 3000
    y = rng.integers(0, 2, n)
    return pd.DataFrame({"sex": rng.choice(["w", "m"], n), "race": rng.choice(["x", "y", "z"], n), "y": y,
                         "p": np.where(rng.random(n) < 0.8, y, 1 - y), "w": rng.lognormal(0, 0.6, n),
                         "step": pd.Series(rng.choice(["in", "out"], n)).mask(rng.random(n) < 0.3),
                         "person": rng.integers(0, 900, n)})


STEP = "data: {decisions: {step: {column: step, selected: in}}}"


def test_weighted_and_clustered_steps_equal_those_of_predictions(tmp_path: Path, many: pd.DataFrame) -> None:
    """Rows that reached a step, with the decision as the prediction, give the same rate and effective rows."""
    reached = many[many["step"].notna()]
    same = reached.assign(p=(reached["step"] == "in").astype(int))
    for i, more in enumerate(({"data_weight": "w"}, {"data_cluster": "person"},
                              {"data_weight": "w", "data_cluster": "person"})):
        found = measured(tmp_path / f"a{i}", many, STEP, data_sensitive=["sex", "race", "sex:race"], **more)
        other = measured(tmp_path / f"b{i}", same, "{}", data_sensitive=["sex", "race", "sex:race"], **more)
        for g, h in zip(found.groups, other.groups, strict=True):
            a, b = found.find("selection_rate", g.id, decision="step"), other.find("selection_rate", h.id)
            assert a is not None and b is not None and g.values == h.values
            assert (a.numerator, a.denominator, a.effective) == pytest.approx(
                (b.numerator, b.denominator, b.effective), rel=1e-9), g.name


def test_one_batch_or_many_any_order(tmp_path: Path, many: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    more = {"data_weight": "w", "data_cluster": "person", "data_sensitive": ["sex", "race", "sex:race"]}
    one = encode(measured(tmp_path / "a", many, STEP, **more).measurements)
    monkeypatch.setattr(passing, "BATCH_ROWS", 53)
    again = many.sample(frac=1, random_state=1).reset_index(drop=True)
    assert one == encode(measured(tmp_path / "b", again, STEP, **more).measurements)
