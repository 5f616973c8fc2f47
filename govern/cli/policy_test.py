"""`govern policy test`: policies run against evidence, and what comes of it against what was expected."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from govern.cli.params import takes
from govern.errors import ExitCode, InputError, printable

if TYPE_CHECKING:
    from govern.policy.testing import Ran

SKIPPED = ("site-packages", "node_modules")


@takes("policy test")
def test(
    given: dict[str, Any],
    files: Annotated[list[str] | None, typer.Argument(
        metavar="[FILE.test.yaml|FOLDER|POLICY...]", show_default=False,
        help="Files of policy tests, folders that hold some, or policies with a NAME.test.yaml beside them; default: "
             "the working folder.")] = None,
) -> int:
    """Run policy tests: 0 all as expected, 1 one is not, 2 one cannot be run.

    A file NAME.test.yaml names a policy and tests: evidence, and the verdict or the outcome of rules that must come
    of it. Its schema: govern policy schema policy-test.

    Examples: govern policy test; govern policy test house.test.yaml; govern policy test baseline
    """
    counts = {"as expected": 0, "not": 0, "could not be run": 0}
    quiet = given.get("quiet")
    for path, name in _files(files or ["."]):
        for ran in _run(path, name):
            if isinstance(ran, InputError):
                counts["could not be run"] += 1
                typer.echo(f"govern: {ran}", err=True)
                continue
            counts["not" if ran.differences else "as expected"] += 1
            for line in () if quiet else _lines(ran, name):
                typer.echo(line)
    if not quiet:
        tests = sum(counts.values())
        said = ", ".join(f"{n} {word}" for word, n in counts.items() if n)
        typer.echo(f"{tests} {'test' if tests == 1 else 'tests'}: {said}")
    if counts["could not be run"]:
        return ExitCode.UNUSABLE
    return ExitCode.BLOCK if counts["not"] else ExitCode.PASS


def _run(path: Path, name: str) -> Iterator[Ran | InputError]:
    """Each test of a file as it came out, or why it could not be run."""
    from govern.policy.testing import read_tests, run

    try:
        tests = read_tests(path, name)
    except InputError as err:
        yield err
        return
    for place in range(len(tests.file.tests)):
        try:
            yield run(tests, place)
        except InputError as err:
            yield err


def _lines(ran: Ran, name: str) -> Iterator[str]:
    """One line, and one for each difference."""
    from govern.formats.words import reason

    if not ran.differences:
        yield f"ok    {name}: {printable(ran.name, 120)}"
        return
    yield f"FAIL  {name}:{ran.line}: {printable(ran.name, 120)}"
    for one in ran.differences:
        what = "verdict" if one.rule is None else one.rule
        yield f"      {what}: expected {one.expected}, seen {one.seen}"
        if one.finding is not None:
            found = reason(one.finding, ran.evidence)
            yield f"        {found.subject}: {found.number}" if found.number else f"        {found.sentence}"
            if found.limit:
                yield f"        {found.bound}"


def _files(given: list[str]) -> list[tuple[Path, str]]:
    """The files of tests with the names they are shown by. Raises InputError where there is none."""
    found: dict[Path, str] = {}
    for name in given:
        here = dict(_under(Path(name)) if Path(name).is_dir() else [_named(name)])
        if not here:
            raise InputError("holds no policy test", where=name, fix="write one as NAME.test.yaml beside the policy")
        found = here | found
    return list(found.items())


def _under(folder: Path) -> Iterator[tuple[Path, str]]:
    """Files of tests in a folder and below it, by name; hidden folders and those of installed packages apart."""
    from govern.policy.packs import TESTS

    for place, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in SKIPPED)
        for name in sorted(names):
            if name.endswith(TESTS):
                path = Path(place, name)
                yield path, str(path)


def _named(name: str) -> tuple[Path, str]:
    from govern.policy.packs import SUFFIXES, TESTS, find

    if name.endswith(TESTS):
        return Path(name), name
    path = find(name)
    tests = path.with_name(path.stem + TESTS)
    is_path = "/" in name or name.endswith(SUFFIXES)
    shown = str(tests) if is_path else tests.name
    if not tests.is_file():
        raise InputError("has no tests beside it" if path.exists() else "no such file", where=name,
                         fix=f"write {tests.name}" if path.exists() else "check the path")
    return tests, shown
