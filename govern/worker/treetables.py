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
from typing import Final

import numpy as np
from numpy.typing import NDArray

from govern.worker.processors import cores

TABLE: Final = 4096
WORDS: Final = (8, 16, 32, 64)
ROWS: Final = 8192
MOST_BYTES: Final = 256 << 20

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Tree:
    """A fitted tree: for each node its feature (−1: a leaf), children, rows or weight in training, and in `value`
    (n_nodes, n_outputs) what a leaf adds to each of the outputs that start with `output`. `left` says of a split which
    codes of its feature go left, and nothing of a leaf."""

    feature: NDArray[np.int64]
    children: NDArray[np.int64]
    cover: Floats
    value: Floats
    output: int
    left: Sequence[Mask]


@dataclass(frozen=True)
class Leaf:
    """The path to a leaf: for each feature on it, which codes stay on the path and what share of the training rows
    did."""

    masks: dict[int, Mask]
    shares: dict[int, float]
    value: Floats


@dataclass(frozen=True)
class Group:
    """`places[i]` (n_codes of features[i]) are summands of a row's place in the tables (n_outputs, n_features, n)."""

    features: tuple[int, ...]
    places: tuple[NDArray[np.uint16], ...]
    tables: Floats
    output: int


class TooLarge(Exception):
    """The tables would take more than MOST_BYTES."""


def tables(trees: Sequence[Tree], n_outputs: int, background: Codes | None = None) -> tuple[list[Group], Floats]:
    """Groups and the bases (n_outputs,) that the trees give, without what the model adds to their sum.

    `background` are the codes (n_features, n_rows) of background rows, None for path dependent values. Raises TooLarge.
    """
    groups: list[Group] = []
    bases = np.zeros(n_outputs)
    held = 0
    for tree in trees:
        for leaves in _groups(tree):
            group, base = _group(leaves, tree.output, background)
            bases[tree.output : tree.output + len(base)] += base
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


def _groups(tree: Tree) -> Iterator[list[Leaf]]:
    """The leaves of the tree in groups of at most about TABLE cases; a group is all leaves under a node."""
    splits = _splits(tree)

    def leaves(node: int, path: Leaf) -> Iterator[Leaf]:
        if tree.feature[node] < 0:
            yield Leaf(path.masks, path.shares, tree.value[node])
            return
        for child, below in _below(tree, node, path):
            yield from leaves(child, below)

    waiting = [(0, Leaf({}, {}, tree.value[0]))]
    while waiting:
        node, path = waiting.pop()
        size = 1
        for feature in path.masks.keys() | splits[node].keys():
            size *= splits[node].get(feature, 0) + 1 + (feature in path.masks)
        if size <= TABLE or tree.feature[node] < 0:
            yield list(leaves(node, path))
        else:
            waiting += _below(tree, node, path)


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


def _below(tree: Tree, node: int, path: Leaf) -> Iterator[tuple[int, Leaf]]:
    """Both children of a node with the paths to them."""
    feature, left = int(tree.feature[node]), tree.left[node]
    for side, child in enumerate(tree.children[node].tolist()):
        mask = ~left if side else left
        before = path.masks.get(feature)
        share = float(tree.cover[child] / tree.cover[node]) * path.shares.get(feature, 1.0)
        yield child, Leaf({**path.masks, feature: mask if before is None else before & mask},
                          {**path.shares, feature: share}, path.value)


