"""What `govern doctor` looks at."""

from __future__ import annotations

import importlib.metadata

import pytest

from govern import machine


def test_everything_needed_is_here() -> None:
    """The tests need the same things, so each check must find them."""
    found = machine.checks()
    missing = [check for check in found if check.needed and not check.ok]
    assert missing == []
    names = [check.name for check in found]
    assert names[0] == "Python" and {"shap", "fairlearn", "PDF libraries", "Model process"} <= set(names)
    assert len(names) == len(set(names))
    assert {"hypothesis", "pytest"}.isdisjoint(names), "what only an extra asks for is not checked"


def test_checks_print_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    machine.checks()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("line", "expected"),
    [("shap>=0.49", ("shap", "0.49", "")), ("ruamel.yaml >= 0.18", ("ruamel.yaml", "0.18", "")),
     ("weasyprint<71,>=70", ("weasyprint", "70", "71")), ("weasyprint >=70, <71", ("weasyprint", "70", "71")),
     ("rich", ("rich", "0", "")), ("lightgbm>=4.5; extra == 'boosters'", None)],
)
def test_requirement(line: str, expected: tuple[str, str, str] | None) -> None:
    assert machine._requirement(line) == expected


@pytest.mark.parametrize(
    ("older", "newer"), [("2.4.6", "2.10"), ("0.18", "0.18.1"), ("1.9.dev0", "1.10rc1"), ("69.3", "70.0")]
)
def test_versions_compare_as_numbers(older: str, newer: str) -> None:
    assert machine._release(older) < machine._release(newer)


def test_trailing_zeros_do_not_count() -> None:
    assert machine._release("70") == machine._release("70.0.0")


def test_a_library_that_is_absent_or_too_old_is_named_with_its_mend() -> None:
    absent = machine._library("a-library-nobody-has", "1.2", "")
    assert not absent.ok and absent.mend == "pip install 'a-library-nobody-has>=1.2'"
    old = machine._library("pytest", "9999", "")
    assert not old.ok and old.found == importlib.metadata.version("pytest")
    new = machine._library("pytest", "1", "2")
    assert not new.ok and new.mend == "pip install 'pytest>=1,<2'"
    assert machine._library("pytest", "1", "9999").ok


def test_missing_system_libraries_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is None in sys.modules makes the import fail, as on a system without WeasyPrint."""
    import ctypes.util
    import sys

    monkeypatch.setitem(sys.modules, "weasyprint", None)
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None if "pango" in name else name)
    check = machine._pdf()
    assert not check.ok
    assert check.found == "not found: pango-1.0, pangoft2-1.0"
    assert "pango" in check.mend
