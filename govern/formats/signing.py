"""Who signs what: the boxes of page one, and section 21 with the whole statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from govern.errors import printable
from govern.formats.cells import Table, heads
from govern.formats.naming import pick
from govern.formats.numbers import short_digest
from govern.formats.strings import Strings
from govern.verdict import Verdict

BOXES_IN_A_ROW = 4
# What a box of page one takes: the more stand in a row, the shorter; in two rows nothing.
STATEMENT = {1: 300, 2: 240, 3: 120, 4: 70}
WIDE = 2  # so many boxes have room for a sentence
LONG = 2000
View = dict[str, Any]


def boxes(verdict: Verdict | None, digests: Mapping[str, str], t: Strings) -> View:
    """The boxes: for each role that a policy asks to sign, else the three that every release has."""
    asked = _asked(verdict, t)
    long = STATEMENT[min(len(asked) or 1, BOXES_IN_A_ROW)]
    says = "says" if len(asked) <= WIDE else "by"
    many = len(asked) > BOXES_IN_A_ROW
    roles = [{**r, "says": r[says], "statement": "" if many else printable(r["whole"], long)} for r in asked]
    shown = {k: short_digest(v) for k, v in digests.items()}
    line = t("page1.sign_digest", evidence=shown["evidence"], verdict=shown["verdict"]) if "verdict" in shown \
        else t("page1.sign_digest_only", evidence=shown.get("evidence", ""))
    distinct = any(s.distinct and len(s.roles) > 1 for s in (verdict.to_sign if verdict else ()))
    line = t.text((t("page1.distinct" if distinct else "page1.signed"), t.sentence(line),
                   t("page1.statements") if many else ""))
    return {"rows": batched(roles or [{**r, "statement": ""} for r in t.get("roles")], BOXES_IN_A_ROW), "digest": line,
            "line": t("page1.sign_line")}


def signoff(verdict: Verdict | None, digests: Mapping[str, str], t: Strings) -> View:
    """Section 21: a row for each role with its statement, and room for decision, conditions, name and date."""
    asked = _asked(verdict, t)
    options = t("signoff.options")
    rows = [(r["role"], r["whole"], r["by"], options, "") for r in asked] or \
        [(r["role"], r["says"], t("signoff.own"), options, "") for r in t.get("roles")]
    titles = [t(f"signoff.{k}") for k in ("role", "statement", "asked", "decision", "name")]
    bound = t.list(f"{t.phrase(k)} {short_digest(v)}" for k, v in digests.items())
    return {"none": "" if asked else t("signoff.none"), "asked": len(asked),
            "bound": t("signoff.bound", digests=bound),
            "table": Table(heads(titles, ("w14", "", "w14", "w16", "w24")), tuple(rows), left=5)}


def _asked(verdict: Verdict | None, t: Strings) -> list[dict[str, str]]:
    found = {role: s for s in (verdict.to_sign if verdict else ()) for role in s.roles}
    return [{"role": t.capital(t.phrase(printable(role.replace("_", " ")))),
             "says": t("page1.asked_by", rule=printable(s.rule), policy=printable(s.policy)),
             "by": t("signoff.by_rule", rule=printable(s.rule), policy=printable(s.policy)),
             "whole": printable(pick(s.statement, t("lang")), LONG)} for role, s in found.items()]


def batched(items: Sequence[Any], n: int) -> list[Sequence[Any]]:
    """The items in rows of `n`."""
    return [items[i:i + n] for i in range(0, len(items), n)]
