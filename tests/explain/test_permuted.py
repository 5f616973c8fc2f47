"""Permutation importance: what is exchanged, what is lost, its error and its agreement."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from govern.explain.permuted import agreement, exchanged, permuted
from govern.explanations import Permuted


def test_values_are_exchanged_one_feature_at_a_time() -> None:
    rows = pa.record_batch({"a": [1, 2, 3, 4, 5], "b": ["u", "v", None, "x", "y"]})
    found = exchanged(rows, ["b", "a"])
    assert found.schema == rows.schema and found.num_rows == 10
    assert found["a"].to_pylist() == [1, 2, 3, 4, 5, 3, 4, 5, 1, 2]
    assert found["b"].to_pylist() == [None, "x", "y", "u", "v", "u", "v", None, "x", "y"]


def test_loss_and_error_by_pairs() -> None:
    before, after = np.zeros(4), np.array([[1.0, 3.0, 1.0, 3.0], [0.0, 0.0, 0.0, 0.0]])
    found = permuted("brier_score", ["a", "b"], before, after, None)
    assert [(p.feature, p.value, p.n) for p in found] == [("a", 2.0, 4), ("b", 0.0, 4)]
    # Two pairs, of means 1 and 3: what their mean is sure to, not that of four rows.
    assert found[0].se == pytest.approx(np.std([1, 3], ddof=1) / np.sqrt(2))
    weighted = permuted("brier_score", ["a"], before, after[:1], np.array([3.0, 1.0, 3.0, 1.0]))
    assert weighted[0].value == pytest.approx(1.5)


def test_errors_hold_in_repeated_samples() -> None:
    """The loss of a feature whose values are exchanged depends on both rows of a pair."""
    rng = np.random.default_rng(0)
    values, errors = [], []
    for _ in range(300):
        y, x = rng.normal(size=(2, 101))
        y = x + 0.5 * y
        partner = np.roll(x, -50)
        (one,) = permuted("mean_squared_error", ["x"], (y - x) ** 2, ((y - partner) ** 2)[None], None)
        values.append(one.value)
        errors.append(one.se)
    assert np.std(values) == pytest.approx(np.mean(errors), rel=0.1)
    assert np.mean(values) == pytest.approx(2.0, rel=0.05)


def test_agreement_is_of_the_features_that_were_permuted() -> None:
    lost = [Permuted(name, "accuracy", value, None, 10) for name, value in (("a", 0.3), ("b", 0.1), ("c", 0.2))]
    assert agreement({"a": 5.0, "b": 1.0, "c": 2.0, "d": 9.0}, lost) == pytest.approx(1.0)
    assert agreement({"a": 1.0, "b": 5.0, "c": 2.0}, lost) == pytest.approx(-1.0)
    assert agreement({"a": 1.0, "b": 5.0}, lost[:2]) is None
    assert agreement({"a": 1.0, "b": 1.0, "c": 1.0}, lost) is None
