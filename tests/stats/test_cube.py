"""The cube counts what masks count, in any order and any split into batches, with weights and with clusters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pytest

from govern.stats import entries
from govern.stats.cube import Cube, Levels
from govern.stats.ranked import rank_rows
from govern.stats.scores import by_groups

LEVELS = Levels({"sex": ["w", "m"], "age": ["b", "a", "c"]}, {"sex": [1, 0], "age": [1, 0, 2]})
N = 997


@dataclass
class Rows:
    codes: list[np.ndarray]
    y: np.ndarray
    pred: np.ndarray
    score: np.ndarray
    weight: np.ndarray | None = None
    cluster: np.ndarray | None = None

    def take(self, at: np.ndarray | slice) -> Rows:
        def part(a: np.ndarray | None) -> np.ndarray | None:
            return None if a is None else a[at]

        return Rows([c[at] for c in self.codes], self.y[at], self.pred[at], self.score[at], part(self.weight),
                    part(self.cluster))


def rows(seed: int, n: int = N, *, weight: bool = False, cluster: bool = False, classes: int = 2) -> Rows:
    rng = np.random.default_rng(seed)
    return Rows([rng.integers(-1, 2, n).astype(np.int32), rng.integers(-1, 2, n).astype(np.int32)],
                rng.integers(0, classes, n).astype(np.int32), rng.integers(0, classes, n).astype(np.int32),
                rng.random((n, 1)), rng.lognormal(0, 1, n) if weight else None,
                rng.integers(0, n // 3, n).astype(np.uint64) if cluster else None)


def cube_of(given: Rows, size: int = 400) -> Cube:
    cube = Cube(("sex", "age"), columns=1, weighted=given.weight is not None, clustered=given.cluster is not None)
    for start in range(0, len(given.y), size):
        part = given.take(slice(start, start + size))
        cube.add(part.codes, part.y, part.pred, score=part.score, weight=part.weight, cluster=part.cluster)
    return cube


def masks(given: Rows, features: tuple[str, ...], keys: tuple) -> list[np.ndarray]:
    column = dict(zip(("sex", "age"), given.codes, strict=True))
    found = []
    for key in keys:
        mask = np.ones(len(given.y), bool)
        for feature, text in zip(features, key, strict=True):
            mask &= column[feature] == (-1 if text is None else LEVELS.texts[feature].index(text))
        found.append(mask)
    return found


@pytest.mark.parametrize("features", [("sex",), ("age",), ("sex", "age")])
@pytest.mark.parametrize("classes", [2, 4])
def test_counts_equal_masks(features: tuple[str, ...], classes: int) -> None:
    given = rows(1, classes=classes)
    cube = cube_of(given)
    part = cube.partition(features, LEVELS)
    confusion = cube.confusion(part, classes)
    for i, mask in enumerate(masks(given, features, part.keys)):
        for y in range(classes):
            for p in range(classes):
                assert confusion[i, y, p] == (mask & (given.y == y) & (given.pred == p)).sum()


@pytest.mark.parametrize(("weight", "cluster"), [(False, False), (True, False), (False, True), (True, True)])
def test_order_and_batches_change_no_bit(weight: bool, cluster: bool) -> None:
    given = rows(2, weight=weight, cluster=cluster)
    again = given.take(np.random.default_rng(3).permutation(N))
    one, two = cube_of(given), cube_of(again, 7)
    a, b = one.partition(("sex", "age"), LEVELS), two.partition(("sex", "age"), LEVELS)
    assert a.keys == b.keys
    assert (one.confusion(a, 2) == two.confusion(b, 2)).all()
    kinds = [np.where(c.table[:, -2] == 1, np.where(c.table[:, -1] == 1, 0, 2), np.where(c.table[:, -1] == 1, 1, 3))
             for c in (one, two)]
    k = len(a)
    sums = [c.sums_at(p.of_cell * 4 + kind, 4 * k) for c, p, kind in zip((one, two), (a, b), kinds, strict=True)]
    assert (sums[0] == sums[1]).all()
    assert (one.moments(kinds[0], a.of_cell, k) == two.moments(kinds[1], b.of_cell, k)).all()
    gradients = [np.sin(3.0 * c.table[:, 0] + 7.0 * c.table[:, 1] + c.table[:, 2] + 0.3 * c.table[:, 3])
                 for c in (one, two)]
    assert one.variance(gradients[0]) == two.variance(gradients[1])


@pytest.mark.parametrize(("weight", "cluster"), [(False, False), (True, False), (False, True), (True, True)])
def test_variance_and_moments_equal_sums_over_units(weight: bool, cluster: bool) -> None:
    given = rows(4, 300, weight=weight, cluster=cluster)
    cube = cube_of(given)
    part = cube.partition(("sex",), LEVELS)
    unit = given.cluster if given.cluster is not None else np.arange(300)
    w = given.weight if given.weight is not None else np.ones(300)
    kind_of_cell = 2 * cube.table[:, -2] + cube.table[:, -1]
    kind = 2 * given.y + given.pred
    moments = cube.moments(kind_of_cell, part.of_cell, len(part))
    gradient = np.cos(1.0 + kind_of_cell + 2.0 * cube.table[:, 0])
    of_row = np.cos(1.0 + kind + 2.0 * given.codes[0])
    total = Fraction(0)
    expected = np.zeros((len(part), 4, 4))
    for u in np.unique(unit):
        inside = unit == u
        total += Fraction(float((of_row[inside] * w[inside]).sum())) ** 2
        for g, mask in enumerate(masks(given, ("sex",), part.keys)):
            sums = np.array([w[inside & mask & (kind == k)].sum() for k in range(4)])
            expected[g] += np.outer(sums, sums)
    assert cube.variance(gradient) == pytest.approx(float(total), rel=1e-12)
    assert moments == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_equal_weights_and_single_persons_count_as_none() -> None:
    given = rows(5)
    constant = cube_of(replace(given, weight=np.full(N, 2.5), cluster=np.arange(N, dtype=np.uint64)))
    plain = cube_of(given)
    assert not constant.weighted and not constant.clustered
    gradient = np.linspace(-1, 1, len(plain.n))
    assert constant.variance(gradient) == plain.variance(gradient)
    assert (constant.sums == plain.n).all()


def test_keys_are_in_canonical_order_with_missing_last() -> None:
    part = cube_of(rows(6, 300)).partition(("age",), LEVELS)
    # Code 2 ("c") has no rows and is still a group, of 0 rows.
    assert part.keys == (("a",), ("b",), ("c",), (None,))
    assert not (part.of_cell == 2).any()


def test_many_levels_are_counted_without_a_table_of_all_combinations() -> None:
    rng = np.random.default_rng(7)
    n, names = 5_000, ("a", "b", "c")
    codes = [rng.integers(0, 900, n).astype(np.int32) for _ in names]
    cube = Cube(names)
    zeros = np.zeros(n, np.int32)
    assert cube.add(codes, zeros, zeros) is not None
    levels = Levels({f: [str(i) for i in range(900)] for f in names}, {f: range(900) for f in names})
    assert cube.n.sum() == n
    part = cube.partition(names, levels)
    assert set(part.keys) == {tuple(str(c) for c in key) for key in zip(*(c.tolist() for c in codes), strict=True)}


def test_a_scored_cube_refuses_a_batch_without_scores() -> None:
    cube = Cube(("sex",), columns=1)
    with pytest.raises(ValueError, match="scores"):
        cube.add([np.zeros(1, np.int32)], np.ones(1, np.int32), np.ones(1, np.int32))


def test_empty_batches_count_nothing() -> None:
    cube = Cube(("sex",), columns=1)
    none = np.empty(0, np.int32)
    assert cube.add([none], none, none, score=np.empty((0, 1))) is None
    assert cube.n.sum() == 0


def _scores(cube: Cube) -> list:
    column = cube.entries.column(0, len(cube.faces))
    part = cube.partition(("sex",), LEVELS)
    ranked = rank_rows(cube.faces[column.face, -1] == 1, column.score, column.n, column.w, column.w2)
    return by_groups(ranked, cube.of_face(part)[column.face], len(part))


@pytest.mark.parametrize("weight", [False, True])
def test_many_rows_are_binned_whatever_their_order(monkeypatch: pytest.MonkeyPatch, weight: bool) -> None:
    given = rows(8, 20_000, weight=weight)
    exact = cube_of(given, 3_000)
    monkeypatch.setattr(entries, "EXACT_ROWS", 5_000)
    one, two = cube_of(given, 3_000), cube_of(given.take(np.random.default_rng(9).permutation(20_000)), 700)
    a, b = (c.entries.column(0, len(c.faces)) for c in (one, two))
    assert exact.entries.bins is None and a.bins == b.bins == entries.BINS
    assert a.n.sum() == 20_000
    for mine, other, truth in zip(_scores(one), _scores(two), _scores(exact), strict=True):
        assert mine == other
        assert mine.own.roc_auc.value == pytest.approx(truth.own.roc_auc.value, abs=2e-5)
        assert mine.own.brier_score.value == pytest.approx(truth.own.brier_score.value, abs=2e-5)
    if not weight:
        true, score = given.y, given.score[:, 0]
        likely = np.where(true == 1, score, 1 - score)
        sums = np.array([((1 - likely) ** 2).sum(), ((1 - likely) ** 4).sum(), -np.log(likely).sum(),
                         (np.log(likely) ** 2).sum()])
        assert a.losses.sum(axis=0) == pytest.approx(sums, rel=1e-6)
        assert (a.losses.sum(axis=0) == b.losses.sum(axis=0)).all()


def test_bins_grow_coarser_with_cells_not_with_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "EXACT_ROWS", 100)
    monkeypatch.setattr(entries, "MOST_BINNED", 1 << 16)
    given = rows(10, 2_000)
    one, two = cube_of(given, 150), cube_of(given.take(np.arange(2_000)[::-1]), 90)
    found = [c.entries.column(0, len(c.faces)) for c in (one, two)]
    assert found[0].bins == found[1].bins < entries.BINS
    assert found[0].n.sum() == found[1].n.sum() == 2_000


def test_scores_outside_0_to_1_stay_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "EXACT_ROWS", 100)
    given = rows(11, 500)
    cube = cube_of(replace(given, score=given.score * 8 - 4), 60)
    assert cube.entries.column(0, len(cube.faces)).bins is None
