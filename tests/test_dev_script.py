"""The set-up script says what is missing instead of failing half-way."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("dev.sh", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def dev(checkout: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "dev.sh", *arguments], cwd=checkout, env={"PATH": "/usr/bin:/bin"} | variables,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )


def stub(place: Path, body: str) -> str:
    place.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    place.chmod(0o755)
    return str(place)


@pytest.mark.parametrize("arguments", [[], ["deploy"], ["--help"]])
def test_without_a_known_word_it_says_how_to_use_it(checkout: Path, arguments: list[str]) -> None:
    done = dev(checkout, *arguments)
    assert done.returncode == 2
    assert done.stderr == "dev.sh: usage: sh dev.sh demo | test | setup\n"


def test_an_old_python_is_not_used(checkout: Path) -> None:
    old = stub(checkout / "old-python", "exit 1")
    done = dev(checkout, "demo", PYTHON=old)
    assert done.returncode == 2
    assert "no Python 3.11 or newer" in done.stderr and "PYTHON=" in done.stderr
    assert not (checkout / ".venv").exists()


def test_a_python_without_venv_names_the_package(checkout: Path) -> None:
    """As on Debian without python3-venv: `-m venv` fails and leaves half an environment behind."""
    fails = 'if [ "$1" = -m ]; then mkdir .venv; echo "ensurepip is not available"; exit 1; fi'
    body = f'{fails}; exec {sys.executable} "$@"'
    done = dev(checkout, "test", PYTHON=stub(checkout / "bare-python", body))
    assert done.returncode == 2
    assert "ensurepip is not available" in done.stderr
    assert done.stderr.endswith("sudo apt-get install -y python3-venv\n")
    assert not (checkout / ".venv").exists()


def test_a_set_up_that_is_done_is_not_done_again(checkout: Path) -> None:
    """With a working .venv and the stamp of this pyproject.toml, the command runs at once."""
    binaries = checkout / ".venv" / "bin"
    binaries.mkdir(parents=True)
    stub(binaries / "python", f'exec {sys.executable} "$@"')
    stub(binaries / "govern", 'echo "govern $*"')
    project = (checkout / "pyproject.toml").read_bytes()
    summed = subprocess.run(["cksum"], input=project, capture_output=True, check=True).stdout.decode().strip()
    (checkout / ".venv" / ".set-up-dev").write_text(f"{summed} {checkout}\n", encoding="utf-8")
    done = dev(checkout, "demo", "--out", "there")
    assert (done.returncode, done.stdout, done.stderr) == (0, "govern demo --out there\n", "")


@pytest.fixture
def bare_machine(checkout: Path) -> Path:
    """A machine on which Pango is missing until `apt-get install` has run; its commands are stubs."""
    programs, binaries = checkout / "bin", checkout / ".venv" / "bin"
    programs.mkdir()
    binaries.mkdir(parents=True)
    stub(binaries / "python", 'case "$*" in *weasyprint*) test -e pango ;; esac')
    stub(binaries / "govern", "echo demonstrated")
    stub(programs / "apt-get", 'echo "$*" >>apt.log; case "$*" in *install*) touch pango ;; esac')
    return checkout


@pytest.mark.parametrize(("user", "sudo"), [("0", "exit 1"), ("1000", '[ "$1" = -n ] && shift; exec "$@"')])
def test_system_libraries_are_installed_where_allowed(bare_machine: Path, user: str, sudo: str) -> None:
    stub(bare_machine / "bin" / "id", f"echo {user}")
    stub(bare_machine / "bin" / "sudo", sudo)
    done = dev(bare_machine, "demo", PATH=f"{bare_machine / 'bin'}:/usr/bin:/bin")
    assert (done.returncode, done.stdout) == (0, "demonstrated\n")
    assert "no PDF" not in done.stderr
    update, install = (bare_machine / "apt.log").read_text(encoding="utf-8").splitlines()
    assert update.startswith("update")
    assert install.endswith("libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0")
    again = dev(bare_machine, "demo", PATH=f"{bare_machine / 'bin'}:/usr/bin:/bin")
    assert (again.stdout, again.stderr) == ("demonstrated\n", "")


def test_a_missing_part_of_the_libraries_is_installed_too(bare_machine: Path) -> None:
    """WeasyPrint starts without harfbuzz-subset and warns; only a start without the warning is complete."""
    stub(bare_machine / ".venv" / "bin" / "python",
         'case "$*" in *"error:HarfBuzz"*) test -e pango ;; *weasyprint*) exit 0 ;; esac')
    stub(bare_machine / "bin" / "id", "echo 0")
    done = dev(bare_machine, "demo", PATH=f"{bare_machine / 'bin'}:/usr/bin:/bin")
    assert (done.returncode, done.stdout) == (0, "demonstrated\n")
    assert "libharfbuzz-subset0" in (bare_machine / "apt.log").read_text(encoding="utf-8")


def test_without_the_right_to_install_it_goes_on_and_names_the_line(bare_machine: Path) -> None:
    stub(bare_machine / "bin" / "id", "echo 1000")
    stub(bare_machine / "bin" / "sudo", "exit 1")
    done = dev(bare_machine, "demo", PATH=f"{bare_machine / 'bin'}:/usr/bin:/bin")
    assert (done.returncode, done.stdout) == (0, "demonstrated\n")
    assert done.stderr.endswith(
        "dev.sh: reports will have no PDF until the system has Pango: sudo apt-get install -y "
        "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0\n")
    assert not (bare_machine / "apt.log").exists()


@pytest.mark.parametrize("there", [[], ["chromium"], ["google-chrome", "pdftotext"]])
def test_the_tests_get_a_browser_where_it_may_be_installed(bare_machine: Path, there: list[str]) -> None:
    """On a path without the programs of this machine; sh and what the script needs are linked into it."""
    programs = bare_machine / "bin"
    for name in ("sh", "cksum", "dirname", "cat", "env", "touch", "rm", "mkdir"):
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(found)
    for name in there:
        stub(programs / name, "exit 0")
    stub(programs / "id", "echo 0")
    (bare_machine / "pango").touch()
    done = dev(bare_machine, "test", PATH=str(programs))
    assert done.returncode == 0, done.stderr
    if there == ["google-chrome", "pdftotext"]:
        assert not (bare_machine / "apt.log").exists() and "browser" not in done.stderr
        return
    assert (bare_machine / "apt.log").read_text(encoding="utf-8").splitlines()[1].endswith("chromium poppler-utils")
    # The stub of apt-get installs nothing, so a browser that was not there is still missing.
    assert ("will be skipped: sudo apt-get install -y chromium" in done.stderr) is (there == [])


def test_a_failed_installation_ends_there(bare_machine: Path) -> None:
    stub(bare_machine / ".venv" / "bin" / "python", 'case "$*" in *"pip install"*) exit 1 ;; esac')
    done = dev(bare_machine, "test")
    assert done.returncode == 2
    assert "the installation failed" in done.stderr
    assert not (bare_machine / ".venv" / ".set-up-dev").exists()
