"""A model that crashes, hangs, raises, prints or misbehaves is one clear error, and no process is left."""

from __future__ import annotations

import os
import pickle
import sys
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from govern.errors import InputError
from govern.worker.client import Limits, Worker
from govern.worker.failures import ended
from govern.worker.process import MAX_NOISE

MODELS = '''
import os, signal, sys, time

class Base:
    classes_ = ["no", "yes"]
    def predict(self, x):
        self.act()
        return ["yes"] * len(x)
    def act(self):
        pass

class Crash(Base):
    def act(self):
        os.kill(os.getpid(), signal.SIGSEGV)

class Killed(Base):
    def act(self):
        os.kill(os.getpid(), signal.SIGKILL)

class Exit(Base):
    def act(self):
        os._exit(0)

class SysExit(Base):
    def act(self):
        sys.exit("bye")

class Hang(Base):
    def act(self):
        time.sleep(600)

class Hog(Base):
    def act(self):
        kept = bytearray(16 << 30)

class Raise(Base):
    def act(self):
        raise ValueError("no such thing:\\n\\x1b[31mred " + "x" * 1000)

class Silent(Base):
    def act(self):
        raise KeyError()

class Odd(Base):
    def act(self):
        class Unprintable(Exception):
            def __str__(self):
                raise RuntimeError
        raise Unprintable

class Noise(Base):
    def act(self):
        print("hello from the model")
        os.write(2, b"and more\\n" * 300_000)

class Wrong(Base):
    def predict(self, x):
        return ["yes"]

class Stranger(Base):
    def predict(self, x):
        return ["yes", "maybe"] + ["no"] * (len(x) - 2)

class Forger(Base):
    """Writes to the pipe of answers, whatever its number is."""
    def act(self):
        for handle in range(3, 1024):
            try:
                os.write(handle, b"x" * 5000)
            except OSError:
                pass

class Escape(Base):
    def act(self):
        import socket, subprocess
        seen = []
        for name, attempt in [
            ("socket", lambda: socket.socket()),
            ("unix", lambda: socket.socket(socket.AF_UNIX)),
            ("pair", lambda: socket.socketpair()),
            ("fork", os.fork),
            ("run", lambda: subprocess.run(["true"])),
            ("exec", lambda: os.execv("/bin/true", ["true"])),
            ("write", lambda: os.write(os.open(__file__ + "x", os.O_CREAT | os.O_WRONLY), b"x")),
        ]:
            try:
                attempt()
                seen.append(name)
            except OSError:
                pass
        raise ValueError("possible: " + ", ".join(seen) + "; secret: " + os.environ.get("SECRET_TOKEN", "none"))
'''
ROWS = pa.RecordBatch.from_pandas(pd.DataFrame({"a": [1.0, 2.0, 3.0]}))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a module of models, and the bytes of each by class name."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "govern_test_models.py").write_text(MODELS)
    return folder


def saved(name: str) -> bytes:
    """The pickle of an instance of a class in the module above, which this process never imports."""
    return f"cgovern_test_models\n{name}\n)R.".encode()


def hurry(worker: Worker) -> None:
    """Give the process one second from now on; starting and loading may take longer on a busy machine."""
    worker._process.limits = replace(worker._process.limits, wall_seconds=1)


def run(made: Path, name: str, hurried: bool = False, **limits):
    """The error of predicting with the model, after which no process of the worker is left."""
    with Worker(Limits(**limits), model_path=[made]) as worker:
        child = worker._process._child.pid
        worker.load(saved(name), "pickle", "m.pkl")
        if hurried:
            hurry(worker)
        with pytest.raises(InputError) as e:
            worker.predict(ROWS, "yes")
    assert gone(child)
    assert "\n" not in str(e.value) and len(f"govern: {e.value}") <= 300
    return str(e.value), worker


def gone(process: int) -> bool:
    try:
        os.killpg(process, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Crash", "m.pkl: the model's process ended by signal 11 (SIGSEGV) while predicting"),
        ("Killed", "was killed while predicting, most likely for using too much memory"),
        ("Exit", "ended on its own (exit code 0) while predicting"),
    ],
)
def test_a_dead_process_is_named(made, name, message):
    error, worker = run(made, name)
    assert message in error
    with pytest.raises(InputError):
        worker.predict(ROWS, "yes")


def test_a_hang_ends_in_time(made):
    started = time.monotonic()
    error, _ = run(made, "Hang", hurried=True)
    assert "gave no answer within 1 s while predicting" in error and time.monotonic() - started < 20


def test_too_much_memory(made):
    assert "ran out of memory while predicting (limit 4 GiB)" in run(made, "Hog", memory_bytes=4 << 30)[0]


