"""How well one column alone tells the target: by hand, against scikit-learn, and without what rare levels promise."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from govern.stats.single_feature import Alone, better, of_levels, of_numbers

NONE = np.zeros(2, int)


def test_numbers_by_hand() -> None:
    """Rows below each other: 3 pairs of 4 right, one tied: 3.5 / 4."""
    n = np.array([[1, 0], [1, 1], [0, 1]])  # (others, positive) by rising value
    assert of_numbers(n, NONE) == Alone(3.5 / 4, 1)
    assert of_numbers(n[::-1], NONE) == Alone(3.5 / 4, 1)  # the better direction


def test_missing_numbers_stand_at_the_better_end() -> None:
    n = np.array([[2, 0], [1, 1]])
    # All missing rows are positive: above all numbers they are right in 6 pairs, the row among numbers in 2.5 of 3.
    assert of_numbers(n, np.array([0, 2])) == Alone((6 + 2.5) / 9, 1)
    assert of_numbers(np.zeros((0, 2), int), np.array([3, 2])) == Alone(0.5, 1)  # all missing: they tell nothing


def test_numbers_equal_scikit_learn() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.integers(0, 40, 3000), rng.random(3000) < 0.3
    x = np.where(y, x + rng.integers(0, 8, 3000), x)
    n = np.stack([np.bincount(x[~y], minlength=50), np.bincount(x[y], minlength=50)], axis=1)
    found = of_numbers(n, NONE).value
    assert found == pytest.approx(roc_auc_score(y, x), abs=1e-12)


def test_one_class_is_undefined() -> None:
    n = np.array([[4, 0], [5, 0]])
    assert of_numbers(n, NONE) == Alone() == of_levels(n, NONE)


def test_levels_by_hand() -> None:
    """a: 2 positive of 2, b: 1 of 2, rate of the others (3 − 1) / (4 − 2) = 1.

    Pairs of one level are tied: in b one of two. The positive rows of a have (2 − 1 + 1) / 2 = 1 against the negative
    row of b with (1 + 1) / 2 = 1: tied too. The three pairs are (a, b), (a, b), (b, b): all tied.
    """
    assert of_levels(np.array([[0, 2], [1, 1]]), NONE) == Alone(0.5, 1)


def test_levels_that_tell_all() -> None:
    assert of_levels(np.array([[0, 30], [40, 0]]), NONE) == Alone(1.0, 1)
    assert of_levels(np.array([[40, 0]]), np.array([0, 30])) == Alone(1.0, 1)  # missing is a level


def test_leave_pair_out_equals_a_loop_over_pairs() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        n = rng.integers(0, 5, (6, 2))
        total = n.sum(axis=0)
        if 0 in total:
            continue
        rows = [(level, label) for level in range(6) for label in (0, 1) for _ in range(n[level, label])]
        score = 0.0
        for i, (a, la) in enumerate(rows):
            for j, (b, lb) in enumerate(rows):
                if la == 1 and lb == 0:
                    rest = [r for k, r in enumerate(rows) if k not in (i, j)]
                    rate = np.mean([r[1] for r in rest]) if rest else 0.5
                    of = [(sum(r[1] for r in rest if r[0] == level) + rate) / (sum(r[0] == level for r in rest) + 1)
                          for level in (a, b)]
                    score += 0.5 if np.isclose(*of, rtol=0, atol=1e-12) else float(of[0] > of[1])
        assert of_levels(n, NONE).value == pytest.approx(max(score / total.prod(), 0.5), abs=1e-12)


def test_rare_levels_promise_nothing() -> None:
    """Levels of one and two rows without any relation to the target; their own rates would give nearly 1."""
    rng = np.random.default_rng(3)
    values = []
    for _ in range(40):
        level, y = rng.integers(0, 800, 1000), rng.random(1000) < 0.4
        n = np.stack([np.bincount(level[~y], minlength=800), np.bincount(level[y], minlength=800)], axis=1)
        rate = n[:, 1] / np.maximum(n.sum(axis=1), 1)
        assert roc_auc_score(y, rate[level]) > 0.85
        values.append(of_levels(n, NONE).value or 0)
    assert np.mean(values) < 0.52 and max(values) < 0.56


def test_several_classes_give_the_one_that_is_told_best() -> None:
    n = np.array([[30, 5, 5], [5, 20, 20], [6, 20, 20]])
    zero = np.zeros(3, int)
    assert of_levels(n, zero).label == 0 and of_numbers(n, zero).label == 0
    y = np.repeat(np.tile(np.arange(3), 3), n.ravel())
    x = np.repeat(np.repeat(np.arange(3), 3), n.ravel())
    assert of_numbers(n, zero).value == pytest.approx(1 - roc_auc_score(y == 0, x), abs=1e-12)


def test_the_order_of_levels_changes_nothing() -> None:
    rng = np.random.default_rng(9)
    n = rng.integers(0, 9, (50, 3))
    found = {of_levels(n[rng.permutation(50)], np.array([1, 2, 3])) for _ in range(20)}
    assert len(found) == 1


def test_better_takes_the_larger() -> None:
    assert better(Alone(0.6, 1), Alone(0.7, 2)) == Alone(0.7, 2) == better(Alone(0.7, 2), Alone(0.6, 1))
    assert better(Alone(), Alone(0.6, 1)) == Alone(0.6, 1) == better(Alone(0.6, 1), Alone())
