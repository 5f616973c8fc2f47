"""The filter denies what its table says on both machines, and the process dies with its parent."""

from __future__ import annotations

import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from govern.worker import sandbox


def verdict(program: bytes, architecture: int, number: int, first: int = 0) -> int:
    """What the kernel would answer: the few instructions of BPF that the filter uses, carried out."""
    data = struct.pack("<iIQQ", number, architecture, 0, first)
    steps = [struct.unpack_from("HBBI", program, i) for i in range(0, len(program), 8)]
    at = value = 0
    while True:
        code, yes, no, k = steps[at]
        at += 1
        if code == sandbox.RETURN:
            return k
        if code == sandbox.LOAD:
            (value,) = struct.unpack_from("<I", data, k)
            continue
        tests = {
            sandbox.JUMP_EQUAL: value == k,
            sandbox.JUMP_AT_LEAST: value >= k,
            sandbox.JUMP_ANY_BIT: bool(value & k),
        }
        at += yes if tests[code] else no


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter(machine):
    program = sandbox.filter_program(machine)
    column, architecture = sandbox.ARCHITECTURES[machine]
    for row in (*sandbox.NETWORK.values(), *sandbox.PROCESSES.values()):
        if row[column] is not None:
            assert verdict(program, architecture, row[column]) == sandbox.DENY
    clone, clone3 = sandbox.CLONE[column], sandbox.CLONE3[column]
    assert verdict(program, architecture, clone, 0x11) == sandbox.DENY  # fork by clone
    assert verdict(program, architecture, clone, 0x3D0F00) == sandbox.ALLOW  # a thread, as glibc makes it
    assert verdict(program, architecture, clone3) == sandbox.NOT_THERE
    read, write, mmap = {"x86_64": (0, 1, 9), "aarch64": (63, 64, 222)}[machine]
    for number in (read, write, mmap):
        assert verdict(program, architecture, number) == sandbox.ALLOW
    assert verdict(program, 0x40000003, read) == sandbox.DENY  # 32-bit calls
    if machine == "x86_64":
        assert verdict(program, architecture, 0x40000000 + 41) == sandbox.DENY  # x32 calls


@pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")
def test_a_network_of_its_own_where_there_is_no_filter():
    code = (
        "import socket; from govern.worker import sandbox; print(sandbox._own_network()); "
        "print([name for _, name in socket.if_nameindex()])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    possible, interfaces = done.stdout.splitlines()
    if possible == "False":
        pytest.skip("user namespaces are closed here")
    assert "eth" not in interfaces and len(eval(interfaces)) <= 2


def test_an_unknown_machine_has_no_filter():
    assert sandbox.filter_program("riscv64") is None


PARENT = """
import os, signal
from govern.worker.client import Worker
worker = Worker()
worker.layers
print(worker._process._child.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_the_process_dies_with_its_parent():
    done = subprocess.run([sys.executable, "-c", PARENT], capture_output=True, text=True, timeout=30)
    status = Path(f"/proc/{int(done.stdout)}/stat")
    until = time.monotonic() + 10
    while status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z":
        assert time.monotonic() < until, "the process outlived its parent"


def test_the_child_needs_nothing_of_ours_but_the_worker():
    code = (
        "import sys; import govern.worker.child; first = set(sys.modules); "
        "sys.modules.update(dict.fromkeys(['pyarrow', 'shap', 'pydantic', 'yaml', 'typer'])); "
        "import govern.worker.predict, govern.worker.explain, govern.worker.timing, govern.worker.frames; "
        "ours = {m for m in sys.modules if m.startswith('govern.')}; "
        "print(sorted(first & {'numpy', 'pandas', 'sklearn', 'joblib'}), "
        "sorted(m for m in ours if not m.startswith('govern.worker') and m != 'govern.errors'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[] []", done.stderr
