"""The card as one HTML file: nothing is loaded from anywhere, one style block and one script are allowed by their hash.

The card is complete without the script, and what the script adds is not printed.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import re
import sys
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from govern.evidence import Compute, Evidence
from govern.formats.edition import Edition
from govern.formats.explorer import explorer
from govern.formats.fonts import with_glyphs
from govern.formats.strings import strings
from govern.formats.suppress import said, suppressed
from govern.formats.view import build
from govern.resources import resource
from govern.verdict import Verdict

if TYPE_CHECKING:
    from jinja2 import Environment

FONTS = (("Inter-Regular.woff2", 400), ("Inter-SemiBold.woff2", 600))
COLOUR = re.compile(r"#[0-9a-f]{3,6}\b")
COLOURED = re.compile(r"([a-z-]+): ?([^;:{}]*#[0-9a-f]{3,6}\b[^;{}]*)")
SCRIPTS = re.compile(r"<script\b.*?</script>\n?", re.DOTALL)
# What could end a script block or begin a comment or an entity in it; in a string of JSON the escapes mean the same.
UNSAFE = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def render_html(evidence: Evidence, verdict: Verdict | None, compute: Compute | None, *,
                digests: Mapping[str, str], edition: Edition | None = None) -> str:
    """The card of these documents as one self-contained HTML page; equal documents give equal text.

    `digests` maps document names (evidence, verdict, compute) to the SHA-256 of their files. With
    `edition.suppress_below` the card is made from suppressed copies of the documents. Raises InputError where there
    can be none, and for a character that no font of the card has.
    """
    from markupsafe import Markup

    edition = edition or Edition()
    t = strings(edition.lang)
    css, code = style(), script()
    below = edition.suppress_below
    states: list[str] = []
    if below > 1:
        cut = suppressed(evidence, verdict, below, t)
        evidence, verdict, states = cut.evidence, cut.verdict, said(cut, below, t)
    view = build(evidence, verdict, compute, digests, t, edition)
    view["head"]["states"] += states
    data = embedded({"words": t.get("screen"), "explorer": explorer(evidence, verdict, t) if edition.full else None})
    template = _environment().get_template("card.html.j2")
    # Only the style sheet, the script, its data and what the macros draw is markup; every text from a document is
    # escaped.
    page = template.render(view, t=t, css=Markup(css), page_script=Markup(code),  # noqa: S704
                           page_data=Markup(data), policy_header=content_security_policy(css, code))  # noqa: S704
    return with_glyphs(page, {"evidence.json": evidence, "verdict.json": verdict, "compute.json": compute,
                              "report": edition.brand})


def prepare() -> None:
    """Compiles the templates and reads the style sheet, so that no card waits for it."""
    style()
    script()
    environment = _environment()
    for name in environment.list_templates(extensions=["j2"]):
        environment.get_template(name)


@lru_cache
def style() -> str:
    """The style sheet of the page with the fonts in it as data, each colour with what it is on a dark screen."""
    pairs = palette()
    sheet = COLOURED.sub(lambda m: f"{m[0]}; {m[1]}: {_paired(m[2], pairs)}", resource("templates", "card.css")
                         .read_text("utf-8"))
    drawn = [f'[{kind}="{colour}"] {{ {kind}: {_paired(colour, pairs)} }}' for colour in pairs
             for kind in ("fill", "stroke")]
    return "\n".join([_faces(), sheet, "@media screen {", *drawn, "}"])


@lru_cache
def paper_style() -> str:
    """The style sheet as WeasyPrint is given it: the colours alone."""
    return "\n".join([_faces(), resource("templates", "card.css").read_text("utf-8")])


def on_paper(html: str) -> str:
    """A page of `render_html` as WeasyPrint is given it: no script, no second colours."""
    return SCRIPTS.sub("", html.replace(style(), paper_style()))


@lru_cache
def script() -> str:
    """The one script of the page."""
    return resource("templates", "card.js").read_text("utf-8")


@lru_cache
def palette() -> dict[str, str]:
    """Each colour of style sheet and pictures, with what it is on a dark screen."""
    return tomllib.loads(resource("templates", "palette.toml").read_text("utf-8"))


def embedded(data: Any) -> str:
    """`data` as JSON that can stand in a script block: no character of it can end the block."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(UNSAFE)


def content_security_policy(css: str, code: str) -> str:
    """The page's policy: nothing may be fetched; style block and script are known by their hashes, and no text can be
    made to run."""
    style_hash, script_hash = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
                               for text in (css, code))
    return (f"default-src 'none'; style-src 'sha256-{style_hash}'; script-src 'sha256-{script_hash}'; img-src data:; "
            "font-src data:; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; "
            "trusted-types 'none'")


def _paired(text: str, pairs: Mapping[str, str]) -> str:
    """`text` with each colour of the palette as the pair of a light and a dark one."""
    return COLOUR.sub(lambda m: f"light-dark({m[0]}, {pairs[m[0]]})" if m[0] in pairs else m[0], text)


def _faces() -> str:
    faces = []
    for name, weight in FONTS:
        font = base64.b64encode(resource("templates", "fonts", name).read_bytes()).decode()
        faces.append(f"@font-face {{ font-family: Inter; font-weight: {weight}; font-display: block; "
                     f'src: url(data:font/woff2;base64,{font}) format("woff2") }}')
    return "\n".join(faces)


@lru_cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined

    folder = resource("templates")
    compiled = _compiled(folder)
    return Environment(loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined,
                       trim_blocks=True, lstrip_blocks=True, auto_reload=False,
                       bytecode_cache=FileSystemBytecodeCache(str(compiled)) if compiled else None)


def _compiled(templates: Path) -> Path | None:
    """The folder in which compiled templates are kept, as Python keeps its modules: beside them, where one may write
    there. Compiling takes a quarter of a second."""
    folder = templates / "__pycache__"
    with contextlib.suppress(OSError):
        folder.mkdir(exist_ok=True)
    return folder if not sys.dont_write_bytecode and os.access(folder, os.R_OK | os.W_OK | os.X_OK) else None
