"""`govern policy diff`: what changed between two policies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from govern.cli.pages import WIDTH, cells, fold
from govern.cli.params import takes
from govern.errors import ExitCode

if TYPE_CHECKING:
    from govern.policy.changes import Changes, FieldChange
    from govern.policy.fields import Rule


@takes("policy diff")
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A shipped policy or a file.", show_default=False)],
    new: Annotated[str, typer.Argument(metavar="NEW", help="A shipped policy or a file.", show_default=False)],
    given: dict[str, Any],
) -> int:
    """Say what changed from one policy to another, after everything they extend and override; exits 0 whether
    something did or not.

    Rules added (+), removed (-) and changed (~), each field from its old value to the new one. Of limits and
    severities it says whether the rule became stricter or looser.

    Example: govern policy diff baseline house.yaml
    """
    from govern.cli.reading import policy_of
    from govern.policy.changes import changes

    for line in _lines(changes(policy_of(old, given), policy_of(new, given))):
        typer.echo(line)
    return ExitCode.PASS


def _lines(found: Changes) -> Iterator[str]:
    for field in found.head:
        yield from _field(field, "")
    for mark, rules in (("+", found.added), ("-", found.removed)):
        for rule in rules:
            yield from _hanging(f"{mark} {rule.id}  ", f"{_title(rule)} ({rule.fields.kind})")
    for change in found.changed:
        effect = f": {change.effect}" if change.effect else ""
        yield from _hanging(f"~ {change.new.id}  ", f"{_title(change.new)}{effect}")
        for field in change.fields:
            yield from _field(field, "    ")
    yield _summary(found)


def _title(rule: Rule) -> str:
    from govern.policy.fields import texts

    return texts(rule.fields.title)["en"]


def _field(change: FieldChange, indent: str) -> Iterator[str]:
    effect = f" ({change.effect})" if change.effect else ""
    yield from _hanging(f"{indent}{change.field}  ", f"{change.old} → {change.new}{effect}")


def _hanging(head: str, text: str) -> Iterator[str]:
    """Lines of at most 80 cells, those after the first below the start of the text."""
    first, *more = fold(text, max(20, WIDTH - cells(head))) or [""]
    yield head + first
    yield from (" " * cells(head) + line for line in more)


def _summary(found: Changes) -> str:
    effects = [change.effect for change in found.changed]
    told = ", ".join(f"{n} {word}" for word in ("stricter", "looser", "mixed") if (n := effects.count(word)))
    changed = f"{len(found.changed)} changed" + (f" ({told})" if told else "")
    return f"{len(found.added)} added, {len(found.removed)} removed, {changed}, {found.same} the same"
