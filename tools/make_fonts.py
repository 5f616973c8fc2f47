"""Makes what the card's Japanese font is: `python tools/make_fonts.py NotoSansJP[wght].ttf`.

Reads the variable font of the PyPI package `justmytype-intl-cjk` 0.1.0 (a wheel is a zip file: the font and its licence
lie in `justmytype_intl_cjk/fonts/ofl/notosansjp/`) and writes into `templates/fonts/`:

- `GovernSansJP.woff2`: the weights 400 to 600 of the characters of CP932, of JIS X 0213 plane 1 (names of persons and
  places, 常用漢字 and 人名用漢字 among them), of 𠮷, and the font's Latin (Vietnamese among it) and
  Cyrillic, but for those that Inter has, under a name of its own as its licence wishes;
- `Inter.txt`: the code points that Inter has, so that a card is checked without reading a font.

A card embeds two static fonts of the characters it shows, cut from it by `formats/fonts.py`. One file of two weights is
a fifth smaller than two files, and `glyf` without WOFF2's transformation is read twenty times faster.
"""

from __future__ import annotations

import sys
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.ttLib.woff2 import WOFF2FlavorData
from fontTools.varLib import instancer

FONTS = Path(__file__).parents[1] / "templates" / "fonts"
FAMILY = "Govern Sans JP"
WEIGHTS = (400, 400, 600)  # lowest, the one without deltas, highest
LETTERS = (*range(0x530), *range(0x1E00, 0x1F00))
NAMES = "𠮷"  # of no plane of JIS X 0213, in everyday use
SPACES = {0x20, 0xA0}  # taken from the font of the letters before them
PRIVATE = range(0xE000, 0xF900)
DROPPED = ["BASE", "GPOS", "GSUB", "HVAR", "STAT", "VORG", "gasp", "vhea", "vmtx"]


def double_bytes(codec: str, last: int) -> set[int]:
    """The code points of all pairs of bytes up to `last` that a codec reads."""
    found: set[int] = set()
    for pair in range(0x8140, last):
        try:
            found |= {ord(c) for c in pair.to_bytes(2, "big").decode(codec)}
        except UnicodeDecodeError:
            continue
    return found


def wanted(inter: set[int], every: set[int]) -> set[int]:
    """What the Japanese font is to have; plane 1 of JIS X 0213 ends before 0xF000."""
    halves = {ord(bytes([b]).decode("cp932")) for b in range(0xA1, 0xE0)}
    points = double_bytes("cp932", 0xFD00) | double_bytes("shift_jis_2004", 0xF000) | halves | set(map(ord, NAMES))
    points.update(LETTERS)
    return (points & every) - inter - set(PRIVATE) | SPACES


def cut(font: TTFont, points: set[int]) -> TTFont:
    """The font with these code points only, no layout features, no hints."""
    options = subset.Options(layout_features=[], hinting=False, name_IDs=["*"], recalc_timestamp=False,
                             drop_tables=DROPPED)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=points)
    cutter.subset(font)
    return reread(font)


def reread(font: TTFont) -> TTFont:
    """The font as its file would be read."""
    stream = BytesIO()
    font.save(stream)
    return TTFont(stream, recalcTimestamp=False)


def rename(font: Any) -> None:
    """Gives the font our name, keeping who made it and its licence."""
    for record in list(font["name"].names):
        if record.nameID not in (0, 5, 8, 9, 11, 12, 13, 14):
            font["name"].removeNames(nameID=record.nameID)
    for name, text in ((1, FAMILY), (2, "Regular"), (4, FAMILY), (6, FAMILY.replace(" ", ""))):
        font["name"].setName(text, name, 3, 1, 0x409)


def ranges(points: set[int]) -> str:
    """Code points as `20-7E A0`, in lines of at most 100 characters."""
    ends = sorted(points)
    starts = [ends[0], *(b for a, b in pairwise(ends) if b != a + 1)]
    stops = [*(a for a, b in pairwise(ends) if b != a + 1), ends[-1]]
    words = [f"{a:X}" if a == b else f"{a:X}-{b:X}" for a, b in zip(starts, stops, strict=True)]
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) > 99:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines) + "\n"


def main(source: str) -> None:
    """Writes both files."""
    inter = set(TTFont(FONTS / "Inter-Regular.woff2").getBestCmap())
    (FONTS / "Inter.txt").write_text(ranges(inter), encoding="ascii")
    font = TTFont(source, recalcTimestamp=False)
    font = cut(font, wanted(inter, set(font.getBestCmap())))
    font = instancer.instantiateVariableFont(font, {"wght": WEIGHTS})
    for tag in ("STAT", "avar", "HVAR"):
        if tag in font:
            del font[tag]
    rename(font)
    font.flavor, font.flavorData = "woff2", WOFF2FlavorData(transformedTables=[])
    font.save(FONTS / "GovernSansJP.woff2")


if __name__ == "__main__":
    main(*sys.argv[1:])
