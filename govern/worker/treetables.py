"""Exact attributions of trees from tables that all rows share. Runs in the model's process only.

A tree is cut into groups of leaves so small that what a row makes of them has at most TABLE cases: for each feature in
which interval, or set of categories, its value lies. The values of every case are worked out once; a row then costs one
look-up for each group and feature instead of a walk over all leaves.

A leaf pays its value where all conditions on its path hold, and a condition that is left open holds with a
probability, so that the game of a leaf is a product over its features and a Shapley value the integral over t from 0 to
1 of the product's derivative (Owen 1972, doi:10.1287/mnsc.18.5.64), a polynomial, which Gauss's quadrature gives
exactly. An open condition holds by the share of the training rows that followed the path (path dependent, Lundberg,
Erion & Lee 2018, arXiv:1802.03888), or as in each row of a background, and then the mean over these rows is taken
(interventional). Tables over leaves: Yang 2021, arXiv:2109.09847.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from govern.worker.processors import cores

TABLE: Final = 2048
ROWS: Final = 8192
MOST_BYTES: Final = 256 << 20

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Mask = NDArray[np.bool_]

NO_CASES: Final = np.zeros(0, dtype=bool)


@dataclass(frozen=True)
class Cut:
    """Which codes of a feature a split sends left: those up to `last`, or where the feature has categories those in
    `among` (n_codes,). The highest code stands for missing values and goes where `missing_left` says."""

    last: int
    missing_left: bool
    among: Mask | None = None


@dataclass(frozen=True)
class Tree:
    """A fitted tree: for each node its feature (−1: a leaf), children, rows or weight in training, its cut (None: a
    leaf), and in `value` (n_nodes, n_outputs) what a leaf adds to each of the outputs that start with `output`."""

    feature: NDArray[np.int64]
    children: NDArray[np.int64]
    cover: Floats
    value: Floats
    output: int
    cuts: Sequence[Cut | None]


@dataclass(frozen=True)
class Leaves:
    """The leaves of a tree from left to right, as the terms that they are summed from, by feature of the tree: which
    cases of the feature hold the leaf's conditions, as `bits` of leaves by case and as `holds` (n_terms, n_cases), and
    how far they hold where they are left open (n_terms,). `values` (n_terms, n_outputs); the terms of leaf i are those
    from `terms[i]` on. `under` gives the first and the last but one leaf under each node, `depth` the most features
    on a path."""

    bits: dict[int, list[int]]
    holds: dict[int, Floats]
    opens: dict[int, Floats]
    values: Floats
    terms: NDArray[np.int64]
    under: list[tuple[int, int]]
    depth: int


@dataclass(frozen=True)
class Group:
    """`places[i]` (n_codes of features[i]) are summands of a row's place in the tables (n_outputs, n_features, n)."""

    features: tuple[int, ...]
    places: tuple[NDArray[np.uint16], ...]
    tables: Floats
    output: int


class TooLarge(Exception):
    """The tables would take more than MOST_BYTES."""


def tables(trees: Sequence[Tree], n_codes: Sequence[int], n_outputs: int, background: Codes | None = None
           ) -> tuple[list[Group], Floats]:
    """Groups and the bases (n_outputs,) that the trees give, without what the model adds to their sum.

    `n_codes` says how many codes each feature has, `background` are the codes (n_features, n_rows) of background rows,
    None for path dependent values. Raises TooLarge.
    """
    groups: list[Group] = []
    bases = np.zeros(n_outputs)
    held = 0
    for tree in trees:
        cases, masks = _cases(tree, n_codes)
        leaves = _leaves(tree, cases, masks, None if background is None else
                         {f: case.take(background[f]) for f, case in cases.items()})
        open_ = np.ones(len(leaves.values)) if not leaves.opens else np.prod(list(leaves.opens.values()), axis=0)
        bases[tree.output : tree.output + tree.value.shape[1]] += (leaves.values * open_[:, None]).sum(axis=0)
        for group in _groups(tree, cases, leaves):
            held += group.tables.nbytes + sum(p.nbytes for p in group.places)
            if held > MOST_BYTES:
                raise TooLarge
            groups.append(group)
    return groups, bases


def look_up(groups: Sequence[Group], codes: Codes, n_outputs: int) -> Floats:
    """Values (n_outputs, n_features, n_rows) of rows by the codes (n_features, n_rows) of their values."""
    values = np.zeros((n_outputs, *codes.shape))
    starts = range(0, codes.shape[1], ROWS)

    def add(start: int) -> None:
        _add(groups, np.ascontiguousarray(codes[:, start : start + ROWS]), values[:, :, start : start + ROWS])

    if len(starts) < 2 or cores() < 2:
        for start in starts:
            add(start)
    else:
        # Each thread has rows of its own, so that their number changes no value.
        with ThreadPoolExecutor(cores()) as pool:
            list(pool.map(add, starts))
    return values


