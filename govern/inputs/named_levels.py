"""Levels that settings name, held against the data before anything is measured: a slip is told at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from govern.errors import InputError, nearest, printable
from govern.evidence import UNKNOWN_NAME
from govern.inputs.coders import Coder
from govern.inputs.datasets import DataSource
from govern.inputs.expected import Decision, case_name
from govern.inputs.labels import Target, same_label
from govern.inputs.levels import LevelCoder
from govern.inputs.settings import DataSettings

FIX = "name a column of few different values"


def decisions_in(data: DataSettings, source: DataSource, target: Target, coders: Mapping[str, Coder]
                 ) -> tuple[Decision, ...]:
    """The decisions with `selected` as the data write it.

    Reads the columns that shares, cases and decisions speak of, and none where nothing is said of any. Raises
    InputError for a level that no row holds, for a group without a declared share, and for a decision whose selected
    value is not known.
    """
    named = dict.fromkeys(role for said in (data.shares, *data.cases) for role in said)
    looking: dict[str, Coder] = {role: coders[role].anew() for role in named}
    steps = {d.name: LevelCoder(d.column, empty=False, fix=FIX) for d in data.decisions}
    columns = list(dict.fromkeys(c.column for c in (*looking.values(), *steps.values())))
    for batch in source.batches(columns, coded=columns) if columns else ():
        for coder in (*looking.values(), *steps.values()):
            coder.codes(batch.column(coder.column))
    levels = {role: coder.ordered()[0] for role, coder in looking.items()}
    where = str(source.path)
    for role, shares in data.shares.items():
        for level in shares:
            _refuse_unheld("data.shares", role, level, levels[role], where)
        left = next((level for level in levels[role] if level not in shares and level != UNKNOWN_NAME), None)
        if left is not None:
            what = f'data.shares: no share is declared of {printable(role)} "{printable(left)}", which rows hold'
            raise InputError(what, where=where, fix="declare it, or list the value under unknown of the feature")
    for case in data.cases:
        for role, level in case.items():
            _refuse_unheld(f"data.cases: {case_name(case)}", role, level, levels[role], where)
    return tuple(Decision(d.name, d.column, _selected(d, steps[d.name].levels, target, where)) for d in data.decisions)


def _refuse_unheld(what: str, role: str, level: str, held: Sequence[str], where: str) -> None:
    if level not in held:
        shown = ", ".join(printable(h, 20) for h in held[:6]) + (" …" if len(held) > 6 else "")
        raise InputError(f'{what}: no row has {printable(role)} "{printable(level)}"', where=where,
                         fix=nearest(level, tuple(held)) or f"groups: {shown}; one that nobody is in needs to stand "
                                                            "under levels of the sensitive feature")


def _selected(decision: Decision, levels: Sequence[str], target: Target, where: str) -> str:
    name = f'decision "{printable(decision.name)}"'
    wanted = decision.selected if decision.selected is not None else target.favourable
    short = f"{printable(decision.name, 20)}: {{column: {printable(decision.column, 20)}, selected: …}}"
    example = f"data.decisions: {{{short}}}"
    if wanted is None:
        raise InputError(f"{name} does not say which value means selected", where=where, fix=f"write {example}")
    found = same_label(wanted, levels)
    if found is None:
        values = ", ".join(f'"{printable(v, 20)}"' for v in sorted(levels)[:5]) + (" …" if len(levels) > 5 else "")
        fix = nearest(wanted, tuple(levels)) or f"its values: {values or 'none'}; write {example}"
        raise InputError(f'{name}: no row of column "{printable(decision.column)}" holds "{printable(wanted)}"',
                         where=where, fix=fix)
    return found
