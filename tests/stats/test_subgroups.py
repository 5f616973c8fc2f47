"""The search of subgroups: finds what was planted, keeps its rate of false findings, says things once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from govern.stats.cube import Cube, Levels
from govern.stats.equal_means import equal_means_p
from govern.stats.equal_rates import equal_rates_p
from govern.stats.intervals import newcombe
from govern.stats.means import sums_of
from govern.stats.regression import Residuals
from govern.stats.searched import CellRate, mean_samples, rate_samples
from govern.stats.subgroups import q_values, search


def _data(rng, n, sizes, rate=lambda codes: 0.3):
    """A cube of random groups and predictions, and the codes; `rate` gives the selection rate of each row."""
    codes = [rng.integers(0, k, n).astype(np.int32) for k in sizes]
    truth = (rng.random(n) < 0.4).astype(np.int32)
    predicted = (rng.random(n) < rate(codes)).astype(np.int32)
    return (*_counted(codes, truth, predicted, sizes), codes, truth, predicted)


def _counted(codes, truth, predicted, sizes, **rows):
    """The cube of these rows, their weights and persons in `rows`."""
    names = [f"f{i}" for i in range(len(sizes))]
    cube = Cube(names, weighted="weight" in rows, clustered="cluster" in rows)
    cube.add(codes, truth, predicted, **rows)
    return cube, _levels(names, sizes), names


def _levels(names, sizes):
    texts = {f: [f"v{j}" for j in range(k)] for f, k in zip(names, sizes, strict=True)}
    return Levels(texts, {f: list(range(k)) for f, k in zip(names, sizes, strict=True)})


RATES = (CellRate("selection_rate", (0, 1), (0, 1, 2, 3)), CellRate("accuracy", (0, 3), (0, 1, 2, 3)),
         CellRate("true_positive_rate", (0,), (0, 2)), CellRate("false_positive_rate", (1,), (1, 3)))


def _shares(cube, count=4):
    true, predicted = cube.table[:, -2], cube.table[:, -1]
    kind = np.where(true == 1, np.where(predicted == 1, 0, 2), np.where(predicted == 1, 1, 3))
    return rate_samples(cube, kind, RATES[:count])


def _counts(d):
    return d.sample.own.x, d.sample.own.n, d.sample.rest.x, d.sample.rest.n


def _planted(codes):
    return np.where((codes[0] == 1) & (codes[2] == 3), 0.55, 0.3)


def test_the_planted_subgroup_comes_first_with_its_counts():
    cube, levels, names, codes, truth, predicted = _data(np.random.default_rng(1), 6000, (2, 3, 5), _planted)
    found = search(cube, levels, names, _shares(cube))
    first = found.listed[0]
    assert (first.metric, first.features, first.values) == ("selection_rate", ("f0", "f2"), ("v1", "v3"))
    inside = (codes[0] == 1) & (codes[2] == 3)
    counts = (int(predicted[inside].sum()), int(inside.sum()), int(predicted[~inside].sum()), int((~inside).sum()))
    assert _counts(first) == counts and first.rows == inside.sum()
    assert first.p_value == equal_rates_p(*counts)
    assert first.sample.bounds == newcombe(*counts, 0.025) and first.sample.method == "newcombe"
    assert first.covers >= 1  # its own parts by f1 are no findings of their own
    rates = [d for d in found.listed if d.metric == "true_positive_rate"]
    within = inside & (truth == 1)
    assert _counts(rates[0])[:2] == (int(predicted[within].sum()), int(within.sum()))


def test_without_differences_few_searches_find_anything():
    rng = np.random.default_rng(11)
    runs = 200
    false = 0
    for _ in range(runs):
        cube, levels, names, *_rest = _data(rng, 2000, (2, 3, 4))
        false += bool(search(cube, levels, names, _shares(cube)).listed)
    assert false / runs <= 0.05


def test_with_one_planted_effect_the_false_share_holds():
    # Where f0 alone matters, a finding that does not name f0 is false; the share is that of all findings.
    rng = np.random.default_rng(12)
    shares = []
    for _ in range(100):
        cube, levels, names, *_rest = _data(rng, 3000, (2, 3, 4), lambda c: np.where(c[0] == 1, 0.45, 0.3))
        listed = search(cube, levels, names, _shares(cube, 1)).listed
        false = sum(1 + d.covers for d in listed if "f0" not in d.features)
        shares.append(false / max(1, sum(1 + d.covers for d in listed)))
    assert np.mean(shares) <= 0.05


def test_the_two_sides_of_one_split_are_one_finding():
    cube, levels, names, *_rest = _data(np.random.default_rng(2), 4000, (2, 3), lambda c: np.where(c[0] == 1, 0.5, 0.3))
    listed = search(cube, levels, names, _shares(cube, 1)).listed
    assert [d.features for d in listed if len(d.features) == 1] == [("f0",)]


def test_the_same_rows_under_two_names_are_one_finding():
    rng = np.random.default_rng(3)
    codes = [rng.integers(0, 3, 5000).astype(np.int32)]
    twin = np.where(rng.random(5000) < 0.97, codes[0], 0).astype(np.int32)
    predicted = (rng.random(5000) < np.where(codes[0] == 2, 0.5, 0.3)).astype(np.int32)
    cube, levels, names = _counted([codes[0], twin], np.zeros(5000, np.int32), predicted, (3, 3))
    listed = search(cube, levels, names, _shares(cube, 1)).listed
    assert sum(d.values in {("v2",), ("v2", "v2")} for d in listed) == 1
    assert listed[0].covers >= 2


def test_a_part_that_goes_the_other_way_is_kept():
    def rate(codes):
        return np.where(codes[0] == 1, np.where(codes[1] == 2, 0.1, 0.5), 0.3)

    cube, levels, names, *_rest = _data(np.random.default_rng(4), 8000, (3, 4), rate)
    listed = {(d.features, d.values): d for d in search(cube, levels, names, _shares(cube, 1)).listed}
    assert listed[("f0",), ("v1",)].gap > 0 > listed[("f0", "f1"), ("v1", "v2")].gap


def test_a_part_no_stronger_than_its_listed_whole_is_covered():
    cube, levels, names, *_rest = _data(np.random.default_rng(5), 8000, (4, 4), lambda c: np.where(c[0] == 1, 0.5, 0.3))
    listed = search(cube, levels, names, _shares(cube, 1)).listed
    whole = next(d for d in listed if d.features == ("f0",) and d.values == ("v1",))
    for d in listed:
        if ("f0", "v1") in zip(d.features, d.values, strict=True) and d is not whole and d.gap > 0:
            assert d.least > whole.least
    assert whole.covers >= 1


def test_small_subgroups_and_thin_rates_are_counted_not_compared():
    codes = [np.repeat([0, 1, 2], [100, 29, 71]).astype(np.int32), np.zeros(200, np.int32)]
    truth = np.zeros(200, np.int32)
    truth[:9] = 1
    cube, levels, names = _counted(codes, truth, truth, (3, 1))
    found = search(cube, levels, names, _shares(cube))
    # f0 alone and with f1: 100 and 71 rows are enough, 29 are not; f1 alone has nobody to be compared with.
    assert (found.subgroups, found.small) == (4, 2)
    # Of five subgroups of 30 rows or more: true positives are 9 rows at most, and f1 has no rest.
    assert found.comparisons == 4 * 3 and found.few == 4 * 1 + 4


def test_the_missing_group_is_searched_too():
    rng = np.random.default_rng(6)
    codes = rng.integers(-1, 2, 3000).astype(np.int32)
    predicted = (rng.random(3000) < np.where(codes == -1, 0.5, 0.3)).astype(np.int32)
    cube, levels, names = _counted([codes, rng.integers(0, 2, 3000).astype(np.int32)], predicted, predicted, (2, 2))
    first = search(cube, levels, names, _shares(cube, 1)).listed[0]
    assert (first.features, first.values) == (("f0",), (None,))


def test_the_order_of_rows_changes_nothing():
    cube, levels, names, codes, truth, predicted = _data(np.random.default_rng(8), 4000, (2, 3, 5), _planted)
    order = np.random.default_rng(9).permutation(4000)
    other, _, _ = _counted([c[order] for c in codes], truth[order], predicted[order], (2, 3, 5))
    assert search(other, levels, names, _shares(other)) == search(cube, levels, names, _shares(cube))


def test_at_most_twenty_are_listed():
    def rate(codes):
        return np.array([0.05, 0.2, 0.4, 0.6, 0.8])[codes[0]] * np.array([0.3, 0.6, 0.9, 1.0])[codes[1]]

    cube, levels, names, *_rest = _data(np.random.default_rng(10), 30_000, (5, 4, 3), rate)
    found = search(cube, levels, names, _shares(cube))
    assert len(found.listed) == 20 < found.significant
    assert [d.q_value for d in found.listed] == sorted(d.q_value for d in found.listed)


@pytest.mark.parametrize("m", [1, 2, 50])
def test_q_values_are_scipys(m):
    p = np.random.default_rng(m).random(m) ** 3
    assert q_values(p) == pytest.approx(stats.false_discovery_control(p), abs=1e-15)


def test_no_p_values_no_q_values():
    assert q_values(np.empty(0)).shape == (0,)


def _weighing(rng, codes, predicted, *, persons=1):
    """Weights that differ between groups and go with what is predicted, and `persons` rows to a person."""
    weight = np.exp(rng.normal(0, 0.7, len(predicted)) + 0.3 * codes[0] + 0.5 * predicted)
    unit = (np.arange(len(predicted)) // persons).astype(np.uint64)
    return {"weight": weight} if persons == 1 else {"weight": weight, "cluster": unit}


def test_weighted_rates_and_the_rows_they_are_worth():
    rng = np.random.default_rng(21)
    codes = [rng.integers(0, 2, 6000).astype(np.int32), rng.integers(0, 3, 6000).astype(np.int32)]
    truth, predicted = ((rng.random(6000) < p).astype(np.int32) for p in (0.4, np.where(codes[0] == 1, 0.5, 0.3)))
    rows = _weighing(rng, codes, predicted, persons=2)
    cube, levels, names = _counted(codes, truth, predicted, (2, 3), **rows)
    first = search(cube, levels, names, _shares(cube, 1)).listed[0]
    assert first.features == ("f0",)
    w, inside = rows["weight"], codes[0] == int(first.values[0][1])
    p, p_rest, everyone = (np.average(predicted[m], weights=w[m]) for m in (inside, ~inside, inside | ~inside))
    assert (first.sample.value, first.sample.rest_value) == (pytest.approx(p), pytest.approx(p_rest))
    unit = rows["cluster"].astype(int)
    units = np.bincount(unit, w * inside)
    residual = np.bincount(unit, w * (predicted - everyone))
    worth = everyone * (1 - everyone) * (np.bincount(unit, w) ** 2).sum() / (residual**2).sum()
    n = w[inside].sum() ** 2 / (units**2).sum() * worth
    n_rest = w[~inside].sum() ** 2 / ((np.bincount(unit, w) ** 2).sum() - (units**2).sum()) * worth
    assert first.sample.own.sample == pytest.approx((p * n, n)) and first.sample.rest.sample[1] == pytest.approx(n_rest)
    whole = round(p * int(n)), int(n), round(p_rest * int(n_rest)), int(n_rest)
    assert first.p_value == equal_rates_p(*whole)


@pytest.mark.parametrize("persons", [1, 4])
def test_without_differences_few_weighted_searches_find_anything(persons):
    """Rows of a person are alike in half of all cases; weights go with what is predicted."""
    rng = np.random.default_rng(22)
    runs, false = 150, 0
    for _ in range(runs):
        unit = np.arange(2000) // persons
        codes = [rng.integers(0, k, 2000).astype(np.int32)[unit * persons] for k in (2, 3, 4)]
        alike = rng.random(2000)[unit * persons] < 0.5
        chance = np.where(alike, rng.random(2000)[unit * persons], rng.random(2000))
        truth, predicted = (rng.random(2000) < 0.4).astype(np.int32), (chance < 0.3).astype(np.int32)
        rows = _weighing(rng, [np.zeros(2000)], predicted, persons=persons)
        cube, levels, names = _counted(codes, truth, predicted, (2, 3, 4), **rows)
        false += bool(search(cube, levels, names, _shares(cube)).listed)
    assert false / runs <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)


def test_a_weighted_search_is_that_of_the_rows_where_weights_are_equal():
    cube, levels, names, codes, truth, predicted = _data(np.random.default_rng(1), 6000, (2, 3, 5), _planted)
    same, *_ = _counted(codes, truth, predicted, (2, 3, 5), weight=np.full(6000, 2.5),
                        cluster=np.arange(6000, dtype=np.uint64))
    assert search(same, levels, names, _shares(same)) == search(cube, levels, names, _shares(cube))


METRICS = ("mean_residual", "mean_absolute_error")


def _numbers(codes, sizes, y, pred, *, exact_rows=10**6, **rows):
    """The cube and the residuals of a regression."""
    cube, residuals = Cube([f"f{i}" for i in range(len(sizes))]), Residuals(exact_rows=exact_rows)
    none = np.zeros(len(y), np.int32)
    residuals.add(cube.add(codes, none, none, cells=True), y, pred, rows.get("weight"), rows.get("cluster"))
    return cube, _levels(cube.features, sizes), list(cube.features), residuals


def _errors(rng, n, sizes, bias=lambda codes: 0.0, spread=lambda codes: 1.0):
    codes = [rng.integers(0, k, n).astype(np.int32) for k in sizes]
    y = rng.lognormal(3, 1, n)
    return codes, y, y + bias(codes) + spread(codes) * (rng.lognormal(0, 1, n) - np.exp(0.5))


@pytest.mark.parametrize("exact_rows", [10**6, 100])
def test_a_regression_is_searched_for_bias_and_error(exact_rows):
    codes, y, pred = _errors(np.random.default_rng(31), 8000, (2, 3, 5), lambda c: np.where(c[2] == 3, 1.5, 0.0),
                             lambda c: np.where((c[0] == 1) & (c[1] == 2), 2.0, 1.0))
    cube, levels, names, residuals = _numbers(codes, (2, 3, 5), y, pred, exact_rows=exact_rows)
    listed = search(cube, levels, names, mean_samples(cube, residuals, METRICS)).listed
    found = {d.metric: d for d in reversed(listed)}
    bias, error = (found[m] for m in METRICS)
    assert (bias.features, bias.values) == (("f2",), ("v3",))
    assert (error.features, error.values) == (("f0", "f1"), ("v1", "v2")) and error.covers >= 1
    inside, off = codes[2] == 3, pred - y
    assert (bias.sample.value, bias.sample.rest_value) == pytest.approx((off[inside].mean(), off[~inside].mean()))
    assert bias.rows == inside.sum() and bias.sample.method == "MOVER"
    se = np.hypot(off[inside].std(ddof=1) / np.sqrt(inside.sum()), off[~inside].std(ddof=1) / np.sqrt((~inside).sum()))
    low, high = bias.sample.bounds
    assert (low, high) == pytest.approx((bias.gap - 1.959964 * se, bias.gap + 1.959964 * se), rel=1e-4)
    both = (sums_of(x, None, None) for x in (off[inside], off[~inside], off))
    assert bias.p_value == pytest.approx(equal_means_p(*both), rel=1e-4)


@pytest.mark.parametrize("sampling", ["rows", "weights", "persons"])
def test_without_differences_few_searches_of_numbers_find_anything(sampling):
    rng = np.random.default_rng(32)
    runs, false = 100, 0
    for _ in range(runs):
        codes, y, pred = _errors(rng, 2000, (2, 3, 4))
        rows = {"weights": {"weight": rng.lognormal(0, 0.7, 2000)},
                "persons": {"cluster": (np.arange(2000) // 4).astype(np.uint64)}}.get(sampling, {})
        if sampling == "persons":
            codes = [c[np.arange(2000) // 4 * 4] for c in codes]
            pred = y + np.where(rng.random(2000) < 0.5, (pred - y)[np.arange(2000) // 4 * 4], pred - y)
        cube, levels, names, residuals = _numbers(codes, (2, 3, 4), y, pred, **rows)
        false += bool(search(cube, levels, names, mean_samples(cube, residuals, METRICS)).listed)
    assert false / runs <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)


@pytest.mark.parametrize("exact_rows", [10**6, 100])
def test_the_order_of_rows_changes_nothing_in_a_regression(exact_rows):
    rng = np.random.default_rng(33)
    codes, y, pred = _errors(rng, 5000, (2, 3, 5), lambda c: c[0] * 0.5)
    weight, order = rng.lognormal(0, 1, 5000), rng.permutation(5000)
    one = _numbers(codes, (2, 3, 5), y, pred, exact_rows=exact_rows, weight=weight)
    other = _numbers([c[order] for c in codes], (2, 3, 5), y[order], pred[order], exact_rows=exact_rows,
                     weight=weight[order])
    found = [search(cube, levels, names, mean_samples(cube, residuals, METRICS))
             for cube, levels, names, residuals in (one, other)]
    assert found[0] == found[1] and found[0].listed
