"""The wheel holds everything and works away from the checkout."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import requires
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from the checkout with what is installed here, so without a network."""
    out = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)],
        capture_output=True, text=True, timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.glob("govern_ml-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("installed")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile",
         "--target", str(target), str(wheel)],
        capture_output=True, text=True, timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return target


def away(installed: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`python ARGUMENTS` with the installed wheel, the checkout out of reach."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "NO_COLOR": "1", "COLUMNS": "100"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=120
    )


def test_every_data_file_of_the_checkout_is_in_the_wheel(wheel: Path) -> None:
    """Files that .gitignore matches vanish silently from a wheel; these must not."""
    inside = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        f"govern/_data/{path.relative_to(ROOT)}"
        for folder in ("templates", "policies")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    } | {
        str(path.relative_to(ROOT))
        for path in (ROOT / "govern").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert not expected - inside
    for kind in (r"_data/templates/.*\.j2$", r"_data/templates/fonts/.*\.woff2$",
                 r"_data/templates/fonts/.*OFL", r"_data/policies/baseline\.yaml$",
                 r"demo/credit\.csv\.gz$", r"demo/DATA\.md$", r"inputs/scan/.*\.json$"):
        assert any(re.search(kind, name) for name in inside), kind


def test_wheel_holds_nothing_else(wheel: Path) -> None:
    outside = [name for name in zipfile.ZipFile(wheel).namelist()
               if not name.startswith(("govern/", "govern_ml-")) or "__pycache__" in name]
    assert outside == []


def test_installed_wheel_finds_its_policies_and_templates(installed: Path, tmp_path: Path) -> None:
    listed = away(installed, tmp_path, "-m", "govern", "policy", "list")
    assert listed.returncode == 0, listed.stderr
    assert "baseline" in listed.stdout
    code = "from govern.resources import resource; print(resource('templates'))"
    where = away(installed, tmp_path, "-c", code)
    assert where.returncode == 0, where.stderr
    assert Path(where.stdout.strip()).is_relative_to(installed), "found in the wheel, not in the checkout"


def test_installed_wheel_makes_the_demonstration(installed: Path, tmp_path: Path) -> None:
    done = away(installed, tmp_path, "-m", "govern", "demo", "--out", "shown", "--compute", "skip")
    assert done.returncode == 0, done.stderr
    made = {p.name for p in (tmp_path / "shown").iterdir()}
    assert {"evidence.json", "verdict.json", "card.html", "card.pdf"} <= made
    assert {p.name for p in (tmp_path / "shown" / "model").iterdir()} == {
        "model.pkl", "eval.parquet", "govern.yaml"}
    verdict = json.loads((tmp_path / "shown" / "verdict.json").read_text(encoding="utf-8"))
    assert verdict["outcome"] in done.stdout
    assert "card.pdf" in done.stdout


def test_installed_version_is_the_one_in_the_package(installed: Path, tmp_path: Path) -> None:
    from govern import __version__

    shown = away(installed, tmp_path, "-m", "govern", "--version")
    assert shown.returncode == 0 and __version__ in shown.stdout


def test_requirements_of_the_installation_are_those_of_the_checkout() -> None:
    """`govern doctor` reads them from the installation."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    installed = [line for line in requires("govern-ml") or [] if "extra" not in line]
    assert {normal(line) for line in installed} == {normal(line) for line in project["dependencies"]}


def normal(requirement: str) -> tuple[str, frozenset[str]]:
    """(name, bounds) with the name spelt as in an installation: `ruamel.yaml` is `ruamel-yaml` there."""
    name, bounds = re.fullmatch(r"([\w.-]+)(.*)", requirement.replace(" ", "")).groups()  # type: ignore[union-attr]
    return re.sub(r"[-_.]+", "-", name).lower(), frozenset(bounds.split(","))
