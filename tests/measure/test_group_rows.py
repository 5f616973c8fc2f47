"""Rows kept for groups: all of them where they are few, else a sample that the order of rows does not change."""

from __future__ import annotations

import numpy as np
import pytest

from govern.measure.group_rows import GroupRows
from govern.measure.predictions import Predicted

RNG = np.random.default_rng(4)
N = 20_000
SEX, AGE = RNG.integers(-1, 2, N).astype(np.int32), RNG.integers(0, 3, N).astype(np.int32)
KEYS = RNG.integers(0, 2**63, N).astype(np.uint64)
TRUTH, LABEL = RNG.integers(0, 2, N).astype(np.int32), RNG.integers(0, 2, N).astype(np.int32)
SCORE, WEIGHT = RNG.random(N), RNG.random(N)


def kept(order, *, keys=KEYS, cap=500, cluster=None, pieces=1, sets=((), ("sex",), ("sex", "age"))):
    rows = GroupRows(list(sets), clustered=cluster is not None, cap=cap)
    for part in np.array_split(order, pieces):
        rows.add({"sex": SEX[part], "age": AGE[part]}, keys[part], TRUTH[part], Predicted(LABEL[part], SCORE[part]),
                 weight=WEIGHT[part], cluster=None if cluster is None else cluster[part])
    return rows


def sorted_rows(numbers):
    return numbers[np.lexsort(numbers.T)]


def test_few_rows_are_all_kept():
    found = kept(np.arange(N), cap=N).of(("sex", "age"), [1, 2])
    inside = (SEX == 1) & (AGE == 2)
    expected = np.column_stack([TRUTH, LABEL, WEIGHT, SCORE])[inside]
    assert found.unit is None and np.array_equal(sorted_rows(found.numbers), sorted_rows(expected))


def test_the_missing_group_and_everyone_are_kept_too():
    rows = kept(np.arange(N), cap=N)
    assert len(rows.of(("sex",), [-1])) == (SEX == -1).sum() and len(rows.of((), [])) == N


@pytest.mark.parametrize("pieces", [2, 40])
def test_the_order_of_rows_and_batches_changes_nothing(pieces):
    whole, shuffled = kept(np.arange(N)), kept(RNG.permutation(N), pieces=pieces)
    for features, codes in [((), []), (("sex",), [0]), (("sex", "age"), [1, 1])]:
        a, b = whole.of(features, codes), shuffled.of(features, codes)
        assert len(a) == 500 and np.array_equal(a.numbers, b.numbers)


def test_the_sample_is_one_of_rows():
    inside = SEX == 0
    found = kept(np.arange(N), cap=2000).of(("sex",), [0]).numbers
    error = np.sqrt(SCORE[inside].var() / 2000)
    assert abs(found[:, 3].mean() - SCORE[inside].mean()) < 4 * error


def test_rows_of_equal_content_are_drawn_apart():
    # Three different rows only: by their keys alone all rows of one kind would be kept before the next.
    kind = RNG.integers(0, 3, N)
    keys = np.array([5, 6, 7], np.uint64)[kind]
    rows = GroupRows([()], clustered=False, cap=3000)
    for part in np.array_split(np.arange(N), 5):
        rows.add({}, keys[part], kind[part], Predicted(kind[part].astype(np.int32)))
    shares = np.bincount(rows.of((), []).numbers[:, 0].astype(int)) / 3000
    assert np.abs(shares - np.bincount(kind) / N).max() < 0.04


def test_clusters_are_kept_whole():
    of_row = RNG.integers(0, 4000, N)
    cluster = RNG.integers(0, 2**63, 4000).astype(np.uint64)[of_row]
    found = kept(np.arange(N), cluster=cluster, cap=1000, sets=((),)).of((), [])
    assert 980 <= len(found) <= 1000
    assert np.array_equal(np.unique(found.unit), np.arange(found.unit[-1] + 1))
    sizes = np.unique(cluster, return_counts=True)[1]  # by rising key, as clusters are taken
    assert np.array_equal(np.bincount(found.unit), sizes[: found.unit[-1] + 1])
    other = kept(RNG.permutation(N), cluster=cluster, cap=1000, sets=((),), pieces=30).of((), [])
    assert np.array_equal(found.numbers, other.numbers) and np.array_equal(found.unit, other.unit)


def test_a_large_cluster_is_kept_alone():
    found = kept(np.arange(N), cluster=np.full(N, 3, np.uint64), cap=100, sets=((),)).of((), [])
    assert len(found) == N and not found.unit.any()


def test_numbers_of_a_regression_and_scores_of_many_classes():
    rows = GroupRows([()], clustered=False)
    rows.add({}, KEYS, SCORE, Predicted(None, None, SCORE + 1))
    assert np.array_equal(rows.of((), []).numbers[:, 1], rows.of((), []).numbers[:, 0] + 1)
    many = GroupRows([()], clustered=False)
    scores = RNG.random((N, 3))
    many.add({}, KEYS, TRUTH, Predicted(LABEL, scores))
    assert many.of((), []).numbers.shape == (N, 6)
