"""Metrics over all classes equal scikit-learn's; their errors are those of simulation."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn import metrics as sk

from govern.stats.cube import Cube, Levels
from govern.stats.estimate import Estimate
from govern.stats.intervals import transformed
from govern.stats.multiclass import (
    MACRO_METRICS,
    class_fit,
    loss_sums,
    macro_roc_auc,
)

NAMES = tuple("abcdefgh")
ORACLES = {
    "macro_precision": lambda y, p, w: sk.precision_score(y, p, average="macro", sample_weight=w, labels=np.unique(p)),
    "macro_recall": lambda y, p, w: sk.recall_score(y, p, average="macro", sample_weight=w, labels=np.unique(y)),
    "macro_f1": lambda y, p, w: sk.f1_score(y, p, average="macro", sample_weight=w),
    "weighted_f1": lambda y, p, w: sk.f1_score(y, p, average="weighted", sample_weight=w),
    "micro_f1": lambda y, p, w: sk.f1_score(y, p, average="micro", sample_weight=w),
    "multiclass_matthews": lambda y, p, w: sk.matthews_corrcoef(y, p, sample_weight=w),
}


def drawn(seed, n, k):
    rng = np.random.default_rng(seed)
    y = rng.choice(k, n, p=rng.dirichlet(np.full(k, 2.0)))
    pred = np.where(rng.random(n) < 0.6, y, rng.integers(0, k, n))
    return rng, y, pred


def matrix(y, pred, k, weight=None):
    found = np.zeros((k, k))
    np.add.at(found, (y, pred), 1.0 if weight is None else weight)
    return found


@pytest.mark.parametrize("k", [3, 5, 8])
@pytest.mark.parametrize("n", [12, 300, 5000])
@pytest.mark.parametrize("weighted", [False, True])
def test_values_are_those_of_scikit_learn(k, n, weighted):
    rng, y, pred = drawn(10 * k + n, n, k)
    w = rng.uniform(0.1, 3, n) if weighted else None
    rows = matrix(y, pred, k).astype(np.int64)
    if weighted:
        squares = matrix(y, pred, k, w * w)
        fit = class_fit(rows, NAMES[:k], matrix(y, pred, k, w), lambda g: float((g * g * squares).sum()))
    else:
        fit = class_fit(rows, NAMES[:k])
    assert set(fit.estimates) == set(MACRO_METRICS) == set(ORACLES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, oracle in ORACLES.items():
            assert fit.estimates[name].value == pytest.approx(oracle(y, pred, w), abs=1e-12), name
    accuracy = fit.accuracy.value
    assert accuracy == pytest.approx(sk.accuracy_score(y, pred, sample_weight=w), abs=1e-12)
    assert (fit.accuracy.effective is None) == (not weighted) and fit.n == n
    assert weighted or isinstance(fit.accuracy.x, int)


def test_a_class_without_what_its_value_needs_is_left_out_and_named():
    rows = np.array([[40, 0, 10, 0], [5, 0, 25, 0], [10, 0, 60, 0], [0, 0, 0, 0]])
    found = class_fit(rows, NAMES[:4]).estimates
    assert found["macro_precision"].value == pytest.approx((40 / 55 + 60 / 95) / 2)
    assert found["macro_precision"].reason == "without the classes b, d: never predicted"
    assert found["macro_recall"].value == pytest.approx((40 / 50 + 0 + 60 / 70) / 3)
    assert found["macro_recall"].reason == "without the class d: without rows"
    assert found["macro_f1"].reason == "without the class d: without rows and never predicted"
    assert all(found[m].status == "ok" for m in MACRO_METRICS) and found["weighted_f1"].reason is None


def test_nothing_and_too_little():
    assert all(e.status == "undefined" and e.value is None for e in class_fit(np.zeros((3, 3), int), NAMES[:3])
               .estimates.values())
    one = class_fit(np.diag([50, 0, 0]), NAMES[:3]).estimates
    assert one["multiclass_matthews"].reason == "all rows have the same class"
    assert class_fit(np.array([[30, 0], [30, 0]]), NAMES[:2]).estimates["multiclass_matthews"].reason == \
        "all rows are predicted the same class"
    assert one["macro_recall"].value == 1 and one["micro_f1"].status == "ok"
    few = class_fit(np.array([[20, 1, 0], [2, 30, 0], [0, 1, 8]]), NAMES[:3]).estimates
    assert {m: e.status for m, e in few.items()} == {
        "macro_precision": "too_few", "macro_recall": "too_few", "macro_f1": "too_few",
        "weighted_f1": "ok", "micro_f1": "ok", "multiclass_matthews": "ok"}
    assert few["macro_recall"].reason == "fewer than 10 rows of a class"
    assert {e.status for e in class_fit(np.diag([9, 9, 9]), NAMES[:3]).estimates.values()} == {"too_few"}


@pytest.mark.parametrize("rows", [np.diag([40, 40, 40]), np.array([[0, 50, 0], [0, 0, 50], [50, 0, 0]]),
                                  np.array([[60, 0], [60, 0]])])
def test_certain_looking_tables_keep_a_width(rows):
    for name, e in class_fit(rows, NAMES[:len(rows)]).estimates.items():
        if e.value is not None:
            low, high = transformed(e.value, e.se, e.transform, 0.025)
            assert 0.01 < high - low < 0.5 and low <= e.value <= high, name


def test_standard_errors_are_those_of_simulation():
    rng = np.random.default_rng(1)
    share = np.array([[30, 5, 2], [4, 20, 6], [1, 8, 24]]) / 100
    n = 2000
    whole = class_fit(np.rint(share * n).astype(int), NAMES[:3]).estimates
    draws = [class_fit(c.reshape(3, 3), NAMES[:3]).estimates for c in rng.multinomial(n, share.ravel(), 1500)]
    for name in MACRO_METRICS:
        values = np.array([d[name].value for d in draws])
        seen = (np.arctanh(values) if name == "multiclass_matthews" else np.log(values / (1 - values))).std()
        assert whole[name].se == pytest.approx(seen, rel=0.06), name


def test_repeated_rows_change_no_standard_error():
    rng, y, pred = drawn(4, 400, 3)
    once, twice = (Cube((), clustered=True) for _ in range(2))
    person = np.arange(400, dtype=np.uint64)
    once.add([], y, pred, cluster=person)
    for part in (np.arange(400), rng.permutation(400)):
        twice.add([], y[part], pred[part], cluster=person[part])
    plain = class_fit(matrix(y, pred, 3).astype(np.int64), NAMES[:3])
    everyone = twice.partition((), Levels({}, {}))
    true, predicted = twice.table[:, -2], twice.table[:, -1]
    fit = class_fit(twice.confusion(everyone, 3)[0], NAMES[:3], twice.sums_at(true * 3 + predicted, 9).reshape(3, 3),
                    lambda g: twice.variance(g[true, predicted]))
    for name, e in fit.estimates.items():
        assert e.value == pytest.approx(plain.estimates[name].value, abs=1e-12)
        assert e.se == pytest.approx(plain.estimates[name].se, rel=1e-9)
    assert fit.accuracy.effective == pytest.approx(400)


def test_log_loss_and_macro_auc_are_those_of_scikit_learn():
    rng, y, _ = drawn(6, 500, 4)
    scores = rng.dirichlet(np.ones(4), 500) + 0.4 * np.eye(4)[y]
    scores /= scores.sum(axis=1, keepdims=True)
    scores[0] = np.eye(4)[(y[0] + 1) % 4]  # sure and wrong: clipped
    w = rng.uniform(0.2, 2, 500)
    of_true, one = scores[np.arange(500), y], np.ones(500, np.int64)
    plain, weighted = loss_sums(of_true, one).mean(), loss_sums(of_true, one, w, w * w).mean()
    assert plain.value == pytest.approx(sk.log_loss(y, scores), rel=1e-12)
    assert weighted.value == pytest.approx(sk.log_loss(y, scores, sample_weight=w), rel=1e-12)
    loss = -np.log(np.clip(of_true, 2**-52, 1))
    assert plain.se == pytest.approx(loss.std(ddof=1) / np.sqrt(500), rel=1e-9)
    order = rng.permutation(500)
    assert loss_sums(of_true[order], one, w[order], (w * w)[order]).mean() == weighted
    each = [Estimate(float(sk.roc_auc_score(y == k, scores[:, k])), 0.1, "logit") for k in range(4)]
    found = macro_roc_auc(each, NAMES[:4])
    assert found.value == pytest.approx(sk.roc_auc_score(y, scores, multi_class="ovr", average="macro"), abs=1e-12)
    identity = np.mean([0.1 * e.value * (1 - e.value) for e in each])
    assert found.se == pytest.approx(identity / (found.value * (1 - found.value)))
    smaller = macro_roc_auc(each, NAMES[:4], variance=float(identity**2 / 4))
    assert smaller.se == pytest.approx(found.se / 2)


def test_macro_auc_without_a_class_or_with_few_rows():
    known, none = Estimate(0.8, 0.2, "logit"), Estimate(None, status="undefined", reason="one class")
    found = macro_roc_auc([known, none], ["a", "b"])
    assert (found.value, found.status) == (0.8, "ok") and found.se == pytest.approx(0.2)
    assert found.reason == "without the class b: no rows of both kinds"
    assert macro_roc_auc([none], ["a"]).status == "undefined"
    few = Estimate(1.0, 0.5, "logit", "too_few", "fewer than 10 rows of a label")
    assert macro_roc_auc([known, few], ["a", "b"]).status == "too_few"
    assert macro_roc_auc([Estimate(1.0, 0.2, "logit")] * 2, ["a", "b"]).se == 0.2
