from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from govern.errors import InputError
from govern.inputs.config import load_settings
from govern.inputs.datasets import open_data
from govern.inputs.labels import Target, choose_labels, class_codes, match_label, predicted_codes
from govern.inputs.target import outcomes, target_of


def choose(levels: list[str], positive: str | None = None, favourable: str | None = None) -> Target:
    return choose_labels(levels, "y", positive=positive, favourable=favourable, where="eval.csv")


@pytest.mark.parametrize(("levels", "positive"), [
    (["1", "0"], "1"), (["false", "true"], "true"), (["no", "yes"], "yes"), (["N", "Y"], "Y"), (["-1", "1"], "1"),
    (["No", "YES"], "YES"), (["f", "t"], "t"),
])
def test_positive_label_is_inferred_with_a_note(levels: list[str], positive: str) -> None:
    target = choose(levels)
    assert target.positive == target.favourable == positive and {target.negative, positive} == set(levels)
    assert target.classes == (target.negative, positive) and target.task == "binary"
    assert len(target.notes) == 2 and f'"{positive}"' in target.notes[0]


def test_given_labels() -> None:
    found = choose(["1", "0"], positive="1.0", favourable="0")
    assert (found.positive, found.negative, found.favourable, found.notes) == ("1", "0", "0", ())
    assert choose(["true", "false"], positive="False").positive == "false"
    assert choose(["good", "bad"], positive="bad").negative == "good"
    assert match_label("0.0", ["0", "1"], "y", "--positive") == "0"


@pytest.mark.parametrize(("levels", "positive", "favourable", "said"), [
    (["good", "bad"], None, None, 'is positive: "bad", "good"?; say it with --positive'),
    (["1", "2"], None, None, "which label of target"),
    (["1"], None, None, 'holds only the label "1"'),
    ([], None, None, "holds no values"),
    (["a", "b", "c"], None, None, "holds 3 labels, a binary task has two"),
    (["yes", "no"], "yess", None, '--positive: "yess" is not a label of target "y"; did you mean "yes"?'),
    (["1", "0"], None, "2", '--favourable: "2" is not a label of target "y"; labels: "0", "1"'),
])
def test_labels_refused(levels: list[str], positive: str | None, favourable: str | None, said: str) -> None:
    with pytest.raises(InputError) as caught:
        choose(levels, positive, favourable)
    assert said in str(caught.value)


def test_predictions_must_be_labels() -> None:
    two = choose(["1", "0"])
    assert predicted_codes(["1", "0"], two, "p", "eval.csv").tolist() == [1, 0]
    with pytest.raises(InputError, match=r"looks like scores \(0.2\), not labels; use --score p --threshold"):
        predicted_codes(["0.2", "1"], two, "p", "eval.csv")
    with pytest.raises(InputError, match='predicts "yes", which is no label of the target'):
        predicted_codes(["0", "yes"], two, "p", "eval.csv")
    three = Target("multiclass", ("low", "mid", "high"))
    assert predicted_codes(["high", "low"], three, "p", "eval.csv").tolist() == [2, 0]
    assert class_codes(["mid", "none"], three).tolist() == [1, -1]
    with pytest.raises(InputError, match=r'predicts "0.5", which is no label .* with --class'):
        predicted_codes(["0.5"], three, "p", "eval.csv")


def target(tmp_path: Path, values: Any, **data: Any) -> Target:
    """The target of a column of `values`, settings as flags without `data.`."""
    array = values if isinstance(values, pa.Array) else pa.array(values)
    pq.write_table(pa.table({"y": array}), tmp_path / "t.parquet")
    flags = {f"data.{k}": v for k, v in ({"path": "t", "target": "y", "prediction": "p"} | data).items()}
    return target_of(open_data(tmp_path / "t.parquet"), load_settings(flags, config=None, cwd=tmp_path).data)


@pytest.mark.parametrize(("values", "task", "classes"), [
    ([0, 1, None, 1], "binary", ("0", "1")),
    (["no", "yes"], "binary", ("no", "yes")),
    ([True, False], "binary", ("false", "true")),
    ([1, 10, 2, 2], "multiclass", ("1", "2", "10")),
    ([1.0, 10.0, 2.0, float("nan")], "multiclass", ("1", "2", "10")),
    (["b", "a", "C", None], "multiclass", ("C", "a", "b")),
    (["10", "9", "8"], "multiclass", ("8", "9", "10")),
    (["10", "9", "x"], "multiclass", ("10", "9", "x")),
    ([0.5, 1.5, 2.0], "regression", ()),
    (list(range(20)), "multiclass", tuple(str(i) for i in range(20))),
    (list(range(21)), "regression", ()),
    ([0.1 * i for i in range(500)], "regression", ()),
    (pa.array(["b", "c", "a"]).dictionary_encode(), "multiclass", ("a", "b", "c")),
])
def test_the_task_is_taken_from_the_values(tmp_path: Path, values: Any, task: str, classes: tuple[str, ...]) -> None:
    found = target(tmp_path, values)
    assert (found.task, found.classes) == (task, classes)
    said = [note for note in found.notes if "task was not given" in note]
    assert len(said) == (task != "binary") and (found.positive is not None) == (task == "binary")
    again = target(tmp_path, (values if isinstance(values, pa.Array) else pa.array(values))[::-1])
    assert again == found


