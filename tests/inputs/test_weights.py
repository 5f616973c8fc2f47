from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from govern.errors import InputError
from govern.inputs.rows import Apart, row_keys
from govern.inputs.weights import cluster_keys, weights


def test_weights_are_numbers_with_nan_for_missing() -> None:
    found = weights(pa.array([1, 0, None, 3]), "w")
    assert found.dtype == np.float64 and found[[0, 1, 3]].tolist() == [1.0, 0.0, 3.0] and np.isnan(found[2])
    assert weights(pa.array([0.25, float("nan")]), "w")[0] == 0.25


@pytest.mark.parametrize(("array", "said"), [
    (pa.array([1.0, -0.5]), '--weight: column "w" holds negative weights'),
    (pa.array([1.0, float("inf")]), 'column "w" holds infinite weights'),
    (pa.array(["1", "2"]), 'column "w" holds string values, not numbers'),
])
def test_weights_refused(array: pa.Array, said: str) -> None:
    with pytest.raises(InputError) as caught:
        weights(array, "w")
    assert said in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("ids", [
    pa.array(["a", "b", None, "a", None]), pa.array(["a", "b", None, "a", None]).dictionary_encode(),
    pa.array([7, 9, None, 7, None]), pa.array([7.0, 9.5, float("nan"), 7.0, None]),
])
def test_rows_of_one_person_share_a_key_and_missing_ones_are_alone(ids: pa.Array) -> None:
    batch = pa.record_batch({"id": ids, "x": pa.array([1, 2, 3, 4, 5])})
    keys = cluster_keys(ids, row_keys(batch, 0), Apart())
    assert keys[0] == keys[3] and len(set(keys.tolist())) == 4
    turned = batch.take(pa.array([4, 3, 2, 1, 0]))
    assert cluster_keys(turned.column(0), row_keys(turned, 0), Apart()).tolist() == keys[::-1].tolist()


def test_keys_of_a_person_do_not_depend_on_the_batch() -> None:
    one = cluster_keys(pa.array([5, 2**60]), np.zeros(2, np.uint64), Apart())
    other = cluster_keys(pa.array([2**60]), np.zeros(1, np.uint64), Apart())
    assert one[1] == other[0] and cluster_keys(pa.array([5.0]), np.zeros(1, np.uint64), Apart())[0] == one[0]


def test_alike_rows_without_a_person_are_persons_of_their_own() -> None:
    ids, same = pa.array([None, "a", None, None], pa.string()), np.full(4, 5, np.uint64)
    apart = Apart()
    found = [cluster_keys(part, same[:len(part)], apart)
             for part in (ids[:3], ids[3:])]
    assert len(set(np.concatenate(found).tolist())) == 4
    again = cluster_keys(ids.take(pa.array([3, 2, 1, 0])), same, Apart())
    assert sorted(again.tolist()) == sorted(np.concatenate(found).tolist())
