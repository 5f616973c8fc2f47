"""The shipped data are the published ones, and the demonstration's folder is complete and repeatable."""

from __future__ import annotations

import csv
import gzip
import pickle
from collections import Counter
from pathlib import Path

import pytest

from govern.demo.train import DATA, SENSITIVE, SETTINGS, TARGET, prepare, split

LIMIT_BYTES = 1_200_000


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with gzip.open(DATA, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("demo") / "new"
    prepare(place)
    return place


@pytest.mark.parametrize(
    ("column", "counts"),
    [
        ("sex", {"women": 18112, "men": 11888}),
        ("education", {"graduate school": 10585, "university": 14030, "high school": 4917, "other": 468}),
        ("marriage", {"married": 13659, "single": 15964, "other": 377}),
        ("default", {"0": 23364, "1": 6636}),
    ],
)
def test_counts_are_those_published(rows: list[dict[str, str]], column: str, counts: dict[str, int]) -> None:
    assert dict(Counter(row[column] for row in rows)) == counts


def test_first_client_is_the_first_of_the_original(rows: list[dict[str, str]]) -> None:
    first = rows[0]
    assert (first["sex"], first["age"], first["limit_bal"], first["pay_0"], first["bill_amt1"]) == (
        "women", "24", "20000", "2", "3913")
    assert first["education"] == "university" and first["marriage"] == "married" and first["default"] == "1"


def test_file_is_small_and_its_header_names_no_file_or_time() -> None:
    raw = DATA.read_bytes()
    assert len(raw) <= LIMIT_BYTES
    assert raw[3] == 0, "gzip flags: no stored file name"
    assert raw[4:8] == b"\0\0\0\0", "gzip time"


def test_split_uses_every_row_once() -> None:
    train, evaluation = split()
    assert train.num_rows == evaluation.num_rows == 15_000
    both = Counter(train[TARGET].to_pylist()) + Counter(evaluation[TARGET].to_pylist())
    assert both == {0: 23364, 1: 6636}


def test_folder_is_complete_and_repeatable(folder: Path, tmp_path: Path) -> None:
    prepare(tmp_path)
    names = ["eval.parquet", "govern.yaml", "model.pkl"]
    assert sorted(p.name for p in folder.iterdir()) == names
    for name in names:
        assert (folder / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_model_has_no_sensitive_feature_and_earns_its_floor(folder: Path) -> None:
    from sklearn.metrics import roc_auc_score

    model = pickle.loads((folder / "model.pkl").read_bytes())
    _, evaluation = split()
    frame = evaluation.to_pandas()
    names = list(model.feature_names_in_)
    assert not set(names) & {TARGET, *SENSITIVE}
    score = model.predict_proba(frame[names])[:, list(model.classes_).index(1)]
    assert 0.76 < roc_auc_score(frame[TARGET], score) < 0.80
    approved = score < 0.25
    women = (frame["sex"] == "women").to_numpy()
    assert approved[women].mean() > approved[~women].mean()
    assert 0.70 < approved.mean() < 0.80


def test_settings_state_the_direction() -> None:
    from ruamel.yaml import YAML

    settings = YAML(typ="safe", pure=True).load(SETTINGS.read_text(encoding="utf-8"))
    data = settings["data"]
    assert (data["target"], data["positive"], data["favourable"], data["threshold"]) == (TARGET, 1, 0, 0.25)
    assert settings["card"]["favourable_outcome"] == "approved"
    assert settings["policies"] == ["baseline"]
    assert settings["declared"]["primary"] == {"metric": "roc_auc", "min": 0.75}
