"""The one line of an error."""

from __future__ import annotations

import pytest

from govern.errors import ExitCode, InputError, nearest, printable


def test_place_rule_what_and_mend_on_one_line() -> None:
    err = InputError("unknown key \"minn\"", where="p.yaml", line=3, column=5, rule="P-1", fix='did you mean "min"?')
    assert str(err) == 'p.yaml:3:5: P-1: unknown key "minn"; did you mean "min"?'
    assert err.exit_code is ExitCode.UNUSABLE


def test_a_sentence_of_a_library_loses_its_full_stop_before_the_mend() -> None:
    assert str(InputError("It failed.", fix="try again")) == "It failed; try again"
    assert str(InputError("It failed.")) == "It failed."


@pytest.mark.parametrize("what", ["x" * 5000, "a\nb\r\x1b[31m\u2028c", "\u202eevil"])
def test_long_and_hostile_texts_stay_one_printable_line(what: str) -> None:
    line = str(InputError(what, where="d" * 400, fix="mend " * 10))
    assert len("govern: " + line) <= 300 and line.isprintable()
    assert line.endswith("mend ".strip() + " ") or "mend" in line


def test_printable_cuts_and_escapes() -> None:
    assert printable("a\tb") == "a\\tb"
    assert printable("x" * 100, 10) == "x" * 9 + "…"


def test_nearest_name_in_any_case() -> None:
    known = ["accuracy", "Income"]
    assert nearest("acuracy", known) == 'did you mean "accuracy"?'
    assert nearest("INCOME", known) == 'did you mean "Income"?'
    assert nearest("zzz", known) == ""
