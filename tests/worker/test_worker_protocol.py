"""Messages, and answers that are not what was asked for."""

from __future__ import annotations

import io
import json
import struct

import numpy as np
import pytest

from govern.worker.protocol import HEAD, MAGIC, EndOfStream, ProtocolError, pack, unpack
from govern.worker.replies import read_described, read_explained, read_prediction, read_smoke, read_timed


def reader(data: bytes):
    stream = io.BytesIO(data)

    def read(count: int) -> bytearray:
        got = stream.read(count)
        if len(got) < count:
            raise EndOfStream
        return bytearray(got)

    return read


def test_unpack_of_pack_gives_it_back():
    numbers = np.arange(6, dtype=np.float64)
    sent = b"".join(pack({"op": "x", "n": 1}, [numbers.data, b"", b"ab"]))
    header, buffers = unpack(reader(sent), lambda: 100)
    assert header["op"] == "x" and header["n"] == 1
    assert [bytes(b) for b in buffers] == [numbers.tobytes(), b"", b"ab"]


def message(header: bytes, payload: int, magic: bytes = MAGIC) -> bytes:
    return HEAD.pack(magic, len(header), payload) + header + b"\0" * min(payload, 100)


@pytest.mark.parametrize(
    "data",
    [
        message(b'{"sizes": []}', 0, magic=b"what"),
        message(b'{"sizes": [9]}', 8),
        message(b'{"sizes": [-1, 9]}', 8),
        message(b'{"sizes": [true]}', 1),
        message(b'{"sizes": [8.0]}', 8),
        message(b'{"sizes": 8}', 8),
        message(b"[]", 0),
        message(b"{}", 0),
        message(b"not json", 0),
        message(b"[" * 100_000, 0),
        message(b"\xff\xff", 0),
        message(b'{"sizes": [101]}', 101),
        struct.pack("!4sIQ", MAGIC, 2**31, 0),
    ],
)
def test_what_is_not_a_message_is_refused(data):
    with pytest.raises(ProtocolError):
        unpack(reader(data), lambda: 100)


def test_a_cut_message_is_the_end():
    with pytest.raises(EndOfStream):
        unpack(reader(message(b'{"sizes": [8]}', 8)[:-1]), lambda: 100)


GOOD = {
    "type": "m.Model",
    "task": "classifier",
    "libraries": {"numpy": "2"},
    "features": ["a"],
    "n_features": 1,
    "classes": ["0", "1"],
    "has_score": True,
    "parameters": {"C": 1.0},
    "warnings": [],
    "load_seconds": 0.1,
}


def test_description_is_checked():
    assert read_described(GOOD, []).classes == ("0", "1")
    wrong = [
        {"type": 3},
        {"libraries": []},
        {"libraries": {"a": 1}},
        {"features": "ab"},
        {"features": [1]},
        {"n_features": -1},
        {"n_features": True},
        {"task": "regressor"},
        {"task": None},
        {"classes": None},
        {"classes": []},
        {"classes": ["0", "0"]},
        {"has_score": 1},
        {"parameters": {"a": [1]}},
        {"parameters": {"a": float("nan")}},
        {"load_seconds": "1"},
        {"load_seconds": -1},
    ]
    for change in wrong:
        with pytest.raises(ProtocolError):
            read_described(GOOD | change, [])
    loud = read_described(GOOD | {"type": "a\nb\x1b[31m", "parameters": {"k\n": "v\u2028"}}, [])
    assert all(c.isprintable() for c in loud.type + json.dumps(loud.parameters))


def test_predictions_are_checked():
    labels, score = np.array([0, 1, -1], np.int32).tobytes(), np.array([0.1, 0.9, np.nan]).tobytes()
    good = {"invalid_rows": 0, "not_finite": 1, "seconds": 0.1}
    assert read_prediction(good, [labels, score], 3, 2, True).labels.tolist() == [0, 1, -1]
    for answer, buffers, rows, has_score in [
        (good, [labels], 3, True),
        (good, [labels, score], 4, True),
        (good, [labels, score], 3, False),
        (good, [np.array([0, 1, 2], np.int32).tobytes(), score], 3, True),
        (good | {"not_finite": 4}, [labels, score], 3, True),
        (good | {"seconds": None}, [labels, score], 3, True),
    ]:
        with pytest.raises(ProtocolError):
            read_prediction(answer, buffers, rows, 2, has_score)


def test_other_answers_are_checked():
    with pytest.raises(ProtocolError):
        read_smoke({"repeat_difference": 0, "batch_difference": 2}, [], 1)
    good = {"method": "m", "space": "log-odds", "exact": True, "background": "rows", "background_rows": 5,
            "evaluations": 7}
    values, outputs, bases = (np.ones(n).tobytes() for n in (8, 4, 2))
    labels = ("x", "y")
    found = read_explained(good, [values, outputs, bases], 2, ("a", "b"), labels)
    assert [o.label for o in found.outputs] == ["x", "y"] and found.outputs[1].values.shape == (2, 2)
    assert (found.rows, found.residual, found.evaluations) == (2, 2.0, 7)
    for answer, buffers, rows in [
        (good, [values, outputs, bases], 1),
        (good, [values[:-8], outputs, bases], 2),
        (good, [values, outputs[:-8], bases], 2),
        (good, [values, outputs, bases[:-8]], 2),
        (good | {"space": "dollars"}, [values, outputs, bases], 2),
        (good | {"background": "everyone"}, [values, outputs, bases], 2),
        (good | {"background_rows": -1}, [values, outputs, bases], 2),
        (good | {"evaluations": None}, [values, outputs, bases], 2),
        (good | {"exact": 1}, [values, outputs, bases], 2),
        (good, [np.full(8, np.inf).tobytes(), outputs, bases], 2),
    ]:
        with pytest.raises(ProtocolError):
            read_explained(answer, buffers, rows, ("a", "b"), labels)
    with pytest.raises(ProtocolError):
        read_timed({"peak_memory_bytes": 1}, [np.array([-1.0]).tobytes(), b""], 1)
