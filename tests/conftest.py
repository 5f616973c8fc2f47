"""What the tests share: running the command line, models on real data, reports made once."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
# One thread: two-core machines spin otherwise, and the worker asks for one thread too.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# What a step of GitHub Actions is told besides is tested where a test sets these itself.
for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
    os.environ.pop(name, None)

HERE = Path(__file__).parent
GERMAN = HERE / "data" / "german_credit.csv"
TIMESTAMP = "2026-11-22T00:00:00Z"


@dataclass(frozen=True)
class Ran:
    """What a command left: exit code, standard output and error, and the folder it ran in."""

    code: int
    out: str
    err: str
    folder: Path

    def document(self, name: str, folder: str = "govern-report") -> Any:
        """A JSON document the command wrote."""
        return json.loads((self.folder / folder / name).read_bytes())


@pytest.fixture
def govern(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Ran]:
    """Run `govern` with arguments in a folder (default: this test's own), as a user in CI would."""
    monkeypatch.setenv("CI", "true")
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)

    def run(*arguments: object, cwd: Path = tmp_path) -> Ran:
        from govern.cli import run as command

        monkeypatch.chdir(cwd)
        capfd.readouterr()
        code = command([str(a) for a in arguments])
        out, err = capfd.readouterr()
        return Ran(code, out, err, cwd)

    return run


@dataclass(frozen=True)
class Case:
    """A trained model with its evaluation data in a folder, and the arguments that report on it."""

    folder: Path
    arguments: tuple[str, ...]


@pytest.fixture(scope="session")
def german(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """German credit (real): a gradient boosting pipeline over text and numbers; labels good and bad."""
    import joblib
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    rows = pd.read_csv(GERMAN)
    features = rows.drop(columns=["sex", "credit_risk", "foreign_worker"])
    text = [c for c in features if features[c].dtype.kind not in "iuf"]
    model = make_pipeline(
        ColumnTransformer([("text", OrdinalEncoder(), text)], remainder="passthrough"),
        HistGradientBoostingClassifier(max_iter=30, random_state=0))
    model.fit(features.iloc[:500], rows["credit_risk"].iloc[:500])
    folder = tmp_path_factory.mktemp("german")
    joblib.dump(model, folder / "model.joblib", compress=3)
    rows.iloc[500:].to_csv(folder / "eval.csv", index=False)
    return Case(folder, ("model.joblib", "--data", "eval.csv", "--target", "credit_risk", "--positive", "bad",
                         "--favourable", "good", "--sensitive", "sex", "--sensitive", "age", "--band", "age=25,40",
                         "--sensitive", "sex:age", "--timestamp", TIMESTAMP))


@pytest.fixture(scope="session")
def logistic(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Made data in which groups do not differ, and a logistic regression; columns x, z, group, y."""
    import pickle

    import numpy as np
    import pandas as pd
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(7)
    n = 4000
    rows = pd.DataFrame({"x": rng.normal(size=n), "z": rng.normal(size=n), "group": rng.choice(["a", "b"], n)})
    rows["y"] = (rng.random(n) < 1 / (1 + np.exp(-1.5 * rows["x"] - 0.5 * rows["z"]))).astype(int)
    model = LogisticRegression().fit(rows[["x", "z"]].iloc[:2000], rows["y"].iloc[:2000])
    folder = tmp_path_factory.mktemp("logistic")
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    rows.iloc[2000:].to_csv(folder / "eval.csv", index=False)
    return Case(folder, ("model.pkl", "--data", "eval.csv", "--target", "y", "--sensitive", "group",
                         "--timestamp", TIMESTAMP))
