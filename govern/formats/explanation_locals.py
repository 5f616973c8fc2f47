"""Single decisions beside each other: what each feature adds to the output of one row."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum

from govern.errors import printable
from govern.evidence import MISSING_NAME
from govern.explanations import Local
from govern.formats.cells import Cell, Part, Picture, Table, heads
from govern.formats.numbers import decimal, digits_of
from govern.formats.strings import Strings

SHOWN, ABREAST, PARTS = 8, 4, 4


def decisions(found: Sequence[Local], t: Strings) -> Part | None:
    """The chosen, typical and adverse rows, four in a table; None without one."""
    if not found:
        return None
    shown = found[:SHOWN]
    tables = [_table(shown[i:i + ABREAST], t) for i in range(0, len(shown), ABREAST)]
    after = t("explanation.more") if len(found) > SHOWN else ""
    return Part(t("explanation.locals_title"), t.text((t("explanation.locals_note"), after)), tuple(tables))


def _table(found: Sequence[Local], t: Strings) -> Table:
    most = max(abs(x) for one in found for x in (one.output, one.base, *(p.contribution for p in one.parts)))
    digits = digits_of(most) + 1
    rows: list[tuple[str | Cell | Picture, ...]] = [
        (t("explanation.base"), *(decimal(one.base, digits) for one in found))]
    for i in range(min(PARTS, max(len(one.parts) for one in found))):
        rows.append((t("explanation.part", n=i + 1), *(_part(one, i, digits, t) for one in found)))
    rows.append((t("explanation.rest"), *(decimal(rest(one, PARTS), digits) for one in found)))
    rows.append((t("explanation.output"), *(decimal(one.output, digits) for one in found)))
    if any(one.reasons for one in found):
        rows.append((t("explanation.reasons_row"), *(t.list(printable(r, 200) for r in one.reasons) or "–"
                                                     for one in found)))
    return Table(heads(("", *(_title(one, t) for one in found)), ("w15",)), tuple(rows), left=1 + len(found))


def rest(one: Local, shown: int) -> float:
    """What all features but the `shown` largest contribute together."""
    return fsum((one.rest, *(p.contribution for p in one.parts[shown:])))


def _part(one: Local, i: int, digits: int, t: Strings) -> Cell:
    if i >= len(one.parts):
        return Cell("–")
    p = one.parts[i]
    value = printable(p.value, 40) or t.phrase(MISSING_NAME)
    return Cell(decimal(p.contribution, digits), f"{printable(p.feature, 60)} = {value}")


def _title(one: Local, t: Strings) -> str:
    name, decision = printable(one.name, 60), printable(one.decision, 40)
    if one.kind == "chosen":
        return t("explanation.local_chosen", name=name, decision=decision) if decision else name
    if one.kind == "adverse":
        return t(f"explanation.local_{one.name}", decision=decision)
    return t("explanation.local_typical", decision=decision) if decision else t("explanation.local_typical_number")
