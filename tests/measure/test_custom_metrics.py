"""Metrics of the user's own, from the rows of the pass to measurements."""

from __future__ import annotations

import numpy as np
import pytest

from govern import metrics
from govern.errors import InputError
from govern.evidence import OVERALL, Group
from govern.inputs.labels import Target
from govern.inputs.settings import OwnMetric
from govern.measure.custom import own_metrics
from govern.measure.group_rows import GroupRows
from govern.measure.predictions import Predicted
from govern.stats.cube import Levels
from govern.worker.client import Limits, Worker

MODULE = '''
import numpy as np

def cost(y_true, y_pred, score, weight):
    """False positives cost 1, false negatives 5."""
    return float(np.average((y_pred > y_true) + 5.0 * (y_pred < y_true), weights=weight))

def constant(y_true, y_pred, score, weight):
    return 1.0

def needs_both(y_true, y_pred, score, weight):
    return float(score[y_true == 1].mean() - score[y_true == 0].mean())

def mostly_not(y_true, y_pred, score, weight):
    if len(np.unique(score)) < len(score):
        raise ValueError("ties")
    return 1.0

def error(y_true, y_pred, score, weight):
    return float(np.abs(y_true - y_pred).mean())
'''
BINARY = Target("binary", ("no", "yes"), "yes", "yes")
RNG = np.random.default_rng(2)
N = 3000
SEX = RNG.choice([0, 1, -1], N, p=[0.6, 0.396, 0.004]).astype(np.int32)
TRUTH, LABEL = RNG.integers(0, 2, N).astype(np.int32), RNG.integers(0, 2, N).astype(np.int32)
SCORE, KEYS = RNG.random(N), RNG.integers(0, 2**63, N).astype(np.uint64)
WEIGHT = RNG.random(N) + 0.5
LEVELS = Levels({"sex": ["women", "men", "nobody"]}, {"sex": [1, 2, 0]})


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    (folder / "ours.py").write_text(MODULE)
    with Worker(Limits(wall_seconds=60), model_path=[folder]) as worker:
        yield worker


def group(id, value, code):
    n = int(np.count_nonzero(np.equal(SEX, code)))
    return Group(id, ("sex",), (value,), n, 0, 0)


GROUPS = [Group(OVERALL, (), (), N, 0, 0), group("g1", "men", 1), group("g2", "nobody", 2), group("g3", "women", 0),
          group("g4", None, -1)]


def kept(*, weight=None, cluster=None, cap=N, predicted=None, truth=TRUTH):
    rows = GroupRows([(), ("sex",)], clustered=cluster is not None, cap=cap)
    rows.add({"sex": SEX}, KEYS, truth, predicted or Predicted(LABEL, SCORE), weight=weight, cluster=cluster)
    return rows


def measured(worker, name, rows=None, *, better="lower", low=None, high=None, target=BINARY, weighted=False, **more):
    found = own_metrics([OwnMetric(name, f"ours:{name}", better, low, high)], rows or kept(), GROUPS, LEVELS, target,
                        worker, weighted=weighted, seed=0, **more)
    return {(m.group, m.reference): m for m in found}


def cost(rows, weight=None):
    each = (LABEL > TRUTH) + 5.0 * (LABEL < TRUTH)
    return np.average(each[rows], weights=None if weight is None else weight[rows]), each[rows].std()


def test_everyone_and_every_group_have_a_value_with_its_error(worker):
    found = measured(worker, "cost", low=0.0)
    for id, rows in [(OVERALL, SEX > -2), ("g1", SEX == 1), ("g3", SEX == 0)]:
        value, sd = cost(rows)
        m = found[id, None]
        assert (m.metric, m.status, m.transform) == ("cost", "ok", "identity")
        assert m.value == pytest.approx(value, rel=1e-12)
        assert m.se == pytest.approx(sd / np.sqrt(rows.sum()), rel=0.2)
        assert m.interval.low < m.value < m.interval.high
        assert (m.interval.high - m.interval.low) == pytest.approx(3.92 * m.se, rel=0.2)


def test_weights_reach_the_function(worker):
    found = measured(worker, "cost", kept(weight=WEIGHT), weighted=True)
    assert found["g1", None].value == pytest.approx(cost(SEX == 1, WEIGHT)[0], rel=1e-12)


def test_differences_are_between_the_groups_of_a_feature(worker):
    found = measured(worker, "cost")
    m = found["g1", "g3"]
    assert m.compare == "difference" and m.value == found["g1", None].value - found["g3", None].value
    a, b = (found[g, None] for g in ("g1", "g3"))
    low, high = np.hypot(a.value - a.interval.low, b.interval.high - b.value), np.hypot(a.interval.high - a.value,
                                                                                       b.value - b.interval.low)
    assert (m.interval.low, m.interval.high) == pytest.approx((m.value - low, m.value + high))
    assert m.interval.method == "bootstrap, MOVER"


