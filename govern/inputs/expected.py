"""What people say beforehand of the data: shares, cases, decisions taken, the contract of columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from govern.errors import InputError, nearest, printable

if TYPE_CHECKING:
    from govern.inputs.settings import DataSettings

MAX_PAIRED = 12


@dataclass(frozen=True)
class Decision:
    """A decision in a column; `selected` is the value of those selected, None for the favourable label."""

    name: str
    column: str
    selected: str | None = None

    def plain(self) -> dict[str, str | None]:
        """As it stands in `govern.yaml`, written out."""
        return {"column": self.column, "selected": self.selected}


@dataclass(frozen=True)
class Contract:
    """What a column may hold: values of a kind, in a range or among levels, and whether they may be missing."""

    column: str
    kind: str | None = None
    low: float | None = None
    high: float | None = None
    levels: tuple[str, ...] | None = None
    missing: bool = True

    def plain(self) -> dict[str, Any]:
        """As it stands in `govern.yaml`, without what was left out."""
        said = {"kind": self.kind, "low": self.low, "high": self.high,
                "levels": None if self.levels is None else list(self.levels),
                "missing": None if self.missing else False}
        return {key: value for key, value in said.items() if value is not None}


def decisions_of(given: Mapping[str, Any] | None) -> tuple[Decision, ...]:
    """The decisions of the settings, short forms written out."""
    return tuple(Decision(name, said) if isinstance(said, str) else Decision(name, said["column"], said.get("selected"))
                 for name, said in (given or {}).items())


def contracts_of(given: Mapping[str, Any] | None) -> tuple[Contract, ...]:
    """The contracts of the settings by column."""
    return tuple(Contract(column, said.get("kind"), said.get("low"), said.get("high"),
                          None if said.get("levels") is None else tuple(said["levels"]), said["missing"])
                 for column, said in (given or {}).items())


def period_of(given: str | None) -> tuple[str, str] | None:
    """First and last day of a period written FIRST..LAST."""
    if given is None:
        return None
    first, _, last = given.partition("..")
    return first, last


def refuse_expected(data: DataSettings) -> None:
    """Raises InputError when what is said of the data cannot be meant."""
    roles = [s.role for s in data.sensitive]
    for role in data.shares:
        if role not in roles:
            raise InputError(f'data.shares: "{printable(role)}" is not a sensitive feature',
                             fix=nearest(role, roles) or f"add --sensitive {printable(role)}")
    known = list(dict.fromkeys([*roles, *data.control]))
    for case in data.cases:
        for role in case:
            if role not in known:
                raise InputError(f'data.cases: "{printable(role)}" is neither a sensitive nor a control feature',
                                 fix=nearest(role, known) or f"add --control {printable(role)}")
    names = [case_name(case) for case in data.cases]
    twice = next((n for i, n in enumerate(names) if n in names[:i]), None)
    if twice is not None:
        raise InputError(f"data.cases: {printable(twice, 120)} stands twice", fix="name each case once")
    if data.period is not None and data.date is None:
        raise InputError("a period is given and no column of dates", where="--period", fix="add --date COLUMN")
    if len(data.pairs) == 1:
        raise InputError("one column makes no pair", where="--pair-column", fix="name two columns or more")
    if len(data.pairs) > MAX_PAIRED:
        raise InputError(f"{len(data.pairs)} columns are too many to pair", where="--pair-column",
                         fix=f"name at most {MAX_PAIRED}")


def case_name(case: Mapping[str, str]) -> str:
    """A case as it is named everywhere: `sex=women, age=26–35`, features in the order given."""
    return ", ".join(f"{role}={level}" for role, level in case.items())
