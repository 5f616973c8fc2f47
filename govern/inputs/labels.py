"""The two labels of a binary target: which is positive, which one people wish to receive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from govern.errors import InputError, nearest, printable
from govern.inputs.levels import Codes

MAX_LABELS = 20
# the second of each pair is the positive one
_PAIRS = (("0", "1"), ("false", "true"), ("f", "t"), ("no", "yes"), ("n", "y"), ("-1", "1"))


@dataclass(frozen=True)
class Labels:
    """The labels of a binary target as text; `favourable` is one of them; `notes` say what was inferred."""

    positive: str
    negative: str
    favourable: str
    notes: tuple[str, ...] = ()

    @property
    def favourable_is_positive(self) -> bool:
        """Whether people wish for the label whose probability the score is."""
        return self.favourable == self.positive


def choose_labels(levels: Sequence[str], column: str, *, positive: str | None, favourable: str | None,
                  where: str) -> Labels:
    """The labels of a target whose distinct values are `levels`, given or inferred. Raises InputError.

    Inferred is the positive label of 0/1, -1/1, false/true, no/yes; the favourable one defaults to it.
    """
    name, found = f'target "{printable(column)}"', sorted(levels)
    if not found:
        raise InputError(f"{name} holds no values", where=where, fix="give rows whose outcome is known")
    if len(found) == 1:
        raise InputError(f'{name} holds only the label "{printable(found[0])}"', where=where,
                         fix="give data with both outcomes")
    if len(found) > 2:
        raise InputError(f"{name} holds {len(found)} labels, and this version measures two: {_some(found)}",
                         where=where, fix="give a binary target; more classes and numbers come in a later version")
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
    return Labels(chosen, found[0] if found[1] == chosen else found[1], wished, tuple(notes))


def match_label(text: str, levels: Sequence[str], name: str, flag: str) -> str:
    """The level meant by `text`: the same text, the same number, or true/false in any case.

    Raises InputError.
    """
    if text in levels:
        return text
    for same in (lambda level: _number(level) is not None and _number(level) == _number(text),
                 lambda level: level in ("true", "false") and level == text.casefold()):
        found = [level for level in levels if same(level)]
        if len(found) == 1:
            return found[0]
    raise InputError(f'"{printable(text)}" is not a label of {name}', where=flag,
                     fix=nearest(text, tuple(levels)) or f"labels: {_some(levels)}")


def predicted_positive(levels: Sequence[str], labels: Labels, column: str, where: str) -> Codes:
    """For each level of a column of predictions 1 when it is the positive label, else 0; shape (n_levels,).

    Raises InputError when a prediction is no label of the target, above all when scores stand there.
    """
    for level in levels:
        if level not in (labels.positive, labels.negative):
            score = _number(level)
            if score is not None and 0 < score < 1:
                what = f'column "{printable(column)}" looks like scores ({printable(level)}), not labels'
                raise InputError(what, where=where, fix=f"use --score {printable(column)} --threshold …")
            what = f'column "{printable(column)}" predicts "{printable(level)}", which is no label of the target'
            raise InputError(what, where=where, fix=f"labels: {_some([labels.negative, labels.positive])}")
    return np.array([level == labels.positive for level in levels], dtype=np.int32)


def _inferred(found: Sequence[str]) -> str | None:
    folded = {level.casefold(): level for level in found}
    return next((folded[yes] for no, yes in _PAIRS if set(folded) == {no, yes}), None)


def _some(levels: Sequence[str]) -> str:
    shown = ", ".join(f'"{printable(level, 20)}"' for level in list(levels)[:5])
    return shown + (" …" if len(levels) > 5 else "")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
