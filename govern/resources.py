"""The one place that finds the data folders `templates` and `policies`, installed or in a checkout."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from govern.errors import GovernError

FOLDERS = ("templates", "policies")


@lru_cache
def _root() -> Path:
    """The folder that holds both data folders: the wheel's `_data`, else the checkout.

    A file is looked for, not a folder: an emptied `_data` must not win over the checkout.
    """
    package = Path(__file__).resolve().parent
    installed, checkout = package / "_data", package.parent
    if any(installed.glob("policies/*.yaml")):
        return installed
    if (checkout / "pyproject.toml").is_file() and all((checkout / name).is_dir() for name in FOLDERS):
        return checkout
    raise GovernError("the data files of govern are missing from this installation; reinstall govern-ml")


def resource(*parts: str) -> Path:
    """The path of a shipped file or folder, such as `resource("policies", "baseline.yaml")`.

    Raises GovernError when the installation holds no data files or not this one.
    """
    path = _root().joinpath(*parts)
    if not path.exists():
        raise GovernError(f"the file {'/'.join(parts)} is missing from this installation; reinstall govern-ml")
    return path
