"""What the user may trust beyond the allow-list, and what never; and reading of model files."""

from __future__ import annotations

import gzip
import io
import pickle
import random
import sys
import types
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from govern.errors import InputError
from govern.inputs.models import read_model
from govern.inputs.scan import Refusal, modules_needed, scan


@pytest.fixture
def package() -> Iterator[types.ModuleType]:
    """A package of the user's own with a transformer and a function in it."""
    module = types.ModuleType("credit_models.steps")
    exec("class Ratio:\n    def __init__(self, a): self.a = a\ndef double(x): return x", module.__dict__)
    for one in ("Ratio", "double"):
        getattr(module, one).__module__ = module.__name__
    sys.modules["credit_models"], sys.modules[module.__name__] = types.ModuleType("credit_models"), module
    yield module
    del sys.modules["credit_models"], sys.modules[module.__name__]


def own(package: types.ModuleType) -> bytes:
    return pickle.dumps(make_pipeline(package.Ratio([np.eye(2)]), FunctionTransformer(package.double)))


def test_refusal_says_the_line_to_add(package: types.ModuleType) -> None:
    result = scan(own(package))
    assert {one.trust for one in result.refused} == {"credit_models.steps.Ratio", "credit_models.steps.double"}
    assert {one.why for one in result.refused} == {"is not on the allow-list"}


def test_exact_trust_admits_only_what_it_names(package: types.ModuleType) -> None:
    result = scan(own(package), ["credit_models.steps.Ratio"])
    assert [one.name for one in result.refused] == ["credit_models.steps.double"]
    both = scan(own(package), ["credit_models.steps.Ratio", "credit_models.steps.double", "other.Unused"])
    assert both.ok and both.trusted == ("credit_models.steps.Ratio", "credit_models.steps.double")
    # What the user trusts is imported when the model is loaded, not ahead of it.
    assert "credit_models" not in modules_needed(both) and "sklearn" in modules_needed(both)


@pytest.mark.parametrize("text", ["credit_models.*", "credit_models.steps.*"])
def test_a_package_can_be_trusted(text: str, package: types.ModuleType) -> None:
    result = scan(own(package), [text])
    assert result.ok and result.trusted == (text,)


def test_trust_of_a_package_is_not_a_prefix_of_another(package: types.ModuleType) -> None:
    assert not scan(own(package), ["credit.*"]).ok and not scan(own(package), ["credit_models.step.*"]).ok


def test_trust_opens_nothing_beside_it(package: types.ModuleType) -> None:
    package.Ratio.__reduce__ = lambda self: (print, ("a",))  # type: ignore[attr-defined]
    result = scan(pickle.dumps([package.Ratio(1)]), ["credit_models.*"])
    assert [one.name for one in result.refused] == ["builtins.print"]
    dotted = b"\x80\x04\x8c\x0dcredit_models\x8c\x09os.system\x93."
    assert not scan(dotted, ["credit_models.*"]).ok


@pytest.mark.parametrize("text", [
    "sklearn.*", "numpy.*", "os.*", "builtins.*", "joblib.*", "pandas.io.*", "cloudpickle.*", "os.system",
    "builtins.eval", "numpy.savetxt", "joblib.memory.Memory", "__main__.Model", "__main__.*",
    "*", "", "Model", ".*", "a..b", "my package.Model", "sklearn.utils._testing.raises", "pandas.HDFStore",
    "sklearn.metrics._dist_metrics.PyFuncDistance64", "scipy.stats._continuous_distns.uniform_gen"])  # fmt: skip
def test_trust_that_would_open_a_library_is_an_error(text: str) -> None:
    with pytest.raises(InputError, match="--trust"):
        scan(pickle.dumps(1), [text])


