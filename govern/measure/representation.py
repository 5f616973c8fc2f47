"""Whom the rows are of: shares of groups, beside declared ones, and rows of declared cases."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from govern.evidence import UNKNOWN_NAME, Group, Measurement
from govern.inputs.expected import case_name
from govern.stats.cube import Cube, Levels, Partition
from govern.stats.means import effective_rows
from govern.stats.stability import stability_of_shares

NOBODY = "no row has a known group"


def group_shares(cube: Cube, levels: Levels, groups: Sequence[Group], split: str = "eval") -> Iterator[Measurement]:
    """group_share of each group of a single sensitive feature, the missing and the unknown group too: of all rows,
    weighted where rows are."""
    for role, of_role in _singles(groups).items():
        if role in cube.features:
            _, sums = _sums(cube, levels, role)
            total = math.fsum(sums.values())
            for g in of_role:
                w = sums.get(g.values[0], 0.0)
                x, n = (w, total) if cube.weighted else (int(w), int(total))
                yield Measurement("group_share", x / n, group=g.id, numerator=x, denominator=n, split=split)


def declared_shares(cube: Cube, levels: Levels, groups: Sequence[Group], shares: Mapping[str, Mapping[str, float]]
                    ) -> Iterator[Measurement]:
    """group_share_gap of each group with a declared share, and group_share_stability of its feature: of the rows whose
    group is known, weighted where rows are. Undefined where there are none.

    se of the gap is that of the share, linearised, with half a row more on each side.
    """
    for role, of_role in _singles(groups).items():
        if role not in shares:
            continue
        partition, sums = _sums(cube, levels, role)
        known = np.array([key[0] not in (None, UNKNOWN_NAME) for key in partition.keys])[partition.of_cell]
        n = math.fsum(w for level, w in sums.items() if level not in (None, UNKNOWN_NAME))
        uu = cube.variance(known.astype(np.float64))
        if not n:
            yield from (Measurement("group_share_gap", None, "undefined", NOBODY, g.id) for g in of_role
                        if g.values[0] in shares[role])
            yield Measurement("group_share_stability", None, "undefined", NOBODY, features=(role,))
            continue
        for g in of_role:
            declared = shares[role].get(g.values[0] or "")
            if declared is None:
                continue
            x = sums.get(g.values[0], 0.0)
            inside = np.array([key == g.values for key in partition.keys])[partition.of_cell]
            sure = effective_rows(x / n, cube.variance(known * (inside - x / n) / n), n, uu)
            half = (x / n * sure + 0.5) / (sure + 1)
            counts = (x, n) if cube.weighted else (int(x), int(n))
            yield Measurement("group_share_gap", abs(x / n - declared), group=g.id,
                              numerator=counts[0], denominator=counts[1],
                              se=math.sqrt(half * (1 - half) / (sure + 1)), transform="identity")
        levelled = sorted(shares[role].items())
        # Weights in rows that would make the shares as sure: the half rows added are then halves of such rows.
        rows = [sums.get(level, 0.0) * n / uu for level, _ in levelled]
        yield Measurement("group_share_stability", stability_of_shares([s for _, s in levelled], rows),
                          features=(role,))


def case_rows(cube: Cube, levels: Levels, cases: Sequence[Mapping[str, str]], split: str = "eval"
              ) -> Iterator[Measurement]:
    """case_rows of each declared case: rows that have all its levels."""
    for case in cases:
        inside = np.ones(len(cube.n), np.bool_)
        for role, level in case.items():
            texts = list(levels.texts[role])
            code = texts.index(level) if level in texts else None
            inside &= cube.table[:, cube.features.index(role)] == code if code is not None else False
        n = int(cube.n[inside].sum())
        yield Measurement("case_rows", float(n), slice=f"case: {case_name(case)}", split=split)


def _singles(groups: Sequence[Group]) -> dict[str, list[Group]]:
    """The groups of each single sensitive feature that is to be judged."""
    found: dict[str, list[Group]] = {}
    for g in groups:
        if len(g.features) == 1 and g.asked and not g.within:
            found.setdefault(g.features[0], []).append(g)
    return found


def _sums(cube: Cube, levels: Levels, role: str) -> tuple[Partition, dict[str | None, float]]:
    """The rows split by a feature, and Σ weight (rows, without weights) of each level."""
    partition = cube.partition((role,), levels)
    sums = cube.sums_at(partition.of_cell, len(partition)).tolist()
    return partition, {key[0]: w for key, w in zip(partition.keys, sums, strict=True)}
