"""Labels: those of the target, which of them is positive or wished for, and those of stored predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from govern.errors import InputError, nearest, printable
from govern.evidence import Task
from govern.inputs.levels import Codes, finite

# the second of each pair is the positive one
_PAIRS = (("0", "1"), ("false", "true"), ("f", "t"), ("no", "yes"), ("n", "y"), ("-1", "1"))


@dataclass(frozen=True)
class Target:
    """What the target asks of a model.

    `classes` are label texts in order: (negative, positive) in a binary task, all classes in a multiclass
    one, () in a regression. `positive` is set in a binary task, `favourable` there and, where it was given,
    in a multiclass one. `notes` say what was inferred.
    """

    task: Task
    classes: tuple[str, ...] = ()
    positive: str | None = None
    favourable: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def negative(self) -> str | None:
        """The label of a binary target that is not the positive one."""
        return self.classes[0] if self.task == "binary" else None


def choose_labels(levels: Sequence[str], column: str, *, positive: str | None, favourable: str | None,
                  where: str) -> Target:
    """The binary target whose distinct values are `levels`, its labels given or inferred. Raises InputError.

    Inferred is the positive label of 0/1, -1/1, false/true, no/yes; the favourable one defaults to it.
    """
    name, found = f'target "{printable(column)}"', sorted(levels)
    if not found:
        raise InputError(f"{name} holds no values", where=where, fix="give rows whose outcome is known")
    if len(found) == 1:
        raise InputError(f'{name} holds only the label "{printable(found[0])}"', where=where,
                         fix="give data with both outcomes")
    if len(found) > 2:
        raise InputError(f"{name} holds {len(found)} labels, a binary task has two: {_some(found)}",
                         where=where, fix="leave out --task binary, or give a target of two labels")
    notes = []
    if positive is None:
        chosen = _inferred(found)
        if chosen is None:
            raise InputError(f"which label of {name} is positive: {_some(found)}?", where=where,
                             fix=f"say it with --positive {printable(found[1])}")
        notes.append(f'The positive label was not given and taken to be "{chosen}".')
    else:
        chosen = match_label(positive, found, name, "--positive")
    if favourable is None:
        wished = chosen
        notes.append("The favourable label was not given and taken to be the positive one, "
                     f'"{printable(chosen)}".')
    else:
        wished = match_label(favourable, found, name, "--favourable")
    negative = found[0] if found[1] == chosen else found[1]
    return Target("binary", (negative, chosen), chosen, wished, tuple(notes))


def match_label(text: str, levels: Sequence[str], name: str, flag: str) -> str:
    """The level meant by `text`: the same text, the same number, or true/false in any case.

    Raises InputError.
    """
    found = same_label(text, levels)
    if found is None:
        raise InputError(f'"{printable(text)}" is not a label of {name}', where=flag,
                         fix=nearest(text, tuple(levels)) or f"labels: {_some(levels)}")
    return found


def same_label(text: str, levels: Sequence[str]) -> str | None:
    """The level meant by `text` as `match_label` finds it, or None."""
    if text in levels:
        return text
    for same in (lambda level: finite(level) is not None and finite(level) == finite(text),
                 lambda level: level in ("true", "false") and level == text.casefold()):
        found = [level for level in levels if same(level)]
        if len(found) == 1:
            return found[0]
    return None


def class_codes(levels: Sequence[str], target: Target) -> Codes:
    """For each level its index in the target's classes, −1 for one that is no class; shape (n_levels,)."""
    place = {label: i for i, label in enumerate(target.classes)}
    return np.array([place.get(level, -1) for level in levels], dtype=np.int32)


def predicted_codes(levels: Sequence[str], target: Target, column: str, where: str) -> Codes:
    """For each level of a column of predicted labels its index in the target's classes; shape (n_levels,).

    Raises InputError when a prediction is no label of the target, above all when scores stand there.
    """
    codes = class_codes(levels, target)
    for level in (level for level, code in zip(levels, codes, strict=True) if code < 0):
        score = finite(level)
        if score is not None and 0 < score < 1 and target.task == "binary":
            what = f'column "{printable(column)}" looks like scores ({printable(level)}), not labels'
            raise InputError(what, where=where, fix=f"use --score {printable(column)} --threshold …")
        what = f'column "{printable(column)}" predicts "{printable(level)}", which is no label of the target'
        more = "" if target.task == "binary" else "; name every class in order with --class if it is one"
        raise InputError(what, where=where, fix=f"labels: {_some(target.classes)}{more}")
    return codes


def _inferred(found: Sequence[str]) -> str | None:
    folded = {level.casefold(): level for level in found}
    return next((folded[yes] for no, yes in _PAIRS if set(folded) == {no, yes}), None)


def _some(levels: Sequence[str]) -> str:
    shown = ", ".join(f'"{printable(level, 20)}"' for level in list(levels)[:5])
    return shown + (" …" if len(levels) > 5 else "")
