"""Columns of labels and of sensitive features as small whole numbers, batch by batch.

A coder's table only ever grows, so codes of earlier batches stay valid; `ordered` then gives the levels in
their final order, which depends on the values alone and not on the order of rows or batches.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from govern.errors import InputError, printable
from govern.evidence import UNKNOWN_NAME, GroupStatus
from govern.inputs.arrays import floats, indices, raw, small_range, valid
from govern.inputs.schema import label_text

MAX_LEVELS = 1_000
SMALL_TABLE = 4_096
Codes = NDArray[Any]  # whole numbers of any width
_NEW = -2


class LevelCoder:
    """Codes the distinct values of a column by their text; −1 is missing.

    `rename` maps a value's text to the level it belongs to: these levels are declared, one that nobody has is
    a level too and others are unseen. `unknown` lists texts that mean unknown, a level of its own. More than
    `limit` levels raise InputError. With `empty`, levels that a dictionary-coded column declares but no row
    holds are levels too: a group nobody is in is worth showing, a label nobody has is not. `alike` are texts
    under which the file holds values of different types.
    """

    asked = True

    def __init__(self, column: str, *, rename: Mapping[str, str] | None = None, unknown: Sequence[str] = (),
                 limit: int = MAX_LEVELS, fix: str = "choose another column, or --band",
                 empty: bool = True, alike: Sequence[str] = ()) -> None:
        self.column, self.limit, self.fix, self.empty = column, limit, fix, empty
        self.rename, self.unknown = dict(rename or {}), frozenset(unknown)
        self._alike = tuple(alike)
        self.levels: list[str] = []
        self._code_of: dict[str, int] = {}
        self._held: set[int] = set()
        self._types: dict[str, set[str]] = {text: {"text", "other"} for text in alike}
        self._dictionary: pa.Array | None = None
        self._of_place = np.empty(0, np.int32)
        self._whole: tuple[bool, int] = (False, 0)
        self._of_whole = np.empty(0, np.int32)
        for level in sorted(set(self.rename.values())):
            self._level(level)

    def anew(self) -> LevelCoder:
        """A coder of the same column and levels that has seen nothing yet."""
        return LevelCoder(self.column, rename=self.rename, unknown=tuple(self.unknown), limit=self.limit, fix=self.fix,
                          empty=self.empty, alike=self._alike)

    def codes(self, array: pa.Array) -> Codes:
        """Codes of a column's values, shape (n_rows,), not to be written to. Raises InputError."""
        if self._whole == (False, 0) and pa.types.is_integer(array.type) and not array.null_count \
                and _is_identity(self._of_whole[:-1]):
            values: Codes = raw(array)
            if len(values) and values.min() >= 0 and values.max() < len(self._of_whole) - 1:
                return values  # the commonest labels, 0 and 1, are their own codes
        found = small_range(array, SMALL_TABLE)
        if found is None:
            return self._coded(array if pa.types.is_dictionary(array.type) else array.dictionary_encode())
        low, places, size = found
        truth = pa.types.is_boolean(array.type)
        start = self._cover(truth, low, size)
        known = valid(array) if array.null_count else None
        if known is not None:
            places[~known] = len(self._of_whole) + start - low - 1
        if low != start:
            places += low - start
        kind = bool if truth else int
        return self._look_up(self._of_whole, places, lambda place: kind(start + place))

    def _cover(self, truth: bool, low: int, size: int) -> int:
        """The first number of a table that covers the numbers from `low`, made anew where the last does not.

        Its last place is that of missing values.
        """
        was, start = self._whole
        covered = len(self._of_whole) - 1
        if was != truth or low < start or low + size > start + covered:
            first, last = low, low + size
            if was == truth and covered > 0 and max(last, start + covered) - min(low, start) <= SMALL_TABLE:
                first, last = min(low, start), max(last, start + covered)
            self._of_whole = np.full(last - first + 1, _NEW, dtype=np.int32)
            self._of_whole[-1] = -1
            self._whole = truth, first
        return self._whole[1]

    def _coded(self, array: pa.DictionaryArray) -> Codes:
        if self._dictionary is None or not array.dictionary.equals(self._dictionary):
            self._dictionary = array.dictionary
            self._of_place = np.full(len(self._dictionary) + 1, _NEW, dtype=np.int32)
            self._of_place[-1] = -1
            if self.empty:
                for value in self._dictionary.to_pylist():
                    level = self._level_of(value)
                    if level is not None and level != UNKNOWN_NAME:
                        self._level(level)
        if not array.indices.null_count and _is_identity(self._of_place[:-1]):
            own: Codes = raw(array.indices)
            return own
        values = array.dictionary
        return self._look_up(self._of_place, indices(array, len(values)), lambda place: values[place].as_py())

    def _look_up(self, table: Codes, places: NDArray[Any], value: Callable[[int], Any]) -> Codes:
        """The codes at `places` of a table, which is filled in where a value is met for the first time."""
        codes: Codes = table[places]
        if len(codes) and codes.min() == _NEW:
            for place in np.flatnonzero(np.bincount(places[codes == _NEW])).tolist():
                table[place] = self._code(value(place))
            codes = table[places]
        return codes

    def _code(self, value: Any) -> int:
        level = self._level_of(value)
        if level is None:
            return -1
        code = self._level(level)
        self._held.add(code)
        self._types.setdefault(level_text(value), set()).add(_type_name(value))
        return code

    def _level_of(self, value: Any) -> str | None:
        """The level of a value, None for a missing one."""
        if value is None or value != value:
            return None
        text = level_text(value)
        return UNKNOWN_NAME if text in self.unknown else self.rename.get(text, text)

    def _level(self, text: str) -> int:
        code = self._code_of.setdefault(text, len(self.levels))
        if code == len(self.levels):
            if code == self.limit:
                what = f'column "{printable(self.column)}" has more than {self.limit:,} different values'
                raise InputError(what, fix=self.fix)
            self.levels.append(text)
        return code

    def ordered(self) -> tuple[tuple[str, ...], Codes]:
        """Levels in code-point order, unknown last, and for each code its place in them."""
        levels = tuple(sorted(self.levels, key=lambda level: (level == UNKNOWN_NAME, level)))
        place = {level: i for i, level in enumerate(levels)}
        return levels, np.array([place[level] for level in self.levels], dtype=np.int32)

    def statuses(self) -> dict[str, GroupStatus]:
        """For each level whether its rows are declared unknown, it is empty, or it is not a declared one."""
        declared, found = set(self.rename.values()), dict[str, GroupStatus]()
        for code, level in enumerate(self.levels):
            found[level] = ("unknown" if level == UNKNOWN_NAME else "empty" if code not in self._held
                            else "unseen" if declared and level not in declared else "ok")
        return found

    def notes(self) -> list[str]:
        """A sentence for each pair of levels that look alike, and for values of different types in one level.

        Alike are texts that differ only in case, spaces or width, numbers written differently, and 1 and true.
        """
        seen: dict[str, str] = {}
        found = []
        where = f'column "{printable(self.column)}"'
        for level in sorted(self.levels):
            folded = _folded(level)
            if folded in seen:
                found.append(f'"{printable(seen[folded])}" and "{printable(level)}" in {where} look alike and are '
                             "counted apart.")
            seen.setdefault(folded, level)
        for text, types in sorted(self._types.items()):
            if len(types) > 1:
                found.append(f'Values of different types are written "{printable(text)}" in {where} and are counted '
                             "together.")
        return found


