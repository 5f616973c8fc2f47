"""What an organisation adds to a card, as it is read: its colour, its logo, its own sections. Standard library only."""

from __future__ import annotations

import base64
import re
from pathlib import Path

from govern.errors import InputError, printable

LOGO_BYTES = 200_000
SECTION_BYTES = 200_000
# WCAG 2.2, 1.4.11: what is not text needs 3 : 1 against the page, which is white in print.
CONTRAST = 3.0
PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"


def checked_colour(text: str | None) -> str:
    """The colour as `#rrggbb` in small letters, empty without one.

    Raises InputError for anything else, and for one that is hardly seen on white.
    """
    if text is None:
        return ""
    where = "report.colour"
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", text):
        raise InputError(f'"{printable(text, 40)}" is not a colour', where=where, fix="write it as #1d5b94")
    found = contrast(text)
    if found < CONTRAST:
        raise InputError(f"{text} has a contrast of {found:.2f} to white, too little to be seen in print", where=where,
                         fix=f"use a darker colour, of at least {CONTRAST:g}")
    return text.lower()


def contrast(colour: str) -> float:
    """The contrast (1 to 21) of a colour `#rrggbb` with white. Source: WCAG 2.2, relative luminance and contrast."""
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def logo_uri(path: Path | None) -> str:
    """The logo as a data URI, empty without one.

    Raises InputError where it cannot be read, is no PNG or JPEG by its content, or is larger than 200 kB.
    """
    if path is None:
        return ""
    data = _read(path, LOGO_BYTES, "report.logo", "a smaller picture")
    kind = "png" if data.startswith(PNG) else "jpeg" if data.startswith(JPEG) else ""
    if not kind:
        raise InputError(f"{printable(path.name)} is no PNG or JPEG picture", where="report.logo",
                         fix="save it as PNG")
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def own_section(path: Path) -> tuple[str, str]:
    """(title, Markdown) of a file: its first heading is the title where it begins with one, else the file's name.

    Raises InputError where it cannot be read, is larger than 200 kB or is not UTF-8.
    """
    data = _read(path, SECTION_BYTES, "report.sections", "a shorter text")
    try:
        text = data.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise InputError(f"{printable(path.name)} is not UTF-8 text", where="report.sections",
                         fix="save it as UTF-8") from None
    first, _, rest = text.partition("\n")
    if found := re.fullmatch(r"#{1,6}\s+(.*?)\s*#*\s*", first):
        return found[1], rest.strip()
    return path.stem.replace("_", " ").replace("-", " "), text


def _read(path: Path, limit: int, where: str, fix: str) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as err:
        raise InputError(f"{printable(path.name)} cannot be read: {err.strerror or err}", where=where,
                         fix="check the path, which is relative to the settings file") from None
    if len(data) > limit:
        raise InputError(f"{printable(path.name)} is larger than {limit // 1000} kB", where=where, fix=f"give {fix}")
    return data