def test_a_class_of_another_version_can_be_trusted_by_name() -> None:
    data = b"\x80\x04\x8c\x11sklearn.new.thing\x8c\x0aNewLearner\x93)\x81."
    assert scan(data).refused == (Refusal("sklearn.new.thing.NewLearner", "is not among the classes of sklearn known "
                                          "here", "sklearn.new.thing.NewLearner"),)
    assert scan(data, ["sklearn.new.thing.NewLearner"]).ok


def test_many_names_are_cut_at_two_hundred() -> None:
    names = b"".join(b"\x8c\x01a\x8c\x05b%04d\x930" % i for i in range(1000))
    assert len(scan(b"\x80\x04" + names + b"N.").refused) == 200


def _seeds() -> list[bytes]:
    X = np.random.default_rng(0).random((40, 3))
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, np.arange(40) % 2)
    file = io.BytesIO()
    joblib.dump([model, np.array([1, None, "a"], dtype=object)], file)
    return [pickle.dumps(model), pickle.dumps(model, 2), file.getvalue(), gzip.compress(file.getvalue(), mtime=0)]


def test_damaged_files_never_raise_and_never_run_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    dice = random.Random(20261122)
    for data in _seeds():
        for _ in range(150):
            mutant = bytearray(data)
            for _ in range(dice.randint(1, 8)):
                place = dice.randrange(len(mutant))
                match dice.randrange(4):
                    case 0:
                        mutant[place] = dice.randrange(256)
                    case 1:
                        del mutant[place : place + dice.randint(1, 9)]
                    case 2:
                        mutant[place:place] = dice.randbytes(dice.randint(1, 9))
                    case _:
                        mutant[place] ^= 1 << dice.randrange(8)
            for one in scan(bytes(mutant)).refused:
                assert one.why and one.name
    assert list(tmp_path.iterdir()) == []


def test_every_truncation_is_refused() -> None:
    for data in _seeds():
        assert scan(data).ok
        for cut in range(0, len(data), max(1, len(data) // 97)):
            assert not scan(data[:cut]).ok


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("schema.json", "{}")


def test_model_file_is_read_once_and_told_by_its_content(tmp_path: Path) -> None:
    place = tmp_path / "model.txt"
    place.write_bytes(pickle.dumps(LogisticRegression()))
    found = read_model(place)
    assert (found.name, found.format, found.size) == ("model.txt", "pickle", len(found.data))
    assert len(found.sha256) == 64 and scan(found.data).ok
    joblib.dump(np.eye(2), place)
    assert read_model(place).format == "joblib"
    joblib.dump(np.eye(2), place, compress=("xz", 1))
    assert read_model(place).format == "joblib"


@pytest.mark.parametrize(("content", "says"), [
    (b"", "is empty"), (b"age,sex\n1,2\n", "not a model file"), (b"PK\x03\x04", "zip archive"), (b"\x80",
    "not a model"),
    (pickle.dumps([1], 0), "protocol 0 or 1"), (b"tree\nversion=v4", "LightGBM text model"), (b'{"a": 1}', "JSON")])
def test_what_is_no_model_file_is_one_line(content: bytes, says: str, tmp_path: Path) -> None:
    place = tmp_path / "model.pkl"
    place.write_bytes(content)
    with pytest.raises(InputError, match=says) as caught:
        read_model(place)
    assert "\n" not in str(caught.value) and str(place) in str(caught.value)


def test_missing_files_folders_and_zips_are_one_line(tmp_path: Path) -> None:
    _zip(tmp_path / "a.skops")
    places: list[Any] = [("none.pkl", "no such file"), (".", "folder"), ("a.skops", "zip archive")]
    for name, says in places:
        with pytest.raises(InputError, match=says):
            read_model(tmp_path / name)


def test_trust_does_not_widen_a_name_on_the_list() -> None:
    data = b"\x80\x04\x8c\x09functools\x8c\x07partial\x93\x8c\x05numpy\x8c\x05log1p\x93\x85R."
    assert not scan(data, ["functools.partial"]).ok
