"""Pages of text for the terminal, at most 80 columns wide, and the same as Markdown."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

WIDTH = 80
MOST_TERM = 18
Form = Literal["text", "md"]


@dataclass(frozen=True)
class Heading:
    """A heading; `level` 1 for that of the page."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Text:
    """Prose; empty lines part its paragraphs."""

    text: str


@dataclass(frozen=True)
class Rows:
    """Terms with what is said about each."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Verbatim:
    """Lines that stand as they are: a file."""

    text: str
    language: str = "yaml"


Block = Heading | Text | Rows | Verbatim


def page(blocks: Sequence[Block], form: Form = "text") -> str:
    """The blocks as text of lines of at most 80 terminal cells, or as Markdown; ends with a line feed. Lines of a
    `Verbatim` and words longer than a line are not broken."""
    draw: Callable[[Block], Iterator[str]] = _markdown if form == "md" else _plain
    lines: list[str] = []
    for i, block in enumerate(blocks):
        below = isinstance(blocks[i - 1], Heading) and form == "text"
        if i and not (below and not isinstance(block, Heading)):
            lines.append("")
        lines += draw(block)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _plain(block: Block) -> Iterator[str]:
    if isinstance(block, Heading):
        lines = fold(block.text, WIDTH)
        yield from lines
        if block.level == 1:
            yield "=" * max(map(cells, lines))
    elif isinstance(block, Text):
        for i, paragraph in enumerate(block.text.split("\n\n")):
            if i:
                yield ""
            yield from (f"  {line}" for line in fold(paragraph, WIDTH - 2))
    elif isinstance(block, Rows):
        room = min(MOST_TERM, max((cells(term) for term, _ in block.rows), default=0))
        for term, said in block.rows:
            first, *more = fold(said, WIDTH - room - 4) or [""]
            if cells(term) > room:
                yield f"  {term}"
                more, first, term = [first, *more], "", ""
            if term:
                yield f"  {term}{' ' * (room - cells(term))}  {first}"
            yield from (f"  {' ' * room}  {line}" for line in more)
    else:
        yield from (f"  {line}" for line in block.text.rstrip("\n").split("\n"))


def _markdown(block: Block) -> Iterator[str]:
    if isinstance(block, Heading):
        yield f"{'#' * block.level} {escaped(block.text)}"
    elif isinstance(block, Text):
        yield from escaped(block.text).split("\n")
    elif isinstance(block, Rows):
        yield from (f"- **{escaped(term)}**: {escaped(said)}" for term, said in block.rows)
    else:
        yield from (f"```{block.language}", *block.text.rstrip("\n").split("\n"), "```")


def escaped(text: str) -> str:
    """`text` with the characters that Markdown or HTML inside it would read as marks made harmless. Backticks stay:
    our own texts set names in them."""
    return "".join(f"\\{c}" if c in "\\*_[]<>|#" else c for c in text)


def cells(text: str) -> int:
    """Terminal columns of a text: a wide character takes two, a combining one none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def fold(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` cells, broken at spaces and between wide characters; a longer word stands
    alone."""
    lines, line = [], ""
    for part, spaced in _parts(text):
        joined = f"{line} {part}" if spaced and line else line + part
        if line and cells(joined) > width:
            lines.append(line)
            line = part
        else:
            line = joined
    return [*lines, line] if line else lines


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """The pieces between which a line may break, each with whether a space parts it from the one before."""
    for word in text.split():
        start = 0
        for i in range(1, len(word) + 1):
            wide = i < len(word) and cells(word[i - 1]) == 2 and cells(word[i]) == 2 and word[i] not in "、。」)）・"
            if i == len(word) or wide:
                yield word[start:i], start == 0
                start = i