def _is_identity(table: Codes) -> bool:
    """Whether each place of a table is its own code, so that nothing need be looked up."""
    return bool((table == np.arange(len(table))).all())


def numbers(array: pa.Array, column: str) -> NDArray[np.float64]:
    """A numeric or boolean column as float64 with NaN for missing, shape (n_rows,). Raises InputError."""
    kind = array.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        raise InputError(f'column "{printable(column)}" holds {kind} values, not numbers',
                         fix="give a column of numbers")
    return floats(array)


def level_text(value: Any) -> str:
    """A value as level text: 1 and 1.0 are "1", booleans "true" and "false", dates ISO."""
    text = label_text(value)
    return text if isinstance(text, str) else str(text)


def number_text(value: float) -> str:
    """A number without a needless decimal point."""
    return level_text(float(value)) if math.isfinite(value) else str(value)


def finite(text: str) -> float | None:
    """The finite number that a text writes, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _folded(level: str) -> str:
    """What two levels that look alike share."""
    text = "".join(unicodedata.normalize("NFKC", level).casefold().split())
    text = {"true": "1", "false": "0"}.get(text, text)
    value = finite(text)
    return text if value is None else number_text(value + 0.0)


def _type_name(value: Any) -> str:
    if isinstance(value, bool):
        return "truth value"
    return "number" if isinstance(value, int | float) else "text" if isinstance(value, str) else "date"
