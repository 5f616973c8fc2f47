"""The task that a target poses, and its classes: given, or taken from its values with a note."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from govern.errors import InputError, nearest, printable
from govern.evidence import Task
from govern.inputs.datasets import DataSource
from govern.inputs.labels import Target, choose_labels, match_label, same_label
from govern.inputs.levels import LevelCoder, finite, numbers
from govern.inputs.settings import DataSettings

INFERRED_CLASSES = 20
MAX_CLASSES = 50


def target_of(source: DataSource, data: DataSettings) -> Target:
    """The target of `source`, from one look at its column, which ends where the answer is clear.

    Raises InputError for a target that poses no task and for settings that contradict it.
    """
    column = data.target or ""
    kind, coder = source.type_of(column), LevelCoder(column, limit=MAX_CLASSES + 1, empty=False)
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    enough = 1 if data.task == "regression" else \
        INFERRED_CLASSES + 1 if numeric and data.task is None and not data.classes else MAX_CLASSES + 1
    levels: Sequence[str] | None = coder.levels
    for batch in source.batches([column]):
        try:
            coder.codes(batch.column(0))
        except InputError:
            levels = None
        if levels is None or len(levels) >= enough:
            break
    if levels is not None and len(levels) > MAX_CLASSES:
        levels = None
    return choose_target(levels, numeric, data, where=str(source.path))


def choose_target(levels: Sequence[str] | None, numeric: bool, data: DataSettings, *, where: str) -> Target:
    """The target whose distinct values are `levels`, None for more than 50; task and labels given or inferred.

    Two labels pose a binary task, 3 to 20 a multiclass one, more than 20 different numbers or numbers with
    decimal places a regression. `numeric` says whether the column holds numbers. Raises InputError.
    """
    column, notes = data.target or "", []
    name = f'target "{printable(column)}"'
    if levels is not None and not levels:
        raise InputError(f"{name} holds no values", where=where, fix="give rows whose outcome is known")
    task = data.task
    if task is None:
        task = _task(levels, numeric, bool(data.classes), name, where)
        if task == "multiclass" and levels is not None and not data.classes:
            notes.append(f"The task was not given and taken to be multiclass: {name} holds {len(levels)} labels.")
        elif task == "regression":
            few = levels is not None and len(levels) <= INFERRED_CLASSES
            notes.append(f"The task was not given and taken to be a regression: {name} holds "
                         + ("numbers with decimal places." if few else f"more than {INFERRED_CLASSES} numbers."))
    _refuse_settings(task, data, name, where)
    if task == "regression":
        if not numeric:
            raise InputError(f"{name} does not hold numbers, which a regression needs", where=where,
                             fix="leave out --task regression, or store the outcome as numbers")
        return Target("regression", notes=tuple(notes))
    if levels is None:
        raise InputError(f"{name} holds more than {MAX_CLASSES} labels", where=where,
                         fix="name a column of fewer labels, or say --task regression if it holds numbers")
    if task == "binary":
        return choose_labels(levels, column, positive=data.positive, favourable=data.favourable, where=where)
    classes = _classes(levels, data.classes, name, where)
    wished = None if data.favourable is None else match_label(data.favourable, classes, name, "--favourable")
    return Target("multiclass", classes, None, wished, tuple(notes))


def _task(levels: Sequence[str] | None, numeric: bool, ordered: bool, name: str, where: str) -> Task:
    """The task that the values of a target pose; `ordered` says that its classes were given."""
    if ordered:
        return "multiclass"
    if levels is None or len(levels) > INFERRED_CLASSES:
        if numeric:
            return "regression"
        raise InputError(f"{name} holds more than {INFERRED_CLASSES} labels", where=where,
                         fix="say --task multiclass if they are classes, or name another column")
    if len(levels) > 2 and numeric and any(not float(level).is_integer() for level in levels):
        return "regression"
    return "binary" if len(levels) <= 2 else "multiclass"


def _refuse_settings(task: Task, data: DataSettings, name: str, where: str) -> None:
    """Raises InputError when a setting has no meaning in the task."""
    useless: dict[str, tuple[object, str]] = {}
    if task == "regression":
        useless = {"--positive": (data.positive, "leave it out, or say --task binary"),
                   "--favourable": (data.favourable, "leave it out, or say --task multiclass"),
                   "--class": (data.classes, "leave it out, or say --task multiclass")}
        kind = f"a regression, and {name} holds numbers"
    elif task == "multiclass":
        useless = {"--positive": (data.positive, "name the class people wish for with --favourable"),
                   "--threshold": (data.threshold, "leave it out")}
        kind = f"a multiclass task, and {name} holds more than two labels"
    else:
        useless = {"--class": (data.classes, "say which label is positive with --positive")}
        kind = "a binary task"
    for flag, (given, fix) in useless.items():
        if given not in (None, ()):
            raise InputError(f"{flag} has no meaning in {kind}", where=where, fix=fix)
    if task == "binary" and data.prediction is not None and data.threshold is not None:
        raise InputError("both --prediction and --threshold say who is predicted positive", where=where,
                         fix="leave one of them out")


def _classes(levels: Sequence[str], given: Sequence[str], name: str, where: str) -> tuple[str, ...]:
    """The classes in order: as given, else by number when all are numbers, else by code point."""
    if given:
        wanted: list[str] = []
        for text in given:
            same = same_label(text, levels)
            wanted.append(text if same is None else same)
        if len(set(wanted)) < len(wanted):
            raise InputError("a class is named twice", where="--class", fix="name each class once")
        left = next((level for level in sorted(levels) if level not in wanted), None)
        if left is not None:
            raise InputError(f'{name} holds "{printable(left)}", which is not among the classes', where="--class",
                             fix=nearest(left, tuple(wanted)) or f"add --class {printable(left)}")
        if len(wanted) < 3:
            raise InputError("two classes make a binary task", where="--class", fix="say --positive instead")
        return tuple(wanted)
    if len(levels) < 3:
        what = f"{name} holds {len(levels)} label{'' if len(levels) == 1 else 's'}, a multiclass task has three or more"
        raise InputError(what, where=where, fix="leave out --task, or name every class in order with --class")
    values = {level: finite(level) for level in levels}
    if any(v is None for v in values.values()):
        return tuple(sorted(levels))
    return tuple(sorted(levels, key=lambda level: (values[level], level)))


def outcomes(array: pa.Array, column: str, where: str) -> NDArray[np.float64]:
    """The outcomes of a regression, NaN where missing, shape (n_rows,).

    Raises InputError for text and for infinite values.
    """
    values = numbers(array, column)
    if np.isinf(values).any():
        raise InputError(f'target "{printable(column)}" holds infinite values', where=where,
                         fix="give finite outcomes, or leave these rows out")
    return values
