"""The lock file: where it is looked for, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from govern.codec import digest, document
from govern.errors import InputError
from govern.inputs.config import load_settings
from govern.inputs.lockfile import MAX_BYTES, find_lock, place_of, read_lock
from govern.inputs.settings import Settings
from govern.lock import lock_of

LOCK = lock_of([], {"latency_p95_ms": 50.0}, "2026-11-20T14:02:00Z")


def settings(config: Path | None = None, cwd: Path = Path()) -> Settings:
    return load_settings({}, config=config, cwd=cwd, measuring=False)


def test_where_it_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert place_of({}, settings()) == Path("govern.lock") and find_lock({}, settings()) is None
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "govern.yaml").write_text("seed: 1\n")
    assert place_of({}, settings(Path("conf/govern.yaml"))) == Path("conf/govern.lock")
    assert place_of({"lock": Path("x")}, settings(Path("conf/govern.yaml"))) == Path("x")
    (tmp_path / "conf" / "govern.lock").write_bytes(document(LOCK))
    assert find_lock({}, settings()) is None
    found = find_lock({}, settings(Path("conf/govern.yaml")))
    assert found is not None and found.lock == LOCK
    # One that is asked for must be there; one at the usual place need not.
    with pytest.raises(InputError, match=r"absent\.lock: no such file; check the path"):
        find_lock({"lock": Path("absent.lock")}, settings())


def test_the_subject_is_the_file(tmp_path: Path) -> None:
    place = tmp_path / "govern.lock"
    place.write_bytes(document(LOCK))
    found = read_lock(place)
    assert (found.subject.role, found.subject.name) == ("policy-lock", "govern.lock")
    assert (found.subject.sha256, found.subject.size) == (digest(place.read_bytes()), place.stat().st_size)
    assert found.content["declared"] == {"latency_p95_ms": 50.0}


@pytest.mark.parametrize(("data", "said"), [
    (b"", "is not JSON"), (b"\xff\xfe", "is not JSON"), (b"[" * 100_000, "is not JSON"), (b"[]", 'has schema "None"'),
    (b'{"schema": "govern.evidence/1"}', 'has schema "govern.evidence/1", not "govern.lock/1"'),
    (b'{"schema": "govern.lock/1"}', "does not fit govern.lock/1"),
    (document(LOCK).replace(b"14:02", b"14:03"), None),
    (document(LOCK) + b" ", "its digest is not that of its content"),
    (document(LOCK).replace(b"\n", b"\r\n"), "its digest is not that of its content"),
    (document(LOCK).replace(b"50.0", b"60.0"), "its declared limits are not those of its digest"),
    (document(LOCK).replace(b"50.0", b"NaN"), "NaN is not a number"),
    (document(LOCK).replace(b"2026-11-20T14:02:00Z", b"yesterday"), "its time is not a time"),
    (b" " * (MAX_BYTES + 1), "is larger than 1,000,000 bytes"),
])
def test_refused_in_one_line(tmp_path: Path, data: bytes, said: str | None) -> None:
    place = tmp_path / "govern.lock"
    place.write_bytes(data)
    if said is None:  # another time, written as govern writes it: a lock like any other
        assert read_lock(place).lock.locked == "2026-11-20T14:03:00Z"
        return
    with pytest.raises(InputError) as refused:
        read_lock(place)
    assert said in str(refused.value) and "\n" not in str(refused.value) and len(str(refused.value)) <= 300