def test_small_and_empty_groups_say_so(worker):
    found = measured(worker, "cost")
    assert (found["g2", None].status, found["g2", None].value) == ("undefined", None)
    missing = found["g4", None]
    assert missing.status == "too_few" and missing.value is not None and missing.se is None
    assert "needs 30 rows" in missing.reason
    assert found["g4", "g3"].status == "too_few" and found["g2", "g3"].status == "undefined"


def test_the_interval_is_bca_with_fewer_replicates_of_many_rows(worker):
    found = measured(worker, "cost")
    assert found[OVERALL, None].interval.method == "bootstrap, BCa, 666 replicates"  # 2,000,000 / 3,000 rows
    assert found["g1", None].interval.method == f"bootstrap, BCa, {2_000_000 // (SEX == 1).sum():,} replicates"


def test_few_rows_of_a_label_have_no_interval(worker):
    rare = np.zeros(N, np.int32)
    rare[:9] = 1
    m = measured(worker, "cost", kept(truth=rare))[OVERALL, None]
    assert (m.status, m.se, m.interval) == ("too_few", None, None)
    assert m.reason == "a bootstrap needs 10 rows of each label, here are 9 and 2991"


def test_clusters_of_one_row_say_nothing(worker):
    once = kept(cluster=RNG.permutation(KEYS))
    assert measured(worker, "cost", once, repeated=False) == measured(worker, "cost")


def test_a_sample_is_said(worker):
    found = measured(worker, "cost", kept(cap=1000))
    assert found[OVERALL, None].reason == "from a sample of 1,000 of 3,000 rows"
    assert found[OVERALL, None].status == "ok"


def test_clusters_make_the_error_larger(worker):
    cluster = RNG.permutation(np.repeat(KEYS[: N // 10], 10))
    each = RNG.random(N // 10)[np.unique(cluster, return_inverse=True)[1]]
    rows = kept(cluster=cluster, predicted=Predicted(None, None, each), truth=np.zeros(N))
    alone = kept(predicted=Predicted(None, None, each), truth=np.zeros(N))
    regression = Target("regression")
    a = measured(worker, "error", rows, target=regression)[OVERALL, None]
    b = measured(worker, "error", alone, target=regression)[OVERALL, None]
    assert a.value == pytest.approx(b.value) and a.se == pytest.approx(b.se * np.sqrt(10), rel=0.3)


@pytest.mark.parametrize("name, reason", [("constant", "all resampled data sets give the same value"),
                                          ("mostly_not", "gave a number for 0 of 666 resampled data sets only")])
def test_replicates_that_say_nothing_leave_no_error(worker, name, reason):
    m = measured(worker, name)[OVERALL, None]
    assert (m.status, m.value, m.se, m.interval) == ("too_few", 1.0, None, None) and reason in m.reason


def test_a_function_that_fails_is_an_error_with_a_reason(worker):
    m = measured(worker, "needs_both", kept(predicted=Predicted(LABEL)))[OVERALL, None]
    assert (m.status, m.value) == ("error", None) and "TypeError" in m.reason


def test_a_value_outside_the_declared_range_is_an_error(worker):
    m = measured(worker, "cost", high=0.5)[OVERALL, None]
    assert (m.status, m.value) == ("error", None) and "outside the range declared" in m.reason


def test_a_function_that_is_not_there_names_the_metric(worker):
    with pytest.raises(InputError, match=r'metric "nothing": module "ours" has no function "nothing"'):
        measured(worker, "nothing")


def test_the_order_of_rows_changes_nothing(worker):
    order = RNG.permutation(N)
    rows = GroupRows([(), ("sex",)], clustered=False, cap=1000)
    for part in np.array_split(order, 9):
        rows.add({"sex": SEX[part]}, KEYS[part], TRUTH[part], Predicted(LABEL[part], SCORE[part]))
    assert measured(worker, "cost", rows) == measured(worker, "cost", kept(cap=1000))


def test_intersections_not_asked_and_levels_within_controls_are_left_out(worker):
    groups = [GROUPS[0], Group("g9", ("sex", "age"), ("men", "old"), 5, 0, 0, asked=False),
              Group("g8", ("sex",), ("men",), 5, 0, 0, within=(("region", "n"),))]
    found = own_metrics([OwnMetric("cost", "ours:cost", "lower", None, None)], kept(), groups, LEVELS, BINARY, worker,
                        weighted=False, seed=0)
    assert [m.group for m in found] == [OVERALL]


def test_the_registry_knows_them_by_the_settings():
    settings = {"data": {"metrics": {"unit_cost": {"function": "ours:cost", "better": "lower", "low": 0.0,
                                                   "high": None}}}}
    row = metrics.of("unit_cost", settings)
    assert (row.title, row.family, row.better, row.low, row.high) == ("unit cost", "custom", "lower", 0.0, None)
    assert metrics.of("accuracy", settings) is metrics.METRICS["accuracy"]
    for known in ({}, settings):
        with pytest.raises(KeyError):
            metrics.of("nothing", known)
