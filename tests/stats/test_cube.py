"""The cube counts what masks count, in any order and any split into batches."""

from __future__ import annotations

import numpy as np
import pytest

from govern.stats.cube import Cube

LEVELS = {"sex": ["w", "m"], "age": ["b", "a", "c"]}
ORDER = {"sex": [1, 0], "age": [1, 0, 2]}


def _rows(n: int, seed: int) -> tuple[list[np.ndarray], np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return ([rng.integers(-1, 2, n).astype(np.int32), rng.integers(-1, 2, n).astype(np.int32)],
            rng.random(n) < 0.4, rng.random(n) < 0.5, rng.random(n))


def _cube(batches: list[slice], rows: tuple) -> Cube:
    codes, y, pred, score = rows
    cube = Cube(("sex", "age"), scored=True)
    for part in batches:
        cube.add([c[part] for c in codes], y[part], pred[part], score[part])
    return cube


@pytest.mark.parametrize("features", [("sex",), ("age",), ("sex", "age")])
def test_counts_equal_masks(features: tuple[str, ...]) -> None:
    rows = _rows(997, 1)
    codes, y, pred, _ = rows
    cube = _cube([slice(0, 400), slice(400, 401), slice(401, None)], rows)
    part = cube.partition(features, LEVELS, ORDER)
    column = dict(zip(("sex", "age"), codes, strict=True))
    for i, key in enumerate(part.keys):
        mask = np.ones(997, bool)
        for feature, text in zip(features, key, strict=True):
            mask &= column[feature] == (-1 if text is None else LEVELS[feature].index(text))
        assert part.tp[i] == (mask & y & pred).sum()
        assert part.fp[i] == (mask & ~y & pred).sum()
        assert part.fn[i] == (mask & y & ~pred).sum()
        assert part.tn[i] == (mask & ~y & ~pred).sum()


def test_order_and_batches_change_nothing() -> None:
    rows = _rows(500, 2)
    shuffled = np.random.default_rng(3).permutation(500)
    again = ([c[shuffled] for c in rows[0]], *(a[shuffled] for a in rows[1:]))
    a = _cube([slice(None)], rows).partition(("sex", "age"), LEVELS, ORDER)
    b = _cube([slice(i, i + 7) for i in range(0, 500, 7)], again).partition(("sex", "age"), LEVELS, ORDER)
    assert a.keys == b.keys
    for name in ("tp", "fp", "fn", "tn"):
        assert (getattr(a, name) == getattr(b, name)).all()


def test_keys_are_in_canonical_order_with_missing_last() -> None:
    part = _cube([slice(None)], _rows(300, 4)).partition(("age",), LEVELS, ORDER)
    # Code 2 ("c") has no rows and is still a group, of 0 rows.
    assert part.keys == (("a",), ("b",), ("c",), (None,))
    assert part.tp[2] + part.fp[2] + part.fn[2] + part.tn[2] == 0


def test_rows_keep_their_group_and_score() -> None:
    rows = _rows(300, 5)
    cube = _cube([slice(0, 100), slice(100, None)], rows)
    part = cube.partition(("sex",), LEVELS, ORDER)
    group = part.of_cell[cube.row_cells()]
    texts = np.array([None if c < 0 else LEVELS["sex"][c] for c in rows[0][0]], object)
    assert [part.keys[g][0] for g in group] == list(texts)
    assert (cube.row_scores() == rows[3]).all()
    assert (cube.y_of_cell()[cube.row_cells()] == rows[1]).all()


def test_a_scored_cube_refuses_a_batch_without_scores() -> None:
    cube = Cube(("sex",), scored=True)
    with pytest.raises(ValueError, match="scores"):
        cube.add([np.zeros(1, np.int32)], np.ones(1, bool), np.ones(1, bool), None)


def test_empty_batches_count_nothing() -> None:
    cube = Cube(("sex",), scored=False)
    cube.add([np.empty(0, np.int32)], np.empty(0, bool), np.empty(0, bool), None)
    assert cube.partition(("sex",), LEVELS, ORDER).tp.sum() == 0
