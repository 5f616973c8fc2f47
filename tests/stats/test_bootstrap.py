"""The bootstrap from counts against fairlearn, scipy, closed forms and a bootstrap of rows."""

from __future__ import annotations

import math
import runpy
from functools import partial
from pathlib import Path
from typing import Any

import fairlearn.metrics as fm
import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score, precision_score

from govern.stats import bootstrap
from govern.stats.bootstrap import GROUP_METRICS, group_bootstrap, grouping_bootstraps, stratified_bootstrap

BENCH = runpy.run_path(str(Path(__file__).parents[2] / "bench" / "bootstrap.py"))
COUNTS = np.array([[60, 20, 25, 95], [30, 12, 31, 127], [9, 8, 14, 29]])
RATE = {"selection_rate": ((0, 1), (0, 1, 2, 3)), "true_positive_rate": ((0,), (0, 2)),
        "false_positive_rate": ((1,), (1, 3)), "accuracy": ((0, 3), (0, 1, 2, 3)), "precision": ((0,), (0, 1))}


def precision_gap(cells: list[np.ndarray]) -> np.ndarray:
    a, b = cells
    with np.errstate(invalid="ignore"):
        return a[:, 0] / (a[:, 0] + a[:, 1]) - b[:, 0] / (b[:, 0] + b[:, 1])


def odds(cells: list[np.ndarray]) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return cells[0][:, 0] / cells[0][:, 1]


