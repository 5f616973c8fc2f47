"""Hostile model files: every one refused, none of their payloads run. A payload makes a marker file at most."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from govern.inputs.scan import scan

MARKER = "govern-scan-marker"
HEAD, STOP = b"\x80\x04", b"."


def text(value: str) -> bytes:
    raw = value.encode()
    return b"\x8c" + bytes([len(raw)]) + raw


def name(module: str, qualname: str) -> bytes:
    return text(module) + text(qualname) + b"\x93"


def literal(value: Any) -> bytes:
    return pickle.dumps(value, 2)[2:-1].replace(b"q\x00", b"").replace(b"q\x01", b"")


def body(module: str, qualname: str, *args: Any) -> bytes:
    return name(module, qualname) + b"(" + b"".join(literal(a) for a in args) + b"tR"


def call(module: str, qualname: str, *args: Any) -> bytes:
    return HEAD + body(module, qualname, *args) + STOP


def instance(module: str, qualname: str, *pairs: tuple[str, bytes]) -> bytes:
    state = b"}(" + b"".join(text(key) + value for key, value in pairs) + b"u"
    return name(module, qualname) + b")\x81" + state + b"b"


LR = ("sklearn.linear_model._logistic", "LogisticRegression")
FT = ("sklearn.preprocessing._function_transformer", "FunctionTransformer")
DTYPE = ("numpy", "dtype")
TOUCH = f"touch {MARKER}"
CODE = f"open({MARKER!r}, 'w').close()"


class Payload:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path(MARKER),)


def _wrapped(dtype: bytes, shape: bytes = b"K\x01\x85", **more: bytes) -> bytes:
    pairs = [("subclass", name("numpy", "ndarray")), ("shape", shape), ("order", text("C")), ("dtype", dtype),
             ("allow_mmap", b"\x89"), ("numpy_array_alignment_bytes", b"N"), *more.items()]
    return instance("joblib.numpy_pickle", "NumpyArrayWrapper", *pairs)


def _dtype(code: str, *state: Any) -> bytes:
    made = body(*DTYPE, code, False, True)
    return made + (b"(" + b"".join(literal(s) for s in state) + b"tb" if state else b"")


def joblib_dump(value: Any, compress: Any = 0) -> bytes:
    file = io.BytesIO()
    joblib.dump(value, file, compress=compress)
    return file.getvalue()


PLAIN = call("os", "system", TOUCH)

CALLS: list[tuple[Any, ...]] = [
    ("os", "system", TOUCH), ("posix", "system", TOUCH), ("nt", "system", TOUCH), ("os", "popen", TOUCH),
    ("os", "mkdir", MARKER), ("os", "execvp", "touch", ["touch", MARKER]), ("subprocess", "Popen", ["touch", MARKER]),
    ("subprocess", "check_output", ["touch", MARKER]), ("builtins", "eval", CODE), ("builtins", "exec", CODE),
    ("builtins", "open", MARKER, "w"), ("io", "open", MARKER, "w"), ("_io", "FileIO", MARKER, "w"),
    ("builtins", "__import__", "os"), ("importlib", "import_module", "os"), ("runpy", "run_path", MARKER),
    ("timeit", "timeit", CODE, "pass", None, 1), ("pdb", "run", CODE), ("cProfile", "run", CODE), ("bdb", "Bdb"),
    ("pkgutil", "resolve_name", "os:system"), ("pydoc", "locate", "os.system"), ("ctypes", "CDLL", MARKER),
    ("shutil", "copy", "/etc/hostname", MARKER), ("pty", "spawn", ["touch", MARKER]), ("code", "interact"),
    ("webbrowser", "open", "file:///"), ("urllib.request", "urlopen", "file:///"), ("socket", "socket"),
    ("operator", "attrgetter", "system"), ("operator", "methodcaller", "touch"), ("functools", "reduce", 1, [1]),
    ("marshal", "loads", b"i"), ("pickle", "loads", b"N."), ("_pickle", "loads", b"N."), ("types", "FunctionType"),
    ("atexit", "register", 1), ("weakref", "finalize", 1, 2), ("tempfile", "mkstemp"), ("sqlite3", "connect", MARKER),
    ("logging", "FileHandler", MARKER), ("zipfile", "ZipFile", MARKER, "w"), ("pip", "main", ["list"]),
    ("multiprocessing.util", "spawnv_passfds", b"touch", [b"touch"], []), ("linecache", "getlines", MARKER),
    ("numpy", "savetxt", MARKER, [1.0]), ("numpy", "memmap", MARKER, "u1", "w+", 0, 8), ("numpy", "save",
    MARKER, [1]),
    ("numpy", "load", MARKER, None, True), ("numpy", "fromfile", MARKER), ("numpy", "genfromtxt", MARKER),
    ("numpy.lib.format", "open_memmap", MARKER, "w+", "u1", (8,)), ("numpy.lib._datasource", "DataSource", MARKER),
    ("numpy.testing._private.utils", "runstring", CODE, {}), ("numpy.f2py", "compile", b""),
    ("pandas", "read_pickle", MARKER), ("pandas.io.pickle", "to_pickle", 1, MARKER), ("pandas", "HDFStore", MARKER),
    ("pandas.core.computation.eval", "eval", "1"), ("joblib", "load", MARKER), ("joblib", "dump", 1, MARKER),
    ("joblib.memory", "Memory", MARKER), ("joblib.numpy_pickle", "_unpickle", 1), ("scipy.io", "savemat", MARKER, {}),
    ("sklearn.utils._testing", "assert_run_python_script_without_output", CODE),
    ("sklearn.datasets._base", "load_files", MARKER), ("sklearn.externals._packaging.version", "parse", "1"),
    ("cloudpickle.cloudpickle", "_make_function", 1), ("dill._dill", "_create_function", 1), ("torch", "load",
    MARKER),
    ("scipy.stats._continuous_distns", "uniform_gen"), ("lightgbm.basic", "Booster", None, None, MARKER),
    ("xgboost.core", "Booster", None, None, MARKER), ("__main__", "Model"), ("my_package.models", "Model"),
    (*LR, "l2"), ("sklearn.pipeline", "Pipeline", []), ("builtins", "bytearray", 10**12), ("builtins", "bytes",
    10**12),
    ("builtins", "getattr", 1, "__class__"), ("builtins", "map", 1, [1]), ("_codecs", "encode", "a", "rot13"),
    ("codecs", "decode", b"a", "zip"), (*DTYPE, "f8,O"), (*DTYPE, "O", False, True), (*DTYPE, [("a", "O")]),
    ("numpy._core.multiarray", "scalar.__call__", 1), ("", "", 1), ("os ", "system", 1), ("..os", "system", 1),
]  # fmt: skip

STREAMS: dict[str, bytes] = {
    "dotted name": call("sklearn.datasets._base", "os.mkdir", MARKER),
    "dotted name of a package": call("my_package", "os.system", TOUCH),
    "name from text opcodes": HEAD + b"Vos\nVsystem\n\x93" + literal((TOUCH,)) + b"R.",
    "name from the memo": HEAD + text("os") + b"\x94" + text("system") + b"\x940h\x00h\x01\x93"
    + literal((TOUCH,)) + b"R.",
    "name by GLOBAL": b"\x80\x02cos\nsystem\n" + literal((TOUCH,)) + b"R.",
    "Python 2 name": b"\x80\x02c__builtin__\neval\n" + literal((CODE,)) + b"R.",
    "name from a call": HEAD + body("builtins", "bytes") + text("system") + b"\x93.",
    "name from numbers": HEAD + b"K\x01K\x02\x93.",
    "INST": HEAD + b"(" + literal(TOUCH) + b"ios\nsystem\n.",
    "OBJ": HEAD + b"(" + name("os", "system") + literal(TOUCH) + b"o.",
    "EXT1": HEAD + b"\x82\x01.", "EXT2": HEAD + b"\x83\x01\x01.", "EXT4": HEAD + b"\x84\x01\x01\x00\x00.",
    "PERSID": HEAD + b"Pabc\n.", "BINPERSID": HEAD + b"K\x01Q.", "LONG4": HEAD + b"\x8b\x01\x00\x00\x00\x01.",
    "DUP": HEAD + b"K\x012\x86.", "text number": HEAD + b"I1\n.", "long text number": HEAD + b"L"
    + b"9" * 9000 + b"L\n.",
    "next buffer": b"\x80\x05\x97.", "second header": HEAD + HEAD + b"N.", "protocol 9": b"\x80\x09N.",
    "protocol 0": b"cos\nsystem\n(S'x'\ntR.", "protocol 1 in a stream": zlib.compress(b"cos\nsystem\n(S'x'\ntR."),
    "call taken back": HEAD + body("os", "system", TOUCH) + b"0N.",
    "call below a mark": HEAD + b"(" + body("os", "system", TOUCH) + b"1N.",
    "then broken": HEAD + body("os", "system", TOUCH) + b"\xff", "then truncated": PLAIN[:-1],
    "then nothing": HEAD + body("os", "system", TOUCH) + b"X\xff\xff\xff\x7f",
    "second pickle": pickle.dumps({"a": 1}) + PLAIN, "bytes after the end": pickle.dumps([1]) + b"\x00",
    "frame too long": HEAD + b"\x95" + struct.pack("<Q", 2**40) + b"N.",
    "bytes left in a frame": HEAD + b"\x95" + struct.pack("<Q", 4) + b"N.N.",
    "length beyond the file": HEAD + b"\x8e" + struct.pack("<Q", 2**50) + b"N.",
    "bytearray beyond the file": b"\x80\x05\x96" + struct.pack("<Q", 2**50) + b"N.",
    "memo place": HEAD + b"Nr\xff\xff\xff\xff.", "empty stack": HEAD + b"0.", "no such memo": HEAD + b"h\x05.",
    "BUILD on a name": HEAD + name(*LR) + literal({"predict": 1}) + b"b.",
    "BUILD on a dict": HEAD + b"}" + literal({"a": 1}) + b"b.",
    "BUILD on text": HEAD + text("a") + literal({"a": 1}) + b"b.",
    "BUILD with slots": HEAD + name(*LR) + b")\x81N" + literal({"predict": 1}) + b"\x86b.",
    "BUILD twice": HEAD + instance(*LR, ("C", b"K\x01")) + literal({"a": 1}) + b"b.",
    "call of an object": HEAD + instance(*LR) + b")R.", "made with arguments": HEAD + name(*LR)
    + literal(("l2",)) + b"\x81.",
    "made with keywords": HEAD + name(*LR) + b")" + literal({"C": 2}) + b"\x92.",
    "items on an estimator": HEAD + name(*LR) + b")\x81" + text("predict") + b"Ns.",
    "items on a name": HEAD + name(*LR) + b"K\x01a.", "members on a list": HEAD + b"](K\x01\x90.",
    "class of a file": HEAD + name("numpy", "memmap") + b".",
    "index of a file": HEAD + name("pandas.core.indexes.base", "_new_Index") + b"(" + name("numpy", "memmap")
    + literal({"filename": MARKER, "mode": "w+", "shape": 1}) + b"tR.",
    "array of a file": HEAD + name("numpy._core.multiarray", "_reconstruct") + b"(" + name("numpy", "memmap")
    + literal((0,)) + literal(b"b").replace(b"cos", b"") + b"tR.",
    "dict that calls": HEAD + name("collections", "defaultdict") + name("os", "getcwd") + b"\x85R.",
    "dict that makes models": HEAD + name("collections", "defaultdict") + name(*LR) + b"\x85R.",
    "generator that calls": HEAD + name("numpy.random._pickle", "__bit_generator_ctor") + name(*LR) + b"\x85R.",
    "distance that calls": HEAD + name("sklearn.metrics._dist_metrics", "newObj")
    + name("sklearn.metrics._dist_metrics", "PyFuncDistance64") + b"\x85R.",
    "reconstructor of another": HEAD + name("copyreg", "_reconstructor") + b"(" + name(*LR)
    + name("builtins", "object")
    + b"NtR.",
    "partial": HEAD + name("functools", "partial") + name("numpy", "savetxt") + b"\x85R.",
    "partial of something allowed": HEAD + name("functools", "partial") + name("numpy", "log1p") + b"\x85R.",
    "partial whose state differs": HEAD + name("functools", "partial")
    + name("sklearn.utils.validation", "check_array")
    + b"\x85R(" + name("numpy", "log1p") + b")}Ntb.",
    "getattr": HEAD + name("builtins", "getattr") + name("os", "path") + text("system") + b"\x86R.",
    "getattr of an object": HEAD + name("builtins", "getattr") + instance(*LR) + text("__class__") + b"\x86R.",
    "predict shadowed": HEAD + instance(*LR, ("predict", name("numpy", "savetxt"))) + b".",
    "predict shadowed by arithmetic": HEAD + instance(*LR, ("predict", name("numpy", "log1p"))) + b".",
    "decision_function shadowed by an object": HEAD
    + instance(*LR, ("decision_function", instance("sklearn.metrics._scorer", "_Scorer"))) + b".",
    "transform shadowed by partial": HEAD + instance(*FT, ("transform", name("functools", "partial")
    + name("sklearn.utils.validation", "check_array") + b"\x85R("
    + name("sklearn.utils.validation", "check_array") + b")}Ntb"))
    + b".",
    "transformer of os.system": HEAD + instance(*FT, ("func", name("os", "system"))) + b".",
    "transformer of a library function": HEAD + instance(*FT, ("func", name("numpy", "savetxt"))) + b".",
    "transformer of a class": HEAD + instance(*FT, ("func", name(*LR))) + b".",
    "neighbours with a callable": HEAD + instance("sklearn.neighbors._classification", "KNeighborsClassifier",
    ("metric", name("numpy", "log1p"))) + b".",
    "tokenizer": HEAD
    + instance("sklearn.feature_extraction.text", "TfidfVectorizer", ("tokenizer", name("os", "system"))) + b".",
    "step that is a name": HEAD + instance("sklearn.pipeline", "Pipeline", ("steps", b"](" + text("a")
    + name(*LR) + b"\x86e")) + b".",
    "attribute whose name is no text": HEAD + name(*LR) + b")\x81}K\x01K\x02sb.",
    "state of bytes": HEAD + name(*LR) + b")\x81C\x01ab.",
    "array wrapper without a state": HEAD + name("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81}b.",
    "size that lies": HEAD + _wrapped(_dtype("V8", 3, "|", None, None, None, 4, 1, 0)) + b"\x00" * 8 + b".",
    "objects that hide": HEAD + _wrapped(_dtype("f8", 3, "<", None, None, None, -1, -1, 1)) + b"\x00" * 8 + b".",
    "objects that are none": HEAD + _wrapped(_dtype("O8", 3, "|", None, None, None, -1, -1, 0)) + b"\x80\x04N..",
    "negative shape": HEAD + _wrapped(_dtype("f8"), b"J\xff\xff\xff\xff\x85") + b".",
    "huge shape": HEAD + _wrapped(_dtype("f8"), b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86") + b".",
    "method in a wrapper": HEAD + _wrapped(_dtype("f8"), read=name("os", "system")) + b"\x00" * 8 + b".",
    "wrapper of something else": HEAD + _wrapped(_dtype("f8")).replace(text("ndarray"), text("loadtxt"))
    + b"\x00" * 8 + b".",
    "objects in an array": joblib_dump(np.array([Payload()], dtype=object)),
    "objects in an array in a model": joblib_dump({"a": [np.eye(2), np.array([1, Payload()], dtype=object)]}, 3),
    "array then a payload": joblib_dump([np.eye(3), Payload()]),
    "wrapper inside an object array": HEAD + _wrapped(_dtype("O8", 3, "|", None, None, None, -1, -1, 63))
    + HEAD + _wrapped(_dtype("f8")) + b".\x00" * 4 + b".",
    "zlib": zlib.compress(PLAIN), "gzip": gzip.compress(PLAIN), "bz2": bz2.compress(PLAIN),
    "xz": lzma.compress(PLAIN),
    "lzma": lzma.compress(PLAIN, format=lzma.FORMAT_ALONE), "gzip in gzip": gzip.compress(gzip.compress(PLAIN)),
    "two gzip members": gzip.compress(pickle.dumps([1])) + gzip.compress(PLAIN),
    "bytes after gzip": gzip.compress(pickle.dumps([1]))
    + b"\x00", "half a gzip": gzip.compress(pickle.dumps([1, 2]))[:-6],
    "lz4": b"\x04\x22\x4d\x18" + PLAIN, "wrong checksum": zlib.compress(pickle.dumps([1]))[:-1] + b"\x00",
    "zip": b"PK\x03\x04" + PLAIN, "text": b"import os\n", "joblib before 0.10": b"ZF0x10"
    + PLAIN, "one byte": b"\x80", "empty": b"",
}  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(data: bytes, here: Path) -> tuple[str, ...]:
    result = scan(data)
    assert not result.ok
    assert list(here.iterdir()) == [], "a payload ran"
    assert all(one.why and one.name.isprintable() for one in result.refused)
    return tuple(one.name for one in result.refused)


@pytest.mark.parametrize("what", CALLS, ids=lambda what: f"{what[0]}.{what[1]}")
def test_hostile_call_is_refused_by_name(what: tuple[Any, ...], here: Path) -> None:
    module, qualname, *args = what
    assert f"{module}.{qualname}" in refused(call(module, qualname, *args), here)


@pytest.mark.parametrize("what", STREAMS)
def test_hostile_stream_is_refused(what: str, here: Path) -> None:
    refused(STREAMS[what], here)


WRAPPINGS: list[Callable[[bytes], bytes]] = [
    zlib.compress, gzip.compress, bz2.compress, lzma.compress, lambda d: lzma.compress(d, format=lzma.FORMAT_ALONE)]


@pytest.mark.parametrize("wrap", WRAPPINGS)
def test_compression_hides_no_name(wrap: Callable[[bytes], bytes], here: Path) -> None:
    assert "os.system" in refused(wrap(PLAIN), here)


def test_names_before_a_break_are_listed(here: Path) -> None:
    assert set(refused(HEAD + body("os", "system", TOUCH) + b"\xff", here)) == {"os.system", "damaged"}


def test_object_array_names_what_it_holds(here: Path) -> None:
    assert any(one.startswith("pathlib.") for one in refused(STREAMS["objects in an array"], here))


def test_the_wrappers_made_here_are_read_when_honest() -> None:
    plain, fields = (3, "<", None, None, None, -1, -1, 0), (3, "|", None, None, None, 8, 1, 0)
    for dtype in (_dtype("f8"), _dtype("f8", *plain), _dtype("V8", *fields)):
        assert scan(HEAD + _wrapped(dtype) + b"\x00" * 8 + STOP).ok
        assert not scan(HEAD + _wrapped(dtype) + b"\x00" * 7 + STOP).ok


def test_the_payloads_are_live(here: Path) -> None:
    pickle.loads(call("os", "mkdir", MARKER))
    assert (here / MARKER).is_dir()


def test_a_bomb_of_packed_zeros_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    from govern.inputs.scan import source

    monkeypatch.setattr(source, "RATIO_FROM", 2**20)
    made = scan(joblib_dump(np.zeros(2**19), 9))
    assert [one.name for one in made.refused] == ["size"]


def test_shared_tuples_are_not_hashed(here: Path) -> None:
    stream = HEAD + b"K\x01\x94" + b"".join(b"h" + bytes([i]) + b"h" + bytes([i]) + b"\x86\x94" for i in range(200))
    assert scan(stream + b"}h\xc8Nsh\xc80.").names == ()


def test_deep_nesting_ends(here: Path) -> None:
    assert scan(HEAD + b"N" + b"\x85" * 300_000 + b".").names == ()


def test_a_list_that_holds_itself_ends(here: Path) -> None:
    loop = HEAD + name("collections", "deque") + b"]\x94h\x00a\x85R."
    assert scan(loop).names == ("collections.deque",)
