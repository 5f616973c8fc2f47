"""Column facts and the sample of rows: exact counts, whatever the order and the batches."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from govern.dataset import Bin, Column, Level
from govern.inputs.rows import row_keys
from govern.measure.columnfacts import COUNTED_LEVELS, SHOWN_BINS, ColumnFacts
from govern.measure.datafacts import Facts
from govern.measure.machine_cost import compute_document
from govern.measure.sample import Sample
from govern.measure.smoke import Seen, checks


def table(n: int = 3000) -> pa.Table:
    rng = np.random.default_rng(5)
    text = np.array(["x", "y", None], object)[rng.integers(0, 3, n)]
    return pa.table({"number": rng.normal(size=n), "few": rng.integers(0, 4, n), "text": pa.array(text),
                     "flag": rng.random(n) < 0.2, "category": pa.array(text).dictionary_encode()})


def facts_of(rows: pa.Table, size: int) -> Facts:
    found = Facts(dict.fromkeys(rows.column_names, "feature"), seed=0)
    for batch in rows.to_batches(max_chunksize=size):
        *_, keys = found.add(batch)
        assert (keys == row_keys(batch, 0)).all()
    return found


def column_of(values: pa.Array) -> Column:
    facts = ColumnFacts("c", "feature")
    facts.add(values)
    return facts.result()


def test_columns_are_counted_alike_in_any_order_and_batches() -> None:
    rows = table()
    shuffled = rows.take(pa.array(np.random.default_rng(1).permutation(rows.num_rows)))
    assert facts_of(rows, 100).result() == facts_of(shuffled, 7000).result()
    by_name = {c.name: c for c in facts_of(rows, 500).result().columns}
    number, text = rows["number"].to_numpy(), rows["text"].to_pylist()
    assert (by_name["number"].low, by_name["number"].high) == (number.min(), number.max())
    assert by_name["number"].distinct is None and not by_name["number"].levels  # more than are counted
    assert by_name["text"].missing == text.count(None) and by_name["text"].distinct == 2
    assert {(level.value, level.n) for level in by_name["text"].levels} == {(v, text.count(v)) for v in "xy"}
    assert by_name["category"].levels == by_name["text"].levels
    assert [level.value for level in by_name["flag"].levels] == ["false", "true"]
    assert by_name["few"].distinct == 4 and by_name["few"].kind == "number"


def test_levels_beyond_the_limit_are_not_listed() -> None:
    rows = pa.table({"id": [f"p{i}" for i in range(COUNTED_LEVELS + 1)]})
    assert facts_of(rows, 300).result().columns[0].distinct is None


def test_levels_beyond_the_shown_ones_are_counted_as_others() -> None:
    found = column_of(pa.array([f"v{i:02d}" for i in range(25) for _ in range(25 - i)]))
    assert found.distinct == 25 and [level.value for level in found.levels[:2]] == ["v00", "v01"]
    assert len(found.levels) == 20 and found.others == 1 + 2 + 3 + 4 + 5


def test_bins_have_ends_that_do_not_depend_on_the_data() -> None:
    few = column_of(pa.array([0.0, -0.0, 2.5, None, 2.5, float("nan"), -1.0]))
    assert few.bins == (Bin(-1.0, 1), Bin(0.0, 2), Bin(2.5, 2)) and few.missing == 2
    assert few.levels == (Level("0", 2), Level("2.5", 2), Level("-1", 1)) and few.distinct == 3
    whole = column_of(pa.array([3, 7, None, 3], pa.int16()))
    assert whole.bins == (Bin(3.0, 2), Bin(7.0, 1)) and (whole.low, whole.high, whole.missing) == (3.0, 7.0, 1)
    many = [column_of(pa.array(np.random.default_rng(i).lognormal(0, 1, 4000))) for i in (1, 2)]
    for c in many:
        assert 64 < len(c.bins) <= SHOWN_BINS and sum(b.n for b in c.bins) == 4000 and c.distinct is None
    ends = [{b.low for b in c.bins} for c in many]
    assert len(ends[0] & ends[1]) > 0.8 * len(ends[0])


def test_bins_of_infinite_and_empty_columns_are_finite() -> None:
    found = column_of(pa.array([float("inf"), -float("inf"), 1.0]))
    assert all(np.isfinite(b.low) for b in found.bins) and [b.n for b in found.bins] == [1, 1, 1]
    assert (found.low, found.high) == (None, None)
    empty = column_of(pa.array([None, None], pa.float64()))
    assert (empty.missing, empty.distinct, empty.bins, empty.levels) == (2, 0, (), ())
    assert column_of(pa.array([None, None], pa.string())).missing == 2


def test_a_missing_value_in_a_dictionary_is_missing() -> None:
    coded = pa.DictionaryArray.from_arrays(pa.array([0, 1, 1, None], pa.int8()), pa.array(["a", None]))
    found = column_of(coded)
    assert found.missing == 3 and found.levels == (Level("a", 1),)


@pytest.mark.parametrize("values", [
    pa.array([1.5, None, 2.0]), pa.array([1, 2, 300000]), pa.array([True, None]), pa.array(["x", None, "x"]),
    pa.array([1, None, 3], pa.uint8())])
def test_columns_of_any_type_in_any_batches(values: pa.Array) -> None:
    whole, parts = ColumnFacts("c", "feature"), ColumnFacts("c", "feature")
    whole.add(values)
    for i in reversed(range(len(values))):
        parts.add(values[i:i + 1])
    assert whole.result() == parts.result()


def test_duplicates_are_rows_equal_to_an_earlier_one() -> None:
    rows = pa.table({"a": [1, 1, 2, 1, None, None], "b": ["x", "x", "x", "y", "z", "z"]})
    assert facts_of(rows, 2).result().duplicates == 2


@pytest.mark.parametrize("size", [1, 10, 250, 5000])
def test_a_sample_does_not_depend_on_order_or_batches(size: int) -> None:
    rows = table()
    shuffled = rows.take(pa.array(np.random.default_rng(2).permutation(rows.num_rows)))
    found = []
    for source, chunk in ((rows, 64), (shuffled, 3000), (shuffled, 977)):
        sample = Sample(size)
        for batch in source.to_batches(max_chunksize=chunk):
            sample.add(row_keys(batch, 3), batch)
        found.append(sample.table.combine_chunks().to_pylist())
    assert found[0] == found[1] == found[2] and len(found[0]) == min(size, rows.num_rows)


def few(n: int = 20_000) -> pa.Table:
    rng = np.random.default_rng(6)
    job = rng.choice(["a", "b", "c", None], n, p=[0.6, 0.3, 0.09, 0.01])
    return pa.table({"sex": rng.choice(["f", "m"], n), "job": job,
                     "y": rng.integers(0, 2, n), "weight": rng.integers(1, 500, n), "person": np.arange(n)})


@pytest.mark.parametrize("units", [[], ["weight"], ["weight", "person"]])
def test_few_different_rows_are_drawn_as_often_as_they_occur(units: list[str]) -> None:
    """Twenty contents: the smallest keys alone would be copies of one of them."""
    rows = few().select(["sex", "job", "y", *units])
    shuffled = rows.take(pa.array(np.random.default_rng(2).permutation(rows.num_rows)))
    found = []
    for source, chunk in ((rows, 5000), (shuffled, 977)):
        sample = Sample(1000)
        for batch in source.to_batches(max_chunksize=chunk):
            keys = row_keys(batch.select([0, 1, 2]), 3)
            sample.add(keys, batch, row_keys(batch, 3) if units else keys)
        found.append((sample.table.combine_chunks().to_pylist(), sample.ties.tolist()))
    assert found[0] == found[1] and len(found[0][0]) == 1000

    def contents(drawn: list[dict[str, object]]) -> Counter[tuple[object, ...]]:
        return Counter((row["sex"], row["job"], row["y"]) for row in drawn)

    drawn, whole = contents(found[0][0]), contents(rows.to_pylist())
    assert all(abs(drawn[c] - n / 20) < 1 for c, n in whole.items())
    head = contents(found[0][0][:500])  # the first half is a sample of its own
    assert all(abs(head[c] - n / 40) < 25 for c, n in whole.items())
    if units:
        assert len({row["weight"] for row in found[0][0]}) > 150  # not one weight for each content


def test_a_content_that_is_frequent_among_many_is_drawn_as_often_as_it_occurs() -> None:
    rng = np.random.default_rng(7)
    rows = pa.table({"x": np.where(rng.random(9000) < 0.3, 0.0, rng.normal(size=9000))})
    sample = Sample(1000)
    for batch in rows.to_batches(max_chunksize=2000):
        sample.add(row_keys(batch, 0), batch)
    x = sample.table["x"].to_numpy()
    assert len(x) == 1000 and abs((x == 0).sum() - 1000 * (rows["x"].to_numpy() == 0).mean()) <= 1


def test_another_seed_draws_another_sample() -> None:
    rows, drawn = table(), []
    for seed in (0, 1):
        sample = Sample(50)
        for batch in rows.to_batches():
            sample.add(row_keys(batch, seed), batch)
        drawn.append(sample.first(50, ("number",)).column(0).to_pylist())
    assert drawn[0] != drawn[1]


def test_smoke_checks_say_what_failed() -> None:
    good = Seen(10, 10, 0, 0, 2, 0.0, 1e-9)
    assert all(c.passed for c in checks(good))
    bad = {c.metric: c.passed for c in checks(Seen(10, 9, 1, 2, 1, 0.1, 1e-3))}
    assert bad == {"smoke_loads": True, "smoke_shape": False, "smoke_finite": False, "smoke_probability": False,
                   "smoke_repeatable": False, "smoke_batch": False, "smoke_constant": False}
    labels_only = {c.metric: c for c in checks(Seen(10, 10, 0, None, 2, None, None))}
    assert labels_only["smoke_probability"].passed is None and labels_only["smoke_batch"].passed is None


def test_compute_document_takes_percentiles_of_the_repeats() -> None:
    times = np.arange(1.0, 101.0)
    found = compute_document(load_seconds=0.5, single_ms=times, batch_ms=np.empty(0), batch_rows=10, predict_rows=100,
                             predict_seconds=0.5, peak_memory_bytes=2_000_000, file_bytes=1_500, evidence_sha256="ab")
    values = {m.metric: m.value for m in found.measurements}
    assert (values["latency_p50_ms"], values["latency_p95_ms"], values["latency_p99_ms"]) == (51.0, 96.0, 100.0)
    assert values["batch_latency_p50_ms"] is None
    assert (values["throughput_rows_s"], values["peak_memory_mb"], values["file_size_mb"]) == (200.0, 2.0, 0.0015)
    assert not {"name", "user", "host", "node"} & set(found.machine)
