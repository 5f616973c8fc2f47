"""A metric of the user's own in the sandboxed process: its value, its replicates, and everything that goes wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest

from govern.errors import InputError
from govern.worker.client import Limits, Worker
from govern.worker.custom import Rows, measure
from govern.worker.protocol import ProtocolError
from govern.worker.replies import read_custom

MODULE = '''
import os, socket, sys, time
import numpy as np

def cost(y_true, y_pred, score, weight):
    return float(np.sum(weight * (y_true != y_pred)) / weight.sum())

def mean_score(y_true, y_pred, score, weight):
    return score.mean()

def seen(y_true, y_pred, score, weight):
    return hash((y_true.dtype.kind, y_pred.shape, score is None, float(weight.sum()))) % 1000

def texts(y_true, y_pred, score, weight):
    return float(np.mean(y_true == "low")) + 10 * score.shape[1]

def spoils(y_true, y_pred, score, weight):
    value = y_pred.mean()
    y_pred[:] = 7
    return value

def sometimes(y_true, y_pred, score, weight):
    return 1.0 if y_true[0] == 1 else float("nan")

def raises(y_true, y_pred, score, weight):
    raise ValueError("no such\\nthing \\x1b[31m" + "x" * 1000)

def leaves(y_true, y_pred, score, weight):
    sys.exit(3)

def gives_nan(y_true, y_pred, score, weight):
    return float("nan")

def gives_text(y_true, y_pred, score, weight):
    return "high"

def calls(y_true, y_pred, score, weight):
    socket.socket()

def writes(y_true, y_pred, score, weight):
    with open(WHERE, "w") as f:
        f.write("out")
    return 1.0

def crashes(y_true, y_pred, score, weight):
    os._exit(3)
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("own")
    (path / "ours.py").write_text(MODULE + f"\nWHERE = {str(path / 'out.txt')!r}\n")
    (path / "broken.py").write_text("import nothing_of_that_name\n")
    (path / "json.py").write_text("def cost(*a): return 1.0\n")
    package = path / "deep"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "inner.py").write_text("def one(*a): return 1.0\n")
    return path


@pytest.fixture(scope="module")
def own(folder):
    with Worker(Limits(wall_seconds=60), model_path=[folder]) as worker:
        yield worker


RNG = np.random.default_rng(3)
N = 400
TRUTH, PREDICTION = RNG.integers(0, 2, N).astype(np.int32), RNG.integers(0, 2, N).astype(np.int32)
SCORE, WEIGHT = RNG.random(N), RNG.random(N)


def ask(worker, name, *, module="ours", truth=TRUTH, score=None, weight=None, unit=None, classes=None, replicates=50,
        blocks=10, seed=0):
    buffers = [truth.data, PREDICTION[: len(truth)].astype(truth.dtype).data]
    buffers += [a.data for a in (score, weight, unit) if a is not None]
    columns = 0 if score is None else 1 if score.ndim == 1 else score.shape[1]
    header = {"rows": len(truth), "labels": truth.dtype == np.int32, "columns": columns, "classes": classes,
              "weighted": weight is not None, "units": unit is not None}
    return worker.submit_custom(f"{module}:{name}", header, buffers, replicates, blocks, seed).result()


def test_value_and_replicates(own):
    found = ask(own, "cost", weight=WEIGHT)
    wrong = TRUTH != PREDICTION
    assert found.value == pytest.approx(np.average(wrong, weights=WEIGHT), rel=1e-12)
    random = np.random.default_rng(0)
    drawn = [random.integers(0, N, N) for _ in range(50)]
    expected = [np.average(wrong[i], weights=WEIGHT[i]) for i in drawn]
    assert found.replicates == pytest.approx(expected, rel=1e-12)
    parts = [np.flatnonzero(np.arange(N) * 10 // N != b) for b in range(10)]
    assert found.without == pytest.approx([np.average(wrong[i], weights=WEIGHT[i]) for i in parts], rel=1e-12)


def test_the_same_seed_gives_the_same_bits(own):
    assert np.array_equal(ask(own, "cost").replicates, ask(own, "cost").replicates)
    assert not np.array_equal(ask(own, "cost", seed=1).replicates, ask(own, "cost").replicates)


def test_the_replicates_spread_as_the_standard_error_says(own):
    found = ask(own, "mean_score", score=SCORE, replicates=400)
    assert found.value == pytest.approx(SCORE.mean())
    assert found.replicates.std() == pytest.approx(SCORE.std() / np.sqrt(N), rel=0.15)


def test_units_are_drawn_with_all_their_rows(own):
    unit = np.repeat(np.arange(N // 4), 4)
    score = np.repeat(RNG.random(N // 4), 4)  # the same for all rows of a unit
    found = ask(own, "mean_score", score=score, unit=unit, replicates=400)
    assert found.replicates.std() == pytest.approx(score.std() / np.sqrt(N / 4), rel=0.15)


def test_units_of_unequal_size_in_any_order_stay_whole():
    unit = np.random.default_rng(0).permutation(np.repeat(np.arange(50), np.arange(1, 51)))
    rows = Rows(unit, unit, None, np.ones(len(unit)), unit)
    whole = []

    def check(y_true, y_pred, score, weight):
        units, n = np.unique(y_true, return_counts=True)
        whole.append(bool((n % (units + 1) == 0).all()) and (n // (units + 1)).sum() == 50)
        return 1.0

    measure(check, rows, 20, 7, 0)
    assert len(whole) == 28 and all(whole[:21])


def test_each_part_of_the_rows_or_units_is_left_out_once():
    unit = np.repeat(np.arange(10), 3)
    seen = []

    def keep(y_true, y_pred, score, weight):
        seen.append(y_true.tolist())
        return 1.0

    for units, n, blocks in ((None, 30, 4), (unit, 30, 4), (None, 3, 3)):
        seen.clear()
        rows = Rows(unit[:n] if units is not None else np.arange(n), np.zeros(n), None, np.ones(n), units)
        value, drawn, without = measure(keep, rows, 0, blocks, 0)
        assert (value, len(drawn), len(without)) == (1.0, 0, blocks)
        everything, *parts = seen
        out = [sorted(set(everything) - set(p)) for p in parts]
        assert sorted(v for o in out for v in o) == sorted(set(everything)) and all(out)


def test_what_the_function_is_given(own):
    classes = ["high", "low", "middle"]
    truth = RNG.integers(0, 3, N).astype(np.int32)
    found = ask(own, "texts", truth=truth, score=RNG.random((N, 3)), classes=classes)
    assert found.value == pytest.approx((truth == 1).mean() + 30)
    numbers = ask(own, "spoils", truth=RNG.random(N))
    assert numbers.value == pytest.approx(PREDICTION.mean())
    assert numbers.replicates.max() <= 1  # what it did to its arguments did not stay


def test_replicates_without_a_number_are_nan(own):
    found = ask(own, "sometimes", truth=np.concatenate([[1], np.zeros(N - 1)]).astype(np.int32))
    assert found.value == 1.0 and np.isnan(found.replicates).any()


@pytest.mark.parametrize("name, reason", [
    ("raises", "the function raised ValueError: no such thing"),
    ("leaves", "the function raised SystemExit: 3"),
    ("gives_nan", "the function gave nan"),
    ("gives_text", "the function raised ValueError: could not convert string to float"),
    ("mean_score", "the function raised AttributeError"),
    ("calls", "the function raised PermissionError"),
    ("writes", "the function raised OSError"),
])
def test_what_goes_wrong_inside_is_a_reason_in_one_line(own, name, reason, folder):
    found = ask(own, name)
    assert found.value is None and found.reason.startswith(reason)
    assert len(found.reason) <= 200 and found.reason.isprintable()
    written = folder / "out.txt"
    assert not written.exists() or written.stat().st_size == 0


@pytest.mark.parametrize("module, name, what", [
    ("elsewhere", "cost", 'no folder of --model-path has a module "elsewhere"; say with --model-path'),
    ("os", "system", 'no folder of --model-path has a module "os"'),
    ("json", "cost", 'an installed module is called "json" too; rename the file'),
    ("ours", "nothing", 'module "ours" has no function "nothing"; correct its name'),
    ("ours", "WHERE", 'module "ours" has no function "WHERE"'),
    ("broken", "cost", '"broken:cost" cannot be imported: No module named'),
])
def test_a_function_that_cannot_be_found_is_an_error(own, module, name, what):
    with pytest.raises(InputError) as e:
        ask(own, name, module=module)
    assert what in str(e.value) and "\n" not in str(e.value)
    assert ask(own, "one", module="deep.inner").value == 1.0  # the process goes on


def test_a_crash_is_one_line(folder):
    with Worker(Limits(wall_seconds=60), model_path=[folder]) as worker, \
            pytest.raises(InputError, match=r"ended on its own \(exit code 3\) while measuring a metric of your own"):
        ask(worker, "crashes")


def test_a_model_and_a_metric_share_the_process(folder, loaded, to_batch, numbers):
    from sklearn.linear_model import LogisticRegression

    x, y = numbers
    with Worker(Limits(wall_seconds=60), model_path=[folder]) as worker:
        assert ask(worker, "cost").value is not None
        loaded(worker, LogisticRegression().fit(x, y))
        assert worker.predict(to_batch(x), "1").rows == len(x)
        assert ask(worker, "cost").value is not None


GOOD = {"value": 1.0}


TWO = np.zeros(2)


@pytest.mark.parametrize("answer, buffers", [
    ({}, [np.zeros(3), TWO]),
    ({"value": "1"}, [np.zeros(3), TWO]),
    ({"value": True}, [np.zeros(3), TWO]),
    ({"value": json.loads("NaN")}, [np.zeros(3), TWO]),
    ({"value": json.loads("Infinity")}, [np.zeros(3), TWO]),
    (GOOD, []),
    (GOOD, [np.zeros(3)]),
    (GOOD, [np.zeros(2), TWO]),
    (GOOD, [np.zeros(3), np.zeros(3)]),
    (GOOD, [np.zeros(3), TWO, TWO]),
    (GOOD, [np.array([1.0, np.inf, 0.0]), TWO]),
    (GOOD, [np.zeros(3), np.array([-np.inf, 0.0])]),
    ({"reason": "why", "value": 1.0}, []),
    ({"reason": "why"}, [np.zeros(3)]),
    ({"reason": 3}, []),
    ({"reason": "x" * 20_000}, []),
])
def test_hostile_answers_are_refused(answer, buffers):
    with pytest.raises(ProtocolError):
        read_custom(answer, [b.tobytes() for b in buffers], 3, 2)


def test_a_reason_is_shown_without_control_characters():
    assert read_custom({"reason": "a\nb\x1b"}, [], 3, 2).reason == "a\\nb\\x1b"
    found = read_custom(GOOD, [np.array([1.0, np.nan, 2.0]).tobytes(), TWO.tobytes()], 3, 2)
    assert found.value == GOOD["value"] and found.without.tolist() == [0.0, 0.0]
