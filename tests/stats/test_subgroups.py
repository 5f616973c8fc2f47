"""The search of subgroups: finds what was planted, keeps its rate of false findings, says things once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from govern.stats.cube import Cube, Levels
from govern.stats.equal_rates import equal_rates_p
from govern.stats.intervals import newcombe
from govern.stats.subgroups import CellShare, q_values, search


def _data(rng, n, sizes, rate=lambda codes: 0.3):
    """A cube of random groups and predictions, and the codes; `rate` gives the selection rate of each row."""
    codes = [rng.integers(0, k, n).astype(np.int32) for k in sizes]
    truth = (rng.random(n) < 0.4).astype(np.int32)
    predicted = (rng.random(n) < rate(codes)).astype(np.int32)
    return (*_counted(codes, truth, predicted, sizes), codes, truth, predicted)


def _counted(codes, truth, predicted, sizes):
    names = [f"f{i}" for i in range(len(sizes))]
    cube = Cube(names)
    cube.add(codes, truth, predicted)
    texts = {f: [f"v{j}" for j in range(k)] for f, k in zip(names, sizes, strict=True)}
    return cube, Levels(texts, {f: list(range(k)) for f, k in zip(names, sizes, strict=True)}), names


def _shares(cube, count=4):
    true, predicted = cube.table[:, -2], cube.table[:, -1]
    every = np.ones(len(true), bool)
    return [CellShare("selection_rate", predicted == 1, every), CellShare("accuracy", true == predicted, every),
            CellShare("true_positive_rate", predicted == 1, true == 1),
            CellShare("false_positive_rate", predicted == 1, true == 0)][:count]


def _planted(codes):
    return np.where((codes[0] == 1) & (codes[2] == 3), 0.55, 0.3)


def test_the_planted_subgroup_comes_first_with_its_counts():
    cube, levels, names, codes, truth, predicted = _data(np.random.default_rng(1), 6000, (2, 3, 5), _planted)
    found = search(cube, levels, names, _shares(cube))
    first = found.listed[0]
    assert (first.metric, first.features, first.values) == ("selection_rate", ("f0", "f2"), ("v1", "v3"))
    inside = (codes[0] == 1) & (codes[2] == 3)
    counts = (int(predicted[inside].sum()), int(inside.sum()), int(predicted[~inside].sum()), int((~inside).sum()))
    assert (first.x, first.n, first.x_rest, first.n_rest) == counts and first.rows == inside.sum()
    assert first.p_value == equal_rates_p(*counts)
    assert first.bounds == newcombe(*counts, 0.025)
    assert first.covers >= 1  # its own parts by f1 are no findings of their own
    rates = [d for d in found.listed if d.metric == "true_positive_rate"]
    within = inside & (truth == 1)
    assert (rates[0].x, rates[0].n) == (int(predicted[within].sum()), int(within.sum()))


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
