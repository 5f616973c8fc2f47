"""The loss of each row that permutation importance speaks of, and how many rows are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from govern.inputs.labels import Target
from govern.measure.permuting import EVALUATIONS, losses, start_permuting
from govern.measure.predictions import Predicted

BINARY, CLASSES, NUMBERS = Target("binary", ("0", "1"), "1", "1"), Target("multiclass", tuple("abc")), \
    Target("regression")
TRUTH = np.array([0, 1, 1, 0])


def test_means_of_losses_are_those_of_scikit_learn() -> None:
    score = np.array([0.1, 0.4, 0.9, 0.7])
    metric, lost = losses(Predicted((score >= 0.5).astype(np.int32), score), TRUTH, BINARY)
    assert (metric, lost.mean()) == ("brier_score", pytest.approx(brier_score_loss(TRUTH, score)))
    metric, lost = losses(Predicted((score >= 0.5).astype(np.int32)), TRUTH, BINARY)
    assert (metric, lost.tolist()) == ("accuracy", [0, 1, 0, 1])
    # Numbers that are taken as scores are no probabilities.
    assert losses(Predicted((score >= 0.5).astype(np.int32), 10 * score), TRUTH, BINARY)[0] == "accuracy"
    of_classes = np.random.default_rng(0).dirichlet(np.ones(3), 4)
    of_classes[0] = [0.0, 0.5, 0.5]  # certain, and wrong
    metric, lost = losses(Predicted(np.zeros(4, np.int32), of_classes), np.array([0, 2, 1, 0]), CLASSES)
    assert metric == "multiclass_log_loss" and np.isfinite(lost).all()
    assert lost[1:].mean() == pytest.approx(log_loss([2, 1, 0], of_classes[1:], labels=[0, 1, 2]))
    metric, lost = losses(Predicted(None, None, score), np.array([0.0, 1.0, 1.0, 0.0]), NUMBERS)
    assert (metric, lost.tolist()) == ("mean_squared_error", pytest.approx([0.01, 0.36, 0.01, 0.49]))


@pytest.mark.parametrize(("features", "rows"), [(2, 1000), (20, 1000), (40, 500)])
def test_no_more_than_20_000_predictions_are_asked_for(features: int, rows: int) -> None:
    names = [f"f{j}" for j in range(features)]
    sample = pa.record_batch({name: np.arange(1200) for name in names})
    asked: list[Any] = []

    def ask(batch: Any) -> Any:
        asked.append(batch)
        return lambda: Predicted(None, None, batch.column(0).to_numpy().astype(float))

    one = start_permuting(ask, sample, names)
    assert one is not None and one.rows == rows and asked[0].num_rows == rows * features <= EVALUATIONS
    truth = np.arange(1200.0)
    found = one.result(Predicted(None, None, truth), truth, NUMBERS, None)
    # Only the first feature is looked at: the others lose nothing.
    assert [p.feature for p in found if p.value > 0] == ["f0"] and found[0].value == pytest.approx((rows / 2) ** 2)


def test_nothing_is_asked_without_features_or_rows() -> None:
    def ask(batch: Any) -> Any:
        raise AssertionError(batch)

    sample = pa.record_batch({"x": [1.0]})
    assert start_permuting(ask, sample, []) is None and start_permuting(ask, sample, ["x"]) is None
