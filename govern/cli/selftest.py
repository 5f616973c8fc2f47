"""`govern selftest`: published worked examples computed again, digit by digit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

from govern.cli.params import takes
from govern.errors import ExitCode

if TYPE_CHECKING:
    from govern.selftest import Check, Example

MORE_DIGITS = 3


@takes("selftest")
def selftest(given: dict[str, Any]) -> int:
    """Compute published worked examples again and compare digit by digit: 0 all agree, 1 not.

    Each example is measured and judged as any data would be. Where a source does not fit itself, that is said; it is
    no disagreement of ours.

    Example: govern selftest
    """
    from govern.selftest import examples

    found = []
    for example in examples():
        found.append(example)
        for line in () if given.get("quiet") else _lines(example):
            typer.echo(line)
    if not given.get("quiet"):
        for line in _summary(found):
            typer.echo(line)
    return ExitCode.PASS if all(example.holds for example in found) else ExitCode.BLOCK


def _lines(example: Example) -> Iterator[str]:
    from govern.cli.pages import fold

    yield from fold(example.name, 80)
    yield from (f"  {line}" for line in fold(example.source, 78))
    part = ""
    for check in example.checks:
        if check.part != part:
            part = check.part
            yield f"  {part}"
        yield from _check(check)
    for said in dict.fromkeys((*example.disagreements, *example.known)):
        word = "the source does not fit itself" if said in example.known else "NOT KNOWN BEFORE"
        word = word if said in example.disagreements else "NO LONGER FOUND"
        first, *more = fold(f"{word}: {said}", 76)
        yield f"  * {first}"
        yield from (f"    {line}" for line in more)
    yield ""


def _check(check: Check) -> Iterator[str]:
    """What it is, the printed digits, and the computed ones with some more."""
    mark = "=" if check.agrees else "*" if check.but else "≠"
    if isinstance(check.computed, str) and len(check.computed) > 10:
        yield f"  {mark} {check.what:<40}{check.printed}" + ("" if check.agrees else f"  computed {check.computed}")
    else:
        yield f"  {mark} {check.what:<51} {check.printed:>8}  {check.shown(MORE_DIGITS)}"
    if check.but:
        yield f"      {check.but}"


def _summary(found: list[Example]) -> Iterator[str]:
    from govern.cli.pages import fold

    checks = [check for example in found for check in example.checks]
    agree, own = sum(c.agrees for c in checks), sum(c.holds and bool(c.but) for c in checks)
    wrong = len(checks) - agree - own
    apart = sum(len(example.disagreements) for example in found)
    parts = [f"{len(checks)} printed values computed again: {agree} agree"]
    parts += [f"{own} at odds with the source's own counts"] if own else []
    parts += [f"{wrong} DISAGREE"] if wrong else []
    parts += [f"and in {apart} places a source does not fit itself"] if apart else []
    yield from fold(", ".join(parts), 80)