class TestGroups:
    def test_the_metrics_are_fairlearns(self) -> None:
        cell = np.repeat(np.tile(np.arange(4), 3), COUNTS.ravel())
        group = np.repeat(["a", "b", "c"], COUNTS.sum(axis=1))
        y, p = np.isin(cell, (0, 2)).astype(int), np.isin(cell, (0, 1)).astype(int)
        frame = fm.MetricFrame(
            metrics={"count": fm.count, "accuracy": accuracy_score, "precision": partial(precision_score),
                     **{name: getattr(fm, name) for name in GROUP_METRICS[1:6]}},
            y_true=y, y_pred=p, sensitive_features=group)
        values = bootstrap._rates(np.concatenate([COUNTS, COUNTS.sum(axis=0)[None]])[..., None].astype(float))[..., 0]
        for i, metric in enumerate(GROUP_METRICS):
            assert values[i, :3] == pytest.approx(frame.by_group[metric].to_numpy(), abs=1e-12)
            assert values[i, 3] == pytest.approx(frame.overall[metric], abs=1e-12)

    def test_percentiles_are_numpys_of_the_defined_replicates(self) -> None:
        rng = np.random.default_rng(2)
        values = rng.normal(size=(3, 4, 257))
        values[0, 1, rng.random(257) < 0.3] = math.nan
        values[2, 3, 1:] = math.nan
        found = bootstrap._percentiles(values, 0.9)
        low, high = np.nanquantile(values, [0.05, 0.95], axis=-1)
        np.testing.assert_allclose(found.low, low, atol=1e-14)
        np.testing.assert_allclose(found.high, high, atol=1e-14)
        assert found.undefined.tolist() == np.isnan(values).sum(axis=-1).tolist()

    def test_ends_agree_with_a_bootstrap_of_rows_by_index(self) -> None:
        """The check of the bench, smaller: groups matched by label, 2,500 replicates have twice the noise."""
        found, _ = BENCH["distances"](BENCH["people"](4000, 3), 2500, 5)
        assert len(found) == 8 * 13
        assert max(found.values()) < 2 * BENCH["LARGEST_DISTANCE"]

    @pytest.mark.parametrize("metric", RATE)
    def test_large_groups_have_the_width_of_theory(self, metric: str) -> None:
        counts = COUNTS * 1000
        found = group_bootstrap(counts, 4000, 1)
        top, bottom = (counts[:, list(part)].sum(axis=1) for part in RATE[metric])
        rate = top / bottom
        half = 1.959964 * np.sqrt(rate * (1 - rate) / bottom)
        m = GROUP_METRICS.index(metric)
        np.testing.assert_allclose(found.groups.low[m], rate - half, atol=0.12 * half.max())
        np.testing.assert_allclose(found.groups.high[m], rate + half, atol=0.12 * half.max())

    def test_counts_of_groups_vary_and_the_whole_does_not(self) -> None:
        found = group_bootstrap(COUNTS, 1000, 1)
        assert found.overall.at(0) == (COUNTS.sum(), COUNTS.sum())
        low, high = found.groups.at(0, 2) or (0, 0)
        assert low < 60 < high

    def test_a_largest_gap_never_covers_zero(self) -> None:
        equal = np.tile([30, 20, 20, 130], (4, 1))
        found = group_bootstrap(equal, 1000, 4)
        for metric in GROUP_METRICS[1:]:
            low, _ = found.difference.at(GROUP_METRICS.index(metric)) or (0, 0)
            assert low > 0

    def test_undefined_replicates_are_counted_and_left_out(self) -> None:
        # One positive row: it is drawn 0 times in about (1 − 1/n)^n ≈ 37 % of the replicates.
        found = group_bootstrap(np.array([[1, 0, 0, 99], [50, 5, 5, 40]]), 2000, 1)
        tpr, ratio = GROUP_METRICS.index("true_positive_rate"), GROUP_METRICS.index("precision")
        assert 0.32 < found.groups.undefined[tpr, 0] / 2000 < 0.41
        assert found.groups.at(tpr, 0) == (1.0, 1.0)
        assert found.groups.undefined[tpr, 1] == 0
        assert found.groups.undefined[ratio, 0] == found.groups.undefined[tpr, 0]
        assert found.difference.undefined[tpr] == 0

    def test_what_no_replicate_defines_has_no_interval(self) -> None:
        found = group_bootstrap(np.array([[0, 0, 5, 95], [0, 0, 0, 0]]), 200, 1)
        selection, precision = GROUP_METRICS.index("selection_rate"), GROUP_METRICS.index("precision")
        assert found.groups.at(precision, 0) is None
        assert found.groups.undefined[precision].tolist() == [200, 200]
        assert found.groups.at(selection, 0) == (0.0, 0.0)
        assert found.groups.at(selection, 1) is None
        assert found.ratio.at(selection) is None, "0 / 0"
        assert found.difference.at(selection) == (0.0, 0.0)

    def test_the_order_of_groups_and_the_seed(self) -> None:
        first, again = group_bootstrap(COUNTS, 500, 7), group_bootstrap(COUNTS, 500, 7)
        turned, other = group_bootstrap(COUNTS[[2, 0, 1]], 500, 7), group_bootstrap(COUNTS, 500, 8)
        assert first.groups.low.tobytes() == again.groups.low.tobytes()
        assert first.groups.low[:, [2, 0, 1]].tolist() == turned.groups.low.tolist()
        assert first.ratio.high.tolist() == turned.ratio.high.tolist()
        assert first.groups.low.tolist() != other.groups.low.tolist()

    def test_groupings_share_one_draw(self) -> None:
        fine, coarse, part = grouping_bootstraps(COUNTS, [np.arange(3), np.array([0, 1, 1]), np.array([-1, 0, -1])],
                                                 500, 3)
        assert fine.groups.low.tolist() == group_bootstrap(COUNTS, 500, 3).groups.low.tolist()
        assert coarse.groups.low[:, 0].tolist() == fine.groups.low[:, 0].tolist()
        assert part.groups.low[:, 0].tolist() == fine.groups.low[:, 1].tolist()
        assert coarse.overall.low.tolist() == part.overall.low.tolist() == fine.overall.low.tolist()
        rate = COUNTS[1:, :2].sum() / COUNTS[1:].sum()
        low, high = coarse.groups.at(1, 1) or (1, 0)
        assert low < rate < high

    @pytest.mark.parametrize("counts", [[[1, 2, 3]], [[0, 0, 0, 0]], [[1, -1, 2, 3]], [1, 2, 3, 4]])
    def test_bad_counts_are_refused(self, counts: Any) -> None:
        with pytest.raises(ValueError, match="tp, fp, fn, tn"):
            group_bootstrap(np.array(counts), 100, 0)

    @pytest.mark.parametrize(("replicates", "level"), [(1, 0.95), (100, 1.0), (100, 0.0)])
    def test_bad_settings_are_refused(self, replicates: int, level: float) -> None:
        with pytest.raises(ValueError, match="2 replicates or more"):
            group_bootstrap(COUNTS, replicates, 0, level)