def _add(groups: Sequence[Group], codes: Codes, values: Floats) -> None:
    n = codes.shape[1]
    place, part, taken = np.empty(n, np.uint16), np.empty(n, np.uint16), np.empty(n)
    at = np.empty(n, np.intp)
    for group in groups:
        for i, (feature, places) in enumerate(zip(group.features, group.places, strict=True)):
            if i:
                places.take(codes[feature], out=part, mode="clip")
                np.add(place, part, out=place)
            else:
                places.take(codes[feature], out=place, mode="clip")
        at[:] = place
        for output, tables_ in enumerate(group.tables, group.output):
            for feature, table in zip(group.features, tables_, strict=True):
                table.take(at, out=taken, mode="clip")
                own = values[output, feature]
                np.add(own, taken, out=own)


def _cases(tree: Tree, n_codes: Sequence[int]) -> tuple[dict[int, Codes], list[Mask]]:
    """For each feature of the tree the case of each of its codes that the tree tells apart, and for each node which
    cases of its feature go left."""
    nodes: dict[int, list[int]] = {}
    for node, feature in enumerate(tree.feature.tolist()):
        if feature >= 0:
            nodes.setdefault(feature, []).append(node)
    cases: dict[int, Codes] = {}
    masks = [NO_CASES] * len(tree.feature)
    for feature, own in nodes.items():
        n = n_codes[feature]
        starts = {0, n - 1}
        for node in own:
            cut = tree.cuts[node]
            if cut is not None:
                starts |= {cut.last + 1} if cut.among is None else {*(np.flatnonzero(np.diff(cut.among)) + 1).tolist()}
        first = np.array(sorted(starts))
        cases[feature] = np.repeat(np.arange(len(first)), np.diff(first, append=n))
        for node in own:
            cut = tree.cuts[node]
            if cut is not None:
                masks[node] = first <= cut.last if cut.among is None else cut.among[first]
                masks[node][-1] = cut.missing_left
    return cases, masks


def _leaves(tree: Tree, cases: dict[int, Codes], masks: list[Mask], background: dict[int, Codes] | None) -> Leaves:
    """The leaves of the tree, given the case of each background row by feature, None for path dependent terms: of a
    leaf one term, with a background one for each distinct way in which its rows hold the leaf's conditions."""
    found: list[tuple[dict[int, tuple[Any, float]], Floats]] = []
    under = [(0, 0)] * len(tree.feature)

    def visit(node: int, path: dict[int, tuple[Any, float]]) -> None:
        start, feature = len(found), int(tree.feature[node])
        if feature < 0:
            found.append((path, tree.value[node]))
        else:
            before, share = path.get(feature, (True, 1.0))
            left, right = tree.children[node].tolist()
            for child, mask in ((left, masks[node]), (right, ~masks[node])):
                part = share * float(tree.cover[child] / tree.cover[node])
                visit(child, {**path, feature: (mask & before, part)})
        under[node] = start, len(found)

    visit(0, {})
    features = sorted(set().union(*(path for path, _ in found)))
    holds = {}
    for feature in features:
        everywhere = np.ones(int(cases[feature][-1]) + 1, bool)
        holds[feature] = np.array([path[feature][0] if feature in path else everywhere for path, _ in found])
    bits = {f: [int.from_bytes(word, "little") for word in np.packbits(held, axis=0, bitorder="little").T]
            for f, held in holds.items()}
    if background is None:
        opens = {f: np.array([path[f][1] if f in path else 1.0 for path, _ in found]) for f in features}
        values, of = np.array([value for _, value in found]), np.arange(len(found))
    else:
        opens, values, of = _seen(found, features, background)
    return Leaves(bits, {f: held[of].astype(np.float64) for f, held in holds.items()}, opens, values,
                  np.searchsorted(of, np.arange(len(found) + 1)), under, max(len(path) for path, _ in found))


def _seen(leaves: list[tuple[dict[int, tuple[Any, float]], Floats]], features: list[int],
          background: dict[int, Codes]) -> tuple[dict[int, Floats], Floats, NDArray[np.int64]]:
    """Terms of a background: how far conditions hold by feature, values (n_terms, n_outputs), leaves (n_terms,)."""
    opens: list[Floats] = []
    values, of = [], []
    for i, (path, value) in enumerate(leaves):
        word = np.zeros(len(background[features[0]]) if features else 1, np.int64)
        for bit, feature in enumerate(path):
            word |= path[feature][0].take(background[feature]).astype(np.int64) << bit
        words, n = np.unique(word, return_counts=True)
        held = np.ones((len(words), len(features)))
        held[:, [features.index(f) for f in path]] = words[:, None] >> np.arange(len(path)) & 1
        opens.append(held)
        values.append(n[:, None] / len(word) * value)
        of += [i] * len(words)
    every = np.concatenate(opens)
    return dict(zip(features, every.T, strict=True)), np.concatenate(values), np.array(of)


