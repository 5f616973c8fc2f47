"""What confines the model's process, entered by that process itself before it imports or reads anything.

Each layer is tried and reported by name; what could not be closed is reported as open. Nothing here needs
privileges or a library: resource limits, and on Linux a seccomp filter through `prctl`.
Source: Linux Documentation/userspace-api/seccomp_filter.rst; asm/unistd_64.h and asm-generic/unistd.h.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import struct
import sys
from typing import Final

GIB: Final = 1 << 30

# Denied system calls: (x86_64 number, aarch64 number); None where the machine has no such call.
NETWORK: Final = {
    "socket": (41, 198),
    "connect": (42, 203),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "bind": (49, 200),
    "listen": (50, 201),
    "socketpair": (53, 199),
    "sendmmsg": (307, 269),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "pidfd_getfd": (438, 438),
}
PROCESSES: Final = {
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
}
CLONE: Final = (56, 220)
CLONE3: Final = (435, 435)
CLONE_THREAD: Final = 0x10000
ARCHITECTURES: Final = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

ALLOW: Final = 0x7FFF0000
DENY: Final = 0x00050000 | 1  # SECCOMP_RET_ERRNO with EPERM
NOT_THERE: Final = 0x00050000 | 38  # … with ENOSYS, so that the C library falls back from clone3 to clone
LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 22, 38
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000


def enter(memory_bytes: int, cpu_seconds: int, parent: int) -> tuple[list[str], list[str]]:
    """The layers now in force and what stays open, by name; `parent` is the process to die with."""
    layers: list[str] = []
    left_open: list[str] = []
    _die_with(parent)
    limits = [
        (f"address space {memory_bytes / GIB:g} GiB", "memory", resource.RLIMIT_AS, memory_bytes),
        (f"processor time {cpu_seconds} s", "processor time", resource.RLIMIT_CPU, cpu_seconds),
        ("no core dumps", "core dumps", resource.RLIMIT_CORE, 0),
        ("256 open files", "number of open files", resource.RLIMIT_NOFILE, 256),
    ]
    for name, what, kind, value in limits:
        if _limit(kind, value):
            layers.append(name)
        else:
            left_open.append(what)
    if _filter_system_calls() and not _socket_possible() and not _fork_possible():
        layers += ["no network (seccomp)", "no new processes (seccomp)"]
    else:
        if _own_network():
            layers.append("no network (namespace)")
        else:
            left_open.append("network")
        left_open.append("new processes")
    left_open += ["reading files", "creating empty files and deleting files"]
    return layers, left_open


def forbid_writing() -> str | None:
    """The name of the layer "no file may grow", or None where refused; entered once all imports are done."""
    # Python ignores SIGXFSZ, so that a write fails with an error instead of ending the process.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    return "no writing to files" if _limit(resource.RLIMIT_FSIZE, 0) else None


def _limit(kind: int, value: int) -> bool:
    hard = resource.getrlimit(kind)[1]
    allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
    try:
        resource.setrlimit(kind, (allowed, allowed))
    except (ValueError, OSError):
        return False
    return True


def _die_with(parent: int) -> None:
    """Ask Linux to kill this process when the thread that started it ends, so that none is left behind."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def filter_program(machine: str) -> bytes | None:
    """The BPF program that denies NETWORK and PROCESSES on this machine, or None where the table has none."""
    if machine not in ARCHITECTURES:
        return None
    column, architecture = ARCHITECTURES[machine]
    denied = [n for n in (row[column] for row in (*NETWORK.values(), *PROCESSES.values())) if n is not None]
    steps: list[tuple[int, int, int, int]] = [
        (LOAD, 0, 0, 4),  # seccomp_data.arch
        (JUMP_EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, DENY),
        (LOAD, 0, 0, 0),  # seccomp_data.nr
    ]
    if machine == "x86_64":
        # The x32 calls share the architecture and would slip past numbers below.
        steps += [(JUMP_AT_LEAST, 0, 1, 0x40000000), (RETURN, 0, 0, DENY)]
    for number in denied:
        steps += [(JUMP_EQUAL, 0, 1, number), (RETURN, 0, 0, DENY)]
    steps += [
        (JUMP_EQUAL, 0, 1, CLONE3[column]),
        (RETURN, 0, 0, NOT_THERE),
        (JUMP_EQUAL, 0, 3, CLONE[column]),
        (LOAD, 0, 0, 16),  # the first argument of clone: its flags (low word; both machines little-endian)
        (JUMP_ANY_BIT, 1, 0, CLONE_THREAD),
        (RETURN, 0, 0, DENY),
        (RETURN, 0, 0, ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def _filter_system_calls() -> bool:
    code = filter_program(platform.machine()) if sys.platform == "linux" and sys.maxsize > 2**32 else None
    if code is None:
        return False
    library = ctypes.CDLL(None, use_errno=True)
    program = _Program(len(code) // 8, code)
    if library.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(library.prctl(PR_SET_SECCOMP, 2, ctypes.byref(program), 0, 0) == 0)


def _own_network() -> bool:
    if sys.platform != "linux":
        return False
    return bool(ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0)


def _socket_possible() -> bool:
    handle = ctypes.CDLL(None, use_errno=True).socket(2, 1, 0)
    if handle >= 0:
        os.close(handle)
    return bool(handle >= 0)


def _fork_possible() -> bool:
    try:
        child = os.fork()
    except OSError:
        return False
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return True
