"""The card as one HTML file: no script, nothing loaded from anywhere, one style block allowed by its hash."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from govern.evidence import Compute, Evidence
from govern.formats.edition import Edition
from govern.formats.fonts import with_glyphs
from govern.formats.strings import strings
from govern.formats.view import build
from govern.resources import resource
from govern.verdict import Verdict

if TYPE_CHECKING:
    from jinja2 import Environment

FONTS = (("Inter-Regular.woff2", 400), ("Inter-SemiBold.woff2", 600))


def render_html(evidence: Evidence, verdict: Verdict | None, compute: Compute | None, *,
                digests: Mapping[str, str], edition: Edition | None = None) -> str:
    """The card of these documents as one self-contained HTML page; equal documents give equal text.

    `digests` maps document names (evidence, verdict, compute) to the SHA-256 of their files. Raises InputError for a
    character that no font of the card has.
    """
    from markupsafe import Markup

    edition = edition or Edition()
    t = strings(edition.lang)
    css = style()
    template = _environment().get_template("card.html.j2")
    # Only the style sheet and what the macros draw is markup; every text from a document is escaped.
    page = template.render(build(evidence, verdict, compute, digests, t, edition), t=t, css=Markup(css),  # noqa: S704
                           policy_header=content_security_policy(css))
    return with_glyphs(page, {"evidence.json": evidence, "verdict.json": verdict, "compute.json": compute,
                              "report": edition.brand})


def prepare() -> None:
    """Compiles the templates and reads the style sheet, so that no card waits for it."""
    style()
    environment = _environment()
    for name in environment.list_templates(extensions=["j2"]):
        environment.get_template(name)


@lru_cache
def style() -> str:
    """The style sheet with the fonts in it as data."""
    faces = []
    for name, weight in FONTS:
        font = base64.b64encode(resource("templates", "fonts", name).read_bytes()).decode()
        faces.append(f"@font-face {{ font-family: Inter; font-weight: {weight}; font-display: block; "
                     f'src: url(data:font/woff2;base64,{font}) format("woff2") }}')
    return "\n".join([*faces, resource("templates", "card.css").read_text("utf-8")])


def content_security_policy(css: str) -> str:
    """The page's policy: nothing may run or be fetched; the style block is known by its hash."""
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return (f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; font-src data:; "
            "base-uri 'none'; form-action 'none'")


@lru_cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(loader=FileSystemLoader(resource("templates")), autoescape=True, undefined=StrictUndefined,
                       trim_blocks=True, lstrip_blocks=True, auto_reload=False)
