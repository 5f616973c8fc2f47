"""The search of subgroups from columns to evidence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from govern.errors import InputError
from govern.inputs.coders import search_coders, sensitive_coders
from govern.inputs.columns import plan_columns
from govern.inputs.config import load_settings
from govern.inputs.datasets import open_data
from govern.inputs.labels import Target
from govern.measure.predictions import Predicted
from govern.measure.subgroups import SubgroupSearch
from govern.stats.cube import Cube, Levels
from govern.stats.regression import Residuals

N = 4000
TARGET = Target("binary", ("0", "1"), "1", "0", ())


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(5)
    sex, income, region = rng.integers(0, 2, N), rng.lognormal(10, 1, N).round(2), rng.integers(0, 3, N)
    rate = np.where((sex == 1) & (income > np.quantile(income, 0.75)), 0.8, 0.3)
    return pa.table({
        "sex": np.array(["men", "women"])[sex], "income": income, "region": np.array(["n", "s", "w"])[region],
        "y": (rng.random(N) < 0.4).astype(int), "pred": (rng.random(N) < rate).astype(int),
        "zip": np.array([f"z{i}" for i in range(N)])})


@pytest.fixture
def data(table, tmp_path):
    pyarrow.csv.write_csv(table, tmp_path / "d.csv")
    return tmp_path / "d.csv"


def settings(data, **more):
    flags = {"data.path": str(data), "data.target": "y", "data.prediction": "pred", "data.sensitive": ["sex", "region"]}
    return load_settings(flags | {f"data.{k}": v for k, v in more.items()}, config=None, cwd=Path(data).parent)


def searched(s, *, target=TARGET, weight=None, cluster=None, pieces=1):
    """The search run over the file in batches of its rows."""
    source = open_data(s.data.path)
    coders = sensitive_coders(s.data, source)
    search = SubgroupSearch(tuple(f.role for f in s.data.sensitive), search_coders(s.data, source),
                            weighted=weight is not None, clustered=cluster is not None)
    cube = Cube(tuple(coders), weighted=weight is not None, clustered=cluster is not None)
    residuals = Residuals(exact_rows=10**6)
    columns = plan_columns(s, tuple(source.columns), None, None).read
    whole = pa.Table.from_batches(list(source.batches(columns))).combine_chunks().to_batches()[0]
    for part in np.array_split(np.arange(whole.num_rows), pieces):
        batch = whole.take(pa.array(part))
        codes = {role: c.codes(batch.column(c.column)) for role, c in coders.items()}
        more = search.codes(batch)
        truth, label = (batch.column(c).to_numpy().astype(np.int32) for c in ("y", "pred"))
        rows = {k: v[part] for k, v in {"weight": weight, "cluster": cluster}.items() if v is not None}
        if target.task == "regression":
            truth, value, none = truth.astype(float), label + batch.column("income").to_numpy(), np.zeros_like(label)
            residuals.add(cube.add(list(codes.values()), none, none, cells=True), truth, value, **rows)
            search.add(codes, more, truth, Predicted(None, value=value), **rows)
        else:
            cube.add(list(codes.values()), truth, label, **rows)
            search.add(codes, more, truth, Predicted(label), **rows)
    texts, order = {}, {}
    for role, coder in coders.items():
        names, place = coder.ordered()
        texts[role], order[role] = [names[p] for p in place], np.argsort(place, kind="stable").tolist()
    return search.result(cube, residuals, Levels(texts, order), target)


def test_without_further_columns_the_sensitive_features_are_searched(data):
    found = searched(settings(data))
    assert found.subgroups[0].features == ("sex",)
    assert {f for s in found.subgroups for f in s.features} <= {"sex", "region"}
    assert "11 subgroups against all other rows" in found.notes[0]  # 2 + 3 + 6


def test_a_chosen_number_is_searched_at_its_quartiles(data, table):
    found = searched(settings(data, search=["income"]))
    first = found.subgroups[0]
    assert first.features == ("sex", "income") and first.values[0] == "women"
    assert (first.metric, first.value < first.rest_value) == ("selection_rate", True)  # favourable is 0
    frame = table.to_pandas()
    top = (frame.sex == "women") & (frame.income > frame.income.sort_values().iloc[3 * N // 4 - 1])
    assert (first.n, first.value) == (top.sum(), (frame.pred[top] == 0).mean())
    assert first.rest_value == (frame.pred[~top] == 0).mean()
    assert first.interval.low <= first.value - first.rest_value <= first.interval.high
    assert 0 <= first.p_value <= first.q_value <= 0.05


def test_batches_change_nothing(data):
    s = settings(data, search=["income"])
    assert searched(s, pieces=7) == searched(s)


def test_a_sensitive_column_is_not_searched_twice(data):
    assert searched(settings(data, search=["region", "sex"])) == searched(settings(data))


def test_one_feature_alone_is_no_search(data):
    found = searched(settings(data, sensitive=["sex"]))
    assert found.subgroups == () and found.notes == ()


@pytest.mark.parametrize("more", [{}, {"search": ["income"]}])
def test_weights_and_persons_are_searched(data, table, more):
    s = settings(data, **more)
    plain, weight = searched(s), np.random.default_rng(1).lognormal(0, 1, N)
    found = searched(s, weight=weight, pieces=3)
    first = found.subgroups[0]
    assert first.metric == "selection_rate" and first.features == plain.subgroups[0].features
    frame = table.to_pandas()
    inside = frame.sex == first.values[0]
    if more:
        inside &= frame.income > frame.income.sort_values().iloc[3 * N // 4 - 1]
    assert (first.n, first.value) == (inside.sum(), pytest.approx(np.average(frame.pred[inside] == 0,
                                                                             weights=weight[inside])))
    assert first.p_value > plain.subgroups[0].p_value  # weights that differ are worth fewer rows
    persons = searched(s, cluster=np.arange(N, dtype=np.uint64) // np.uint64(2))
    assert persons.subgroups[0].value == plain.subgroups[0].value
    assert searched(s, weight=np.full(N, 2.0), cluster=np.arange(N, dtype=np.uint64)) == plain


def test_a_regression_is_searched_for_bias_and_error(data, table):
    found = searched(settings(data, search=["income"]), target=Target("regression"))
    assert {s.metric for s in found.subgroups} <= {"mean_residual", "mean_absolute_error"}
    assert "(bias, mean absolute error)" in found.notes[0] and "fewer than 30 effective rows" in found.notes[0]
    first, frame = found.subgroups[0], table.to_pandas()
    assert first.features == ("income",)  # the prediction is off by the income
    top = frame.income > frame.income.sort_values().iloc[3 * N // 4 - 1]
    residual = frame.pred + frame.income - frame.y
    assert first.value == pytest.approx(residual[top].mean()) and first.rest_value == pytest.approx(
        residual[~top].mean())
    assert first.interval.method == "MOVER"


def test_many_classes_are_searched_for_accuracy(data):
    found = searched(settings(data, search=["income"]), target=Target("multiclass", ("0", "1")))
    assert {s.metric for s in found.subgroups} == {"multiclass_accuracy"}
    assert "(accuracy over all classes)" in found.notes[0]


def test_a_column_of_too_many_values_is_refused(data):
    with pytest.raises(InputError, match=r'"zip" has more than 50 different values.*leave it out of --search'):
        searched(settings(data, search=["zip"]))


@pytest.mark.parametrize("more, message", [
    ({"search": ["nope"]}, 'has no column "nope"'),
    ({"search": ["y"]}, 'the searched column "y" is the target itself'),
    ({"search": [f"c{i}" for i in range(7)]}, "2 sensitive features and 7 further columns are too many to search"),
    ({"sensitive": [{"zip": {"column": "sex"}}], "search": ["zip"]}, '"zip" has the name of a sensitive feature'),
])
def test_columns_that_cannot_be_searched_are_refused(data, more, message):
    with pytest.raises(InputError, match=message):
        s = settings(data, **more)
        plan_columns(s, tuple(open_data(s.data.path).columns), None, None)


def test_the_searched_columns_stand_in_the_settings_and_may_be_features(data):
    s = settings(data, search=["income", "income"])
    assert s.plain()["data"]["search"] == ["income"]
    plan = plan_columns(s, tuple(open_data(s.data.path).columns), None, None)
    assert plan.search == ("income",) and "income" in plan.read
