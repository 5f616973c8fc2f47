"""Regression metrics equal scikit-learn's and fairlearn's, kept as rows or as sums; their errors are honest."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, mean_prediction
from scipy.stats import binom
from sklearn import metrics as sk

from govern.errors import InputError
from govern.stats.quantiles import quantile, ranks
from govern.stats.regression import Residuals
from govern.stats.regression_fit import MEANS, QUANTILES

N = 4000
SHARES = ("share_above_median", "share_above_threshold")


def data(seed=0, n=N, offset=50.0):
    rng = np.random.default_rng(seed)
    y = rng.gamma(3, 4, n) + offset
    pred = y + rng.normal(0.3, 2, n)
    return rng, y, pred, rng.integers(0, 5, n).astype(np.int32)


def residuals(cells, y, pred, weight=None, cluster=None, exact_rows=10**9, batches=5, threshold=60.0):
    found = Residuals(exact_rows=exact_rows, threshold=threshold)
    for part in np.array_split(np.arange(len(y)), batches):
        found.add(cells[part], y[part], pred[part], None if weight is None else weight[part],
                  None if cluster is None else cluster[part])
    return found


@pytest.mark.parametrize("exact_rows", [10**9, 100], ids=["rows", "sums"])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_values_are_those_of_scikit_learn_and_fairlearn(exact_rows, weighted, offset):
    rng, y, pred, cells = data(offset=offset)
    w = rng.uniform(0.1, 3, N) if weighted else None
    found = residuals(cells, y, pred, w, exact_rows=exact_rows)
    assert found.exact == (exact_rows > N)
    group = np.array([0, 1, 0, 2, 2])
    fits = found.by_group(group, 3)
    frame = MetricFrame(metrics={"m": mean_prediction}, y_true=y, y_pred=pred, sensitive_features=group[cells],
                        sample_params=None if w is None else {"m": {"sample_weight": w}})
    for g, fit in enumerate(fits):
        own = group[cells] == g
        args = {"sample_weight": None if w is None else w[own]}
        wanted = {
            "mean_prediction": frame.by_group.loc[g, "m"],
            "mean_residual": np.average(pred[own] - y[own], weights=args["sample_weight"]),
            "mean_absolute_error": sk.mean_absolute_error(y[own], pred[own], **args),
            "mean_squared_error": sk.mean_squared_error(y[own], pred[own], **args),
        }
        for name, value in wanted.items():
            assert fit.mean(name).value == pytest.approx(value, rel=1e-12, abs=1e-12), name
        root = sk.root_mean_squared_error(y[own], pred[own], **args)
        assert fit.root_mean_squared_error.value == pytest.approx(root, rel=1e-12)
        assert fit.root_mean_squared_error.transform == "square"
        assert fit.r2.value == pytest.approx(sk.r2_score(y[own], pred[own], **args), abs=1e-12)
        assert fit.n == own.sum() and fit.plain == (not weighted)
        for name, above in zip(SHARES, (pred > np.median(pred), pred >= 60), strict=True):
            if w is None:
                assert (fit.share(name).x, fit.share(name).n) == (above[own].sum(), own.sum())
                assert isinstance(fit.share(name).x, int) and fit.share(name).effective is None
            elif name == "share_above_threshold":
                assert fit.share(name).value == pytest.approx(np.average(above[own], weights=w[own]), abs=1e-12)


def test_standard_errors_of_means_are_the_textbook_ones():
    rng, y, pred, cells = data(n=500)
    (fit,) = residuals(cells, y, pred).by_group(np.zeros(5, int), 1)
    for name, x in zip(MEANS, (pred, pred - y, abs(pred - y), (pred - y) ** 2), strict=True):
        assert fit.mean(name).se == pytest.approx(x.std(ddof=1) / np.sqrt(500), rel=1e-9)
    w = rng.uniform(0.5, 4, 500)
    (fit,) = residuals(cells, y, pred, w).by_group(np.zeros(5, int), 1)
    m = np.average(pred, weights=w)
    linear = np.sqrt((w**2 * (pred - m) ** 2).sum()) / w.sum()
    assert fit.mean("mean_prediction").se == pytest.approx(linear, rel=2e-3)
    share = fit.share("share_above_threshold")
    p = np.average(pred >= 60, weights=w)
    assert share.effective == pytest.approx(p * (1 - p) / ((w**2 * ((pred >= 60) - p) ** 2).sum() / w.sum() ** 2))


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_sums_give_what_rows_give(weighted):
    rng, y, pred, cells = data(2, 20_000)
    w = rng.uniform(0.1, 3, 20_000) if weighted else None
    group = np.arange(5) % 2
    rows, sums = (residuals(cells, y, pred, w, exact_rows=limit).by_group(group, 2) for limit in (10**9, 5000))
    for a, b in zip(rows, sums, strict=True):
        for name in MEANS:
            assert b.mean(name).se == pytest.approx(a.mean(name).se, rel=1e-3), name
        assert a.r2.se <= b.r2.se <= 1.5 * a.r2.se
        for name in QUANTILES:
            one, other = a.quantiles[name], b.quantiles[name]
            assert (other.estimate.value, other.low, other.high) == pytest.approx(
                (one.estimate.value, one.low, one.high), abs=2e-3)
        assert b.share("share_above_threshold").x == pytest.approx(a.share("share_above_threshold").x)
        assert b.share("share_above_median").value == pytest.approx(a.share("share_above_median").value, abs=1e-3)


@pytest.mark.parametrize("exact_rows", [10**9, 500], ids=["rows", "sums"])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_the_order_of_rows_batches_and_cells_changes_no_bit(exact_rows, weighted):
    rng, y, pred, cells = data(3, 3000)
    y, pred = np.round(y, 1), np.round(pred, 1)  # equal values happen
    w = rng.uniform(0, 3, 3000) if weighted else None
    cluster = rng.integers(0, 900, 3000).astype(np.uint64) if exact_rows > 3000 else None
    group = np.array([1, 0, 1, 0, 1])
    one = residuals(cells, y, pred, w, cluster, exact_rows).by_group(group, 2)
    order, names = rng.permutation(3000), rng.permutation(5)
    other = residuals(names[cells][order], y[order], pred[order], None if w is None else w[order],
                      None if cluster is None else cluster[order], exact_rows, batches=17)
    moved = np.empty(5, int)
    moved[names] = group
    assert other.by_group(moved, 2) == one


def test_repeated_rows_and_constant_weights_say_nothing_new():
    _, y, pred, cells = data(4, 600)
    person = np.arange(600, dtype=np.uint64)
    (once,) = residuals(cells, y, pred).by_group(np.zeros(5, int), 1)
    twice = Residuals(exact_rows=10, threshold=60.0)
    for _ in range(2):
        twice.add(cells, y, pred, None, person)
    assert twice.exact  # rows of persons are kept, however many
    (fit,) = twice.by_group(np.zeros(5, int), 1)
    for name in MEANS:
        assert fit.mean(name).value == pytest.approx(once.mean(name).value)
        assert fit.mean(name).se == pytest.approx(once.mean(name).se, rel=1e-9)
    assert fit.r2.se == pytest.approx(once.r2.se, rel=1e-9) and not fit.plain
    assert fit.share("share_above_threshold").effective == pytest.approx(600)
    for name in QUANTILES:
        assert (fit.quantiles[name].low, fit.quantiles[name].high) == (once.quantiles[name].low,
                                                                       once.quantiles[name].high)
    assert residuals(cells, y, pred, np.full(600, 2.5), person).by_group(np.zeros(5, int), 1) == [once]


def test_the_rest_follows_by_subtraction():
    rng, y, pred, cells = data(5, 2000)
    w = rng.uniform(0.2, 2, 2000)
    found = residuals(cells, y, pred, w)
    (everyone,), (group, rest) = found.by_group(np.zeros(5, int), 1), found.by_group(np.array([0, 1, 1, 1, 1]), 2)
    for name in MEANS:
        left = everyone.sums[name].without(group.sums[name]).mean()
        assert left.value == pytest.approx(rest.mean(name).value, rel=1e-12)
        assert left.se == pytest.approx(rest.mean(name).se, rel=1e-9)
    share = everyone.sums["share_above_median"].without(group.sums["share_above_median"]).share(plain=False)
    assert share.effective == pytest.approx(rest.share("share_above_median").effective)


def test_r2_error_is_that_of_simulation():
    def drawn(rng, n):
        y = rng.normal(0, 3, n)
        return y, y + rng.normal(0.5, 1.5, n)

    rng = np.random.default_rng(6)
    values, errors = [], []
    for _ in range(400):
        y, pred = drawn(rng, 300)
        (fit,) = residuals(np.zeros(300, int), y, pred, batches=1).by_group(np.zeros(1, int), 1)
        values.append(fit.r2.value)
        errors.append(fit.r2.se)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.12)


@pytest.mark.parametrize("n", [1, 2, 30, 59, 100, 101, 1000])
def test_ranks_are_the_exact_binomial_ones(n):
    for share in QUANTILES.values():
        p = float(share)
        low = max(r for r in range(n + 1) if r == 0 or binom.cdf(r - 1, n, p) <= 0.025)
        high = min((s for s in range(1, n + 1) if binom.sf(s - 1, n, p) <= 0.025), default=n + 1)
        assert ranks(n, share, 0.025) == (low, high)


def test_quantiles_are_numpys_inverted_cdf():
    rng = np.random.default_rng(7)
    for n in (31, 257, 1003):
        x, w = np.sort(np.round(rng.normal(size=n), 2)), rng.uniform(0.1, 2, n)
        for share in QUANTILES.values():
            plain = quantile(x, np.ones(n), share)
            assert plain.estimate.value == np.quantile(x, float(share), method="inverted_cdf")
            weighed = quantile(x, w, share, variance=0.001)
            assert weighed.estimate.value == np.quantile(x, float(share), method="inverted_cdf", weights=w)
            if plain.low is not None:
                assert plain.low <= plain.estimate.value <= plain.high
                assert plain.estimate.se == pytest.approx((plain.high - plain.low) / 2 / 1.959964, rel=1e-6)


def test_intervals_of_quantiles_hold_the_true_one():
    rng = np.random.default_rng(8)
    for share in QUANTILES.values():
        true = -np.log(1 - float(share))
        held = 0
        for _ in range(1000):
            found = quantile(np.sort(rng.exponential(size=120)), np.ones(120), share)
            held += found.low <= true <= found.high
        assert held >= 935  # nominal 950 and more, three standard errors less


def test_too_little_and_nothing():
    few = residuals(np.array([0] * 20 + [1]), np.arange(21.0), np.arange(21.0) + 1).by_group(np.array([0, 1, 2]), 3)
    assert [f.n for f in few] == [20, 1, 0]
    assert few[0].mean("mean_residual").status == few[0].r2.status == "too_few"
    assert few[0].mean("mean_residual").value == 1 and few[0].quantiles["residual_p5"].low is None
    assert few[0].quantiles["residual_p5"].estimate.status == "too_few"
    assert few[0].quantiles["residual_p50"].estimate.status == "ok"
    assert few[1].mean("mean_residual").se is None and few[1].r2.reason == "all outcomes are equal"
    none = few[2]
    assert all(none.mean(m).status == "undefined" for m in MEANS) and none.r2.status == "undefined"
    assert none.root_mean_squared_error.value is None and none.share("share_above_median").n == 0
    assert all(q.estimate.status == "undefined" for q in none.quantiles.values())
    assert Residuals(exact_rows=5).by_group(np.zeros(0, int), 1)[0].n == 0


def test_equal_outcomes_have_no_r2_in_sums_either():
    rng = np.random.default_rng(9)
    y, cells = np.full(200, 0.1), np.zeros(200, int)
    for limit in (1000, 10):
        found = residuals(cells, y, rng.normal(size=200), rng.uniform(0.5, 2, 200), exact_rows=limit)
        assert found.by_group(np.zeros(1, int), 1)[0].r2.reason == "all outcomes are equal"


def test_numbers_that_cannot_be_measured_are_refused():
    cells, one = np.zeros(2, int), np.ones(2)
    with pytest.raises(InputError, match=r"the model predicts numbers beyond 1e\+75"):
        Residuals(exact_rows=9).add(cells, one, np.array([1.0, -1e80]))
    with pytest.raises(InputError, match="the target holds numbers beyond"):
        Residuals(exact_rows=9).add(cells, np.array([1e76, 1.0]), one)
    with pytest.raises(ValueError, match="not finite"):
        Residuals(exact_rows=9).add(cells, one, np.array([1.0, np.nan]))


def test_the_median_of_an_even_number_leaves_half_above():
    (fit,) = residuals(np.zeros(4, int), np.arange(4.0), np.array([4.0, 1, 3, 2])).by_group(np.zeros(1, int), 1)
    assert (fit.share("share_above_median").x, fit.share("share_above_median").n) == (2, 4)
    assert quantile(np.arange(1.0, 5), np.ones(4), Fraction(1, 2)).estimate.value == 2
