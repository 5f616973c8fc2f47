from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from govern.evidence import OVERALL, REST, Group
from govern.measure.score_metrics import comparisons, curves, of_group
from govern.metrics import METRICS, SCORE_METRICS
from govern.stats.ranked import rank_rows
from govern.stats.scores import by_groups, scores


def sample(seed: int, n: int = 900) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.3
    return y, 1 / (1 + np.exp(-(rng.normal(size=n) + 1.2 * y - 1)))


def test_every_registered_metric_of_the_score_is_measured_once_with_an_interval_in_range() -> None:
    y, s = sample(1)
    for weights in (None, np.random.default_rng(2).lognormal(0, 0.5, 900)):
        found = {m.metric: m for m in of_group(scores(rank_rows(y, s, w=weights)))}
        assert sorted(found) == sorted(SCORE_METRICS)
        for name, m in found.items():
            row = METRICS[name]
            assert (m.status, m.reason, m.group, m.label) == ("ok", None, OVERALL, None), name
            assert m.value is not None and math.isfinite(m.value)
            assert row.low is None or m.value >= row.low
            assert row.high is None or m.value <= row.high
            if m.interval is not None:
                low, high = m.interval.low, m.interval.high
                assert low is not None and high is not None
                assert low <= m.value <= high, name
                assert row.low is None or low >= row.low
                assert row.high is None or high <= row.high
        without = {name for name, m in found.items() if m.interval is None}
        assert without == {"calibration_p_value"}
        gini, auc = found["gini"].interval, found["roc_auc"].interval
        assert gini is not None and auc is not None and auc.low is not None
        assert gini.low == pytest.approx(2 * auc.low - 1, abs=1e-12)


def test_undefined_metrics_say_why_and_carry_no_number() -> None:
    y, s = sample(3)
    for rows, reason in ((rank_rows(y[:0], s[:0]), "no rows"), (rank_rows(y, s * 3), "not probabilities")):
        found = {m.metric: m for m in of_group(scores(rows), "g1", "cat")}
        assert sorted(found) == sorted(SCORE_METRICS)
        assert {m.label for m in found.values()} == {"cat"}
        for name in ("brier_reliability", "calibration_p_value", "calibration_slope", "log_loss"):
            m = found[name]
            assert (m.value, m.se, m.interval, m.status) == (None, None, None, "undefined")
            assert reason in str(m.reason)
    clustered = of_group(scores(rank_rows(y, s, cluster=np.arange(900) // 2)))
    [p] = [m for m in clustered if m.metric == "calibration_p_value"]
    assert (p.value, p.status) == (None, "undefined")
    assert "repeat persons" in str(p.reason)


def test_comparisons_carry_the_class_and_stay_with_four_metrics() -> None:
    y, s = sample(4)
    codes = np.arange(900) % 3
    groups = [Group(f"g{i}", ("sex",), (str(i),), 300, 90, 90) for i in range(3)]
    found = list(comparisons(groups, by_groups(rank_rows(y, s), codes, 3), "cat"))
    assert {m.metric for m in found} == {"roc_auc", "average_precision", "log_loss", "brier_score"}
    assert {m.label for m in found} == {"cat"}
    against_rest = [m for m in found if m.metric == "roc_auc" and m.reference == REST]
    assert sorted((m.group, m.compare or "") for m in against_rest) == sorted(
        (g, c) for g in ("g0", "g1", "g2") for c in ("", "difference"))
    assert len([m for m in found if m.metric == "roc_auc" and m.reference != REST]) == 3
    shown = list(comparisons([replace(g, asked=False) for g in groups], by_groups(rank_rows(y, s), codes, 3), "cat"))
    # Of an intersection nobody asked for the rest's own value is what a rule needs.
    assert shown == [m for m in found if m.reference == REST and m.compare is None]
    for m in found:
        assert m.interval is not None and m.value is not None
        assert m.interval.low is not None and m.interval.high is not None
        assert m.interval.low <= m.value <= m.interval.high


def test_curves_of_a_group() -> None:
    y, s = sample(5)
    own = scores(rank_rows(y, s))
    found = {c.kind: c for c in curves(own, "g1", "cat")}
    assert list(found) == ["roc", "precision_recall", "calibration"]
    for c in found.values():
        assert (c.group, c.label) == ("g1", "cat")
        assert len(c.x) == len(c.y) <= 101
    assert sum(found["calibration"].n) == 900
    assert [c.kind for c in curves(scores(rank_rows(y, s * 9)))] == ["roc", "precision_recall"]
    assert [c.kind for c in curves(scores(rank_rows(y & False, s)))] == ["calibration"]
    assert list(curves(by_groups(rank_rows(y, s), np.zeros(900, int), 1)[0].rest)) == []