def test_processor_time(made):
    if sys.platform != "linux":
        pytest.skip("signals differ")
    assert "used up its processor time while predicting" in str(ended(-24, "predicting", "m.pkl"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Raise", r"the model raised an error while predicting: no such thing: \x1b[31mred xxx"),
        ("SysExit", "raised an error while predicting: it asked to exit"),
        ("Silent", "KeyError without a message"),
        ("Odd", "Unprintable without a message"),
        ("Wrong", "wrong shape: predict gave shape (1,), not (3,)"),
    ],
)
def test_errors_of_the_model(made, name, message):
    error, _ = run(made, name)
    assert message in error
    assert ("check that the data" in error) or name == "Wrong"


def test_a_forged_answer_is_no_answer(made):
    assert "sent an answer that cannot be read" in run(made, "Forger")[0]


def test_noise_does_no_harm(made):
    with Worker(model_path=[made]) as worker:
        worker.load(saved("Noise"), "pickle", "m.pkl")
        for _ in range(2):
            assert worker.predict(ROWS, "yes").labels.tolist() == [1, 1, 1]
    assert worker.output.startswith("hello from the model") or "and more" in worker.output
    assert len(worker.output) <= MAX_NOISE


def test_labels_outside_the_classes(made):
    with Worker(model_path=[made]) as worker:
        described = worker.load(saved("Stranger"), "pickle", "m.pkl")
        assert described.type == "govern_test_models.Stranger" and not described.has_score
        assert worker.predict(ROWS, "yes").labels.tolist() == [1, -1, 0]


@pytest.mark.skipif(sys.platform != "linux", reason="the filter is Linux's")
def test_what_the_model_cannot_do(made, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    error, _ = run(made, "Escape")
    assert "possible: ; secret: none" in error
    with Worker() as other:
        assert {"no network (seccomp)", "no new processes (seccomp)", "address space 8 GiB"} <= set(other.layers)
        assert "reading files" in other.open and "network" not in other.open


def test_models_that_cannot_be_loaded(made):
    def error(data: bytes, format: str = "pickle") -> str:
        with pytest.raises(InputError) as e:
            worker.load(data, format, "m.pkl")
        return str(e.value)

    with Worker(model_path=[made]) as worker:
        assert 'needs the module "nowhere_at_all"; install it' in error(b"cnowhere_at_all\nModel\n)R.")
        assert 'needs "Mine" from __main__' in error(pickle_of("__main__", "Mine"))
        assert "move it into a module" in error(pickle_of("__main__", "Mine"))
        assert 'needs "Gone" from govern_test_models' in error(pickle_of("govern_test_models", "Gone"))
        assert "holds dict, not a model with predict" in error(pickle.dumps({"model": 1}))
        assert "cannot be loaded: " in error(b"\x80\x04garbage")
        assert "cannot be loaded: " in error(b"garbage", "joblib")
        assert 'needs the module "sklearn.nowhere"' not in error(b"csklearn.nowhere\nModel\n)R.")


def pickle_of(module: str, name: str) -> bytes:
    return b"\x80\x04" + f"c{module}\n{name}\n)R.".encode()


def test_a_version_too_old_to_load_is_named():
    state = b"\x80\x04\x95" + b"\0" * 8 + b"\x8c\x10_sklearn_version\x94\x8c\x060.24.2\x94"
    broken = b"csklearn.tree._tree\nNowhere\n)R." + state
    with Worker() as worker, pytest.raises(InputError) as e:
        worker.preload(["sklearn.tree"])
        worker.load(broken, "pickle", "old.pkl")
    assert str(e.value).startswith("old.pkl: saved with scikit-learn 0.24.2, cannot be loaded with ")
    assert str(e.value).endswith("install scikit-learn==0.24.2 or save the model again")


def test_no_process_is_left_when_the_parent_raises(made):
    worker = Worker(model_path=[made])
    child = worker._process._child.pid
    with pytest.raises(RuntimeError), worker:
        worker.load(saved("Hang"), "pickle", "m.pkl")
        worker.submit_predict(ROWS, "yes")
        raise RuntimeError
    assert gone(child)
    with pytest.raises(InputError, match="is closed"):
        worker.predict(ROWS, "yes")
    worker.close()  # twice does no harm


def test_large_requests_to_a_hung_process_end_too(made):
    rows = pa.RecordBatch.from_pydict({"a": pa.array([0.5] * 1_000_000)})
    with Worker(model_path=[made]) as worker:
        worker.load(saved("Hang"), "pickle", "m.pkl")
        hurry(worker)
        worker.submit_predict(ROWS, "yes")
        with pytest.raises(InputError, match="gave no answer within 1 s"):
            worker.submit_predict(rows, "yes")
