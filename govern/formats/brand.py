"""What an organisation adds to a card: its name, a bar of its colour, its logo, and sections of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from govern.errors import printable
from govern.formats.edition import Brand
from govern.formats.strings import Strings

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

# The card's own headings are h1 to h3.
HIGHEST, LOWEST = 4, 6
View = dict[str, Any]


def brand(of: Brand, t: Strings) -> View:
    """Name, colour, logo with its text, and the sections as safe markup."""
    organisation = printable(of.organisation, 80)
    text = t("brand.logo", organisation=organisation) if organisation else t("brand.logo_plain")
    title = t("sections.own", organisation=organisation) if organisation else t("sections.own_plain")
    return {"organisation": organisation, "colour": of.colour, "logo": of.logo, "logo_text": text,
            "title": title, "sections": [{"title": printable(s.title, 120), "html": markup(s.markdown)}
                                         for s in of.sections]}


def markup(markdown: str) -> Any:
    """CommonMark with tables as well-formed HTML: tags in the text are shown as they are written, links and pictures
    are not made, so that nothing can be loaded or run, and headings stand below those of the card."""
    from markupsafe import Markup

    parser = _parser()
    tokens = parser.parse(markdown)
    for token in tokens:
        _tamed(token)
    # Whatever the text holds was escaped by the renderer; no attribute of it is left.
    return Markup(parser.renderer.render(tokens, parser.options, {}))  # noqa: S704


def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    rules = MarkdownIt("commonmark", {"html": False, "xhtmlOut": True, "linkify": False})
    return rules.enable("table").disable(["link", "autolink", "image", "html_inline", "html_block", "reference"])


def _tamed(token: Token) -> None:
    """Takes the attributes from a token and sets what the style sheet and a reader of the page need."""
    start = token.attrs.get("start")
    token.attrs = {}
    if token.tag == "ol" and isinstance(start, int):
        token.attrs["start"] = start
    if token.type == "table_open":
        token.attrs["class"] = "t"
    if token.type == "th_open":
        token.attrs["scope"] = "col"
    if token.type in ("heading_open", "heading_close"):
        token.tag = f"h{min(LOWEST, HIGHEST - 1 + int(token.tag[1]))}"
    for child in token.children or ():
        _tamed(child)