def _groups(tree: Tree, cases: dict[int, Codes], leaves: Leaves) -> Iterator[Group]:
    """The tree in groups of at most about TABLE cases; a group is all leaves under a node."""
    t, weight = _quadrature((leaves.depth + 1) // 2)
    n = len(t) * len(leaves.values)
    inner, steps = {}, {}
    for f, held in leaves.holds.items():
        step = (held - leaves.opens[f][:, None])[:, None, :]
        # A condition holds by t where the row holds it, and else as it is left open.
        inner[f] = (leaves.opens[f][:, None, None] + t[:, None] * step).reshape(n, -1)
        steps[f] = np.broadcast_to(step, (len(held), len(t), held.shape[1])).reshape(n, -1)
    paid = (leaves.values[:, None, :] * weight[:, None]).reshape(n, -1)
    splits = _splits(tree)
    waiting: list[tuple[int, frozenset[int]]] = [(0, frozenset())]
    while waiting:
        node, path = waiting.pop()
        size = 1
        for feature in path | splits[node].keys():
            size *= splits[node].get(feature, 0) + 1 + (feature in path)
        if size > TABLE and tree.feature[node] >= 0:
            below = path | {int(tree.feature[node])}
            waiting += [(child, below) for child in tree.children[node].tolist()]
            continue
        start, stop = leaves.under[node]
        chosen: list[tuple[int, list[int], NDArray[np.uint16]]] = []
        stride = 1
        for feature in sorted(path | splits[node].keys(), reverse=True):
            case_of, firsts = _merged(leaves.bits[feature], start, stop)
            places = np.array([stride * case for case in case_of]).astype(np.uint16).take(cases[feature])
            chosen.append((feature, firsts, places))
            stride *= len(firsts)
        if stride > 1 << 16:
            raise TooLarge
        rows = slice(int(leaves.terms[start]) * len(t), int(leaves.terms[stop]) * len(t))
        chosen.reverse()
        found = _products([inner[f][rows].take(firsts, axis=1) for f, firsts, _ in chosen],
                          [steps[f][rows].take(firsts, axis=1) for f, firsts, _ in chosen], paid[rows])
        yield Group(tuple(f for f, _, _ in chosen), tuple(p for _, _, p in chosen), found, tree.output)


def _merged(bits: list[int], start: int, stop: int) -> tuple[list[int], list[int]]:
    """For each case of a feature in a tree its case among some leaves, and the first case of each of these."""
    mask = (1 << stop - start) - 1
    number: dict[int, int] = {}
    firsts: list[int] = []
    case_of: list[int] = []
    for case, word in enumerate(bits):
        own = word >> start & mask
        if own not in number:
            number[own] = len(firsts)
            firsts.append(case)
        case_of.append(number[own])
    return case_of, firsts


def _splits(tree: Tree) -> list[dict[int, int]]:
    """How often each feature splits under each node."""
    found: list[dict[int, int]] = [{} for _ in tree.feature]
    order, waiting = [], [0]
    while waiting:
        node = waiting.pop()
        if tree.feature[node] >= 0:
            order.append(node)
            waiting += tree.children[node].tolist()
    for node in reversed(order):
        a, b = (found[child] for child in tree.children[node].tolist())
        both = {feature: a.get(feature, 0) + b.get(feature, 0) for feature in a.keys() | b.keys()}
        feature = int(tree.feature[node])
        both[feature] = both.get(feature, 0) + 1
        found[node] = both
    return found


def _quadrature(n: int) -> tuple[Floats, Floats]:
    """Points and weights on 0 to 1 that integrate polynomials of degree 2n − 1 exactly."""
    if n not in _POINTS:
        x, w = np.polynomial.legendre.leggauss(max(1, n))
        _POINTS[n] = (x + 1) / 2, w / 2
    return _POINTS[n]


_POINTS: dict[int, tuple[Floats, Floats]] = {}


def _products(inner: list[Floats], steps: list[Floats], paid: Floats) -> Floats:
    """For each output and feature j the sums over terms of paid × steps[j] × the product of all other `inner`, for all
    combinations of cases: (n_outputs, n_features, n_cases of all)."""
    half = (len(inner) + 1) // 2
    first = _derivatives(inner[:half], steps[:half], len(paid))
    second = _derivatives(inner[half:], steps[half:], len(paid))
    cells = first.shape[2] * second.shape[2]
    found = np.empty((paid.shape[1], len(inner), cells))
    for o in range(paid.shape[1]):
        own = (first * paid[:, o, None]).transpose(0, 2, 1)
        found[o, :half] = (own[1:] @ second[0]).reshape(half, cells)
        found[o, half:] = (own[0] @ second[1:]).reshape(len(inner) - half, cells)
    return found


def _derivatives(inner: list[Floats], steps: list[Floats], n: int) -> Floats:
    """Products of one column of each factor for all combinations of columns, (1 + n_factors, n, n_combinations): of all
    of `inner`, then with each of its factors replaced by that of `steps`."""
    found = np.ones((1, n, 1))
    for factor, step in zip(inner, steps, strict=True):
        more = np.empty((len(found) + 1, n, found.shape[2], factor.shape[1]))
        np.multiply(found[:, :, :, None], factor[:, None, :], out=more[:-1])
        np.multiply(found[0, :, :, None], step[:, None, :], out=more[-1])
        found = more.reshape(len(more), n, -1)
    return found
