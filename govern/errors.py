"""Exit codes and the errors that carry one line to the user.

GovernError
└── InputError      what was given cannot be used: exit 2, one line, nothing written
"""

from __future__ import annotations

from enum import IntEnum

MAX_LINE = 300
MAX_NAME = 60


class ExitCode(IntEnum):
    """Exit codes of every command; no flag changes them."""

    PASS = 0
    BLOCK = 1
    UNUSABLE = 2
    REVIEW = 3
    INTERNAL = 70


def printable(text: object, limit: int = MAX_NAME) -> str:
    """`text` on one line with control characters escaped, at most `limit` characters."""
    raw = str(text)
    shown = "".join(
        c if c.isprintable() and c not in "\u2028\u2029" else c.encode("unicode_escape").decode() for c in raw
    )
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


class GovernError(Exception):
    """Anything `govern` itself reports; the command line turns it into one line and an exit code."""

    exit_code = ExitCode.INTERNAL


class InputError(GovernError):
    """Unusable input: `where[:line[:column]]: rule: what; fix`, at most 300 characters on one line."""

    exit_code = ExitCode.UNUSABLE

    def __init__(
        self,
        what: str,
        *,
        fix: str = "",
        where: str | None = None,
        line: int | None = None,
        column: int | None = None,
        rule: str | None = None,
    ) -> None:
        self.what, self.fix, self.where = what, fix, where
        self.line, self.column, self.rule = line, column, rule
        super().__init__(self.one_line())

    def one_line(self) -> str:
        """The line shown to the user, without the leading `govern: `; the mend is never cut off."""
        place = printable(self.where, 120) if self.where else ""
        if place and self.line is not None:
            place += f":{self.line}" + (f":{self.column}" if self.column is not None else "")
        head = (f"{place}: " if place else "") + (f"{printable(self.rule)}: " if self.rule else "")
        tail = f"; {printable(self.fix, MAX_LINE)}" if self.fix else ""
        room = max(40, MAX_LINE - len("govern: ") - len(head) - len(tail))
        what = printable(self.what, room)
        return (head + (what.rstrip(".") if tail else what) + tail)[: MAX_LINE - len("govern: ")]


def nearest(name: str, known: list[str] | tuple[str, ...]) -> str:
    """`did you mean "x"?` for the known name closest to `name`, or an empty string."""
    from difflib import get_close_matches

    folded = {k.casefold(): k for k in reversed(list(known))}
    close = get_close_matches(name, list(known), n=1, cutoff=0.6)
    close = close or [folded[k] for k in get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)]
    return f'did you mean "{printable(close[0])}"?' if close else ""
