"""How a card is to look: what `render_html` and `render_pdf` are told besides the documents."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Section:
    """A section of the organisation's own: Markdown text under a title."""

    title: str
    markdown: str


@dataclass(frozen=True)
class Brand:
    """What an organisation adds: its name, a colour as `#rrggbb`, a logo as data URI, sections of its own."""

    organisation: str = ""
    colour: str = ""
    logo: str = ""
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True)
class Edition:
    """Language, extent (`summary` or `full`) and brand of a card; groups and cells of fewer than `suppress_below` rows
    are suppressed, and such a card embeds no document. `paper` is a4 or letter."""

    lang: str = "en"
    extent: str = "full"
    suppress_below: int = 0
    brand: Brand = field(default_factory=Brand)
    paper: str = "a4"

    @property
    def full(self) -> bool:
        """Whether the annexes are part of it."""
        return self.extent == "full"