def test_a_task_that_is_given_decides(tmp_path: Path) -> None:
    assert target(tmp_path, [1, 2, 3], task="regression") == Target("regression")
    assert target(tmp_path, [0, 1], task="regression").task == "regression"
    assert target(tmp_path, list(range(30)), task="multiclass").classes[-1] == "29"
    assert target(tmp_path, [f"c{i:02}" for i in range(50)], task="multiclass").notes == ()
    assert target(tmp_path, [3, 4], task="binary", positive="3").classes == ("4", "3")


def test_classes_in_the_order_given(tmp_path: Path) -> None:
    found = target(tmp_path, ["low", "high", "mid"], classes=["low", "mid", "high"], favourable="low")
    assert found == Target("multiclass", ("low", "mid", "high"), None, "low")
    absent = target(tmp_path, [1, 2], classes=["1.0", "2", "3"])
    assert absent.classes == ("1", "2", "3") and absent.favourable is None


@pytest.mark.parametrize(("values", "data", "said"), [
    ([1, 2, 3], {"positive": "1"}, "--positive has no meaning in a multiclass task, and target \"y\" holds more than "
                                   "two labels; name the class people wish for with --favourable"),
    ([1, 2, 3], {"favourable": "4"}, '--favourable: "4" is not a label'),
    ([1, 2, 3], {"prediction": None, "score": "p", "threshold": 0.5}, "--threshold has no meaning in a multiclass"),
    ([0.5] * 3 + list(range(30)), {"positive": "1"}, "--positive has no meaning in a regression"),
    (list(range(30)), {"favourable": "1"}, "--favourable has no meaning in a regression"),
    (list(range(30)), {"task": "regression", "classes": ["1"]}, "--class has no meaning in a regression"),
    (["a", "b", "c"], {"task": "regression"}, "does not hold numbers, which a regression needs"),
    ([True, False], {"task": "regression"}, "does not hold numbers"),
    ([1, 2, 3], {"task": "binary"}, "holds 3 labels, a binary task has two"),
    ([0, 1], {"task": "binary", "classes": ["0", "1"]}, "--class has no meaning in a binary task"),
    ([0, 1], {"task": "multiclass"}, "holds 2 labels, a multiclass task has three or more"),
    ([0, 1], {"classes": ["0", "1"]}, "two classes make a binary task"),
    (["a", "b", "c"], {"classes": ["a", "b", "d"]}, 'holds "c", which is not among the classes'),
    (["a", "b", "c"], {"classes": ["a", "b", "c", "a"]}, "a class is named twice"),
    ([f"c{i}" for i in range(30)], {}, "holds more than 20 labels; say --task multiclass"),
    ([f"c{i}" for i in range(60)], {"task": "multiclass"}, "holds more than 50 labels"),
    (list(range(60)), {"task": "binary"}, "holds more than 50 labels"),
    (pa.nulls(3, pa.float64()), {}, "holds no values"),
    (pa.nulls(3, pa.float64()), {"task": "regression"}, "holds no values"),
    ([1, 1], {}, 'holds only the label "1"'),
    ([0, 1], {"threshold": 0.5}, "both --prediction and --threshold"),
])
def test_targets_refused(tmp_path: Path, values: Any, data: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        target(tmp_path, values, **data)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_regression_with_stored_predictions_takes_a_threshold(tmp_path: Path) -> None:
    assert target(tmp_path, list(range(30)), threshold=10.0).task == "regression"


def test_outcomes_of_a_regression() -> None:
    found = outcomes(pa.array([1, None, 3]), "y", "eval.csv")
    assert found[0] == 1.0 and np.isnan(found[1]) and found.dtype == np.float64
    with pytest.raises(InputError, match=r'eval\.csv: target "y" holds infinite values'):
        outcomes(pa.array([1.0, float("inf")]), "y", "eval.csv")
    with pytest.raises(InputError, match="holds string values, not numbers"):
        outcomes(pa.array(["1"]), "y", "eval.csv")
