"""Which coder each sensitive and control feature gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from govern.errors import InputError, printable
from govern.inputs.bands import BandCoder, Quartiles
from govern.inputs.datasets import DataSource
from govern.inputs.levels import LevelCoder
from govern.inputs.settings import DataSettings, SensitiveFeature

QUARTERS = " (quarters)"
SEARCHED_LEVELS = 50

Coder = LevelCoder | BandCoder


def sensitive_coders(data: DataSettings, source: DataSource) -> dict[str, Coder]:
    """The coder of each sensitive feature by role: its bands, else its levels; quartiles for numbers of many values.

    A feature that is banded by the user's cut points is banded at its quartiles as well, last and under the
    role "age (quarters)": there `asked` is false, it is shown and never judged. Reads numeric columns once.
    Raises InputError.
    """
    return _coders(data.sensitive, data.bands, source)


def control_coders(data: DataSettings, source: DataSource) -> dict[str, Coder]:
    """The coder of each control feature by column, chosen as for sensitive features. Raises InputError."""
    found = _coders([SensitiveFeature(c, c) for c in data.control], data.bands, source)
    return {column: found[column] for column in data.control}


def search_coders(data: DataSettings, source: DataSource) -> dict[str, Coder]:
    """The coder of each column that only the search of subgroups asks for, by column: numbers of many values at
    their quartiles. Raises InputError, from the coder for more than 50 levels."""
    asked = [c for c in data.search if c not in {s.column for s in data.sensitive}]
    found = _coders([SensitiveFeature(c, c) for c in asked], data.bands, source)
    for column in asked:
        coder = found[column]
        if isinstance(coder, LevelCoder):
            coder.limit, coder.fix = SEARCHED_LEVELS, "leave it out of --search"
    return {column: found[column] for column in asked}


def pair_coders(data: DataSettings, source: DataSource) -> dict[str, Coder]:
    """The coder of each column whose values should meet those of the others, by column: as that of the sensitive or
    control feature it is, else its levels, numbers of many values at their quartiles. Raises InputError, from the
    coder for more than 50 levels."""
    known = {s.column: s for s in data.sensitive}
    bands = {s.column: data.bands[s.role] for s in data.sensitive if s.role in data.bands}
    found = _coders([replace(known.get(c, SensitiveFeature(c, c)), role=c) for c in data.pairs],
                    {**data.bands, **bands}, source)
    for column in data.pairs:
        coder = found[column]
        if isinstance(coder, LevelCoder):
            coder.limit, coder.fix = SEARCHED_LEVELS, "leave it out of --pair-column"
    return {column: found[column] for column in data.pairs}


def _coders(features: Sequence[SensitiveFeature], bands: Mapping[str, Sequence[float]], source: DataSource
            ) -> dict[str, Coder]:
    quartiles = _quartiles([f for f in features if _numeric(f, source) and not f.levels], source)
    coders: dict[str, Coder] = {}
    shown: dict[str, Coder] = {}
    for f in features:
        cuts, own = bands.get(f.role), quartiles.get(f.role, ())
        if cuts is not None:
            if not _numeric(f, source):
                kind = source.type_of(f.column)
                raise InputError(f'column "{printable(f.column)}" holds {kind} values, bands need numbers',
                                 where=str(source.path), fix=f"leave out --band {printable(f.role)}")
            coders[f.role] = BandCoder(f.column, cuts, unknown=f.unknown)
            if own and own != tuple(cuts):
                shown[f.role + QUARTERS] = BandCoder(f.column, own, unknown=f.unknown, asked=False)
        elif own:
            coders[f.role] = BandCoder(f.column, own, unknown=f.unknown, chosen=False)
        else:
            coders[f.role] = LevelCoder(f.column, rename=f.levels, unknown=f.unknown,
                                        alike=source.alike.get(f.column, ()))
    return coders | {role: coder for role, coder in shown.items() if role not in coders}


def _numeric(feature: SensitiveFeature, source: DataSource) -> bool:
    kind = source.type_of(feature.column)
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _quartiles(features: Sequence[SensitiveFeature], source: DataSource) -> dict[str, tuple[float, ...]]:
    """Cut points at the quartiles by role, () for a column of few values; reads all columns together."""
    found = {f.role: Quartiles(f.unknown) for f in features}
    if features:
        for batch in source.batches(list(dict.fromkeys(f.column for f in features))):
            for f in features:
                found[f.role].add(batch.column(f.column), f.column)
    return {role: quartiles.cuts() for role, quartiles in found.items()}
