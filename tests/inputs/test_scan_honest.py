"""Honest models pass the scan in every form, and it lists every name that loading them asks for."""

from __future__ import annotations

import importlib.util
import io
import pickle
import time
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from govern.inputs.scan import modules_needed, scan

CODECS: tuple[Any, ...] = (0, 1, 9, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3))


def _honest() -> types.ModuleType:
    place = Path(__file__).parents[2] / "tools" / "honest_models.py"
    spec = importlib.util.spec_from_file_location("honest_models", place)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def joblib_bytes(model: Any, compress: Any = 0, protocol: int | None = None) -> bytes:
    file = io.BytesIO()
    joblib.dump(model, file, compress=compress, protocol=protocol)
    return file.getvalue()


def forms(model: Any) -> dict[str, bytes]:
    made = {f"pickle {protocol}": pickle.dumps(model, protocol) for protocol in (2, 4, 5)}
    return made | {"joblib": joblib_bytes(model), "joblib 2": joblib_bytes(model, protocol=2)}


class Watching(pickle.Unpickler):
    """The real machine, noting every name it asks for."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self.asked: set[str] = set()

    def find_class(self, module: str, qualname: str) -> Any:
        self.asked.add(f"{module}.{qualname}")
        return super().find_class(module, qualname)


def check(models: Any, allowed_to_miss: int) -> int:
    """Number of models seen; every one that pickles is accepted and names nothing the scan did not list."""
    seen, missing, refused = 0, [], []
    np.random.seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, model in models:
            if model is None:
                missing.append(name)
                continue
            seen += 1
            for form, data in forms(model).items():
                result = scan(data)
                if not result.ok:
                    refused.append((name, form, result.refused[:2]))
                if form == "pickle 4":
                    machine = Watching(data)
                    machine.load()
                    assert machine.asked <= set(result.names), name
    assert not refused
    assert len(missing) <= allowed_to_miss, missing
    return seen


def test_every_estimator_of_scikit_learn_is_accepted() -> None:
    assert check(_honest().estimators(), allowed_to_miss=4) > 150


def test_combinations_scorers_and_values_are_accepted() -> None:
    assert check(_honest().combinations(), allowed_to_miss=4) > 150


def test_boosters_are_accepted() -> None:
    pytest.importorskip("xgboost")
    pytest.importorskip("lightgbm")
    assert check(_honest().boosters(), allowed_to_miss=0) == 16


def _forest() -> Any:
    from sklearn.ensemble import RandomForestClassifier

    random = np.random.default_rng(1)
    return RandomForestClassifier(20, random_state=1).fit(random.random((300, 4)), random.random(300) > 0.5)


@pytest.mark.parametrize("codec", CODECS)
def test_every_codec_of_joblib_is_read(codec: Any) -> None:
    data = joblib_bytes(_forest(), codec)
    result = scan(data)
    expected = codec[0] if isinstance(codec, tuple) else ("zlib" if codec else "none")
    assert result.ok and result.format == "joblib" and result.codec == expected
    assert modules_needed(result) == ("joblib", "numpy", "sklearn")


def test_objects_and_texts_in_joblib_arrays_are_read() -> None:
    value = [np.array(["a", None, 1.5], dtype=object), np.array(["æ"]), np.eye(3, order="F")[:, :2], np.zeros((0, 3)),
             np.array(2.0), np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]), np.zeros(2, "<M8[D]")]
    assert scan(joblib_bytes(value)).ok and scan(joblib_bytes(value, 3)).ok


def test_names_of_numpy_one_are_accepted_too() -> None:
    new = pickle.dumps(np.arange(3.0), 2)
    old = new.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    assert old != new and scan(old).ok
    assert "numpy.core.multiarray._reconstruct" in scan(old).names


def test_names_of_earlier_libraries_are_accepted() -> None:
    """scikit-learn before 1.8 pickles its loss module under a bare name, pandas before 3 by its inner modules."""
    loss = b"\x80\x04\x8c\x05_loss\x8c\x12CyHalfBinomialLoss\x93)R."
    frame = b"\x80\x04\x8c\x11pandas.core.frame\x8c\x09DataFrame\x93)\x81."
    assert scan(loss).ok and scan(frame).ok
    assert modules_needed(scan(loss)) == () and modules_needed(scan(frame)) == ("pandas",)


def test_a_large_text_is_passed_over() -> None:
    assert scan(pickle.dumps({"model": "x" * 2_000_000, "bytes": b"y" * 2_000_000})).ok


def test_a_scan_costs_little_beside_the_machine_it_is_built_on() -> None:
    data = pickle.dumps(_forest())
    plain: Any = pickle
    assert _best(scan, data) < 0.005 + 5 * _best(plain._loads, data)


def _best(read: Callable[[bytes], Any], data: bytes) -> float:
    """Seconds of the fastest of five readings."""
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        read(data)
        taken.append(time.perf_counter() - began)
    return min(taken)
