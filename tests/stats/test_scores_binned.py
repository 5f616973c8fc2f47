from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

from govern.stats.ranked import rank_rows
from govern.stats.score_means import Losses
from govern.stats.scores import by_groups, scores

BENCH = runpy.run_path(str(Path(__file__).parents[2] / "bench" / "scores.py"))
NAMES = ("roc_auc", "average_precision", "brier_score", "log_loss")


def losses_of(y: np.ndarray, s: np.ndarray) -> Losses:
    brier, log = (s - y) ** 2, -np.log(np.where(y, s, 1 - s))
    return Losses(brier.sum(), (brier**2).sum(), log.sum(), (log**2).sum())


def test_bins_err_less_than_stated() -> None:
    y, s, group = BENCH["sample"](200_000, 1)
    rows, of = BENCH["binned"](BENCH["codes"](y, s, group))
    exact = rank_rows(y, s)
    binned, truth = scores(rows), scores(exact)
    assert binned.binned and not truth.binned
    assert truth.auc_error == 0.0
    assert binned.n == truth.n == 200_000
    for name in NAMES:
        a, b = getattr(binned, name), getattr(truth, name)
        assert a.value == pytest.approx(b.value, abs=1e-4 if name == "average_precision" else 2e-5), name
        assert a.se == pytest.approx(b.se, rel=1e-3), name
    assert 0 < binned.auc_error < 1e-4
    for one, other in zip(by_groups(rows, of, 10), by_groups(exact, group, 10), strict=True):
        for a, b in ((one.own, other.own), (one.rest, other.rest)):
            assert a.roc_auc.value is not None and b.roc_auc.value is not None
            assert abs(a.roc_auc.value - b.roc_auc.value) <= a.auc_error
            assert a.brier_score.value == pytest.approx(b.brier_score.value, abs=2e-5)
            assert a.log_loss.value == pytest.approx(b.log_loss.value, abs=2e-5)
        assert one.own.roc_auc.value == pytest.approx(other.own.roc_auc.value, abs=2e-5 if other.own.n > 1e4 else 2e-4)


def test_the_bound_of_the_auc_is_met_where_bins_hide_every_order() -> None:
    """One bin that holds a perfect ranking: ½ instead of 1, and the bound says ½."""
    y = np.arange(100) < 40
    found = scores(rank_rows(y, np.full(100, 0.5), binned=True))
    assert (found.roc_auc.value, found.auc_error) == (0.5, 0.5)
    assert scores(rank_rows(np.ones(9, bool), np.full(9, 0.5), binned=True)).auc_error == 0.0


def test_exact_sums_of_losses_replace_those_of_the_bins() -> None:
    rng = np.random.default_rng(3)
    s = rng.beta(0.01, 3, 5000).clip(1e-12, 1 - 1e-12)  # most scores lie far below the middle of the first bin
    y = rng.random(5000) < s
    codes = rng.integers(0, 3, 5000)
    middle = (np.floor(s * 2**14) + 0.5) / 2**14
    truth, binned = rank_rows(y, s), rank_rows(y, middle, binned=True)
    sums = [losses_of(y[codes == g], s[codes == g]) for g in range(3)]
    found = scores(binned, losses_of(y, s))
    plain = scores(truth)
    for name in ("log_loss", "brier_score"):
        a, b = getattr(found, name), getattr(plain, name)
        assert a.value == pytest.approx(b.value, rel=1e-9)
        assert a.se == pytest.approx(b.se, rel=1e-6)
    pairs = zip(by_groups(binned, codes, 3, sums, losses_of(y, s)), by_groups(truth, codes, 3), strict=True)
    for one, other in pairs:
        for a, b in ((one.own, other.own), (one.rest, other.rest)):
            assert a.log_loss.value == pytest.approx(b.log_loss.value, rel=1e-9)
            assert a.log_loss.se == pytest.approx(b.log_loss.se, rel=1e-6)
    for bad in ((sums, None), (None, losses_of(y, s)), (sums[:2], losses_of(y, s))):
        with pytest.raises(ValueError, match="sums of losses"):
            by_groups(binned, codes, 3, *bad)


def test_the_bench_agrees_with_scikit_learn() -> None:
    y, s, group = BENCH["sample"](20_000, 2)
    exact = BENCH["by_groups"](rank_rows(y, s), group)
    assert max(BENCH["largest_gap"](exact, BENCH["scikit_learn"](y, s, group)).values()) < 1e-12
