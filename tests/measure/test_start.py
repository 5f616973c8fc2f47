"""The model's file on its way: sent at once where nothing has to wait for it, and loaded the same either way."""

from __future__ import annotations

import pickle
import time
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from govern.errors import InputError
from govern.inputs.config import load_settings
from govern.inputs.settings import Settings
from govern.measure import start as module
from govern.measure.start import start
from govern.worker.client import Worker


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    x = np.arange(20.0).reshape(-1, 1)
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(LogisticRegression().fit(x, x[:, 0] > 9)))
    return load_settings({"model.path": tmp_path / "m.pkl", "data.path": tmp_path / "e.csv", "data.target": "y"},
                         config=None, cwd=tmp_path)


@pytest.mark.parametrize(("cores", "room", "early"), [(2, 1 << 20, True), (2, 10, False), (1, 1 << 20, False)])
def test_a_model_is_sent_at_once_where_there_is_room_and_a_processor(
        settings: Settings, monkeypatch: pytest.MonkeyPatch, cores: int, room: int, early: bool) -> None:
    monkeypatch.setattr(module, "cores", lambda: cores)
    monkeypatch.setattr(Worker, "room", room)
    with Worker() as worker:
        started = start(worker, settings)
        assert started is not None and (started.loading is not None) is early
        found = started.described()
        assert (found.type, found.classes) == ("sklearn.linear_model.LogisticRegression", ("false", "true"))


def test_sending_what_there_is_room_for_does_not_wait_for_a_busy_process() -> None:
    """The process imports for longer than the sending may take."""
    with Worker() as worker:
        worker.preload(["sklearn.ensemble"])
        room = worker.room
        if not room:
            pytest.skip("no pipe here says how much it takes")
        began = time.monotonic()
        loading = worker.submit_load(bytes(room), "pickle", "m.pkl")
        assert time.monotonic() - began < 0.2 and not loading.arrived.is_set()
        with pytest.raises(InputError, match="cannot be loaded"):
            loading.result()


def test_what_is_wrong_with_the_file_is_told_when_its_description_is_wanted(settings: Settings) -> None:
    assert settings.model.path is not None
    settings.model.path.write_bytes(b"\x80\x04csklearn.linear_model\nNoSuchModel\n)R.")
    with Worker() as worker, pytest.raises(InputError) as told:
        started = start(worker, settings)
        assert started is not None
        started.described()
    assert "m.pkl" in str(told.value)
