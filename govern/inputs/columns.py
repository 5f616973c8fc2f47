"""Which column plays which role: features, target, sensitive and control features, weight, cluster, stored outputs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from govern.errors import InputError, nearest, printable
from govern.inputs.datasets import missing_column
from govern.inputs.settings import DataSettings, Settings

# names that boosters make up for models fitted on bare arrays; they say nothing about columns
_MADE_UP = re.compile(r"(Column_|f|x)\d+")


@dataclass(frozen=True)
class ColumnPlan:
    """Roles of columns: `features` in the model's order, `sensitive` and `control` role → column, `read` all needed.

    `weight`, `cluster` and `date` are columns or None, `decisions` columns by the name of the decision. None of these
    is a feature unless it is named as one. `search` are further columns searched for subgroups, `paired` and `checked`
    those whose pairs are counted and whose contract is checked: they may be features or not.
    """

    features: tuple[str, ...]
    target: str
    sensitive: Mapping[str, str]
    score: str | None
    prediction: str | None
    read: tuple[str, ...]
    notes: tuple[str, ...]
    control: Mapping[str, str] = field(default_factory=dict)
    weight: str | None = None
    cluster: str | None = None
    search: tuple[str, ...] = ()
    date: str | None = None
    decisions: Mapping[str, str] = field(default_factory=dict)
    paired: tuple[str, ...] = ()
    checked: tuple[str, ...] = ()


def plan_columns(settings: Settings, columns: Sequence[str], model_features: Sequence[str] | None,
                 n_features: int | None) -> ColumnPlan:
    """The roles of the data's `columns` for a model that remembers `model_features` or takes `n_features`.

    Features are those given, else the names the model remembers, else all columns not otherwise used if their
    number fits. Both are None when there is no model. Raises InputError.
    """
    path, target = settings.measurable()
    data, where, columns = settings.data, str(path), tuple(columns)
    sensitive = {s.role: s.column for s in data.sensitive}
    control = {c: c for c in data.control}
    stored = [c for c in (data.score, data.prediction) if c is not None]
    decisions = {d.name: d.column for d in data.decisions}
    others = [*(c for c in (data.weight, data.cluster, data.date) if c is not None), *decisions.values()]
    more = (*data.search, *data.pairs, *(c.column for c in data.contract))
    for name in (target, *sensitive.values(), *control, *stored, *others, *more):
        if name not in columns:
            raise missing_column(name, columns, where)
    _refuse_two_roles(data, target, where)
    used = {target, *sensitive.values(), *control, *stored, *others}
    features: tuple[str, ...] = ()
    notes: list[str] = []
    if settings.model.path is not None:
        features, notes = _features(data.features, columns, used, model_features, n_features, where)
    elif data.features is not None:
        features = _existing(data.features, columns, where)
    roles = {target: "target", data.score: "score", data.prediction: "prediction", data.cluster: "cluster column"}
    for role_column, what in roles.items():
        if role_column is not None and role_column in features:
            raise InputError(f'the {what} "{printable(role_column)}" is among the features', where=where,
                             fix=f"a model that sees its {what} cannot be judged; leave it out")
    # The keys of rows rely on it that features come first, then the target.
    read = tuple(dict.fromkeys((*features, target, *sensitive.values(), *control, *stored, *others, *more)))
    return ColumnPlan(features, target, sensitive, data.score, data.prediction, read, tuple(notes), control,
                      data.weight, data.cluster, data.search, data.date, decisions, data.pairs,
                      tuple(c.column for c in data.contract))


def _refuse_two_roles(data: DataSettings, target: str, where: str) -> None:
    """Raises InputError when one column plays two roles that exclude each other."""
    roles: list[tuple[str, str | None]] = [
        ("target", target), ("stored output", data.score), ("stored output", data.prediction),
        ("weight", data.weight), ("cluster column", data.cluster)]
    named = [(f'sensitive feature "{printable(s.role)}"', s.column) for s in data.sensitive]
    named += [(f'control feature "{printable(c)}"', c) for c in data.control]
    named += [(f'searched column "{printable(c)}"', c) for c in data.search]
    for what, column in named:
        same = next((role for role, taken in roles if taken == column), None)
        if same is not None:
            raise InputError(f"the {what} is the {same} itself", where=where, fix="name another column")
    for i, (role, taken) in enumerate(roles):
        before = next((r for r, earlier in roles[:i] if earlier == taken and r != role), None)
        if taken is not None and before is not None:
            raise InputError(f'"{printable(taken)}" cannot be both the {before} and the {role}', where=where,
                             fix="name another column")


def _features(given: Sequence[str] | None, columns: tuple[str, ...], used: set[str],
              remembered: Sequence[str] | None, number: int | None, where: str
              ) -> tuple[tuple[str, ...], list[str]]:
    if remembered is not None and all(_MADE_UP.fullmatch(n) and n not in columns for n in remembered):
        number, remembered = number or len(remembered), None
    if given is not None:
        features = _existing(given, columns, where)
        if remembered is not None and set(features) != set(remembered):
            odd = next((f for f in features if f not in remembered), "")
            lacking = next((r for r in remembered if r not in features), "")
            what = f'does not know feature "{printable(odd)}"' if odd else f'needs "{printable(lacking)}" too'
            fix = nearest(odd, tuple(remembered)) or "leave --feature out: the model remembers its features"
            raise InputError(f"the model {what}", where="--feature", fix=fix)
        if number is not None and len(features) != number:
            raise InputError(f"{len(features)} features are named, the model takes {number}",
                             where="--feature", fix="name them all, in the order of training")
        if remembered is not None and tuple(remembered) != features:
            return tuple(remembered), ["Features are passed in the order the model remembers."]
        return features, []
    if remembered is not None:
        remembered, notes = _spelt_as_data(remembered, columns)
        for name in remembered:
            if name not in columns:
                fix = nearest(name, columns) or "add it, or rename the column"
                raise InputError(f'the model needs column "{printable(name)}", which the data does not have',
                                 where=where, fix=fix)
        return tuple(remembered), notes
    free = tuple(c for c in columns if c not in used)
    if number is None or len(free) != number:
        takes = "does not say how many features it takes" if number is None else f"takes {number} features"
        raise InputError(f"the model {takes}, and {len(free)} columns are not otherwise used",
                         where=where, fix="name the features in the order of training with --feature")
    return free, [f"The model does not remember feature names: all {number} columns that are not otherwise used "
                  "were passed in file order."]


def _spelt_as_data(remembered: Sequence[str], columns: tuple[str, ...]) -> tuple[tuple[str, ...], list[str]]:
    """The remembered names as the data spells them: LightGBM writes the spaces of a column's name as underscores."""
    spelt = {re.sub(r"\s", "_", c): c for c in reversed(columns)}
    found = tuple(n if n in columns else spelt.get(n, n) for n in remembered)
    changed = [printable(c) for n, c in zip(remembered, found, strict=True) if n != c]
    said = f"The model remembers underscores where the data has spaces: {', '.join(changed)}."
    return found, [said] if changed else []


def _existing(names: Iterable[str], columns: tuple[str, ...], where: str) -> tuple[str, ...]:
    seen: dict[str, None] = {}
    for name in names:
        if name not in columns:
            raise missing_column(name, columns, where)
        if name in seen:
            raise InputError(f'feature "{printable(name)}" is named twice', where="--feature",
                             fix="name it once")
        seen[name] = None
    return tuple(seen)