def _group(leaves: list[Leaf], output: int, background: Codes | None) -> tuple[Group, Floats]:
    """The tables of a group of leaves and its part of the bases (n_outputs,)."""
    features = sorted(set().union(*(leaf.masks for leaf in leaves)))
    holds: list[Floats] = []
    places: list[NDArray[np.uint16]] = []
    stride = 1
    for feature in reversed(features):
        case_of, held = _cases([leaf.masks.get(feature) for leaf in leaves])
        holds.append(held)
        places.append((case_of * stride).astype(np.uint16))
        stride *= held.shape[1]
    holds.reverse()
    places.reverse()
    if stride > 1 << 16:
        raise TooLarge
    open_, value, of = _open(leaves, features, background)
    base = (value * open_.prod(axis=1)[:, None]).sum(axis=0)
    if not features:
        return Group((), (), np.zeros((value.shape[1], 0, 1)), output), base
    deepest = max(len(leaf.masks) for leaf in leaves)
    t, weight = _quadrature((deepest + 1) // 2)
    inner, steps = [], []
    for i, held in enumerate(holds):
        c, r = held[of], open_[:, i, None]
        inner.append((c[:, None] * t[:, None] + (r * (1 - t))[:, :, None]).reshape(len(t) * len(c), -1))
        steps.append(np.repeat(c - r, len(t), axis=0))
    paid = (value[:, None, :] * weight[:, None]).reshape(-1, value.shape[1])
    found = _products(inner, steps, paid).reshape(value.shape[1], len(features), stride)
    return Group(tuple(features), tuple(places), found, output), base


def _cases(masks: list[Mask | None]) -> tuple[NDArray[np.int64], Floats]:
    """For each code of a feature its case, and for each leaf whether it holds in each case (n_leaves, n_cases)."""
    n = next(len(m) for m in masks if m is not None)
    table = np.ones((next((w for w in WORDS if w >= len(masks)), -len(masks) % 8 + len(masks)), n), dtype=bool)
    for i, mask in enumerate(masks):
        if mask is not None:
            table[i] = mask
    packed = np.packbits(table, axis=0)
    if len(packed) == 1:
        there = np.zeros(256, dtype=bool)
        there[packed[0]] = True
        case_of = (there.cumsum() - 1)[packed[0]]
    else:
        words = np.ascontiguousarray(packed.T)
        if len(packed) <= 8:
            _, case_of = np.unique(words.view(f"u{len(packed)}").reshape(-1), return_inverse=True)
        else:
            _, case_of = np.unique(words, axis=0, return_inverse=True)
            case_of = case_of.reshape(-1)
    held = np.empty((len(masks), int(case_of.max()) + 1))
    held[:, case_of] = table[: len(masks)]
    return case_of, held


def _open(leaves: list[Leaf], features: list[int], background: Codes | None
          ) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """For each term how far each condition holds where it is left open (n_terms, n_features), its value
    (n_terms, n_outputs), and its leaf (n_terms,). Leaves are terms; with a background, leaves with each distinct way in
    which rows of the background hold their conditions."""
    if background is None:
        shares = np.array([[leaf.shares.get(f, 1.0) for f in features] for leaf in leaves])
        return shares, np.array([leaf.value for leaf in leaves]), np.arange(len(leaves))
    open_, value, of = [], [], []
    for i, leaf in enumerate(leaves):
        own = list(leaf.masks)
        word = np.zeros(background.shape[1], np.int64)
        for bit, feature in enumerate(own):
            word |= leaf.masks[feature][background[feature]].astype(np.int64) << bit
        words, n = np.unique(word, return_counts=True)
        held = np.ones((len(words), len(features)))
        held[:, [features.index(f) for f in own]] = words[:, None] >> np.arange(len(own)) & 1
        open_.append(held)
        value.append(n[:, None] / background.shape[1] * leaf.value)
        of += [i] * len(words)
    return np.concatenate(open_), np.concatenate(value), np.array(of)


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
    m = len(inner)
    half = (m + 1) // 2
    first, second = _crossed(inner[:half], len(paid)), _crossed(inner[half:], len(paid))
    found = np.empty((paid.shape[1], m, first.shape[1] * second.shape[1]))
    for j in range(m):
        a, b = first, second
        if j < half:
            a = _crossed([*inner[:j], steps[j], *inner[j + 1 : half]], len(paid))
        else:
            b = _crossed([*inner[half:j], steps[j], *inner[j + 1 :]], len(paid))
        for o in range(paid.shape[1]):
            found[o, j] = ((a * paid[:, o, None]).T @ b).reshape(-1)
    return found


def _crossed(factors: list[Floats], n: int) -> Floats:
    """Products of one column of each factor, for all combinations of columns, (n, n_combinations)."""
    if not factors:
        return np.ones((n, 1))
    found = factors[0]
    for factor in factors[1:]:
        found = (found[:, :, None] * factor[:, None, :]).reshape(n, -1)
    return found
