"""The shipped bootstrap from counts against fairlearn, closed forms and a bootstrap of rows."""

from __future__ import annotations

import math
import runpy
from functools import partial
from pathlib import Path
from typing import Any

import fairlearn.metrics as fm
import numpy as np
import pytest
from sklearn.metrics import accuracy_score, precision_score

BENCH = runpy.run_path(str(Path(__file__).parents[2] / "bench" / "bootstrap.py"))
GROUP_METRICS, group_bootstrap, grouping_bootstraps = (
    BENCH[name] for name in ("GROUP_METRICS", "group_bootstrap", "grouping_bootstraps"))
COUNTS = np.array([[60, 20, 25, 95], [30, 12, 31, 127], [9, 8, 14, 29]])
RATE = {"selection_rate": ((0, 1), (0, 1, 2, 3)), "true_positive_rate": ((0,), (0, 2)),
        "false_positive_rate": ((1,), (1, 3)), "accuracy": ((0, 3), (0, 1, 2, 3)), "precision": ((0,), (0, 1))}


class TestGroups:
    def test_the_metrics_are_fairlearns(self) -> None:
        cell = np.repeat(np.tile(np.arange(4), 3), COUNTS.ravel())
        group = np.repeat(["a", "b", "c"], COUNTS.sum(axis=1))
        y, p = np.isin(cell, (0, 2)).astype(int), np.isin(cell, (0, 1)).astype(int)
        frame = fm.MetricFrame(
            metrics={"count": fm.count, "accuracy": accuracy_score, "precision": partial(precision_score),
                     **{name: getattr(fm, name) for name in GROUP_METRICS[1:6]}},
            y_true=y, y_pred=p, sensitive_features=group)
        values = BENCH["_rates"](np.concatenate([COUNTS, COUNTS.sum(axis=0)[None]])[..., None].astype(float))[..., 0]
        for i, metric in enumerate(GROUP_METRICS):
            assert values[i, :3] == pytest.approx(frame.by_group[metric].to_numpy(), abs=1e-12)
            assert values[i, 3] == pytest.approx(frame.overall[metric], abs=1e-12)

    def test_percentiles_are_numpys_of_the_defined_replicates(self) -> None:
        rng = np.random.default_rng(2)
        values = rng.normal(size=(3, 4, 257))
        values[0, 1, rng.random(257) < 0.3] = math.nan
        values[2, 3, 1:] = math.nan
        found = BENCH["_percentiles"](values, 0.9)
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
