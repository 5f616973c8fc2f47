"""Areas within folds against scikit-learn's, their standard errors against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from govern.stats.fold_areas import FOLDS, Areas, Rows, areas, askable, folds


def rows(n: int, shares: list[float], seed: int = 0, weight: np.ndarray | None = None) -> Rows:
    code = np.random.default_rng(seed).choice(len(shares), n, p=shares).astype(np.int64)
    return Rows(code, folds(code, None), np.ones(n) if weight is None else weight)


def of_scores(r: Rows, score: np.ndarray, asked: list[int], groups: int) -> Areas:
    """Areas of a score for each row, (n,): the places of a fold are its distinct scores."""
    values, place = np.unique(score, return_inverse=True)
    table = np.broadcast_to(values[None, :, None], (FOLDS, len(values), len(asked)))
    place = place.astype(np.int64)
    counts = r.counts(place, len(values), groups)
    return areas(r, place, table, counts, np.array(asked), np.full((FOLDS, len(asked)), 1.5))


@pytest.mark.parametrize("weighted", [False, True])
def test_the_area_is_that_of_the_pairs_of_each_fold(weighted: bool) -> None:
    rng = np.random.default_rng(1)
    weight = rng.integers(1, 4, 300).astype(float) if weighted else None
    r = rows(300, [0.5, 0.3, 0.2], weight=weight)
    score = rng.integers(0, 6, 300) + (r.code == 1).astype(float)  # many ties
    found = of_scores(r, score, [1, 2], 3)
    for i, group in enumerate((1, 2)):
        each, pairs, y = [], [], r.code == group
        for fold in range(FOLDS):
            own = r.fold == fold
            each.append(roc_auc_score(y[own], score[own], sample_weight=r.weight[own]))
            pairs.append(r.weight[own & y].sum() * r.weight[own & ~y].sum())
        assert found.value[i] == pytest.approx(np.average(each, weights=pairs), abs=1e-12)
        expected = balanced_accuracy_score(y, score > 1.5, sample_weight=r.weight)
        assert found.balanced[i] == pytest.approx(expected)


def test_persons_whom_rows_repeat_count_once() -> None:
    rng = np.random.default_rng(2)
    code, score = rng.integers(0, 2, 120), rng.normal(size=120)
    score += code
    once = Rows(code, folds(code, None), np.ones(120))
    unit = np.repeat(np.arange(120), 3)
    three = np.repeat(code, 3)
    many = Rows(three, folds(three, unit), np.ones(360), unit)
    assert (many.fold == np.repeat(once.fold, 3)).all()  # nobody stands in two folds
    a, b = of_scores(once, score, [1], 2), of_scores(many, np.repeat(score, 3), [1], 2)
    assert (b.value[0], b.se[0], b.rows[0]) == pytest.approx((a.value[0], a.se[0], a.rows[0]))
    plain = of_scores(Rows(three, many.fold, np.ones(360)), np.repeat(score, 3), [1], 2)
    assert plain.se[0] < 0.6 * b.se[0]


def test_folds_share_out_every_group() -> None:
    code = np.array([0] * 11 + [1] * 7 + [2] * 5)
    table = np.array([[((folds(code, None) == f) & (code == g)).sum() for g in range(3)] for f in range(FOLDS)])
    assert (table.max(axis=0) - table.min(axis=0) <= 1).all()


def test_standard_errors_of_given_scores_are_twice_the_variance_seen() -> None:
    """The scores are not learned here, so that the factor √2 for learning is all in excess."""
    values, errors = [], []
    for seed in range(300):
        r = rows(200, [0.7, 0.3], seed)
        found = of_scores(r, np.random.default_rng(seed + 1000).normal(size=200) + 0.7 * r.code, [1], 2)
        values.append(found.value[0])
        errors.append(found.se[0])
    assert np.std(values) * np.sqrt(2) == pytest.approx(np.mean(errors), rel=0.12)


def test_groups_that_can_be_asked_for() -> None:
    code = np.array([0] * 30 + [1] * 19 + [2] * 100)
    assert askable(Rows(code, folds(code, None), np.ones(149)), 3, 20).tolist() == [0, 2]
    # 30 rows of three persons say little of their group, and neither do persons of whom a fold has all.
    unit = np.concatenate([np.arange(30) % 3, 3 + np.arange(119)])
    assert askable(Rows(code, folds(code, unit), np.ones(149), unit), 3, 20).tolist() == [2]
    assert askable(Rows(code, np.where(code == 0, 0, np.arange(149) % FOLDS), np.ones(149)), 3, 20).tolist() == [2]
    assert not len(askable(Rows(code[:30], folds(code[:30], None), np.ones(30)), 1, 20))