class TestStratified:
    def test_bca_is_scipys(self) -> None:
        """The same interval as scipy's bootstrap of the rows themselves, up to the noise of the draws."""
        groups = [np.array([30, 12, 40]), np.array([14, 16, 25])]
        rows = [np.repeat([0, 1, 2], g) for g in groups]

        def of_rows(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
            return precision_gap([np.stack([(x == c).sum(axis=axis) for c in (0, 1, 2)], axis=-1).reshape(-1, 3)
                                  for x in (a, b)]).reshape(a.shape[:-1])

        theirs = stats.bootstrap(rows, of_rows, n_resamples=9999, vectorized=True, method="BCa", batch=500,
                                 rng=np.random.default_rng(1))
        ours = stratified_bootstrap(groups, precision_gap, replicates=40_000, seed=2)
        assert ours.status == "ok"
        assert ours.value == pytest.approx(30 / 42 - 14 / 30)
        assert ours.se == pytest.approx(theirs.standard_error, rel=0.03)
        assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=0.1 * theirs.standard_error)
        assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=0.1 * theirs.standard_error)

    def test_acceleration_is_that_of_deleting_every_row(self) -> None:
        groups = [np.array([25, 11, 0, 4]), np.array([9, 30, 2, 0])]
        squares = cubes = 0.0
        for i, counts in enumerate(groups):
            values = []
            for row in np.repeat(np.arange(4), counts):
                left = [g.astype(float).copy() for g in groups]
                left[i][row] -= 1
                values.append(precision_gap([g[None] for g in left])[0])
            influence = (len(values) - 1) * (np.mean(values) - np.array(values))
            squares += (influence**2).sum() / len(values) ** 2
            cubes += (influence**3).sum() / len(values) ** 3
        assert bootstrap._acceleration(groups, precision_gap) == pytest.approx(cubes / 6 / squares**1.5, rel=1e-10)

    def test_bias_and_skewness_are_corrected_as_scipy_corrects_them(self) -> None:
        counts = np.array([30, 16, 9, 5, 3, 1, 1])
        levels = np.arange(len(counts))

        def variance(cells: list[np.ndarray]) -> np.ndarray:
            share = cells[0] / cells[0].sum(axis=1, keepdims=True)
            return share @ levels**2 - (share @ levels) ** 2

        ours = stratified_bootstrap([counts], variance, replicates=40_000, seed=1)
        bca, plain = (stats.bootstrap((np.repeat(levels, counts),), np.var, method=method, n_resamples=20_000,
                                      rng=np.random.default_rng(3), batch=2000).confidence_interval
                      for method in ("BCa", "percentile"))
        assert ours.se is not None
        assert ours.low == pytest.approx(bca.low, abs=0.1 * ours.se)
        assert ours.high == pytest.approx(bca.high, abs=0.1 * ours.se)
        assert bca.high - plain.high > 0.3 * ours.se, "the plain percentiles would not do"

    def test_each_stratum_keeps_its_rows(self) -> None:
        seen: list[np.ndarray] = []

        def watched(cells: list[np.ndarray]) -> np.ndarray:
            seen.append(np.stack([c.sum(axis=1) for c in cells], axis=1))
            return precision_gap(cells)

        stratified_bootstrap([np.array([30, 12, 0]), np.array([14, 16, 25])], watched, seed=2)
        assert len(seen[1]) == bootstrap.REPLICATES
        assert np.unique(seen[1], axis=0).tolist() == [[42, 55]]

    def test_blocks_names_and_order_change_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        groups = [np.array([30, 12, 40]), np.array([14, 16, 25]), np.array([22, 9, 30])]

        def spread(cells: list[np.ndarray]) -> np.ndarray:
            rates = np.stack([c[:, 0] / c.sum(axis=1) for c in cells])
            return rates.max(axis=0) - rates.min(axis=0)

        found = stratified_bootstrap(groups, spread, seed=5)
        assert found == stratified_bootstrap([groups[i] for i in (2, 0, 1)], spread, seed=5)
        assert found != stratified_bootstrap(groups, spread, seed=6)
        monkeypatch.setattr(bootstrap, "BLOCK", 70)
        assert found == stratified_bootstrap(groups, spread, seed=5)

    def test_strata_with_equal_counts_are_drawn_apart(self) -> None:
        found = stratified_bootstrap([np.array([30, 70]), np.array([30, 70])],
                                     lambda cells: (cells[0][:, 0] - cells[1][:, 0]) / 100)
        assert found.se == pytest.approx(math.sqrt(2 * 0.3 * 0.7 / 100), rel=0.1)

    @pytest.mark.parametrize(("events", "status"), [([(10, 50), (12, 10)], "ok"), ([(10, 50), (9, 12)], "too_few"),
                                                    ([(60, 3)], "too_few")])
    def test_too_few_events_are_refused_with_the_value_kept(self, events: list[tuple[int, int]], status: str) -> None:
        found = stratified_bootstrap([np.array([30, 12]), np.array([14, 16])], precision_gap, events=events)
        assert found.status == status
        assert found.value == pytest.approx(30 / 42 - 14 / 30)
        assert (found.low is None) == (found.se is None) == (status != "ok")
        assert ("events" in (found.reason or "")) == (status != "ok")

    def test_no_value_on_the_rows(self) -> None:
        found = stratified_bootstrap([np.array([0, 0, 5]), np.array([1, 1, 1])], precision_gap)
        assert (found.value, found.status, found.low) == (None, "undefined", None)

    def test_some_undefined_resamples_are_counted(self) -> None:
        found = stratified_bootstrap([np.array([40, 5])], odds, seed=1)
        assert found.status == "ok"
        assert 0 < found.undefined < 50

    def test_resamples_without_a_value_may_not_fill_a_tail(self) -> None:
        found = stratified_bootstrap([np.array([40, 2])], odds)
        assert found.status == "too_few"
        assert found.undefined > 50
        assert found.reason is not None
        assert "resamples have no value" in found.reason

    def test_resamples_that_never_vary_give_no_interval_of_width_0(self) -> None:
        found = stratified_bootstrap([np.array([0, 25])], lambda cells: cells[0][:, 0] / 25)
        assert (found.value, found.low, found.status) == (0.0, None, "too_few")

    def test_a_value_at_the_edge_of_all_resamples_gives_none(self) -> None:
        # Resamples never have more distinct rows than the sample: the plain bootstrap fails for such a statistic.
        found = stratified_bootstrap([np.ones(40, int)], lambda cells: (cells[0] > 0).sum(axis=1).astype(float))
        assert (found.value, found.status) == (40.0, "too_few")
        assert "one side" in (found.reason or "")

    @pytest.mark.parametrize("cells", [[], [[0, 0]], [[3, -1]], [[[1, 2]]]])
    def test_bad_strata_are_refused(self, cells: Any) -> None:
        with pytest.raises(ValueError, match="every stratum"):
            stratified_bootstrap([np.array(c) for c in cells], odds)

    def test_bad_settings_are_refused(self) -> None:
        with pytest.raises(ValueError, match="2 replicates or more"):
            stratified_bootstrap([np.array([5, 5])], odds, level=95)


def test_the_bench_runs_whole(capsys: pytest.CaptureFixture[str]) -> None:
    BENCH["main"](["--rows", "20000", "--peer-rows", "300", "--peer-replicates", "1",
                   "--agreement-rows", "2000", "--replicates", "200"])
    printed = capsys.readouterr().out
    assert [line[:2] for line in printed.splitlines() if line[:1].isdigit()] == ["1.", "2.", "3."]
    assert all(metric in printed for metric in GROUP_METRICS)
